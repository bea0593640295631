"""Chapter 08, languages: `parts-right`."""

from __future__ import annotations

import torch

from mi_tutor.lab.biology import parts_right
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style


def _parts_cases(g: torch.Generator) -> list[Case]:
    settings = [
        ("one answer", (3, 2, 2), 1, 9),
        ("three languages", (4, 3, 3), 8, 40),
        ("words that several concepts have", (6, 2, 3), 12, 8),
        ("as many of each", (4, 4, 4), 9, 30),
        ("twelve of each", (12, 11, 12), 13, 300),
    ]
    cases = []
    for label, sizes, n, vocab in settings:
        answers = torch.randint(vocab, sizes, generator=g)
        wanted = torch.stack([torch.randint(size, (n,), generator=g) for size in sizes], dim=1)
        guesses = answers.flatten()[torch.randint(answers.numel(), (n,), generator=g)]
        right = torch.arange(n) % 3 == 0
        guesses = torch.where(right, answers[tuple(wanted.T)], guesses)
        guesses[1::5] = vocab + 1  # no answer at all
        same = torch.arange(n) % 3 == 2  # one part as wanted, the others anywhere
        near = wanted.clone()
        near[:, 0], near[:, 1] = near[:, 0].flip(0), near[:, 1].flip(0)
        guesses = torch.where(same, answers[tuple(near.T)], guesses)
        inputs = {"guesses": guesses, "answers": answers, "wanted": wanted}
        cases.append(Case(label=label, inputs=inputs))
    return cases


def _parts_by_loops(guesses, answers, wanted):
    found = []
    for guess, (c, r, k) in zip(guesses.tolist(), wanted.tolist(), strict=True):
        places = (answers[c], answers[:, r], answers[:, :, k])
        found.append([bool((place == guess).any()) for place in places])
    return torch.tensor(found).view(-1, 3)


def _parts_by_index(guesses, answers, wanted):
    tables = (answers[wanted[:, 0]], answers[:, wanted[:, 1]], answers[:, :, wanted[:, 2]])
    flat = (
        tables[0].flatten(1),
        tables[1].movedim(1, 0).flatten(1),
        tables[2].movedim(2, 0).flatten(1),
    )
    return torch.stack([(each == guesses[:, None]).any(dim=1) for each in flat], dim=1)


def _first_cell(guesses, answers, wanted):
    """Only the first cell with this word is looked at."""
    is_it = (answers.flatten() == guesses[:, None]).float()
    where = torch.stack(torch.unravel_index(is_it.argmax(dim=1), answers.shape), dim=1)
    return (where == wanted) & (is_it.sum(dim=1, keepdim=True) > 0)


def _others_as_wanted(guesses, answers, wanted):
    right = answers[tuple(wanted.T)] == guesses
    return right[:, None].expand(-1, 3).clone()


def _with_the_others_wanted(guesses, answers, wanted):
    """A part is right if the word stands at another level of it, or at the wanted one, with the others as wanted."""
    c, r, k = wanted.T
    return torch.stack(
        [
            (guesses[:, None] == answers[:, r, k].T).any(1),
            (answers[c, :, k] == guesses[:, None]).any(1),
            (answers[c, r] == guesses[:, None]).any(1),
        ],
        dim=1,
    )


PARTS_RIGHT = Exercise(
    slug="parts-right",
    title="Which part came out right?",
    chapter="08",
    points=2,
    minutes=15,
    difficulty=3,
    objective="Say of a failed swap which part of the answer followed, and which broke.",
    cases=_parts_cases,
    reference=parts_right,
    styles=(
        Style(name="loops", right=_parts_by_loops),
        Style(name="tables picked by index", right=_parts_by_index),
    ),
    mistakes=(
        Mistake(
            name="the first place of a word",
            wrong=_first_cell,
            sentence="A word may stand in several cells (two countries speak Dutch), and you ask the first one only. A part is right if "
            "any of them has it.",
        ),
        Mistake(
            name="all parts together",
            wrong=_others_as_wanted,
            sentence="All three of your parts are right only where the whole answer is. Asked is each part for itself, so that a failure "
            "can be told from another.",
        ),
        Mistake(
            name="only with the others as wanted",
            wrong=_with_the_others_wanted,
            sentence="You look for the word where the other two parts are as wanted. Whether a part is right does not depend on the others.",
        ),
        Mistake(
            name="in the order of the axes backwards",
            wrong=lambda guesses, answers, wanted: parts_right(guesses, answers, wanted).flip(1),
            sentence="Your columns stand in the opposite order: concept, relation, language is asked for.",
        ),
        Mistake(
            name="what is wrong",
            wrong=lambda guesses, answers, wanted: ~parts_right(guesses, answers, wanted),
            sentence="You say True where a part is NOT as wanted.",
        ),
        Mistake(
            name="any part",
            wrong=lambda guesses, answers, wanted: parts_right(guesses, answers, wanted).any(dim=1),
            sentence="You put the three parts together, [prompt]. Each has its own column, [prompt 3].",
        ),
    ),
    hints=(
        "Where in `answers` does a guess stand? Perhaps nowhere, perhaps in several cells.",
        "`answers == guesses[:, None, None, None]` says so for all guesses, [prompt concept relation language].",
        "The concept is right if the word stands anywhere in `answers[wanted concept]`, whatever relation and language.",
    ),
)
