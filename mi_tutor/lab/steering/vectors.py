"""Steering vectors: three ways to make a direction from texts, and what differs.

    difference of means    v = mean of x where the concept is - mean where it is not    any labelled texts
    CAA                    v = mean over pairs of (x+ - x-), at one position            many pairs of prompts
    ActAdd                 v_p = x+_p - x-_p, for each position p                       one pair of prompts

CAA (contrastive activation addition, Rimsky et al. 2024) takes two prompts that differ in the answer's letter
only, reads both at that letter, and adds the mean difference at all positions after a user's prompt. ActAdd
(activation addition, Turner et al. 2023) takes one pair, such as "Love" and "Hate", and adds the differences
position by position to the beginning of another prompt. In all three the second term takes out what both have in
common, which is by far the largest part of an activation.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from mi_tutor.lab.swaps.directions import random_like


def mean_difference(
    activations: Float[Tensor, "row pos d_model"],
    concept: Bool[Tensor, "row pos"],
    chosen: Bool[Tensor, "row pos"],
) -> Float[Tensor, "d_model"]:
    """mean(where the concept is) - mean(where it is not), both over chosen places only.

    Raises ValueError if one of the two has no place.

    >>> x = torch.tensor([[[1.0], [3.0], [9.0]]])
    >>> mean_difference(x, torch.tensor([[False, True, True]]), torch.tensor([[True, True, False]]))
    tensor([2.])
    """
    for name, places in (("with", chosen & concept), ("without", chosen & ~concept)):
        if not places.any():
            raise ValueError(
                f"No chosen place is {name} the concept, so there is no mean of these."
            )
    return activations[chosen & concept].mean(dim=0) - activations[chosen & ~concept].mean(dim=0)


def contrastive_vector(
    positive: Float[Tensor, "pair pos d_model"],
    negative: Float[Tensor, "pair pos d_model"],
    position: int = -1,
) -> Float[Tensor, "d_model"]:
    """CAA: the mean over pairs of positive minus negative, at one position.

    >>> contrastive_vector(torch.tensor([[[1.0], [5.0]]]), torch.tensor([[[1.0], [2.0]]]))
    tensor([3.])
    """
    return (positive[:, position] - negative[:, position]).mean(dim=0)


def activation_addition(
    positive: Float[Tensor, "pos d_model"], negative: Float[Tensor, "pos d_model"]
) -> Float[Tensor, "pos d_model"]:
    """ActAdd: positive minus negative of one pair, a vector for each position, to be added from position 1 on.

    Position 0, BOS, is the same in both.

    >>> activation_addition(torch.tensor([[0.0], [5.0]]), torch.tensor([[0.0], [2.0]]))
    tensor([[0.],
            [3.]])
    """
    return positive - negative


def random_vector(vector: Float[Tensor, "d_model"], seed: int) -> Float[Tensor, "d_model"]:
    """A random direction as long as a vector: the control.

    >>> random_vector(torch.tensor([3.0, 4.0]), seed=0).norm()
    tensor(5.)
    """
    return random_like(vector[None], torch.Generator().manual_seed(seed))[0]
