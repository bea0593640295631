"""What can go wrong with a specimen, as two kinds of error whose text says what to do."""

from __future__ import annotations


class SpecimenError(ValueError):
    """A specimen or model cannot be opened, or cannot be used in this way."""


class UnknownWordError(SpecimenError):
    """A text has words that are not in the model's vocabulary."""
