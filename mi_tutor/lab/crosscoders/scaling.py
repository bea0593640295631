"""Is a latent that writes in the tuned model only really absent from the base? Ask the base's activations.

Latent scaling (Minder et al. 2025): by which factor would the latent's contribution to the tuned model best
explain a target y?

    beta(y) = argmin over b of  sum_x ||b f(x) d - y(x)||^2  =  sum_x f(x) (d . y(x)) / (||d||^2 sum_x f(x)^2)

with d = W_dec^tuned. Two targets, each in both models, with the base's beta as a share of the tuned model's:

    in_error           y = x^m - (x_hat^m without this latent)      near 1: it explains what the base's
                                                                    reconstruction lacks (complete shrinkage)
    in_reconstruction  y = x_hat^m - b_dec^m                        near 1: other latents write the same there
                                                                    (latent decoupling)

Both near 0: the concept is the tuned model's own.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from mi_tutor.lab.crosscoders.model import Crosscoder, crosscoder_decode


def best_factor(
    latents: Float[Tensor, "token latent"],
    directions: Float[Tensor, "latent d_model"],
    targets: Float[Tensor, "token d_model"],
) -> Float[Tensor, "latent"]:
    """beta of each latent: the factor with which f * d comes nearest to the targets; nan if it is never on.

    >>> f, d = torch.tensor([[1.0], [2.0]]), torch.tensor([[1.0, 0.0]])
    >>> best_factor(f, d, torch.tensor([[0.5, 9.0], [1.0, -9.0]]))
    tensor([0.5000])
    """
    along = torch.linalg.vecdot(latents.mT @ targets, directions)
    return along / (latents.square().sum(dim=0) * directions.square().sum(dim=-1))


class Scaled(NamedTuple):
    """The base's factors as shares of the tuned model's, for each latent (see the module)."""

    in_error: Float[Tensor, "latent"]
    in_reconstruction: Float[Tensor, "latent"]


def base_shares(
    latents: Float[Tensor, "token latent"],
    W_dec: Float[Tensor, "latent model d_model"],
    b_dec: Float[Tensor, "model d_model"],
    x: Float[Tensor, "token model d_model"],
) -> Scaled:
    """Both shares, for all latents at once, from the latents of tokens whose activations are x."""
    x_hat = crosscoder_decode(latents, W_dec, b_dec)
    d, found = W_dec[:, 1], []
    for m in range(2):
        rest = best_factor(latents, d, x[:, m] - x_hat[:, m])
        # Leaving latent j out of the reconstruction adds f_j W_dec_j^m to the error: beta is linear in the target.
        own = torch.linalg.vecdot(W_dec[:, m], d) / d.square().sum(dim=-1)
        found.append((rest + own, best_factor(latents, d, x_hat[:, m] - b_dec[m])))
    (base_e, base_r), (tuned_e, tuned_r) = found
    return Scaled(base_e / tuned_e, base_r / tuned_r)


def latent_scaling(crosscoder: Crosscoder, x: Float[Tensor, "token model d_model"]) -> Scaled:
    """`base_shares` of a crosscoder on activations."""
    return base_shares(crosscoder.encode(x), crosscoder.W_dec, crosscoder.b_dec, x)
