"""Chapter 07: `effect-and-coherence` and `suppress-vs-amplify`."""

from __future__ import annotations

import numpy as np
import torch

from mi_tutor.lab.steering import effect_and_coherence, half_way
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style, Tolerance
from mi_tutor.teach.exercises.making import uniform

# --- effect-and-coherence -------------------------------------------------------------------------


def _effect_case(g, label, rows, pos, n_prompt, texts, pos2, rise=0.2) -> Case:
    about, valid = uniform(g, rows, pos) < 0.5, uniform(g, rows, pos) < 0.7
    about[:, :n_prompt] = False  # what comes before is about something else, and well-formed
    valid[:, :n_prompt] = True
    finished = torch.arange(pos) < torch.randint(n_prompt + 2, pos + 1, (rows, 1), generator=g)
    concept = uniform(g, texts, pos2) < 0.4
    concept[0, :4] = torch.tensor([False, True, False, True])
    before = uniform(g, texts, pos2 - 1, high=3.0)
    after = before + uniform(g, texts, pos2 - 1, low=-0.3, high=0.3) + 0.8 * concept[:, 1:]
    after = after + rise
    inputs = {
        "about": about, "valid": valid, "finished": finished, "n_prompt": n_prompt,
        "loss_before": before, "loss_after": after, "concept": concept,
    }  # fmt: skip
    return Case(label=label, inputs=inputs)


def _effect_cases(g: torch.Generator) -> list[Case]:
    return [
        _effect_case(g, "three texts", 3, 12, 4, 3, 8),
        _effect_case(g, "one text", 1, 20, 5, 1, 14),
        _effect_case(g, "a prompt that is BOS alone", 5, 12, 1, 4, 7, rise=-1.5),
        _effect_case(g, "many texts, a long prompt", 12, 30, 20, 11, 12, rise=2.5),
    ]


def _measured(about, valid, finished, n_prompt, before, after, concept, **other):
    """The three numbers, with another idea of one of them."""
    first = other.get("first", n_prompt)
    here = (
        finished[:, first:] if other.get("finished", True) else torch.ones_like(finished[:, first:])
    )
    about, valid = about[:, first:], valid[:, first:]
    n = here.sum()
    n_about = (valid & here).sum() if other.get("of_valid") else n
    if other.get("rows"):
        shares = [((each & here).sum(1) / here.sum(1)).mean() for each in (about, valid)]
    else:
        on = about & valid & here if other.get("both") else about & here
        shares = [on.sum() / n_about, (valid & here).sum() / n]
    counted = other.get("counted", lambda c: ~c[:, 1:])(concept)
    loss = after if other.get("after") else after - before
    return torch.stack([*shares, loss[counted].mean()])


def _different(**other):
    return lambda *inputs: _measured(*inputs, **other)


def _by_loop(about, valid, finished, n_prompt, loss_before, loss_after, concept):
    counts, damage = np.zeros(3), []
    for row in range(about.shape[0]):
        for p in range(n_prompt, about.shape[1]):
            if finished[row, p]:
                counts += [1, bool(about[row, p]), bool(valid[row, p])]
    for row in range(concept.shape[0]):
        for p in range(1, concept.shape[1]):
            if not concept[row, p]:
                damage.append(float(loss_after[row, p - 1] - loss_before[row, p - 1]))
    return torch.tensor([counts[1] / counts[0], counts[2] / counts[0], np.mean(damage)])


def _by_means(about, valid, finished, n_prompt, loss_before, loss_after, concept):
    new = finished[:, n_prompt:]
    shares = [each[:, n_prompt:][new].float().mean() for each in (about, valid)]
    counted = torch.logical_not(concept)[:, 1:]
    damage = torch.where(counted, loss_after - loss_before, 0.0).sum() / counted.sum()
    return torch.stack([*shares, damage])


