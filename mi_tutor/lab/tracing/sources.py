"""What is added to the stream at each place of a local replacement model, and by which node."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from mi_tutor.lab.tracing.local import LocalReplacementModel
from mi_tutor.lab.tracing.pulling import ATTENTION, MLP, Stage, stages


class Found(NamedTuple):
    """The latents of one component that are on, as nodes.

    Attributes:
        first: the number of the first one among all nodes; they follow each other.
        position, index, value: where it is on, which latent it is, how much it is on.
    """

    first: int
    position: Int[Tensor, "latent"]
    index: Int[Tensor, "latent"]
    value: Float[Tensor, "latent"]


class Written(NamedTuple):
    """What latents add to the stream at one component, by position, padded to the same number at each.

    Attributes:
        column: which node; the number of all nodes where there is none.
        vector: value times decoder.
    """

    column: Int[Tensor, "pos slot"]
    vector: Float[Tensor, "pos slot d_model"]


class Sources(NamedTuple):
    """All that is added anywhere.

    Attributes:
        latents: by the component that reads.
        written: by the component that is written to; a cross-layer transcoder's latents are in several.
        errors: by component, 0 at BOS: there, what is written is constant and counts with the embedding.
        n_latents: nodes that are latents; they come first.
        n_left_out: latents that are on and no nodes.
    """

    latents: dict[Stage, Found]
    written: dict[Stage, Written]
    errors: dict[Stage, Float[Tensor, "pos d_model"]]
    n_latents: int
    n_left_out: int

    @property
    def error_stages(self) -> list[Stage]:
        """In the order of their nodes: MLPs by layer, then attentions with a dictionary."""
        return sorted(self.errors, key=lambda stage: (stage.component == ATTENTION, stage.layer))


def sources_of(local: LocalReplacementModel, most_latents: int) -> Sources:
    """Everything that is added to the stream of a local replacement model at one prompt."""
    seen = local.recording
    n_pos = len(seen.embedding)
    latents = {
        stage: values
        for stage in stages(local.transcoders.n_layers)
        if (values := latents_at(local, stage)) is not None
    }
    kept, n_left_out = strongest(local, latents, most_latents)
    errors = {Stage(i, MLP): error.clone() for i, error in enumerate(local.errors)}
    errors |= {Stage(i, ATTENTION): error.clone() for i, error in local.attn_errors.items()}
    found, first = {}, 0
    for stage, values in kept.items():
        position, index = values.nonzero(as_tuple=True)
        found[stage] = Found(first, position, index, values[position, index])
        first += len(position)
    n_nodes = first + n_pos * (len(errors) + 1)  # and the logits, whose columns are empty
    written = {stage: written_at(local, stage, found, n_pos, n_nodes) for stage in errors}
    for stage, error in errors.items():
        for reader, values in latents.items():
            W_dec = decoder(local, reader, stage)
            if n_left_out and W_dec is not None:
                error += (values - kept[reader]) @ W_dec
        error[0] = 0
    return Sources(found, written, errors, first, n_left_out)


def latents_at(local: LocalReplacementModel, stage: Stage) -> Float[Tensor, "pos latent"] | None:
    """The latents that read at a component and from which a logit can be reached; None if nothing reads there."""
    found = local.latents[stage.layer]
    if stage.component == ATTENTION:
        found = local.attn_latents.get(stage.layer)
    if found is None or stage.layer < local.transcoders.n_layers - 1:
        return found
    # After the last attention nothing moves to the last position any more.
    return torch.cat([torch.zeros_like(found[:-1]), found[-1:]])


def decoder(
    local: LocalReplacementModel, reader: Stage, to: Stage
) -> Float[Tensor, "latent d_model"] | None:
    """What the latents that read at one component write to another; None if nothing."""
    if reader.component != to.component:
        return None
    if reader.component == MLP:
        return local.transcoders.writes(reader.layer, to.layer)
    return local.attention[to.layer].W_dec if reader == to else None


def strongest(
    local: LocalReplacementModel, latents: dict[Stage, Tensor], most: int
) -> tuple[dict[Stage, Tensor], int]:
    """The latents that write most, others set to 0, and how many these are."""
    n_on = sum(int((values > 0).sum()) for values in latents.values())
    if most < 1:
        raise ValueError(f"most_latents should be at least 1, got {most}.")
    if n_on <= most:
        return latents, 0
    sizes = {}
    for stage, values in latents.items():
        parts = [decoder(local, stage, to) for to in stages(local.transcoders.n_layers)]
        norm = sum(part.square().sum(dim=-1) for part in parts if part is not None).sqrt()
        sizes[stage] = values * norm
    bound = torch.cat([size.flatten() for size in sizes.values()]).topk(most).values[-1]
    kept = {stage: torch.where(sizes[stage] >= bound, latents[stage], 0.0) for stage in latents}
    return kept, n_on - sum(int((values > 0).sum()) for values in kept.values())


def written_at(
    local: LocalReplacementModel, to: Stage, found: dict[Stage, Found], n_pos: int, none: int
) -> Written:
    """What nodes write to a component, sorted by position."""
    columns, positions, vectors = [], [], []
    for reader, nodes in found.items():
        W_dec = decoder(local, reader, to)
        if W_dec is not None:
            first = nodes.first
            columns.append(torch.arange(first, first + len(nodes.index), device=W_dec.device))
            positions.append(nodes.position)
            vectors.append(W_dec[nodes.index] * nodes.value[:, None])
    position = torch.cat(positions)
    count = torch.bincount(position, minlength=n_pos)
    order = position.argsort(stable=True)
    position = position[order]
    slot = torch.arange(len(position), device=position.device) - (count.cumsum(0) - count)[position]
    n_slots = int(count.max())
    column = torch.full((n_pos, n_slots), none, device=position.device)
    column[position, slot] = torch.cat(columns)[order]
    vector = local.recording.embedding.new_zeros(n_pos, n_slots, vectors[0].shape[-1])
    vector[position, slot] = torch.cat(vectors)[order]
    return Written(column, vector)
