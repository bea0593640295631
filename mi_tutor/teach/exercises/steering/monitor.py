"""Chapter 07: `error-term`, `monitor`."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mi_tutor.lab.steering import alarm, crossed
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style
from mi_tutor.teach.exercises.making import normal, uniform
from mi_tutor.teach.exercises.steering.inputs import WEIGHTS, sae_of, weights


def crossed_parts(
    x: Tensor,
    other: Tensor,
    W_enc: Tensor,
    b_enc: Tensor,
    W_dec: Tensor,
    b_dec: Tensor,
    k: int,
) -> tuple[Tensor, Tensor]:
    """`crossed` with a TopK dictionary given by its weights."""
    return crossed(x, other, sae_of(k, W_enc, b_enc, W_dec, b_dec))


def _cross_cases(g: torch.Generator) -> list[Case]:
    settings = [
        ("several requests", (6,), 10, 16, 3),
        ("requests and positions", (2, 5), 12, 16, 2),
        ("one request", (1,), 12, 20, 4),
        ("as many latents as dimensions", (12,), 8, 8, 2),
        ("double precision", (11,), 12, 24, 3),
    ]
    cases = []
    for label, batch, d, d_sae, k in settings:
        dtype = torch.float64 if "double" in label else torch.float32
        x, other = normal(g, *batch, d, dtype=dtype), normal(g, *batch, d, dtype=dtype)
        inputs = {"x": x, "other": other, **weights(g, d, d_sae, dtype), "k": k}
        cases.append(Case(label=label, inputs=inputs))
    few = weights(g, 12, 20, torch.float32)
    few["b_enc"] = few["b_enc"] - 4.0
    inputs = {"x": normal(g, 6, 12), "other": normal(g, 6, 12), **few, "k": 8}
    cases.append(Case(label="fewer latents above 0 than may be on", inputs=inputs))
    return cases


def _says(x: Tensor, *inputs) -> Tensor:
    *tensors, k = inputs
    return sae_of(k, **dict(zip(WEIGHTS, tensors, strict=True)))(x)


def _difference(x, other, *inputs):
    step = _says(other, *inputs) - _says(x, *inputs)
    return other - step, x + step


def _swapped(x, other, *inputs):
    first, second = crossed_parts(x, other, *inputs)
    return second, first


def _wrong_sign(x, other, *inputs):
    mine, theirs = _says(x, *inputs), _says(other, *inputs)
    return mine - (other - theirs), theirs - (x - mine)


def _no_bias(x, other, W_enc, b_enc, W_dec, b_dec, k):
    mine, theirs = (sae_of(k, W_enc, b_enc, W_dec, b_dec)(each) - b_dec for each in (x, other))
    return mine + other - theirs - b_dec, theirs + x - mine - b_dec


def _no_relu(x, other, W_enc, b_enc, W_dec, b_dec, k):
    def said(stream):
        kept = ((stream - b_dec) @ W_enc + b_enc).topk(k, dim=-1)
        latents = torch.zeros(*stream.shape[:-1], len(b_enc), dtype=stream.dtype)
        return latents.scatter(-1, kept.indices, kept.values) @ W_dec + b_dec

    return said(x) + (other - said(other)), said(other) + (x - said(x))


def _said_only(x, other, *inputs):
    return _says(x, *inputs), _says(other, *inputs)


def _uncrossed(x, other, *inputs):
    return x.clone(), other.clone()


ERROR_TERM = Exercise(
    slug="error-term",
    title="Through the latents, or past them?",
    chapter="07",
    points=2,
    minutes=15,
    difficulty=3,
    objective="Exchange what a dictionary says of two streams, and what it leaves out, to see which of both a behaviour follows.",
    cases=_cross_cases,
    reference=crossed_parts,
    styles=(
        Style(name="by the difference", right=_difference),
        Style(
            name="parts first",
            right=lambda x, other, *inputs: (
                _says(x, *inputs) + (other - _says(other, *inputs)),
                _says(other, *inputs) + (x - _says(x, *inputs)),
            ),
        ),
    ),
    mistakes=(
        Mistake(
            name="exchanged",
            wrong=_swapped,
            sentence="The two streams come in the other order: first what is said of x with the other's error.",
        ),
        Mistake(
            name="no ReLU",
            wrong=_no_relu,
            sentence="Where fewer than k latents are above 0, you keep negative ones. TopK has a ReLU: what is not above "
            "0 is 0.",
        ),
        Mistake(
            name="the error's sign",
            wrong=_wrong_sign,
            sentence="The error is subtracted here. It is what has to be ADDED to a reconstruction to get the stream back.",
        ),
        Mistake(
            name="without b_dec",
            wrong=_no_bias,
            sentence="b_dec is missing from both. It is part of the reconstruction: a reconstruction and its own error should sum "
            "to the stream.",
        ),
        Mistake(
            name="said only",
            wrong=_said_only,
            sentence="These are reconstructions alone. That removes an error; here each reconstruction gets the error of the OTHER "
            "stream.",
        ),
        Mistake(
            name="not crossed",
            wrong=_uncrossed,
            sentence="Each reconstruction has its own error again, so that both streams are as they were.",
        ),
    ),
    hints=(
        "The error of a stream: the stream minus its reconstruction.",
        "Check yourself: the sum of your two streams is x + other.",
        "said(x) + (other - said(other)), and the same with x and other exchanged.",
    ),
)


def _alarm_cases(g: torch.Generator) -> list[Case]:
    settings = [
        ("one in twenty may ring", 200, 60, 0.05),
        ("none may ring", 150, 40, 0.0),
        ("one in ten, few clean ones", 24, 30, 0.1),
        ("clean values that are equal", 120, 50, 0.05),
        ("a value that is equal to the threshold", 80, 40, 0.05),
        ("a quarter", 101, 33, 0.25),
        ("negative values", 90, 45, 0.1),
    ]
    cases = []
    for label, known, new, share in settings:
        clean = 2 + normal(g, known).abs()
        seen = 2.5 + 2 * uniform(g, new)
        if "clean values" in label:
            clean = (clean * 3).round() / 3
            seen = (seen * 3).round() / 3
        if "a value" in label:
            top = clean.sort(descending=True).values[math.floor(share * known)]
            seen[: new // 3] = top
        if "negative" in label:
            clean, seen = clean - 9, seen - 9
        inputs = {"clean": clean, "seen": seen, "false_alarms": share}
        cases.append(Case(label=label, inputs=inputs))
    return cases


def _alarm_view(value: object, **_: object) -> dict[str, object]:
    threshold, rings = value
    return {"threshold": float(threshold), "rings": rings}


def _by_counting(clean, seen, false_alarms):
    for level in clean.unique():  # from the smallest
        if (clean > level).double().mean() <= false_alarms + 1e-9:
            return level, seen > level
    raise AssertionError


def _by_kth(clean, seen, false_alarms):
    n = len(clean) - int(false_alarms * len(clean) + 1e-9)
    level = clean.kthvalue(n).values
    return level.item(), seen > level


def _from(values, seen, level_of):
    level = level_of(values)
    return level, seen > level


MONITOR = Exercise(
    slug="monitor",
    title="A second instrument",
    chapter="07",
    points=2,
    minutes=15,
    difficulty=2,
    objective="Set a monitor's threshold on clean requests alone, with a stated rate of false alarms, and apply it to others.",
    cases=_alarm_cases,
    reference=alarm,
    view=_alarm_view,
    styles=(
        Style(name="counting", right=_by_counting),
        Style(name="kthvalue", right=_by_kth),
    ),
    mistakes=(
        Mistake(
            name="set on what it is tried on",
            wrong=lambda clean, seen, share: alarm(seen, seen, share),
            sentence="The threshold comes from the values that are to be judged: as many of them ring as you allow, whatever they "
            "are. Set it on the clean ones.",
        ),
        Mistake(
            name="set on both",
            wrong=lambda clean, seen, share: alarm(torch.cat([clean, seen]), seen, share),
            sentence="The threshold is set on clean and seen values together. An attack then raises the threshold that should "
            "catch it.",
        ),
        Mistake(
            name="the other end",
            wrong=lambda clean, seen, share: _from(
                clean, seen, lambda v: v.sort().values[math.floor(share * len(v) + 1e-9)].item()
            ),
            sentence="The share is counted from the small end, so that nearly all clean values ring.",
        ),
        Mistake(
            name="at the threshold too",
            wrong=lambda clean, seen, share: (
                alarm(clean, seen, share).threshold,
                seen >= alarm(clean, seen, share).threshold,
            ),
            sentence="A value that is equal to the threshold rings with you. It should ring above it.",
        ),
        Mistake(
            name="one too many",
            wrong=lambda clean, seen, share: _from(
                clean,
                seen,
                lambda v: (
                    v.sort(descending=True)
                    .values[min(math.floor(share * len(v) + 1e-9) + 1, len(v) - 1)]
                    .item()
                ),
            ),
            sentence="One clean value more than allowed rings. With none allowed the threshold is the largest clean value.",
        ),
        Mistake(
            name="always the maximum",
            wrong=lambda clean, seen, share: alarm(clean, seen, 0.0),
            sentence="The threshold is the largest clean value, whatever the rate of false alarms that is allowed.",
        ),
        Mistake(
            name="mean and deviations",
            wrong=lambda clean, seen, share: _from(
                clean, seen, lambda v: (v.mean() + 2 * v.std()).item()
            ),
            sentence="Mean plus two standard deviations lets a fixed share through for one shape of distribution. Count the clean "
            "values themselves.",
        ),
    ),
    hints=(
        "How many clean values may ring: the share times their number, rounded down.",
        "Sort the clean values from the largest. If two may ring, the third largest is the threshold.",
        "Above means >, and there the threshold itself does not ring.",
    ),
)
