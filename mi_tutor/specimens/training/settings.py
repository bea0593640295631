"""A training run's settings, and the loss, schedule and optimizer that it has unless told otherwise."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch.nn.functional import cross_entropy

from mi_tutor.specimens.training.forward import fast_forward

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
