"""Train a small transformer so that a kill costs a minute, never the run.

1. Batches come in chunks: chunk i is made from i alone (say, from Random(f"{seed}/{i}")), so going on needs no
   state of a random generator.
2. Every `save_every_s` seconds weights, optimizer moments and step are saved in one move (`state`).
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

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from mi_tutor.specimens.errors import SpecimenError
from mi_tutor.specimens.training.fingerprint import fingerprint_of, start_afresh
from mi_tutor.specimens.training.run import Run
from mi_tutor.specimens.training.settings import (
    Trained,
    TrainingSettings,
    next_token_loss,
    warmup_cosine,
)
from mi_tutor.specimens.training.state import load_state

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer

    from mi_tutor.specimens.training.settings import Batch, Loss


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
