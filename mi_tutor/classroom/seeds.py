"""Hidden inputs: which seed a learner's answer is judged on, by a secret that only the grader has.

A few variants of each exercise, and by its name each learner gets one of them: so that the reference runs once per
variant and not once per learner, and nobody knows beforehand which one is theirs. A seed is used only if every
differently written right answer that we know passes on it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

VARIANTS = 6  # of each exercise
TRIES = 5  # seeds tried for a variant before the notebook's own is taken


def _draw(secret: bytes, *words: str) -> int:
    text = "\0".join(words).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(text, key=secret[:64], digest_size=8).digest(), "big")


def variant(secret: bytes, learner: str, slug: str) -> int:
    """Which variant of an exercise a learner gets.

    >>> variant(b"s", "ada", "toy-forward") == variant(b"s", "ada", "toy-forward")
    True
    """
    return _draw(secret, "variant", learner, slug) % VARIANTS


def own_number(secret: bytes, learner: str, slug: str) -> int:
    """The number of a learner's own version of a value exercise, in an exam."""
    return _draw(secret, "own", learner, slug) % 2**31


def fair_seed(secret: bytes, slug: str, number: int, fair: Callable[[int], bool]) -> int:
    """The seed of a variant: the first that is fair; 0, which the notebook uses, if none is."""
    for attempt in range(TRIES):
        seed = 10_000 + _draw(secret, "seed", slug, str(number), str(attempt)) % 2**30
        if fair(seed):
            return seed
    return 0
