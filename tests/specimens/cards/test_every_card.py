"""Every card on the shelf, measured again: models and dictionaries."""

import pytest

from mi_tutor.specimens import card, specimen_names, verify
from mi_tutor.specimens.dictionaries.recipes import DICTIONARIES

# Neighbours read the same texts, and some the same activations, which are kept from one card to the next.
ALIKE = sorted(DICTIONARIES.values(), key=lambda recipe: (recipe.model, recipe.place, recipe.hook))
NAMES = [*specimen_names(), *(recipe.name for recipe in ALIKE)]


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.recorded("cards", name)) for name in NAMES]
)
def test_every_number_of_the_card_holds(name):
    verdicts = verify(name)
    assert [verdict.name for verdict in verdicts if not verdict.holds] == []
    assert len(verdicts) == len(card(name).measures) + 1
