"""What `like-for-like` reads and runs: two comparisons that the learner designs, and what is concluded from them.

Whether a comparison is fair is not read off its words. Its rules are run with nothing to find on either side (a
placebo), and what it marked is marked again on texts that took part in nothing (a replication). And what does it
say? Units that took part in neither are predicted, and conclusions are called so or not so; both are measured.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from mi_tutor.specimens.atlas.sides import Marks, Side, all_sides, marks, placebo
from mi_tutor.teach.exercises.dictionaries.further_units import (
    PREDICTED,
    STATEMENTS,
    further,
    verdicts,
)
from mi_tutor.teach.exercises.marks import ramp
from mi_tutor.teach.exercises.reading_hypotheses import entries, share
from mi_tutor.teach.investigation import Findings, Line, Unreadable

GIVEN = {"attention": "latents of atlas-attn2", "mlp": "latents of atlas-mlp2"}
OTHERS = ("predicted", "follows")  # what is handed in beside the comparisons
PARTS = ("latents", "others", "choose on", "mark on", "difference")
THRESHOLDS = ("zero", "chosen", "best")
FAIR = 0.03  # of F1, by which one side of a placebo may win
LOST = 0.03  # of F1, which the two sides may lose on average when they are marked again
FEWEST = 100  # units of a side: of a handful nothing can be learned
NEAR, FAR = 0.08, 0.2  # of a prediction that counts wholly, and not at all
FOR_DESIGN, FOR_PREDICTED, FOR_FOLLOWS = 0.4, 0.2, 0.4  # of the score
WRONG = 3  # statements from which on those that are right count nothing
FEWEST_RIGHT = 5  # statements, below which nothing passes


class Comparison(NamedTuple):
    """One comparison as it was designed."""

    latents: Side
    others: Side
    choose: str
    mark: str
    difference: float


Design = dict[str, Comparison]


class Defended(NamedTuple):
    """A hypothesis as read: the design, the mean F1 of further units, and what is said of each statement."""

    design: Design
    predicted: dict[str, float]
    follows: dict[str, bool]


def read(value: Any) -> Defended:
    """A dict of the two comparisons, the predictions and the conclusions."""
    if not isinstance(value, Mapping):
        raise Unreadable("This is no dict.")
    if missing := [n for n in (*GIVEN, *OTHERS) if not isinstance(value.get(n), Mapping)]:
        raise Unreadable(f"There is no dict {missing[0]!r} in it.")
    design = {name: _comparison(name, value[name]) for name in GIVEN}
    predicted = entries(value["predicted"], list(PREDICTED))
    follows = entries(value["follows"], list(STATEMENTS))
    return Defended(
        design,
        {name: share(each, name) for name, each in predicted.items()},
        {name: _true(name, each) for name, each in follows.items()},
    )


def _true(name: str, value: Any) -> bool:
    """True or False, also as 1 and 0 or as a word."""
    word = str(value.item() if getattr(value, "numel", lambda: 0)() == 1 else value).strip().lower()
    if word not in (known := {"true": True, "1": True, "false": False, "0": False}):
        raise Unreadable(f"What is said of {name!r} should be True or False.")
    return known[word]


def _comparison(name: str, value: Mapping) -> Comparison:
    if missing := [part for part in PARTS if part not in value]:
        raise Unreadable(f"The comparison {name!r} lacks {missing[0]!r}.")
    sets = []
    for part in ("choose on", "mark on"):
        which = str(value[part]).strip().upper()
        if which not in ("A", "B"):
            raise Unreadable(f'In {name!r}, {part!r} should be "A" or "B".')
        sets.append(which)
    return Comparison(
        _side(name, "latents", value["latents"], GIVEN[name]),
        _side(name, "others", value["others"], None),
        *sets,
        _number(name, value["difference"]),
    )


def _side(name: str, part: str, value: Any, units: str | None) -> Side:
    if not isinstance(value, Mapping):
        raise Unreadable(f"In {name!r}, {part!r} should be a dict.")
    known = all_sides()
    said = " ".join(str(units or value.get("units", "")).split())
    meant = {each.casefold(): each for each in known}.get(said.casefold())
    if meant is None:
        raise Unreadable(
            f'In {name!r}, "units" of {part!r} is {said[:40]!r}, which is none of them.'
        )
    n = value.get("how many")
    n = n.item() if getattr(n, "numel", lambda: 0)() == 1 else n
    if isinstance(n, bool) or not isinstance(n, int | float) or n != n or int(n) != n:
        raise Unreadable(f'In {name!r}, "how many" of {part!r} should be a whole number.')
    if not FEWEST <= n <= known[meant]:
        raise Unreadable(
            f'In {name!r}, "how many" of {part!r} is {int(n)}; there are {known[meant]} {meant}, and at least '
            f"{FEWEST} have to take part."
        )
    threshold = str(value.get("threshold", "")).strip().casefold()
    if threshold not in THRESHOLDS:
        raise Unreadable(
            f'In {name!r}, "threshold" of {part!r} should be one of {", ".join(map(repr, THRESHOLDS))}.'
        )
    return Side(meant, int(n), threshold)


def _number(name: str, value: Any) -> float:
    value = value.item() if getattr(value, "numel", lambda: 0)() == 1 else value
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Unreadable(f'In {name!r}, "difference" should be a number, such as 0.2.')
    return float(value)


class Run(NamedTuple):
    """What came of one comparison."""

    latents: Marks
    others: Marks
    won: float  # by the latents' side of the placebo
    lost: float  # when marked again, mean of both sides
    off: float  # of the prediction
    blanks: tuple[float, float]

    @property
    def difference(self) -> float:
        """Mean F1 of the latents, minus that of the others."""
        return self.latents.f1 - self.others.f1

    @property
    def fair(self) -> bool:
        """Whether it is like for like."""
        return abs(self.won) <= FAIR and self.lost <= LOST

    @property
    def mark(self) -> float:
        """A third for each test; a prediction only counts where the other two hold."""
        near = ramp(self.off, FAR, NEAR)
        return ((abs(self.won) <= FAIR) + (self.lost <= LOST) + self.fair * near) / 3


@functools.lru_cache(maxsize=64)
def run(comparison: Comparison, draw: int) -> Run:
    """Run one comparison, its placebo and its replication."""
    sides = comparison.latents, comparison.others
    rules = draw, comparison.choose, comparison.mark
    found = [marks(side, *rules) for side in sides]
    blanks = tuple(placebo(side, *rules) for side in sides)
    lost = sum(each.f1 - each.again for each in found) / 2
    off = abs(found[0].f1 - found[1].f1 - comparison.difference)
    return Run(*found, won=blanks[0] - blanks[1], lost=lost, off=off, blanks=blanks)


def experiment(said: Defended, draw: int) -> Findings:
    """Both comparisons on the texts of one draw, and what was said of them."""
    design = said.design
    runs = {name: run(comparison, draw) for name, comparison in design.items()}
    lines = [line for name in runs for line in _lines(name, design[name], runs[name])]
    found, verdict = further(draw), verdicts(draw)
    off = {name: abs(said.predicted[name] - found[name]) for name in PREDICTED}
    near = sum(ramp(each, FAR, NEAR) for each in off.values()) / len(off)
    lines += [
        _told(name, found[name], said.predicted[name], off[name] <= NEAR) for name in PREDICTED
    ]
    right = [said.follows[name] == so for name, (so, _) in verdict.items()]
    lines += _conclusions(verdict, right)

    def figure() -> Any:
        from mi_tutor.show.dictionaries import marks_figure

        # What a side was marked with is shown where the difference was predicted: it is not for the next try.
        names, values, held = [], [], []
        for name, each in runs.items():
            both = (each.latents.f1, each.others.f1)
            for side, mark, blank in zip(("latents", "others"), both, each.blanks, strict=True):
                if each.off <= NEAR:
                    names.append(f"{name}: {getattr(design[name], side).units}")
                    values.append(mark)
                    held.append(each.fair)
                names.append(f"{name}: placebo of the {side}")
                values.append(blank)
                held.append(abs(each.won) <= FAIR)
        return marks_figure(
            names,
            values,
            held,
            axis="mean F1 over states",
            title="Two comparisons, and their placebos",
        )

    designed = sum(one.mark for one in runs.values()) / len(runs)
    followed = ramp(len(right) - sum(right), WRONG, 0)
    score = FOR_DESIGN * designed + FOR_PREDICTED * near + FOR_FOLLOWS * followed
    fair = all(one.fair for one in runs.values())
    facts = {"fair": fair, "right": sum(right)}
    sure = fair and sum(right) >= FEWEST_RIGHT
    return Findings(score, tuple(lines), figure, sure=sure, facts=facts)


def _lines(name: str, comparison: Comparison, found: Run) -> list[Line]:
    won = "neither side wins" if abs(found.won) <= FAIR else f"the {_winner(found)} win"
    return [
        Line(
            f"{name}, placebo: with random directions in place of both sides {won} "
            f"({abs(found.won):.2f} apart; wanted: at most {FAIR})",
            abs(found.won) <= FAIR,
        ),
        Line(
            f"{name}, replication: marked again, {comparison.latents.units} lose "
            f"{found.latents.f1 - found.latents.again:.2f}, {comparison.others.units} "
            f"{found.others.f1 - found.others.again:.2f} (wanted: at most {LOST} on average)",
            found.lost <= LOST,
        ),
        _told(f"{name}, difference", found.difference, comparison.difference, found.off <= NEAR)
        if found.fair
        else Line(f"{name}, difference: it does not count, since this is not like for like", False),
    ]


def _told(name: str, found: float, said: float, near: bool) -> Line:
    """A measured number is told where it was predicted: at the next try it would be copied."""
    if near:
        return Line(f"{name}: {found:.2f}, and you said {said:.2f}", True)
    return Line(f"{name}: you said {said:.2f}, which is not it (wanted: within {NEAR})", False)


def _conclusions(verdict: Mapping[str, tuple[bool, str]], right: list[bool]) -> list[Line]:
    """How many, and not which, until all are right: six times yes or no are soon tried out."""
    lines = [Line(f"{sum(right)} of {len(right)} conclusions are right", all(right))]
    if all(right):
        lines += [
            Line(f"“{STATEMENTS[name]}”: {so}; {numbers}", True)
            for name, (so, numbers) in verdict.items()
        ]
    return lines


def _winner(found: Run) -> str:
    return "latents' blanks" if found.won > 0 else "others' blanks"
