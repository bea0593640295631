"""The comparisons of `like-for-like` as a learner hands them in: read, or told what is not readable."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from mi_tutor.specimens.atlas.sides import Side, all_sides
from mi_tutor.teach.investigation import Unreadable

GIVEN = {"attention": "latents of atlas-attn2", "mlp": "latents of atlas-mlp2"}
PARTS = ("latents", "others", "choose on", "mark on", "difference")
THRESHOLDS = ("zero", "chosen", "best")
FEWEST = 100  # units of a side: of a handful nothing can be learned


class Comparison(NamedTuple):
    """One comparison as it was designed."""

    latents: Side
    others: Side
    choose: str
    mark: str
    difference: float


Design = dict[str, Comparison]


def read(value: Any) -> Design:
    """A dict of the two comparisons."""
    if not isinstance(value, Mapping):
        raise Unreadable("This is no dict.")
    if missing := [name for name in GIVEN if not isinstance(value.get(name), Mapping)]:
        raise Unreadable(f"There is no comparison {missing[0]!r} in it.")
    return {name: _comparison(name, value[name]) for name in GIVEN}


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