EFFECT_AND_COHERENCE = Exercise(
    slug="effect-and-coherence",
    title="Effect, coherence, damage",
    chapter="07",
    points=3,
    minutes=15,
    difficulty=3,
    objective="Measure what steering does, whether what is written is still text, and what it costs where it is not wanted.",
    cases=_effect_cases,
    reference=effect_and_coherence,
    tolerance=Tolerance(rtol=1e-4, atol=1e-5),
    styles=(
        Style(name="loops", right=_by_loop),
        Style(name="means of masked tokens", right=_by_means),
    ),
    mistakes=(
        Mistake(
            name="the prompt's own tokens",
            wrong=_different(first=0),
            sentence="You count the prompt's tokens too. They stood there before anything was steered: only what the model wrote counts.",
        ),
        Mistake(
            name="unfinished sentences",
            wrong=_different(finished=False),
            sentence="You count the last sentence where the text stops in the middle of it. It is no sentence yet, and would make every "
            "text look worse than it is.",
        ),
        Mistake(
            name="among valid ones",
            wrong=_different(of_valid=True),
            sentence="You divide the tokens about the concept by the VALID ones. Both shares are of all finished new tokens, so that broken "
            "text cannot hide.",
        ),
        Mistake(
            name="about and valid",
            wrong=_different(both=True),
            sentence="Your first number counts only tokens that are about the concept AND valid. Keep the two apart: which of them fails is "
            "what we want to see.",
        ),
        Mistake(
            name="a mean of texts",
            wrong=_different(rows=True),
            sentence="You take a share in each text and then their mean. A text with few finished tokens counts as much as a long one; each "
            "token should count once.",
        ),
        Mistake(
            name="damage on the concept's text",
            wrong=_different(counted=lambda concept: concept[:, 1:]),
            sentence="You measure the damage where the text IS about the concept. There steering may even help. It is what happens to all "
            "OTHER text that tells the cost.",
        ),
        Mistake(
            name="damage on all text",
            wrong=_different(counted=lambda concept: torch.ones_like(concept[:, 1:])),
            sentence="You count all tokens of the ordinary texts. Leave out those about the concept: steering is wanted there.",
        ),
        Mistake(
            name="one token off",
            wrong=_different(counted=lambda concept: ~concept[:, :-1]),
            sentence="Entry i of the losses is about token i + 1, and you look up token i. Shift the concept's mask by one.",
        ),
        Mistake(
            name="loss after",
            wrong=_different(after=True),
            sentence="The third number is the loss after steering. The damage is how much it ROSE.",
        ),
    ),
    hints=(
        "Three numbers from two different kinds of text: the first two from what was written, the third from texts that were given.",
        "Cut the prompt off first: `[:, n_prompt:]`, from all three masks.",
        "`about[finished].float().mean()` is a share of finished tokens.",
        "The losses have one column less than `concept`: the first token is never predicted. Which column of `concept` goes with "
        "column 0 of the losses?",
    ),
)

# --- suppress-vs-amplify --------------------------------------------------------------------------

LADDER = [0.0, 0.5, 1.0, 1.5, 2.0, 4.0]


def _half_cases(g: torch.Generator) -> list[Case]:
    def noise(n: int) -> torch.Tensor:
        return uniform(g, n, low=-0.01, high=0.01)

    long = torch.linspace(0, 3, 13)
    settings = [
        ("up", LADDER, [0.03, 0.1, 0.3, 0.8, 0.9, 0.95], True),
        ("down", LADDER, [0.9, 0.7, 0.4, 0.2, 0.1, 0.05], False),
        ("up, broken, and up again", LADDER, [0.02, 0.3, 0.7, 0.2, 0.4, 0.9], True),
        ("down, back, and down", LADDER, [0.8, 0.3, 0.1, 0.6, 0.5, 0.2], False),
        ("it never gets there", LADDER, [0.05, 0.1, 0.2, 0.3, 0.2, 0.1], True),
        ("it begins far up", LADDER, [0.6, 0.65, 0.7, 0.85, 0.9, 0.9], True),
        ("between the last two", [0.0, 1.0, 8.0], [0.02, 0.1, 0.9], True),
    ]
    cases = [
        Case(
            label=label,
            inputs={
                "strengths": torch.tensor(at),
                "shares": torch.tensor(y) + noise(len(at)),
                "up": up,
            },
        )
        for label, at, y, up in settings
    ]
    exact = {"strengths": torch.tensor([0.0, 1.0, 2.0]), "shares": torch.tensor([0.0, 0.5, 1.0])}
    many = {"strengths": long, "shares": torch.sigmoid(4 * (long - 1.3)) + noise(13)}
    return [
        *cases,
        Case(label="half at a measured strength", inputs=exact | {"up": True}),
        Case(label="thirteen strengths", inputs=many | {"up": True}),
        Case(
            label="in double precision",
            inputs={k: v.double() for k, v in many.items()} | {"up": True},
        ),
    ]


