"""A quick check to click: a button per option, feedback below. Everything can be reached with the keyboard."""

from __future__ import annotations

import html
import sys
from collections.abc import Callable

import ipywidgets
from IPython.core.getipython import get_ipython
from IPython.display import display

from mi_tutor.teach.console import tell
from mi_tutor.teach.exercise import Quiz
from mi_tutor.teach.progress import record
from mi_tutor.teach.quiz_text import as_text, lettered


def display_quiz(item: Quiz, again: bool = False) -> None:
    """Show the question, or its second wording. A front end without widgets shows it as text."""
    text = as_text(item.in_other_words() if again else item)
    if get_ipython() is None or "ipykernel" not in sys.modules:
        tell(text)
        return
    widget = quiz_widget(item, again)
    if not hasattr(
        widget, "_repr_mimebundle_"
    ):  # ipywidgets 7, which Colab has: it displays itself
        display(widget)
        return
    bundle = widget._repr_mimebundle_()
    bundle["text/plain"] = text
    display(bundle, raw=True)


def quiz_widget(item: Quiz, again: bool = False) -> ipywidgets.VBox:
    """The question, its options as buttons, and a place for feedback that screen readers announce.

    A wrong answer also brings a button that asks the other wording in the same place.
    """
    box = ipywidgets.VBox(
        layout=ipywidgets.Layout(
            border="1px solid var(--jp-border-color2, #bbb)", padding="8px 14px"
        ),
    )
    _ask(box, item, again)
    return box


def _ask(box: ipywidgets.VBox, item: Quiz, again: bool) -> None:
    """Fill the box with one of the two wordings."""
    asked = item.in_other_words() if again else item
    feedback = ipywidgets.HTML('<div role="status" aria-live="polite"></div>')
    turn = ipywidgets.Button(
        description="Back to the first wording" if again else "The same in other words",
        layout=ipywidgets.Layout(width="auto", display="none"),
    )
    turn.on_click(lambda _: _ask(box, item, not again))

    def choose(letter: str) -> None:
        feedback.value = _feedback(item, letter, again)
        if item.review and (again or not lettered(asked)[letter].right):
            turn.layout.display = ""

    rows = [
        _row(letter, option.text, lambda _, letter=letter: choose(letter))
        for letter, option in lettered(asked).items()
    ]
    question = f'<div style="line-height:1.5;max-width:60em"><b>Quick check.</b> {_inline(asked.question)}</div>'
    box.children = [ipywidgets.HTML(question), *rows, feedback, turn]


def _row(letter: str, text: str, choose: Callable[[object], None]) -> ipywidgets.HBox:
    """One option: its letter as a button, and its text."""
    button = ipywidgets.Button(
        description=f"({letter})",
        tooltip=f"Choose option {letter}: {text}",
        layout=ipywidgets.Layout(width="3.2em", min_width="3.2em"),
    )
    button.on_click(choose)
    words = ipywidgets.HTML(f'<div style="line-height:1.45">{_inline(text)}</div>')
    return ipywidgets.HBox([button, words], layout=ipywidgets.Layout(align_items="center"))


def _feedback(item: Quiz, letter: str, again: bool) -> str:
    option = lettered(item.in_other_words() if again else item)[letter]
    warning = record(item.slug, option.right, again=again or None) or ""
    sign, word, colour = (
        ("✓", "right", "#0b6e3b") if option.right else ("✗", "not right", "#a8361c")
    )
    keep = (
        "A grader reads the answer to the first wording."
        if again
        else f'To keep it for a grader, write <code>quiz("{item.slug}", "{letter}")</code> in the cell.'
    )
    return (
        f'<div role="status" aria-live="polite" style="border-left:4px solid {colour};padding-left:10px;'
        f'line-height:1.5;max-width:60em"><b>{sign} ({letter}) is {word}.</b> {_inline(option.feedback)} '
        f"{keep if option.right else 'Try another one.'} {html.escape(warning)}</div>"
    )


def _inline(text: str) -> str:
    """Text as HTML, with `code` between backticks."""
    parts = html.escape(text).split("`")
    return "".join(f"<code>{part}</code>" if n % 2 else part for n, part in enumerate(parts))
