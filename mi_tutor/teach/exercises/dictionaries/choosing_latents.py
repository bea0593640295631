"""Chapter 02, reading and marking: `choose-then-mark`."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from mi_tutor.lab import dictionaries as lab
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style
from mi_tutor.teach.exercises.making import and_near_zero, uniform


def best_latent(
    first: Tensor, there_first: Tensor, second: Tensor, there_second: Tensor
) -> tuple[int, float]:
    """The latent with the best F1 on the first texts, and its F1 on the second."""
    found = lab.match_concepts(
        (first, there_first[:, None]), (second, there_second[:, None]), thresholds=False
    )
    return int(found.unit), found.f1.item()


def _mark_cases(g: torch.Generator) -> list[Case]:
    def texts(n, hits, false, strong, p_there):
        there = uniform(g, n) < p_there
        chance = torch.where(there[:, None], torch.tensor(hits), torch.tensor(false))
        on = uniform(g, n, len(hits)) < chance
        values = uniform(g, n, len(hits), low=0.1, high=4.0) * on
        values[:, strong] *= 9  # one that is high wherever it is on
        return values, there

    def case(label, n, n2, hits, false, luck=None, luck2=None, strong=0, p_there=0.2):
        first, there = texts(n, hits, false, strong, p_there)
        second, there2 = texts(n2, hits, false, strong, p_there)
        if luck is not None:  # one that happens to be right on the first texts, and on no others
            first[:, luck] = 3.0 * there
            second[:, luck] = 3.0 * (uniform(g, n2) < 0.2)
        if luck2 is not None:  # one that happens to be right on the second texts, and on no others
            first[:, luck2] = 3.0 * (uniform(g, n) < 0.2)
            second[:, luck2] = 3.0 * there2
        inputs = {"first": first, "there_first": there, "second": second, "there_second": there2}
        return Case(label=label, inputs=inputs)

    even = [0.5] * 12
    return [
        case("one good latent of 6", 400, 300, [0.2, 0.9, 0.3, 0.6, 0.1, 0.4], [0.2, 0.02, 0.3, 0.2, 0.1, 0.02], strong=3),
        case("one that is precise, one that is complete", 400, 400, [0.25, 1.0, 0.8], [0.0, 0.9, 0.05]),
        case("chosen by luck", 200, 200, [0.3, 0.9, 0.5, 0.2], [0.1, 0.1, 0.3, 0.2], luck=2),
        case("luck on both sides", 200, 200, [0.3, 0.95, 0.5, 0.2], [0.1, 0.02, 0.3, 0.2], luck=3, luck2=0),
        case("a rare concept, and a latent that hardly speaks", 900, 900, [0.95, 0.1, 0.3], [0.06, 0.0, 0.1], p_there=0.04),
        case("nothing but chance", 60, 60, even, even),
        case("a concept that most tokens have, and one that is always on", 200, 200, [0.6, 1.0, 0.5], [0.02, 0.97, 0.5], p_there=0.7),
        case("the last of twelve", 200, 200, [*even[1:], 0.9], [*even[1:], 0.05]),
    ]  # fmt: skip


def scored(said: Tensor, there: Tensor) -> tuple[float, float, float]:
    """Precision, recall, F1."""
    return tuple(lab.score_a_label(said, there))


def _all_scores(latents: Tensor, there: Tensor) -> Tensor:
    return torch.tensor([scored(column > 0, there) for column in latents.T])  # [latent, P R F1]


def _choose_by(rule: Callable) -> Callable:
    def answer(first, there_first, second, there_second):
        latent = int(rule(first, there_first).argmax())
        return latent, scored(second[:, latent] > 0, there_second)[2]

    return answer


CHOOSE_THEN_MARK = Exercise(
    slug="choose-then-mark",
    title="Choose here, mark there",
    chapter="02",
    points=2,
    minutes=6,
    difficulty=2,
    objective="Find the latent of a concept without fooling yourself: choose it on some texts, and mark it on others.",
    cases=and_near_zero(_mark_cases, "first", "second", zero_rows=("first", "second")),
    reference=best_latent,
    styles=(
        Style(
            name="all scores, one by one", right=_choose_by(lambda f, t: _all_scores(f, t)[:, 2])
        ),
        Style(
            name="counts by a product",
            right=_choose_by(
                lambda f, t: 2 * ((f > 0).float().T @ t.float()) / ((f > 0).sum(0) + t.sum())
            ),
        ),
    ),
    mistakes=(
        Mistake(
            name="marked where it was chosen",
            wrong=lambda first, there, second, there2: (lambda s: (int(s.argmax()), s.max()))(
                _all_scores(first, there)[:, 2]
            ),
            sentence="Your latent is marked on the texts that it was chosen on, where the best of many always looks good. Choose on the first, mark on "
            "the second.",
        ),
        Mistake(
            name="chosen where it is marked",
            wrong=lambda first, there, second, there2: (lambda s: (int(s.argmax()), s.max()))(
                _all_scores(second, there2)[:, 2]
            ),
            sentence="You choose the latent on the second texts, which are for marking. Then the mark says how lucky you were.",
        ),
        Mistake(
            name="chosen on both",
            wrong=lambda first, there, second, there2: (
                lambda i: (i, scored(second[:, i] > 0, there2)[2])
            )(
                int(
                    _all_scores(torch.cat([first, second]), torch.cat([there, there2]))[
                        :, 2
                    ].argmax()
                )
            ),
            sentence="You choose the latent on the second texts too, together with the first. Texts that it is marked on may have no say in the choice.",
        ),
        Mistake(
            name="chosen and marked on both",
            wrong=lambda first, there, second, there2: (lambda s: (int(s.argmax()), s.max()))(
                _all_scores(torch.cat([first, second]), torch.cat([there, there2]))[:, 2]
            ),
            sentence="You put both texts together. Choose on the first alone, and mark on the second alone.",
        ),
        Mistake(
            name="another latent's mark",
            wrong=lambda first, there, second, there2: (
                int(_all_scores(first, there)[:, 2].argmax()),
                _all_scores(second, there2)[:, 2].max(),
            ),
            sentence="Your F1 is the best on the second texts, and another latent's. Give the F1 there of the latent that was chosen on the first.",
        ),
        Mistake(
            name="exchanged",
            wrong=lambda *args: best_latent(*args)[::-1],
            sentence="Your pair is exchanged: first the latent's number, then its F1.",
        ),
        Mistake(
            name="the wrong way round",
            wrong=lambda first, there, second, there2: best_latent(second, there2, first, there),
            sentence="You choose on the second texts and mark on the first. It is the other way round.",
        ),
        Mistake(
            name="chosen by precision",
            wrong=_choose_by(lambda f, t: _all_scores(f, t)[:, 0]),
            sentence="You choose by precision, and so a latent that hardly ever speaks. F1 asks for both.",
        ),
        Mistake(
            name="chosen by recall",
            wrong=_choose_by(lambda f, t: _all_scores(f, t)[:, 1]),
            sentence="You choose by recall, and so a latent that is nearly always on. F1 asks for both.",
        ),
        Mistake(
            name="chosen by accuracy",
            wrong=_choose_by(lambda f, t: ((f > 0) == t[:, None]).float().mean(0)),
            sentence="You choose by accuracy, the share of tokens that are right. Where a concept is rare, a latent that says nothing is right on nearly all "
            "of them. Choose by F1.",
        ),
        Mistake(
            name="the first latent left out",
            wrong=_choose_by(
                lambda f, t: torch.cat([torch.tensor([-1.0]), _all_scores(f, t)[1:, 2]])
            ),
            sentence="You never choose latent 0, even where it is the best. Does your loop begin at 1?",
        ),
        Mistake(
            name="chosen by mean activation",
            wrong=_choose_by(lambda f, t: f[t].mean(0)),
            sentence="You choose the latent that is highest on the concept's tokens. It may be as high elsewhere. Choose by F1.",
        ),
        Mistake(
            name="all marks",
            wrong=lambda first, there, second, there2: (
                int(_all_scores(first, there)[:, 2].argmax()),
                _all_scores(second, there2)[:, 2],
            ),
            sentence="You give the F1 of all latents. Give one: that of the latent that was chosen.",
        ),
        Mistake(
            name="precision and recall in place of F1",
            wrong=lambda first, there, second, there2: (
                int(_all_scores(first, there)[:, 2].argmax()),
                _all_scores(second, there2)[int(_all_scores(first, there)[:, 2].argmax()), 0],
            ),
            sentence="Your mark is the precision. Give the F1 on the second texts.",
        ),
    ),
    hints=(
        "Your `score_a_label` gives one latent's F1: `first[:, i] > 0` is what latent i says.",
        "Two steps that share nothing but the latent's number: argmax of F1 on the first texts; F1 of that one on the second.",
    ),
)
