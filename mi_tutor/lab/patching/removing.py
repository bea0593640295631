"""One head's output replaced by nothing, by its mean, or by what it is on another prompt."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from mi_tutor.lab.patching.ablation import mean_activation


def ablate_head(
    z: Float[Tensor, "prompt pos head d_head"],
    head: int,
    how: str,
    others: Int[Tensor, "prompt"],
) -> Float[Tensor, "prompt pos head d_head"]:
    """A copy of z with one head's output replaced, at all positions.

    how: "zero"; "mean" over the prompts, position by position; or "resample", prompt i taking the value of
        prompt others[i].

    Raises ValueError for another word.

    >>> z = torch.tensor([1.0, 3.0]).reshape(2, 1, 1, 1)
    >>> others = torch.tensor([1, 0])
    >>> [ablate_head(z, 0, how, others).flatten().tolist() for how in ("zero", "mean", "resample")]
    [[0.0, 0.0], [2.0, 2.0], [3.0, 1.0]]
    """
    if how not in ("zero", "mean", "resample"):
        raise ValueError(f'how should be "zero", "mean" or "resample", got {how!r}.')
    value = torch.zeros_like(z)
    if how == "mean":
        value = mean_activation(z, len(z))
    elif how == "resample":
        value = z[others]
    new = z.clone()
    new[:, :, head] = value[:, :, head]
    return new
