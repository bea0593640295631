"""Chapter 03, the text that only induction can predict: `repeated-tokens`."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from mi_tutor.lab.induction.texts import repeated_tokens
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style
from mi_tutor.teach.exercises.making import GOES_ON, fresh_generator, run_with_generator


def _repeat_cases(g: torch.Generator) -> list[Case]:
    seed = int(torch.randint(1000, (), generator=g))
    settings = [
        ("twenty rows of two times nine words", 20, 40, 20, 9),
        ("one row", 7, 60, 1, 30),
        ("short blocks", 100, 9, 50, 5),
        ("as many words as the vocabulary has", 30, 10, 15, 10),
    ]
    return [
        Case(
            label=label,
            inputs={
                "vocabulary": start + 2 * torch.arange(n_words),
                "n_rows": n_rows,
                "n_block": n_block,
                "bos": 12,
                "generator": fresh_generator(seed + i),
            },
        )
        for i, (label, start, n_words, n_rows, n_block) in enumerate(settings)
    ]


def _unlike(blocks: Tensor, vocabulary: Tensor) -> bool:
    """Whether the first row's neighbours are hardly ever neighbours in other rows."""
    if len(blocks) == 1:
        return True
    pairs = blocks[:, :-1] * (int(vocabulary.max()) + 1) + blocks[:, 1:]
    shared = float(torch.isin(pairs[1:], pairs[0]).float().mean())
    return shared < 1 / 2


def _repeat_view(
    value: dict[str, Any], vocabulary: Tensor, n_rows: int, n_block: int, bos: int, generator: Any
) -> dict[str, Any]:
    """What must be so of any draw; after a wrong shape only the shape."""
    tokens = value["sample"]
    shape = {
        "the shape": list(tokens.shape),
        "whether it holds whole numbers": not tokens.is_floating_point(),
    }
    if shape["the shape"] != [n_rows, 1 + 2 * n_block]:
        return shape
    first, second = tokens[:, 1 : n_block + 1], tokens[:, n_block + 1 :]
    ordered, second_ordered = first.sort(dim=1).values, second.sort(dim=1).values
    return shape | {
        "whether each row begins with BOS": bool((tokens[:, 0] == bos).all()),
        "whether all words are from the vocabulary": bool(
            torch.isin(tokens[:, 1:], vocabulary).all()
        ),
        "whether the second block has the words of the first": bool(
            (ordered == second_ordered).all()
        ),
        "whether the second block has them in the same order": bool((first == second).all()),
        "whether the words of a block differ": bool((ordered.diff(dim=1) != 0).all()),
        "whether rows have different words": n_rows == 1
        or n_block == len(vocabulary)
        or bool((ordered != ordered[:1]).any()),
        "whether rows differ": n_rows == 1 or bool((first != first[:1]).any()),
        "whether the order of one row tells nothing of another's": _unlike(first, vocabulary),
        "whether the order is random": bool((first.diff(dim=1) < 0).any()),
        "whether all randomness comes from the generator": value["used"],
        GOES_ON: value["goes on"],
    }


def _blocks(vocabulary, n_rows, n_block, generator):
    order = torch.stack(
        [torch.randperm(len(vocabulary), generator=generator) for _ in range(n_rows)]
    )
    return vocabulary[order[:, :n_block]]


def _joined(vocabulary, n_rows, n_block, bos, generator, *, second=lambda block: block):
    block = _blocks(vocabulary, n_rows, n_block, generator)
    return torch.cat([torch.full((n_rows, 1), bos), block, second(block)], dim=1)


def _repeat_by_rows(vocabulary, n_rows, n_block, bos, generator):
    rows = []
    for _ in range(n_rows):
        block = vocabulary[torch.randperm(len(vocabulary), generator=generator)[:n_block]].tolist()
        rows.append([bos] + 2 * block)
    return torch.tensor(rows)


def _repeat_by_multinomial(vocabulary, n_rows, n_block, bos, generator):
    weights = torch.ones(n_rows, len(vocabulary))
    block = vocabulary[torch.multinomial(weights, n_block, generator=generator)]
    return F.pad(block.repeat(1, 2), (1, 0), value=bos)


