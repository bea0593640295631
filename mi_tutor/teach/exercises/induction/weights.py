"""Chapter 03, circuits in weights: `copying-score` and `previous-token-circuit`."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mi_tutor.lab.induction.circuits import copying_score, previous_token_circuit
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style, Tolerance
from mi_tutor.teach.exercises.making import and_near_zero, normal

# --- copying-score --------------------------------------------------------------------------------


def _copying_cases(g: torch.Generator) -> list[Case]:
    def case(
        label: str, vocab: int, d_model: int, d_head: int, copies: float, sign: int = 1
    ) -> Case:
        """A head that copies some of its tokens (the first `copies` of them) and garbles the others."""
        W_E = normal(g, vocab, d_model)
        W_V, W_O = normal(g, d_model, d_head), normal(g, d_head, d_model)
        n_copied = int(copies * vocab)
        W_U = 0.3 * normal(g, d_model, vocab)
        W_U[:, :n_copied] += sign * (W_E @ W_V @ W_O)[:n_copied].mT / d_model
        return Case(label=label, inputs={"W_E": W_E, "W_V": W_V, "W_O": W_O, "W_U": W_U})

    return [
        case("a head that copies most tokens", 20, 10, 6, 0.8),
        case("a head that copies few", 24, 9, 5, 0.25),
        case("vocabulary as large as the model is wide", 12, 12, 7, 0.5),
        case("random weights", 15, 8, 4, 0.0),
        case("a head that holds tokens back: a negative score", 16, 9, 5, 0.7, sign=-1),
    ]


def _full(W_E, W_V, W_O, W_U):
    return W_E @ W_V @ W_O @ W_U


def _top_1(circuit: Tensor) -> Tensor:
    own = torch.arange(len(circuit))
    return (circuit.argmax(dim=1) == own).float().mean()


def _ratio(values: Tensor) -> Tensor:
    return values.real.sum() / values.abs().sum()


def _copying_full(W_E, W_V, W_O, W_U):
    circuit = _full(W_E, W_V, W_O, W_U).double()
    return _top_1(circuit).item(), _ratio(torch.linalg.eigvals(circuit)).item()


def _copying_by_loop(W_E, W_V, W_O, W_U):
    raised = [int((W_E[t] @ W_V @ W_O @ W_U).argmax()) == t for t in range(len(W_E))]
    values = torch.linalg.eigvals(W_V @ W_O @ W_U @ W_E)
    return sum(raised) / len(raised), _ratio(values)


def _copying_einsum(W_E, W_V, W_O, W_U):
    circuit = torch.einsum("vd,dh,he,ew->vw", W_E, W_V, W_O, W_U)
    wins = circuit.diagonal() >= circuit.max(dim=-1).values
    values = torch.linalg.eigvals(torch.einsum("he,ev,vd,dk->hk", W_O, W_U, W_E, W_V))
    return [wins.float().mean(), (values.sum().real / values.abs().sum())]


def _copying(circuit=_full, top_1=_top_1, ratio=lambda c: _ratio(torch.linalg.eigvals(c))):
    def answer(W_E, W_V, W_O, W_U):
        C = circuit(W_E, W_V, W_O, W_U).double()
        return top_1(C).item(), ratio(C).item()

    return answer


def _ov_only(W_E, W_V, W_O, W_U):
    values = torch.linalg.eigvals(W_V @ W_O)
    return _top_1(_full(W_E, W_V, W_O, W_U)).item(), _ratio(values).item()


COPYING_SCORE = Exercise(
    slug="copying-score",
    title="Does the head copy?",
    chapter="03",
    points=3,
    minutes=10,
    difficulty=3,
    objective="Read a head's OV circuit over the vocabulary and say how much it copies, in two ways.",
    cases=_copying_cases,
    reference=copying_score,
    view=lambda value, **inputs: {
        name: _number(part)
        for name, part in zip(
            ("the share of tokens that win", "the eigenvalue score"), value, strict=True
        )
    },
    tolerance={
        "the share of tokens that win": Tolerance(atol=1e-4),
        "the eigenvalue score": Tolerance(rtol=1e-3, atol=1e-3),
    },
    styles=(
        Style(name="the whole circuit in float64", right=_copying_full),
        Style(name="token by token, eigenvalues in d_model", right=_copying_by_loop),
        Style(name="einsum, eigenvalues in d_head, a list", right=_copying_einsum),
    ),
    mistakes=(
        Mistake(
            name="W_OV transposed",
            wrong=_copying(lambda W_E, W_V, W_O, W_U: W_E @ (W_V @ W_O).mT @ W_U),
            sentence="Your W_OV is transposed. In x @ W orientation a value is x W_V, and W_O follows: W_OV = W_V W_O, with W_E on its left.",
        ),
        Mistake(
            name="columns for rows",
            wrong=_copying(top_1=lambda C: _top_1(C.mT)),
            sentence="Your share is taken along columns: which SOURCE raises each output most. Asked for is, per source token (a row), which "
            "output it raises most.",
        ),
        Mistake(
            name="eigenvalues without embedding",
            wrong=_ov_only,
            sentence="Your eigenvalues are those of W_V W_O alone, from stream to stream. Copying is about tokens: embed before and unembed "
            "after.",
        ),
        Mistake(
            name="singular values",
            wrong=_copying(ratio=lambda C: _ratio(torch.linalg.svdvals(C).to(torch.complex128))),
            sentence="You take singular values. They are never negative, so their score is 1 for every head.",
        ),
        Mistake(
            name="sizes without sign",
            wrong=_copying(
                ratio=lambda C: (
                    torch.linalg.eigvals(C).real.abs().sum() / torch.linalg.eigvals(C).abs().sum()
                )
            ),
            sentence="You take the absolute value of the real parts, so negative eigenvalues (tokens that hold themselves back) count as "
            "copying. Keep the sign in the sum above, take sizes below.",
        ),
        Mistake(
            name="share of positive eigenvalues",
            wrong=_copying(
                ratio=lambda C: (
                    (torch.linalg.eigvals(C).real > 1e-6).double().sum()
                    / (torch.linalg.eigvals(C).abs() > 1e-6).double().sum()
                )
            ),
            sentence="You count positive eigenvalues. The score weighs them by their size: the sum of all, divided by the sum of their "
            "absolute values.",
        ),
        Mistake(
            name="trace over norm",
            wrong=_copying(ratio=lambda C: C.trace() / C.norm()),
            sentence="The sum of eigenvalues above is right (it is the trace), but below you have the matrix's norm. Below belongs the sum of "
            "the eigenvalues' absolute values.",
        ),
        Mistake(
            name="raised at all",
            wrong=_copying(top_1=lambda C: (C.diagonal() > 0).double().mean()),
            sentence="You count tokens whose own logit is raised at all. Count those whose own logit is raised MOST.",
        ),
        Mistake(
            name="the two exchanged",
            wrong=lambda *weights: _copying_full(*weights)[::-1],
            sentence="The two scores are exchanged: first the share of tokens, then the eigenvalue score.",
        ),
    ),
    hints=(
        "The circuit is one product of four matrices, [vocab vocab]: rows are the token that is looked at, columns the logits that change.",
        "For the first score: `argmax` along each row. Is it the row's own number?",
        "For the second: `torch.linalg.eigvals` gives complex numbers; `.real` and `.abs()` are what the formula needs. (X Y and Y X have "
        "the same eigenvalues but for zeros, so a d_head × d_head matrix will do.)",
    ),
)


def _number(value: Any) -> Any:
    """As a float; a complex number stays one, so that it can be spoken about."""
    if torch.as_tensor(value).is_complex():
        return value
    number = float(value)
    if number != number:
        raise ValueError("not a number")
    return number


# --- previous-token-circuit -----------------------------------------------------------------------


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
