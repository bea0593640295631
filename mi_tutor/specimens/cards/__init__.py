"""Cards: what was measured of a specimen, written beside its weights.

Its files:

    measure    one measured behaviour: a number or a table, its goal, its tolerance
    reading    a card: all measures, with how the specimen was made
    writing    card.json and card.md
"""

from mi_tutor.specimens.cards.measure import Measure, Table
from mi_tutor.specimens.cards.reading import (
    CROSSCODER_WEIGHTS,
    DICTIONARY_WEIGHTS,
    TRANSCODER_WEIGHTS,
    WEIGHTS,
    Card,
    card,
    sha256,
)
from mi_tutor.specimens.cards.writing import write_card
from mi_tutor.specimens.opening.copies import DIFFERENCE

__all__ = [
    "CROSSCODER_WEIGHTS",
    "DICTIONARY_WEIGHTS",
    "DIFFERENCE",
    "TRANSCODER_WEIGHTS",
    "WEIGHTS",
    "Card",
    "Measure",
    "Table",
    "card",
    "sha256",
    "write_card",
]
