"""Chapter 04, investigation `the-circuit`: a set of heads and MLPs, held to Wang et al.'s three criteria."""

from __future__ import annotations

import functools
import random
from collections.abc import Callable
from typing import Any, NamedTuple

from mi_tutor.lab.ground.metrics import prefers
from mi_tutor.lab.patching.circuits import (
    CircuitRuns,
    Criteria,
    Part,
    Parts,
    all_parts,
    drawn_subsets,
    heads_of,
    three_criteria,
)
from mi_tutor.specimens.atlas.stories import stories_of_strangers
from mi_tutor.teach.exercises.patching.inputs import atlas
from mi_tutor.teach.investigation import (
    Findings,
    Investigation,
    Levels,
    Line,
    Unreadable,
    Worked,
    WrongHypothesis,
)

N_STORIES, N_SUBSETS, N_ALSO = 96, 8, 2
FAITHFUL = 0.9  # at least
PAYS = 0.03  # at least, for some K
LAYERS, HEADS = 5, 4
MLPS = frozenset(range(LAYERS))
OUR_BEST = {
    "heads": [(0, 2), (2, 1), (2, 2), (2, 3), (3, 0), (3, 2), (4, 1), (4, 3)],
    "mlps": [0, 1, 2, 3, 4],
}
ONE_SMALLER = {"heads": [(2, 1), (2, 2), (2, 3), (3, 0), (3, 2), (4, 1)], "mlps": [0, 1, 2, 3, 4]}


def read(value: Any) -> Parts:
    """{"heads": pairs, "mlps": layers} -> the members."""
    if not isinstance(value, dict) or set(value) != {"heads", "mlps"}:
        raise Unreadable('This is not a dict with the two keys "heads" and "mlps".')
    return frozenset([*map(_head, _some(value["heads"])), *map(_layer, _some(value["mlps"]))])


def _some(parts: Any) -> list[Any]:
    parts = list(parts)
    if len(parts) > 4 * LAYERS * HEADS:
        raise Unreadable(f"These are {len(parts)} parts, and the model has {LAYERS * HEADS} heads.")
    return parts


def _head(pair: Any) -> tuple[int, int]:
    numbers = tuple(float(number) for number in pair)
    if len(numbers) != 2 or numbers[0] not in range(LAYERS) or numbers[1] not in range(HEADS):
        raise Unreadable(f"{pair} is no head: a head is (layer, head), below 5 and below 4.")
    return int(numbers[0]), int(numbers[1])


def _layer(number: Any) -> int:
    if float(number) not in range(LAYERS):
        raise Unreadable(f"{number} is no MLP: an MLP is the number of its layer, below 5.")
    return int(number)


class Measured(NamedTuple):
    """The criteria in both orders of names, by "second gives" and "first gives"."""

    by_order: dict[str, Criteria]

    @property
    def faithful(self) -> float:
        return 1 - _mean(abs(1 - each.faithful) for each in self.by_order.values())

    @property
    def gap(self) -> float:
        return _mean(each.gap for each in self.by_order.values())

    @property
    def pays(self) -> dict[Part, float]:
        """For each member the larger of the two orders' losses."""
        one, other = self.by_order.values()
        return {part: max(one.pays[part], other.pays[part]) for part in one.pays}

    @property
    def paying(self) -> float:
        pays = self.pays.values()
        return _mean(value >= PAYS for value in pays) if pays else 0.0

    @property
    def score(self) -> float:
        """faithful x complete x minimal; a set of which every second member pays nothing has 0."""
        parts = self.faithful, 1 - self.gap, 2 * self.paying - 1
        return max(0.0, parts[0]) * max(0.0, parts[1]) * max(0.0, parts[2])


def _mean(values: Any) -> float:
    values = list(values)
    return sum(values) / len(values)


@functools.lru_cache(maxsize=4)
def runs_of(draw: int) -> dict[str, CircuitRuns]:
    """Fresh stories of a draw, in both orders of names. What a circuit gave is remembered."""
    stories = stories_of_strangers(N_STORIES, random.Random(f"the-circuit {draw}"))
    orders = {"second gives": stories.second_gives, "first gives": ~stories.second_gives}
    return {
        name: CircuitRuns(
            atlas(),
            stories.tokens[these],
            stories.others[these],
            prefers(stories.answers[these], stories.wrongs[these]),
        )
        for name, these in orders.items()
    }


def measured(circuit: Parts, draw: int) -> Measured:
    """The three criteria of a circuit on the stories of a draw."""
    knocked = drawn_subsets(circuit, random.Random(f"knocked {draw}"), N_SUBSETS)
    whole = all_parts(atlas())
    return Measured(
        {
            order: three_criteria(runs.values, whole, circuit, knocked, knocked[:N_ALSO])
            for order, runs in runs_of(draw).items()
        }
    )


def experiment(circuit: Parts, draw: int) -> Findings:
    found = measured(circuit, draw)
    return Findings(
        found.score,
        (_faithful_line(found), _complete_line(found), _minimal_line(found, circuit)),
        figure=_figure(found, len(circuit)),
        sure=found.faithful >= FAITHFUL,
    )


