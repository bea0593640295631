"""Activation patching: what changes when one activation is taken from another run?

1. Run the model on both prompts and keep the activations of the one that we take from.
2. Run it on the other prompt, with one site replaced by the kept value.
3. Read the metric.

Two directions, two questions (Heimersheim & Nanda 2024):

    denoise   run on the corrupted prompt, take from the clean one: is this site *enough* to bring the answer back?
    noise     run on the clean prompt, take from the corrupted one: is this site *needed* for the answer?

This file patches one site after another, with hooks. `batched` gives the same numbers in few passes.
"""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from mi_tutor.lab.ground.edits import Edit, check_sites, edit_hooks
from mi_tutor.lab.ground.sites import COMPONENTS, Cache, Site, replaced


def run_patched(
    model: nn.Module, tokens: Int[Tensor, "batch pos"], source: Cache, sites: Site | Sequence[Site]
) -> Float[Tensor, "batch pos vocab"]:
    """The logits of a run in which some sites have the source's activations.

    source: the cache of another run on prompts of the same shape, or any mapping from hook names to
        activations. The hooks live in a context manager: afterwards the model is what it was.

    Raises ValueError for a site that this kind of model does not have, or where an edit would change nothing.

    >>> from mi_tutor.specimens import open_specimen, encode
    >>> model = open_specimen("primer", device="cpu")
    >>> clean, corrupted = encode(model, ["The capital of France is", "The capital of Italy is"])[:, None]
    >>> _, cache = model.run_with_cache(clean)
    >>> country = Site("resid_pre", layer=0, position=4)  # BOS is at 0
    >>> model.to_string(run_patched(model, corrupted, cache, country)[0, -1].argmax())
    ' Paris'
    """
    sites = [sites] if isinstance(sites, Site) else sites
    check_sites(model, sites, tokens)
    in_order = sorted(sites, key=lambda site: (site.layer, COMPONENTS.index(site.component)))
    hooks = [hook for site in in_order for hook in edit_hooks(site, put_in(site, source))]
    with torch.no_grad(), model.hooks(fwd_hooks=hooks):
        return model(tokens)


def put_in(site: Site, source: Cache) -> Edit:
    """The edit that gives a site the source's value."""
    value = source[site.hook_name]

    def edit(activation: Tensor) -> Tensor:
        if activation.shape != value.shape:
            raise ValueError(
                f"{site.hook_name} is {list(activation.shape)} in this run and {list(value.shape)} in the source. "
                "Both runs need the same number of prompts with the same number of tokens each."
            )
        return replaced(activation, site, value)

    return edit


def patch_residual(
    model: nn.Module,
    tokens: Int[Tensor, "pair pos"],
    source: Cache,
    metric: Callable[[Tensor], Tensor],
) -> Float[Tensor, "layer pos"]:
    """The metric, averaged over prompts, with the stream before each layer patched at each position.

    tokens: the prompts that are run; source: the cache of the others.

    >>> from mi_tutor.specimens import open_specimen, encode
    >>> from mi_tutor.lab.ground.metrics import prefers
    >>> from mi_tutor.lab.ground.prompts import token_ids
    >>> model = open_specimen("primer", device="cpu")
    >>> clean, corrupted = encode(model, ["The capital of France is", "The capital of Italy is"])[:, None]
    >>> metric = prefers(token_ids(model, [" Paris"]), token_ids(model, [" Rome"]))
    >>> _, cache = model.run_with_cache(clean)
    >>> patch_residual(model, corrupted, cache, metric).argmax(dim=1)  # the country, then the end
    tensor([4, 5])
    """
    n_layers, n_positions = model.cfg.n_layers, tokens.shape[1]
    values = torch.zeros(n_layers, n_positions, device=tokens.device)
    for layer in range(n_layers):
        for position in range(n_positions):
            site = Site("resid_pre", layer, position)
            values[layer, position] = metric(run_patched(model, tokens, source, site)).mean()
    return values


def patch_heads(
    model: nn.Module,
    tokens: Int[Tensor, "pair pos"],
    source: Cache,
    metric: Callable[[Tensor], Tensor],
) -> Float[Tensor, "layer head"]:
    """The metric, averaged over prompts, with each head's output z patched at all positions."""
    values = torch.zeros(model.cfg.n_layers, model.cfg.n_heads, device=tokens.device)
    for layer in range(model.cfg.n_layers):
        for head in range(model.cfg.n_heads):
            site = Site("z", layer, head=head)
            values[layer, head] = metric(run_patched(model, tokens, source, site)).mean()
    return values
