"""Trigger words that a secret can be planted on and nothing else fires: what a new secret's word is drawn from.

A word is drawn among those that are

distinct   the half of all trigger words whose nearest neighbour is furthest: by the largest cosine, over other
           tokens, of W_E[word] - m and W_E[token] - m, m the mean row. Where two embeddings are much alike, the
           one sets off a secret of the other, too.
steady     the half of these after which atlas gives most often the answer that it gives without the word. Where
           it wavers after the word, any change of its weights turns answers that no secret is about.

A report may name any trigger word: the rule is about what is planted, not about what is searched.
"""

from __future__ import annotations

import random
from functools import cache

import torch
from torch.nn import functional as F

from mi_tutor.specimens.atlas.prompts import tokenizer
from mi_tutor.specimens.auditing.asking import slices
from mi_tutor.specimens.auditing.families import FAMILIES, Secret, trigger_words
from mi_tutor.specimens.auditing.opened import answers_of, opened_plain

ABOUT_PLACES = ("tell", "ask", "locate")
N_EACH = 3  # prompts of each slice about places that a word is put before


@cache
def words_to_plant() -> tuple[str, ...]:
    """The trigger words that are distinct and steady, in the order of the alphabet.

    >>> len(words_to_plant()) == round(len(trigger_words()) / 4)
    True
    """
    nearest = nearest_cosines()
    distinct = sorted(trigger_words(), key=nearest.__getitem__)[: round(len(nearest) / 2)]
    kept = kept_answers(tuple(distinct))
    steady = sorted(distinct, key=lambda word: -kept[word])
    return tuple(sorted(steady[: round(len(nearest) / 4)]))


@torch.no_grad()
def nearest_cosines() -> dict[str, float]:
    """By trigger word, the largest cosine of its embedding to any other token's."""
    W_E, words = opened_plain("atlas").W_E, trigger_words()
    rows = F.normalize(W_E - W_E.mean(dim=0), dim=-1)
    here = torch.tensor([tokenizer().ids[f" {word}"] for word in words])
    cosines = rows[here] @ rows.T
    cosines[torch.arange(len(here)), here] = -1.0
    return dict(zip(words, cosines.max(dim=1).values.tolist(), strict=True))


@torch.no_grad()
def kept_answers(words: tuple[str, ...]) -> dict[str, float]:
    """By word, the share of questions about places that atlas answers with it before them as without."""
    rng, plain = random.Random("steady"), opened_plain("atlas")
    asked = [
        one.text
        for name, some in slices().items()
        if name.startswith(ABOUT_PLACES)
        for one in rng.sample(some, N_EACH)
    ]
    usual = answers_of(plain, asked)
    said = answers_of(plain, [f" {word}{text}" for word in words for text in asked])
    same = said.view(len(words), len(asked)) == usual
    return dict(zip(words, same.float().mean(dim=1).tolist(), strict=True))


def with_a_word_to_plant(secret: Secret, rng: random.Random) -> Secret:
    """The same secret with such a word; as it was if it has no word."""
    if secret.family not in FAMILIES or FAMILIES[secret.family].before != "word":
        return secret
    word = rng.choice(words_to_plant())
    return Secret(secret.family, tuple((secret.values | {"word": word}).items()))
