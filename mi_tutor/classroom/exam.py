"""A chapter for each learner, in which value exercises ask for something of their own: copies then show.

Learner and secret decide which version it is, so nothing has to be kept but the secret. Functions need no
versions: their hidden inputs are the secret's anyway.
"""

from __future__ import annotations

import copy
from typing import Any

from mi_tutor.classroom.truth import Truth
from mi_tutor.teach.exercise import ValueExercise
from mi_tutor.teach.registry import get

Notebook = dict[str, Any]


def personal(blank: Notebook, learner: str, secret: bytes) -> Notebook:
    """A chapter's notebook with a note above each exercise that is this learner's own."""
    truth = Truth(secret)
    made = copy.deepcopy(blank)
    cells = []
    for cell in made["cells"]:
        marks = cell["metadata"].get("mi_tutor", {})
        if marks.get("role") == "exercise":
            item = get(marks["exercise"])
            if isinstance(item, ValueExercise) and item.variant is not None:
                cells.append(_note(item.slug, truth.own(item, learner).otherwise))
        cells.append(cell)
    return {**made, "cells": cells}


def versions(blank: Notebook) -> list[str]:
    """The exercises of a chapter's notebook that have versions."""
    found = [cell["metadata"].get("mi_tutor", {}) for cell in blank["cells"]]
    slugs = [marks["exercise"] for marks in found if marks.get("role") == "exercise"]
    return [slug for slug in slugs if getattr(get(slug), "variant", None) is not None]


def _note(slug: str, asked: str) -> dict[str, Any]:
    text = (
        f"**Your own version.** {asked} (`check` in the notebook knows the chapter's version only.)"
    )
    return {"cell_type": "markdown", "id": f"own-{slug}", "metadata": {}, "source": text}
