"""Stories about pairs of people, each with another story to take activations from."""

from __future__ import annotations

import random
from collections.abc import Sequence
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
        pair: which of the given pairs of people a story is about.
    """

    tokens: Int[Tensor, "story pos"]
    others: Int[Tensor, "story pos"]
    answers: Int[Tensor, " story"]
    wrongs: Int[Tensor, " story"]
    second_gives: Bool[Tensor, " story"]
    pair: Int[Tensor, " story"]


def stories_of_strangers(n: int, rng: random.Random) -> Stories:
    """n stories about people who never met in training; in every other one the person named second gives.

    >>> stories = stories_of_strangers(4, random.Random(0))
    >>> stories.tokens.shape == stories.others.shape, stories.second_gives.tolist()
    (True, [True, False, True, False])
    """
    return stories_about(strangers(), n, rng)


def stories_about(pairs: Sequence[tuple[str, str]], n: int, rng: random.Random) -> Stories:
    """n stories about pairs of people (first, second) that are drawn by lot; every other giver is the second.

    >>> stories_about([("Mary", "John"), ("Paul", "Anna")], 6, random.Random(0)).pair.unique().tolist()
    [0, 1]
    """
    import torch

    ids = tokenizer().ids
    rows, others, answers, wrongs, drawn = [], [], [], [], []
    for i in range(n):
        drawn.append(rng.randrange(len(pairs)))
        first, second = pairs[drawn[-1]]
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
    last = torch.tensor(answers), torch.tensor(wrongs), torch.arange(n) % 2 == 0
    return Stories(*encoded, *last, torch.tensor(drawn))


@cache
def strangers() -> list[tuple[str, str]]:
    """The pairs of people who never met in training, in both orders."""
    return [pair for pair in permutations(NAMES, 2) if pair_is_held_out(*pair)]


def about_three(first: str, second: str, giver: str, rng: random.Random) -> str:
    """A story in which a third person gives, so that no name is the right answer."""
    text = story(first, second, second, rng).before("answer").text
    before, after = text.rsplit(f" {second}", 1)
    return f"{before} {giver}{after}"
