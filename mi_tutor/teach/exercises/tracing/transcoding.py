"""Chapter 06, what takes an MLP's place: `transcoder`."""

from __future__ import annotations

import torch
from torch import Tensor

from mi_tutor.lab.dictionaries import JumpRelu
from mi_tutor.lab.tracing import Transcoder
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style
from mi_tutor.teach.exercises.making import and_near_zero, normal, uniform


def transcode(x, W_enc, b_enc, threshold, W_dec, b_dec) -> tuple[Tensor, Tensor]:
    """Latents and what they write."""
    one = Transcoder(
        W_enc=W_enc, b_enc=b_enc, W_dec=W_dec, b_dec=b_dec, kind=JumpRelu(), threshold=threshold
    )
    latents = one.encode(x)
    return latents, one.decode(latents)


def _transcoder_cases(g: torch.Generator) -> list[Case]:
    def case(label, batch, d, m, d_out=None, dtype=torch.float32, edge=False):
        d_out = d_out or d
        inputs = {
            "x": normal(g, *batch, d, dtype=dtype),
            "W_enc": normal(g, d, m, dtype=dtype),
            "b_enc": 0.5 * normal(g, m, dtype=dtype),
            "threshold": uniform(g, m, low=0.3, high=1.5, dtype=dtype),
            "W_dec": normal(g, m, d_out, dtype=dtype),
            "b_dec": 1 + normal(g, d_out, dtype=dtype),
        }
        if edge:  # numbers that floats hold exactly: some are just at the threshold, and off
            inputs["x"] = inputs["x"].round()
            inputs["W_enc"] = inputs["W_enc"].round()
            inputs["b_enc"] = torch.ones_like(inputs["b_enc"])
            inputs["threshold"] = torch.full_like(inputs["threshold"], 2.0)
        return Case(label=label, inputs=inputs)

    return [
        case("a batch of 9", (9,), 6, 14),
        case("prompts and positions", (2, 3), 5, 11),
        case("a single position", (1,), 4, 9),
        case("just at the threshold", (30,), 4, 8, edge=True),
        case("as many latents as dimensions", (6,), 5, 5),
        case("double precision", (4,), 6, 13, dtype=torch.float64),
    ]


def _coded(encode=None, decode=None):
    """The right answer with one of its steps in another way."""

    def answer(x, W_enc, b_enc, threshold, W_dec, b_dec):
        pre = x @ W_enc + b_enc
        latents = encode(x, W_enc, b_enc, threshold, b_dec) if encode else pre * (pre > threshold)
        return latents, decode(latents, x, W_dec, b_dec) if decode else latents @ W_dec + b_dec

    return answer


def _jump(pre: Tensor, threshold: Tensor) -> Tensor:
    return pre * (pre > threshold)


def _one_by_one(x, W_enc, b_enc, threshold, W_dec, b_dec):
    latents = x.new_zeros(*x.shape[:-1], len(b_enc))
    for i in range(len(b_enc)):
        pre = (x * W_enc[:, i]).sum(dim=-1) + b_enc[i]
        latents[..., i] = torch.where(pre > threshold[i], pre, torch.zeros_like(pre))
    y_hat = b_dec.expand(*x.shape[:-1], -1)
    for i in range(len(b_enc)):
        y_hat = y_hat + latents[..., i, None] * W_dec[i]
    return latents, y_hat


def _einsums(x, W_enc, b_enc, threshold, W_dec, b_dec):
    pre = torch.einsum("...d,dm->...m", x, W_enc) + b_enc
    latents = pre.masked_fill(pre <= threshold, 0.0)
    return latents, torch.einsum("...m,md->...d", latents, W_dec) + b_dec


TRANSCODER = Exercise(
    slug="transcoder",
    title="A dictionary for what an MLP does",
    chapter="06",
    points=1,
    minutes=6,
    difficulty=1,
    objective="Write a transcoder, and say in which two places it differs from a sparse autoencoder.",
    cases=and_near_zero(_transcoder_cases, "x", zero_rows=("x",)),
    reference=transcode,
    styles=(
        Style(name="latent by latent", right=_one_by_one),
        Style(name="einsum and masked_fill", right=_einsums),
        Style(
            name="torch.where",
            right=_coded(
                lambda x, W, b, t, b_dec: torch.where(
                    (pre := x @ W + b) > t, pre, torch.zeros_like(pre)
                )
            ),
        ),
    ),
    mistakes=(
        Mistake(
            name="b_dec subtracted from the input",
            wrong=_coded(lambda x, W, b, t, b_dec: _jump((x - b_dec) @ W + b, t)),
            sentence="You subtract b_dec from the input, as an autoencoder does. b_dec belongs to what the MLP WRITES, and the input here is what it "
            "READS: two different spaces.",
        ),
        Mistake(
            name="the input added",
            wrong=_coded(decode=lambda f, x, W, b: f @ W + b + x),
            sentence="You add the input to the result. The residual stream does that elsewhere; a transcoder says what the MLP writes, no more.",
        ),
        Mistake(
            name="ReLU",
            wrong=_coded(lambda x, W, b, t, b_dec: torch.relu(x @ W + b)),
            sentence="You cut at 0: that is a ReLU. These latents have thresholds of their own, and whatever is not above its own is 0.",
        ),
        Mistake(
            name="the threshold subtracted",
            wrong=_coded(lambda x, W, b, t, b_dec: torch.relu(x @ W + b - t)),
            sentence="You subtract the threshold from what is kept. It only decides who is on; whoever is on keeps its whole value.",
        ),
        Mistake(
            name="on at the threshold",
            wrong=_coded(lambda x, W, b, t, b_dec: (pre := x @ W + b) * (pre >= t)),
            sentence="A latent just at its threshold is on in yours. It has to be above it.",
        ),
        Mistake(
            name="no encoder bias",
            wrong=_coded(lambda x, W, b, t, b_dec: _jump(x @ W, t)),
            sentence="The encoder's bias b_enc is missing.",
        ),
        Mistake(
            name="no decoder bias",
            wrong=_coded(decode=lambda f, x, W, b: f @ W),
            sentence="The decoder's bias b_dec is missing: what the MLP writes whatever the latents are.",
        ),
        Mistake(
            name="latents that are 1",
            wrong=_coded(lambda x, W, b, t, b_dec: (x @ W + b > t).to(x.dtype)),
            sentence="Your latents are 1 or 0. A latent that is on has the value of its pre-activation.",
        ),
        Mistake(
            name="order exchanged",
            wrong=lambda *inputs: transcode(*inputs)[::-1],
            sentence="Latents first, then what they write: your two results are exchanged.",
        ),
    ),
    hints=(
        "Three steps: a pre-activation for each latent, those at or below their thresholds set to 0, and back.",
        "Samples are rows: `x @ W_enc` is [*batch latent]. Is anything to be subtracted from x first, as in chapter 02?",
        "`pre * (pre > threshold)` keeps what is above; the decoder is a matrix and a bias.",
    ),
)
