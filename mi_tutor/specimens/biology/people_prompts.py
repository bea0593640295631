"""Questions about people as prompts: those of `people`, and those of `atlas` about the people it knows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from mi_tutor.specimens.atlas.prompts import tokenizer
from mi_tutor.specimens.biology import acquaintances
from mi_tutor.specimens.biology.small import BOS, Words
from mi_tutor.world.themes import people as known_to_atlas

if TYPE_CHECKING:
    from jaxtyping import Int
    from torch import Tensor

    from mi_tutor.lab.biology.knowing import Asked

WORDS = Words(acquaintances.vocabulary())
PLACES = {"last name": -2, "answer's place": -1}  # of: BOS, first, last, verb
ATTRIBUTES = tuple(acquaintances.ANSWERS)


class Everyone(NamedTuple):
    """Questions about known people and strangers.

    Attributes:
        asked: the questions (see `Asked`), all of one length.
        people: the number of each one's person.
        folds: 0 or 1 for each person, by lot: for directions that are made of some and asked of others.
        answers: the token ids that would be an answer, right or wrong, to any of the questions.
    """

    asked: Asked
    people: Int[Tensor, prompt]
    folds: Int[Tensor, prompt]
    answers: list[int]


def questions(people: Sequence[tuple[str, str]], asked: Sequence[str] = ATTRIBUTES) -> Asked:
    """Questions of `people` about some people, and what is right."""
    every = [(*who, each) for who in people for each in asked]
    rows = [[WORDS.ids[BOS], *WORDS.encode(acquaintances.question(*one))] for one in every]
    right = [WORDS.ids[f" {acquaintances.fact(*one)}"] for one in every]
    return _asked(rows, [acquaintances.is_known(*one[:2]) for one in every], right)


def people_questions(seen: bool, every: int = 1) -> Everyone:
    """Questions of `people` about all known people and about strangers.

    seen: whether the strangers are those that training had. every: one in so many of the strangers.

    >>> some = people_questions(seen=False, every=10)
    >>> int(some.asked.known.sum()), some.asked.tokens.shape[1]
    (384, 4)
    """
    known = acquaintances.everyone(known=True)
    people = [*known, *acquaintances.everyone(known=False, seen=seen)[::every]]
    said = [WORDS.ids[f" {word}"] for each in acquaintances.ANSWERS.values() for word in each]
    return _everyone(questions(people), len(people), len(ATTRIBUTES), said)


def atlas_questions(seen: bool, asked: str = "sport") -> Everyone:
    """Questions of `atlas` about all people it knows and about strangers. asked: the name of one question."""
    theme, ids = known_to_atlas, tokenizer().ids
    everyone = [(first, last) for first in theme.FIRST for last in theme.LAST]
    known = [who for who in everyone if theme.is_known(*who)]
    strangers = [who for who in everyone if not theme.is_known(*who)]
    people = [*known, *(who for who in strangers if theme.is_held_out(*who) != seen)]
    texts = [theme.question(*who, asked).before("answer").text for who in people]
    rows = [[ids[BOS], *tokenizer().encode(text)] for text in texts]
    right = [ids[f" {theme.answer_about(*who, asked)}"] for who in people]
    every = _asked(rows, [theme.is_known(*who) for who in people], right)
    said = [ids[f" {word}"] for word in theme.QUESTIONS[asked][2]]
    return _everyone(every, len(people), 1, said)


def _asked(rows: list[list[int]], known: list[bool], right: list[int]) -> Asked:
    import torch

    from mi_tutor.lab.biology.knowing import Asked

    return Asked(*(torch.tensor(each) for each in (rows, known, right)))


def _everyone(asked: Asked, n_people: int, n_questions: int, said: list[int]) -> Everyone:
    """Folds are by lot among the known and among the strangers, so that both are in each.

    Known people are in the same fold whichever strangers are beside them.
    """
    import torch

    people = torch.arange(n_people).repeat_interleave(n_questions)
    known = asked.known[::n_questions]
    folds = torch.zeros(n_people, dtype=torch.long)
    for group in (known, ~known):
        lot = torch.randperm(int(group.sum()), generator=torch.Generator().manual_seed(0))
        folds[group] = lot % 2
    return Everyone(asked, people, folds[people], said)
