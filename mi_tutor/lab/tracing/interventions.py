"""Interventions on latents in the model itself: what happens if some have other values?

A graph is a hypothesis about the model, tested by changing latents and running the model, not its replacement. The
change of a latent is what it writes, times the change of its value:

    delta_t = sum over changed latents i of   (new_i - old_i) W_dec[i -> t]

What do the MLPs do meanwhile? Three answers (Ameisen et al. 2025; circuit-tracer has the same three):

    constrained   within a range of layers the MLPs' outputs are held at what was recorded, plus delta, so that no
                  MLP there answers to the change and nothing is counted twice; after the range the MLPs run as
                  usual. The range has to cover every layer that the changed latents write to (`written_layers`,
                  the default): outside of it a cross-layer transcoder's later writes would be lost.
    iterative     no MLP is held. Each answers to the stream as it is now, and delta is added. old_i is read anew
                  from that stream, so that a latent gets its new value whatever earlier changes did to it. A
                  cross-layer transcoder's later writes can be counted twice: the MLPs there may answer as well.
    direct        everything is held that the graph takes for granted: MLPs, attentions with a dictionary,
                  patterns, LayerNorms' denominators. What is left is linear: a logit changes by exactly what its
                  row says.

But for `direct`, attention runs as usual, or with the patterns that were recorded: what the graph takes for
granted.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple, get_args

import torch
from jaxtyping import Float, Int
from torch import Tensor

from mi_tutor.lab.ground.plain import affine
from mi_tutor.lab.tracing.graph import LATENT, Nodes
from mi_tutor.lab.tracing.local import (
    LocalReplacementModel,
    denominator,
    frozen_attention,
    frozen_norm,
)
from mi_tutor.lab.tracing.pulling import ATTENTION, MLP, Stage
from mi_tutor.lab.tracing.sources import decoder

Mode = Literal["constrained", "iterative", "direct"]


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


class Placed(NamedTuple):
    """The changes at one component, of all sets: in which set, at which position, which latent, its new value."""

    set: Int[Tensor, "change"]
    position: Int[Tensor, "change"]
    index: Int[Tensor, "change"]
    value: Float[Tensor, "change"]


@torch.no_grad()
def intervene(
    local: LocalReplacementModel,
    sets: Sequence[Sequence[Change]],
    layers: range | None = None,
    freeze_patterns: bool = False,
    mode: Mode = "constrained",
) -> Intervened:
    """Run the model with each set of changes, all sets together.

    local: at one prompt.
    layers: whose MLPs are held if `mode` is constrained, None for `written_layers` of all changes. An empty range
        holds none, and then only changes of attention latents count.
    mode: what the MLPs do meanwhile, see the module.

    Raises ValueError for a change of a latent that there is not, or at BOS, where latents are never on, and for
    layers where the mode leaves no choice.
    """
    plain, seen, direct = local.plain, local.recording, mode == "direct"
    held, places = held_layers(local, sets, layers, mode), placed_changes(local, sets)
    added = nothing_added(local, sets) if mode == "iterative" else deltas(local, sets)

    def frozen(recorded: Tensor) -> Tensor:
        return recorded.expand(len(sets), *recorded.shape)

    x, read = frozen(seen.embedding), []
    for layer, block in enumerate(plain.blocks):
        scale = frozen(seen.attn_scale[layer]) if direct else denominator(x, plain.eps)
        pattern = frozen(seen.patterns[layer])
        if not (freeze_patterns or direct):
            pattern = plain.complete(layer, {"resid_pre": x}, until="pattern")["pattern"]
        written = frozen_attention(plain, layer, x, pattern, scale)
        if direct and layer in local.attention:
            written = seen.attn_out[layer]
        if mode == "iterative":
            add_anew(local, added, Stage(layer, ATTENTION), places, written)
        x = x + written + added[ATTENTION, layer]
        scale = frozen(seen.mlp_scale[layer]) if direct else denominator(x, plain.eps)
        read.append(frozen_norm(x, block.ln2, scale))
        if mode == "iterative":
            add_anew(local, added, Stage(layer, MLP), places, read[-1])
        written = seen.mlp_out[layer] if layer in held else plain.mlp(block, x)
        x = x + written + (added[MLP, layer] if layer in held or mode == "iterative" else 0)
    scale = frozen(seen.final_scale) if direct else denominator(x, plain.eps)
    logits = affine(frozen_norm(x, plain.ln_final, scale), plain.unembed)
    return Intervened(logits, torch.stack(read))


def held_layers(
    local: LocalReplacementModel,
    sets: Sequence[Sequence[Change]],
    layers: range | None,
    mode: Mode,
) -> range:
    """The layers whose MLPs write what was recorded."""
    if mode not in get_args(Mode):
        raise ValueError(f"mode should be one of {', '.join(get_args(Mode))}; got {mode!r}.")
    if mode == "constrained":
        every = [change for changes in sets for change in changes]
        return written_layers(local, every) if layers is None else layers
    if layers is not None:
        which = "all of them" if mode == "direct" else "none"
        raise ValueError(
            f"Layers to be held cannot be chosen if the mode is {mode}: it holds {which}."
        )
    return range(local.transcoders.n_layers if mode == "direct" else 0)


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


def placed_changes(
    local: LocalReplacementModel, sets: Sequence[Sequence[Change]]
) -> dict[Stage, Placed]:
    """All changes, by the component at which their latents read. ValueError for one that cannot be made."""
    n_pos, found = len(local.recording.embedding), {}
    for number, changes in enumerate(sets):
        for component, layer, position, index, value in changes:
            stage = Stage(layer, component)
            n_latents = values_at(local, stage).shape[-1]
            if not (0 < position < n_pos and 0 <= index < n_latents):
                raise ValueError(
                    f"There is no latent {index} at position {position}: positions go from 1 (BOS has none) to "
                    f"{n_pos - 1}, latents to {n_latents - 1}."
                )
            found.setdefault(stage, []).append((number, position, index, value))
    like = local.recording.embedding
    return {
        stage: Placed(
            *(torch.tensor(part, device=like.device) for part in list(zip(*rows, strict=True))[:3]),
            like.new_tensor([row[3] for row in rows]),
        )
        for stage, rows in found.items()
    }


def nothing_added(
    local: LocalReplacementModel, sets: Sequence[Sequence[Change]]
) -> Float[Tensor, "component layer set pos d_model"]:
    """Zeros for every output of every component."""
    embedding = local.recording.embedding
    return embedding.new_zeros(2, local.transcoders.n_layers, len(sets), *embedding.shape)


def deltas(
    local: LocalReplacementModel, sets: Sequence[Sequence[Change]]
) -> Float[Tensor, "component layer set pos d_model"]:
    """What each set of changes adds to every output, from the latents as recorded."""
    added = nothing_added(local, sets)
    for stage, placed in placed_changes(local, sets).items():
        now = values_at(local, stage)[placed.position, placed.index]
        add_writes(local, added, stage, placed, placed.value - now)
    return added


def add_anew(
    local: LocalReplacementModel,
    added: Float[Tensor, "component layer set pos d_model"],
    stage: Stage,
    places: dict[Stage, Placed],
    seen: Float[Tensor, "set pos d_model"],
) -> None:
    """Add what changes at one component write, from the latents as they are now. seen: what is read there."""
    if stage in places:
        placed = places[stage]
        rows = seen[placed.set, placed.position]
        if stage.component == MLP:
            now = local.transcoders.encode_layer(stage.layer, rows)
        else:
            now = local.attention[stage.layer].encode(rows)
        now = now[torch.arange(len(rows), device=rows.device), placed.index]
        add_writes(local, added, stage, placed, placed.value - now)


def add_writes(
    local: LocalReplacementModel,
    added: Float[Tensor, "component layer set pos d_model"],
    stage: Stage,
    placed: Placed,
    change: Float[Tensor, "change"],
) -> None:
    """Add what latents write, times the change of their values, wherever they write."""
    for to in range(stage.layer, local.transcoders.n_layers):
        W_dec = decoder(local, stage, Stage(to, stage.component))
        if W_dec is not None:
            written = change[:, None] * W_dec[placed.index]
            where = (placed.set, placed.position)
            added[stage.component, to].index_put_(where, written, accumulate=True)


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
