"""Chapter 06, what a cross-layer transcoder is trained to make small: `clt-loss`."""

from __future__ import annotations

import torch
from torch import Tensor

from mi_tutor.lab import tracing as lab
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style
from mi_tutor.teach.exercises.making import normal, uniform
from mi_tutor.teach.exercises.tracing.inputs import clt_weights


def clt_loss(y, y_hat, latents, W_dec, sparsity, scale) -> Tensor:
    """The loss without the penalty on pre-activations."""
    threshold = torch.zeros_like(latents[0])
    return lab.clt_loss(y, y_hat, latents, latents, threshold, W_dec, sparsity, scale)


def _cases(g: torch.Generator) -> list[Case]:
    def case(label, batch, n_layers, m, d, sparsity, scale, dtype=torch.float32):
        y = normal(g, batch, n_layers, d, dtype=dtype)
        latents = uniform(g, batch, n_layers, m, high=0.6, dtype=dtype)
        latents = latents * (uniform(g, batch, n_layers, m) < 0.4)
        W_dec = clt_weights(g, n_layers, m, d, dtype)["W_dec"] / d
        inputs = {
            "y": y,
            "y_hat": y + 0.4 * normal(g, batch, n_layers, d, dtype=dtype),
            "latents": latents,
            "W_dec": W_dec,
        }
        return Case(label=label, inputs=inputs | {"sparsity": sparsity, "scale": scale})

    return [
        case("three layers", 7, 3, 6, 5, 0.3, 4.0),
        case("as many layers, latents and dimensions", 5, 4, 4, 4, 0.8, 2.0),
        case("a single layer", 6, 1, 8, 4, 0.5, 1.5),
        case("a single sample", 1, 2, 5, 6, 0.4, 4.0),
        case("double precision", 4, 3, 7, 3, 1.2, 3.0, torch.float64),
    ]


def _error(y, y_hat):
    return (y - y_hat).square().sum(dim=(1, 2)).mean()


def _joint(W_dec):
    return W_dec.square().sum(dim=(2, 3)).sqrt()


def _with(penalty=None, error=_error, factor=None):
    def answer(y, y_hat, latents, W_dec, sparsity, scale):
        found = (penalty or _penalty)(latents, W_dec, scale)
        return error(y, y_hat) + (factor(sparsity) if factor else sparsity) * found

    return answer


def _penalty(latents, W_dec, scale):
    return torch.tanh(scale * latents * _joint(W_dec)).sum(dim=(1, 2)).mean()


def _loop(y, y_hat, latents, W_dec, sparsity, scale):
    total = 0.0
    for sample in range(len(y)):
        for layer in range(y.shape[1]):
            total = total + ((y[sample, layer] - y_hat[sample, layer]) ** 2).sum()
            norms = torch.stack([row.norm() for row in W_dec[layer]])
            total = total + sparsity * torch.tanh(scale * norms * latents[sample, layer]).sum()
    return total / len(y)


def _by_flattening(y, y_hat, latents, W_dec, sparsity, scale):
    norms = W_dec.flatten(2).norm(dim=-1)
    each = (y - y_hat).flatten(1).pow(2).sum(-1) + sparsity * (
        (scale * latents * norms).tanh().flatten(1).sum(-1)
    )
    return each.mean()


