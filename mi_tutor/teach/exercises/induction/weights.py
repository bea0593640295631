"""Chapter 03, circuits in weights: `copying-score`."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mi_tutor.lab.induction.circuits import copying_score
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style, Tolerance
from mi_tutor.teach.exercises.making import normal


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
