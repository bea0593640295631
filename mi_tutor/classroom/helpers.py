"""Answers that use other answers: what a wrong helper does to them is not told as their own mistake.

What is known is which names an answer takes, and what became of the exercises that make them. Whether a helper is
to blame is tried: the answer is run once more with the library's function in the helper's place.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

from mi_tutor.classroom.marks import Mark, Status
from mi_tutor.classroom.rebuild import Asked, Rebuilt
from mi_tutor.grading.source import made, taken
from mi_tutor.teach.exercise import Exercise
from mi_tutor.teach.registry import get

Helpers = dict[str, str]  # by its name: whose exercise it is


def wrong_helpers(rebuilt: Rebuilt, asked: Asked, marks: Mapping[str, Mark]) -> Helpers:
    """What an answer takes, itself or by what it takes, from other answers that are not right."""
    found: Helpers = {}
    seen: set[int] = set()
    waiting = [*asked.needs]
    while waiting:
        index = waiting.pop()
        if index in seen:
            continue
        seen.add(index)
        step = rebuilt.steps[index]
        waiting += step.needs
        for maker in (rebuilt.steps[need] for need in step.needs):
            mark = marks.get(maker.slug)
            if maker.slug != asked.slug and mark is not None and not mark.whole:
                found |= dict.fromkeys(sorted(taken(step.source) & made(maker.source)), maker.slug)
    return found


def in_their_place(helpers: Helpers) -> dict[str, str] | None:
    """For each helper the library's function, as "module:name"; None if one has none."""
    found = {}
    for name, slug in helpers.items():
        item = get(slug)
        function = getattr(item, "reference", None) if isinstance(item, Exercise) else None
        module, own = getattr(function, "__module__", ""), getattr(function, "__name__", "")
        if not module.startswith("mi_tutor.lab."):
            return None
        if getattr(sys.modules[module], own, None) is not function:
            return None
        found[name] = f"{module}:{own}"
    return found


def told(mark: Mark, helpers: Helpers, right_with_ours: bool) -> Mark:
    """The mark of an answer that is not right and rests on such helpers: what is known of them is said first.

    It is not counted as one of its exercise's known mistakes, which may be the helper's.
    """
    if mark.status is Status.UNANSWERED:  # it is answered: what it calls is not written
        return mark._replace(status=Status.STOPPED)
    listed = " and ".join(f"`{name}`" for name in helpers)
    does, them = ("does", "that") if len(helpers) == 1 else ("do", "those")
    if right_with_ours:
        course = "the course's function" if len(helpers) == 1 else "the course's functions"
        sentence = f"With {course} in place of your {listed} it is right: mend {them}, and leave this as it is."
    else:
        sentence = (
            f"It rests on your {listed}, which {does} not pass: mend {them} first. "
            f"What it does until then: {mark.sentence}"
        )
    return mark._replace(sentence=sentence, mistake=None)
