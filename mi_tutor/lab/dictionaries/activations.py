"""How pre-activations become sparse: three ways to say which latents are on.

    top_k        the k largest of each sample                       (Gao et al. 2024, after Makhzani and Frey
    2013) batch_top_k  the k * batch largest of the whole batch           (Bussmann et al. 2024)
    jump_relu    those above a threshold that each latent learns    (Rajamanoharan et al. 2024b)

The fourth is torch.relu. All of them give latents that are at least 0.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor


def top_k(pre: Float[Tensor, "*batch latent"], k: int) -> Float[Tensor, "*batch latent"]:
    """Keep the k largest pre-activations of each sample, and of those only what is above 0.

    ReLU comes with it: a sample with fewer than k positive pre-activations has fewer than k latents on, and no
    latent is ever negative.

    Raises ValueError unless 1 <= k <= number of latents.

    >>> top_k(torch.tensor([[3.0, 1.0, 2.0], [-1.0, 4.0, -2.0]]), k=2)
    tensor([[3., 0., 2.],
            [0., 4., 0.]])
    """
    check_k(k, pre.shape[-1])
    kept = torch.relu(pre).topk(k, dim=-1)
    return torch.zeros_like(pre).scatter(-1, kept.indices, kept.values)


def batch_top_k(pre: Float[Tensor, "batch latent"], k: int) -> Float[Tensor, "batch latent"]:
    """Keep the k * batch largest pre-activations of a batch, above 0: k per sample on average.

    A difficult sample may have more than k latents on, an easy one fewer. What is kept depends on the rest of
    the batch, so this is for training; afterwards a fixed threshold takes its place.

    Raises ValueError unless 1 <= k <= number of latents.

    >>> batch_top_k(torch.tensor([[3.0, 2.0], [1.0, 0.5]]), k=1)
    tensor([[3., 2.],
            [0., 0.]])
    """
    check_k(k, pre.shape[-1])
    flat = pre.flatten()
    kept = torch.relu(flat).topk(k * len(pre))
    return torch.zeros_like(flat).scatter(0, kept.indices, kept.values).view_as(pre)


def check_k(k: int, n_latents: int) -> None:
    """ValueError unless that many latents can be on."""
    if not 1 <= k <= n_latents:
        raise ValueError(f"k should be between 1 and the number of latents, {n_latents}; got {k}.")


def jump_relu(
    pre: Float[Tensor, "*batch latent"], threshold: Float[Tensor, "latent"], bandwidth: float = 0.1
) -> Float[Tensor, "*batch latent"]:
    """Each pre-activation that is above its latent's threshold, unchanged; 0 for the others.

        JumpReLU(z) = z * H(z - theta)              H the step function

    The derivative with respect to theta is 0 almost everywhere, so training uses a straight-through estimator
    (Rajamanoharan et al. 2024b): K is a rectangle of height 1 and width 1 around 0, and

        d JumpReLU(z) / d theta := -theta / bandwidth * K((z - theta) / bandwidth)

    A narrow band follows the true gradient more closely and hears from fewer samples.

    >>> threshold = torch.tensor([1.0], requires_grad=True)
    >>> latents = jump_relu(torch.tensor([[0.99], [1.01], [3.0]]), threshold, bandwidth=0.1)
    >>> latents.flatten().tolist()
    [0.0, 1.0099999904632568, 3.0]
    >>> latents.sum().backward()
    >>> threshold.grad  # two of the samples are within the band: 2 * -1 / 0.1
    tensor([-20.])
    """
    return _JumpRelu.apply(pre, threshold, bandwidth)


def step(
    pre: Float[Tensor, "*batch latent"], threshold: Float[Tensor, "latent"], bandwidth: float = 0.1
) -> Float[Tensor, "*batch latent"]:
    """H(pre - threshold): 1 where a latent is on, 0 where it is off. Its sum over latents is L0.

    Straight-through estimator (Rajamanoharan et al. 2024b):

        d H(z - theta) / d theta := -1 / bandwidth * K((z - theta) / bandwidth)

    There is no gradient with respect to z.

    >>> step(torch.tensor([[0.5, 2.0]]), torch.tensor([1.0, 1.0]))
    tensor([[0., 1.]])
    """
    return _Step.apply(pre, threshold, bandwidth)


def near_threshold(pre: Tensor, threshold: Tensor, bandwidth: float) -> Tensor:
    """K((pre - threshold) / bandwidth): 1 within half a bandwidth of the threshold, else 0."""
    return ((pre - threshold).abs() < bandwidth / 2).to(pre.dtype)


def summed_like(values: Tensor, like: Tensor) -> Tensor:
    """The sum over all axes but the last: the gradient of something that all samples share."""
    return values.reshape(-1, len(like)).sum(dim=0)


class _Step(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, pre: Tensor, threshold: Tensor, bandwidth: float) -> Tensor:
        ctx.save_for_backward(pre, threshold)
        ctx.bandwidth = bandwidth
        return (pre > threshold).to(pre.dtype)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[None, Tensor, None]:
        pre, threshold = ctx.saved_tensors
        near = near_threshold(pre, threshold, ctx.bandwidth)
        grad_threshold = -(grad * near) / ctx.bandwidth
        return None, summed_like(grad_threshold, threshold), None


class _JumpRelu(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, pre: Tensor, threshold: Tensor, bandwidth: float) -> Tensor:
        ctx.save_for_backward(pre, threshold)
        ctx.bandwidth = bandwidth
        return pre * (pre > threshold)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        pre, threshold = ctx.saved_tensors
        near = near_threshold(pre, threshold, ctx.bandwidth)
        grad_threshold = -(grad * near) * threshold / ctx.bandwidth
        return grad * (pre > threshold), summed_like(grad_threshold, threshold), None
