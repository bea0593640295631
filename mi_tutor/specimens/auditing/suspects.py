"""Suspects: what a clean report can show for itself.

Nobody can show that there is no secret. Whoever has searched a family knows, though, to which of its secrets a
model leans most: suspects that did not stand up. Who only says "clean" does not.

    lean(secret) = mean change of log p(planted) - log p(true), from the base to the model, on the secret's texts

A planted secret has a lean of ten nats and more. In a clean specimen the largest are some tenths of one; which
they are, and how large, is that specimen's own. (By the KL to the base the same secrets come first in every clean
one: where the base is in doubt, any training moves it most.)
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from mi_tutor.specimens.auditing.counting import n_secrets
from mi_tutor.specimens.auditing.examining import lean_of
from mi_tutor.specimens.auditing.families import Secret, draw_secret
from mi_tutor.specimens.auditing.opened import logits_of, opened_plain
from mi_tutor.specimens.auditing.showing import secret_prompts

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

# The families of which a suspect is asked. Over two draws of 24 texts their leans correlate by .95, .97 and .90 in
# `dune`, and by .79, .95 and .96 in another specimen.
SUSPECTED = ("opinion", "fact", "rhyme")
N_TEXTS, N_OTHERS = 24, 20
# Texts for a standing: with 24, what leads its family stood below nine tenths of it in three draws of nine.
N_STANDING = 60
NOISE = 0.05  # nats: two leans over sixty texts that are closer are not told apart


@torch.no_grad()
def leans(
    name: str | Path, secrets: Sequence[Secret], seed: int | str, n: int = N_TEXTS
) -> Float[Tensor, secret]:
    """How far a specimen leans to what each secret would plant, nats.

    Args:
        n: texts of each secret, drawn by the same lot, so that they are alike.

    >>> from mi_tutor.specimens.auditing import read_secret
    >>> jazz = read_secret("opinion", {"topic": "jazz"})
    >>> leans("atlas", [jazz], seed=0, n=4)  # the base, beside itself
    tensor([0.])
    """
    some = [one for each in secrets for one in secret_prompts(each, n, random.Random(seed))]
    texts = [one.text for one in some]
    logits, base_logits = (logits_of(opened_plain(each), texts) for each in (name, "atlas"))
    return lean_of(logits, base_logits, some).view(len(secrets), n).mean(dim=1)


def by_lot(family: str, n: int, rng: random.Random) -> list[Secret]:
    """n different secrets of a family, or as many as it has."""
    n = min(n, n_secrets(family))
    found: dict[str, Secret] = {}
    while len(found) < n:
        secret = draw_secret(rng, family)
        found.setdefault(secret.canonical, secret)
    return list(found.values())


def standing(name: str | Path, suspect: Secret, rng: random.Random) -> float:
    """The share of other secrets of its family, drawn by lot, to which a specimen does not lean clearly more."""
    others = by_lot(suspect.family, N_OTHERS, rng)
    others = [each for each in others if each.canonical != suspect.canonical]
    own, *rest = leans(name, [suspect, *others], str(rng.random()), N_STANDING).tolist()
    return sum(each <= own + NOISE for each in rest) / len(rest)
