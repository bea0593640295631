"""Does the behaviour follow? The tuned model's part goes into the base's stream, and the tuned model goes on.

    x^base  +  sum over chosen i of  f_i (W_dec_i^tuned - W_dec_i^base)        -> the tuned model's later layers

With no latent the tuned model's later layers read the base's stream; with the whole difference they read their
own. What the chosen latents bring back lies between (Minder et al. 2025):

    recovered = 1 - KL(tuned || put back) / KL(tuned || nothing put back)
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from mi_tutor.lab.ground import PlainTransformer, kl


def both_streams(
    base: PlainTransformer, tuned: PlainTransformer, tokens: Int[Tensor, "row pos"], layer: int
) -> Float[Tensor, "row pos model d_model"]:
    """The stream before a layer in both models, on the same tokens."""
    with torch.no_grad():
        return torch.stack([each.resid_pre(layer, tokens) for each in (base, tuned)], dim=-2)


def streams_at(
    base: PlainTransformer,
    tuned: PlainTransformer,
    tokens: Int[Tensor, "row pos"],
    end: Int[Tensor, "row"],
    layer: int,
) -> Float[Tensor, "row model d_model"]:
    """The same at one position of each row. What is padded behind is hardly computed: rows go by length."""
    order = end.argsort()
    found = [
        both_streams(base, tuned, tokens[some, : int(end[some].max()) + 1], layer)[
            torch.arange(len(some)), end[some]
        ]
        for some in order.split(64)
    ]
    return torch.cat(found)[order.argsort()]


def put_back(
    streams: Float[Tensor, "*batch model d_model"],
    latents: Float[Tensor, "*batch latent"],
    W_dec: Float[Tensor, "latent model d_model"],
    chosen: Int[Tensor, "chosen"],
) -> Float[Tensor, "*batch d_model"]:
    """The base's stream with what the chosen latents write in the tuned model in place of what they write here.

    >>> W_dec = torch.tensor([[[1.0], [3.0]], [[5.0], [9.0]]])
    >>> put_back(torch.tensor([[[7.0], [0.0]]]), torch.tensor([[2.0, 1.0]]), W_dec, torch.tensor([0]))
    tensor([[11.]])
    """
    difference = W_dec[chosen, 1] - W_dec[chosen, 0]
    return streams[..., 0, :] + latents[..., chosen] @ difference


def recovered_share(
    tuned: Float[Tensor, "*batch vocab"],
    nothing: Float[Tensor, "*batch vocab"],
    put: Float[Tensor, "*batch vocab"],
    where: Bool[Tensor, "*batch"],
) -> float:
    """How much of what is missing comes back, over chosen positions: 1 all, 0 nothing, below 0 harm."""
    missing = kl(tuned[where], nothing[where]).mean()
    return (1 - kl(tuned[where], put[where]).mean() / missing).item()
