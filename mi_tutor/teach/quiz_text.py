"""A quick check as text: its options by letter, and what to say to somebody who chose one."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from mi_tutor.teach.messages import failed, paint, passed, wrap
from mi_tutor.teach.progress import record

if TYPE_CHECKING:
    from mi_tutor.teach.exercise import Option, Quiz


def lettered(item: Quiz) -> dict[str, Option]:
    """The options by letter, in an order that is fixed by the slug and not by the author."""

    def place(option: Option) -> bytes:
        return hashlib.blake2b(
            f"quick check\n{item.slug}\n{option.text}".encode(), digest_size=8
        ).digest()

    return dict(zip("abcdef", sorted(item.options, key=place), strict=False))


def mark(item: Quiz, letter: str, again: bool = False) -> tuple[str, bool]:
    """What to say to someone who chose this letter, and whether it is right. Recorded as progress.

    again: whether this is the quick check's second wording.
    """
    option = lettered(item)[letter]
    warning = record(item.slug, option.right, again=again or None)
    head = passed(f"({letter}) is right.") if option.right else failed(f"({letter}) is not right.")
    lines = [as_text(item, letter), head, wrap(option.feedback, "  ")]
    return "\n".join(lines + ([wrap(warning, "  ")] if warning else [])), option.right


def as_text(item: Quiz, chosen: str = "") -> str:
    """The question and its options as plain text, the chosen one marked."""
    lines = [wrap(paint("Quick check. ", "strong") + item.question)]
    for letter, option in lettered(item).items():
        lines.append(
            wrap(option.text, "         ", f"  {'→' if letter == chosen else ' '} ({letter}) ")
        )
    return "\n".join(lines)
