"""The specimens of chapter 05 and their questions, as inputs for cases and for what is measured."""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch import Tensor

from mi_tutor.lab.ground.plain import PlainTransformer, plain_transformer
from mi_tutor.lab.swaps import Questions, means_at
from mi_tutor.specimens.atlas.prompts import swap_questions
from mi_tutor.teach.exercise import Handle
from mi_tutor.teach.exercises.copies import a_specimen, clean_copy, opened
from mi_tutor.world.geography import Geography, Question

SPECIMEN = "atlas"


def atlas() -> Any:
    """The specimen, to be read and run by us."""
    return opened(SPECIMEN)


def clean_atlas() -> Any:
    """A copy of the specimen for one answer: whatever it does to it, the next one gets an intact model."""
    return clean_copy(SPECIMEN)


def a_model(name: str = SPECIMEN) -> Handle:
    return a_specimen(name)


def plain_atlas() -> PlainTransformer:
    """The specimen in plain torch."""
    plain = plain_transformer(atlas())
    assert plain is not None
    return plain


def random_tokens(generator: torch.Generator, n_prompts: int, length: int) -> Tensor:
    """Prompts of random tokens, [n_prompts length]."""
    return torch.randint(atlas().cfg.d_vocab, (n_prompts, length), generator=generator)


@functools.cache
def geography() -> Geography:
    return Geography()


@functools.cache
def questions_about(kind: str, held_out: bool, language: str = "english") -> tuple[Question, ...]:
    """The questions about one kind of area: those held out from training, or those taught."""
    every = geography().questions([language], [kind])
    return tuple(question for question in every if bool(question.held_out_by) == held_out)


def state_questions(held_out: bool) -> tuple[Question, ...]:
    """The English ones about states."""
    return questions_about("state", held_out)


@functools.cache
def some_batches(held_out: bool, step: int) -> tuple[Questions, ...]:
    """Every so many of those questions, in batches of one length."""
    return tuple(swap_questions(state_questions(held_out)[::step], geography()))


@functools.cache
def state_means() -> Tensor:
    """[layer class d_model]: of every seventh question that was taught."""
    with torch.no_grad():
        return means_at(plain_atlas(), some_batches(held_out=False, step=7))
