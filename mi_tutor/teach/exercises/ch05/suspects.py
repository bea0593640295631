"""Two models without labels: one works out the state, one has learned the answers by rote.

Which is which is not said here; the mark is measured. (It is the exercise's point that it *can* be measured.)
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import torch

from mi_tutor.lab.plain import PlainTransformer, plain_transformer
from mi_tutor.lab.swaps import Questions, means_at, readable, streams, swap_batches
from mi_tutor.specimens import open_specimen
from mi_tutor.specimens.atlas_prompts import swap_questions
from mi_tutor.world.geography import Geography
from mi_tutor.world.splits import ROTE

N_TARGETS = 3


class Suspects(NamedTuple):
    """Two models by letter, and every third English question about states that both were taught."""

    models: dict[str, PlainTransformer]
    batches: list[Questions]


@functools.cache
def suspects() -> Suspects:
    """Model A and model B, on the CPU, and the questions that both were taught."""
    models = {}
    for letter, name in zip("AB", ("atlas-rote", "atlas"), strict=True):
        models[letter] = plain_transformer(open_specimen(name, device="cpu"))
    geography = Geography(split=ROTE)
    questions = [
        question
        for question in geography.questions(["english"])
        if geography.area_of(question.city).kind == "state" and not question.held_out_by
    ]
    return Suspects(models, swap_questions(questions[::3], geography))


@torch.no_grad()
def accuracy(letter: str) -> float:
    """The share of the questions that a model answers right."""
    model = suspects().models[letter]
    right = []
    for batch in suspects().batches:
        guesses = model.logits_after(-1, model.embed(batch.tokens), read=-1)[:, 0].argmax(dim=-1)
        right.append(guesses == batch.answers.gather(1, batch.classes[:, None])[:, 0])
    return torch.cat(right).float().mean().item()


@functools.cache
def best_swap(letter: str) -> float:
    """The success of swapping states in a model, in the layer where it is largest."""
    model, batches = suspects().models[letter], suspects().batches
    with torch.no_grad():
        means = means_at(model, batches)
    return max(
        swap_batches(model, batches, means[layer], layer, N_TARGETS).success
        for layer in range(len(model.blocks))
    )


@functools.cache
def random_swap(letter: str) -> float:
    """The same with random directions of the same norm, before layer 2."""
    model, batches = suspects().models[letter], suspects().batches
    with torch.no_grad():
        means = means_at(model, batches)
    return swap_batches(model, batches, means[2], 2, N_TARGETS, random_seed=0).success


@functools.cache
@torch.no_grad()
def reading(letter: str) -> float:
    """How well the state is read at the names' ends, before layer 2, by means of every other question."""
    model, batches = suspects().models[letter], suspects().batches
    x = torch.cat(
        [streams(model, b.tokens)[2, torch.arange(len(b.tokens)), b.places] for b in batches]
    )
    classes = torch.cat([b.classes for b in batches])
    return readable(x[::2], classes[::2], x[1::2], classes[1::2]).item()


def composes() -> str:
    """The letter of the model in which swaps work."""
    return max(suspects().models, key=best_swap)
