"""Interventions on latents in the model itself: what happens if some have other values?

A graph is a hypothesis about the model, tested by changing latents and running the model, not its replacement. The
change of a latent is what it writes, times the change of its value:

    delta_t = sum over changed latents i of   (new_i - old_i) W_dec[i -> t]

Constrained patching (Ameisen et al. 2025): within a range of layers the MLPs' outputs are held at what was
recorded plus delta, so that no MLP there answers to the change and nothing is counted twice; after the range the
MLPs run as usual. The range has to cover every layer that the changed latents write to (`written_layers`, the
default):
outside of it a cross-layer transcoder's later writes would be lost.

Attention runs as usual, or with the patterns that were recorded: what the graph takes for granted.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from mi_tutor.lab.ground.plain import affine
from mi_tutor.lab.tracing.graph import LATENT, Nodes
from mi_tutor.lab.tracing.local import (
    LocalReplacementModel,
    denominator,
    frozen_attention,
)
from mi_tutor.lab.tracing.pulling import ATTENTION, MLP, Stage
from mi_tutor.lab.tracing.sources import decoder


class Change(NamedTuple):
    """One latent at one position, and the value that it shall have.

    component: ATTENTION or MLP. For MLP transcoders `layer` is where the latent reads.
    """

    component: int
    layer: int
    position: int
    index: int
    value: float


class Intervened(NamedTuple):
    """What the model does, for each set of changes.

    Attributes:
        logits: at all positions.
        mlp_in: what each layer's MLP reads, from which later latents' new values follow.
    """

    logits: Float[Tensor, "set pos vocab"]
    mlp_in: Float[Tensor, "layer set pos d_model"]


@torch.no_grad()
def intervene(
    local: LocalReplacementModel,
    sets: Sequence[Sequence[Change]],
    layers: range | None = None,
    freeze_patterns: bool = False,
) -> Intervened:
    """Run the model with each set of changes, all sets together.

    local: at one prompt.
    layers: whose MLPs are held, None for `written_layers` of all changes. An empty range holds none, and then only
        changes of attention latents count.

    Raises ValueError for a change of a latent that there is not, or at BOS, where latents are never on.
    """
    plain, seen = local.plain, local.recording
    every = [change for changes in sets for change in changes]
    held = written_layers(local, every) if layers is None else layers
    mlp, attention = deltas(local, sets)
    x = seen.embedding.expand(len(sets), *seen.embedding.shape)
    read = []
    for layer, block in enumerate(plain.blocks):
        scale, pattern = (
            denominator(x, plain.eps),
            seen.patterns[layer].expand(len(sets), -1, -1, -1),
        )
        if not freeze_patterns:
            pattern = plain.complete(layer, {"resid_pre": x}, until="pattern")["pattern"]
        x = x + frozen_attention(plain, layer, x, pattern, scale) + attention[layer]
        read.append(plain.mlp_reads(block, x))
        x = x + (seen.mlp_out[layer] + mlp[layer] if layer in held else plain.mlp(block, x))
    logits = affine(plain.norm(x, plain.ln_final), plain.unembed)
    return Intervened(logits, torch.stack(read))


def written_layers(local: LocalReplacementModel, changes: Sequence[Change]) -> range:
    """From the first to the last layer to which some changed MLP latent writes."""
    n_layers = local.transcoders.n_layers
    readers = {change.layer for change in changes if change.component == MLP}
    written = [
        to
        for layer in readers
        for to in range(n_layers)
        if local.transcoders.writes(layer, to) is not None
    ]
    return range(min(written), max(written) + 1) if written else range(0)


def deltas(
    local: LocalReplacementModel, sets: Sequence[Sequence[Change]]
) -> tuple[Float[Tensor, "layer set pos d_model"], Float[Tensor, "layer set pos d_model"]]:
    """What each set of changes adds to every MLP output, and to every attention output."""
    n_pos, d_model = local.recording.embedding.shape
    n_layers = local.transcoders.n_layers
    found = local.recording.embedding.new_zeros(2, n_layers, len(sets), n_pos, d_model)
    for number, changes in enumerate(sets):
        for component, layer, position, index, value in changes:
            reader = Stage(layer, component)
            values = values_at(local, reader)
            if not (0 < position < n_pos and 0 <= index < values.shape[-1]):
                raise ValueError(
                    f"There is no latent {index} at position {position}: positions go from 1 (BOS has none) to "
                    f"{n_pos - 1}, latents to {values.shape[-1] - 1}."
                )
            change = value - values[position, index]
            for to in range(layer, n_layers):
                W_dec = decoder(local, reader, Stage(to, component))
                if W_dec is not None:
                    found[component, to, number, position] += change * W_dec[index]
    return found[MLP], found[ATTENTION]


def values_at(local: LocalReplacementModel, reader: Stage) -> Float[Tensor, "pos latent"]:
    """The latents that read at one component, as recorded."""
    if reader.component == MLP and 0 <= reader.layer < local.transcoders.n_layers:
        return local.latents[reader.layer]
    if reader.component == ATTENTION and reader.layer in local.attn_latents:
        return local.attn_latents[reader.layer]
    raise ValueError(
        f"There are no latents at layer {reader.layer}'s {('attention', 'MLP')[reader.component]}; with a "
        f"dictionary are the MLPs of {local.transcoders.n_layers} layers and the attentions "
        f"{sorted(local.attn_latents)}."
    )


def supernode_step(
    values: Float[Tensor, "latent"],
    donor: Float[Tensor, "latent"],
    off: Int[Tensor, "off"],
    on: Int[Tensor, "on"],
    factor: float,
    W_dec: Float[Tensor, "latent to d_model"],
) -> Float[Tensor, "to d_model"]:
    """What is added to each MLP's output when one supernode goes off and another one comes on.

    values: one layer's latents where the edit is made. donor: the latents of the prompt that the other supernode
    was read from, where it was read. Latents of `on` get `factor` times the donor's value, also those that are in
    `off`.

    >>> W_dec = torch.eye(3)[:, None]
    >>> donor = torch.tensor([0.0, 2.0, 0.0])
    >>> values, off, on = torch.tensor([4.0, 1.0, 5.0]), torch.tensor([0]), torch.tensor([1])
    >>> supernode_step(values, donor, off, on, 1.5, W_dec)[0]
    tensor([-4.,  2.,  0.])
    """
    new = values.clone()
    new[off] = 0
    new[on] = factor * donor[on]
    return torch.einsum("l,ltd->td", new - values, W_dec)


def changes_of(nodes: Nodes, numbers: Sequence[int], factor: float = 0.0) -> list[Change]:
    """Changes that give some nodes of a graph `factor` times their values: 0 switches them off.

    Raises ValueError if one of them is no latent.

    >>> nodes = Nodes(*map(torch.tensor, ([0], [1], [2], [5], [7], [3.0])))
    >>> changes_of(nodes, [0], factor=2.0)
    [Change(component=1, layer=2, position=5, index=7, value=6.0)]
    """
    found = []
    for number in numbers:
        kind, component, layer, position, index = (int(part[number]) for part in nodes[:5])
        if kind != LATENT:
            raise ValueError(f"Node {number} is no latent, so it cannot be given another value.")
        value = factor * float(nodes.value[number])
        found.append(Change(component, layer, position, index, value))
    return found
