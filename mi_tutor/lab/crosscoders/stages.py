"""When did training change what? Difference in differences between stages of a fine-tune.

A quantity y is measured at each stage, on prompts of which the answer was changed and on control prompts of
which it was not. All through training y may drift on any prompt. What is due to the change is what it does more on
the one kind than on the other:

    step_s = (mean over changed y_s+1 - mean over changed y_s) - (mean over control y_s+1 - mean over control y_s)

The steps add up to the difference in differences between the last stage and the first one, and

    reached_s = (sum of the steps before stage s) / (sum of all steps)

says how much of the way is behind a stage. It rests on one assumption: without what was taught, both kinds would
have drifted alike.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor


class StageDiff(NamedTuple):
    """When the change came.

    Attributes:
        steps: the difference in differences between each stage and the next.
        reached: of their sum, the share that is behind each stage: 0 at the first, 1 at the last.
    """

    steps: Float[Tensor, "step *quantity"]
    reached: Float[Tensor, "stage *quantity"]


def stage_diff(
    y: Float[Tensor, "stage prompt *quantity"], changed: Bool[Tensor, "prompt"]
) -> StageDiff:
    """Difference in differences between the stages, and the share of the whole that each has reached.

    >>> y = torch.tensor([[0.0, 0.0, 1.0], [1.0, 3.0, 1.0], [5.0, 5.0, 2.0]])
    >>> stage_diff(y, torch.tensor([True, True, False]))
    StageDiff(steps=tensor([2., 2.]), reached=tensor([0.0000, 0.5000, 1.0000]))
    """
    apart = y[:, changed].mean(dim=1) - y[:, ~changed].mean(dim=1)
    since = apart - apart[0]
    return StageDiff(torch.diff(apart, dim=0), since / since[-1])
