"""Chapter 06: `validate`."""

from __future__ import annotations

import torch
from torch import Tensor

from mi_tutor.lab.tracing import agreement, divergences, spearman
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style, Tolerance
from mi_tutor.teach.exercises.making import normal, uniform


def _cases(g: torch.Generator) -> list[Case]:
    settings = [
        ("all latents", 40, 12, 40, False),
        ("a sample of them", 40, 9, 15, False),
        ("equal predictions", 30, 8, 20, True),
        ("a small sample", 12, 30, 4, False),
        ("logits far from 0", 25, 6, 25, False),
        ("what matters least is named first", 25, 9, 18, False),
    ]
    cases = []
    for label, n, vocab, size, ties in settings:
        strength = uniform(g, n, low=0.15) ** 2  # a few matter much, none nothing
        before = 2 * normal(g, vocab) + (30.0 if "far" in label else 0.0)
        after = before + 6 * strength[:, None] * normal(g, n, vocab) + normal(g, n, 1)
        predicted = strength * (0.5 + uniform(g, n))
        if "least" in label:
            predicted = 1.6 - predicted  # a graph that is wrong: a negative correlation
        if ties:
            predicted = (predicted * 6).round() / 6
        sample = torch.randperm(n, generator=g)[:size]
        if ties:
            # Two values at least, and many equal ones.
            sample[:2] = torch.stack([predicted.argmax(), predicted.argmin()])
            sample = sample.unique()
        inputs = {"predicted": predicted, "before": before, "after": after, "sample": sample}
        cases.append(Case(label=label, inputs=inputs))
    return cases


def _places(x: Tensor) -> Tensor:
    """Each number's place in the order; equal ones get the mean of theirs."""
    return torch.stack([(x < each).sum() + ((x == each).sum() - 1) / 2 for each in x])


def _in_order(x: Tensor) -> Tensor:
    return x.argsort(stable=True).argsort().double()


def _correlation(a: Tensor, b: Tensor) -> float:
    a, b = a.double() - a.double().mean(), b.double() - b.double().mean()
    return ((a @ b) / (a.norm() * b.norm())).item()


def _by_counting(predicted, before, after, sample):
    p, q = before.softmax(-1), after.softmax(-1)
    measured = (p * (p / q).log()).sum(-1)
    return _correlation(_places(predicted[sample]), _places(measured[sample]))


def _by_kl_div(predicted, before, after, sample):
    log_q = after[sample].log_softmax(-1)
    log_p = before.log_softmax(-1).expand_as(log_q)
    kl = torch.nn.functional.kl_div(log_q, log_p, log_target=True, reduction="none").sum(-1)
    stacked = torch.stack([_places(predicted[sample]), _places(kl)]).double()
    return torch.corrcoef(stacked)[0, 1].item()


def _with(measure, predicted, before, after, sample):
    return spearman(predicted[sample], measure(before, after)[sample])


def _reversed(before, after):
    before, after = before.log_softmax(-1), after.log_softmax(-1)
    return (after.exp() * (after - before)).sum(-1)


def _raw(before, after):
    return (before.softmax(-1) * (before - after)).sum(-1)


def _top_drop(before, after):
    top = before.argmax()
    return before.softmax(-1)[top] - after.softmax(-1)[:, top]


def _ranked_before(predicted, before, after, sample):
    measured = divergences(before, after)
    return _correlation(_places(predicted)[sample], _places(measured)[sample])


VALIDATE = Exercise(
    slug="validate",
    title="Predicted and measured",
    chapter="06",
    points=2,
    minutes=15,
    difficulty=3,
    objective="Hold a graph's influences against ablations in the model, and say of which latents a correlation speaks.",
    cases=_cases,
    reference=agreement,
    tolerance=Tolerance(rtol=0.0, atol=1e-4),
    styles=(
        Style(name="places by counting", right=_by_counting),
        Style(name="kl_div and corrcoef", right=_by_kl_div),
        Style(
            name="only the sample from the start",
            right=lambda predicted, before, after, sample: agreement(
                predicted[sample], before, after[sample], torch.arange(len(sample))
            ),
        ),
    ),
    mistakes=(
        Mistake(
            name="no ranks",
            wrong=lambda predicted, before, after, sample: _correlation(
                predicted[sample], divergences(before, after)[sample]
            ),
            sentence="This is the correlation of the values themselves: two or three large ones decide it. Spearman's is that of "
            "the ranks.",
        ),
        Mistake(
            name="ties by order",
            wrong=lambda predicted, before, after, sample: _correlation(
                _in_order(predicted[sample]), _in_order(divergences(before, after)[sample])
            ),
            sentence="Equal predictions get different ranks here, by the order in which they happen to stand. Equal values share "
            "the mean of their ranks.",
        ),
        Mistake(
            name="the sample ignored",
            wrong=lambda predicted, before, after, sample: spearman(
                predicted, divergences(before, after)
            ),
            sentence="You correlate all latents. Asked is about those of `sample`, and the number depends on which they are.",
        ),
        Mistake(
            name="ranked before",
            wrong=_ranked_before,
            sentence="You rank all latents and take the sample's ranks. Ranks are those WITHIN the sample: choose first.",
        ),
        Mistake(
            name="the other divergence",
            wrong=lambda *inputs: _with(_reversed, *inputs),
            sentence="This is KL(after || before). Asked is KL(before || after): the mean is over what the intact model expects.",
        ),
        Mistake(
            name="logits as they are",
            wrong=lambda *inputs: _with(_raw, *inputs),
            sentence="You take differences of logits. A constant added to all of them changes no prediction, and changes yours: "
            "log_softmax first.",
        ),
        Mistake(
            name="the answer's probability",
            wrong=lambda *inputs: _with(_top_drop, *inputs),
            sentence="You measure by how much the likeliest token falls. Influence is about all that is predicted: take the "
            "divergence of the whole distribution.",
        ),
        Mistake(
            name="turned round",
            wrong=lambda *inputs: -agreement(*inputs),
            sentence="The sign is turned round: latents that are predicted to matter more should get a larger number, and so "
            "should those that do.",
        ),
    ),
    hints=(
        "KL(before || after) = sum over tokens of p_before (log p_before - log p_after), one number for each latent.",
        "Take the sample of both lists before you rank.",
        "Ranks with ties: for each value, how many are smaller, and half of the others that are equal. Then the plain "
        "correlation of the two lists of ranks.",
    ),
)
