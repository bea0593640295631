"""Chapter 03, a circuit in weights that looks back by one: `previous-token-circuit`."""

from __future__ import annotations

import torch
from torch import Tensor

from mi_tutor.lab.induction.circuits import previous_token_circuit
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style, Tolerance
from mi_tutor.teach.exercises.making import and_near_zero, normal


def _positional_cases(g: torch.Generator) -> list[Case]:
    def case(label: str, n_pos: int, d_model: int, d_head: int, norm: float) -> Case:
        return Case(
            label=label,
            inputs={
                "W_pos": normal(g, n_pos, d_model),
                "W_Q": normal(g, d_model, d_head) / d_model**0.5 * 1.5,
                "W_K": normal(g, d_model, d_head) / d_model**0.5 * 1.5,
                "norm": norm,
            },
        )

    return [
        case("twelve positions", 12, 12, 5, 1.7),
        case("as many positions as dimensions", 8, 8, 4, 0.6),
        case("one head as wide as the model", 7, 6, 6, 2.2),
        case("two positions", 2, 10, 3, 1.3),
    ]


def _pattern(scores: Tensor, dim: int = -1) -> Tensor:
    future = torch.ones_like(scores, dtype=torch.bool).triu(1)
    return scores.masked_fill(future, float("-inf")).softmax(dim=dim).nan_to_num(0.0)


def _scores(W_pos, W_Q, W_K, norm):
    positions = W_pos / norm
    return (positions @ W_Q) @ (positions @ W_K).mT / W_Q.shape[-1] ** 0.5


def _positional_by_loop(W_pos, W_Q, W_K, norm):
    q, k = W_pos @ W_Q / norm, W_pos @ W_K / norm
    pattern = torch.zeros(len(q), len(k))
    for i in range(len(q)):
        weights = torch.exp(q[i] @ k[: i + 1].T / W_Q.shape[1] ** 0.5)
        pattern[i, : i + 1] = weights / weights.sum()
    return pattern


def _positional_einsum(W_pos, W_Q, W_K, norm):
    n_pos, d_head = len(W_pos), W_Q.shape[1]
    scores = torch.einsum("qd,dh,eh,ke->qk", W_pos, W_Q, W_K, W_pos) / (norm**2 * d_head**0.5)
    mask = torch.full((n_pos, n_pos), float("-inf")).triu(1)
    return torch.softmax(scores + mask, dim=1)


def _positional(factor=lambda W_Q, norm: 1.0, dim=-1):
    return lambda W_pos, W_Q, W_K, norm: _pattern(
        _scores(W_pos, W_Q, W_K, norm) * factor(W_Q, norm), dim
    )


PREVIOUS_TOKEN_CIRCUIT = Exercise(
    slug="previous-token-circuit",
    title="The attention that positions alone would give",
    chapter="03",
    points=3,
    minutes=10,
    difficulty=3,
    objective="Find a previous-token head in the weights, without any text.",
    cases=and_near_zero(_positional_cases, "W_pos", "W_Q", "W_K"),
    reference=previous_token_circuit,
    tolerance=Tolerance(rtol=1e-4, atol=1e-5),
    styles=(
        Style(name="query by query", right=_positional_by_loop),
        Style(name="einsum and an additive mask", right=_positional_einsum),
        Style(
            name="torch's own attention",
            right=lambda W_pos, W_Q, W_K, norm: torch.nn.functional.scaled_dot_product_attention(
                (W_pos / norm @ W_Q)[None],
                (W_pos / norm @ W_K)[None],
                torch.eye(len(W_pos))[None],
                is_causal=True,
            )[0],
        ),
    ),
    mistakes=(
        Mistake(
            name="query and key exchanged",
            wrong=lambda W_pos, W_Q, W_K, norm: _pattern(_scores(W_pos, W_K, W_Q, norm)),
            sentence="Queries and keys are exchanged: rows are queries, made with W_Q; columns are keys, made with W_K.",
        ),
        Mistake(
            name="no mask",
            wrong=lambda W_pos, W_Q, W_K, norm: _scores(W_pos, W_Q, W_K, norm).softmax(dim=-1),
            sentence="Your positions look into the future. Set the scores of keys later than the query to minus infinity before the softmax.",
        ),
        Mistake(
            name="mask the wrong way round",
            wrong=lambda W_pos, W_Q, W_K, norm: (
                _scores(W_pos, W_Q, W_K, norm)
                .masked_fill(
                    torch.ones(len(W_pos), len(W_pos), dtype=torch.bool).tril(-1), float("-inf")
                )
                .softmax(dim=-1)
            ),
            sentence="Your mask is the wrong way round: it takes away the keys that a query may see. Take away the LATER ones.",
        ),
        Mistake(
            name="masked after the softmax",
            wrong=lambda W_pos, W_Q, W_K, norm: (
                _scores(W_pos, W_Q, W_K, norm).softmax(dim=-1).tril()
            ),
            sentence="You cut the future off AFTER the softmax, so what is left no longer sums to 1. Mask the scores, then take the softmax.",
        ),
        Mistake(
            name="zero in place of minus infinity",
            wrong=lambda W_pos, W_Q, W_K, norm: (
                _scores(W_pos, W_Q, W_K, norm).tril().softmax(dim=-1)
            ),
            sentence="You set future scores to 0, and a softmax gives e⁰ = 1 its share. They have to be minus infinity.",
        ),
        Mistake(
            name="softmax over queries",
            wrong=_positional(dim=0),
            sentence="Your softmax runs over queries, so that columns sum to 1. Every query (row) divides its attention over keys.",
        ),
        Mistake(
            name="no division by √d_head",
            wrong=_positional(lambda W_Q, norm: W_Q.shape[1] ** 0.5),
            sentence="The scores are not divided by √d_head.",
        ),
        Mistake(
            name="√d_model",
            wrong=_positional(lambda W_Q, norm: (W_Q.shape[1] / W_Q.shape[0]) ** 0.5),
            sentence="You divide by √d_model. In a head the products have d_head terms: √d_head.",
        ),
        Mistake(
            name="LayerNorm left out",
            wrong=_positional(lambda W_Q, norm: norm**2),
            sentence="You left `norm` out: what reaches the head is the position embedding DIVIDED by it, as query and as key.",
        ),
        Mistake(
            name="LayerNorm on one side",
            wrong=_positional(lambda W_Q, norm: norm),
            sentence="You divide by `norm` once. Query and key are both made from the divided embedding.",
        ),
        Mistake(
            name="scores in place of a pattern",
            wrong=_scores,
            sentence="These are scores. The pattern is their softmax over the keys that a query may see.",
        ),
    ),
    hints=(
        "What would the head see if every token's embedding were zero? x = W_pos / norm, one row per position.",
        "queries = x W_Q, keys = x W_K, scores = queries keysᵀ / √d_head.",
        "`torch.ones(n, n, dtype=torch.bool).triu(1)` is True where a key is later than the query; `masked_fill` sets those scores.",
    ),
)
