"""Chapter 02, what a dictionary computes: `sae-loss`."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from mi_tutor.lab import dictionaries as lab
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style
from mi_tutor.teach.exercises.dictionaries.dictionaries import WEIGHTS, weights
from mi_tutor.teach.exercises.dictionaries.encoding import sae_forward
from mi_tutor.teach.exercises.making import normal


def sae_loss(
    x: Tensor, W_enc: Tensor, b_enc: Tensor, W_dec: Tensor, b_dec: Tensor, l1: float
) -> Tensor:
    """Reconstruction plus l1 times the penalty."""
    latents, x_hat = sae_forward(x, W_enc, b_enc, W_dec, b_dec)
    return lab.sae_loss(x, x_hat, latents, W_dec, l1)


def _loss_cases(g: torch.Generator) -> list[Case]:
    def case(label, batch, d, n_latents, l1, dtype=torch.float32):
        inputs = {"x": normal(g, batch, d, dtype=dtype)} | weights(g, d, n_latents, dtype)
        return Case(label=label, inputs=inputs | {"l1": l1})

    return [
        case("a batch of 7", 7, 4, 9, 0.7),
        case("a batch of 1", 1, 5, 8, 2.0),
        case("as many samples as latents, as many latents as dimensions", 5, 5, 5, 1.5),
        case("13 latents in 11 dimensions, double precision", 12, 11, 13, 0.3, dtype=torch.float64),
    ]


def _terms(x, W_enc, b_enc, W_dec, b_dec):
    """Squared errors [batch d], weighted latents [batch latent], and everything on the way."""
    pre = (x - b_dec) @ W_enc + b_enc
    latents = torch.relu(pre)
    error = (x - latents @ W_dec - b_dec) ** 2
    return error, latents * W_dec.norm(dim=1), pre, latents


def _with(make):
    """A loss from (error, weighted, pre, latents, W_dec, l1)."""

    def loss(x, W_enc, b_enc, W_dec, b_dec, l1):
        return make(*_terms(x, W_enc, b_enc, W_dec, b_dec), W_dec, l1)

    return loss


def _loss_loop(x, W_enc, b_enc, W_dec, b_dec, l1):
    total = torch.zeros((), dtype=x.dtype)
    for sample in x:
        f = torch.relu((sample - b_dec) @ W_enc + b_enc)
        x_hat = f @ W_dec + b_dec
        total = total + sum((sample[j] - x_hat[j]) ** 2 for j in range(len(sample)))
        for i in range(len(f)):
            total = total + l1 * f[i] * W_dec[i].pow(2).sum().sqrt()
    return total / len(x)


SAE_LOSS = Exercise(
    slug="sae-loss",
    title="Reconstruct, with few latents",
    chapter="02",
    points=3,
    minutes=8,
    difficulty=2,
    objective="Write the loss of a sparse autoencoder with the right reductions, and weigh the penalty so that there is no way around it.",
    cases=_loss_cases,
    reference=sae_loss,
    gradients=WEIGHTS,
    styles=(
        Style(
            name="sums over everything, divided by the batch",
            right=_with(lambda e, w, pre, f, W, l1: (e.sum() + l1 * w.sum()) / len(e)),
        ),
        Style(
            name="mse_loss and einsum",
            right=lambda x, W_enc, b_enc, W_dec, b_dec, l1: (
                F.mse_loss(sae_forward(x, W_enc, b_enc, W_dec, b_dec)[1], x, reduction="sum")
                / x.shape[0]
                + l1
                * torch.einsum(
                    "bl,l->b",
                    sae_forward(x, W_enc, b_enc, W_dec, b_dec)[0],
                    torch.linalg.vector_norm(W_dec, dim=-1),
                ).mean()
            ),
        ),
        Style(name="loops", right=_loss_loop),
    ),
    mistakes=(
        Mistake(
            name="not weighted by the decoder's norms",
            wrong=_with(lambda e, w, pre, f, W, l1: e.sum(-1).mean() + l1 * f.sum(-1).mean()),
            sentence="Your penalty is the plain sum of the latents. Then halving every latent and doubling every decoder row lowers it for free: "
            "weight each latent with the norm of its row.",
        ),
        Mistake(
            name="L1 on pre-activations",
            wrong=_with(
                lambda e, w, pre, f, W, l1: (
                    e.sum(-1).mean() + l1 * (pre.abs() * W.norm(dim=1)).sum(-1).mean()
                )
            ),
            sentence="The penalty is taken of the pre-activations, so latents that are off are charged too, the more the firmer they are off. "
            "It belongs on what is left after the ReLU.",
        ),
        Mistake(
            name="mean over latents",
            wrong=_with(lambda e, w, pre, f, W, l1: e.sum(-1).mean() + l1 * w.mean()),
            sentence="The penalty is a mean over latents and the reconstruction a sum over dimensions. Then a wider dictionary is punished less: "
            "sum over latents, mean over the batch only.",
        ),
        Mistake(
            name="mean over dimensions",
            wrong=_with(lambda e, w, pre, f, W, l1: e.mean() + l1 * w.sum(-1).mean()),
            sentence="The reconstruction is a mean over dimensions (as `mse_loss` gives it) and the penalty a sum over latents. Sum over both, "
            "and take the mean over the batch.",
        ),
        Mistake(
            name="mean over everything",
            wrong=_with(lambda e, w, pre, f, W, l1: e.mean() + l1 * w.mean()),
            sentence="Both terms are means over everything. Within a sample they are sums: over dimensions, and over latents. The mean is over the "
            "batch.",
        ),
        Mistake(
            name="penalty summed over the batch",
            wrong=_with(lambda e, w, pre, f, W, l1: e.sum(-1).mean() + l1 * w.sum()),
            sentence="The reconstruction is a mean over the batch and the penalty a sum over it, so λ would mean something else for every batch size.",
        ),
        Mistake(
            name="reconstruction summed over the batch",
            wrong=_with(lambda e, w, pre, f, W, l1: e.sum() + l1 * w.sum(-1).mean()),
            sentence="The penalty is a mean over the batch and the reconstruction a sum over it. Both are means over the batch.",
        ),
        Mistake(
            name="both summed over the batch",
            wrong=_with(lambda e, w, pre, f, W, l1: e.sum() + l1 * w.sum()),
            sentence="You sum over the batch, so the loss grows with the batch size. Over samples it is a mean.",
        ),
        Mistake(
            name="the norm in place of its square",
            wrong=_with(
                lambda e, w, pre, f, W, l1: e.sum(-1).sqrt().mean() + l1 * w.sum(-1).mean()
            ),
            sentence="You take the length of the error; the formula has its square.",
        ),
        Mistake(
            name="squared latents",
            wrong=_with(lambda e, w, pre, f, W, l1: e.sum(-1).mean() + l1 * (w**2).sum(-1).mean()),
            sentence="Your penalty squares the latents. A square hardly minds many small latents, so it does not make anything sparse; L1 does.",
        ),
        Mistake(
            name="counting latents",
            wrong=_with(
                lambda e, w, pre, f, W, l1: (
                    e.sum(-1).mean() + l1 * (f > 0).sum(-1).to(e.dtype).mean()
                )
            ),
            sentence="Your penalty counts the latents that are on: that is L0, what we would like, and its gradient is zero everywhere. L1 adds "
            "their values up.",
        ),
        Mistake(
            name="no λ",
            wrong=_with(lambda e, w, pre, f, W, l1: e.sum(-1).mean() + w.sum(-1).mean()),
            sentence="`l1` does not come into your loss: it multiplies the penalty.",
        ),
        Mistake(
            name="λ on the reconstruction",
            wrong=_with(lambda e, w, pre, f, W, l1: l1 * e.sum(-1).mean() + w.sum(-1).mean()),
            sentence="`l1` stands in front of the wrong term: it multiplies the penalty.",
        ),
        Mistake(
            name="penalty subtracted",
            wrong=_with(lambda e, w, pre, f, W, l1: e.sum(-1).mean() - l1 * w.sum(-1).mean()),
            sentence="You subtract the penalty, so that large latents are rewarded. It is added.",
        ),
        Mistake(
            name="no penalty",
            wrong=_with(lambda e, w, pre, f, W, l1: e.sum(-1).mean()),
            sentence="This is the reconstruction alone; the penalty is missing.",
        ),
        Mistake(
            name="norms of the decoder's columns",
            wrong=_with(
                lambda e, w, pre, f, W, l1: (
                    e.sum(-1).mean() + l1 * (f * W.norm(dim=0)).sum(-1).mean()
                )
            ),
            sentence="You weight with the norms of W_dec's columns. A latent's direction is a ROW. (With as many latents as dimensions the shapes "
            "do not complain.)",
        ),
        Mistake(
            name="detached",
            wrong=lambda *a: sae_loss(*a).detach(),
            sentence="The number is right, but it is cut off from the weights, so it could not train anything: return the tensor itself, without "
            "`.detach()`, `.item()` or `float()`.",
        ),
        Mistake(
            name="penalty detached",
            wrong=_with(
                lambda e, w, pre, f, W, l1: e.sum(-1).mean() + l1 * w.detach().sum(-1).mean()
            ),
            sentence="The number is right, but no gradient flows through the penalty, so training would ignore it. Do not detach the latents.",
        ),
    ),
    hints=(
        "Two terms. Each is one number per sample first (a SUM over dimensions, a SUM over latents), and then a mean over the batch.",
        "Your `sae_forward` gives latents and reconstruction. After a ReLU a latent is its own absolute value.",
        "`W_dec.norm(dim=...)` should give one number per latent, and latents are W_dec's rows.",
    ),
)
