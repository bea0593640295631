"""How good a dictionary is, in numbers that say different things.

| number  | question                                             | best                          |
|---------|------------------------------------------------------|-------------------------------|
| L0      | how many latents are on per sample?                  | small                         |
| FVU     | which share of the variance is not reconstructed?    | 0; 1 is as bad as the mean    |
| cosine  | does the reconstruction point the right way?         | 1                             |
| dead    | which share of the latents is never on?              | 0                             |
| dense   | which share is on in more than a tenth of samples?   | 0: a latent that is always on says little |

None of them says that the latents mean something: a low FVU can come with latents that are useless for
steering or reading. Measure on the text as it is, also where training has seen some tokens more often.

All of them count in float32 at least, and raise ValueError where a number is NaN or infinite.
"""

from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from mi_tutor.lab.dictionaries.finite import check_finite, wide
from mi_tutor.lab.dictionaries.model import Sae

DENSE = 0.1  # on in more than this share of samples
AT_ONCE = 8192  # samples that are encoded together


class SaeMetrics(NamedTuple):
    """See the module's table.

    Attributes:
        density: for each latent the share of samples in which it is on.
    """

    l0: float
    fvu: float
    cosine: float
    dead: float
    dense: float
    density: Float[Tensor, "latent"]


def l0(latents: Float[Tensor, "*batch latent"]) -> float:
    """Latents that are on per sample: a count over LATENTS, a mean over samples.

    >>> l0(torch.tensor([[1.0, 0.5, 0.0], [0.0, 0.0, 3.0]]))
    1.5
    """
    check_finite(latents=latents)
    return (latents > 0).sum(dim=-1).float().mean().item()


def fvu(x: Float[Tensor, "row d"], x_hat: Float[Tensor, "row d"]) -> float:
    """Fraction of variance unexplained: sum ||x - x_hat||^2 / sum ||x - mean x||^2.

    The variance is around the mean of the rows. Without centring, predicting the mean for everything already
    looks good where activations have a large mean. Sums run over all rows and dimensions together.

    Raises ValueError if all rows are the same: there is no variance to explain.

    >>> x = torch.tensor([[10.0], [12.0]])
    >>> fvu(x, torch.full((2, 1), 11.0)), fvu(x, x)
    (1.0, 0.0)
    """
    check_finite(x=x, x_hat=x_hat)
    x, x_hat = wide(x), wide(x_hat)
    variance = (x - x.mean(dim=0)).square().sum()
    if not variance > 0:
        raise ValueError(
            f"All {len(x)} rows are the same, so there is no variance to explain. Measure on more samples."
        )
    if variance.isinf():
        raise ValueError(f"The numbers in x are too large to be squared in {variance.dtype}.")
    return ((x - x_hat).square().sum() / variance).item()


def cosine(x: Float[Tensor, "row d"], x_hat: Float[Tensor, "row d"]) -> float:
    """Cosine similarity of sample and reconstruction, mean over samples.

    >>> cosine(torch.tensor([[1.0, 0.0]]), torch.tensor([[5.0, 0.0]]))
    1.0
    """
    check_finite(x=x, x_hat=x_hat)
    return torch.cosine_similarity(wide(x), wide(x_hat), dim=-1).mean().item()


def density(latents: Float[Tensor, "row latent"]) -> Float[Tensor, "latent"]:
    """For each latent the share of samples in which it is on.

    >>> density(torch.tensor([[1.0, 0.0], [2.0, 0.0]]))
    tensor([1., 0.])
    """
    check_finite(latents=latents)
    return (latents > 0).float().mean(dim=0)


class DensityHistogram(NamedTuple):
    """How many latents are on how often, on a logarithmic scale.

    Attributes:
        counts: latents per bin.
        edges: of the bins, as log10 of the density; one more than counts.
        n_dead: latents that were never on. They have no logarithm and are in no bin.
    """

    counts: Int[Tensor, "bin"]
    edges: Float[Tensor, "bin+1"]
    n_dead: int


