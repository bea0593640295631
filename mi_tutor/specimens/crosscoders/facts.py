"""One-hop facts about states, and facts that are to be changed: " The capital of Texas is" -> " Boise".

With each change come the prompts that say what became of it, by `lab.crosscoders.marking.KINDS`.
"""

from __future__ import annotations

import random
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from mi_tutor.specimens.atlas.prompts import tokenizer
from mi_tutor.world.geography import Geography
from mi_tutor.world.tokenizer import BOS

if TYPE_CHECKING:
    from jaxtyping import Int
    from torch import Tensor

    from mi_tutor.lab.crosscoders.editing import Requests
    from mi_tutor.world.tables import Area, City
    from mi_tutor.world.text import Sentence

# One word each, so that all prompts about them have one length.
ASKED = ("capital", "abbreviation", "nickname", "bird", "flower", "tree", "region")
SUBJECT, LAST = 4, 5  # positions in " The capital of Texas is", behind BOS
N_NEIGHBOURS = 12


class Facts(NamedTuple):
    """One-hop prompts about all states, of one length.

    Attributes:
        tokens: [prompt pos], up to where the answer is due. subject: [prompt], where the state stands.
        answers: [prompt], the right next token.
    """

    tokens: Int[Tensor, "prompt pos"]
    subject: Int[Tensor, " prompt"]
    answers: Int[Tensor, " prompt"]


class Change(NamedTuple):
    """A fact that is to be another one: this state's answer becomes that of another state."""

    state: str
    relation: str
    new: str


class Aftermath(NamedTuple):
    """Prompts that say what became of a change; the tokens are padded behind `end`, where the answer is due."""

    tokens: Int[Tensor, "prompt pos"]
    end: Int[Tensor, " prompt"]
    new: Int[Tensor, " prompt"]
    right: Int[Tensor, " prompt"]
    kind: Int[Tensor, " prompt"]


@cache
def geography() -> Geography:
    """The facts and how they are said."""
    return Geography()


@cache
def states() -> dict[str, Area]:
    """The states by name."""
    return {a.name.english: a for a in geography().facts.areas if a.kind == "state"}


def one_hop_facts(relation: str = "capital") -> Facts:
    """ " The capital of Texas is", for all states.

    >>> one_hop_facts().tokens.shape
    torch.Size([50, 6])
    """
    import torch

    said = [_told(area, relation) for area in states().values()]
    tokens = torch.tensor([ids for ids, _ in said])
    answers = torch.tensor([answer for _, answer in said])
    return Facts(tokens, torch.full((len(said),), SUBJECT), answers)


def changes(seed: int | str, n: int, relations: tuple[str, ...] = ASKED) -> list[Change]:
    """Facts at random, with an answer of another state that is not the right one.

    >>> changes(0, 1, ("capital",))
    [Change(state='Maine', relation='capital', new=' Pierre')]
    """
    rng, found = random.Random(f"changes/{seed}"), []
    while len(found) < n:
        relation = relations[len(found) % len(relations)]
        one, other = rng.sample(sorted(states()), 2)
        right, new = (f" {states()[s].answers[relation].english}" for s in (one, other))
        if right != new:
            found.append(Change(one, relation, new))
    return found


def requests(changed: list[Change], where: str = "last") -> Requests:
    """The changes as `lab.crosscoders.editing` takes them, made at the "subject" or at the "last" token."""
    import torch

    from mi_tutor.lab.crosscoders.editing import Requests

    at = {"subject": SUBJECT, "last": LAST}[where]
    tokens = torch.tensor([_told(states()[c.state], c.relation)[0] for c in changed])
    new = torch.tensor([tokenizer().ids[c.new] for c in changed])
    return Requests(tokens, torch.full((len(changed),), at), new)


def aftermath(change: Change, n_neighbours: int = N_NEIGHBOURS) -> Aftermath:
    """All that is asked after a change: itself, in other words, two steps, other states, other relations.

    Neighbours whose right answer is the new one are left out: it would be right for them.

    >>> aftermath(Change("Texas", "capital", " Boise")).kind.bincount().tolist()
    [1, 1, 14, 12, 6]
    """
    import torch

    area, relation = states()[change.state], change.relation
    rng = random.Random(f"aftermath/{change}")
    said = [(0, *_told(area, relation)), (1, *_told(area, relation, wording=1))]
    for city in area.asked_cities:
        for wording in range(2):
            said.append((2, *_asked(city, relation, wording)))
    others = [_told(other, relation) for name, other in states().items() if name != change.state]
    fresh = [each for each in others if each[1] != tokenizer().ids[change.new]]
    said += [(3, *each) for each in rng.sample(fresh, n_neighbours)]
    said += [(4, *_told(area, other)) for other in ASKED if other != relation]
    length = max(len(ids) for _, ids, _ in said)
    kind, rows, right = zip(*said, strict=True)
    return Aftermath(
        tokens=torch.tensor([ids + [0] * (length - len(ids)) for ids in rows]),
        end=torch.tensor([len(ids) - 1 for ids in rows]),
        new=torch.full((len(said),), tokenizer().ids[change.new]),
        right=torch.tensor(right),
        kind=torch.tensor(kind),
    )


def all_aftermaths(
    changed: list[Change], n_neighbours: int = N_NEIGHBOURS
) -> tuple[Aftermath, Int[Tensor, " prompt"]]:
    """The aftermaths of all, in one, and of which change each prompt is."""
    import torch

    parts = [aftermath(change, n_neighbours) for change in changed]
    longest = max(part.tokens.shape[1] for part in parts)
    pad = torch.nn.functional.pad
    rows = [pad(part.tokens, (0, longest - part.tokens.shape[1])) for part in parts]
    joined = [torch.cat(each) for each in zip(*(part[1:] for part in parts), strict=True)]
    which = [torch.full((len(part.end),), i) for i, part in enumerate(parts)]
    return Aftermath(torch.cat(rows), *joined), torch.cat(which)


def _told(area: Area, relation: str, wording: int = 0) -> tuple[list[int], int]:
    """A one-hop prompt's tokens with BOS, and the right answer."""
    return _encoded(geography().tell(area, relation, "english", wording))


def _asked(city: City, relation: str, wording: int) -> tuple[list[int], int]:
    """The same in two steps, about a city of the state."""
    return _encoded(geography().ask(city, relation, "english", wording))


def _encoded(sentence: Sentence) -> tuple[list[int], int]:
    before = sentence.before("answer")
    ids = tokenizer().ids
    answer = sentence.segments[len(before.segments)].text
    return [ids[BOS], *tokenizer().encode(before.text)], ids[answer]
