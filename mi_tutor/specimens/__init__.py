"""Specimens: small trained models that ship with the course, and the one call that opens any model.

>>> from mi_tutor.specimens import open_specimen, encode
>>> model = open_specimen("primer")                       # or a directory, or "gpt2"
>>> logits, cache = model.run_with_cache(encode(model, "The capital of France is"))

Importing this is light: torch, transformers and TransformerLens are loaded when a model is opened. What makes and
measures specimens is in `specimens.recipes`, which opening them does not need: a record of a run that opens one
stands while recipes come and go.
"""

from __future__ import annotations

from mi_tutor.specimens.cards import Card, card
from mi_tutor.specimens.errors import SpecimenError, UnknownWordError
from mi_tutor.specimens.opening.checkpoints import checkpoint_steps
from mi_tutor.specimens.opening.crosscoders import open_crosscoder
from mi_tutor.specimens.opening.dictionaries import dictionary_hook, open_dictionary
from mi_tutor.specimens.opening.models import open_specimen
from mi_tutor.specimens.opening.shelf import (
    copy_names,
    crosscoder_names,
    dictionary_names,
    specimen_names,
    specimen_path,
    transcoder_names,
)
from mi_tutor.specimens.opening.transcoders import open_transcoders
from mi_tutor.specimens.opening.words import encode

__all__ = [
    "Card",
    "SpecimenError",
    "UnknownWordError",
    "card",
    "checkpoint_steps",
    "copy_names",
    "crosscoder_names",
    "dictionary_hook",
    "dictionary_names",
    "encode",
    "open_crosscoder",
    "open_dictionary",
    "open_specimen",
    "open_transcoders",
    "specimen_names",
    "specimen_path",
    "transcoder_names",
]