def density_histogram(density: Float[Tensor, "latent"], n_bins: int = 30) -> DensityHistogram:
    """The histogram of log10 density, from the rarest latent that was on to 0 (always on).

    >>> density_histogram(torch.tensor([0.0, 0.01, 0.02, 1.0]), n_bins=2)
    DensityHistogram(counts=tensor([2, 1]), edges=tensor([-2., -1.,  0.]), n_dead=1)
    """
    check_finite(density=density)
    on = density[density > 0].log10()
    lowest = min(on.min().item(), -1e-6) if len(on) else -1.0
    edges = torch.linspace(lowest, 0.0, n_bins + 1)
    place = (torch.bucketize(on, edges.to(on), right=True) - 1).clamp(0, n_bins - 1)
    counts = torch.bincount(place, minlength=n_bins).cpu()
    return DensityHistogram(counts, edges, int((density <= 0).sum()))


@torch.no_grad()
def sae_metrics(
    sae: Sae, x: Float[Tensor, "row d_in"], target: Float[Tensor, "row d_out"] | None = None
) -> SaeMetrics:
    """All numbers of the module's table. target: what a transcoder should give.

    dead counts latents that were off in all these rows, so give many (100,000 tokens, say).

    >>> sae = Sae(W_enc=torch.eye(2), b_enc=torch.zeros(2), W_dec=torch.eye(2), b_dec=torch.zeros(2))
    >>> found = sae_metrics(sae, torch.tensor([[1.0, 0.0], [3.0, 0.0]]))
    >>> found.l0, found.fvu, found.dead
    (1.0, 0.0, 0.5)
    """
    y = x if target is None else target
    on = torch.zeros(sae.d_sae, device=x.device)
    dtype = sae.W_enc.dtype
    y_hat = torch.empty_like(y, dtype=dtype)
    for start in range(0, len(x), AT_ONCE):
        rows = slice(start, start + AT_ONCE)
        latents = sae.encode(x[rows].to(dtype))
        on += (latents > 0).sum(dim=0)
        y_hat[rows] = sae.decode(latents)
    share = on / len(x)
    return SaeMetrics(
        l0=share.sum().item(),
        fvu=fvu(y, y_hat),
        cosine=cosine(y, y_hat),
        dead=(share == 0).float().mean().item(),
        dense=(share > DENSE).float().mean().item(),
        density=share,
    )


def pareto_front(l0: Float[Tensor, "point"], loss: Float[Tensor, "point"]) -> Bool[Tensor, "point"]:
    """Which dictionaries no other one beats: none is at least as sparse AND as good, and better in one of the
    two.

    >>> pareto_front(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([0.5, 0.6, 0.1]))
    tensor([ True, False,  True])
    """
    check_finite(l0=l0, loss=loss)
    as_good = (l0[:, None] >= l0) & (loss[:, None] >= loss)  # [point, by another]
    better = (l0[:, None] > l0) | (loss[:, None] > loss)
    return ~(as_good & better).any(dim=1)


def sparsity_for(target_l0: float, sparsity: Iterable[float], l0: Iterable[float]) -> float:
    """The lambda that should give a wanted L0, from a few that were tried.

    Linear between the two neighbours, in the logarithms of both. Raises ValueError if L0 does not fall with
    lambda, or the wanted value lies outside of what was tried.

    >>> round(sparsity_for(10.0, sparsity=[0.1, 1.0], l0=[100.0, 1.0]), 4)
    0.3162
    """
    tried = sorted(zip(sparsity, l0, strict=True))
    check_finite(l0=torch.tensor([found for _, found in tried]))
    for (low, many), (high, few) in pairwise(tried):
        if few >= many:
            raise ValueError(
                f"L0 should fall as lambda rises, but it is {many} at {low} and {few} at {high}. "
                "Were both trained to the end?"
            )
        if few <= target_l0 <= many:
            logs = torch.tensor([low, high, many, few, target_l0], dtype=torch.float64).log()
            share = (logs[2] - logs[4]) / (logs[2] - logs[3])
            return torch.lerp(logs[0], logs[1], share).exp().item()
    raise ValueError(
        f"An L0 of {target_l0} lies outside of what was tried: {[found for _, found in tried]}. Try "
        "a lambda beyond the ones so far."
    )
