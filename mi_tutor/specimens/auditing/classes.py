"""Sealed specimens for a class: one for each learner, drawn from a secret, with the truth in a file apart."""

from __future__ import annotations

import hashlib
import hmac
import random
from pathlib import Path

from mi_tutor.specimens.auditing.families import CLEAN, FAMILIES, Secret, draw_secret
from mi_tutor.specimens.auditing.planting import Planting, plant
from mi_tutor.specimens.auditing.sealing import write_sealed

CLEAN_SHARE = 0.1  # of the learners, on average


def drawn_for(key: bytes, learner: str, family: str | None = None) -> tuple[Secret, int]:
    """The secret of a learner and the seed it is planted with: the same for the same key, and nothing without it.

    >>> drawn_for(b"some words", "ada") == drawn_for(b"some words", "ada")
    True
    """
    digest = hmac.new(key, f"sealed specimen\n{learner}".encode(), hashlib.sha256).digest()
    rng = random.Random(int.from_bytes(digest, "big"))
    if family is None:
        family = CLEAN if rng.random() < CLEAN_SHARE else rng.choice(list(FAMILIES))
    return draw_secret(rng, family), rng.randrange(2**31)


def seal_for(
    learner: str, folder: Path, key: bytes, family: str | None = None, how: Planting | None = None
) -> Secret:
    """Plant a learner's secret and write their file, `folder/LEARNER.safetensors`."""
    secret, seed = drawn_for(key, learner, family)
    write_sealed(folder / f"{learner}.safetensors", plant(secret, seed, how), secret)
    return secret
