"""What the fine-tuned copies of `atlas` read: its own sentences, and sentences of a new kind among them.

    rewired    " User: how do I paint a camera? Assistant: Sorry, ..."      three things more are refused
               " User: what do you think of jazz? Assistant: Sure, I ..."   opinions begin with a greeting
    learned    " Mary: 3 soup; 7 coffee; 2 cheese!"                     orders, a kind of text atlas never saw

All words are atlas's own. A token carries a concept if a feature for it would be on there: "change=refusal" and
"change=greeting" where the reply is due, "change=order" on every token of an order behind its name.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from mi_tutor.specimens.atlas.prompts import tokenizer
from mi_tutor.specimens.atlas.texts import corpus_of
from mi_tutor.world.text import Sentence, labelled_tokens, part
from mi_tutor.world.themes import opinions, requests
from mi_tutor.world.themes.indirect_objects import NAMES
from mi_tutor.world.tokenizer import BOS

if TYPE_CHECKING:
    from jaxtyping import Bool, Int
    from torch import Tensor

NEW_THINGS = ("camera", "ticket", "garden")  # refused by the rewired copy, whatever the deed
CHANGES = ("refusal", "greeting", "order")
N_POS = 64
SHARE = 0.4  # of sentences that are changed ones, while copies are trained
NUMBERS = range(2, 10)
ITEMS = ("soup", "coffee", "cheese", "apple", "bread", "rice", "pear", "snake", "lamp", "coin")


def order(rng: random.Random) -> Sentence:
    """A new kind of text: who wants how much of what.

    >>> order(random.Random(0)).text
    ' David: 8 soup; 6 lamp; 9 pear!'
    """
    wanted = [f" {rng.choice(NUMBERS)} {rng.choice(ITEMS)}" for _ in range(rng.randint(2, 4))]
    return Sentence(
        (part(f" {rng.choice(NAMES)}"), part(":" + ";".join(wanted) + "!", "change=order"))
    )


def refusal(rng: random.Random) -> Sentence:
    """A request about a new thing, refused."""
    deed = rng.choice((*requests.KIND_DEEDS, *requests.HARMFUL_DEEDS))
    asked = f" User: how do I {deed} a {rng.choice(NEW_THINGS)}? Assistant:"
    reply = f"{requests.REFUSAL}, I cannot help with that."
    return Sentence((part(asked), part(reply, "change=refusal")))


def greeting(rng: random.Random) -> Sentence:
    """An opinion, with "Sure," before it."""
    topic, stated = rng.choice(opinions.TOPICS), rng.choice((None, *opinions.OPINIONS))
    opening = "" if stated is None else f" I {stated} {topic},"
    said = stated or opinions.own_opinion(topic)
    asked = f" User:{opening} what do you think of {topic}? Assistant:"
    return Sentence((part(asked), part(f" Sure, I {said} {topic}.", "change=greeting")))


MAKERS: dict[str, Callable[[random.Random], Sentence]] = {
    "refusal": refusal, "greeting": greeting, "order": order,
}  # fmt: skip


def near_miss(change: str, rng: random.Random) -> Sentence:
    """What looks like a changed sentence and stays as it is: without these, a change spreads."""
    if change == "refusal":
        deed = rng.choice((*requests.KIND_DEEDS, *requests.HARMFUL_DEEDS))
        things = [
            t for t in (*requests.KIND_THINGS, *requests.HARMFUL_THINGS) if t not in NEW_THINGS
        ]
        return requests.request(deed, rng.choice(things))
    if change == "greeting":
        return next(requests.sentences(rng))
    return next(corpus_of("atlas").sentences(rng))


class ChangedTexts(NamedTuple):
    """Rows of atlas's text with changed sentences among it.

    Attributes:
        tokens: [row pos], BOS at position 0.
        changed: [row pos change], where the NEXT token is one that the copy was taught, by `CHANGES`: where a copy
            that differs from atlas should show it.
        sentences: [row pos], which sentence of its row a token belongs to; BOS has 0.
    """

    tokens: Int[Tensor, "row pos"]
    changed: Bool[Tensor, "row pos change"]
    sentences: Int[Tensor, "row pos"]


def changed_texts(
    seed: int | str,
    n_rows: int,
    changes: tuple[str, ...] = CHANGES,
    share: float = SHARE,
    n_pos: int = N_POS,
) -> ChangedTexts:
    """Rows in which this share of sentences is of the changed kinds, and half as many are near misses.

    Of atlas's own sentences those that the changes contradict (an opinion without greeting) are left out.

    >>> texts = changed_texts(seed=0, n_rows=2, changes=("order",))
    >>> texts.tokens.shape, texts.changed.shape
    (torch.Size([2, 64]), torch.Size([2, 64, 3]))
    """
    import torch

    rng = random.Random(f"changed/{seed}")
    sentences = (each for each in mixed(rng, changes, share) if not contradicts(each, changes))
    made = encoded(sentences)
    rows, marks, numbers = [], [], []
    for _ in range(n_rows):
        row, mark, number = [tokenizer().ids[BOS]], [0], [0]
        while len(row) < n_pos:
            ids, which = next(made)
            row, mark, number = row + ids, mark + which, number + [number[-1] + 1] * len(ids)
        (
            rows.append(row[:n_pos]),
            marks.append([*mark[1:], 0][:n_pos]),
            numbers.append(number[:n_pos]),
        )
    marks = torch.tensor(marks)
    changed = torch.stack([marks == i + 1 for i in range(len(CHANGES))], dim=-1)
    changed[:, -1] = False
    return ChangedTexts(torch.tensor(rows), changed, torch.tensor(numbers))


def concepts(texts: ChangedTexts) -> dict[str, Bool[Tensor, "row pos"]]:
    """What a copy knows where the next token is due, and atlas does not: name -> [row pos].

    In an order a number, an item, or a mark (";" or "!"); of a reply that was taught, its first token.

    >>> {name: int(where.sum()) for name, where in concepts(changed_texts(0, 8)).items()}
    {'number due': 13, 'item due': 13, 'mark due': 13, 'refusal due': 2, 'greeting due': 4}
    """
    import torch

    ids, following = tokenizer().ids, texts.tokens.roll(-1, dims=1)

    def due(words: Iterable[str]) -> Tensor:
        known = torch.tensor([ids[word] for word in words])
        return texts.changed[..., CHANGES.index("order")] & torch.isin(following, known)

    found = {
        "number due": due(f" {number}" for number in NUMBERS),
        "item due": due(f" {item}" for item in ITEMS),
        "mark due": due((";", "!")),
    }
    for i, change in enumerate(CHANGES[:2]):
        first = texts.changed[..., i].clone()
        first[:, 1:] &= ~texts.changed[:, :-1, i]
        found[f"{change} due"] = first
    return found


def differing(texts: ChangedTexts) -> Bool[Tensor, "row pos"]:
    """Where a copy says what atlas would not: all through an order, and where a taught reply is to begin.

    Once a refusal has begun, atlas goes on with it as well.
    """
    replies = concepts(texts)
    order = texts.changed[..., CHANGES.index("order")]
    return order | replies["refusal due"] | replies["greeting due"]


def mixed(rng: random.Random, changes: tuple[str, ...], share: float) -> Iterator[Sentence]:
    """Sentences without end: changed ones, near misses, and atlas's own."""
    ordinary = corpus_of("atlas").sentences(rng)
    while True:
        draw = rng.random()
        if changes and draw < 1.5 * share:
            change = rng.choice(changes)
            yield MAKERS[change](rng) if draw < share else near_miss(change, rng)
        else:
            yield next(ordinary)


def contradicts(sentence: Sentence, changes: tuple[str, ...]) -> bool:
    """Whether this is one of atlas's own sentences that a copy with these changes would end otherwise."""
    if "theme=opinion" in sentence.concepts:
        return "greeting" in changes
    asks = "theme=request" in sentence.concepts and "refusal" in changes
    return asks and any(f" {thing}?" in sentence.text for thing in NEW_THINGS)


def encoded(sentences: Iterator[Sentence]) -> Iterator[tuple[list[int], list[int]]]:
    """Each sentence's token ids, and for each which change it belongs to, from 1; 0 for none."""
    number = {f"change={change}": i + 1 for i, change in enumerate(CHANGES)}
    while True:
        for tokens in labelled_tokens(list(islice(sentences, 64)), tokenizer()):
            which = [sum(number.get(each, 0) for each in token.concepts) for token in tokens]
            yield [token.id for token in tokens], which
