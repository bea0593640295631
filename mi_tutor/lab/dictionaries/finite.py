"""Numbers that can be trusted: wide enough for a sum of squares, and none of them NaN.

In float16 everything above 65,504 is infinite, and a sum of squares soon is; bfloat16 has three digits, so that a
count of 300 may become 302. And NaN is neither above 0 nor below it: without a check a latent that is NaN counts
as one that is off.
"""

import torch
from torch import Tensor


def wide(x: Tensor) -> Tensor:
    """In float32 if x is stored in fewer bits; else as it is.

    >>> wide(torch.ones(1, dtype=torch.float16)).dtype, wide(torch.ones(1, dtype=torch.float64)).dtype
    (torch.float32, torch.float64)
    """
    return x.to(torch.promote_types(x.dtype, torch.float32)) if x.is_floating_point() else x


def check_finite(**tensors: Tensor) -> None:
    """ValueError if a number is NaN or infinite: how many of which tensor, and where the first of them is.

    >>> check_finite(x=torch.ones(2))  # all is well
    """
    for name, x in tensors.items():
        if not x.is_floating_point() or x.detach().sum(dtype=torch.float32).isfinite():
            continue  # one pass and no memory, for all that is well
        bad = (~x.isfinite()).nonzero()
        if len(bad):
            raise ValueError(
                f"{len(bad):,} of {x.numel():,} numbers in {name} {'is' if len(bad) == 1 else 'are'} NaN or "
                f"infinite, the first at {bad[0].tolist()}. Look where it comes from: an overflow in half "
                "precision, a division by 0, a training that diverged?"
            )
