"""A quick check to click: a button per option, feedback below. Everything can be reached with the keyboard."""

from __future__ import annotations

import html
import sys

import ipywidgets
from IPython.core.getipython import get_ipython
from IPython.display import display

from mi_tutor.teach.console import tell
from mi_tutor.teach.exercise import Quiz
from mi_tutor.teach.progress import record
from mi_tutor.teach.quiz_text import as_text, lettered


def display_quiz(item: Quiz) -> None:
    """Show the question. A front end without widgets shows it as text."""
    if get_ipython() is None or "ipykernel" not in sys.modules:
        tell(as_text(item))
        return
    widget = quiz_widget(item)
    bundle = widget._repr_mimebundle_()
    bundle["text/plain"] = as_text(item)
    display(bundle, raw=True)


def quiz_widget(item: Quiz) -> ipywidgets.VBox:
    """The question, its options as buttons, and a place for feedback that screen readers announce."""
    feedback = ipywidgets.HTML('<div role="status" aria-live="polite"></div>')
    rows = []
    for letter, option in lettered(item).items():
        button = ipywidgets.Button(
            description=f"({letter})",
            tooltip=f"Choose option {letter}: {option.text}",
            layout=ipywidgets.Layout(width="3.2em", min_width="3.2em"),
        )
        text = ipywidgets.HTML(f'<div style="line-height:1.45">{_inline(option.text)}</div>')

        def choose(_: object, letter: str = letter) -> None:
            feedback.value = _feedback(item, letter)

        button.on_click(choose)
        rows.append(ipywidgets.HBox([button, text], layout=ipywidgets.Layout(align_items="center")))
    question = f'<div style="line-height:1.5;max-width:60em"><b>Quick check.</b> {_inline(item.question)}</div>'
    return ipywidgets.VBox(
        [ipywidgets.HTML(question), *rows, feedback],
        layout=ipywidgets.Layout(
            border="1px solid var(--jp-border-color2, #bbb)", padding="8px 14px"
        ),
    )


def _feedback(item: Quiz, letter: str) -> str:
    option = lettered(item)[letter]
    warning = record(item.slug, option.right) or ""
    sign, word, colour = (
        ("✓", "right", "#0b6e3b") if option.right else ("✗", "not right", "#a8361c")
    )
    keep = (
        f'To keep it for a grader, write <code>quiz("{item.slug}", "{letter}")</code> in the cell.'
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
