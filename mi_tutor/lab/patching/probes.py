"""Probes: can a concept be read from activations along one direction? And does the model read it there?

A probe answers the first question only. What it reads is there, but perhaps nothing else reads it. Whether the
model does, an intervention along the direction tells (`exchange_along`, `patch_direction`).
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from mi_tutor.lab.ground.runs import AnyMetric, capture
from mi_tutor.lab.ground.sites import Site
from mi_tutor.lab.patching.activation import run_patched


class Probe(NamedTuple):
    """A direction and a threshold: the concept is read as present where x · direction + bias > 0."""

    direction: Float[Tensor, "d"]
    bias: Float[Tensor, ""]

    def score(self, x: Float[Tensor, "*row d"]) -> Float[Tensor, "*row"]:
        """The log odds that the concept is present."""
        return x @ self.direction + self.bias


def fit_probe(x: Float[Tensor, "row d"], labels: Bool[Tensor, "row"], l2: float = 1e-3) -> Probe:
    """Logistic regression: minimise mean cross-entropy + l2 / 2 |direction|², from 0, until it stands still.

    The problem is convex, so there is one solution and nothing random in finding it. l2 keeps the direction finite
    where the classes can be separated.

    Raises ValueError if only one class occurs, or l2 is not positive.

    >>> x = torch.tensor([[0.0, 1.0], [0.0, -1.0], [2.0, 1.0], [2.0, -1.0]])
    >>> probe = fit_probe(x, torch.tensor([False, False, True, True]))
    >>> (probe.score(x) > 0).tolist()
    [False, False, True, True]
    """
    if labels.all() or not labels.any():
        raise ValueError("All labels are the same: a probe needs examples with and without.")
    if l2 <= 0:
        raise ValueError(
            f"l2 should be positive, got {l2}: else separable classes have no solution."
        )
    rows, target = x.detach().cpu().double(), labels.cpu().double()
    mean = rows.mean(dim=0)  # only the bias depends on it, and the search is easier without
    weights = rows.new_zeros(x.shape[1] + 1, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [weights],
        max_iter=1000,
        tolerance_grad=1e-9,
        tolerance_change=1e-14,
        line_search_fn="strong_wolfe",
    )

    def loss() -> Tensor:
        optimizer.zero_grad()
        scores = (rows - mean) @ weights[:-1] + weights[-1]
        total = (
            F.binary_cross_entropy_with_logits(scores, target) + l2 / 2 * (weights[:-1] ** 2).sum()
        )
        total.backward()
        return total

    with torch.enable_grad():
        optimizer.step(loss)
    direction, bias = weights.detach()[:-1], weights.detach()[-1]
    return Probe(direction.to(x), (bias - mean @ direction).to(x))


def probe_accuracy(probe: Probe, x: Float[Tensor, "row d"], labels: Bool[Tensor, "row"]) -> float:
    """The share of rows that the probe reads rightly. Measure it on rows that it was not fitted to.

    >>> probe = Probe(torch.tensor([1.0, 0.0]), torch.tensor(-1.0))
    >>> probe_accuracy(probe, torch.tensor([[2.0, 5.0], [0.0, 5.0]]), torch.tensor([True, True]))
    0.5
    """
    return ((probe.score(x) > 0) == labels).double().mean().item()


def mean_difference(x: Float[Tensor, "row d"], labels: Bool[Tensor, "row"]) -> Float[Tensor, "d"]:
    """The mean with the concept minus the mean without it: a direction that needs no fitting.

    >>> mean_difference(torch.tensor([[1.0, 0.0], [3.0, 0.0]]), torch.tensor([False, True]))
    tensor([2., 0.])
    """
    return x[labels].mean(dim=0) - x[~labels].mean(dim=0)


def part_along(
    x: Float[Tensor, "*row d"], direction: Float[Tensor, "d"]
) -> Float[Tensor, "*row d"]:
    """The part of x along a direction: (x · u) u with u the unit vector.

    >>> part_along(torch.tensor([3.0, 4.0]), torch.tensor([0.0, 2.0]))
    tensor([0., 4.])
    """
    u = direction / direction.norm()
    return (x @ u)[..., None] * u


def without_direction(
    x: Float[Tensor, "*row d"], direction: Float[Tensor, "d"]
) -> Float[Tensor, "*row d"]:
    """x without its part along a direction.

    >>> without_direction(torch.tensor([3.0, 4.0]), torch.tensor([0.0, 2.0]))
    tensor([3., 0.])
    """
    return x - part_along(x, direction)


def exchange_along(
    x: Float[Tensor, "*row d"], source: Float[Tensor, "*row d"], direction: Float[Tensor, "d"]
) -> Float[Tensor, "*row d"]:
    """x with the source's part along a direction: the smallest edit after which a probe reads the source's value.

    >>> exchange_along(torch.tensor([3.0, 4.0]), torch.tensor([9.0, 7.0]), torch.tensor([0.0, 2.0]))
    tensor([3., 7.])
    """
    return x + part_along(source - x, direction)


def patch_direction(
    model: nn.Module,
    tokens: Int[Tensor, "pair pos"],
    source_tokens: Int[Tensor, "pair pos"],
    metric: AnyMetric,
    site: Site,
    direction: Float[Tensor, "d"],
) -> Float[Tensor, "pair"]:
    """The metric of the run on `tokens` with only one direction of a site taken from the other run.

    The same patch along all directions, `run_patched`, says how much there is to be moved at all.

    >>> from mi_tutor.specimens import open_specimen, encode
    >>> from mi_tutor.lab.ground.metrics import prefers
    >>> from mi_tutor.lab.ground.prompts import token_ids
    >>> model = open_specimen("primer", device="cpu")
    >>> tokens, other = encode(model, ["The capital of France is", "The capital of Italy is"])[:, None]
    >>> metric = prefers(token_ids(model, [" Paris"]), token_ids(model, [" Rome"]))
    >>> country = Site("resid_pre", layer=0, position=4)
    >>> patch_direction(model, tokens, other, metric, country, torch.ones(64)).shape
    torch.Size([1])
    """
    base, source = (capture(model, ids, [site.component]) for ids in (tokens, source_tokens))
    name = site.hook_name
    made_up = {name: exchange_along(base[name], source[name], direction)}
    return metric(run_patched(model, tokens, made_up, site))
