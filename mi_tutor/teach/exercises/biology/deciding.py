"""Chapter 08, `where-is-the-plan`: plans exchanged at several tokens of a couplet, with the written words kept."""

from __future__ import annotations

import functools
import random
from collections.abc import Collection, Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from mi_tutor.lab.biology import write_line
from mi_tutor.lab.ground.plain import PlainTransformer, plain_transformer
from mi_tutor.lab.swaps import class_means, streams
from mi_tutor.specimens.biology import (
    PLANS,
    Lines,
    couplet_lines,
    goes_with_plan,
    line_template,
    plan_lines,
)
from mi_tutor.specimens.biology.couplets import NAMES, OPENINGS, SIGHTS
from mi_tutor.teach.exercises.copies import opened

MODELS = ("planner", "planner-twin")
BLANKS = {"verb": 11, "adjective": 13, "end": 14}  # each with the token before it, where it is said
BREAK = 9
LAYER = 2
N_WORDINGS, N_TARGETS = 3, 2
Places = Mapping[
    int, Tensor
]  # a token's place -> the plans that are put in there, one for each couplet


class Couplets(NamedTuple):
    """Whole couplets as a model writes them: tokens, their plans, and of tokens of taught ones the streams' means.

    means: [layer, pos, plan, d_model], over taught couplets in the same wordings.
    """

    tokens: Tensor
    plans: Tensor
    means: Tensor


@functools.cache
def plain_model(name: str) -> PlainTransformer:
    plain = plain_transformer(opened(name))
    assert plain is not None
    return plain


def lines_in(wordings: list[tuple[str, str, str]], held_out: bool) -> list[tuple[Lines, str]]:
    """First lines in each wording (opening, sight, name of the second line), with the name."""
    return [
        (plan_lines(couplet_lines(held_out, opening, sight)), name)
        for opening, sight, name in wordings
    ]


@torch.no_grad()
def written(plain: PlainTransformer, lines: Lines, name: str) -> Tensor:
    """The couplet up to its end, [prompt 16], as the model goes on."""
    template = line_template(name)
    words = iter(write_line(plain, lines.tokens, template).T)
    rows = [
        next(words) if each is None else torch.full_like(lines.plans, each) for each in template
    ]
    return torch.cat([lines.tokens, torch.stack(rows, dim=1)], dim=1)


@functools.lru_cache(maxsize=8)
@torch.no_grad()
def couplets(model: str, draw: int) -> Couplets:
    """Held-out couplets in wordings of this draw, and the means of taught ones."""
    rng = random.Random(f"where-is-the-plan/{draw}")
    every = [(a, b, c) for a in OPENINGS for b in SIGHTS for c in NAMES]
    wordings, plain = rng.sample(every, N_WORDINGS), plain_model(model)
    told, new = (
        [(written(plain, lines, name), lines.plans) for lines, name in lines_in(wordings, held_out)]
        for held_out in (False, True)
    )
    tokens, plans = (torch.cat(each) for each in zip(*told, strict=True))
    found = streams(plain, tokens)
    means = [
        torch.stack([class_means(at, plans, len(PLANS)) for at in layer.unbind(1)])
        for layer in found
    ]
    tokens, plans = (torch.cat(each) for each in zip(*new, strict=True))
    return Couplets(tokens, plans, torch.stack(means))


@functools.cache
def goes_with() -> Tensor:
    return goes_with_plan()


@torch.no_grad()
def said(model: str, draw: int, blank: str, put_in: Places, layer: int = LAYER) -> Tensor:
    """What the model says in a blank, [prompt], when plans are put in at some tokens; the words before it are kept."""
    plain, (tokens, plans, means) = plain_model(model), couplets(model, draw)
    stream = plain.resid_pre(layer, tokens[:, : BLANKS[blank] + 1]).clone()
    for place, targets in put_in.items():
        stream[:, place] += means[layer, place, targets] - means[layer, place, plans]
    return plain.logits_after(layer - 1, stream, read=-1)[:, 0].argmax(dim=-1)


def follows(words: Tensor, blank: str, target: Tensor, *others: Tensor) -> float:
    """The share of words that go with the target and with none of the others."""
    table = goes_with()[list(BLANKS).index(blank)]
    right = table[target, words]
    for other in others:
        right = right & ~table[other, words]
    return right.float().mean().item()


@functools.cache
def apart() -> list[list[int]]:
    """For each plan those of another rhyme, topic, verb and adjective."""
    return [
        [i for i, other in enumerate(PLANS) if not any(a == b for a, b in zip(plan, other, strict=True))]
        for plan in PLANS
    ]  # fmt: skip


@functools.lru_cache(maxsize=8)
def targets(draw: int) -> tuple[tuple[Tensor, Tensor], ...]:
    """Pairs of plans for each couplet of a draw; both differ in everything from the couplet's own, and in verb and
    adjective from each other."""
    rng, pairs = random.Random(draw), []
    for _ in range(N_TARGETS):
        chosen = []
        for own in couplets(MODELS[0], draw).plans.tolist():
            first = rng.choice(apart()[own])
            others = [
                i
                for i in apart()[own]
                if PLANS[i].verb != PLANS[first].verb
                and PLANS[i].adjective != PLANS[first].adjective
            ]
            chosen.append((first, rng.choice(others)))
        first, second = torch.tensor(chosen).T
        pairs.append((first, second))
    return tuple(pairs)


@functools.lru_cache(maxsize=1024)
def moved(model: str, draw: int, blank: str, places: Collection[int], layer: int = LAYER) -> float:
    """The share of words that follow one plan, put in at all of some tokens."""
    own = couplets(model, draw).plans
    found = [
        follows(said(model, draw, blank, dict.fromkeys(places, goal), layer), blank, goal, own)
        for goal, _ in targets(draw)
    ]
    return sum(found) / len(found)


@functools.lru_cache(maxsize=64)
def quarrel(draw: int, blank: str) -> tuple[float, float]:
    """`planner`, one plan put in at the break and another where the word is said: the shares that follow each."""
    own = couplets("planner", draw).plans
    found = []
    for one, other in targets(draw):
        words = said("planner", draw, blank, {BREAK: one, BLANKS[blank]: other})
        found.append(
            (follows(words, blank, one, own, other), follows(words, blank, other, own, one))
        )
    first, second = (sum(each) / len(found) for each in zip(*found, strict=True))
    return first, second
