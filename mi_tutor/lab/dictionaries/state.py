"""A training's state on disk: one safetensors file, replaced in one step, never a pickle.

Tensors (weights, Adam's moments) and plain values (as JSON in the file's metadata, with the config) lie in the
same file. It is written under another name and then moved into place, so that at every moment the file is
whole.
"""

import json
import os
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from mi_tutor.lab.dictionaries.config import SaeConfig

FILE = "training.safetensors"


def save_state(work: Path, config: SaeConfig, state: dict[str, Any]) -> None:
    """Write tensors and values of a training."""
    work.mkdir(parents=True, exist_ok=True)
    tensors = {name: value.cpu().contiguous() for name, value in state["tensors"].items()}
    described = {"config": config.to_json(), "values": json.dumps(state["values"])}
    write_whole(work / FILE, save(tensors, metadata=described))


def load_state(work: Path, config: SaeConfig) -> dict[str, Any] | None:
    """What was saved last; None if nothing was.

    Raises ValueError if the file is damaged, or belongs to a training with other settings.
    """
    file = work / FILE
    if not file.exists():
        return None
    try:
        with safe_open(file, framework="pt") as stored:
            described = stored.metadata()
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
        values, seen = json.loads(described["values"]), json.loads(described["config"])
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{str(file)!r} is not a whole state of a training ({error}). Delete it to start afresh."
        ) from error
    wanted = json.loads(config.to_json())
    if seen != wanted:
        other = [name for name in wanted if seen.get(name) != wanted[name]]
        raise ValueError(
            f"The training in {str(work)!r} was begun with "
            + ", ".join(f"{name} {seen.get(name)} (now {wanted[name]})" for name in other)
            + ". Use its settings to go on, or another folder."
        )
    return {"tensors": tensors, "values": values}


def write_whole(file: Path, content: bytes) -> None:
    """Write a file so that at every moment it is the old one or the new one."""
    new = file.with_name(f"{file.name}.new")
    with new.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    new.replace(file)
