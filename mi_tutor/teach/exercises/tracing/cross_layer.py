"""Chapter 06, what takes all MLPs' places: `clt-forward`."""

from __future__ import annotations

import torch
from torch import Tensor

from mi_tutor.lab.tracing import CrossLayerTranscoder
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style
from mi_tutor.teach.exercises.making import normal
from mi_tutor.teach.exercises.tracing.inputs import clt_weights


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
