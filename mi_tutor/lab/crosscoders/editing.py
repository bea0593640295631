"""Writing a fact into a matrix: a change of rank one to an MLP's second matrix (Meng et al. 2022, ROME).

An MLP's second matrix is read as a memory. At one token its hidden layer is a key k, and what it writes is

    k W + b          k: [hidden], W: [hidden d_model]

Other text has keys as well, and what they fetch should stay. With C = E[k k^T] over much text, the change that
makes  k W' = v  hold exactly, and disturbs  E ||k W' - k W||^2  least, is

    W' = W + (C^-1 k) (v - k W) / (k^T C^-1 k)

Which v? The one that makes the model say the new answer, found by gradient descent on what the MLP writes there.
Meng et al. also take the mean key and the mean likelihood over texts put before the prompt, and hold what the
subject is with a KL; not here.
"""

from dataclasses import replace
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from mi_tutor.lab.ground.plain import Affine, PlainTransformer, affine

RIDGE = 1e-4  # of C's mean diagonal, added to it: neurons that are never on have no second moment


class Requests(NamedTuple):
    """Facts that are to be changed, all of one length.

    Attributes:
        tokens: [fact pos], the prompts, up to where the answer is due.
        at: [fact], the position whose MLP output is to be another one.
        new: [fact], the answer that is wanted.
    """

    tokens: Int[Tensor, "fact pos"]
    at: Int[Tensor, "fact"]
    new: Int[Tensor, "fact"]


def rank_one_edit(
    W: Float[Tensor, "hidden d_model"],
    C: Float[Tensor, "hidden hidden"],
    k: Float[Tensor, "hidden"],
    v: Float[Tensor, "d_model"],
) -> Float[Tensor, "hidden d_model"]:
    """The matrix that answers key k with v, and of all such the one that disturbs keys with E[k k^T] = C least.

    >>> rank_one_edit(torch.zeros(2, 1), torch.eye(2), torch.tensor([1.0, 1.0]), torch.tensor([4.0]))
    tensor([[2.],
            [2.]])
    """
    u, step = direction_and_step(W, C, k, v)
    return W + torch.outer(u, step)


def direction_and_step(
    W: Float[Tensor, "hidden d_model"],
    C: Float[Tensor, "hidden hidden"],
    k: Float[Tensor, "*fact hidden"],
    v: Float[Tensor, "*fact d_model"],
) -> tuple[Float[Tensor, "*fact hidden"], Float[Tensor, "*fact d_model"]]:
    """The two factors of the change u step^T, for one key or for each of several on its own."""
    u = torch.linalg.solve(C, k.reshape(-1, k.shape[-1]).mT).mT.reshape(k.shape)
    return u, (v - k @ W) / (k * u).sum(dim=-1, keepdim=True)


def keys(
    plain: PlainTransformer, layer: int, tokens: Int[Tensor, "row pos"]
) -> Float[Tensor, "row pos hidden"]:
    """The hidden layer of an MLP: what its second matrix reads."""
    mid = plain.activations(layer, tokens, until="resid_mid")["resid_mid"]
    return keys_at(plain, layer, mid)


def keys_at(
    plain: PlainTransformer, layer: int, mid: Float[Tensor, "*batch d_model"]
) -> Float[Tensor, "*batch hidden"]:
    """The same from the stream that the MLP reads."""
    block = plain.blocks[layer]
    return plain.activation(affine(plain.mlp_reads(block, mid), block.mlp_in))


@torch.no_grad()
def second_moment(
    plain: PlainTransformer, layer: int, tokens: Int[Tensor, "row pos"]
) -> Float[Tensor, "hidden hidden"]:
    """C = E[k k^T] over text, all tokens but BOS, with a small ridge (`RIDGE`)."""
    k = keys(plain, layer, tokens)[:, 1:].flatten(0, 1)
    C = k.mT @ k / len(k)
    return C + RIDGE * C.diagonal().mean() * torch.eye(len(C))


def wanted_values(
    plain: PlainTransformer,
    layer: int,
    asked: Requests,
    n_steps: int = 25,
    rate: float = 0.2,
    decay: float = 0.5,
) -> Float[Tensor, "fact d_model"]:
    """What the MLP would have to write at each fact's position for the model to say the new answer there.

    Gradient descent (Adam) on a step d from what it writes:  -log p(new)  +  decay ||d||^2 / ||written||^2.
    """
    rows = torch.arange(len(asked.at))
    with torch.no_grad():
        run = plain.activations(layer, asked.tokens)
    written = run["mlp_out"][rows, asked.at]
    size = written.square().sum(dim=-1)
    with torch.enable_grad():
        step = torch.zeros_like(written, requires_grad=True)
        optimizer = torch.optim.Adam([step], lr=rate)
        for _ in range(n_steps):
            after = run["resid_post"].index_put((rows, asked.at), step, accumulate=True)
            said = plain.logits_after(layer, after, read=-1)[:, 0].log_softmax(dim=-1)
            loss = -said[rows, asked.new] + decay * step.square().sum(dim=-1) / size
            optimizer.zero_grad()
            loss.sum().backward()
            optimizer.step()
    return written + step.detach()


class Edits(NamedTuple):
    """Changes of rank one to one matrix, each on its own: W' = W + u step^T."""

    layer: int
    u: Float[Tensor, "fact hidden"]
    step: Float[Tensor, "fact d_model"]


def edits(
    plain: PlainTransformer,
    layer: int,
    asked: Requests,
    C: Float[Tensor, "hidden hidden"],
    **settings: float,
) -> Edits:
    """`rank_one_edit` for each request, with the values that are wanted."""
    wanted = wanted_values(plain, layer, asked, **settings)
    out = plain.blocks[layer].mlp_out
    with torch.no_grad():
        k = keys(plain, layer, asked.tokens)[torch.arange(len(asked.at)), asked.at]
        return Edits(layer, *direction_and_step(out.W, C, k, wanted - out.b))


@torch.no_grad()
def said_after(
    plain: PlainTransformer,
    made: Edits,
    which: Int[Tensor, "prompt"],
    tokens: Int[Tensor, "prompt pos"],
    end: Int[Tensor, "prompt"],
) -> Float[Tensor, "prompt vocab"]:
    """What is predicted at each prompt's end by the model with one edit, that of number `which`."""
    at = plain.activations(made.layer, tokens)
    k = keys_at(plain, made.layer, at["resid_mid"])
    fetched = torch.einsum("nph,nh->np", k, made.u[which])[..., None] * made.step[which, None]
    x, last = at["resid_post"] + fetched, len(plain.blocks) - 1
    for later in range(made.layer + 1, last + 1):
        x = plain.block(later, x)
    return plain.logits_after(last, x[torch.arange(len(end)), end][:, None])[:, 0]


def with_matrix(
    plain: PlainTransformer, layer: int, W: Float[Tensor, "hidden d_model"]
) -> PlainTransformer:
    """The same model with another second matrix in one MLP; the first one stays as it was."""
    blocks = list(plain.blocks)
    old = blocks[layer].mlp_out  # W may be more precise than the model
    blocks[layer] = blocks[layer]._replace(mlp_out=Affine(W.to(old.W.dtype), old.b))
    return replace(plain, blocks=tuple(blocks))
