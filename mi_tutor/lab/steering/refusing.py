"""Take a behaviour away: directional ablation (Arditi et al. 2024), while the model runs and in its weights.

    x'  = x - (x B^T) B            B: orthonormal rows, one direction or several
    W'  = W - (W B^T) B            for every matrix and bias that writes to the stream

The stream is a sum of what is written to it, and projecting is linear: taking a direction out of every write takes
it out of the stream everywhere, so the second is the first, baked in. Both hold if ALL writes are edited: the
embedding, the positions, and of each block what attention and the MLP add.
"""

from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from mi_tutor.lab.ground.plain import Affine, PlainTransformer

Directions = Float[Tensor, "*direction d"]
SLACK = 1e-5  # of the longest direction: what is shorter once the others are taken out adds nothing


def orthonormal(directions: Directions) -> Float[Tensor, "dimension d"]:
    """Rows of length 1, at right angles, that span the same space as the directions (one, or several in rows).

    >>> orthonormal(torch.tensor([[2.0, 0.0], [3.0, 0.0]])).shape
    torch.Size([1, 2])
    """
    rows = directions if directions.ndim == 2 else directions[None]
    if len(rows) < 2:  # by division, so that gradients pass
        return F.normalize(rows, dim=-1)
    _, sizes, spanned = torch.linalg.svd(rows.double(), full_matrices=False)
    return spanned[sizes > SLACK * sizes.max()].to(rows)


def project_out(x: Float[Tensor, "*row d"], directions: Directions) -> Float[Tensor, "*row d"]:
    """x without its part in the space that the directions span. They may have any length and any angle.

    >>> directions = torch.tensor([[2.0, 0.0, 0.0], [1.0, 1.0, 0.0]])
    >>> project_out(torch.tensor([3.0, 4.0, 5.0]), directions).abs().round()
    tensor([0., 0., 5.])
    """
    basis = orthonormal(directions)
    return x - (x @ basis.mT) @ basis


def ablated_stream(
    plain: PlainTransformer,
    tokens: Int[Tensor, "batch pos"],
    directions: Directions,
    first_layer: int = 0,
) -> Float[Tensor, "batch pos d_model"]:
    """The last stream of a run in which directions are out of the stream at all positions, from a layer on.

    That is: before that layer, and after each thing that is written to it later.
    """
    basis = orthonormal(directions)
    x = _without(plain.resid_pre(first_layer, tokens), basis)
    for layer in range(first_layer, len(plain.blocks)):
        middle = plain.complete(layer, {"resid_pre": x}, "resid_mid")["resid_mid"]
        middle = _without(middle, basis)
        x = _without(middle + plain.mlp(plain.blocks[layer], middle), basis)
    return x


def ablated_logits(
    plain: PlainTransformer,
    tokens: Int[Tensor, "batch pos"],
    directions: Directions,
    first_layer: int = 0,
    read: int | None = -1,
) -> Float[Tensor, "batch *read vocab"]:
    """What the model predicts with directions projected out (`ablated_stream`); at one position, or all (None)."""
    x = ablated_stream(plain, tokens, directions, first_layer)
    last = len(plain.blocks) - 1
    return plain.logits_after(last, x) if read is None else plain.logits_after(last, x, read)[:, 0]


def ablated_weights(plain: PlainTransformer, directions: Directions) -> PlainTransformer:
    """A model that cannot write the directions: they are out of each matrix and bias that writes to the stream."""
    basis = orthonormal(directions)

    def out(weights: Affine) -> Affine:
        return Affine(_without(weights.W, basis), _without(weights.b, basis))

    blocks = (
        block._replace(out=out(block.out), mlp_out=out(block.mlp_out)) for block in plain.blocks
    )
    return replace(
        plain,
        W_E=_without(plain.W_E, basis),
        W_pos=_without(plain.W_pos, basis),
        blocks=tuple(blocks),
    )


def two_causes(x: Float[Tensor, "row d"], first: Tensor, second: Tensor) -> Float[Tensor, "2 d"]:
    """Two differences of means for a behaviour with two causes: rows with one of them only, minus those with none.

    first, second: [row], True where a row has the cause.

    >>> x, yes, no = torch.tensor([[0.0], [1.0], [5.0]]), True, False
    >>> two_causes(x, torch.tensor([no, yes, no]), torch.tensor([no, no, yes]))
    tensor([[1.],
            [5.]])
    """
    neither = x[~first & ~second].mean(dim=0)
    return torch.stack([x[first & ~second].mean(dim=0), x[second & ~first].mean(dim=0)]) - neither


def learned_direction(
    plain: PlainTransformer,
    requests: Int[Tensor, "request pos"],
    away: int,
    towards: int,
    texts: Sequence[Int[Tensor, "text pos"]],
    seed: int,
    n_steps: int = 80,
    rate: float = 0.05,
    margin: float = 1.0,
    keep: float = 16.0,
) -> Float[Tensor, "d_model"]:
    """One unit direction, found by gradient: with it projected out everywhere, requests are answered.

    Minimised is, over batches, how far `away` is still above `towards` (less a margin) after the requests, plus
    `keep` times the divergence from the intact model on ordinary texts, a batch of which is used per step. What is
    found depends on where the search starts (`seed`).
    """
    generator = torch.Generator().manual_seed(seed)
    direction = F.normalize(torch.randn(plain.W_E.shape[1], generator=generator), dim=0)
    direction.requires_grad_()
    optimizer = torch.optim.Adam([direction], lr=rate)
    intact = [plain.logits_after(-1, plain.embed(each)).log_softmax(-1) for each in texts]
    with torch.enable_grad():
        for step in range(n_steps):
            chosen = requests[torch.randint(len(requests), (16,), generator=generator)]
            logits = ablated_logits(plain, chosen, direction)
            refusing = (logits[:, away] - logits[:, towards] + margin).relu().mean()
            number = step % len(texts)
            now = ablated_logits(plain, texts[number], direction, read=None)
            harm = F.kl_div(now.log_softmax(-1), intact[number], log_target=True, reduction="none")
            loss = refusing + keep * harm.sum(-1).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return F.normalize(direction.detach(), dim=0)


def _without(x: Float[Tensor, "*row d"], basis: Float[Tensor, "dimension d"]) -> Tensor:
    """x without its part in the span of orthonormal rows."""
    return x - (x @ basis.mT) @ basis
