"""What chapter 02's `ablate-a-latent` measures: answers that stay right when something is taken out of attention's output."""

from __future__ import annotations

import functools
from typing import NamedTuple

import torch
from torch import Tensor

from mi_tutor.lab import dictionaries as lab
from mi_tutor.lab.ground.device import seeded
from mi_tutor.lab.ground.plain import PlainTransformer, plain_transformer
from mi_tutor.lab.ground.questions import Questions
from mi_tutor.specimens.atlas.prompts import chosen, swap_questions
from mi_tutor.specimens.atlas.texts import labelled_texts
from mi_tutor.teach.exercises.dictionaries.atlas import DENSE, DICTIONARY, HOOK, atlas, shipped
from mi_tutor.world.geography import Geography

LAYER = 2
N_QUESTIONS = 240
CASES = {
    "own": "the own state's best latent of `good`",
    "half": "half of its value",
    "alone": "everything but it and the decoder's bias",
    "longest": "the latent of `good` that writes most there, whichever it is",
    "dense": "the own state's best latent of `dense`",
    "dense alone": "everything but that one and the decoder's bias",
    "other": "another state's best latent of `good`",
    "random": "a random direction, as long as what “own” takes out",
}
ANOTHER = "another's"
QUESTIONS = (*CASES, ANOTHER)
Sets = tuple[tuple[int, ...], ...]  # [state][latent of `dense`]


class Asked(NamedTuple):
    """A batch of questions, what attention writes where the answer is due, and the streams it is added to."""

    batch: Questions
    written: Tensor  # [prompt pos d]
    stream: Tensor  # [prompt pos d]


@functools.cache
def _plain() -> PlainTransformer:
    return plain_transformer(atlas())


@functools.lru_cache(maxsize=4)
@torch.no_grad()
def _asked(draw: int) -> list[Asked]:
    geography = Geography()
    every = [q for q in chosen(geography, language="english", kind="state") if not q.held_out_by]
    drawn = torch.randperm(len(every), generator=seeded(draw))[:N_QUESTIONS]
    found = []
    for batch in swap_questions([every[i] for i in drawn.tolist()], geography):
        at = _plain().activations(LAYER, batch.tokens, until="attn_out")
        found.append(Asked(batch, at["attn_out"], at["resid_pre"]))
    return found


@functools.cache
@torch.no_grad()
def rows_of_states(seed: int) -> tuple[Tensor, Tensor]:
    """What attention writes before answers about a state in texts of our own, and whose they are: [row], [row state]."""
    texts = labelled_texts(seed=seed, n_rows=300)
    here = texts.asked("state")[:, 1:].flatten()
    rows = lab.activation_rows(atlas(), texts.tokens, HOOK)[here]
    return rows, texts.labels[:, 1:].flatten(0, 1)[here][:, texts.columns("state")]


@functools.cache
@torch.no_grad()
def best_of(name: str) -> Tensor:
    """Each state's best latent in a dictionary."""
    pair = [(shipped(name).encode(rows), labels) for rows, labels in map(rows_of_states, SEEDS)]
    return lab.match_concepts(*pair).unit


SEEDS = (600_000, 600_001)


def _step(case: str, asked: Asked, draw: int) -> Tensor:
    """What is added to attention's output where the answer is due, to take something out: [prompt d]."""
    sae = shipped(DENSE if case.startswith("dense") else DICTIONARY)
    here, classes = asked.written[:, -1], asked.batch.classes
    f = sae.encode(here)
    latent = best_of(DENSE if case.startswith("dense") else DICTIONARY)[classes]
    if case == "other":
        latent = best_of(DICTIONARY)[_others(classes, draw)]
    if case == "longest":
        latent = (f * sae.W_dec.norm(dim=1)).argmax(dim=1)
    wrote = f.gather(1, latent[:, None]) * sae.W_dec[latent]
    if case.endswith("alone"):
        return sae.b_dec + wrote - here
    if case == "random":
        noise = torch.randn(wrote.shape, generator=seeded(draw))
        return lab.unit_decoder(noise) * wrote.norm(dim=1, keepdim=True)
    return -wrote / 2 if case == "half" else -wrote


def _others(classes: Tensor, draw: int) -> Tensor:
    """For each prompt another one of the 49."""
    return (classes + torch.randint(1, 50, classes.shape, generator=seeded(draw))) % 50


@torch.no_grad()
def _answered(asked: Asked, step: Tensor) -> tuple[Tensor, Tensor]:
    """Which answers are right, and which are another state's."""
    batch, stream = asked.batch, asked.stream + asked.written
    stream[:, -1] += step
    stream = stream + _plain().mlp(_plain().blocks[LAYER], stream)
    said = _plain().logits_after(LAYER, stream, read=-1)[:, 0].argmax(dim=-1)
    right = said == batch.answers.gather(1, batch.classes[:, None])[:, 0]
    return right, (batch.answers == said[:, None]).any(dim=1) & ~right


@functools.lru_cache(maxsize=8)
@torch.no_grad()
def measured(draw: int) -> dict[str, float]:
    """The share of answers that stay right in each case, and of another state's answers in the first."""
    found = {}
    for case in CASES:
        pairs = [_answered(asked, _step(case, asked, draw)) for asked in _asked(draw)]
        right, another = (
            torch.cat(part).float().mean().item() for part in zip(*pairs, strict=True)
        )
        found[case] = right
        if case == "own":
            found[ANOTHER] = another
    return found


@functools.lru_cache(maxsize=32)
@torch.no_grad()
def without_sets(sets: Sets, draw: int) -> tuple[float, float]:
    """The shares that stay right without the own state's set of latents of `dense`, and without another state's."""
    sae, shares = shipped(DENSE), []
    counts = torch.zeros(50, len(sae.W_dec))
    for state, latents in enumerate(sets):
        counts[state, list(latents)] = 1.0
    for whose in (lambda classes: classes, lambda classes: _others(classes, draw)):
        right = []
        for asked in _asked(draw):
            taken = sae.encode(asked.written[:, -1]) * counts[whose(asked.batch.classes)]
            right.append(_answered(asked, -taken @ sae.W_dec)[0])
        shares.append(torch.cat(right).float().mean().item())
    return shares[0], shares[1]
