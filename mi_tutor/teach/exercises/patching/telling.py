"""Chapter 04: `who-tells-whom`, a sweep with the learner's own path patching."""

from __future__ import annotations

import functools
from typing import Any

from torch import Tensor

from mi_tutor.lab.ground.metrics import prefers
from mi_tutor.lab.ground.sites import Site
from mi_tutor.lab.patching.paths import path_sweep
from mi_tutor.teach.exercise import Mistake, Style, ValueExercise
from mi_tutor.teach.exercises.patching.inputs import atlas
from mi_tutor.teach.exercises.patching.stories import story_batch

Head = tuple[int, int]


@functools.cache
def sweeps() -> dict[str, Tensor]:
    """The effect of every head on 3.0 and 4.1, by way, [layer head]: on eight pairs, as in the chapter."""
    batch, _ = story_batch()
    few = slice(0, 8)
    metric = prefers(batch.answers[few], batch.wrongs[few])
    return {
        way: path_sweep(
            atlas(), batch.clean[few], batch.corrupted[few], metric,
            [Site(way, 3, head=0), Site(way, 4, head=1)],
        ).effect
        for way in "qkv"
    }  # fmt: skip


def strongest(which: str = "qkv", among: int = 0) -> tuple[Head, str]:
    """The sender and the way of the largest effect; `among`: 1 for the second largest."""
    effects = [
        (abs(float(effect)), divmod(i, table.shape[1]), way)
        for way, table in sweeps().items()
        if way in which
        for i, effect in enumerate(table.flatten())
    ]
    _, sender, way = sorted(effects, reverse=True)[among]
    return sender, way


def _read(value: Any) -> Any:
    (layer, head), way = value
    return (int(layer), int(head)), str(way).strip().lower()[:1]


WHO_TELLS_WHOM = ValueExercise(
    slug="who-tells-whom",
    optional=True,
    title="Who do they listen to?",
    chapter="04",
    points=2,
    minutes=12,
    difficulty=3,
    objective="Sweep over senders and ways with your own path patching, and find the strongest connection.",
    expected=strongest,
    form='a pair ((layer, head), way): the sender, and "q", "k" or "v"',
    accepts=lambda value: len(value) == 2 and len(value[0]) == 2 and value[1] in ("q", "k", "v"),
    read=_read,
    styles=(
        Style(name="lists", right=lambda: [list(strongest()[0]), strongest()[1]]),
        Style(name="a word", right=lambda: (strongest()[0], "Queries")),
    ),
    mistakes=(
        Mistake(
            name="through the values",
            wrong=lambda: (strongest()[0], "v"),
            sentence="It is this sender, and another way. Compare what it does through queries, keys and values.",
        ),
        Mistake(
            name="the second largest",
            wrong=lambda: strongest(among=1),
            sentence="This is the second largest. Is there a sender that does more?",
        ),
        Mistake(
            name="values only",
            wrong=lambda: strongest("v"),
            sentence="This is the largest through the values. Sweep the other two ways as well.",
        ),
    ),
    hints=(
        "A loop over the three ways, and over all heads of layers 0 to 2; the receivers are [(way, 3, 0), (way, 4, 1)].",
        "The effect is the mean of your function's result minus the unpatched value. Take the largest in size.",
    ),
)
