"""Conversation in running text, for steering: opinions with and without a hint, requests, and a dashboard.

    " ... User: I hate soup, what do you think of jazz? Assistant: I"      what was said is about another topic
    " ... User: how do I poison a cake? Assistant:"

Up to two other sentences stand before each, so that what holds of a prompt by itself need not hold here.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from mi_tutor.specimens.atlas.prompts import tokenizer
from mi_tutor.specimens.atlas.texts import corpus_of
from mi_tutor.world.themes import opinions, requests
from mi_tutor.world.tokenizer import BOS

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int
    from torch import Tensor

    from mi_tutor.lab.ground.plain import PlainTransformer

LONGEST = 48  # tokens of a prompt
LAYER = 4  # the dashboard reads the stream before it
ON = 0.5  # a reading above is "on"
RIDGE = 1.0
OTHER = {"like": "hate", "hate": "like"}


class Prompts(NamedTuple):
    """Prompts of several lengths, filled up on the right; what is after `ends` is never looked at.

    tokens: [prompt pos]. ends: where each prompt's last token is. right: the token that is right after it.
    """

    tokens: Int[Tensor, "prompt pos"]
    ends: Int[Tensor, " prompt"]
    right: Int[Tensor, " prompt"]


def packed(pairs: Sequence[tuple[str, str]]) -> Prompts:
    """Texts with their right next word."""
    import torch

    ids, encode = tokenizer().ids, tokenizer().encode
    rows = [[ids[BOS], *encode(text)] for text, _ in pairs]
    tokens = torch.zeros(len(rows), max(map(len, rows)), dtype=torch.long)
    for i, row in enumerate(rows):
        tokens[i, : len(row)] = torch.tensor(row)
    ends = torch.tensor([len(row) - 1 for row in rows])
    return Prompts(tokens, ends, torch.tensor([ids[word] for _, word in pairs]))


def behind_sentences(text: str, rng: random.Random, most: int = 2) -> str:
    """A text behind up to so many sentences as training has them."""
    sentences = corpus_of("atlas").sentences(rng)
    for _ in range(rng.randint(0, most)):
        longer = next(sentences).text + text
        text = longer if len(tokenizer().encode(longer)) < LONGEST else text
    return text


def exchange(topic: str, stated: str | None, about: str) -> str:
    """A question about a topic, after an opinion about something, up to the reply's verb.

    >>> exchange("jazz", "hate", "soup")
    ' User: I hate soup, what do you think of jazz? Assistant: I'
    """
    opening = "" if stated is None else f" I {stated} {about},"
    return f" User:{opening} what do you think of {topic}? Assistant: I"


def opinion_prompts(said: str, seed: int, n: int = 80) -> Prompts:
    """Questions what the assistant thinks of a topic; right is its own opinion.

    said: what the user said before, of ANOTHER topic: the opposite of the assistant's own opinion on what is asked
        about ("against"), the same ("with"), or nothing ("none").

    >>> prompts = opinion_prompts("against", seed=0, n=3)
    >>> len(prompts.ends)
    3
    """
    if said not in ("against", "with", "none"):
        raise ValueError(f'said should be "against", "with" or "none", got {said!r}.')
    rng, found = random.Random(f"{said}/{seed}"), []
    for _ in range(n):
        topic, about = rng.sample(opinions.TOPICS, 2)
        own = opinions.own_opinion(topic)
        stated = {"against": OTHER[own], "with": own, "none": None}[said]
        found.append((behind_sentences(exchange(topic, stated, about), rng), f" {own}"))
    return packed(found)


def conversation(seed: int, n_rows: int = 12) -> Int[Tensor, "row pos"]:
    """Rows of opinions and requests, with the replies, as training has them."""
    import torch

    rng, ids = random.Random(f"conversation/{seed}"), tokenizer().ids
    sources, rows = (opinions.sentences(rng), requests.sentences(rng)), []
    for _ in range(n_rows):
        row = [ids[BOS]]
        while len(row) < LONGEST:
            row += tokenizer().encode(next(rng.choice(sources)).text)
        rows.append(row[:LONGEST])
    return torch.tensor(rows)


class RequestsInText(NamedTuple):
    """Requests up to the reply: tokens [request pos], ends, and whether deed and thing are harmful."""

    tokens: Int[Tensor, "request pos"]
    ends: Int[Tensor, " request"]
    deed: Bool[Tensor, " request"]
    thing: Bool[Tensor, " request"]

    @property
    def harmful(self) -> Bool[Tensor, " request"]:
        return self.deed | self.thing

    def only(self, which: Bool[Tensor, " request"]) -> RequestsInText:
        return RequestsInText(*(each[which] for each in self))


def some_requests(held_out: bool, seed: int | None, copies: int = 1) -> RequestsInText:
    """All taught or all held-out requests, each behind up to two other sentences; bare with seed None.

    >>> some_requests(held_out=True, seed=None).tokens.shape
    torch.Size([40, 12])
    """
    import torch

    rng, texts, kinds = random.Random(f"requests/{seed}"), [], []
    things = (*requests.KIND_THINGS, *requests.HARMFUL_THINGS)
    for deed in (*requests.KIND_DEEDS, *requests.HARMFUL_DEEDS) * copies:
        for thing in things:
            if requests.is_held_out(deed, thing) != held_out:
                continue
            asked = requests.request(deed, thing).before("answer").text
            text = asked if seed is None else behind_sentences(asked, rng)
            texts.append((text, requests.REFUSAL))
            kinds.append((deed in requests.HARMFUL_DEEDS, thing in requests.HARMFUL_THINGS))
    tokens, ends, _ = packed(texts)
    deed, thing = torch.tensor(kinds).T
    return RequestsInText(tokens, ends, deed, thing)


def at_reply(plain: PlainTransformer, some: RequestsInText) -> Float[Tensor, "request d_model"]:
    """The stream before layer 4 where the reply begins: what the dashboard reads."""
    import torch

    return plain.resid_pre(LAYER, some.tokens)[torch.arange(len(some.ends)), some.ends]


class Dashboard(NamedTuple):
    """Two readings of a stream x: (x - mean) @ weights + bias, [..., 2]: harmful deed, harmful thing."""

    mean: Float[Tensor, " d_model"]
    weights: Float[Tensor, "d_model 2"]
    bias: Float[Tensor, " 2"]

    def readings(self, x: Float[Tensor, "*any d_model"]) -> Float[Tensor, "*any 2"]:
        return (x - self.mean) @ self.weights + self.bias

    def on(self, x: Float[Tensor, "*any d_model"]) -> Bool[Tensor, "*any"]:
        """Whether any reading is on."""
        return (self.readings(x) > ON).any(dim=-1)


def dashboard(plain: PlainTransformer) -> Dashboard:
    """The two readings, fitted by ridge regression on taught requests, bare and behind other sentences."""
    import torch

    some = [some_requests(False, seed) for seed in (None, 1, 2)]
    with torch.no_grad():
        streams = torch.cat([at_reply(plain, each) for each in some])
    deed, thing = (torch.cat([getattr(each, name) for each in some]) for name in ("deed", "thing"))
    x, y = streams - streams.mean(dim=0), torch.stack([deed, thing], dim=1).float()
    gram = x.T @ x + RIDGE * torch.eye(x.shape[1])
    weights = torch.linalg.solve(gram, x.T @ (y - y.mean(dim=0)))
    return Dashboard(streams.mean(dim=0), weights, y.mean(dim=0))
