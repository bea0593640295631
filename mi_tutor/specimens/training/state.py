"""The state of a training run on disk: after a kill at any moment, what can be read is whole.

1. A state is `state-<step>.safetensors` (weights, optimizer moments) and `state-<step>.json` (step, fingerprint,
   history, and the SHA-256 of the other file). It counts only if both are there and the digest fits.
2. Each file is written under another name and moved into place; the JSON comes last. The two newest are kept.
3. Nothing is ever unpickled.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mi_tutor.specimens.errors import SpecimenError
from mi_tutor.specimens.training.fingerprint import compare, start_afresh

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.optim import Optimizer

N_KEPT = 2


@dataclass
class Moment:
    """Where a training run stands, besides its tensors.

    loss: smoothed, loss <- 0.98 loss + 0.02 new. history: one entry per evaluation.
    seconds, cpu_seconds: by the clock, and of computing (all threads together), in all sessions.
    """

    step: int = 0
    loss: float = 0.0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    history: list[dict[str, Any]] = field(default_factory=list)

    def note(self, loss: float) -> None:
        """One more step is done, and this was its loss."""
        self.loss = loss if self.step == 0 else 0.98 * self.loss + 0.02 * loss
        self.step += 1


class Damaged(Exception):
    """A state that cannot be used; the text says what is wrong with it."""


def save_state(
    work: Path,
    moment: Moment,
    fingerprint: Mapping[str, Any],
    network: nn.Module,
    optimizers: Sequence[Optimizer],
) -> None:
    """Write the state of this moment, then remove all but the newest two."""
    tensors = state_tensors(network, optimizers)
    digest = write_tensors(work / f"state-{moment.step:07}.safetensors", tensors)
    described = {
        "moment": asdict(moment),
        "sha256": digest,
        "fingerprint": dict(fingerprint),
    }
    write_whole(work / f"state-{moment.step:07}.json", json.dumps(described, indent=1).encode())
    for old in states(work)[N_KEPT:]:
        old.unlink()
        old.with_suffix(".safetensors").unlink(missing_ok=True)


def load_state(
    work: Path,
    fingerprint: Mapping[str, Any],
    network: nn.Module,
    optimizers: Sequence[Optimizer],
) -> Moment:
    """Put the newest whole state into the network and the optimizers; a fresh Moment if none was saved.

    A damaged state is named on stderr and the one before it is used. Raises SpecimenError if all are damaged, or
    if the run was begun with other settings.
    """
    found = states(work)
    for file in found:
        try:
            described, tensors = read_state(file)
            compare(fingerprint, described["fingerprint"], work)
            put_tensors(tensors, network, optimizers)
        except Damaged as damage:
            print(f"{file.with_suffix('.*')}: {damage}. Trying the one before it.", file=sys.stderr)
        else:
            return Moment(**described["moment"])
    if found:
        raise SpecimenError(
            f"None of the saved states in {str(work)!r} can be used. {start_afresh(work)}"
        )
    return Moment()


def states(work: Path) -> list[Path]:
    """The JSON files of the saved states, newest first."""
    return sorted(work.glob("state-*.json"), reverse=True)


def read_state(file: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """A state's description and tensors; Damaged if either file is not what was written."""
    from safetensors.torch import load

    try:
        described = json.loads(file.read_bytes())
        if set(described) != {"moment", "sha256", "fingerprint"}:
            raise Damaged("the description is not a saved state's")
        content = file.with_suffix(".safetensors").read_bytes()
    except (OSError, ValueError, TypeError) as error:
        raise Damaged(f"cannot be read ({error})") from error
    if hashlib.sha256(content).hexdigest() != described["sha256"]:
        raise Damaged("the tensors are not those that were saved (their SHA-256 differs)")
    return described, load(content)


def state_tensors(network: nn.Module, optimizers: Sequence[Optimizer]) -> dict[str, Tensor]:
    """Weights (each shared tensor once) and optimizer moments, by name."""
    tensors = {f"weights.{name}": p.detach() for name, p in network.named_parameters()}
    for k, optimizer in enumerate(optimizers):
        for index, values in optimizer.state_dict()["state"].items():
            for name, value in values.items():
                tensors[f"optimizer.{k}.{index}.{name}"] = value
    return tensors


def put_tensors(
    tensors: Mapping[str, Tensor], network: nn.Module, optimizers: Sequence[Optimizer]
) -> None:
    """The inverse of `state_tensors`."""
    import torch

    with torch.no_grad():
        for name, parameter in network.named_parameters():
            parameter.copy_(tensors[f"weights.{name}"])
    moments: list[dict[int, dict[str, Tensor]]] = [{} for _ in optimizers]
    for name, value in tensors.items():
        if name.startswith("optimizer."):
            _, k, index, key = name.split(".")
            moments[int(k)].setdefault(int(index), {})[key] = value
    for optimizer, state in zip(optimizers, moments, strict=True):
        optimizer.load_state_dict(
            {"state": state, "param_groups": optimizer.state_dict()["param_groups"]}
        )


def write_tensors(file: Path, tensors: Mapping[str, Tensor]) -> str:
    """Write tensors as safetensors in one step, and give the file's SHA-256."""
    from safetensors.torch import save

    content = save({name: value.cpu().contiguous() for name, value in tensors.items()})
    write_whole(file, content)
    return hashlib.sha256(content).hexdigest()


def write_whole(file: Path, content: bytes) -> None:
    """Write a file so that at every moment it is the old one or the new one, also on the disk itself."""
    new = file.with_name(f"{file.name}.new")
    with new.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    new.replace(file)
