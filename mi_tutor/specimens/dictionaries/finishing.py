"""What all recipes of dictionaries share: samples that are kept, goals of measures, and the card at the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import torch

from mi_tutor.specimens.cards import DICTIONARY_WEIGHTS, Card, Measure
from mi_tutor.specimens.training.finishing import finish

NEVER_ON_BOS = "It was trained on mi_tutor.world's text, and never on BOS."
Samples = torch.Tensor | tuple[torch.Tensor, torch.Tensor]
Goals = dict[str, tuple[float | None, float | None]]  # a measure's name -> (at least, at most)


class Kept:
    """The first chunks of a source, computed once and kept; chunk i is chunk i modulo their number."""

    def __init__(self, source: Callable[[int], Samples], n_chunks: int) -> None:
        self.source, self.n_chunks = source, n_chunks
        self.chunks: dict[int, Samples] = {}

    def __call__(self, i: int) -> Samples:
        """Chunk i."""
        number = i % self.n_chunks
        if number not in self.chunks:
            self.chunks[number] = self.source(number)
        return self.chunks[number]


def with_goals(measures: Sequence[Measure], goals: Goals) -> list[Measure]:
    """The measures, with what is asked of those that have a goal.

    >>> fvu = Measure(name="fvu", meaning="left out", value=0.02, tolerance=0.001)
    >>> [one] = with_goals([fvu], {"fvu": (None, 0.05)})
    >>> one.at_most, one.meets_goal()
    (0.05, True)
    """
    return [
        replace(one, at_least=goals[one.name][0], at_most=goals[one.name][1])
        if one.name in goals
        else one
        for one in measures
    ]


class Recipe(Protocol):
    """What a card takes from a recipe."""

    name: str
    summary: str
    intended_use: str
    limits: tuple[str, ...]

    def measure(self, directory: Path) -> Sequence[Measure]:
        """Everything the card says of the dictionary in a directory."""


def finish_dictionary(
    recipe: Recipe,
    directory: Path,
    save: Callable[[Path], None],
    *,
    data: str,
    described: Mapping[str, Any],
    further: Mapping[str, Any],
    n_parameters: int,
    weights: str = DICTIONARY_WEIGHTS,
    work: Path | None,
) -> Card:
    """Save what was trained, measure it, write the card; only then replace what was there before.

    data: what it was trained on, in words. described: the training's config with its seed (`SaeConfig.described`).
    further: what else the card says of the recipe.
    """
    about = {
        "name": recipe.name,
        "summary": recipe.summary,
        "intended_use": recipe.intended_use,
        "data": data,
        "command": f"mi-tutor specimens train {recipe.name}",
        "seed": described["seed"],
        "recipe": {name: value for name, value in described.items() if name != "seed"} | further,
        "n_parameters": n_parameters,
        "limits": recipe.limits,
    }
    return finish(
        directory, save, recipe.measure, about, weights=weights, packages=("torch",), work=work
    )
