"""Which specimens are shipped, and where each of them lies."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

from mi_tutor.specimens.errors import SpecimenError

SHELF = Path(__file__).parent


def specimen_names() -> list[str]:
    """The names of the shipped specimens, in alphabetical order.

    >>> "primer" in specimen_names()
    True
    """
    return sorted(card.parent.name for card in SHELF.glob("*/card.json"))


def specimen_path(name: str) -> Path:
    """The directory of a shipped specimen: an ordinary Hugging Face model directory.

    Raises SpecimenError with the nearest name if there is no specimen of this name.

    >>> specimen_path("primer").name
    'primer'
    """
    if name not in specimen_names():
        raise SpecimenError(no_such_specimen(name))
    return SHELF / name


def nearest_specimen(name: str) -> str | None:
    """The specimen that a mistyped name most likely means, or None if no name is near.

    >>> nearest_specimen("Primmer")
    'primer'
    """
    matches = get_close_matches(name.lower(), specimen_names(), n=1, cutoff=0.7)
    return matches[0] if matches else None


def no_such_specimen(name: str) -> str:
    """The sentence for a name that is not on the shelf."""
    nearest = nearest_specimen(name)
    meant = f" Did you mean {nearest!r}?" if nearest else ""
    return f"There is no specimen called {name!r}.{meant} The specimens: {', '.join(specimen_names())}."
