"""One measured behaviour of a specimen, with its goal and its tolerance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Table = list[list[float]]
FOUND = 0.1  # F1 of a latent that has something to do with a concept


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
        """Whether two measurements of the same behaviour are equal up to the tolerance.

        Precision and recall of a latent that does not stand for a concept (F1 below `FOUND` in both) hang on
        single tokens, which another machine's rounding turns on or off: of these F1 alone is compared.
        """
        return all(
            abs(mine - theirs) <= self.tolerance
            for one, another in zip(rows_of(self.value), rows_of(other.value), strict=True)
            for name, mine, theirs in zip(self.names(one), one, another, strict=True)
            if name not in ("precision", "recall") or max(one[0], another[0]) >= FOUND
        )

    def names(self, row: Sequence[float]) -> Sequence[str]:
        """What the numbers of a row are called; nothing if they have no names."""
        scores = self.columns[:3] == ("F1", "precision", "recall")
        return self.columns if scores else [""] * len(row)

    def goal(self) -> str:
        """The goal in words: "at least 0.95", or "" if there is none."""
        low = [] if self.at_least is None else [f"at least {self.at_least:g}"]
        high = [] if self.at_most is None else [f"at most {self.at_most:g}"]
        return ", ".join(low + high)


def read_measure(known: Mapping[str, Any]) -> Measure:
    """A measure as card.json has it; JSON knows lists only."""
    names = {key: tuple(known.get(key, ())) for key in ("rows", "columns")}
    return Measure(**{**known, **names})


def rows_of(value: float | Table) -> Table:
    """A table's rows; a number is a table with one."""
    return value if isinstance(value, list) else [[value]]
