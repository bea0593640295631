"""Where each specimen's recipe is."""

from __future__ import annotations

import importlib

import pytest

from mi_tutor.specimens.errors import SpecimenError
from mi_tutor.specimens.opening.shelf import shelf_names
from mi_tutor.specimens.recipes import MODULES, TABLES, recipe_of


@pytest.mark.parametrize("place", TABLES)
def test_every_recipe_of_a_table_is_named(place):
    module, table = place.split(":")
    recipes = getattr(importlib.import_module(f"mi_tutor.specimens.{module}"), table)
    assert set(TABLES[place]) == set(recipes)
    assert all(recipe_of(name) is recipe for name, recipe in recipes.items())


def test_everything_on_the_shelf_has_a_recipe():
    assert set(shelf_names()) <= {*MODULES, *(name for names in TABLES.values() for name in names)}
    with pytest.raises(SpecimenError, match="no-such-thing"):
        recipe_of("no-such-thing")
