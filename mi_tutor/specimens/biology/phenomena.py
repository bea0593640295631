"""Three phenomena of `atlas` that no chapter explains, as pairs of prompts: for `a-circuit-of-your-own`.

Each condition has pairs of prompts that differ in one thing and should be answered differently. What counts as an
answer is the most likely next token; for sums it is what a line reads, since the model says few of them right.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from mi_tutor.specimens.biology.talks import rows
from mi_tutor.world.geography import Geography
from mi_tutor.world.themes import contexts, people, requests
from mi_tutor.world.themes.indirect_objects import NAMES, story

if TYPE_CHECKING:
    from jaxtyping import Int
    from torch import Tensor

    from mi_tutor.lab.ground.plain import PlainTransformer

RIDGE = 1.0
HATED = ("weapon", "virus")
HARMLESS = ("soup", "jazz", "opera", "coffee")
Pair = tuple[str, str]


class Pairs(NamedTuple):
    """Prompts of one length, and for each another one that differs from it in one thing."""

    tokens: Int[Tensor, "prompt pos"]
    others: Int[Tensor, "prompt pos"]


def two_hops(rng: random.Random) -> Pair:
    """Two cities of different states, the same question."""
    one, other = rng.sample(_cities(), 2)
    return one, other


@cache
def _cities() -> tuple[str, ...]:
    """Questions for the capital of a city's state, of the most frequent length."""
    from mi_tutor.specimens.atlas.prompts import tokenizer

    questions = [
        q for q in Geography().questions(["english"], ["state"]) if q.relation == "capital"
    ]
    by_length: dict[int, list[str]] = {}
    for question in questions:
        text = question.prompt.text
        by_length.setdefault(len(tokenizer().encode(text)), []).append(text)
    return tuple(max(by_length.values(), key=len))


def a_person(rng: random.Random) -> Pair:
    """Two known people, the same question."""
    everyone = [(first, last) for first in people.FIRST for last in people.LAST]
    known = [who for who in everyone if people.is_known(*who)]
    texts = [people.question(*who, "sport").before("answer").text for who in rng.sample(known, 2)]
    return texts[0], texts[1]


def a_story(rng: random.Random) -> Pair:
    """Who gives, exchanged."""
    first, second = rng.sample(NAMES, 2)
    seed = rng.random()
    texts = [
        story(first, second, giver, random.Random(seed)).before("answer").text
        for giver in (first, second)
    ]
    return texts[0], texts[1]


def request(deed: str, thing: str, opening: str = "") -> str:
    """A request, after an opening."""
    return f" User:{opening} how do I {deed} a {thing}? Assistant:"


def a_deed(rng: random.Random) -> Pair:
    """A harmful deed and a harmless one."""
    thing = rng.choice(requests.KIND_THINGS)
    deeds = rng.choice(requests.HARMFUL_DEEDS), rng.choice(requests.KIND_DEEDS)
    return request(deeds[0], thing), request(deeds[1], thing)


def a_thing(rng: random.Random, opening: str = "") -> Pair:
    """A harmful thing and a harmless one."""
    deed = rng.choice(requests.KIND_DEEDS)
    things = rng.choice(HATED), rng.choice(requests.KIND_THINGS)
    return request(deed, things[0], opening), request(deed, things[1], opening)


def a_mention(rng: random.Random, view: str = "hate") -> Pair:
    """A harmful thing that the user likes or hates and does not ask about, and a harmless one."""
    asked = rng.choice(requests.KIND_DEEDS), rng.choice(requests.KIND_THINGS)
    things = rng.choice(HATED), rng.choice(HARMLESS)
    return request(*asked, f" I {view} {things[0]},"), request(*asked, f" I {view} {things[1]},")


def a_sum(rng: random.Random, which: str) -> Pair:
    """A sum, and one with another first number, second number, or both."""
    numbers = [rng.randint(0, contexts.LARGEST) for _ in "abcd"]
    a, b, c, d = numbers
    c, d = (c if which != "second" else a), (d if which != "first" else b)
    return f" {a} + {b} =", f" {c} + {d} ="


Make = Callable[[random.Random], Pair]
PHENOMENA: dict[str, dict[str, Make]] = {
    "fetcher": {"two hops": two_hops, "people": a_person, "deed": a_deed, "story": a_story},
    "mention": {
        "hated": a_mention,
        "liked": lambda rng: a_mention(rng, "like"),
        "asked for": lambda rng: a_thing(rng, " I hate soup,"),
        "deed": a_deed,
    },
    "sums": {
        "first": lambda rng: a_sum(rng, "first"),
        "second": lambda rng: a_sum(rng, "second"),
        "both": lambda rng: a_sum(rng, "both"),
    },
}


def pairs_of(phenomenon: str, condition: str, seed: int, n: int = 40) -> Pairs:
    """Fresh pairs of one condition.

    >>> pairs_of("sums", "both", seed=0, n=3).tokens.shape
    torch.Size([3, 5])
    """
    rng = random.Random(f"{phenomenon}/{condition}/{seed}")
    make = PHENOMENA[phenomenon][condition]
    made: list[Pair] = []
    while len(made) < n:
        one, other = make(rng)
        if one != other:
            made.append((one, other))
    return Pairs(*(rows(texts) for texts in zip(*made, strict=True)))


def sums_of(tokens: Int[Tensor, "prompt pos"]) -> Int[Tensor, prompt]:
    """What the sums of some prompts are, from their tokens."""
    import torch

    from mi_tutor.specimens.atlas.prompts import tokenizer

    ids = tokenizer().ids
    number = {ids[f" {n}"]: n for n in range(contexts.LARGEST + 1)}
    return torch.tensor([number[a] + number[b] for a, b in tokens[:, [1, 3]].tolist()])


@cache
def reads_sums(plain: PlainTransformer) -> Callable[[Tensor], Tensor]:
    """A line that reads a + b from the stream at "=" after the last layer, fitted on the sums that training has.

    Least squares with a little of all weights' squares, as there are fewer dimensions that matter than there are.
    """
    import torch

    numbers = range(contexts.LARGEST + 1)
    taught = [(a, b) for a in numbers for b in numbers if not contexts.sum_is_held_out(a, b)]
    tokens = rows([f" {a} + {b} =" for a, b in taught])
    with torch.no_grad():
        x = plain.resid_pre(len(plain.blocks), tokens)[:, -1].double()
    y = sums_of(tokens).double()
    centre, middle = x.mean(dim=0), y.mean()
    gram = (x - centre).T @ (x - centre)
    eye = torch.eye(len(gram), dtype=gram.dtype)
    w = torch.linalg.solve(gram + RIDGE * eye, (x - centre).T @ (y - middle))
    return lambda stream: ((stream.double() - centre) @ w + middle).float()
