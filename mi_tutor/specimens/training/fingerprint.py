"""What has to be the same for a training run to go on, and the sentence if it is not."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from mi_tutor.specimens.errors import SpecimenError

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.optim import Optimizer

    from mi_tutor.specimens.training.settings import Batch, Loss, TrainingSettings


def fingerprint_of(
    network: nn.Module,
    optimizers: Sequence[Optimizer],
    settings: TrainingSettings,
    chunk: Callable[[int], Sequence[Batch]],
    loss: Loss,
    schedule: Callable[[int, TrainingSettings], float],
    config: Mapping[str, Any],
) -> dict[str, Any]:
    """What has to be the same for a run to go on, as short text: settings, data, starting weights, versions."""
    decisive = ("n_steps", "steps_per_chunk", "clip", "n_threads", "checkpoints")
    rates = [schedule(step, settings) for step in range(0, settings.n_steps, 7)]
    groups = [
        [type(optimizer).__name__]
        + [{k: v for k, v in group.items() if k != "params"} for group in optimizer.param_groups]
        for optimizer in optimizers
    ]
    return {
        **{name: str(value) for name, value in config.items()},
        **{name: str(getattr(settings, name)) for name in decisive},
        "device": torch.device(settings.device).type,
        "torch": torch.__version__,
        "loss function": getattr(loss, "__qualname__", type(loss).__name__),
        "learning rates": digest(repr(rates).encode()),
        "optimizers": str(groups),
        "starting weights": digest(*(array(p) for p in network.parameters())),
        "first training data": digest(*(array(t) for b in chunk(0) for t in tensors_of(b))),
    }


def digest(*parts: bytes) -> str:
    """The first half of the SHA-256 of the parts."""
    return hashlib.sha256(b"".join(parts)).hexdigest()[:32]


def array(tensor: Tensor) -> bytes:
    """A tensor's numbers."""
    return tensor.detach().cpu().contiguous().numpy().tobytes()


def tensors_of(batch: Batch) -> Sequence[Tensor]:
    """The tensors of a batch."""
    if isinstance(batch, Mapping):
        return list(batch.values())
    return batch if isinstance(batch, tuple) else [batch]


def compare(now: Mapping[str, Any], saved: Mapping[str, Any], work: Path) -> None:
    """SpecimenError that names what differs, unless both fingerprints are the same."""
    keys = sorted(key for key in {*now, *saved} if now.get(key) != saved.get(key))
    if keys:
        changes = "; ".join(f"{key} was {saved.get(key)!r}, is {now.get(key)!r}" for key in keys)
        raise SpecimenError(
            f"The training in {str(work)!r} was begun with other settings ({changes}), so it cannot go on with "
            f"these. Put the old ones back to go on. {start_afresh(work)}"
        )


def start_afresh(work: Path) -> str:
    """How to begin again."""
    return f"To start afresh, delete that folder: rm -r {str(work)!r}"
