"""The attribution graph of one prompt: what each node gives to each other one, directly.

Nodes are latents that are on, errors, embeddings and logits. With everything frozen that the local replacement
model freezes, what source s adds to target t's pre-activation is exactly

    A[t, s] = value_s * (decoder_s  ->  path through attentions and the stream  ->  encoder_t)

rows targets, columns sources (Ameisen et al. 2025). MLPs are no part of a path: they are the latents. A row adds
up:

    sum over s of A[t, s]  +  constant_t   =   pre-activation of t

where the constant is what biases give. For a logit it is the logit's distance from the mean logit.

How. A target's encoder is a direction at one position. It is pulled back, component by component, towards the
embedding (`pulling`), and on the way every source's vector is laid against it: as in backward passes of
autograd, for all targets of a layer at once, but written out, since all steps are known to be linear.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from mi_tutor.lab.tracing.local import LocalReplacementModel
from mi_tutor.lab.tracing.pulling import (
    MLP,
    Directions,
    Stage,
    placed,
    pulled_through_attention,
    pulled_through_norm,
    stages,
)
from mi_tutor.lab.tracing.sources import Found, Sources, sources_of

LATENT, ERROR, EMBEDDING, LOGIT = 0, 1, 2, 3
KINDS = ("latent", "error", "embedding", "logit")
MOST_LATENTS = 12_000  # an adjacency matrix of 0.6 GB
N_PARTS = 3  # in which a component's targets are pulled back


class Nodes(NamedTuple):
    """All nodes: latents, then errors, embeddings, logits.

    Attributes:
        kind: LATENT, ERROR, EMBEDDING or LOGIT.
        component: ATTENTION or MLP, for latents and errors; -1 for others.
        layer: -1 for embeddings, the number of layers for logits.
        position: in the prompt.
        index: the latent's number; the token of an embedding or a logit; -1 for errors.
        value: a latent's activation, a logit's probability; 1 for others.
    """

    kind: Int[Tensor, "node"]
    component: Int[Tensor, "node"]
    layer: Int[Tensor, "node"]
    position: Int[Tensor, "node"]
    index: Int[Tensor, "node"]
    value: Float[Tensor, "node"]


class AttributionGraph(NamedTuple):
    """See the module.

    Attributes:
        nodes: what the rows and columns are.
        adjacency: direct effects, rows targets, columns sources. Rows of errors and embeddings are 0.
        constant: for each target what the biases give.
        tokens: the prompt.
        n_left_out: latents that were on but are no nodes, because there were too many. What they write counts as
            error.
    """

    nodes: Nodes
    adjacency: Float[Tensor, "node node"]
    constant: Float[Tensor, "node"]
    tokens: Int[Tensor, "pos"]
    n_left_out: int

    @property
    def logit_weights(self) -> Float[Tensor, "node"]:
        """How much each node counts as an output: a logit's probability, 0 for others."""
        return torch.where(self.nodes.kind == LOGIT, self.nodes.value, 0.0)


def salient_logits(
    logits: Float[Tensor, "vocab"], share: float = 0.95, most: int = 10
) -> tuple[Int[Tensor, "logit"], Float[Tensor, "logit"]]:
    """The likeliest tokens up to a share of the probability, `most` at most, and their probabilities.

    >>> salient_logits(torch.tensor([0.0, 2.0, 1.9, -5.0]).mul(4))[0]
    tensor([1, 2])
    """
    chance = logits.softmax(dim=-1)
    likely = chance.topk(min(most, len(chance)))
    n = int((likely.values.cumsum(0) < share).sum()) + 1
    return likely.indices[:n], likely.values[:n]


