"""Chapter 04, `the-circuit`: heads and MLPs, held to Wang et al.'s three criteria, whom the heads raise, and pairs of them.

What counts as enough was fixed by what the experiment can tell, and not by what we reached: F(M) itself differs by 5 %
from one draw of stories to another (so a part is .9 if faithful and complete to within that), and of random circuits of
as many heads, with all MLPs, 1 in 40 is faithful to .9.
"""

from __future__ import annotations

import functools
import itertools
import random
import re
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
SET, ROLE, TOGETHER = 0.4, 0.25, 0.35  # of the score
EXPLAINED = 0.7  # of what pairs do beyond their sum counts in full; our own numbers reach it on other stories
MOST_HEADS = 12  # of a circuit whose pairs are tried
Head = tuple[int, int]


class Circuit(NamedTuple):
    """The members, whom each head raises, and what pairs leave of F(M) beyond what their two losses add up to."""

    parts: Parts
    roles: dict[Head, str]
    together: dict[frozenset[Head], tuple[float, float]]


def read(value: Any) -> Circuit:
    """{"heads": {pair: role}, "mlps": layers, "together": {(head, head): two shares}} -> the circuit."""
    found = entries(value, ["heads", "mlps", "together"])
    if not isinstance(found["heads"], dict) or not isinstance(found["together"], dict):
        raise Unreadable("“heads” and “together” are dicts.")
    _some(found["heads"])
    roles = {}
    for key, role in found["heads"].items():
        where = _head(key)
        roles[where] = str(role).strip().lower()
        if roles[where] not in ROLES:
            raise Unreadable(f"A head raises one of {', '.join(ROLES)}; this is {role!r:.40}.")
    mlps = [whole(each, "an MLP", LAYERS) for each in _some(listed(found["mlps"], "mlps"))]
    return Circuit(frozenset([*roles, *mlps]), roles, _together(found["together"]))


def _together(value: dict[Any, Any]) -> dict[frozenset[Head], tuple[float, float]]:
    if len(value) > (LAYERS * HEADS) ** 2:
        raise Unreadable(f"“together” has {len(value)} pairs.")
    found = {}
    for key, extra in value.items():
        digits = re.findall(r"\d+", str(key)[:80])
        if len(digits) != 4:
            raise Unreadable(f"{key!r:.40} is not a pair of heads such as ((1, 3), (4, 0)).")
        two = frozenset(_head(".".join(digits[i : i + 2])) for i in (0, 2))
        one, other = (number(each, "together") for each in listed(extra, "together", 2))
        found[two] = one, other
    return found


def _head(key: Any) -> Head:
    text = str(key).strip("()[] ").replace(" ", "").replace(",", ".")
    return head(text, "a head", LAYERS, HEADS)


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


def beyond_the_sum(heads: Parts, draw: int) -> dict[frozenset[Head], tuple[float, float]]:
    """For each pair what is left of F(M) without both, minus what would be left if the two losses added up."""
    every, pairs = all_parts(atlas()), [frozenset(two) for two in itertools.combinations(heads, 2)]
    found = []
    for runs in runs_of(draw).values():
        whole, *rest = runs.values(
            [every, *(every - {h} for h in heads), *(every - p for p in pairs)]
        )
        alone = {each: value / whole for each, value in zip(heads, rest, strict=False)}
        left = (value / whole for value in rest[len(heads) :])
        found.append(
            [both + 1 - sum(alone[h] for h in two) for two, both in zip(pairs, left, strict=True)]
        )
    return dict(zip(pairs, zip(*found, strict=True), strict=True))


def explained(
    said: dict[frozenset[Head], tuple[float, float]],
    found: dict[frozenset[Head], tuple[float, float]],
) -> float:
    """Of the sum of squares: 0 for whoever says that losses add up, 1 for who is right about every pair."""
    rest = sum(
        (a - b) ** 2
        for two, extra in found.items()
        for a, b in zip(said.get(two, (0.0, 0.0)), extra, strict=True)
    )
    return 1 - rest / max(1e-9, sum(each**2 for extra in found.values() for each in extra))


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
        _roles_line(marked, right),
    ]
    score, facts = SET * found.score + ROLE * roles, {}
    if found.faithful >= FAITHFUL and len(circuit.roles) <= MOST_HEADS:
        facts["explained"] = explained(
            circuit.together, beyond_the_sum(frozenset(circuit.roles), draw)
        )
        score += TOGETHER * ramp(facts["explained"], 0.1, EXPLAINED)
        lines.append(_together_line(facts["explained"]))
    return Findings(
        score,
        tuple(lines),
        figure=_figure(found, len(circuit.parts)),
        sure=found.faithful >= FAITHFUL,
        facts=facts | {"set": found.score, "right": len(right), "marked": len(marked)},
    )


def _roles_line(marked: Any, right: Any) -> Line:
    text = f"{len(right)} of {len(marked)} heads raise whom you say"
    return Line(text, bool(marked) and len(right) == len(marked))


def _together_line(share: float) -> Line:
    text = (
        f"of what pairs of your heads do beyond the sum of the two, your numbers explain {max(0.0, share):.0%} "
        f"(wanted: {EXPLAINED:.0%})"
    )
    return Line(text, share >= EXPLAINED)


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
