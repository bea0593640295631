"""Ablation: what is lost without a part? That depends on what stands in its place.

    zero       nothing: what if the part wrote nothing at all?  Later layers never saw that in training.
    mean       its mean over other prompts: what if it said what it usually says?
    resample   its value on another prompt: what if it had seen something else?  The same as noising.

Three questions with three answers. Zero also removes what a part always writes, so it can hurt although the part
told nothing about this prompt (Wang et al. 2022 take the mean; Chan et al. 2022 resample).
"""

from collections.abc import Iterable, Sequence
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from mi_tutor.lab.ground.plain import Run
from mi_tutor.lab.ground.runs import AnyMetric, capture
from mi_tutor.lab.ground.sites import Site
from mi_tutor.lab.patching.activation import run_patched
from mi_tutor.lab.patching.sweeps import SweepResult, sweep

How = Literal["zero", "mean", "resample"]


def mean_activation(
    reference: Float[Tensor, "prompt ..."], n_prompts: int
) -> Float[Tensor, "n_prompts ..."]:
    """The mean over prompts, position by position, for each of `n_prompts` prompts.

    A position should mean the same in all of them, as in prompts of one wording.

    >>> mean_activation(torch.tensor([[1.0, 5.0], [3.0, 5.0]]), n_prompts=1)
    tensor([[2., 5.]])
    """
    return reference.mean(dim=0).expand(n_prompts, *reference.shape[1:])


def other_prompts(n_prompts: int, generator: torch.Generator) -> Int[Tensor, "n_prompts"]:
    """For each prompt of a batch the number of another one, each drawn once: a random cycle.

    Raises ValueError for a single prompt, which has no other.

    >>> from mi_tutor.lab.ground.device import seeded
    >>> drawn = other_prompts(4, seeded(0))
    >>> sorted(drawn.tolist()), bool((drawn == torch.arange(4)).any())
    ([0, 1, 2, 3], False)
    """
    if n_prompts < 2:
        raise ValueError("To resample from other prompts there have to be two or more.")
    order = torch.randperm(n_prompts, generator=generator, device=generator.device)
    others = torch.empty_like(order)
    others[order] = order.roll(1)
    return others


def ablation_values(
    model: nn.Module,
    tokens: Int[Tensor, "prompt pos"],
    components: Iterable[str],
    how: How,
    reference: Int[Tensor, "reference pos"] | None = None,
    generator: torch.Generator | None = None,
) -> Run:
    """What stands in the place of some components in every layer: a made-up source for patching.

    reference: prompts of the same length for the mean, or to draw from when resampling (with repetition). By
        default the prompts themselves; resampling then gives each prompt another one's value.
    generator: needed to resample.
    """
    if how not in ("zero", "mean", "resample"):
        raise ValueError(f'how should be "zero", "mean" or "resample", got {how!r}.')
    if how == "resample" and generator is None:
        raise ValueError("Resampling draws at random: give it a generator, lab.ground.seeded(0).")
    n_prompts = len(tokens)
    given = capture(model, tokens if reference is None else reference, components)
    if how == "zero":
        return {
            name: torch.zeros_like(x[:1]).expand(n_prompts, *x.shape[1:])
            for name, x in given.items()
        }
    if how == "mean":
        return {name: mean_activation(x, n_prompts) for name, x in given.items()}
    if reference is None:
        drawn = other_prompts(n_prompts, generator)
    else:
        size, device = (n_prompts,), generator.device
        drawn = torch.randint(len(reference), size, generator=generator, device=device)
    return {name: x[drawn.to(x.device)] for name, x in given.items()}


def ablate(
    model: nn.Module,
    tokens: Int[Tensor, "prompt pos"],
    sites: Site | Sequence[Site],
    how: How,
    reference: Int[Tensor, "reference pos"] | None = None,
    generator: torch.Generator | None = None,
) -> Float[Tensor, "prompt pos vocab"]:
    """The logits without some sites; arguments as in `ablation_values`.

    >>> from mi_tutor.specimens import open_specimen, encode
    >>> model = open_specimen("primer", device="cpu")
    >>> tokens = encode(model, ["The capital of France is", "The capital of Italy is"])
    >>> ablate(model, tokens, Site("z", 1, head=0), "mean").shape
    torch.Size([2, 6, 188])
    """
    sites = [sites] if isinstance(sites, Site) else sites
    components = dict.fromkeys(site.component for site in sites)
    values = ablation_values(model, tokens, components, how, reference, generator)
    return run_patched(model, tokens, values, sites)


def ablation_sweep(
    model: nn.Module,
    tokens: Int[Tensor, "prompt pos"],
    metric: AnyMetric,
    component: str,
    axes: Sequence[str],
    how: How,
    reference: Int[Tensor, "reference pos"] | None = None,
    generator: torch.Generator | None = None,
) -> SweepResult:
    """Ablate each site of a grid in turn. `effect` is what that did to the metric.

    >>> from mi_tutor.specimens import open_specimen, encode
    >>> from mi_tutor.lab.ground.metrics import prefers
    >>> from mi_tutor.lab.ground.prompts import token_ids
    >>> model = open_specimen("primer", device="cpu")
    >>> tokens = encode(model, ["The capital of France is", "The capital of Italy is"])
    >>> metric = prefers(token_ids(model, [" Paris", " Rome"]), token_ids(model, [" Rome", " Paris"]))
    >>> ablation_sweep(model, tokens, metric, "z", ("layer", "head"), "zero").effect.shape
    torch.Size([2, 4])
    """
    values = ablation_values(model, tokens, [component], how, reference, generator)
    return sweep(model, tokens, values, metric, component, axes)
