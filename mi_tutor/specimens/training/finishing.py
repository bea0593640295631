"""Put what was trained into its directory: files, measurements, card. All of it, or nothing."""

from __future__ import annotations

import platform
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from mi_tutor.specimens.cards import WEIGHTS, Card, Measure, sha256, write_card
from mi_tutor.specimens.opening.models import quiet

if TYPE_CHECKING:
    from transformers import GPT2LMHeadModel


def finish(
    directory: Path,
    save: Callable[[Path], None],
    measure: Callable[[Path], Sequence[Measure]],
    about: Mapping[str, Any],
    *,
    weights: str = WEIGHTS,
    packages: Sequence[str] = ("torch", "transformers"),
    work: Path | None = None,
) -> Card:
    """Save, measure what was saved, write the card, and only then replace what was there.

    save: writes the specimen's files, the weights among them, into an empty directory.
    about: the card's other fields (name, summary, recipe, seed ...).
    packages: whose versions the card gives.
    work: the folder of the training's states, which is deleted at the end.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=directory.parent) as workshop:
        new = Path(workshop)
        save(new)
        card = Card(
            **about,
            trained_with={package: version(package) for package in packages}
            | {"python": platform.python_version()},
            sha256=sha256(new / weights),
            measures=tuple(measure(new)),
        )
        write_card(card, new)
        for file in new.iterdir():
            file.chmod(0o644)  # safetensors writes files that only their owner may read
            file.replace(directory / file.name)
    if work is not None:
        shutil.rmtree(work)
    return card


class CanBeSaved(Protocol):
    """A tokenizer that writes itself as tokenizer.json and tokenizer_config.json."""

    def save(self, directory: Path) -> None: ...


def save_network(network: GPT2LMHeadModel, tokenizer: CanBeSaved, directory: Path) -> None:
    """Write an ordinary Hugging Face directory, the weights in half precision."""
    with quiet():
        network.half().save_pretrained(directory)
    tokenizer.save(directory)
