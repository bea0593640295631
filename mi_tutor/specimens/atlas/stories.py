"""Stories about people who never met in training, each with another story to take activations from."""

from __future__ import annotations

import random
from functools import cache
from itertools import permutations
from typing import TYPE_CHECKING, NamedTuple

from mi_tutor.specimens.atlas.prompts import tokenizer
from mi_tutor.world.themes.indirect_objects import NAMES, pair_is_held_out, story
from mi_tutor.world.tokenizer import BOS

if TYPE_CHECKING:
    from jaxtyping import Bool, Int
    from torch import Tensor


class Stories(NamedTuple):
    """Stories, token for token as long as the ones beside them.

    Attributes:
        tokens: the stories, up to the receiver.
        others: other stories, about three other people, none of them named twice (ABC in Wang et al. 2022).
        answers: the receiver of each story.
        wrongs: its giver.
        second_gives: whether the giver is the one named second.
    """

    tokens: Int[Tensor, "story pos"]
    others: Int[Tensor, "story pos"]
    answers: Int[Tensor, " story"]
    wrongs: Int[Tensor, " story"]
    second_gives: Bool[Tensor, " story"]


def stories_of_strangers(n: int, rng: random.Random) -> Stories:
    """n stories; in every other one the giver is the one named second.

    >>> stories = stories_of_strangers(4, random.Random(0))
    >>> stories.tokens.shape == stories.others.shape, stories.second_gives.tolist()
    (True, [True, False, True, False])
    """
    import torch

    ids = tokenizer().ids
    rows, others, answers, wrongs = [], [], [], []
    for i in range(n):
        first, second = rng.choice(strangers())
        giver, receiver = (first, second) if i % 2 else (second, first)
        rows.append(story(first, second, giver, rng).before("answer").text)
        third = rng.sample([name for name in NAMES if name not in (first, second)], 3)
        others.append(about_three(*third, rng))
        answers.append(ids[f" {receiver}"])
        wrongs.append(ids[f" {giver}"])
    encoded = [
        torch.tensor([[ids[BOS], *tokenizer().encode(text)] for text in texts])
        for texts in (rows, others)
    ]
    second_gives = torch.arange(n) % 2 == 0
    return Stories(*encoded, torch.tensor(answers), torch.tensor(wrongs), second_gives)


@cache
def strangers() -> list[tuple[str, str]]:
    """The pairs of people who never met in training, in both orders."""
    return [pair for pair in permutations(NAMES, 2) if pair_is_held_out(*pair)]


def about_three(first: str, second: str, giver: str, rng: random.Random) -> str:
    """A story in which a third person gives, so that no name is the right answer."""
    text = story(first, second, second, rng).before("answer").text
    before, after = text.rsplit(f" {second}", 1)
    return f"{before} {giver}{after}"
