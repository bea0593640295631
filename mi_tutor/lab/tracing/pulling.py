"""Directions pulled back through the frozen parts of a model: the transposes of its linear steps.

A target reads direction e at some place: its pre-activation is e . x there. If x = M x' + b with a frozen M, that
is (M^T e) . x' + e . b: the same question, one step earlier, and a constant. So a target's direction is pulled
from its own place to the embedding, and at each place on the way it says what the vectors added there count.

Directions are [target pos d_model]: one for each position, since attention spreads them. Positions after a
target's own are left out where nobody needs them.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from mi_tutor.lab.ground.plain import Affine
from mi_tutor.lab.tracing.local import LocalReplacementModel, value_weights

Directions = Float[Tensor, "target pos d_model"]
ATTENTION, MLP = 0, 1


class Stage(NamedTuple):
    """A component that adds to the stream. component: ATTENTION or MLP."""

    layer: int
    component: int


def stages(n_layers: int) -> list[Stage]:
    """All components in the order in which they add to the stream.

    >>> stages(1)
    [Stage(layer=0, component=0), Stage(layer=0, component=1)]
    """
    return [Stage(layer, component) for layer in range(n_layers) for component in (ATTENTION, MLP)]


def placed(
    direction: Float[Tensor, "target d_model"], position: Int[Tensor, "target"], n_pos: int
) -> Directions:
    """Each direction at its position, 0 elsewhere.

    >>> placed(torch.tensor([[5.0]]), torch.tensor([1]), n_pos=3).flatten()
    tensor([0., 5., 0.])
    """
    found = direction.new_zeros(len(direction), n_pos, direction.shape[-1])
    found[torch.arange(len(direction), device=position.device), position] = direction
    return found


def pulled_through_norm(
    direction: Float[Tensor, "*any d_model"], ln: Affine, scale: Float[Tensor, "*like 1"]
) -> Float[Tensor, "*any d_model"]:
    """Through LayerNorm with a frozen denominator, without its bias: what `local.frozen_norm` does, transposed.

    >>> ln = Affine(torch.ones(2), torch.zeros(2))
    >>> pulled_through_norm(torch.tensor([[4.0, 0.0]]), ln, torch.tensor([[2.0]]))
    tensor([[ 1., -1.]])
    """
    direction = direction * ln.W / scale
    return direction - direction.mean(dim=-1, keepdim=True)


def pulled_through_attention(
    local: LocalReplacementModel, layer: int, direction: Directions
) -> tuple[Directions, Float[Tensor, "target"]]:
    """From what a layer's attention writes to the stream that it reads; and what its biases give.

    With head h's frozen pattern, out[q] = sum over h, k of pattern[h, q, k] (LN(x[k]) W_V + b_V) W_O + b_O.
    """
    plain, seen = local.plain, local.recording
    block, (W_V, b_V) = plain.blocks[layer], value_weights(plain, layer)
    n_targets, n_pos, _ = direction.shape
    heads = direction @ block.out.W.mT  # [target pos head * d_head]
    constant = direction.sum(dim=1) @ block.out.b
    # One product per head for all targets together: positions on one side, targets and d_head on the other.
    heads = heads.view(n_targets, n_pos, plain.n_heads, -1).permute(2, 1, 0, 3)
    moved = seen.patterns[layer, :, :n_pos, :n_pos].mT @ heads.flatten(2)
    moved = moved.view(*heads.shape).permute(2, 1, 0, 3).flatten(2)  # [target pos head * d_head]
    constant = constant + moved.sum(dim=1) @ b_V
    read = moved @ W_V.mT
    constant = constant + read.sum(dim=1) @ block.ln1.b
    return pulled_through_norm(read, block.ln1, seen.attn_scale[layer, :n_pos]), constant
