"""Judging samples by measured frequencies and magnitudes: for exercises whose answers are random data.

With 20,000 samples the standard error of a frequency is at most 0.0036, and that of a mean magnitude at a
density of 5 % is 0.009: the tolerances are more than five of them.
"""

from __future__ import annotations

import torch
from torch import Tensor

from mi_tutor.teach.exercise import Tolerance

N_BATCH = 20_000
FREQUENCY, MAGNITUDE = Tolerance(0.0, 0.02), Tolerance(0.0, 0.06)
SHARE, LINK = Tolerance(0.0, 0.05), Tolerance(0.0, 0.15)
MIN_PAIRS = 800  # a correlation of fewer samples says little: its standard error is 1/√n


def while_on(values: Tensor, is_on: Tensor) -> Tensor:
    """Mean of each feature over the samples in which it is on."""
    return (values * is_on).sum(0) / is_on.sum(0).clamp(min=1)


def to_the_sample(is_on: Tensor, probability: Tensor) -> bool:
    """Whether counts are what they are on average, all of them: chance does not do that."""
    return bool(((is_on.sum(0) - len(is_on) * probability).abs() <= 1).all())


def together(is_on: Tensor) -> Tensor:
    """[feature feature]: how often two features are on in the same sample."""
    return is_on.float().T @ is_on.float() / len(is_on)


def magnitude_links(x: Tensor, is_on: Tensor) -> Tensor:
    """[feature feature]: correlation of magnitudes while both are on; 0 where that is too rare to say."""
    links = torch.zeros(x.shape[1], x.shape[1])
    for i in range(x.shape[1]):
        for j in range(i):
            both = is_on[:, i] & is_on[:, j]
            if int(both.sum()) >= MIN_PAIRS:
                links[i, j] = torch.corrcoef(torch.stack([x[both, i], x[both, j]]))[
                    0, 1
                ].nan_to_num(1.0)
    return links
