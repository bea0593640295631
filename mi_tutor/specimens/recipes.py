"""Which recipe makes each specimen, and `verify`: is what its card says still so?"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

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

# Where each recipe is: in a module of its own, or in a table of a module. Named one by one, so that only what
# makes a specimen is imported for it: its card stands while the others' recipes change.
MODULES = {
    "atlas": "atlas.recipe",
    "atlas-paragraphs": "atlas.paragraphs",
    "atlas-rote": "atlas.rote",
    "atlas-sentences": "atlas.sentences",
    "induction-1l": "induction.one_layer",
    "induction-2l": "induction.two_layers",
    "primer": "primer.recipe",
}
TABLES = {
    "biology.recipes:SMALL": (
        "planner",
        "planner-twin",
        "polyglot",
        "polyglot-twin",
        "people",
        "echoes",
    ),
    "crosscoders.recipes:COPIES": ("atlas-rewired", "atlas-learned"),
    "crosscoders.recipes:CROSSCODERS": (
        "atlas-rewired-crosscoder",
        "atlas-rewired-crosscoder-l1",
        "atlas-learned-crosscoder",
        "atlas-learned-crosscoder-l1",
    ),
    "dictionaries.cross_layer:CROSS_LAYER": ("atlas-clt", "atlas-clt-sparse"),
    "dictionaries.further:FURTHER": ("atlas-attn2-graph",),
    "dictionaries.recipes:DICTIONARIES": (
        "atlas-resid2",
        "atlas-attn1",
        "atlas-attn2",
        "atlas-attn2-dense",
        "atlas-attn2-small",
        "atlas-attn2-wide",
        "atlas-paragraphs-attn1",
        "atlas-sentences-attn1",
        "atlas-sentences-attn1-b",
        "atlas-mlp0",
        "atlas-mlp1",
        "atlas-mlp2",
        "atlas-mlp3",
        "atlas-mlp4",
    ),
    "dictionaries.refusing:REFUSING": ("atlas-refusals", "atlas-refusals-deeds"),
    "induction.siblings:SIBLINGS": ("induction-2l-b", "induction-2l-c", "induction-2l-d"),
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
    if name in MODULES:
        return _in_specimens(MODULES[name])
    for place, names in TABLES.items():
        if name in names:
            module, table = place.split(":")
            return getattr(_in_specimens(module), table)[name]
    raise SpecimenError(no_such_specimen(name))


def _in_specimens(module: str) -> Any:
    return importlib.import_module(f"mi_tutor.specimens.{module}")
