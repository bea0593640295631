"""Answers that are suspiciously alike: the same code but for names, comments and spaces. For a person."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Mapping, Sequence
from itertools import combinations

SHORTEST = 60  # nodes of an answer that is long enough to tell anything
COMMON = 0.1  # an answer that more of the class gave is what everybody writes;
FEW = 4  # but so many may have copied from each other, however small the class
MIN_SHARED = 2  # answers that two learners have in common
MOST_SHARING = 20  # of one answer: more of them are told by the instructor's own eyes


def print_of(sources: Sequence[str]) -> str:
    """A fingerprint of an answer; "" where it is too short or is no Python."""
    try:
        tree = ast.parse("\n".join(sources))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
    names: dict[str, str] = {}
    words: list[str] = []
    for node in ast.walk(tree):
        words.append(type(node).__name__)
        for field in ("id", "arg", "name"):
            name = getattr(node, field, None)
            if isinstance(name, str):
                words.append(names.setdefault(name, str(len(names))))
        if isinstance(node, ast.Attribute):
            words.append(node.attr)
        elif isinstance(node, ast.Constant) and not isinstance(node.value, str):
            words.append(repr(node.value))
    if len(words) < SHORTEST:
        return ""
    return hashlib.blake2b(" ".join(words).encode(errors="replace"), digest_size=8).hexdigest()


def pairs(
    learners: Sequence[tuple[str, Mapping[str, str]]],
) -> list[tuple[str, str, tuple[str, ...]]]:
    """Pairs of learners with several unusual answers in common, most first: (learner, learner, exercises)."""
    having: dict[tuple[str, str], list[str]] = {}
    for name, prints in learners:
        for slug, one in prints.items():
            if one:
                having.setdefault((slug, one), []).append(name)
    shared: dict[tuple[str, str], list[str]] = {}
    for (slug, _), names in having.items():
        if 2 <= len(names) <= max(FEW, min(MOST_SHARING, COMMON * len(learners))):
            for pair in combinations(sorted(names), 2):
                shared.setdefault(pair, []).append(slug)
    found = [(*pair, tuple(slugs)) for pair, slugs in shared.items() if len(slugs) >= MIN_SHARED]
    return sorted(found, key=lambda each: -len(each[2]))
