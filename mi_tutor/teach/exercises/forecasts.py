"""Forecasts of what will come of settings that are trained only when they are checked: probabilities, and a proper score."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from mi_tutor.teach.investigation import Line, Unreadable

MOST_ENTRIES = 100
NEAR = 0.1  # of a setting's Brier score to what knowing its frequencies gets


def read_forecasts(value: Any, settings: Sequence[str], words: Sequence[str]) -> Tensor:
    """[setting word] of probabilities. A row is a word, a dict by word, or the numbers in order.

    >>> read_forecasts({"A": "no", "B": {"no": 0.25, "yes": 0.75}}, ["a", "b"], ["no", "yes"])
    tensor([[1.0000, 0.0000],
            [0.2500, 0.7500]])
    """
    if not isinstance(value, Mapping):
        raise Unreadable("This is not a dict.")
    if len(value) > MOST_ENTRIES:
        raise Unreadable(f"This dict has {len(value)} entries.")
    named = {" ".join(str(name).lower().split()): row for name, row in value.items()}
    missing = [name for name in settings if name not in named]
    if missing:
        raise Unreadable(f"There is no prediction for the setting {missing[0]!r}.")
    return torch.stack([_row(name, named[name], words) for name in settings])


def _row(name: str, row: Any, words: Sequence[str]) -> Tensor:
    """Probabilities: in order, or by word, where a word left out has none."""
    if isinstance(row, str):
        row = {row: 1.0}
    if isinstance(row, Mapping):
        said = {str(word).lower().strip(): chance for word, chance in row.items()}
        strange = [word for word in said if word not in words]
        if strange:
            raise Unreadable(f"{name!r} has the word {strange[0]!r}.")
        row = [said.get(word, 0.0) for word in words]
    numbers = row.flatten().tolist() if isinstance(row, Tensor) else row
    if not isinstance(numbers, list | tuple) or len(numbers) != len(words):
        raise Unreadable(f"{name!r} needs {len(words)} probabilities.")
    chances = [float(number) for number in numbers]
    total = sum(chances)
    if not all(0 <= chance <= 1 for chance in chances) or not math.isclose(total, 1, abs_tol=0.02):
        raise Unreadable(f"The probabilities of {name!r} are {chances}, and their sum {total:.3g}.")
    return torch.tensor(chances) / total


def brier(predicted: Tensor, found: Tensor) -> Tensor:
    """Mean over models of Σ_k (q_k - o_k)², where o is 1 for what happened: [setting]."""
    return (predicted**2).sum(-1) - 2 * (predicted * found).sum(-1) + 1


class Marked(NamedTuple):
    """skill: 0 for base rates (the same numbers for every setting), 1 for knowing every frequency.

    came_true: the settings whose own Brier score is near what knowing their frequencies gets.
    """

    skill: float
    loss: float
    base: float
    best: float
    came_true: list[bool]


def mark(predicted: Tensor, found: Tensor) -> Marked:
    """Forecasts against the frequencies of what happened."""
    loss, best = brier(predicted, found), brier(found, found)
    base = brier(found.mean(dim=0).expand_as(found), found)
    skill = max(0.0, ((base - loss).sum() / (base - best).sum()).item())
    means = (each.mean().item() for each in (loss, base, best))
    return Marked(skill, *means, (loss - best < NEAR).tolist())


def lines(
    predicted: Tensor,
    found: Tensor,
    settings: Sequence[str],
    words: Sequence[str],
    least: float,
) -> list[Line]:
    """The score, and what became of each setting: told where it was predicted, otherwise which way it was off."""
    marked = mark(predicted, found)
    told = [
        Line(
            f"Brier score {marked.loss:.2f}; base rates alone {marked.base:.2f}, the frequencies themselves "
            f"{marked.best:.2f}",
            marked.skill >= least,
        )
    ]
    for k, name in enumerate(settings):
        true = marked.came_true[k]
        told.append(Line(_told(name, predicted[k], found[k], words, true), true))
    return told


def _told(name: str, predicted: Tensor, found: Tensor, words: Sequence[str], true: bool) -> str:
    """What became of it where that was predicted; otherwise which way the boldest word was off."""
    said, seen = int(predicted.argmax()), int(found.argmax())
    if true:
        return (
            f"{name}: mostly {words[seen]} ({found[seen]:.0%}), and you said {predicted[seen]:.0%}"
        )
    way = "rarer" if found[said] < predicted[said] else "more frequent"
    return f"{name}: “{words[said]}” is {way} than you said ({predicted[said]:.0%})"


def says(predicted: Tensor, words: Sequence[str], said: Sequence[str], least: int) -> bool:
    """Whether at least so many settings are said as in `said`, a word each."""
    boldest = [words[k] for k in predicted.argmax(dim=1).tolist()]
    return sum(a == b for a, b in zip(boldest, said, strict=True)) >= least
