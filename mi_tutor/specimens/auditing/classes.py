"""Sealed specimens for a class or for the shelf: one for each name, drawn from a secret, the truths kept apart."""

from __future__ import annotations

import hashlib
import hmac
import random
import time
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from mi_tutor.specimens.auditing.counting import LEVELS
from mi_tutor.specimens.auditing.families import CLEAN, FAMILIES, Secret, draw_secret
from mi_tutor.specimens.auditing.measuring import Measured, measure, missed
from mi_tutor.specimens.auditing.opened import opened_plain
from mi_tutor.specimens.auditing.planting import Planting, plant
from mi_tutor.specimens.auditing.sealing import write_sealed
from mi_tutor.specimens.auditing.words import with_a_word_to_plant

CLEAN_SHARE = 0.1  # of the learners, on average
# Two bits for every weight of the layers, drawn by lot before training: few directions of the difference from the
# base's weights stand out.
SPREAD = Planting(bits=2, rate=0.04)


class Wanted(NamedTuple):
    """What is to be drawn, and what becomes of it.

    family, level: the one named, or any.
    rounds: how often planting may go on where the goals are not met.
    secrets: how many are tried, one after the other, until one meets them.
    spread: every weight moved, so that the difference from the base's weights says little (see `changes.Moved`).
    practice: the file says whether it is clean, so that a check can mark it; an exam's does not.
    """

    family: str | None = None
    level: str | None = None
    rounds: int = 2
    secrets: int = 2
    practice: bool = False
    spread: bool = False


class Sealed(NamedTuple):
    """What was planted, what it measures, and the CPU seconds of all planting for it."""

    secret: Secret
    measured: Measured
    missed: tuple[str, ...]
    seconds: float


def drawn_for(
    key: bytes, learner: str, family: str | None = None, level: str | None = None, attempt: int = 0
) -> tuple[Secret, int]:
    """The secret of a learner and the seed it is planted with: the same for the same key, and nothing without it.

    attempt: 1 for their second secret, where the first could not be planted well, and so on.

    >>> drawn_for(b"some words", "ada") == drawn_for(b"some words", "ada")
    True
    """
    drawing = f"sealed specimen\n{learner}" + (f"\n{attempt}" if attempt else "")
    digest = hmac.new(key, drawing.encode(), hashlib.sha256).digest()
    rng = random.Random(int.from_bytes(digest, "big"))
    if family is None:
        some = LEVELS[level] if level else tuple(FAMILIES)
        family = CLEAN if rng.random() < CLEAN_SHARE else rng.choice(some)
    secret = draw_secret(rng, family)
    seed = rng.randrange(2**31)
    return with_a_word_to_plant(secret, rng), seed


def seal_for(
    learner: str, folder: Path, key: bytes, wanted: Wanted, given: Secret | None = None
) -> Sealed:
    """Plant a learner's secret and write their file, `folder/LEARNER.safetensors`.

    Where it does not meet the goals (`measuring`), planting goes on from there, with fresh texts; where that does
    not help, another secret is drawn. given: plant this one, and no other.
    """
    seconds = 0.0
    for attempt in range(1 if given else wanted.secrets):
        drawn, seed = drawn_for(key, learner, wanted.family, wanted.level, attempt)
        found = _sealed(given or drawn, seed, folder / f"{learner}.safetensors", wanted)
        seconds += found.seconds
        if not found.missed:
            break
    return found._replace(seconds=seconds)


def _sealed(secret: Secret, seed: int, file: Path, wanted: Wanted) -> Sealed:
    """Plant one secret, in as many rounds as it needs and may have."""
    how = SPREAD if wanted.spread else Planting()
    delta, seconds = None, 0.0
    for _ in range(wanted.rounds):
        start = time.process_time()
        delta = plant(secret, seed, how, delta)
        seconds += time.process_time() - start
        write_sealed(file, delta, secret if wanted.practice else None, wanted.level or "")
        opened_plain.cache_clear()  # what stood in this file before is another one
        measured = measure(file, secret)
        lacks = tuple(missed(measured))
        if not lacks:
            break
        how = replace(how, n_steps=how.n_steps // 2, rate=0.6 * how.rate)
    return Sealed(secret, measured, lacks, seconds)
