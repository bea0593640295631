"""Was a dictionary trained on activations like these? Its means tell.

Training moves b_dec until the mean of the reconstructions is the mean of the activations: their difference is one
of the easiest errors to remove. So if both means differ, what is fed to the dictionary is not what it was trained
on. A usual reason is how the model's weights were processed: `open_specimen` folds LayerNorm and centres what is
written to the residual stream, most published dictionaries were trained without. Then activations differ by a
number that all dimensions share, and look alike otherwise.

    of all    ||shift||^2 / mean ||x - mean x||^2         shift = mean x_hat - mean x; this is a part of FVU
    shared    shift . u  over the root mean square along an average direction,   u = (1, ..., 1) / sqrt(d)

What centring takes away lies along u alone, so the second is the sharper sign of it. The shipped dictionaries
have at most 0.002 of the first and 0.03 of the second; read at the wrong hook, 0.1 to 7 of the first. After a few
steps of training it can be 0.6: means have not settled then. Where activations have next to no part along u to
begin with, there is no sign; but there centring changes next to nothing.
"""

import warnings
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from mi_tutor.lab.dictionaries.finite import check_finite, wide
from mi_tutor.lab.dictionaries.model import Sae

MOST = 0.25  # of either: warn beyond
FEWEST = 50  # tokens: the mean of fewer says little


class MeanShift(NamedTuple):
    """How far the reconstructions' mean lies from the activations' mean.

    Attributes:
        of_all: ||shift||^2 as a share of the activations' variance.
        shared: the shift along (1, ..., 1), in root mean squares along an average direction.
    """

    of_all: float
    shared: float

    @property
    def is_strange(self) -> bool:
        """Further than a dictionary should be on activations like those it was trained on."""
        return self.of_all > MOST or abs(self.shared) > MOST


def mean_shift(x: Float[Tensor, "row d"], x_hat: Float[Tensor, "row d"]) -> MeanShift:
    """How far the means of activations and reconstructions lie apart.

    Raises ValueError if all activations are the same.

    >>> mean_shift(torch.tensor([[0.0, 2.0], [2.0, 0.0]]), torch.tensor([[3.0, 3.0], [3.0, 3.0]]))
    MeanShift(of_all=4.0, shared=2.8284270763397217)
    """
    check_finite(x=x, x_hat=x_hat)
    x, x_hat = wide(x), wide(x_hat)
    shift, variance = (x_hat - x).mean(dim=0), x.var(dim=0, correction=0).sum()
    if not variance > 0:
        raise ValueError(f"All {len(x)} activations are the same, so there is nothing to compare.")
    # Along u: shift.sum() / sqrt(d), in units of sqrt(variance / d).
    return MeanShift(
        (shift.square().sum() / variance).item(), (shift.sum() / variance.sqrt()).item()
    )


@torch.no_grad()
def check_means(
    sae: Sae, x: Float[Tensor, "row d_in"], target: Float[Tensor, "row d_out"] | None = None
) -> MeanShift:
    """Compare the means of activations and reconstructions, and warn if they tell of other activations.

    x: activations, of a hundred tokens at least. target: what a transcoder should give.

    >>> sae = Sae(W_enc=torch.eye(2), b_enc=torch.zeros(2), W_dec=torch.eye(2), b_dec=torch.zeros(2))
    >>> check_means(sae, torch.tensor([[1.0, 3.0], [2.0, 0.0]]))
    MeanShift(of_all=0.0, shared=0.0)
    """
    shift = mean_shift(x if target is None else target, sae(x))
    warn_if_strange(shift)
    return shift


def warn_if_strange(shift: MeanShift) -> None:
    """Say so if the means lie too far apart."""
    if not shift.is_strange:
        return
    warnings.warn(
        "The mean of the reconstructions is not the mean of the activations: they lie apart by "
        f"{shift.of_all:.1%} of the variance, and by {abs(shift.shared):.2f} standard deviations in what all "
        "dimensions share (usual: below 1% and 0.1). So this dictionary was hardly trained, or on other "
        "activations: of another hook, or of a model whose weights were not processed (open_specimen folds "
        "LayerNorm and centres writing weights). Take what is measured here with care.",
        stacklevel=2,
    )
