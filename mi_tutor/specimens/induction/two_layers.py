"""Make the specimen `induction-2l`: two layers of attention, which is what copying by content takes."""

from __future__ import annotations

from pathlib import Path

from mi_tutor.specimens.cards import Card
from mi_tutor.specimens.induction import recipe as induction_recipe
from mi_tutor.specimens.induction.measures import measure_two_layers as measure
from mi_tutor.specimens.induction.recipe import InductionConfig

__all__ = ["make", "measure"]


def make(directory: Path, seed: int = 0, progress: bool = True) -> Card:
    """Train, save, measure and write the card."""
    config = InductionConfig(n_layers=2, seed=seed)
    return induction_recipe.make(directory, config, measure, progress)