def _faithful_line(found: Measured) -> Line:
    shares = ", ".join(
        f"{each.faithful:.2f} where the {order}" for order, each in found.by_order.items()
    )
    held = found.faithful >= FAITHFUL
    return Line(
        f"faithful {found.faithful:.2f} (wanted: {FAITHFUL} or more). F(C) / F(M) is {shares}", held
    )


def _complete_line(found: Measured) -> Line:
    worst = max((gap for each in found.by_order.values() for gap in each.gaps), default=0.0)
    return Line(
        f"incomplete by {found.gap:.2f} of F(M), the mean over {N_SUBSETS} knock-outs drawn by lot (wanted: .10 or "
        f"less); {worst:.2f} at most",
        found.gap <= 0.1,
    )


def _minimal_line(found: Measured, circuit: Parts) -> Line:
    idle = [part for part, value in found.pays.items() if value < PAYS]
    paying = len(circuit) - len(idle)
    text = f"{paying} of {len(circuit)} members pay {PAYS} of F(M) or more for some K"
    return Line(text, bool(circuit) and not idle)


def _figure(found: Measured, n_members: int) -> Callable[[], Any]:
    def draw() -> Any:
        from mi_tutor.show.patching import circuit_map

        subtitle = f"faithful {found.faithful:.2f}, incomplete by {found.gap:.2f}; the largest loss without each member"
        title = f"Your circuit of {n_members} parts"
        return circuit_map(found.pays, LAYERS, HEADS, title=title, subtitle=subtitle)

    return draw


def _share(circuit: Parts) -> float:
    return len(circuit) / (LAYERS * HEADS + LAYERS)


THE_CIRCUIT = Investigation(
    slug="the-circuit",
    optional=True,
    title="The circuit",
    chapter="04",
    points=8,
    minutes=40,
    difficulty=5,
    objective="Find the parts that tell who receives: a set that is faithful, complete and minimal.",
    question="Which heads and MLPs of atlas tell who receives?",
    form='a dict {"heads": [(layer, head), ...], "mlps": [layer, ...]}',
    read=read,
    experiment=experiment,
    levels=Levels(0.6, 0.8, 0.91),
    styles=(
        Worked(name="thirteen parts", hypothesis=lambda: OUR_BEST, level="excellent"),
        Worked(name="without the two smallest", hypothesis=lambda: ONE_SMALLER, level="good"),
    ),
    mistakes=(
        WrongHypothesis(
            name="everything",
            example=lambda: {
                "heads": [(layer, head) for layer in range(LAYERS) for head in range(HEADS)],
                "mlps": list(range(LAYERS)),
            },
            fits=lambda circuit, findings: _share(circuit) > 0.9,
            sentence="The whole model is faithful to itself, and that says nothing. Take parts out for as long as what is left stays faithful.",
        ),
        WrongHypothesis(
            name="heads only",
            example=lambda: {"heads": OUR_BEST["heads"], "mlps": []},
            fits=lambda circuit, findings: not circuit & MLPS,
            sentence="There are heads only in your circuit. What they read was made by something, and the section on paths says what that is "
            "in the first layers.",
        ),
        WrongHypothesis(
            name="only the late part",
            example=lambda: {
                "heads": [(2, 1), (2, 2), (2, 3), (3, 0), (3, 2), (4, 1), (4, 3)],
                "mlps": [2, 3, 4],
            },
            fits=lambda circuit, findings: not circuit & {0, 1},
            sentence="Your circuit begins in the middle: parts that write the answer are there, and nobody who makes what they read of the words.",
        ),
        WrongHypothesis(
            name="the largest single patches",
            example=lambda: {
                "heads": [(0, 2), (2, 1), (2, 2), (3, 0), (3, 2), (4, 1)],
                "mlps": list(range(LAYERS)),
            },
            fits=lambda circuit, findings: {(2, 1), (2, 2)} <= circuit and (2, 3) not in circuit,
            sentence="Your heads are those whose single patches were large, for pairs in which only the giver differs. What both prompts of such a "
            "pair share is invisible there, and what does good in one order of the names and harm in the other vanishes in a mean over both. "
            "Sweep again with `others`, order by order.",
        ),
        WrongHypothesis(
            name="a late half of the model",
            example=lambda: {
                "heads": [(layer, head) for layer in range(2, LAYERS) for head in range(HEADS)],
                "mlps": list(range(LAYERS)),
            },
            fits=lambda circuit, findings: findings.sure and _share(circuit) > 0.55,
            sentence="It is faithful, with passengers: members without which nothing changes. Take out one at a time, the smallest loss first.",
        ),
        WrongHypothesis(
            name="only the movers",
            example=lambda: {"heads": [(2, 2), (4, 1)], "mlps": list(range(LAYERS))},
            fits=lambda circuit, findings: len(heads_of(circuit)) <= 4,
            sentence="These are the heads that write most at the end. Others tell them where to look, or carry the rest of what they need.",
        ),
    ),
    hints=(
        "Begin with everything and ask your `circuit_logits` for F without each part in turn. What costs nothing goes out first; sweep again after each.",
        "Ask for the two orders of names by themselves (`stories.second_gives`). A head that raises the person named second, whoever receives, helps in one and hurts in the other.",
        "All five MLPs stay. Besides the heads of the single patches one more of layer 2 is needed; two small ones, in the first and the last layer, bring the rest.",
    ),
)
