"""Train a small transformer so that a kill costs a minute, never the run.

1. Batches come in chunks: chunk i is made from i alone (say, from Random(f"{seed}/{i}")), so going on needs no
   state of a random generator.
2. Every `save_every_s` seconds weights, optimizer moments and step are saved in one move (`training_state`).
3. The same command goes on from there, and ends with exactly the weights of a run that was never interrupted (on
   the same machine, library versions and number of threads; a GPU may round differently from run to run).
4. A run that was begun with other settings, data or starting weights is refused, with what differs.

    settings = TrainingSettings(work=training_folder("mine"), n_steps=2000, n_warmup=100)
    trained = train(
        network,                                              # a plain GPT2LMHeadModel, weights from a seed
        settings=settings,
        chunk=lambda i: make_batches(random.Random(f"{seed}/{i}")),   # list of settings.steps_per_chunk batches
        optimizers=lambda network: [adamw(network, learning_rate=3e-3)],
        evaluate=lambda step: {"held out": accuracy(network)},
        config=asdict(config),                                # everything else that decides the result
    )

Importing this imports torch; training uses nothing else but safetensors and tqdm.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch.nn.functional import cross_entropy

from mi_tutor.specimens.errors import SpecimenError
from mi_tutor.specimens.fast_forward import fast_forward
from mi_tutor.specimens.training_fingerprint import fingerprint_of, start_afresh
from mi_tutor.specimens.training_run import Run, checkpoint_file
from mi_tutor.specimens.training_state import load_state

__all__ = [
    "Trained",
    "TrainingSettings",
    "adamw",
    "checkpoint_file",
    "fast_forward",
    "next_token_loss",
    "train",
    "training_folder",
    "warmup_cosine",
]

if TYPE_CHECKING:
    from jaxtyping import Float, Int
    from torch import Tensor, nn
    from torch.optim import Optimizer

    # A tensor of token ids, or tensors in a tuple or dict: whatever `loss` understands.
    Batch = Tensor | tuple[Tensor, ...] | Mapping[str, Tensor]
    Loss = Callable[[nn.Module, Batch, int], Float[Tensor, ""]]


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """How a run is trained.

    work: the folder for states and checkpoints; one run per folder. It may be deleted when the run is over.
    steps_per_chunk: how many batches `chunk(i)` gives.
    n_warmup, final_rate: the learning rate rises linearly over n_warmup steps, then falls along a cosine to
        final_rate times the full one (`warmup_cosine`). `train` takes another schedule as an argument.
    clip: the gradient's norm is cut to this. n_threads: CPU threads; another number rounds differently.
    checkpoints: steps after which the weights are kept (0: untrained), see `checkpoint_file`.
    evaluate_every, save_every_s, progress, name: do not change the result.
    """

    work: Path
    n_steps: int
    name: str = "training"
    steps_per_chunk: int = 50
    n_warmup: int = 100
    final_rate: float = 0.1
    clip: float = 1.0
    n_threads: int = 1
    device: str = "cpu"
    checkpoints: tuple[int, ...] = ()
    evaluate_every: int = 500
    save_every_s: float = 60.0
    progress: bool = True

    def __post_init__(self) -> None:
        for name in ("n_steps", "steps_per_chunk", "n_threads", "evaluate_every"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} should be at least 1, got {getattr(self, name)}.")
        outside = [step for step in self.checkpoints if not 0 <= step <= self.n_steps]
        if outside:
            raise ValueError(
                f"checkpoints should lie between 0 and n_steps = {self.n_steps}, got {outside}."
            )


class Trained(NamedTuple):
    """The trained network in eval mode, an entry per evaluation, and the seconds of all sessions together.

    An entry has "step", "loss" (smoothed over about 50 steps) and what `evaluate` gave. On a busy machine the
    clock's seconds say little; cpu_seconds count computing only, all threads together.
    """

    network: nn.Module
    history: list[dict[str, Any]]
    seconds: float
    cpu_seconds: float


def next_token_loss(
    network: nn.Module, tokens: Int[Tensor, "batch pos"], step: int = 0
) -> Float[Tensor, ""]:
    """Cross-entropy of each token given those before it, in nats, mean over all tokens but the first."""
    logits = fast_forward(network, tokens[:, :-1])
    return cross_entropy(logits.flatten(0, 1).float(), tokens[:, 1:].flatten())


def warmup_cosine(step: int, settings: TrainingSettings) -> float:
    """The share of the full learning rate at a step: linear warm-up, then a cosine down to final_rate."""
    warm = min(1.0, (step + 1) / (settings.n_warmup + 1))
    cosine = 0.5 * (1 + math.cos(math.pi * step / settings.n_steps))
    return warm * (settings.final_rate + (1 - settings.final_rate) * cosine)


def adamw(network: nn.Module, learning_rate: float, weight_decay: float = 0.1) -> Optimizer:
    """AdamW (betas 0.9, 0.98) that decays matrices and leaves biases and LayerNorms alone; frozen weights stay."""
    trained = [p for p in network.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim >= 2], "weight_decay": weight_decay},
        {"params": [p for p in trained if p.ndim < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=learning_rate, betas=(0.9, 0.98), fused=True)


def train(
    network: nn.Module,
    *,
    settings: TrainingSettings,
    chunk: Callable[[int], Sequence[Batch]],
    optimizers: Callable[[nn.Module], Sequence[Optimizer]],
    loss: Loss = next_token_loss,
    schedule: Callable[[int, TrainingSettings], float] = warmup_cosine,
    evaluate: Callable[[int], Mapping[str, float]] | None = None,
    config: Mapping[str, Any] | None = None,
) -> Trained:
    """Train `network` in place, going on where an earlier run of the same command was stopped.

    chunk(i): the batches of steps i * n to (i + 1) * n - 1, where n = steps_per_chunk, made from i alone.
    optimizers(network): one or several, so that matrices can have another (torch.optim.Muon) than the rest. In
        every group the learning rate is the one it was made with, times schedule(step, settings).
    loss(network, batch, step): what is minimised. Without dropout or other randomness of its own.
    evaluate(step): called every `evaluate_every` steps and at the end, without gradients; its numbers are shown.
    config: everything else that decides the result, as JSON can hold it.

    Raises SpecimenError if the run in `work` was begun with other settings, if its states are all damaged, if
    another process trains there, or if the loss is no longer a number; ValueError for a network with dropout.

    Ctrl+C says how to go on and raises KeyboardInterrupt.
    """
    refuse_dropout(network)
    with alone_in(settings.work), arithmetic(settings):
        network.to(settings.device).train()
        made = list(optimizers(network))
        fingerprint = fingerprint_of(network, made, settings, chunk, loss, schedule, config or {})
        for optimizer in made:
            for group in optimizer.param_groups:
                group["full_rate"] = group["lr"]
        moment = load_state(settings.work, fingerprint, network, made)
        run = Run(network, made, settings, chunk, loss, schedule, evaluate, fingerprint, moment)
        try:
            run.to_the_end()
        except KeyboardInterrupt:
            print(
                f"\nStopped. The same command goes on from the last saved step in {str(settings.work)!r}. "
                f"{start_afresh(settings.work)}",
                file=sys.stderr,
            )
            raise
    return Trained(network.eval(), moment.history, moment.seconds, moment.cpu_seconds)


def training_folder(name: str) -> Path:
    """The folder for the states of a specimen's training: in MI_TUTOR_HOME if set, else in the user's cache."""
    from platformdirs import user_cache_path

    home = os.environ.get("MI_TUTOR_HOME")
    return (Path(home) if home else user_cache_path("mi_tutor")) / "training" / name


def refuse_dropout(network: nn.Module) -> None:
    """ValueError for a network that draws random numbers: its state would have to be saved too."""
    if any(isinstance(part, torch.nn.Dropout) and part.p > 0 for part in network.modules()):
        raise ValueError(
            "The network has dropout, whose random numbers would differ after an interruption. Set resid_pdrop, "
            "embd_pdrop and attn_pdrop to 0 in its config."
        )


@contextmanager
def arithmetic(settings: TrainingSettings) -> Iterator[None]:
    """Within this block torch computes with the run's number of threads, and with TF32 where there is a GPU."""
    n_threads, precision = torch.get_num_threads(), torch.get_float32_matmul_precision()
    torch.set_num_threads(settings.n_threads)
    if torch.device(settings.device).type == "cuda":
        torch.set_float32_matmul_precision("high")
    try:
        yield
    finally:
        torch.set_num_threads(n_threads)
        torch.set_float32_matmul_precision(precision)


@contextmanager
def alone_in(work: Path) -> Iterator[None]:
    """Within this block no other process trains in the same folder; the lock ends with its process."""
    from filelock import FileLock, Timeout

    work.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(work / "lock", timeout=0):
            yield
    except Timeout:
        raise SpecimenError(
            f"Another process is training in {str(work)!r}. Wait for it, or stop it."
        ) from None