def _with_replacement(vocabulary, n_rows, n_block, bos, generator):
    index = torch.randint(len(vocabulary), (n_rows, n_block), generator=generator)
    index[:, -1] = index[:, 0]
    block = vocabulary[index]
    return torch.cat([torch.full((n_rows, 1), bos), block, block], dim=1)


def _same_row(vocabulary, n_rows, n_block, bos, generator):
    return _repeat_by_rows(vocabulary, 1, n_block, bos, generator).repeat(n_rows, 1)


def _same_words(vocabulary, n_rows, n_block, bos, generator):
    return _joined(vocabulary[:n_block], n_rows, n_block, bos, generator)


def _indices(vocabulary, n_rows, n_block, bos, generator):
    return _joined(torch.arange(len(vocabulary)), n_rows, n_block, bos, generator)


def _own_randomness(vocabulary, n_rows, n_block, bos, generator):
    return _repeat_by_rows(vocabulary, n_rows, n_block, bos, None)


REPEATED_TOKENS = Exercise(
    slug="repeated-tokens",
    title="A text that only induction can predict",
    chapter="03",
    points=2,
    minutes=6,
    difficulty=2,
    objective="Make text in which the second half is predictable from the first and from nothing else.",
    cases=_repeat_cases,
    reference=repeated_tokens,
    run=run_with_generator,
    view=_repeat_view,
    styles=(
        Style(name="row by row", right=_repeat_by_rows),
        Style(name="multinomial without replacement", right=_repeat_by_multinomial),
        Style(name="stacked permutations", right=_joined),
    ),
    mistakes=(
        Mistake(
            name="no BOS",
            wrong=lambda *args: _joined(*args)[:, 1:],
            sentence="The rows have no BOS. The model never saw a text without it, and every position would be shifted by one.",
        ),
        Mistake(
            name="BOS before each block",
            wrong=lambda *args: torch.cat([_joined(*args)[:, : args[2] + 1]] * 2, dim=1),
            sentence="You put a BOS before the second block as well. It would tell the model where the repetition begins; one, at "
            "the start of the row, is enough.",
        ),
        Mistake(
            name="a new second block",
            wrong=lambda *args: torch.cat(
                [_joined(*args)[:, : args[2] + 1], _blocks(*args[:3], args[4])],
                dim=1,
            ),
            sentence="The second block is drawn anew, so there is nothing to copy. Draw once and put the same block twice.",
        ),
        Mistake(
            name="reversed copy",
            wrong=lambda *args: _joined(*args, second=lambda block: block.flip(1)),
            sentence="The second block has the same words in another order. Induction continues in the ORDER of the first time.",
        ),
        Mistake(
            name="each word doubled",
            wrong=lambda *args: torch.cat(
                [
                    torch.full((args[1], 1), args[3]),
                    _blocks(args[0], args[1], args[2], args[4]).repeat_interleave(2, dim=1),
                ],
                dim=1,
            ),
            sentence="You repeat every word at once (a a b b), not the block (a b a b). That can be predicted without looking back "
            "further than one word.",
        ),
        Mistake(
            name="words drawn with replacement",
            wrong=_with_replacement,
            sentence="A word can come twice within a block. It then has two continuations, and no rule can know which is meant: draw "
            "without replacement.",
        ),
        Mistake(
            name="one block for all rows",
            wrong=_same_row,
            sentence="All rows are the same, so an average over them is one measurement. Each row needs a block of its own.",
        ),
        Mistake(
            name="the same words in every row",
            wrong=_same_words,
            sentence="All rows have the same words, only in another order. Draw each row's words from the WHOLE vocabulary.",
        ),
        Mistake(
            name="numbers in place of ids",
            wrong=_indices,
            sentence="You return places in `vocabulary` (0, 1, 2, ...) and not the ids that stand there.",
        ),
        Mistake(
            name="global randomness",
            wrong=_own_randomness,
            sentence="Some of the randomness does not come from `generator`, so the same seed gives another text. Hand "
            "`generator=generator` to every draw.",
        ),
    ),
    hints=(
        "Per row: a random order of the vocabulary, of which you take the first n_block entries. That cannot draw a word twice.",
        "`torch.randperm(n, generator=...)` gives one random order; sorting random numbers (`torch.rand(...).argsort(dim=1)`) gives "
        "one per row at once.",
        "`torch.cat` along dim=1 joins a column of BOS, the block, and the block again.",
    ),
)
