"""A specimen's card: how it was made and how it was seen to behave.

`card.json` and `card.md` lie beside the weights. Both are written by the command that trains the specimen, from
measurements (`writing`). `mi_tutor.specimens.recipes.verify` measures every number again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mi_tutor.specimens.cards.measure import Measure, Table, read_measure
from mi_tutor.specimens.errors import SpecimenError
from mi_tutor.specimens.opening.files import read_json
from mi_tutor.specimens.opening.shelf import specimen_path

WEIGHTS = "model.safetensors"
DICTIONARY_WEIGHTS = "sae_weights.safetensors"
TRANSCODER_WEIGHTS = "clt_weights.safetensors"
CROSSCODER_WEIGHTS = "crosscoder_weights.safetensors"


@dataclass(frozen=True, kw_only=True)
class Card:
    """What is known about a specimen. `sha256` belongs to its weights file."""

    name: str
    summary: str
    intended_use: str
    data: str
    command: str
    recipe: Mapping[str, Any]
    seed: int
    n_parameters: int
    trained_with: Mapping[str, str]
    sha256: str
    measures: tuple[Measure, ...]
    limits: tuple[str, ...]

    def __getitem__(self, name: str) -> float | Table:
        """The value of one measure by its name: `card("primer")["facts_held_out"]`."""
        values = {measure.name: measure.value for measure in self.measures}
        if name not in values:
            raise KeyError(
                f"The card of {self.name!r} has no {name!r}. It has: {', '.join(values)}."
            )
        return values[name]


def card(name: str | Path) -> Card:
    """The card of a shipped specimen, or of a directory with a card.json.

    >>> card("primer").seed
    0
    """
    directory = name if isinstance(name, Path) else specimen_path(name)
    known = read_json(directory / "card.json")
    try:
        measures = tuple(read_measure(measure) for measure in known.pop("measures"))
        return Card(**known | {"measures": measures, "limits": tuple(known["limits"])})
    except (TypeError, KeyError) as error:
        raise SpecimenError(
            f"{directory / 'card.json'} is not a specimen's card ({error}). Train the specimen again."
        ) from error


def sha256(file: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(file.read_bytes()).hexdigest()
