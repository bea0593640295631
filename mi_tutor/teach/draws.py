"""On which draw an investigation is marked: the first, which everybody can try, or one by a grader's secret.

The same secret gives the same draw of an investigation to everybody, so that marks can be compared, and again.
A draw is used only if our own best answer, where it is installed, reaches its level on it.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Iterator
from pathlib import Path

from mi_tutor.teach.investigating import investigate
from mi_tutor.teach.investigation import GRADERS_FIRST, LEVELS, Investigation
from mi_tutor.teach.session import usual_session

VARIABLE = "MI_TUTOR_DRAWS"  # names the file of a grader's secret, where notebooks mark themselves
TRIES = 5  # draws of a secret that are tried before the notebooks' own is taken


def candidates(secret: bytes, slug: str) -> Iterator[int]:
    """The draws that a secret gives to an investigation, in the order in which they are tried.

    >>> next(candidates(b"some words", "roles")) == next(candidates(b"some words", "roles")) >= GRADERS_FIRST
    True
    """
    for attempt in range(TRIES):
        digest = hmac.digest(secret, f"{slug}\0{attempt}".encode(), "sha256")
        number = int.from_bytes(digest[:8], "big")
        yield GRADERS_FIRST + number % GRADERS_FIRST


def graders_draw(item: Investigation, secret: bytes | None) -> int:
    """The draw that everybody's hypothesis is marked on; the first one of notebooks without a secret."""
    if secret is None:
        return 0
    best = item.styles[0]
    try:
        with usual_session():
            ours = best.hypothesis()
    except FileNotFoundError:  # our audits stand in solutions/, which an installation does not have
        return next(candidates(secret, item.slug))
    reached = LEVELS.index
    fair = (
        draw
        for draw in candidates(secret, item.slug)
        if reached(investigate(item, ours, draw).level) >= reached(best.level)
    )
    return next(fair, 0)


def secret_of_environment() -> bytes | None:
    """The grader's secret where a notebook is marked by running it (nbgrader), if there is one.

    Raises:
        OSError: it is named, and cannot be read.
    """
    named = os.environ.get(VARIABLE)
    return Path(named).read_bytes().strip() if named else None
