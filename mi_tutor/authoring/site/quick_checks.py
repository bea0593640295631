"""A quick check on a page: every option opens, and says whether it is right and why."""

from __future__ import annotations

import html

from mi_tutor.authoring.site.texts import inline
from mi_tutor.teach.exercise import Quiz
from mi_tutor.teach.quiz_text import lettered
from mi_tutor.teach.registry import get_quiz


def quick_check(slug: str) -> str:
    """The quick check with this slug, and below it its second wording."""
    item = get_quiz(slug)
    again = ""
    if item.review is not None:
        again = (
            '<details class="again"><summary>The same in other words</summary>'
            f"{_asked(item.in_other_words())}</details>"
        )
    return (
        f'<div class="quiz" id="quiz-{html.escape(slug)}" role="group" aria-label="Quick check">'
        f"{_asked(item)}{again}</div>"
    )


def _asked(item: Quiz) -> str:
    options = "".join(
        f"<details><summary>({letter}) {inline(option.text)}</summary>"
        f'<p class="{"right" if option.right else "wrong"}">'
        f"<b>{'✓ right.' if option.right else '✗ not right.'}</b> {inline(option.feedback)}</p></details>"
        for letter, option in lettered(item).items()
    )
    return f"<p><b>Quick check.</b> {inline(item.question)}</p>{options}"
