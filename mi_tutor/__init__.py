"""mi_tutor: learn mechanistic interpretability by doing it.

What a notebook needs is one import away and costs nothing until it is used (no torch is imported here):

>>> from mi_tutor import check, hint, progress, quiz, review
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mi_tutor.teach import check, hint, progress, quiz, review

__version__ = "0.1.0"
__all__ = ["__version__", "check", "hint", "progress", "quiz", "review"]


def __getattr__(name: str) -> Any:
    if name in {"check", "hint", "progress", "quiz", "review"}:
        from mi_tutor import teach

        return getattr(teach, name)
    raise AttributeError(f"module 'mi_tutor' has no attribute {name!r}")
