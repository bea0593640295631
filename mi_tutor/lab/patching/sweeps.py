"""Sweeps: one experiment at every site of a grid, and the result with named axes.

    denoise   run on the corrupted prompts, take each site from the clean run: is it *enough* for the answer?
    noise     run on the clean prompts, take each site from the corrupted run: is it *needed* for the answer?

A part that is one of several needed ones (AND) shows when noising and not when denoising; one of several that
would each do (OR) shows when denoising and not when noising (Heimersheim & Nanda 2024).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from mi_tutor.lab.ground.metrics import recovered
from mi_tutor.lab.ground.runs import AnyMetric, evaluate, observe
from mi_tutor.lab.ground.sites import Cache, Site, grid_sizes, site_grid
from mi_tutor.lab.patching.batched import batched_sweep


@dataclass(frozen=True, kw_only=True)
class SweepResult:
    """What an experiment found at every site of a grid.

    Attributes:
        per_pair: the metric of each patched run, one axis per entry of `axes` and then one for the pairs.
        axes: "layer", "position", "head", as far as the sweep went over them.
        component: the sites' component.
        metric: the metric's name.
        unpatched: the metric of the run that was edited, without any edit.
        source: the metric of the run that the activations came from; None where they came from no run.
    """

    per_pair: Float[Tensor, "*axes pair"]
    axes: tuple[str, ...]
    component: str
    metric: str
    unpatched: Float[Tensor, "pair"]
    source: Float[Tensor, "pair"] | None = None

    @property
    def values(self) -> Float[Tensor, "*axes"]:
        """The metric, averaged over pairs."""
        return self.per_pair.mean(dim=-1)

    @property
    def effect(self) -> Float[Tensor, "*axes"]:
        """How far the patch moved the metric, averaged over pairs."""
        return self.values - self.unpatched.mean()

    @property
    def share(self) -> Float[Tensor, "*axes"]:
        """The effect as a share of the way to the source run: 0 nothing happened, 1 as if everything were patched.

        Denoising, this is what was recovered; noising, what was lost.
        """
        if self.source is None:
            raise ValueError(
                "The values came from no run, so there is no way to share: see `effect`."
            )
        return recovered(self.values, self.source.mean(), self.unpatched.mean())

    def site(self, index: Sequence[int]) -> Site:
        """The site of an entry of `values`."""
        return Site(self.component, **dict(zip(self.axes, index, strict=True)))

    def top(self, k: int = 5) -> list[tuple[Site, float]]:
        """The k sites with the largest effects, up or down, strongest first."""
        effect = self.effect
        order = effect.flatten().abs().argsort(descending=True)[:k]
        indices = torch.stack(torch.unravel_index(order, effect.shape), dim=-1).tolist()
        return [(self.site(index), effect[*index].item()) for index in indices]


def denoise(
    model: nn.Module,
    clean: Int[Tensor, "pair pos"],
    corrupted: Int[Tensor, "pair pos"],
    metric: AnyMetric,
    component: str,
    axes: Sequence[str] = ("layer", "position"),
) -> SweepResult:
    """Run on the corrupted prompts, with each site in turn taken from the clean run: what is enough?

    >>> from mi_tutor.specimens import open_specimen, encode
    >>> from mi_tutor.lab.ground.metrics import prefers
    >>> from mi_tutor.lab.ground.prompts import token_ids
    >>> model = open_specimen("primer", device="cpu")
    >>> clean, corrupted = encode(model, ["The capital of France is", "The capital of Italy is"])[:, None]
    >>> metric = prefers(token_ids(model, [" Paris"]), token_ids(model, [" Rome"]))
    >>> result = denoise(model, clean, corrupted, metric, "resid_pre")
    >>> result.share[0, 4]  # the country's embedding is all that differs
    tensor(1.0000)
    """
    return patch_grid(model, corrupted, clean, metric, component, axes)


def noise(
    model: nn.Module,
    clean: Int[Tensor, "pair pos"],
    corrupted: Int[Tensor, "pair pos"],
    metric: AnyMetric,
    component: str,
    axes: Sequence[str] = ("layer", "position"),
) -> SweepResult:
    """Run on the clean prompts, with each site in turn taken from the corrupted run: what is needed?"""
    return patch_grid(model, clean, corrupted, metric, component, axes)


def patch_grid(
    model: nn.Module,
    tokens: Int[Tensor, "pair pos"],
    source_tokens: Int[Tensor, "pair pos"],
    metric: AnyMetric,
    component: str,
    axes: Sequence[str],
) -> SweepResult:
    """Run on `tokens`, with each site of a grid in turn taken from the run on `source_tokens`."""
    source, values = observe(model, source_tokens, metric, [component])
    return sweep(model, tokens, source, metric, component, axes, source_values=values)


def sweep(
    model: nn.Module,
    tokens: Int[Tensor, "pair pos"],
    source: Cache,
    metric: AnyMetric,
    component: str,
    axes: Sequence[str],
    source_values: Float[Tensor, "pair"] | None = None,
) -> SweepResult:
    """Replace each site of a grid in turn by what `source` has there, and measure.

    source: activations of the component in every layer, by hook name: of another run, or made up (`ablation`).
    """
    sizes = grid_sizes(source, component, model.cfg.n_layers)
    sites = site_grid(component, axes, sizes)
    per_site = batched_sweep(model, tokens, source, metric, sites)
    return SweepResult(
        per_pair=per_site.reshape(*(sizes[axis] for axis in axes), len(tokens)),
        axes=tuple(axes),
        component=component,
        metric=getattr(metric, "name", "metric"),
        unpatched=evaluate(model, tokens, metric),
        source=source_values,
    )
