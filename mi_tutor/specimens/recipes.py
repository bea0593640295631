"""Which recipe makes each specimen, and `verify`: is what its card says still so?"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from mi_tutor.specimens.cards import (
    CROSSCODER_WEIGHTS,
    DICTIONARY_WEIGHTS,
    DIFFERENCE,
    TRANSCODER_WEIGHTS,
    WEIGHTS,
    Card,
    Measure,
    Table,
    card,
    sha256,
)
from mi_tutor.specimens.errors import SpecimenError
from mi_tutor.specimens.opening.shelf import (
    copy_names,
    crosscoder_names,
    dictionary_names,
    no_such_specimen,
    specimen_path,
    transcoder_names,
)

# Whose `make` trains a model, and whose `measure` gives what its card says.
MODELS = {
    "atlas": "atlas.recipe",
    "atlas-paragraphs": "atlas.paragraphs",
    "atlas-rote": "atlas.rote",
    "atlas-sentences": "atlas.sentences",
    "induction-1l": "induction.one_layer",
    "induction-2l": "induction.two_layers",
    "primer": "primer.recipe",
}


class Verdict(NamedTuple):
    """One line of `verify`: what the card says, what is seen now, and whether it holds."""

    name: str
    on_card: float | Table | str
    now: float | Table | str
    holds: bool


def verify(name: str) -> list[Verdict]:
    """Measure every number on a shipped specimen's card again.

    The first verdict is about the weights file being the one that the card describes. A measure holds if it
    equals the card's value up to its tolerance, and meets its goal if the card's value does.

    >>> all(verdict.holds for verdict in verify("primer"))
    True
    """
    directory, known = specimen_path(name), card(name)
    found = sha256(directory / weights_of(name))
    measured = {measure.name: measure for measure in recipe_of(name).measure(directory)}
    verdicts = [Verdict("sha256 of the weights", known.sha256, found, found == known.sha256)]
    for old in known.measures:
        new = measured[old.name]
        verdicts.append(
            Verdict(
                old.name,
                old.value,
                new.value,
                old.agrees_with(new) and new.meets_goal() == old.meets_goal(),
            )
        )
    return verdicts


def weights_of(name: str) -> str:
    """The weights file of a specimen on the shelf."""
    kinds = {
        DICTIONARY_WEIGHTS: dictionary_names(),
        TRANSCODER_WEIGHTS: transcoder_names(),
        DIFFERENCE: copy_names(),
        CROSSCODER_WEIGHTS: crosscoder_names(),
    }
    return next((file for file, names in kinds.items() if name in names), WEIGHTS)


def broken(name: str) -> list[str]:
    """What of a card does not hold, by name; empty if all of it does.

    >>> broken("primer")
    []
    """
    return [verdict.name for verdict in verify(name) if not verdict.holds]


class Recipe(Protocol):
    """What makes a specimen: a module for a model (or a `Sibling`), a `DictionaryRecipe` for a dictionary."""

    def make(self, directory: Path, seed: int = 0, progress: bool = True) -> Card:
        """Train it and write its directory, card included."""

    def measure(self, directory: Path) -> Sequence[Measure]:
        """Measure what the card says."""


def recipe_of(name: str) -> Recipe:
    """The recipe of a specimen; SpecimenError if there is none of this name."""
    if name in MODELS:
        return importlib.import_module(f"mi_tutor.specimens.{MODELS[name]}")
    from mi_tutor.specimens.biology.recipes import SMALL
    from mi_tutor.specimens.crosscoders.recipes import COPIES, CROSSCODERS
    from mi_tutor.specimens.dictionaries.cross_layer import CROSS_LAYER
    from mi_tutor.specimens.dictionaries.recipes import DICTIONARIES
    from mi_tutor.specimens.dictionaries.refusing import REFUSING
    from mi_tutor.specimens.induction.siblings import SIBLINGS

    others = SMALL | SIBLINGS | DICTIONARIES | CROSS_LAYER | REFUSING | COPIES | CROSSCODERS
    if name not in others:
        raise SpecimenError(no_such_specimen(name))
    return others[name]
