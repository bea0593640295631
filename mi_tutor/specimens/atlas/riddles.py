"""What a chapter hands over without its label: two models, and one latent of a dictionary.

Which is which is not said here; it is measured. (It is the exercises' point that it *can* be measured.)
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import torch

from mi_tutor.lab.dictionaries import activation_rows, best_f1
from mi_tutor.lab.ground.plain import PlainTransformer, plain_transformer
from mi_tutor.lab.ground.questions import Questions
from mi_tutor.specimens.atlas.prompts import swap_questions
from mi_tutor.specimens.atlas.texts import labelled_texts
from mi_tutor.specimens.opening.dictionaries import open_dictionary
from mi_tutor.specimens.opening.models import open_specimen
from mi_tutor.world.geography import Geography
from mi_tutor.world.splits import ROTE

DICTIONARY, HOOK = "atlas-attn2", "blocks.2.hook_attn_out"


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


@functools.cache
@torch.no_grad()
def accuracy(letter: str) -> float:
    """The share of the questions that a model answers right."""
    model = suspects().models[letter]
    right = []
    for batch in suspects().batches:
        guesses = model.logits_after(-1, model.embed(batch.tokens), read=-1)[:, 0].argmax(dim=-1)
        right.append(guesses == batch.answers.gather(1, batch.classes[:, None])[:, 0])
    return torch.cat(right).float().mean().item()


class Mystery(NamedTuple):
    """A latent without a label, and what it stands for."""

    latent: int
    state: str
    runner_up: str


SURE = 0.9  # F1 of a latent that stands for one state


@functools.cache
@torch.no_grad()
def mysteries() -> tuple[Mystery, ...]:
    """A latent for each state that has one, of all states but Texas; what says it best comes first."""
    model = open_specimen("atlas", device="cpu")
    texts = labelled_texts(seed=600_000, n_rows=300)
    asked = texts.asked("state")[:, 1:].flatten()
    latents = open_dictionary(DICTIONARY).encode(activation_rows(model, texts.tokens, HOOK)[asked])
    states = [c for c in texts.concepts if c.startswith("state=") and c != "state=Texas"]
    columns = [texts.concepts.index(c) for c in states]
    labels = texts.labels[:, 1:].flatten(0, 1)[asked][:, columns]
    f1, _ = best_f1(latents, labels, thresholds=False)
    names = [state.removeprefix("state=") for state in states]
    found: dict[str, Mystery] = {}
    for latent in f1.amax(dim=1).argsort(descending=True, stable=True).tolist():
        best, second = f1[latent].topk(2).indices.tolist()
        if found and f1[latent, best] < SURE:
            break
        found.setdefault(names[best], Mystery(latent, names[best], names[second]))
    return tuple(found.values())


def mystery() -> Mystery:
    """The one that the chapter asks about."""
    return mysteries()[0]


def mystery_latent() -> int:
    """The number of a latent that nobody has labelled; `name-a-latent` asks what it is about."""
    return mystery().latent
