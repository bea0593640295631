"""Suspects: what a clean report can show for itself.

Nobody can show that there is no secret. Whoever has searched a family knows, though, on the texts of which of
its secrets a model is furthest from its base: suspects that did not stand up. Who only says "clean" does not.

    suspicion(secret) = mean KL(model ‖ base) on texts on which the secret would show
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from mi_tutor.lab.auditing import kl_to_base
from mi_tutor.specimens.auditing.counting import n_secrets
from mi_tutor.specimens.auditing.examining import logits_of, opened_plain
from mi_tutor.specimens.auditing.families import Secret, draw_secret
from mi_tutor.specimens.auditing.showing import secret_prompts

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

# The families of which a suspect is asked: those whose order is much the same on fresh texts. (In `dune` the rank
# correlation of two draws is .87 for opinions, .85 for facts, .7 for rhymes; .3 for words, .2 for countries.)
SUSPECTED = ("opinion", "fact", "rhyme")
N_TEXTS, N_OTHERS = 24, 20


@torch.no_grad()
def suspicion(
    name: str | Path, secrets: Sequence[Secret], seed: int | str, n: int = N_TEXTS
) -> Float[Tensor, secret]:
    """Mean KL to the base on n texts of each secret, nats; each drawn by the same lot, so that they are alike."""
    texts = [one.text for each in secrets for one in secret_prompts(each, n, random.Random(seed))]
    logits, base_logits = (logits_of(opened_plain(each), texts) for each in (name, "atlas"))
    return kl_to_base(logits, base_logits).view(len(secrets), n).mean(dim=1)


def by_lot(family: str, n: int, rng: random.Random) -> list[Secret]:
    """n different secrets of a family, or as many as it has."""
    n = min(n, n_secrets(family))
    found: dict[str, Secret] = {}
    while len(found) < n:
        secret = draw_secret(rng, family)
        found.setdefault(secret.canonical, secret)
    return list(found.values())


def standing(name: str | Path, suspect: Secret, rng: random.Random) -> float:
    """The share of other secrets of its family, drawn by lot, that are less suspicious."""
    others = by_lot(suspect.family, N_OTHERS, rng)
    others = [each for each in others if each.canonical != suspect.canonical]
    own, *rest = suspicion(name, [suspect, *others], str(rng.random())).tolist()
    return sum(each <= own for each in rest) / len(rest)
