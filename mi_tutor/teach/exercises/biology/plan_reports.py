"""What chapter 08's `where-is-the-plan` is handed, and what is said of it."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch

from mi_tutor.teach.exercises.biology.deciding import BLANKS, BREAK, MODELS, moved, quarrel
from mi_tutor.teach.exercises.marks import ramp
from mi_tutor.teach.exercises.reading_hypotheses import entries, listed, share, whole
from mi_tutor.teach.investigation import Findings, Line, Unreadable

Key = tuple[str, str]  # model, blank
ALL_OF_IT, TOO_LITTLE = 0.96, 0.6  # of the words that follow: counted in full, and not at all
ENOUGH = 0.85  # of a set that is right
PASSENGER = 0.02  # a token without which hardly fewer follow
CLOSE, FAR = 0.07, 0.2  # errors of predictions that count in full, and not at all
WORTH = {"sets": 0.48, "alone": 0.18, "kept": 0.1, "quarrel": 0.24}
HALF = 0.5  # of what is to be had for predictions: without it no report passes
KEPT = ("adjective", "end")


class Report(NamedTuple):
    """sets: tokens' places with what each does alone. kept, quarrel: predictions about `planner`, by blank."""

    sets: Mapping[Key, Mapping[int, float]]
    kept: Mapping[str, float]
    quarrel: Mapping[str, tuple[float, float]]


class FoundSet(NamedTuple):
    """What follows a set, and which of its tokens it does not need."""

    follows: float
    passengers: tuple[int, ...]

    @property
    def right(self) -> bool:
        return self.follows >= ENOUGH and not self.passengers

    @property
    def worth(self) -> float:
        return ramp(self.follows, TOO_LITTLE, ALL_OF_IT) / (1 + len(self.passengers))


def read_report(value: Any) -> Report:
    found = entries(value, [*MODELS, "kept", "quarrel"])
    sets = {}
    for model in MODELS:
        for blank, places in entries(found[model], [*BLANKS]).items():
            sets[model, blank] = _places(places, blank, f"{model}, {blank}")
    kept = entries(found["kept"], KEPT)
    pairs = entries(found["quarrel"], [*BLANKS])
    return Report(
        sets,
        {blank: share(kept[blank], f"kept, {blank}") for blank in KEPT},
        {blank: _pair(pairs[blank], f"quarrel, {blank}") for blank in BLANKS},
    )


def _places(value: Any, blank: str, name: str) -> dict[int, float]:
    if not isinstance(value, dict) or not value:
        raise Unreadable(f"“{name}” is a dict from places to shares, with one place or more.")
    if len(value) > BLANKS[blank] + 1:
        raise Unreadable(f"“{name}” has {len(value)} places; the line has fewer until there.")
    found = {}
    for key, alone in value.items():
        text = str(key).strip()  # data that came from elsewhere has its keys as text
        place = whole(int(text) if text.isdigit() else key, f"{name}: place", BLANKS[blank] + 1)
        found[place] = share(alone, f"{name}, {place} alone")
    return found


def _pair(value: Any, name: str) -> tuple[float, float]:
    first, second = (share(each, name) for each in listed(value, name, 2))
    if first + second > 1:
        raise Unreadable(f"“{name}”: the two shares are more than 1 together.")
    return first, second


# --- the experiment -------------------------------------------------------------------------------


@torch.no_grad()
def experiment(report: Report, draw: int) -> Findings:
    """Put plans in at the sets, at each token alone, and two plans at once, in couplets of fresh wordings."""
    found = {key: _found(*key, frozenset(places), draw) for key, places in report.sets.items()}
    marks = _marks(report, found, draw)
    quality = {kind: _quality(marks, kind) for kind in ("alone", "kept", "quarrel")}
    sets = sum(each.worth for each in found.values()) / len(found)
    right = all(found["planner", blank].right for blank in BLANKS)
    right = right and sum(found["planner-twin", blank].right for blank in BLANKS) >= 2
    score = WORTH["sets"] * sets
    if right:  # predictions of other sets would be another question
        score += sum(WORTH[kind] * value for kind, value in quality.items())
    sure = right and min(quality["kept"], quality["quarrel"]) >= HALF
    facts = {"sets": found, "right": right, "quality": quality}
    lines = [_set_line(key, each) for key, each in found.items()]
    if right:
        lines += _prediction_lines(marks)
    came_true = {name: pair for name, pair in marks.items() if _near(*pair)}
    figure = functools.partial(_figure, came_true) if right and came_true else None
    return Findings(score, tuple(lines), figure, sure, facts)


def _found(model: str, blank: str, places: frozenset[int], draw: int) -> FoundSet:
    together = moved(model, draw, blank, places)
    idle = [
        place
        for place in sorted(places)
        if len(places) > 1 and together - moved(model, draw, blank, places - {place}) < PASSENGER
    ]
    return FoundSet(together, tuple(idle))


def _marks(
    report: Report, found: Mapping[Key, FoundSet], draw: int
) -> dict[tuple[str, str], tuple[float, float]]:
    """Each prediction beside what was found, by kind and name. Tokens alone only where the set is right."""
    marks = {}
    for (model, blank), places in report.sets.items():
        if found[model, blank].right:
            for place, alone in places.items():
                value = moved(model, draw, blank, frozenset({place}))
                marks["alone", f"{model}, {blank}: {place} alone"] = (alone, value)
    for blank, guess in report.kept.items():
        value = moved("planner", draw, blank, frozenset({BREAK}), layer=1)
        marks["kept", f"{blank}, words kept"] = (guess, value)
    for blank, pair in report.quarrel.items():
        for which, guess, value in zip(("break", "blank"), pair, quarrel(draw, blank), strict=True):
            marks["quarrel", f"{blank}: the {which}'s"] = (guess, value)
    return marks


def _near(guess: float, value: float) -> bool:
    return abs(guess - value) <= CLOSE


def _quality(marks: Mapping[tuple[str, str], tuple[float, float]], kind: str) -> float:
    errors = [abs(a - b) for (which, _), (a, b) in marks.items() if which == kind]
    return sum(ramp(each, FAR, CLOSE) for each in errors) / max(1, len(errors))


def _set_line(key: Key, found: FoundSet) -> Line:
    text = f"{key[0]}, {key[1]}: exchanged at your tokens, {found.follows:.2f} of the words follow"
    if found.passengers:
        named = ", ".join(map(str, found.passengers))
        return Line(f"{text}; without any one of {named}, as many", False)
    return Line(text, found.follows >= ALL_OF_IT)


def _prediction_lines(marks: Mapping[tuple[str, str], tuple[float, float]]) -> list[Line]:
    said = {
        "alone": "one token alone",
        "kept": "the break alone before layer 1, words kept",
        "quarrel": "two plans at once",
    }
    lines = []
    for kind, text in said.items():
        right = [_near(*pair) for (which, _), pair in marks.items() if which == kind]
        told = f"{text}: {sum(right)} of {len(right)} shares are right to {CLOSE}"
        lines.append(Line(told, all(right)))
    return lines


def _figure(marks: Mapping[tuple[str, str], tuple[float, float]]) -> Any:
    from mi_tutor.show import predictions

    return predictions(
        [name for _, name in marks],
        [guess for guess, _ in marks.values()],
        [value for _, value in marks.values()],
        title="Plans put in, couplets in fresh wordings",
        value_title="share of words that follow",
    )
