"""Which specimens are shipped, and where each of them lies: models, and dictionaries of their activations.

A directory on the shelf has a card.json. A model has a config.json beside it, a dictionary a cfg.json (SAELens's
name for it), a cross-layer transcoder a clt.json; a copy of a model that was trained on has a copy.json, a
crosscoder of two models a crosscoder.json.
"""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

from mi_tutor.specimens.errors import SpecimenError

SHELF = Path(__file__).parents[1] / "shelf"


def specimen_names() -> list[str]:
    """The names of the shipped models, in alphabetical order.

    >>> "primer" in specimen_names()
    True
    """
    return names_with("config.json")


def dictionary_names() -> list[str]:
    """The names of the shipped dictionaries, in alphabetical order."""
    return names_with("cfg.json")


def transcoder_names() -> list[str]:
    """The names of the shipped cross-layer transcoders, in alphabetical order."""
    return names_with("clt.json")


def copy_names() -> list[str]:
    """The names of the shipped copies of a model that were trained on, in alphabetical order."""
    return names_with("copy.json")


def crosscoder_names() -> list[str]:
    """The names of the shipped crosscoders, in alphabetical order."""
    return names_with("crosscoder.json")


def shelf_names() -> list[str]:
    """Models first, then dictionaries, cross-layer transcoders, copies, crosscoders."""
    models, others = specimen_names(), dictionary_names() + transcoder_names()
    return models + others + copy_names() + crosscoder_names()


def names_with(config: str) -> list[str]:
    """The directories on the shelf that have a card and such a config."""
    found = (card.parent for card in SHELF.glob("*/card.json"))
    return sorted(directory.name for directory in found if (directory / config).is_file())


def specimen_path(name: str) -> Path:
    """The directory of a shipped specimen: Hugging Face's format for a model, SAELens's for a dictionary.

    Raises SpecimenError with the nearest name if there is no specimen of this name.

    >>> specimen_path("primer").name
    'primer'
    """
    if name not in shelf_names():
        raise SpecimenError(no_such_specimen(name))
    return SHELF / name


def nearest_specimen(name: str) -> str | None:
    """The specimen that a mistyped name most likely means, or None if no name is near.

    >>> nearest_specimen("Primmer")
    'primer'
    """
    matches = get_close_matches(name.lower(), shelf_names(), n=1, cutoff=0.7)
    return matches[0] if matches else None


def no_such_specimen(name: str) -> str:
    """The sentence for a name that is not on the shelf."""
    nearest = nearest_specimen(name)
    meant = f" Did you mean {nearest!r}?" if nearest else ""
    return (
        f"There is no specimen called {name!r}.{meant} The specimens: {', '.join(shelf_names())}."
    )
