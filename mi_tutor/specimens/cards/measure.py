"""One measured behaviour of a specimen, with its goal and its tolerance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Table = list[list[float]]


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


def read_measure(known: Mapping[str, Any]) -> Measure:
    """A measure as card.json has it; JSON knows lists only."""
    names = {key: tuple(known.get(key, ())) for key in ("rows", "columns")}
    return Measure(**{**known, **names})


def flat(value: float | Table) -> list[float]:
    """The numbers of a measure's value, in order."""
    return [number for row in value for number in row] if isinstance(value, list) else [value]
