"""The same patching experiment at many sites, in few forward passes.

A batch can hold many copies of one prompt, each with another site patched. That alone is ten times faster than one
site after another. Of a GPT-2 we know more:

1. Nothing before the patch changes, so a copy starts in the layer of its site.
2. After attention a block treats each position on its own, so in that block only the patched position is computed.
3. If the metric looks at one position, the last block and the unembedding are needed there only.

Any other architecture runs whole copies with hooks. The results are the same.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby
from types import MappingProxyType
from typing import NamedTuple

import torch
from einops import rearrange, repeat
from jaxtyping import Float, Int
from torch import Tensor, nn

from mi_tutor.lab.ground.edits import check_editable, check_sites, edit_hooks
from mi_tutor.lab.ground.plain import PlainTransformer, Run, plain_transformer
from mi_tutor.lab.ground.runs import AnyMetric, capture, measure, read_position
from mi_tutor.lab.ground.sites import Cache, Site, hook_name

N_ROWS = 256  # prompts per pass: enough to keep the processor busy, few enough to stay in its cache
N_LOGITS = 2**24  # logits per pass: at most 64 MiB, whatever the length and the vocabulary

# What has to be known besides an edited component, so that its block can be completed from there.
BESIDE = MappingProxyType(
    {
        "q": ("resid_pre", "k", "v"),
        "k": ("resid_pre", "q", "v"),
        "v": ("resid_pre", "pattern"),
        "pattern": ("resid_pre", "v"),
        "z": ("resid_pre",),
        "attn_out": ("resid_pre",),
        "resid_mid": (),
        "mlp_out": ("resid_mid",),
        "resid_post": (),
    }
)
AFTER_ATTENTION = ("z", "attn_out", "resid_mid", "mlp_out", "resid_post")


def batched_sweep(
    model: nn.Module,
    tokens: Int[Tensor, "pair pos"],
    source: Cache,
    metric: AnyMetric,
    sites: Sequence[Site],
    n_rows: int = N_ROWS,
) -> Float[Tensor, "site pair"]:
    """The metric of one run per site, with that site taken from the source.

    source: the cache of another run, or any mapping from hook names to activations of the same shapes.
    n_rows: prompts per forward pass, at most.

    Raises ValueError if the source's prompts have another shape.

    >>> from mi_tutor.specimens import open_specimen, encode
    >>> from mi_tutor.lab.ground.metrics import Metric
    >>> model = open_specimen("primer", device="cpu")
    >>> clean, corrupted = encode(model, ["The capital of France is", "The capital of Italy is"])[:, None]
    >>> _, cache = model.run_with_cache(clean)
    >>> heads = [Site("z", layer, head=head) for layer in range(2) for head in range(4)]
    >>> paris = Metric(name="logit of Paris", measure=lambda logits: logits[..., model.to_single_token(" Paris")])
    >>> batched_sweep(model, corrupted, cache, paris, heads).shape
    torch.Size([8, 1])
    """
    check_sites(model, sites, tokens)
    check_shapes(tokens, source, sites)
    run = start(model, tokens, {site.component for site in sites})
    n_read = 1 if run.plain and read_position(metric) is not None else tokens.shape[1]
    n_rows = min(n_rows, N_LOGITS // (n_read * model.cfg.d_vocab))
    values = []
    with torch.no_grad():
        for alike in passes(sites, n_sites=max(1, n_rows // len(tokens))):
            component, layer, in_one_place = kind(alike[0])
            if run.plain and component in AFTER_ATTENTION and in_one_place:
                stream = stream_edited_at_one_position(run, source, alike)
                values.append(metric_of_streams(run, metric, layer, stream))
            else:
                value = copies(run.base[alike[0].hook_name], source, alike)
                values.append(metric_given(run, metric, component, layer, value))
    return torch.cat(values)


class Start(NamedTuple):
    """What all copies have in common: the model, its plain twin if it has one, and the run without any edit."""

    model: nn.Module
    plain: PlainTransformer | None
    tokens: Tensor
    base: Run


def start(model: nn.Module, tokens: Int[Tensor, "pair pos"], components: Iterable[str]) -> Start:
    """Run once without an edit. `components`: those that will be edited."""
    components = list(components)
    check_editable(model, components, tokens)
    plain = plain_transformer(model)
    with torch.no_grad():
        base = plain.run(tokens) if plain else capture(model, tokens, components)
    return Start(model, plain, tokens, base)


def metric_given(
    run: Start, metric: AnyMetric, component: str, layer: int, value: Float[Tensor, "copy pair ..."]
) -> Float[Tensor, "copy pair"]:
    """The metric of copies of a run in which a component of one layer has the given values."""
    if run.plain is None:
        return metric_by_hooks(run, metric, component, layer, value)
    if component == "resid_pre":
        return metric_of_streams(run, metric, layer - 1, value)
    known = {each: run.base[hook_name(each, layer)] for each in BESIDE[component]}
    stream = run.plain.complete(layer, known | {component: value})["resid_post"]
    return metric_of_streams(run, metric, layer, stream)


def metric_of_streams(
    run: Start, metric: AnyMetric, layer: int, stream: Float[Tensor, "copy pair pos d_model"]
) -> Float[Tensor, "copy pair"]:
    """The metric of copies with the given stream after a layer."""
    return measure(metric, run.plain.logits_after(layer, stream, read_position(metric)))


def metric_by_hooks(
    run: Start, metric: AnyMetric, component: str, layer: int, value: Float[Tensor, "copy pair ..."]
) -> Float[Tensor, "copy pair"]:
    """The same by whole runs with hooks, for any architecture."""
    rows = repeat(run.tokens, "pair pos -> (copy pair) pos", copy=len(value))
    hooks = edit_hooks(Site(component, layer), lambda activation: value.flatten(0, 1))
    with run.model.hooks(fwd_hooks=hooks):
        logits = run.model(rows)
    return metric(rearrange(logits, "(copy pair) ... -> copy pair ...", copy=len(value)))


def stream_edited_at_one_position(
    run: Start, source: Cache, sites: list[Site]
) -> Float[Tensor, "site pair pos d_model"]:
    """resid_post of a layer, where the block is completed at each site's own position only."""
    component, layer = sites[0].component, sites[0].layer
    positions = [site.position for site in sites]

    def here(each: str) -> Tensor:  # [site pair ...], each site at its position
        return run.base[hook_name(each, layer)][:, positions].transpose(0, 1)

    value = here(component).clone()
    for copy, site in zip(value, sites, strict=True):
        head = () if site.head is None else (site.head,)
        copy[:, *head] = source[site.hook_name][site.index]
    known = {each: here(each) for each in BESIDE[component]} | {component: value}
    after = run.base[hook_name("resid_post", layer)]
    stream = after.expand(len(sites), *after.shape).clone()
    stream[range(len(sites)), :, positions] = run.plain.complete(layer, known)["resid_post"]
    return stream


