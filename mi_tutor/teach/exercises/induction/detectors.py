"""Chapter 03, reading attention patterns: `head-detectors`."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from mi_tutor.lab.induction.heads import (
    current_token_score,
    diagonal,
    first_token_score,
    induction_score,
    previous_token_score,
    second_block,
)
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style
from mi_tutor.teach.exercises.making import normal


class Detected(NamedTuple):
    """The four scores of `head-detectors`, each [head], in the order in which the exercise asks for them."""

    previous: Tensor
    current: Tensor
    first: Tensor
    induction: Tensor


def head_detectors(pattern: Tensor, n_block: int) -> Detected:
    """Previous-token, current-token, first-token and induction score of each head; pattern: [head query key]."""
    return Detected(
        previous_token_score(pattern),
        current_token_score(pattern),
        first_token_score(pattern),
        induction_score(pattern, n_block),
    )


def _cases(g: torch.Generator) -> list[Case]:
    def case(label: str, n_heads: int, n_block: int) -> Case:
        n_pos = 1 + 2 * n_block
        scores = 2 * normal(g, n_heads, n_pos, n_pos)
        future = torch.ones(n_pos, n_pos, dtype=torch.bool).triu(1)
        pattern = scores.masked_fill(future, float("-inf")).softmax(dim=-1)
        return Case(label=label, inputs={"pattern": pattern, "n_block": n_block})

    return [
        case("twelve heads, blocks of 6", 12, 6),
        case("one head", 1, 9),
        case("as many heads as positions", 7, 3),
        case("long blocks", 3, 20),
    ]


def _by_loops(pattern, n_block):
    n_pos = pattern.shape[-1]
    every = range(2, n_pos)
    second = range(n_block + 1, 2 * n_block + 1)

    def mean(queries, key_of):
        return torch.stack([pattern[:, q, key_of(q)] for q in queries], dim=-1).mean(dim=-1)

    return (
        mean(every, lambda q: q - 1),
        mean(every, lambda q: q),
        mean(every, lambda q: 0),
        mean(second, lambda q: q - n_block + 1),
    )


def _by_index(pattern, n_block):
    q = torch.arange(2, pattern.shape[-1])
    late = torch.arange(n_block + 1, 2 * n_block + 1)
    pairs = ((q, q - 1), (q, q), (q, 0 * q), (late, late - n_block + 1))
    return [pattern[:, query, key].mean(dim=-1) for query, key in pairs]


def _by_masks(pattern, n_block):
    n_pos = pattern.shape[-1]
    query, key = torch.arange(n_pos)[:, None], torch.arange(n_pos)[None, :]
    rules = (
        (key == query - 1) & (query >= 2),
        (key == query) & (query >= 2),
        (key == 0) & (query >= 2),
        (key == query - (n_block - 1)) & (query > n_block),
    )
    return torch.stack([torch.einsum("hqk,qk->h", pattern, r.float()) / r.sum() for r in rules])


def _with(**other):
    """An answer that is right but for some of the four scores, given as functions of (pattern, n_block)."""

    def answer(pattern, n_block):
        right = head_detectors(pattern, n_block)
        return right._replace(**{name: score(pattern, n_block) for name, score in other.items()})

    return answer


def _induction_from(first_query, back=lambda n: n - 1):
    def score(pattern, n):
        start = first_query(n)
        return torch.stack(
            [pattern[:, q, q - back(n)] for q in range(start, 2 * n + 1)], dim=-1
        ).mean(dim=-1)

    return score


HEAD_DETECTORS = Exercise(
    slug="head-detectors",
    title="Four head detectors",
    chapter="03",
    points=4,
    minutes=12,
    difficulty=3,
    objective="Recognise previous-token, current-token, first-token and induction heads from their attention patterns.",
    cases=_cases,
    reference=head_detectors,
    view=lambda value, pattern, n_block: {
        f"the {name}-token score" if name != "induction" else "the induction score": score
        for name, score in zip(Detected._fields, value, strict=True)
    },
    styles=(
        Style(name="loops over queries", right=_by_loops),
        Style(name="advanced indexing, a list", right=_by_index),
        Style(name="masks and einsum, stacked", right=_by_masks),
    ),
    mistakes=(
        Mistake(
            name="the earlier copy itself",
            wrong=_with(induction=lambda p, n: second_block(p, n, back=n)),
            sentence="Your induction diagonal is off by one: it measures attention to the earlier copy of the token itself "
            "(a duplicate-token head). An induction head looks at what came AFTER the earlier copy.",
        ),
        Mistake(
            name="two after the earlier copy",
            wrong=_with(induction=lambda p, n: second_block(p, n, back=n - 2)),
            sentence="Your induction diagonal is off by one in the other direction: it lies two tokens after the earlier copy. Write "
            "the positions of `BOS a b a b` down and count.",
        ),
        Mistake(
            name="the first block averaged in",
            wrong=_with(induction=lambda p, n: diagonal(p, n - 1).mean(dim=-1)),
            sentence="Your induction score also averages over queries of the first block, where nothing has come twice yet and there is "
            "nothing to find. Only queries of the second block count.",
        ),
        Mistake(
            name="BOS not counted",
            wrong=_with(
                induction=lambda p, n: torch.stack(
                    [p[:, q, q - n + 1] for q in range(n, 2 * n)], dim=-1
                ).mean(dim=-1)
            ),
            sentence="Your induction score starts one query too early and ends one too early, as if there were no BOS: the second block "
            "begins at position n_block + 1.",
        ),
        Mistake(
            name="from the second word of the second block",
            wrong=_with(induction=_induction_from(lambda n: n + 2)),
            sentence="Your induction score leaves the second block's first query out. Its token has an earlier copy too (at position 1), so "
            "it counts.",
        ),
        Mistake(
            name="the last query left out",
            wrong=_with(
                induction=lambda p, n: torch.stack(
                    [p[:, q, q - n + 1] for q in range(n + 1, 2 * n)], dim=-1
                ).mean(dim=-1)
            ),
            sentence="Your induction score leaves the last query out, at position 2 n_block. Nothing comes after it in the text, but where it "
            "looks can be seen all the same.",
        ),
        Mistake(
            name="query and key exchanged",
            wrong=lambda p, n: head_detectors(p.mT, n),
            sentence="You read the pattern with query and key exchanged: [head query key] has the query as its row. A query looks back, so "
            "key = query - 1 lies BELOW the diagonal.",
        ),
        Mistake(
            name="previous and current exchanged",
            wrong=_with(
                previous=lambda p, n: current_token_score(p),
                current=lambda p, n: previous_token_score(p),
            ),
            sentence="The previous-token and the current-token score are exchanged. The current token's key is the query's own position.",
        ),
        Mistake(
            name="the next token for the previous one",
            wrong=_with(previous=lambda p, n: p.diagonal(1, -2, -1)[:, 2:].mean(dim=-1)),
            sentence="Your previous-token diagonal lies above the main one: keys after the query, which get no attention at all. In torch "
            "a negative offset goes below the diagonal.",
        ),
        Mistake(
            name="query 1 counted",
            wrong=lambda p, n: Detected(
                diagonal(p, 1).mean(dim=-1),
                diagonal(p, 0)[:, 1:].mean(dim=-1),
                p[:, 1:, 0].mean(dim=-1),
                induction_score(p, n),
            ),
            sentence="You count query 1 as well. There the previous token IS the first one, so it says nothing about the kind of head: "
            "start at query 2.",
        ),
        Mistake(
            name="the first queries counted",
            wrong=lambda p, n: Detected(
                diagonal(p, 1).mean(dim=-1),
                diagonal(p, 0).mean(dim=-1),
                p[:, :, 0].mean(dim=-1),
                induction_score(p, n),
            ),
            sentence="You count queries 0 and 1 as well. At query 0 there is one key only, and at query 1 the previous token IS the first "
            "one, so these two say nothing about the kind of head.",
        ),
        Mistake(
            name="attention of the first token",
            wrong=_with(first=lambda p, n: p[:, 0, 2:].mean(dim=-1)),
            sentence="Your first-token score takes row 0 of the pattern: where the first token looks. Asked for is how much the others look "
            "AT it, column 0.",
        ),
        Mistake(
            name="sums in place of means",
            wrong=lambda p, n: tuple(
                score * count
                for score, count in zip(
                    head_detectors(p, n), (2 * n - 1, 2 * n - 1, 2 * n - 1, n), strict=True
                )
            ),
            sentence="Your scores are sums over queries. A mean lies between 0 and 1 whatever the length.",
        ),
        Mistake(
            name="one number for all heads",
            wrong=lambda p, n: tuple(score.mean() for score in head_detectors(p, n)),
            sentence="You average over heads too. Each head has scores of its own: four tensors of shape [head].",
        ),
    ),
    hints=(
        "Draw the pattern of `BOS a b c a b c` on paper, queries down, keys across, and mark where each kind of head puts its weight. "
        "All but the first-token head mark a diagonal.",
        "`pattern.diagonal(offset=-1, dim1=-2, dim2=-1)` is the diagonal one below the main one. Its entry i belongs to query i + 1.",
        "The present token stands n_block positions after its earlier copy. How far is it from the token after that copy? And which are "
        "the queries of the second block?",
    ),
)
