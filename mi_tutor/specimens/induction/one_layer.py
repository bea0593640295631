"""Make the specimen `induction-1l`: one layer of attention, which learns the same text but cannot copy."""

from __future__ import annotations

from pathlib import Path

from mi_tutor.specimens.cards import Card
from mi_tutor.specimens.induction import recipe as induction_recipe
from mi_tutor.specimens.induction.measures import measure_one_layer as measure
from mi_tutor.specimens.induction.recipe import InductionConfig

__all__ = ["make", "measure"]


def make(directory: Path, seed: int = 0, progress: bool = True) -> Card:
    """Train, save, measure and write the card."""
    config = InductionConfig(n_layers=1, seed=seed)
    return induction_recipe.make(directory, config, measure, progress)
