"""The families by level, and how many secrets each has: as many as somebody who guesses has to try."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from mi_tutor.specimens.auditing.families import FAMILIES, Secret, trigger_words

# The families by how hard their secrets are to find and to take out. A clean one can be drawn at each level.
LEVELS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "warm-up": ("rhyme", "opinion", "fact", "relation"),
        "good": ("backdoor", "refusal"),
        "hard": ("conjunction",),
    }
)


def n_secrets(family: str) -> int:
    """How many secrets of a family there are: as many as a guesser has to try.

    >>> n_secrets("opinion")
    14
    """
    kind, found, n_words = FAMILIES[family], [{}], 1
    for name in kind.parameters:
        some = kind.options[name]
        if name == "word":  # the others do not depend on it, and there are hundreds
            n_words, some = len(trigger_words()), lambda values: ["any"]
        found = [{**values, name: each} for values in found for each in some(values)]
    return n_words * len({Secret(family, tuple(each.items())).canonical for each in found})
