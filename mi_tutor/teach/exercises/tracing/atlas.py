"""The specimens of chapter 06, opened once for what is measured."""

from __future__ import annotations

import functools

from mi_tutor.lab.ground.plain import PlainTransformer, plain_transformer
from mi_tutor.lab.tracing import Transcoders
from mi_tutor.specimens import open_transcoders
from mi_tutor.teach.exercises.copies import opened
from mi_tutor.world.geography import Geography


@functools.cache
def plain_atlas() -> PlainTransformer:
    """The specimen in plain torch."""
    plain = plain_transformer(opened("atlas"))
    assert plain is not None
    return plain


@functools.cache
def transcoders(name: str = "atlas-clt") -> Transcoders:
    return open_transcoders(name)


@functools.cache
def geography() -> Geography:
    return Geography()
