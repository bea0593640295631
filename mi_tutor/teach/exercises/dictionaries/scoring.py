"""Chapter 02, reading and marking: `score-a-label`."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from mi_tutor.lab import dictionaries as lab
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style
from mi_tutor.teach.exercises.making import uniform


def score_a_label(said: Tensor, there: Tensor) -> tuple[float, float, float]:
    """Precision, recall, F1."""
    return tuple(lab.score_a_label(said, there))


def _score_cases(g: torch.Generator) -> list[Case]:
    def case(label, n, p_there, hit, false):
        there = uniform(g, n) < p_there
        said = torch.where(there, uniform(g, n) < hit, uniform(g, n) < false)
        there[0], there[1], said[:4] = True, True, torch.tensor([True, False, True, True])
        there[2:4] = False  # one right, one missed, two wrong at least
        return Case(label=label, inputs={"said": said, "there": there})

    nothing = torch.zeros(9, dtype=torch.bool)
    some = torch.arange(9) % 4 == 0
    return [
        case("a fair latent", 60, 0.3, 0.7, 0.1),
        case("a rare concept", 300, 0.02, 0.9, 0.03),
        case("says it too often", 80, 0.2, 0.95, 0.5),
        case("says it too rarely", 80, 0.5, 0.2, 0.02),
        case("hardly ever right", 400, 0.3, 0.02, 0.4),
        Case(label="says nothing", inputs={"said": nothing, "there": some}),
        Case(label="always wrong", inputs={"said": ~some, "there": some}),
        Case(label="a concept that does not occur", inputs={"said": some, "there": nothing}),
        Case(label="nothing there, nothing said", inputs={"said": nothing, "there": nothing}),
    ]


def _counts(said: Tensor, there: Tensor) -> tuple[float, float, float]:
    return float((said & there).sum()), float(said.sum()), float(there.sum())


def _ratio(a: float, b: float) -> float:
    return a / b if b else 0.0


def _scores(f1: Callable | None = None, **other: Callable) -> Callable:
    """Precision, recall and F1, with one of them made otherwise."""

    def answer(said, there):
        right, n_said, n_there = _counts(said, there)
        precision = other.get("precision", lambda *a: _ratio(right, n_said))(said, there)
        recall = other.get("recall", lambda *a: _ratio(right, n_there))(said, there)
        combined = (
            f1(precision, recall) if f1 else _ratio(2 * precision * recall, precision + recall)
        )
        return precision, recall, combined

    return answer


def _score_loop(said, there):
    right = missed = wrong = 0
    for s, t in zip(said.tolist(), there.tolist(), strict=True):
        right, missed, wrong = right + (s and t), missed + (t and not s), wrong + (s and not t)
    return _ratio(right, right + wrong), _ratio(right, right + missed), _ratio(2 * right, 2 * right + missed + wrong)  # fmt: skip


SCORE_A_LABEL = Exercise(
    slug="score-a-label",
    title="Mark a label",
    chapter="02",
    points=2,
    minutes=5,
    difficulty=2,
    objective="Mark a claim about a latent against ground truth: precision, recall and F1.",
    cases=_score_cases,
    reference=score_a_label,
    styles=(
        Style(name="counting one by one", right=_score_loop),
        Style(
            name="harmonic mean",
            right=lambda said, there: (
                lambda p, r: [p, r, 2 / (1 / p + 1 / r) if p and r else 0.0]
            )(*(_ratio(_counts(said, there)[0], each) for each in _counts(said, there)[1:])),
        ),
        Style(
            name="means of floats",
            right=lambda said, there: _scores()(said.float() > 0.5, there.float() > 0.5),
        ),
    ),
    mistakes=(
        Mistake(
            name="precision and recall exchanged",
            wrong=lambda said, there: (lambda p, r, f: (r, p, f))(*_scores()(said, there)),
            sentence="Precision and recall are exchanged. Precision: of the tokens it SAID, how many carry the concept? Recall: of those that carry it, "
            "how many did it say?",
        ),
        Mistake(
            name="arithmetic mean",
            wrong=_scores(f1=lambda p, r: (p + r) / 2),
            sentence="Your F1 is the ordinary mean of the two, so that a latent that is always on scores over one half. F1 is the harmonic mean: 2 P R / "
            "(P + R).",
        ),
        Mistake(
            name="product",
            wrong=_scores(f1=lambda p, r: p * r),
            sentence="Your F1 is the product of the two. It is 2 P R / (P + R).",
        ),
        Mistake(
            name="geometric mean",
            wrong=_scores(f1=lambda p, r: (p * r) ** 0.5),
            sentence="Your F1 is the geometric mean. F1 is the harmonic one: 2 P R / (P + R).",
        ),
        Mistake(
            name="without the 2",
            wrong=_scores(f1=lambda p, r: _ratio(p * r, p + r)),
            sentence="The factor 2 is missing: a perfect latent would have an F1 of one half.",
        ),
        Mistake(
            name="accuracy for precision",
            wrong=_scores(precision=lambda s, t: (s == t).double().mean().item()),
            sentence="Your precision is an accuracy: it counts the tokens where nothing was said and nothing was there, and nearly all tokens are like "
            "that.",
        ),
        Mistake(
            name="shares of all tokens",
            wrong=_scores(
                precision=lambda s, t: (s & t).double().mean().item(),
                recall=lambda s, t: (s & t).double().mean().item(),
            ),
            sentence="You divide by the number of all tokens. Precision divides by how often it was said, recall by how often it was there.",
        ),
        Mistake(
            name="intersection over union",
            wrong=lambda said, there: (
                *_scores()(said, there)[:2],
                _ratio(float((said & there).sum()), float((said | there).sum())),
            ),
            sentence="Your third number is intersection over union. F1 counts what is right twice: 2 right / (said + there).",
        ),
        Mistake(
            name="nothing said, nothing wrong",
            wrong=_scores(precision=lambda s, t: _ratio(*_counts(s, t)[:2]) if s.any() else 1.0),
            sentence="A latent that says nothing has a precision of 1 in yours. Here it is 0: it never was right.",
        ),
        Mistake(
            name="divides by zero",
            wrong=lambda said, there: (
                lambda right, s, t: (right / s, right / t, 2 * right / (s + t))
            )(*(int(each.sum()) for each in (said & there, said, there))),
            sentence="Where nothing was said you divide by zero. Say first what the score is there: 0.",
        ),
        Mistake(
            name="0 / 0 by the formula",
            wrong=lambda said, there: (lambda p, r: (p, r, 2 * p * r / (p + r)))(
                *((said & there).sum().double() / each.sum() for each in (said, there))
            ),
            sentence="Where nothing was said, or nothing right, you divide 0 by 0. Make it 0 there.",
        ),
        Mistake(
            name="0 / 0",
            wrong=lambda said, there: tuple(
                ((said & there).sum().double() * a / b)
                for a, b in (
                    (1, said.sum()),
                    (1, there.sum()),
                    (2, said.sum() + there.sum() * (said & there).any()),
                )
            ),
            sentence="Where nothing was said, or nothing right, you divide 0 by 0. Make it 0 there.",
        ),
    ),
    hints=(
        "Three counts: what was said AND there, what was said, what was there.",
        "Precision divides by the second, recall by the third. F1 = 2 right / (said + there), which is the same as 2 P R / (P + R).",
        "Mind the zeros: a latent that says nothing.",
    ),
)
