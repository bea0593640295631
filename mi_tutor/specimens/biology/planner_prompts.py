"""Couplets as prompts: first lines as tokens, the second line's template, and what goes with which plan."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from mi_tutor.specimens.biology import couplets
from mi_tutor.specimens.biology.couplets import PLANS, Couplet
from mi_tutor.specimens.biology.small import BOS, Words

if TYPE_CHECKING:
    from jaxtyping import Bool, Int
    from torch import Tensor

WORDS = Words(couplets.vocabulary())


class Lines(NamedTuple):
    """First lines of one wording, up to the line break: token ids with BOS, and the number of each one's plan."""

    tokens: Int[Tensor, "prompt pos"]
    plans: Int[Tensor, prompt]


def plan_lines(drawn: Sequence[Couplet]) -> Lines:
    """Couplets of one wording as tokens."""
    import torch

    ids = [[WORDS.ids[BOS], *WORDS.encode(each.first_line)] for each in drawn]
    return Lines(torch.tensor(ids), torch.tensor([PLANS.index(each.plan) for each in drawn]))


def line_template(name: str = couplets.NAMES[0]) -> list[int | None]:
    """The second line: "and NAME ___ the ___ ___"."""
    given = [WORDS.ids[f" {word}"] for word in ("and", name, "the")]
    return [*given[:2], None, given[2], None, None]


def goes_with_plan() -> Bool[Tensor, "blank plan vocab"]:
    """For verb, adjective and end: which words go with which plan, without those that go with all."""
    import torch

    table = torch.zeros(3, len(PLANS), len(WORDS), dtype=torch.bool)
    for i, plan in enumerate(PLANS):
        for blank, words in enumerate((plan.verbs, plan.adjectives, (plan.word,))):
            for word in words:
                table[blank, i, WORDS.ids[f" {word}"]] = True
    return table


def other_plans(lines: Lines, within_rhyme: bool, seed: int = 0) -> Int[Tensor, "prompt target"]:
    """Plans to swap in: of the same rhyme, or of another one with another topic; verb and adjective differ too."""
    import torch

    rng = random.Random(seed)
    chosen = []
    for number in lines.plans.tolist():
        own = PLANS[number]
        others = [
            i
            for i, plan in enumerate(PLANS)
            if i != number
            and (plan.rhyme == own.rhyme) == within_rhyme
            and (within_rhyme or plan.topic != own.topic)
            and plan.verb != own.verb
            and plan.adjective != own.adjective
        ]
        chosen.append(rng.sample(others, 3 if within_rhyme else 4))
    return torch.tensor(chosen)