CLT_LOSS = Exercise(
    slug="clt-loss",
    optional=True,
    title="What it is trained for",
    chapter="06",
    points=2,
    minutes=10,
    difficulty=2,
    objective="Write the loss of a cross-layer transcoder, and say why one norm over all layers stands in its penalty.",
    cases=_cases,
    reference=clt_loss,
    gradients=("y_hat", "latents", "W_dec"),
    styles=(
        Style(name="loops", right=_loop),
        Style(name="flattened rows", right=_by_flattening),
        Style(name="sums over two axes", right=_with()),
    ),
    mistakes=(
        Mistake(
            name="a norm per layer, added up",
            wrong=_with(
                lambda f, W, c: torch.tanh(c * f * W.norm(dim=-1).sum(-1)).sum((1, 2)).mean()
            ),
            sentence="You add up the norms of what a latent writes to each layer. The norm is that of all it writes, as ONE long vector: the root of the sum of "
            "all squares.",
        ),
        Mistake(
            name="a penalty per layer written to",
            wrong=_with(
                lambda f, W, c: torch.tanh(c * f[..., None] * W.norm(dim=-1)).sum((1, 2, 3)).mean()
            ),
            sentence="You take tanh once for each layer that a latent writes to, so a latent that writes to five layers costs five times. It counts as one "
            "latent.",
        ),
        Mistake(
            name="own layer's norm",
            wrong=_with(
                lambda f, W, c: (
                    torch.tanh(
                        c * f * torch.stack([W[i, :, i].norm(dim=-1) for i in range(len(W))])
                    )
                    .sum((1, 2))
                    .mean()
                )
            ),
            sentence="Your norm is that of what a latent writes to its OWN layer. What it writes to later ones would then cost nothing.",
        ),
        Mistake(
            name="no norm",
            wrong=_with(lambda f, W, c: torch.tanh(c * f).sum((1, 2)).mean()),
            sentence="The decoder's norm is missing: a latent could escape the penalty by being small and writing with a long decoder.",
        ),
        Mistake(
            name="no tanh",
            wrong=_with(lambda f, W, c: (c * f * _joint(W)).sum((1, 2)).mean()),
            sentence="This is L1: the tanh is missing, so large values go on costing more.",
        ),
        Mistake(
            name="tanh of the sum",
            wrong=_with(lambda f, W, c: torch.tanh((c * f * _joint(W)).sum((1, 2))).mean()),
            sentence="You take tanh of the sum over latents. Each latent has its own, and then they are added up.",
        ),
        Mistake(
            name="the norm outside of tanh",
            wrong=_with(lambda f, W, c: (torch.tanh(c * f) * _joint(W)).sum((1, 2)).mean()),
            sentence="The norm multiplies the tanh; it belongs inside, beside the latent: what counts is how much is written.",
        ),
        Mistake(
            name="no scale",
            wrong=_with(lambda f, W, c: torch.tanh(f * _joint(W)).sum((1, 2)).mean()),
            sentence="`scale` does not come into your loss: it stands inside of tanh.",
        ),
        Mistake(
            name="mean over latents",
            wrong=_with(lambda f, W, c: torch.tanh(c * f * _joint(W)).mean()),
            sentence="Your penalty is a mean over latents and layers. Over these it is a sum; the mean is over the batch.",
        ),
        Mistake(
            name="mean over layers",
            wrong=_with(error=lambda y, y_hat: (y - y_hat).square().sum(-1).mean()),
            sentence="Your reconstruction is a mean over layers. It is a sum over layers and dimensions, and a mean over the batch.",
        ),
        Mistake(
            name="mse_loss",
            wrong=_with(error=torch.nn.functional.mse_loss),
            sentence="Your reconstruction is a mean over everything. It is a sum over layers and dimensions, and a mean over the batch.",
        ),
        Mistake(
            name="no sparsity coefficient",
            wrong=_with(factor=lambda sparsity: 1.0),
            sentence="`sparsity` does not come into your loss: it multiplies the penalty.",
        ),
        Mistake(
            name="detached",
            wrong=lambda *inputs: clt_loss(*inputs).detach(),
            sentence="The number is right, but it is cut off from the weights, so nothing could be trained: no `.detach()`, `.item()` or `torch.no_grad()`.",
        ),
    ),
    hints=(
        "Two terms, each a number per sample first: a sum over layers and dimensions, a sum over layers and latents. Then the mean over the batch.",
        "One norm per latent, [layer latent]: over which two axes of W_dec are squares added?",
        "`W_dec.flatten(2).norm(dim=-1)` is that norm. tanh is taken of scale times latent times norm.",
    ),
)