@torch.no_grad()
def attribution_graph(
    local: LocalReplacementModel,
    tokens: Int[Tensor, "pos"],
    targets: Int[Tensor, "logit"] | None = None,
    most_latents: int = MOST_LATENTS,
) -> AttributionGraph:
    """The graph of one prompt.

    Nodes are only latents from which a path leads to a logit: all but those of the last layer at other positions
    than the last one.

    local: `local_replacement` at this prompt.
    targets: the tokens whose logits are explained, after the last token; None takes `salient_logits`.
    most_latents: if more are on, those that write most become nodes, and what the others write counts as error.

    Raises ValueError if the local replacement model is not of one prompt, or a target is no token of the model.
    """
    seen = local.recording
    if seen.embedding.ndim != 2 or len(tokens) != len(seen.embedding):
        raise ValueError(
            "A graph is about one prompt, but the local replacement model was made at embeddings "
            f"{list(seen.embedding.shape)} and the tokens are {list(tokens.shape)}."
        )
    if targets is None:
        targets, chance = salient_logits(seen.logits[-1])
    else:
        n_vocab = seen.logits.shape[-1]
        if not len(targets) or targets.min() < 0 or targets.max() >= n_vocab:
            raise ValueError(
                f"targets should be tokens, from 0 to {n_vocab - 1}; got {targets.tolist()}."
            )
        chance = seen.logits[-1].softmax(dim=-1)[targets]
    sources = sources_of(local, most_latents)
    nodes = all_nodes(local, sources, tokens, targets, chance)
    rows = Rows(local, sources, len(nodes.kind))
    rows.add_logits(targets)
    for stage, found in sources.latents.items():
        rows.add_latents(stage, found)
    return AttributionGraph(nodes, rows.adjacency, rows.constant, tokens, sources.n_left_out)


def all_nodes(
    local: LocalReplacementModel, sources: Sources, tokens: Tensor, targets: Tensor, chance: Tensor
) -> Nodes:
    """What the rows and columns are, in order."""
    n_pos, n_layers = len(tokens), local.transcoders.n_layers
    every = torch.arange(n_pos, device=tokens.device)

    def part(kind, component, layer, position, index, value) -> tuple[Tensor, ...]:
        like = torch.ones_like(position)
        return kind * like, component * like, layer * like, position, index * like, value

    parts = [
        part(LATENT, stage.component, stage.layer, found.position, found.index, found.value)
        for stage, found in sources.latents.items()
    ]
    one = local.recording.embedding.new_ones(n_pos)
    parts += [part(ERROR, *reversed(stage), every, -1, one) for stage in sources.error_stages]
    parts.append(part(EMBEDDING, -1, -1, every, tokens, one))
    parts.append(part(LOGIT, -1, n_layers, torch.full_like(targets, n_pos - 1), targets, chance))
    return Nodes(*map(torch.cat, zip(*parts, strict=True)))


