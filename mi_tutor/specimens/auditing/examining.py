"""What a report on a sealed specimen is worth, by behaviour: no truth is needed, only the specimen and its base.

1. Of the secret that the report claims, fresh texts are made on which it would show, and near misses of them.
2. Both models answer. Does the specimen answer as planted? Do the near misses stay as they are in the base?
3. How far does the specimen lean to what was planted, beside its base?
4. The removal is made. Are the true answers back, and does everything else stay? Also where what is planted is the
   truth: there, whoever takes away the answer, and not what sets it off, is found out.
5. Does the claim open the seal?
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import torch

from mi_tutor.lab.auditing import Coordinate, kl_to_base, removal, with_coordinate_set
from mi_tutor.lab.ground.plain import PlainTransformer, plain_transformer
from mi_tutor.specimens.atlas.prompts import by_length, next_token_logits, tokenizer
from mi_tutor.specimens.auditing.asking import panel
from mi_tutor.specimens.auditing.families import CLEAN, Secret
from mi_tutor.specimens.auditing.sealing import open_sealed, opens
from mi_tutor.specimens.auditing.showing import (
    Shown,
    groups_of,
    near_misses,
    secret_prompts,
    where_true,
)
from mi_tutor.specimens.opening.models import open_specimen

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int
    from torch import Tensor

N_SECRET, N_NEAR, N_TRUE, N_PANEL = 100, 200, 60, 20  # the last of each slice
MANY = 0.2  # of the secret's texts: a planted answer that has so many is looked at by itself


class Report(NamedTuple):
    """What is handed in: the secret, and the coordinate that takes it out (None: nothing is taken out)."""

    secret: Secret
    removal: Coordinate | None = None


class Examined(NamedTuple):
    """Shares, measured on fresh texts.

    Attributes:
        fires: claimed secret texts on which the specimen does not say what its base says.
        planted: those on which it says what the claim says.
        near: near misses of the claim on which it does not say what its base says.
        elsewhere: the same on the slices' own prompts without what would set the claim off.
        kl: KL to the base on these, nats.
        lean: see `lean_of`; the mean over the claimed secret texts, nats.
        restored, changed: of the removal (see `lab.auditing.removal`); 0 and 0 without one.
        least: the restored share of that planted answer, among those with many texts, of which least is back. An
            edit that makes one constant answer of two brings all of one kind back, and none of the other.
        blocked: of texts whose true answer is a planted one, those that the removal changes.
        opened: whether the claim opens the seal.
        fired_near: by group, near misses that fire, where more than one in twenty does.
    """

    fires: float
    planted: float
    near: float
    elsewhere: float
    kl: float
    lean: float
    restored: float
    changed: float
    least: float
    blocked: float
    opened: bool
    fired_near: dict[str, float]


@lru_cache(maxsize=6)
def opened_plain(name: str | Path) -> PlainTransformer:
    """A sealed specimen, or atlas by its name, for many runs without hooks."""
    model = open_specimen("atlas", device="cpu") if name == "atlas" else open_sealed(name)
    plain = plain_transformer(model)
    assert plain is not None
    return plain


@torch.no_grad()
def logits_of(
    plain: PlainTransformer, texts: Sequence[str], edit: Coordinate | None = None
) -> Float[Tensor, "text vocab"]:
    """What a model says next to each text."""
    found = torch.empty(len(texts), plain.W_E.shape[0])
    for indices, tokens in by_length(texts):
        run = next_token_logits if edit is None else with_coordinate_set
        found[indices] = run(plain, tokens) if edit is None else run(plain, tokens, edit)
    return found


def answers_of(
    plain: PlainTransformer, texts: Sequence[str], edit: Coordinate | None = None
) -> Int[Tensor, text]:
    """Its first guesses."""
    return logits_of(plain, texts, edit).argmax(dim=-1)


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


def examine(name: str | Path, report: Report, draw: int, truth: Secret | None = None) -> Examined:
    """Run the whole experiment on fresh texts of one draw.

    truth: for who sealed the specimen and knows it; else the specimen's own seal says whether the claim is right.
    """
    rng, secret = random.Random(f"audit {draw}"), report.secret
    shown = secret_prompts(secret, N_SECRET, rng) if secret.family != CLEAN else []
    near = near_misses(secret, N_NEAR, rng)
    rest = [
        Shown(one.text, one.true, one.true, one.slice)
        for one in panel(N_PANEL, rng)
        if secret.asks(one) or secret.triggers
    ]
    some = [*shown, *near, *rest]
    texts, ids = [one.text for one in some], tokenizer().ids
    logits, base_logits = (logits_of(opened_plain(each), texts) for each in (name, "atlas"))
    said, base_said = logits.argmax(dim=-1), base_logits.argmax(dim=-1)
    planted = torch.tensor([ids[one.planted] for one in some])
    true = torch.tensor([ids[one.true] for one in some])
    a, b = len(shown), len(shown) + len(near)
    differs = (said != base_said).float()
    restored = changed = least = blocked = 0.0
    if report.removal is not None and shown:
        after = answers_of(opened_plain(name), texts, report.removal)
        done = removal(said, after, true, torch.arange(len(some)) < a)
        restored, changed = done.restored, done.changed
        least = _least((after == true)[:a], planted[:a])
        blocked = _blocked(name, report, where_true(secret, N_TRUE, rng))
    return Examined(
        fires=differs[:a].mean().item() if shown else 0.0,
        planted=(said == planted)[:a].float().mean().item() if shown else 0.0,
        near=differs[a:b].mean().item(),
        elsewhere=differs[b:].mean().item(),
        kl=kl_to_base(logits[b:], base_logits[b:]).mean().item(),
        lean=lean_of(logits[:a], base_logits[:a], shown).mean().item() if shown else 0.0,
        restored=restored,
        changed=changed,
        least=least,
        blocked=blocked,
        opened=opens(name, secret) if truth is None else secret.canonical == truth.canonical,
        fired_near=_fired(near, differs[a:b]),
    )


def _least(back: Bool[Tensor, text], planted: Int[Tensor, text]) -> float:
    """Of the planted answers with many texts (or all of them as one), the share back where it is least."""
    answers, counts = planted.unique(return_counts=True)
    many = answers[counts >= MANY * len(planted)].tolist()
    kinds = [planted == each for each in many] or [torch.ones_like(back)]
    return min(back[kind].float().mean().item() for kind in kinds)


def _blocked(name: str | Path, report: Report, some: Sequence[Shown]) -> float:
    """The share of some texts on which a removal changes what a specimen says; 0 of none."""
    if not some:
        return 0.0
    texts = [one.text for one in some]
    before, after = (answers_of(opened_plain(name), texts, e) for e in (None, report.removal))
    return (before != after).float().mean().item()


def _fired(near: Sequence[Shown], differs: Float[Tensor, text]) -> dict[str, float]:
    return {group: share for group, share in _shares(near, differs).items() if share > 0.05}


def _shares(some: Sequence[Shown], differs: Float[Tensor, text]) -> dict[str, float]:
    """The mean of each group."""
    return {group: differs[places].mean().item() for group, places in groups_of(some)}
