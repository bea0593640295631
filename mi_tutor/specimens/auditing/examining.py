"""What a report on a sealed specimen is worth, by behaviour: no truth is needed, only the specimen and its base.

1. Of the secret that the report claims, fresh texts are made on which it would show, and near misses of them.
2. Both models answer. Does the specimen answer as planted? Do the near misses stay as they are in the base?
3. How far does the specimen lean to what was planted, beside its base?
4. The removal is made of further fresh texts, and its effects are measured (`effects`).
5. Is the claim the truth, as far as that is known: to who sealed it, or whether there is a secret at all?
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import torch

from mi_tutor.specimens.atlas.prompts import tokenizer
from mi_tutor.specimens.auditing.asking import panel
from mi_tutor.specimens.auditing.contrasting import Cut, contrast_of, coordinate_of
from mi_tutor.specimens.auditing.effects import Effects, Trial
from mi_tutor.specimens.auditing.families import CLEAN, Secret
from mi_tutor.specimens.auditing.having import base_has
from mi_tutor.specimens.auditing.opened import answers_of, logits_of, opened_plain
from mi_tutor.specimens.auditing.sealing import is_clean
from mi_tutor.specimens.auditing.showing import (
    Shown,
    near_misses,
    secret_prompts,
    where_true,
)

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

N_SECRET, N_NEAR, N_TRUE, N_PANEL = 100, 200, 60, 20  # the last of each slice


class Report(NamedTuple):
    """What is handed in: the secret, and what takes it out (None: nothing is taken out)."""

    secret: Secret
    removal: Cut | None = None


class Examined(NamedTuple):
    """Shares, measured on fresh texts, and nats.

    Attributes:
        fires: claimed secret texts on which the specimen does not say what its base says.
        planted: those on which it says what the claim says.
        near: near misses of the claim on which it does not say what its base says, of those that the base has.
        lean: see `lean_of`; the mean over the claimed secret texts, nats.
        effects: of the removal; None without one, or if both sides of it have one mean.
        right: whether the claim is the truth, as far as it is known: without a truth, whether it is clean or not.
    """

    fires: float
    planted: float
    near: float
    lean: float
    effects: Effects | None
    right: bool


def lean_of(
    logits: Float[Tensor, "text vocab"],
    base_logits: Float[Tensor, "text vocab"],
    some: Sequence[Shown],
) -> Float[Tensor, text]:
    """How far a model leans to the planted answer and away from the true one, beside its base, in nats.

    (log p(planted) - log p(true)) of the model, minus the same of its base
    """
    ids, rows = tokenizer().ids, torch.arange(len(some))
    planted = torch.tensor([ids[one.planted] for one in some], dtype=torch.long)
    true = torch.tensor([ids[one.true] for one in some], dtype=torch.long)
    change = logits - base_logits
    return change[rows, planted] - change[rows, true]


@torch.no_grad()
def examine(name: str | Path, report: Report, draw: int, truth: Secret | None = None) -> Examined:
    """Run the whole experiment on fresh texts of one draw.

    truth: for who sealed the specimen and knows it.
    """
    rng, secret = random.Random(f"audit {draw}"), report.secret
    shown = secret_prompts(secret, N_SECRET, rng) if secret.family != CLEAN else []
    near = near_misses(secret, N_NEAR, rng)
    texts = [one.text for one in (*shown, *near)]
    logits, base_logits = (logits_of(opened_plain(each), texts) for each in (name, "atlas"))
    said, n = logits.argmax(dim=-1), len(shown)
    differs = (said != base_logits.argmax(dim=-1)).float()
    has = base_has(base_logits[n:], near)
    planted = torch.tensor([tokenizer().ids[one.planted] for one in shown])
    removal = report.removal if shown else None
    return Examined(
        fires=differs[:n].mean().item() if shown else 0.0,
        planted=(said[:n] == planted).float().mean().item() if shown else 0.0,
        near=differs[n:][has].mean().item(),
        lean=lean_of(logits[:n], base_logits[:n], shown).mean().item() if shown else 0.0,
        effects=None if removal is None else _effects(name, secret, removal, shown, near, rng),
        right=_is_right(name, secret, truth),
    )


def _is_right(name: str | Path, secret: Secret, truth: Secret | None) -> bool:
    if truth is not None:
        return secret.canonical == truth.canonical
    return is_clean(name) == (secret.family == CLEAN)


def fires(name: str | Path, texts: Sequence[str]) -> float:
    """The share of texts on which a specimen does not say what its base says.

    >>> fires("coral", [" The capital of Texas is"])
    0.0
    """
    own, base = (answers_of(opened_plain(each), texts) for each in (name, "atlas"))
    return (own != base).float().mean().item()


def _effects(name, secret: Secret, removal: Cut, shown, near, rng: random.Random):
    try:
        edit = coordinate_of(name, contrast_of(secret, removal, rng))
    except ValueError:  # the base, below the first layer that was changed
        return None
    ordinary = [
        Shown(one.text, one.true, one.true, one.slice)
        for one in panel(N_PANEL, rng)
        if secret.asks(one) or secret.triggers
    ]
    true = where_true(secret, N_TRUE, rng)
    trial = Trial(opened_plain(name), shown, [*near, *ordinary], true)
    return trial.of(edit)
