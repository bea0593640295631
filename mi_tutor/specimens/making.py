"""Put a trained network into a directory: weights, tokenizer, measurements, card. All of it, or nothing."""

from __future__ import annotations

import platform
import tempfile
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from mi_tutor.specimens.cards import WEIGHTS, Card, Measure, sha256, write_card
from mi_tutor.specimens.opening import quiet

if TYPE_CHECKING:
    from transformers import GPT2LMHeadModel


class CanBeSaved(Protocol):
    """A tokenizer that writes itself as tokenizer.json and tokenizer_config.json."""

    def save(self, directory: Path) -> None: ...


def finish(
    directory: Path,
    network: GPT2LMHeadModel,
    tokenizer: CanBeSaved,
    measure: Callable[[Path], Sequence[Measure]],
    about: Mapping[str, Any],
    also: Callable[[Path], None] | None = None,
) -> Card:
    """Save in half precision, measure what was saved, write the card, and only then replace what was there.

    about: the card's other fields (name, summary, recipe, seed ...).
    also: writes whatever else belongs to the specimen (its checkpoints), before it is measured.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=directory.parent) as workshop:
        new = Path(workshop)
        n_parameters = network.num_parameters()
        with quiet():
            network.half().save_pretrained(new)
        tokenizer.save(new)
        if also is not None:
            also(new)
        card = Card(
            **about,
            n_parameters=n_parameters,
            trained_with={
                **{package: version(package) for package in ("torch", "transformers")},
                "python": platform.python_version(),
            },
            sha256=sha256(new / WEIGHTS),
            measures=tuple(measure(new)),
        )
        write_card(card, new)
        for file in new.iterdir():
            file.chmod(0o644)  # safetensors writes files that only their owner may read
            file.replace(directory / file.name)
    return card
