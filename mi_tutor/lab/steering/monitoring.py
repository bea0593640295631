"""Second instruments beside a dashboard of latents: how large is what it leaves out, and what does a probe read?

A monitor is set on clean requests alone: its threshold is the value that only a given share of them exceeds.
Whoever sets it on the attack that it is then tried on has measured nothing.
"""

import math
from typing import NamedTuple

from jaxtyping import Bool, Float
from torch import Tensor

from mi_tutor.lab.dictionaries import Sae


def error_norm(x: Float[Tensor, "*row d"], sae: Sae) -> Float[Tensor, "*row"]:
    """The length of what a dictionary leaves out of each row."""
    return (x - sae(x)).norm(dim=-1)


class Alarm(NamedTuple):
    """A threshold, and which rows exceed it."""

    threshold: float
    rings: Bool[Tensor, "row"]


def alarm(clean: Float[Tensor, "known"], seen: Float[Tensor, "row"], false_alarms: float) -> Alarm:
    """Set a monitor on clean values, then watch others: it rings ABOVE the threshold.

    The threshold is the smallest clean value that at most a share `false_alarms` of the clean ones exceed.

    >>> import torch
    >>> alarm(torch.tensor([1.0, 2.0, 3.0, 4.0]), torch.tensor([3.0, 3.5]), 0.25)
    Alarm(threshold=3.0, rings=tensor([False,  True]))
    """
    allowed = math.floor(false_alarms * len(clean) + 1e-9)
    threshold = clean.sort(descending=True).values[min(allowed, len(clean) - 1)]
    return Alarm(threshold.item(), seen > threshold)
