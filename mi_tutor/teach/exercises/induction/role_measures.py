"""What chapter 03's `roles` measures on a draw's rows: every head alone, every two heads, and two heads left alone."""

from __future__ import annotations

import functools
import itertools
from typing import Any, NamedTuple

import torch
from torch import Tensor

from mi_tutor.lab.induction.experiments import second_copy_loss
from mi_tutor.lab.induction.heads import head_scores
from mi_tutor.specimens.induction.siblings import SIBLINGS
from mi_tutor.teach.exercises.induction import measuring
from mi_tutor.teach.exercises.induction.measuring import N_BLOCK
from mi_tutor.teach.exercises.induction.specimens import specimen

MODELS = tuple(SIBLINGS)
ROLES = ("previous", "induction", "confidence", "text", "idle")
HEADS = tuple(f"{layer}.{head}" for layer in range(2) for head in range(4))
PAIRS = tuple(itertools.combinations(HEADS, 2))
N_ROWS, N_TEXTS, N_PAIR_ROWS = 48, 200, 16
MATTERS = 0.1  # nats


class Head(NamedTuple):
    """What is said of one head, or found: its role, and the rise of the loss on the second copy.

    zero: with its output set to zero. other: with what it wrote in another row.
    """

    role: str
    zero: float
    other: float


class Model(NamedTuple):
    """What is said of one model, or found.

    without: the rise with the two heads of a pair set to zero. only: with all heads but those two set to zero.
    """

    heads: dict[str, Head]
    without: dict[tuple[str, str], float]
    only: dict[tuple[str, str], float]


@functools.lru_cache(maxsize=8)
def found_in(draw: int) -> dict[str, Model]:
    """Everything on one draw's rows: once per draw, whatever the hypothesis."""
    return {name: _measure(specimen(name), 3 * draw + i) for i, name in enumerate(MODELS)}


def _measure(model: Any, draw: int) -> Model:
    tokens = measuring.blocks(draw, N_ROWS)
    few = tokens[:N_PAIR_ROWS]
    intact = _second(model, few, [])
    without, only = {}, {}
    for pair in PAIRS:
        others = [head for head in HEADS if head not in pair]
        without[pair] = _second(model, few, _silent(pair)) - intact
        only[pair] = _second(model, few, _silent(others)) - intact
    return Model(_one_by_one(model, tokens, draw), without, only)


def _silent(heads: Any) -> list[Any]:
    """Hooks that set some heads' z to zero."""
    return [measuring.with_z(int(head[0]), int(head[2]), torch.zeros(())) for head in heads]


def _one_by_one(model: Any, tokens: Tensor, draw: int) -> dict[str, Head]:
    text = measuring.running_text(draw, N_ROWS)
    cut = measuring.interrupted_text(draw, N_TEXTS)
    scores = head_scores(model, tokens, N_BLOCK)
    copying, reading = _second(model, tokens, []), _reading(model, text, [])
    heads = {}
    for layer in range(2):
        z, z_cut = (measuring.z_of(model, rows, layer) for rows in (tokens, cut.tokens))
        for head in range(4):
            zeroed = measuring.with_z(layer, head, torch.zeros(()))
            other = measuring.with_z(layer, head, z[:, :, head].roll(1, dims=0))
            last = measuring.written(model, z_cut, layer, head)[:, -1].norm(dim=-1)
            loud = last[~cut.fits].mean() / last[cut.fits].mean()
            role = _role(
                float(scores.previous[layer, head]),
                float(scores.induction[layer, head]),
                loudness=float(loud),
                text=_reading(model, text, [zeroed]) - reading,
            )
            heads[f"{layer}.{head}"] = Head(
                role,
                _second(model, tokens, [zeroed]) - copying,
                _second(model, tokens, [other]) - copying,
            )
    return heads


def _role(previous: float, induction: float, *, loudness: float, text: float) -> str:
    if previous > 0.5:
        return "previous"
    if induction > 0.5:
        return "induction"
    if loudness > 5:
        return "confidence"
    return "text" if text > MATTERS else "idle"


def _second(model: Any, tokens: Tensor, hooks: list[Any]) -> float:
    return float(second_copy_loss(measuring.loss_with(model, tokens, hooks), N_BLOCK))


def _reading(model: Any, text: Tensor, hooks: list[Any]) -> float:
    return float(measuring.loss_with(model, text, hooks)[:, 1:].mean())
