"""Chapter 02, what a dictionary computes: `sae-encode-decode`."""

from __future__ import annotations

import torch
from einops import einsum
from torch import Tensor
from torch.nn import functional as F

from mi_tutor.lab import dictionaries as lab
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style
from mi_tutor.teach.exercises.dictionaries.dictionaries import WEIGHTS, weights
from mi_tutor.teach.exercises.making import and_near_zero, normal, strided


def sae_forward(
    x: Tensor, W_enc: Tensor, b_enc: Tensor, W_dec: Tensor, b_dec: Tensor
) -> tuple[Tensor, Tensor]:
    """The latents and the reconstruction of a ReLU dictionary."""
    latents = lab.sae_encode(x, W_enc, b_enc, b_dec)
    return latents, lab.sae_decode(latents, W_dec, b_dec)


def _forward_cases(g: torch.Generator) -> list[Case]:
    def case(label, batch, d, n_latents, dtype=torch.float32, layout=lambda t: t):
        inputs = {"x": layout(normal(g, batch, d, dtype=dtype))} | weights(g, d, n_latents, dtype)
        return Case(label=label, inputs=inputs)

    return [
        case("a batch of 8, more latents than dimensions", 8, 4, 10),
        case("a batch of 12, 13 latents in 11 dimensions", 12, 11, 13),
        case("a batch of 1", 1, 5, 7),
        case("as many latents as dimensions", 6, 6, 6),
        case("double precision", 3, 3, 8, dtype=torch.float64),
        case("inputs that are not contiguous in memory", 6, 4, 9, layout=strided),
    ]


def _forward(x, W_enc, b_enc, W_dec, b_dec, *, centre=1.0, after=1.0, act=torch.relu):
    latents = act((x - centre * b_dec) @ W_enc + b_enc)
    return latents, latents @ W_dec + after * b_dec


def _by_einops(x, W_enc, b_enc, W_dec, b_dec):
    pre = einsum(x - b_dec, W_enc, "batch d, d latent -> batch latent") + b_enc
    latents = pre.clamp(min=0)
    return latents, einsum(latents, W_dec, "batch latent, latent d -> batch d") + b_dec


def _by_loop(x, W_enc, b_enc, W_dec, b_dec):
    rows = []
    for sample in x:
        f = torch.stack(
            [torch.relu((sample - b_dec) @ W_enc[:, i] + b_enc[i]) for i in range(W_enc.shape[1])]
        )
        rows.append((f, sum(f[i] * W_dec[i] for i in range(len(f))) + b_dec))
    return tuple(torch.stack(part) for part in zip(*rows, strict=True))


def _bias_moved_out(x, W_enc, b_enc, W_dec, b_dec):
    latents = F.relu(F.linear(x, W_enc.T, b_enc - b_dec @ W_enc))
    return [latents, torch.addmm(b_dec, latents, W_dec)]


ENCODE_DECODE = Exercise(
    slug="sae-encode-decode",
    title="Encode and decode",
    chapter="02",
    points=2,
    minutes=6,
    difficulty=1,
    objective="Write what a sparse autoencoder computes: f = ReLU((x - b_dec) W_enc + b_enc) and x' = f W_dec + b_dec.",
    cases=and_near_zero(_forward_cases, "x", "W_enc", "W_dec", "b_dec", zero_rows=("x",)),
    reference=sae_forward,
    gradients=WEIGHTS,
    styles=(
        Style(name="einops", right=_by_einops),
        Style(name="one latent at a time", right=_by_loop),
        Style(name="one bias for both, as a list", right=_bias_moved_out),
    ),
    mistakes=(
        Mistake(
            name="not centred",
            wrong=lambda *a: _forward(*a, centre=0.0),
            sentence="The encoder sees x itself. It should see x - b_dec: latents say how x differs from what is typical.",
        ),
        Mistake(
            name="no b_dec at the end",
            wrong=lambda *a: _forward(*a, after=0.0),
            sentence="The reconstruction lacks b_dec: what was subtracted before the encoder has to come back after the decoder.",
        ),
        Mistake(
            name="no b_dec at all",
            wrong=lambda *a: _forward(*a, centre=0.0, after=0.0),
            sentence="b_dec does not come into it, neither before the encoder nor after the decoder. It belongs in both places.",
        ),
        Mistake(
            name="b_dec added before the encoder",
            wrong=lambda *a: _forward(*a, centre=-1.0),
            sentence="You add b_dec before the encoder. There it is subtracted.",
        ),
        Mistake(
            name="encoder bias dropped",
            wrong=lambda x, W_enc, b_enc, W_dec, b_dec: _forward(x, W_enc, 0 * b_enc, W_dec, b_dec),
            sentence="The encoder's bias b_enc is missing. It is what lets a latent stay silent below a threshold of its own.",
        ),
        Mistake(
            name="encoder bias after the ReLU",
            wrong=lambda x, W_enc, b_enc, W_dec, b_dec: (
                f := torch.relu((x - b_dec) @ W_enc) + b_enc,
                f @ W_dec + b_dec,
            ),
            sentence="You add b_enc after the ReLU, so latents are negative and never exactly 0. It belongs inside.",
        ),
        Mistake(
            name="no ReLU",
            wrong=lambda *a: _forward(*a, act=lambda pre: pre),
            sentence="Your latents are negative in places: the ReLU is missing, and with it everything that is sparse.",
        ),
        Mistake(
            name="ReLU on the reconstruction",
            wrong=lambda *a: (_forward(*a)[0], torch.relu(_forward(*a)[1])),
            sentence="There is a ReLU on the reconstruction too. Activations may be negative, so the decoder is linear.",
        ),
        Mistake(
            name="decoder tied to the encoder",
            wrong=lambda x, W_enc, b_enc, W_dec, b_dec: _forward(x, W_enc, b_enc, W_enc.T, b_dec),
            sentence="You decode with the transposed encoder. This dictionary has a decoder of its own, W_dec: what a latent looks for "
            "and what it writes need not be the same direction.",
        ),
        Mistake(
            name="encoder transposed",
            wrong=lambda x, W_enc, b_enc, W_dec, b_dec: _forward(x, W_enc.T, b_enc, W_dec, b_dec),
            sentence="W_enc is applied the wrong way round: it is [d latent] and samples are rows. (With as many latents as dimensions "
            "the shapes do not complain.)",
        ),
        Mistake(
            name="decoder transposed",
            wrong=lambda x, W_enc, b_enc, W_dec, b_dec: _forward(x, W_enc, b_enc, W_dec.T, b_dec),
            sentence="W_dec is applied the wrong way round: it is [latent d], row i is what latent i writes.",
        ),
        Mistake(
            name="order exchanged",
            wrong=lambda *a: _forward(*a)[::-1],
            sentence="Latents first, then the reconstruction: your two results are exchanged.",
        ),
        Mistake(
            name="reconstruction alone",
            wrong=lambda *a: _forward(*a)[1],
            sentence="This is the reconstruction alone. Give both: the latents and the reconstruction.",
        ),
        Mistake(
            name="detached",
            wrong=lambda *a: tuple(part.detach() for part in _forward(*a)),
            sentence="The numbers are right, but they are cut off from the weights, so nothing could be trained: remove `.detach()` or "
            "`torch.no_grad()`.",
        ),
    ),
    hints=(
        "Five operations in this order: subtract, multiply, add, clip, and then back.",
        "Samples are rows: (x - b_dec) is [batch d] and W_enc is [d latent]. Row i of W_dec is what latent i writes.",
        "b_dec comes in twice: taken away at the start, put back at the end. Return a pair.",
    ),
)
