"""Chapter 04, `the-circuit`: a set of heads and MLPs, held to Wang et al.'s three criteria, and whom its heads raise.

What counts as enough was fixed by what the experiment can tell, and not by what we reached: F(M) itself differs by 5 %
from one draw of stories to another (so a part is .9 if faithful and complete to within that), and of random circuits of
as many heads, with all MLPs, 1 in 40 is faithful to .9.
"""

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
    three_criteria,
)
from mi_tutor.specimens.atlas.stories import stories_of_strangers
from mi_tutor.teach.exercises.marks import ramp
from mi_tutor.teach.exercises.patching.inputs import atlas
from mi_tutor.teach.exercises.reading_hypotheses import entries, head, listed, number, whole
from mi_tutor.teach.investigation import Findings, Line, Unreadable

N_STORIES, N_SUBSETS, N_ALSO = 96, 8, 2
FAITHFUL = 0.9  # at least
PAYS = 0.03  # at least, for some K
LAYERS, HEADS = 5, 4
MLPS = frozenset(range(LAYERS))
ROLES = ("receiver", "giver", "first", "second")
SET, ROLE, WITHOUT = 0.6, 0.25, 0.15  # of the score


class Circuit(NamedTuple):
    """The members, whom each head raises, and what is left of F(M) without those that raise a place."""

    parts: Parts
    roles: dict[tuple[int, int], str]
    without: tuple[float, float]

    @property
    def placed(self) -> Parts:
        """The heads that raise whoever stands at a place."""
        return frozenset(head for head, role in self.roles.items() if role in ("first", "second"))


def read(value: Any) -> Circuit:
    """{"heads": {pair: role}, "mlps": layers, "without": two shares} -> the circuit."""
    found = entries(value, ["heads", "mlps", "without"])
    if not isinstance(found["heads"], dict):
        raise Unreadable("“heads” is a dict, from a head to whom it raises.")
    _some(found["heads"])
    roles = {}
    for key, role in found["heads"].items():
        where = head(
            str(key).strip("()[] ").replace(" ", "").replace(",", "."), "a head", LAYERS, HEADS
        )
        roles[where] = str(role).strip().lower()
        if roles[where] not in ROLES:
            raise Unreadable(f"A head raises one of {', '.join(ROLES)}; this is {role!r:.40}.")
    mlps = [whole(each, "an MLP", LAYERS) for each in _some(listed(found["mlps"], "mlps"))]
    shares = [number(each, "without") for each in listed(found["without"], "without", 2)]
    return Circuit(frozenset([*roles, *mlps]), roles, (shares[0], shares[1]))


def _some(parts: Any) -> list[Any]:
    parts = list(parts)
    if len(parts) > 4 * LAYERS * HEADS:
        raise Unreadable(f"These are {len(parts)} parts, and the model has {LAYERS * HEADS} heads.")
    return parts


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


def left_without(parts: Parts, draw: int) -> tuple[float, float]:
    """F(M) without some parts, as a share of it: where the person named second gives, and where the first does."""
    every = all_parts(atlas())
    pairs = (runs.values([every, every - parts]) for runs in runs_of(draw).values())
    one, other = (after / before for before, after in pairs)
    return one, other


def raised(left: tuple[float, float]) -> set[str]:
    """Whom a head raises, by what is left of F(M) without it. A loss that is too small may have either sign.

    >>> raised((0.3, 0.5)), raised((-0.5, 1.7)), sorted(raised((0.9, 1.01)))
    ({'receiver'}, {'first'}, ['first', 'receiver'])
    """
    # Where the person named second gives, the first receives.
    signs = [{part < 1} | ({True, False} if abs(1 - part) < PAYS else set()) for part in left]
    words = {(True, True): "receiver", (False, False): "giver", (True, False): "first"}
    return {words.get((a, b), "second") for a in signs[0] for b in signs[1]}


def experiment(circuit: Circuit, draw: int) -> Findings:
    found = measured(circuit.parts, draw)
    left = {each: left_without(frozenset([each]), draw) for each in sorted(circuit.roles)}
    marked = [each for each, pair in left.items() if max(abs(1 - part) for part in pair) >= PAYS]
    right = [each for each in marked if circuit.roles[each] in raised(left[each])]
    roles = ramp(len(right) / max(1, len(marked)), 0.5, 1.0)
    lines = [
        _faithful_line(found),
        _complete_line(found),
        _minimal_line(found, circuit.parts),
        _roles_line(circuit, left, marked, right),
    ]
    score = SET * found.score + ROLE * roles
    if circuit.placed:
        together = left_without(circuit.placed, draw)
        error = _mean(abs(a - b) for a, b in zip(circuit.without, together, strict=True))
        score += WITHOUT * ramp(error, 0.25, 0.1) * (roles >= 0.5)
        lines.append(_without_line(circuit, together, error))
    return Findings(
        score,
        tuple(lines),
        figure=_figure(found, len(circuit.parts)),
        sure=found.faithful >= FAITHFUL,
        facts={"set": found.score, "right": len(right), "marked": len(marked)},
    )


def _roles_line(
    circuit: Circuit, left: dict[tuple[int, int], tuple[float, float]], marked: Any, right: Any
) -> Line:
    text = f"{len(right)} of {len(marked)} heads raise whom you say"
    wrong = next((each for each in marked if each not in right), None)
    if wrong is not None:
        text += (
            f". Without {wrong[0]}.{wrong[1]}, of which you say “{circuit.roles[wrong]}”, {left[wrong][0]:.2f} of F(M) "
            f"are left where the second gives, {left[wrong][1]:.2f} where the first gives"
        )
    return Line(text, bool(marked) and len(right) == len(marked))


def _without_line(circuit: Circuit, found: tuple[float, float], error: float) -> Line:
    shares = " and ".join(f"{each:.2f}" for each in found)
    said = " and ".join(f"{each:.2f}" for each in circuit.without)
    text = f"without all heads that you call “first” or “second”: {shares} of F(M) are left; you said {said}"
    return Line(text, error <= 0.1)


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
