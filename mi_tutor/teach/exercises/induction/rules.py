"""Chapter 03, which rule a model follows: `fuzzy-copy`."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mi_tutor.lab.induction.texts import fuzzy_copy, rotated_tokens
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style, Tolerance
from mi_tutor.teach.exercises.making import normal


def _fuzzy_cases(g: torch.Generator) -> list[Case]:
    def case(label: str, n_rows: int, n_block: int, vocab: int, shift: int) -> Case:
        tokens = rotated_tokens(torch.arange(1, vocab), n_rows, n_block, 0, g, shift)
        logits = 2 * normal(g, n_rows, 1 + 2 * n_block, vocab)
        return Case(label=label, inputs={"logits": logits, "tokens": tokens, "n_block": n_block})

    return [
        case("blocks of 12, rotated by 2", 11, 12, 18, 2),
        case("one row", 1, 8, 11, 3),
        case("rotated by 1", 4, 5, 9, 1),
    ]


def _rule_means(
    logits,
    tokens,
    n_block,
    by_token=lambda row, q, n: row[int((row[1 : n + 1] == row[q]).nonzero()) + 2],
    by_position=lambda row, q, n: row[q - (n - 1)],
    queries=lambda n: range(n + 1, 2 * n),
    value=lambda logits: logits.softmax(dim=-1),
):
    p, sums, count = value(logits), [0.0, 0.0], 0
    for i, row in enumerate(tokens):
        for q in queries(n_block):
            count += 1
            for j, rule in enumerate((by_token, by_position)):
                sums[j] += float(p[i, q, rule(row, q, n_block)])
    return torch.tensor(sums[0] / count), torch.tensor(sums[1] / count)


def _fuzzy(**other):
    return lambda logits, tokens, n_block: _rule_means(logits, tokens, n_block, **other)


def _fuzzy_by_matrix(logits, tokens, n_block):
    first, second = tokens[:, 1 : n_block + 1], tokens[:, n_block + 1 :]
    place = (second[:, :, None] == first[:, None, :]).float().argmax(dim=-1)  # in the first block
    queries = slice(n_block + 1, 2 * n_block)
    followers = tokens.gather(1, place + 2)[:, :-1]
    p = logits[:, queries].softmax(dim=-1)
    at_distance = tokens[:, 2 : n_block + 1]
    return [p.gather(-1, ids[..., None]).mean() for ids in (followers, at_distance)]


def _one_number(value: Any) -> Any:
    """A tensor with axes stays one, so that its shape can be spoken about."""
    return value if isinstance(value, Tensor) and value.ndim else float(value)


FUZZY_COPY = Exercise(
    slug="fuzzy-copy",
    title="The token, or the position?",
    chapter="03",
    points=3,
    minutes=12,
    difficulty=3,
    objective="Tell two rules apart that agree on all the text so far, with a text on which they differ.",
    cases=_fuzzy_cases,
    reference=fuzzy_copy,
    view=lambda value, logits, tokens, n_block: {
        "the probability by token": _one_number(value[0]),
        "the probability by position": _one_number(value[1]),
    },
    tolerance=Tolerance(rtol=1e-4, atol=1e-5),
    styles=(
        Style(name="loops", right=_rule_means),
        Style(name="all at once, a list", right=_fuzzy_by_matrix),
        Style(
            name="Python numbers",
            right=lambda *given: tuple(float(x) for x in _rule_means(*given)),
        ),
    ),
    mistakes=(
        Mistake(
            name="exchanged",
            wrong=lambda *given: _rule_means(*given)[::-1],
            sentence="The two probabilities are exchanged: first the rule that goes by the token, then the one that goes by the position.",
        ),
        Mistake(
            name="the copy itself",
            wrong=_fuzzy(by_token=lambda row, q, n: row[q]),
            sentence="By token, you take the probability of the earlier copy itself. The rule says: what came AFTER it.",
        ),
        Mistake(
            name="one position off",
            wrong=_fuzzy(by_position=lambda row, q, n: row[q - n]),
            sentence="By position, you look n_block positions back from the query. The query predicts the NEXT token, and n_block before that is "
            "n_block - 1 before the query.",
        ),
        Mistake(
            name="what really comes next",
            wrong=_fuzzy(by_token=lambda row, q, n: row[q + 1]),
            sentence="By token, you take the token that comes next in the text. At one query that is another one: after the first block's last word "
            "came the second block's first.",
        ),
        Mistake(
            name="the last query counted",
            wrong=_fuzzy(queries=lambda n: range(n + 1, 2 * n + 1)),
            sentence="You count the last position as well, where both rules name the same token. Queries are n_block + 1 to 2 n_block - 1.",
        ),
        Mistake(
            name="queries without BOS",
            wrong=_fuzzy(queries=lambda n: range(n + 2, 2 * n)),
            sentence="You leave the second block's first query out. It stands at n_block + 1, since BOS is at 0.",
        ),
        Mistake(
            name="log probabilities",
            wrong=_fuzzy(value=lambda logits: logits.log_softmax(dim=-1)),
            sentence="You average log probabilities. The mean of probabilities is asked for.",
        ),
        Mistake(
            name="logits",
            wrong=_fuzzy(value=lambda logits: logits),
            sentence="You average logits. Take the softmax over the vocabulary first.",
        ),
    ),
    hints=(
        "Write a row of two times four words down, the second time rotated, and mark for one query what each rule predicts.",
        "The rule by token: where in the first block is the query's token, and what is one position further in the row?",
        "The rule by position: in plain repetition the next token is the one n_block places before it.",
    ),
)
