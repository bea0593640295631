"""A specimen's card: how it was made and how it was seen to behave, and the check that this still holds.

`card.json` and `card.md` lie beside the weights. Both are written by the command that trains the specimen, from
measurements. `verify` measures every number again.
"""

from __future__ import annotations

import hashlib
import importlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from mi_tutor.specimens.errors import SpecimenError
from mi_tutor.specimens.files import read_json
from mi_tutor.specimens.shelf import dictionary_names, no_such_specimen, specimen_path

Table = list[list[float]]
WEIGHTS = "model.safetensors"
DICTIONARY_WEIGHTS = "sae_weights.safetensors"
LARGEST_COLUMNS = 12  # a table with more is shown as a picture only


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One measured behaviour: a number, or a table. Unless it says otherwise, rows are layers and columns heads.

    at_least, at_most: what was asked of it, if anything was (for a number).
    tolerance: how far another machine's rounding may move it.
    """

    name: str
    meaning: str
    value: float | Table
    tolerance: float
    at_least: float | None = None
    at_most: float | None = None
    rows: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    rows_title: str = "layer"
    columns_title: str = "head"

    def meets_goal(self) -> bool:
        """Whether the value reaches what was asked of it (True if nothing was)."""
        low = self.at_least is None or self.value >= self.at_least
        return low and (self.at_most is None or self.value <= self.at_most)

    def agrees_with(self, other: Measure) -> bool:
        """Whether two measurements of the same behaviour are equal up to the tolerance."""
        return all(
            abs(mine - theirs) <= self.tolerance
            for mine, theirs in zip(flat(self.value), flat(other.value), strict=True)
        )

    def goal(self) -> str:
        """The goal in words: "at least 0.95", or "" if there is none."""
        low = [] if self.at_least is None else [f"at least {self.at_least:g}"]
        high = [] if self.at_most is None else [f"at most {self.at_most:g}"]
        return ", ".join(low + high)


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


class Verdict(NamedTuple):
    """One line of `verify`: what the card says, what is seen now, and whether it holds."""

    name: str
    on_card: float | Table | str
    now: float | Table | str
    holds: bool


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


def read_measure(known: Mapping[str, Any]) -> Measure:
    """A measure as card.json has it; JSON knows lists only."""
    names = {key: tuple(known.get(key, ())) for key in ("rows", "columns")}
    return Measure(**{**known, **names})


def verify(name: str) -> list[Verdict]:
    """Measure every number on a shipped specimen's card again.

    The first verdict is about the weights file being the one that the card describes. A measure holds if it
    equals the card's value up to its tolerance, and meets its goal if the card's value does.

    >>> all(verdict.holds for verdict in verify("primer"))
    True
    """
    directory, known = specimen_path(name), card(name)
    found = sha256(directory / (DICTIONARY_WEIGHTS if name in dictionary_names() else WEIGHTS))
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


class Recipe(Protocol):
    """What makes a specimen: a module for a model, a `DictionaryRecipe` for a dictionary."""

    def make(self, directory: Path, seed: int = 0, progress: bool = True) -> Card:
        """Train it and write its directory, card included."""

    def measure(self, directory: Path) -> Sequence[Measure]:
        """Measure what the card says."""


def recipe_of(name: str) -> Recipe:
    """The recipe of a specimen; SpecimenError if there is none of this name."""
    try:
        return importlib.import_module(f"mi_tutor.specimens.{name.replace('-', '_')}_recipe")
    except ModuleNotFoundError:
        from mi_tutor.specimens.dictionary_recipes import DICTIONARIES

        if name not in DICTIONARIES:
            raise SpecimenError(no_such_specimen(name)) from None
        return DICTIONARIES[name]


def write_card(known: Card, directory: Path) -> None:
    """Write card.json and card.md into a specimen's directory."""
    measures = [
        {f.name: value for f in fields(m) if (value := getattr(m, f.name)) != f.default}
        for m in known.measures
    ]
    text = json.dumps(asdict(known) | {"measures": measures}, indent=2, ensure_ascii=False)
    (directory / "card.json").write_text(text + "\n", encoding="utf-8")
    (directory / "card.md").write_text(as_markdown(known), encoding="utf-8")


def as_markdown(known: Card) -> str:
    """The card as a page to read."""
    numbers = [m for m in known.measures if not isinstance(m.value, list)]
    tables = [m for m in known.measures if isinstance(m.value, list)]
    large = [m for m in tables if len(m.value[0]) > LARGEST_COLUMNS]
    recipe = ", ".join(f"{key} {value}" for key, value in known.recipe.items())
    versions = ", ".join(f"{package} {version}" for package, version in known.trained_with.items())
    lines = [
        f"# {known.name}",
        "",
        known.summary,
        "",
        f"**Intended use.** {known.intended_use}",
        "",
        f"**Data.** {known.data}",
        "",
        f"**Recipe.** {known.n_parameters:,} parameters; {recipe}; seed {known.seed}; {versions}. "
        f"Made by `{known.command}`.",
        "",
        "## Measured",
        "",
        f"Measured again by `mi-tutor specimens verify {known.name}`.",
        "",
        "| | value | goal |",
        "|---|---|---|",
        *(f"| {m.meaning} (`{m.name}`) | {m.value:.4g} | {goal_cell(m)} |" for m in numbers),
        "",
        *(line for measure in tables if measure not in large for line in table_lines(measure)),
        *(f"{m.meaning} (`{m.name}`): too large for this page, see card.html.\n" for m in large),
        "## Known limits",
        "",
        *(f"- {limit}" for limit in known.limits),
    ]
    return "\n".join(lines) + "\n"


def goal_cell(measure: Measure) -> str:
    """The goal, and whether it was missed."""
    return measure.goal() + ("" if measure.meets_goal() else ": **missed**")


def table_lines(measure: Measure) -> list[str]:
    """A table in markdown."""
    rows = measure.rows or [f"layer {layer}" for layer in range(len(measure.value))]
    columns = measure.columns or [f"head {head}" for head in range(len(measure.value[0]))]
    sign = "" if measure.columns else "+"
    return [
        f"{measure.meaning} (`{measure.name}`):",
        "",
        "| | " + " | ".join(columns) + " |",
        "|---" * (len(columns) + 1) + "|",
        *(
            f"| {name} | " + " | ".join(table_cell(value, sign) for value in row) + " |"
            for name, row in zip(rows, measure.value, strict=True)
        ),
        "",
    ]


def table_cell(value: float, sign: str) -> str:
    """A number in a table: whole ones (a latent's number) as they are, others with two decimals."""
    return str(value) if type(value) is int else f"{value:{sign}.2f}"


def sha256(file: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def flat(value: float | Table) -> list[float]:
    """The numbers of a measure's value, in order."""
    return [number for row in value for number in row] if isinstance(value, list) else [value]
