"""Every card on the shelf, measured again: models and dictionaries."""

import pytest

from mi_tutor.specimens import card
from mi_tutor.specimens.dictionaries.recipes import DICTIONARIES
from mi_tutor.specimens.opening.shelf import shelf_names
from mi_tutor.specimens.recipes import verify

# Neighbours read the same texts, and some the same activations, which are kept from one card to the next.
ALIKE = sorted(DICTIONARIES.values(), key=lambda recipe: (recipe.model, recipe.place, recipe.hook))
OTHERS = [name for name in shelf_names() if name not in DICTIONARIES]
NAMES = [*OTHERS, *(recipe.name for recipe in ALIKE)]


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.recorded("cards", name)) for name in NAMES]
)
def test_every_number_of_the_card_holds(name):
    verdicts = verify(name)
    assert [verdict.name for verdict in verdicts if not verdict.holds] == []
    assert len(verdicts) == len(card(name).measures) + 1
