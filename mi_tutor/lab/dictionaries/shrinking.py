"""Why L1 makes latents too small, and by how much.

Take one feature alone, of size s, and a latent f with the right direction of norm 1. The loss is

    (s - f)^2 + lambda f          least at   f = s - lambda / 2,  or 0 where s is smaller than that

This is soft thresholding, as in the lasso (Tibshirani 1996): every latent loses the same amount, whatever its
size (shrinkage; feature suppression in Wright and Sharkey 2024). TopK, and L0 with a JumpReLU, put no price
on size and take nothing away.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from mi_tutor.lab.dictionaries.finite import check_finite, wide


def soft_threshold(size: Float[Tensor, "*batch"], l1: float) -> Float[Tensor, "*batch"]:
    """max(0, size - l1/2): the latent that is best for a feature of that size, with the weight l1 of the penalty.

    >>> soft_threshold(torch.tensor([0.5, 1.0, 3.0]), l1=2.0)
    tensor([0., 0., 2.])
    """
    return torch.relu(size - l1 / 2)


def shrinkage(latent: Float[Tensor, "row"], size: Float[Tensor, "row"]) -> float:
    """How much too small a latent is: size - latent, mean over the samples in which it is on.

    latent: one latent's values; size: of its feature in the same samples (`ToyActivations.sizes`), with rows
        of norm 1 in the decoder.

    `soft_threshold` predicts lambda / 2. lambda counts in the units of training; in those of the data it is
    lambda / (2 unit_scale(x)). Training moves b_dec too, which takes over what all samples can share: with a
    latent that is on in a share p of them, b_dec along its direction grows by lambda/2 p / (1 - p), and the latent
    loses that on top: together lambda/2 / (1 - p).

    Raises ValueError if the latent is never on.

    >>> shrinkage(torch.tensor([0.0, 2.0, 4.0]), torch.tensor([0.7, 3.0, 5.0]))
    1.0
    """
    check_finite(latent=latent, size=size)
    on = latent > 0
    if not on.any():
        raise ValueError(
            f"The latent is off in all {len(latent)} samples, so its size cannot be compared. Is it dead, or "
            "lambda / 2 above every size?"
        )
    return (wide(size) - wide(latent))[on].mean().item()