class Rows:
    """The adjacency matrix while it is filled, the targets of one component after the other."""

    def __init__(
        self,
        local: LocalReplacementModel,
        sources: Sources,
        n_nodes: int,
        n_rows: int | None = None,
    ) -> None:
        self.local, self.sources = local, sources
        self.stages = stages(local.transcoders.n_layers)
        x = local.recording.embedding
        self.n_pos = len(x)
        self.n_logits = n_nodes - sources.n_latents - self.n_pos * (len(sources.errors) + 1)
        # One more column than nodes, for the padding of `sources.Written`.
        n_rows = n_nodes if n_rows is None else n_rows
        self.whole = x.new_zeros(n_rows, n_nodes + 1)
        self.constant = x.new_zeros(n_rows)

    @property
    def adjacency(self) -> Float[Tensor, "target node"]:
        """Without the column for padding."""
        return self.whole[:, :-1]

    def add_logits(self, targets: Int[Tensor, "logit"]) -> None:
        """The rows of the logits: each less the mean logit."""
        plain, seen = self.local.plain, self.local.recording
        W_U, b_U = plain.unembed
        reads = (W_U[:, targets] - W_U.mean(dim=1, keepdim=True)).mT
        bias = b_U[targets] - b_U.mean() + reads @ plain.ln_final.b
        direction = pulled_through_norm(reads, plain.ln_final, seen.final_scale[-1])
        last = torch.full_like(targets, self.n_pos - 1)
        first = len(self.constant) - self.n_logits
        self.pull(first, placed(direction, last, self.n_pos), bias, len(self.stages))

    def add_latents(self, stage: Stage, found: Found) -> None:
        """The rows of the latents that read at one component.

        They are sorted by position, and no path comes from later ones: the first see only a part of the prompt.
        """
        size = max(1, -(-len(found.index) // N_PARTS))
        for at in range(0, len(found.index), size):
            part = slice(at, at + size)
            self.add_part(stage, found.first + at, found.position[part], found.index[part])

    def add_part(self, stage: Stage, first: int, position: Tensor, index: Tensor) -> None:
        """Some of them, whose rows follow each other from `first` on."""
        local, number, layer = self.local, self.stages.index(stage), stage.layer
        n_pos = int(position.max()) + 1
        if stage.component == MLP:
            W_enc, b_enc = local.transcoders.reads(layer)
            ln, scale = local.plain.blocks[layer].ln2, local.recording.mlp_scale[layer]
            reads = W_enc[:, index].mT
            bias = b_enc[index] + reads @ ln.b
            direction = placed(pulled_through_norm(reads, ln, scale[position]), position, n_pos)
        else:
            sae = local.attention[layer]
            reads = sae.W_enc[:, index].mT
            written = placed(reads, position, n_pos)
            direction, bias = pulled_through_attention(local, layer, written)
            bias = bias + sae.b_enc[index] - reads @ sae.b_dec
        self.pull(first, direction, bias, number)

    def pull(self, first: int, direction: Directions, bias: Tensor, number: int) -> None:
        """Pull the directions of targets back from before a component to the embedding."""
        local, rows = self.local, slice(first, first + len(direction))
        row, constant = self.whole[rows], bias
        for stage in reversed(self.stages[:number]):
            if stage in self.sources.errors:
                constant = constant + self.gather(row, stage, direction)
            else:
                through, more = pulled_through_attention(local, stage.layer, direction)
                direction, constant = direction + through, constant + more
        first = self.whole.shape[1] - 1 - self.n_logits - self.n_pos
        self.add(row, first, direction, local.recording.embedding)
        self.constant[rows] = constant

    def add(self, row: Tensor, first: int, direction: Directions, vector: Tensor) -> None:
        """Add one node per position to the rows, from a column on."""
        n = direction.shape[1]
        row[:, first : first + n] += torch.einsum("tpd,pd->tp", direction, vector[:n])

    def gather(self, row: Tensor, stage: Stage, direction: Directions) -> Float[Tensor, "target"]:
        """Add what is written at a component to the rows; what it always writes is the constant."""
        local, sources = self.local, self.sources
        is_mlp, seen = stage.component == MLP, local.recording
        column, vector = (part[: direction.shape[1]] for part in sources.written[stage])
        effect = torch.bmm(direction.transpose(0, 1), vector.mT)  # [pos target slot]
        row.index_add_(1, column.flatten(), effect.transpose(0, 1).flatten(1))
        first = sources.n_latents + sources.error_stages.index(stage) * self.n_pos
        self.add(row, first, direction, sources.errors[stage])
        at_bos = (seen.mlp_out if is_mlp else seen.attn_out)[stage.layer, 0]
        row[:, first + self.n_pos * self.embeddings_after(stage)] += direction[:, 0] @ at_bos
        always = (
            local.transcoders.constant(stage.layer)
            if is_mlp
            else local.attention[stage.layer].b_dec
        )
        return direction[:, 1:].sum(dim=1) @ always

    def embeddings_after(self, stage: Stage) -> int:
        """How many groups of nodes after a component's errors the embeddings come."""
        every = self.sources.error_stages
        return len(every) - every.index(stage)
