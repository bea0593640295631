"""What a dictionary is trained for: reconstruct the input, with few latents.

All losses are a MEAN over the batch, and within a sample a SUM: over the dimensions of the input for the
reconstruction, over the latents for a penalty. If one of two terms were a mean and the other a sum, their
balance would change with the width of the dictionary.

    L = ||x - x_hat||^2 + lambda * sum_i f_i ||W_dec[i]||        (Bricken et al. 2023, Conerly et al. 2024)

L1 has to be weighted with the norm of the decoder's rows, or the norms have to be held at 1. Otherwise there
is a way around the penalty that makes nothing sparser: halve every latent, double every row of the decoder.

Sums run in float32 at least: in half precision they would overflow, or lose the small terms.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from mi_tutor.lab.dictionaries.activations import step
from mi_tutor.lab.dictionaries.finite import wide


def reconstruction_loss(
    x: Float[Tensor, "batch d"], x_hat: Float[Tensor, "batch d"]
) -> Float[Tensor, ""]:
    """||x - x_hat||^2: SUM over dimensions, MEAN over the batch.

    >>> reconstruction_loss(torch.tensor([[1.0, 2.0], [0.0, 0.0]]), torch.zeros(2, 2))
    tensor(2.5000)
    """
    return wide(x - x_hat).square().sum(dim=-1).mean()


def l1_penalty(
    latents: Float[Tensor, "batch latent"], W_dec: Float[Tensor, "latent d"]
) -> Float[Tensor, ""]:
    """sum_i f_i ||W_dec[i]||: SUM over latents, MEAN over the batch (Conerly et al. 2024).

    Scaling a latent up and its row down by the same factor changes nothing, neither here nor in the
    reconstruction.

    >>> l1_penalty(torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 4.0], [0.0, 1.0]]))
    tensor(7.)
    """
    return (wide(latents).abs() * W_dec.norm(dim=-1)).sum(dim=-1).mean()


def sae_loss(
    x: Float[Tensor, "batch d"],
    x_hat: Float[Tensor, "batch d"],
    latents: Float[Tensor, "batch latent"],
    W_dec: Float[Tensor, "latent d"],
    l1: float,
) -> Float[Tensor, ""]:
    """reconstruction_loss + l1 * l1_penalty: the loss of a ReLU dictionary.

    >>> x, latents, W_dec = torch.ones(1, 2), torch.tensor([[1.0, 0.0]]), torch.eye(2)
    >>> sae_loss(x, latents @ W_dec, latents, W_dec, l1=0.5)
    tensor(1.5000)
    """
    return reconstruction_loss(x, x_hat) + l1 * l1_penalty(latents, W_dec)


def l0_penalty(
    pre: Float[Tensor, "batch latent"], threshold: Float[Tensor, "latent"], bandwidth: float
) -> Float[Tensor, ""]:
    """How many latents are on (Rajamanoharan et al. 2024b): SUM over latents, MEAN over the batch.

    A gradient reaches only the thresholds, through the straight-through estimator of `step`.

    >>> l0_penalty(torch.tensor([[0.5, 2.0], [3.0, 2.0]]), torch.ones(2), bandwidth=0.1)
    tensor(1.5000)
    """
    return wide(step(pre, threshold, bandwidth)).sum(dim=-1).mean()


def tanh_penalty(
    latents: Float[Tensor, "batch latent"], W_dec: Float[Tensor, "latent d"], scale: float
) -> Float[Tensor, ""]:
    """sum_i tanh(scale * f_i ||W_dec[i]||): between L1 (small latents) and L0 (large ones).

    SUM over latents, MEAN over the batch. Jermyn et al. 2024; Ameisen et al. 2025 train transcoders with it. A
    large latent is not pulled down any further, so it shrinks less than with L1.

    >>> tanh_penalty(torch.tensor([[100.0, 0.0]]), torch.eye(2), scale=4.0)
    tensor(1.)
    """
    return torch.tanh(scale * wide(latents) * W_dec.norm(dim=-1)).sum(dim=-1).mean()


def pre_activation_loss(
    pre: Float[Tensor, "batch latent"],
    threshold: Float[Tensor, "latent"],
    W_dec: Float[Tensor, "latent d"],
) -> Float[Tensor, ""]:
    """sum_i ReLU(threshold_i - pre_i) ||W_dec[i]||: SUM over latents, MEAN over the batch.

    It pulls every latent that is off towards its threshold, so that dead ones have a gradient too (Conerly et al.
    2025; Ameisen et al. 2025 take it with a very small weight).

    >>> pre_activation_loss(torch.tensor([[0.5, 2.0]]), torch.ones(2), 3 * torch.eye(2))
    tensor(1.5000)
    """
    return (torch.relu(threshold - wide(pre)) * W_dec.norm(dim=-1)).sum(dim=-1).mean()


def auxiliary_loss(
    error: Float[Tensor, "batch d"],
    pre: Float[Tensor, "batch latent"],
    W_dec: Float[Tensor, "latent d"],
    dead: Bool[Tensor, "latent"],
    k: int,
) -> Float[Tensor, ""]:
    """How badly the dead latents would explain what the living ones leave (AuxK, Gao et al. 2024).

        ||e - e_hat||^2,   e = x - x_hat (a constant here),   e_hat = the k largest dead latents, decoded

    SUM over dimensions, MEAN over the batch. It gives latents that never fire, and so have no gradient, a
    reason to
    move: towards what is missing. Returns 0 if no latent is dead.

    >>> error, pre = torch.tensor([[0.0, 2.0]]), torch.tensor([[9.0, 1.5]])
    >>> auxiliary_loss(error, pre, torch.eye(2), dead=torch.tensor([False, True]), k=1)
    tensor(0.2500)
    """
    if not dead.any():
        return error.new_zeros(())
    revived = torch.relu(pre[:, dead])
    kept = revived.topk(min(k, revived.shape[-1]), dim=-1)
    revived = torch.zeros_like(revived).scatter(-1, kept.indices, kept.values)
    return reconstruction_loss(error.detach(), revived @ W_dec[dead])
