"""Chapter 06, what takes an MLP's place: `transcoder` and `clt-forward`."""

from __future__ import annotations

import torch
from torch import Tensor

from mi_tutor.lab.dictionaries import JumpRelu
from mi_tutor.lab.tracing import CrossLayerTranscoder, Transcoder
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style
from mi_tutor.teach.exercises.making import and_near_zero, normal, uniform
from mi_tutor.teach.exercises.tracing.inputs import clt_weights

# --- transcoder -----------------------------------------------------------------------------------


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

# --- clt-forward ----------------------------------------------------------------------------------


def clt_forward(x, W_enc, b_enc, threshold, W_dec, b_dec) -> Tensor:
    """What a cross-layer transcoder writes to every layer."""
    clt = CrossLayerTranscoder(
        W_enc=W_enc, b_enc=b_enc, W_dec=W_dec, b_dec=b_dec, threshold=threshold
    )
    return clt(x)


def _forward_cases(g: torch.Generator) -> list[Case]:
    def case(label, batch, n_layers, m, d, dtype=torch.float32):
        x = normal(g, *batch, n_layers, d, dtype=dtype)
        return Case(label=label, inputs={"x": x} | clt_weights(g, n_layers, m, d, dtype))

    return [
        case("three layers", (6,), 3, 7, 5),
        case("prompts and positions", (2, 4), 4, 6, 3),
        case("as many layers as latents and dimensions", (4,), 4, 4, 4),
        case("a single layer", (5,), 1, 6, 4),
        case("a single position, two layers", (1,), 2, 9, 5),
        case("double precision", (3,), 3, 5, 6, torch.float64),
    ]


def _latents(x, W_enc, b_enc, threshold):
    pre = torch.einsum("...ld,ldm->...lm", x, W_enc) + b_enc
    return pre * (pre > threshold)


def _written(equation="...lm,lmtd->...td", edit=lambda W: W):
    def answer(x, W_enc, b_enc, threshold, W_dec, b_dec):
        return torch.einsum(equation, _latents(x, W_enc, b_enc, threshold), edit(W_dec)) + b_dec

    return answer


def _layer_by_layer(x, W_enc, b_enc, threshold, W_dec, b_dec):
    n_layers = len(b_enc)
    rows = [b_dec[to].expand_as(x[..., 0, :]) for to in range(n_layers)]
    for layer in range(n_layers):
        pre = x[..., layer, :] @ W_enc[layer] + b_enc[layer]
        latents = pre * (pre > threshold[layer])
        for to in range(layer, n_layers):
            rows[to] = rows[to] + latents @ W_dec[layer, :, to]
    return torch.stack(rows, dim=-2)


def _as_one_matrix(x, W_enc, b_enc, threshold, W_dec, b_dec):
    latents = _latents(x, W_enc, b_enc, threshold).flatten(-2)
    rows = W_dec.flatten(0, 1).flatten(1)
    return (latents @ rows).unflatten(-1, b_dec.shape) + b_dec


def _own_layer(W_dec):
    n = len(W_dec)
    return W_dec * torch.eye(n, dtype=W_dec.dtype)[:, None, :, None]


def _first_reads(x, *weights):
    return clt_forward(x[..., :1, :].expand_as(x), *weights)


def _later_only(W_dec):
    return W_dec - _own_layer(W_dec)


CLT_FORWARD = Exercise(
    slug="clt-forward",
    title="Read once, write to all that follow",
    chapter="06",
    points=2,
    minutes=10,
    difficulty=2,
    objective="Write a cross-layer transcoder: latents that read at one layer and write to the MLP outputs of that layer and all later ones.",
    cases=_forward_cases,
    reference=clt_forward,
    styles=(
        Style(name="layer by layer", right=_layer_by_layer),
        Style(name="one large matrix", right=_as_one_matrix),
        Style(name="einsum", right=_written()),
    ),
    mistakes=(
        Mistake(
            name="own layer only",
            wrong=_written(edit=_own_layer),
            sentence="Your latents write to their own layer only: that is one transcoder per layer. Here a latent of layer l writes to l and to every later "
            "layer.",
        ),
        Mistake(
            name="later layers only",
            wrong=_written(edit=_later_only),
            sentence="Your latents write to LATER layers only. The layer at which they read is among those they write to.",
        ),
        Mistake(
            name="layers exchanged",
            wrong=lambda x, W_enc, b_enc, threshold, W_dec, b_dec: _written(
                edit=lambda W: W.transpose(0, 2)
            )(x, W_enc, b_enc, threshold, W_dec, b_dec),
            sentence="You exchanged the two axes of layers: the FIRST one of W_dec is where a latent reads, the third where it writes. Yours write backwards.",
        ),
        Mistake(
            name="all read the first layer",
            wrong=_first_reads,
            sentence="All your latents read layer 0's input. Those of layer l read what layer l's MLP reads.",
        ),
        Mistake(
            name="b_dec once per source layer",
            wrong=lambda x, W_enc, b_enc, threshold, W_dec, b_dec: (
                clt_forward(x, W_enc, b_enc, threshold, W_dec, b_dec)
                + torch.arange(len(b_dec), dtype=x.dtype)[:, None] * b_dec
            ),
            sentence="You add b_dec once for each layer that writes. It belongs to the layer written to and is added once.",
        ),
        Mistake(
            name="no decoder bias",
            wrong=lambda x, W_enc, b_enc, threshold, W_dec, b_dec: clt_forward(
                x, W_enc, b_enc, threshold, W_dec, 0 * b_dec
            ),
            sentence="The decoder's bias b_dec is missing.",
        ),
        Mistake(
            name="ReLU",
            wrong=lambda x, W_enc, b_enc, threshold, W_dec, b_dec: clt_forward(
                x, W_enc, b_enc, 0 * threshold, W_dec, b_dec
            ),
            sentence="You cut at 0. Each latent has a threshold of its own, and at or below it is off.",
        ),
        Mistake(
            name="read what was written",
            wrong=lambda x, W_enc, b_enc, threshold, W_dec, b_dec: clt_forward(
                torch.cat([x[..., :1, :], clt_forward(x, W_enc, b_enc, threshold, W_dec, b_dec)[..., :-1, :]], dim=-2),
                W_enc,
                b_enc,
                threshold,
                W_dec,
                b_dec,
            ),
            sentence="Your later layers read what earlier ones wrote. They read the model's own activations, x of their layer.",
        ),
    ),
    hints=(
        "Latents first: layer by layer, as your transcoder did. Then ask of each layer: who writes to it?",
        "W_dec[l, i, t] is what latent i of layer l writes to layer t. For t < l it is 0, so a sum over all l does no harm.",
        "One einsum does it: sum over the layer read and over the latent; keep the layer written to and the dimension.",
    ),
)  # fmt: skip