def copies(
    activation: Float[Tensor, "pair ..."], source: Cache, sites: list[Site]
) -> Float[Tensor, "site pair ..."]:
    """One copy of an activation per site, with that site taken from the source."""
    copied = activation.expand(len(sites), *activation.shape).clone()
    for copy, site in zip(copied, sites, strict=True):
        copy[site.index] = source[site.hook_name][site.index]
    return copied


def passes(sites: Sequence[Site], n_sites: int) -> list[list[Site]]:
    """The sites in order, cut into lists of one kind, and at most `n_sites` each."""
    cut = []
    for _, group in groupby(sites, key=kind):
        alike = list(group)
        cut += [alike[start : start + n_sites] for start in range(0, len(alike), n_sites)]
    return cut


def kind(site: Site) -> tuple[str, int, bool]:
    """Component, layer, and whether it is one position: sites of one kind share a pass."""
    return site.component, site.layer, site.position is not None


def check_shapes(tokens: Int[Tensor, "pair pos"], source: Cache, sites: Sequence[Site]) -> None:
    """ValueError unless the source's activations belong to as many prompts of the same length."""
    if not sites:
        raise ValueError("There are no sites to sweep over.")
    for name, component in {site.hook_name: site.component for site in sites}.items():
        shape = source[name].shape
        seen = (shape[0], shape[2] if component == "pattern" else shape[1])
        if seen != tuple(tokens.shape):
            raise ValueError(
                f"The prompts are {list(tokens.shape)} (prompts, tokens), but the source's {name} belongs to "
                f"{list(seen)}. Both runs need the same number of prompts with the same number of tokens each."
            )