def _half(strengths, shares, up, half=None, last=False, point=None):
    half = (shares[0] + float(up)) / 2 if half is None else half(shares, up)
    there = (shares >= half) if up else (shares <= half)
    at = there.nonzero()[:, 0].tolist()
    if not at:
        return shares.new_tensor(torch.inf)
    if last:  # the last time that it is crossed
        crossed = [i for i in at if i == 0 or not there[i - 1]]
        i = crossed[-1]
    else:
        i = at[0]
    if i == 0:
        return strengths[0]
    if point == "after":
        return strengths[i]
    if point == "before":
        return strengths[i - 1]
    if point == "middle":
        return (strengths[i] + strengths[i - 1]) / 2
    weight = (half - shares[i - 1]) / (shares[i] - shares[i - 1])
    return strengths[i - 1] + weight * (strengths[i] - strengths[i - 1])


def _half_by_loop(strengths, shares, up):
    x, y = strengths.tolist(), shares.tolist()
    half = (y[0] + (1.0 if up else 0.0)) / 2
    for (x0, y0), (x1, y1) in zip(
        zip(x, y, strict=True), zip(x[1:], y[1:], strict=True), strict=False
    ):
        if (y1 >= half) if up else (y1 <= half):
            return torch.tensor(x0 + (x1 - x0) * (half - y0) / (y1 - y0), dtype=shares.dtype)
    return torch.tensor(float("inf"), dtype=shares.dtype)


def _half_by_numpy(strengths, shares, up):
    x, y = strengths.numpy(), shares.numpy()
    y = y if up else -y  # rising in either case
    half = (y[0] + (1 if up else 0)) / 2
    if y.max() < half:
        return torch.tensor(np.inf, dtype=shares.dtype)
    i = int(np.argmax(y >= half))
    return torch.tensor(np.interp(half, y[i - 1 : i + 1], x[i - 1 : i + 1]), dtype=shares.dtype)


SUPPRESS_VS_AMPLIFY = Exercise(
    slug="suppress-vs-amplify",
    title="Half way up, half way down",
    chapter="07",
    points=2,
    minutes=12,
    difficulty=2,
    objective="Compare turning a concept up and turning it down by one number that both have: the strength at half of the way.",
    cases=_half_cases,
    reference=half_way,
    tolerance=Tolerance(rtol=1e-4, atol=1e-4),
    styles=(
        Style(name="a loop over neighbours", right=_half_by_loop),
        Style(name="numpy's interp", right=_half_by_numpy),
    ),
    mistakes=(
        Mistake(
            name="one half of all",
            wrong=lambda *inputs: _half(*inputs, half=lambda shares, up: 0.5),
            sentence="You look for a share of .5. Half of the WAY is asked: in the middle between the share at strength 0 and its goal, "
            "which is 1 when turning up and 0 when turning down.",
        ),
        Mistake(
            name="half of what it reached",
            wrong=lambda *inputs: _half(
                *inputs, half=lambda shares, up: (shares[0] + shares[-1]) / 2
            ),
            sentence="You take the middle between the first share and the LAST one. The goal is 1 or 0, whatever was reached at the largest "
            "strength: a curve that goes nowhere would have a half way too.",
        ),
        Mistake(
            name="the next measured strength",
            wrong=lambda *inputs: _half(*inputs, point="after"),
            sentence="You return the first MEASURED strength that is far enough. Between two of them the share is taken to go straight, so "
            "the half way lies in between.",
        ),
        Mistake(
            name="the strength before",
            wrong=lambda *inputs: _half(*inputs, point="before"),
            sentence="You return the last measured strength before the half way. Go on from there along the straight line.",
        ),
        Mistake(
            name="in the middle of two",
            wrong=lambda *inputs: _half(*inputs, point="middle"),
            sentence="You return the middle of two strengths. How far between them the half way lies depends on the two shares.",
        ),
        Mistake(
            name="the last time",
            wrong=lambda *inputs: _half(*inputs, last=True),
            sentence="The curve passes the half way several times, and you take the last. A share that falls again because the text breaks "
            "has got there all the same: take the FIRST.",
        ),
        Mistake(
            name="the largest where it never does",
            wrong=lambda strengths, shares, up: torch.minimum(
                _half(strengths, shares, up), strengths[-1]
            ),
            sentence="You return a number where the share never gets half way. That is not “just at the end”: it is infinity.",
        ),
    ),
    hints=(
        "What is the share half of the way? It depends on the first entry, and on `up`.",
        "Find the first strength at which the share is at least (at most) that. What if there is none?",
        "A straight line through this point and the one before it: at which strength does it have the half-way share?",
    ),
)
