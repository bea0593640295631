"""The forward pass of a GPT-2 from its weights, on one page, for training: quicker than the general one.

`transformers` prepares caches, masks and options at every call. Here is only the arithmetic (Radford et al. 2019),
on the same weights (`x @ W + b`, as everywhere in this package), so what is trained is an ordinary GPT-2:

    x = W_E[tokens] + W_pos          for each block:  x = x + attention(ln_1(x))
    logits = ln_f(x) W_U                              x = x + mlp(ln_2(x))
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import torch
from torch.nn import functional as F

if TYPE_CHECKING:
    from collections.abc import Callable

    from jaxtyping import Float, Int
    from torch import Tensor, nn
    from transformers import GPT2LMHeadModel


def fast_forward(
    network: GPT2LMHeadModel, tokens: Int[Tensor, "batch pos"]
) -> Float[Tensor, "batch pos vocab"]:
    """The logits of a GPT-2, equal to `network(tokens).logits` up to rounding. Dropout is left out.

    Raises ValueError if the network's config asks for something that this forward does not do.

    >>> from transformers import GPT2Config, GPT2LMHeadModel
    >>> config = GPT2Config(vocab_size=11, n_positions=8, n_embd=6, n_layer=1, n_head=2)
    >>> fast_forward(GPT2LMHeadModel(config), torch.tensor([[1, 2, 3]])).shape
    torch.Size([1, 3, 11])
    """
    activation = checked_activation(network)
    body, n_heads = network.transformer, network.config.n_head
    x = embed(network, tokens)
    for block in body.h:
        x = x + attention(block.attn, norm(block.ln_1, x), n_heads)
        hidden = activation(linear(block.mlp.c_fc, norm(block.ln_2, x)))
        x = x + linear(block.mlp.c_proj, hidden)
    return F.linear(norm(body.ln_f, x), network.lm_head.weight)


def early_patterns(
    network: GPT2LMHeadModel, tokens: Int[Tensor, "batch pos"], n_layers: int
) -> list[Float[Tensor, "batch head query key"]]:
    """The attention patterns of the first layers, softmax(q k^T / sqrt(d_head)) over earlier positions.

    With gradients: for a training penalty on where the early layers look. Each row sums to 1.
    """
    activation, n_heads = checked_activation(network), network.config.n_head
    n_pos = tokens.shape[1]
    future = torch.ones(n_pos, n_pos, dtype=torch.bool, device=tokens.device).triu(1)
    x, patterns = embed(network, tokens), []
    for layer, block in enumerate(network.transformer.h[:n_layers]):
        q, k, v = queries_keys_values(block.attn, norm(block.ln_1, x), n_heads)
        scores = q @ k.mT * k.shape[-1] ** -0.5
        patterns.append(scores.masked_fill(future, float("-inf")).softmax(dim=-1))
        if layer + 1 < n_layers:
            x = x + linear(block.attn.c_proj, (patterns[-1] @ v).transpose(1, 2).reshape(x.shape))
            x = x + linear(
                block.mlp.c_proj, activation(linear(block.mlp.c_fc, norm(block.ln_2, x)))
            )
    return patterns


def embed(
    network: GPT2LMHeadModel, tokens: Int[Tensor, "batch pos"]
) -> Float[Tensor, "batch pos d_model"]:
    """What enters the residual stream: token embedding plus position embedding."""
    body = network.transformer
    return F.embedding(tokens, body.wte.weight) + body.wpe.weight[: tokens.shape[1]]


def attention(
    attn: nn.Module, x: Float[Tensor, "batch pos d_model"], n_heads: int
) -> Float[Tensor, "batch pos d_model"]:
    """Causal self-attention: what all heads of one layer write."""
    z = F.scaled_dot_product_attention(*queries_keys_values(attn, x, n_heads), is_causal=True)
    return linear(attn.c_proj, z.transpose(1, 2).reshape(x.shape))


def queries_keys_values(
    attn: nn.Module, x: Float[Tensor, "batch pos d_model"], n_heads: int
) -> tuple[Float[Tensor, "batch head pos d_head"], ...]:
    """q, k and v of every head. GPT-2 keeps the three matrices side by side in one."""
    n_batch, n_pos, d_model = x.shape
    parts = linear(attn.c_attn, x).split(d_model, dim=-1)
    return tuple(part.view(n_batch, n_pos, n_heads, -1).transpose(1, 2) for part in parts)


def linear(
    layer: nn.Module, x: Float[Tensor, "batch pos d_in"]
) -> Float[Tensor, "batch pos d_out"]:
    """x W + b in one kernel: GPT-2's Conv1D, whose weight is [d_in d_out]."""
    flat = torch.addmm(layer.bias, x.reshape(-1, x.shape[-1]), layer.weight)
    return flat.view(*x.shape[:-1], -1)


def norm(layer: nn.Module, x: Float[Tensor, "batch pos d_model"]) -> Tensor:
    """LayerNorm with the layer's scale and shift."""
    return F.layer_norm(x, layer.normalized_shape, layer.weight, layer.bias, layer.eps)


ACTIVATIONS = {
    "gelu_new": partial(F.gelu, approximate="tanh"),
    "gelu_pytorch_tanh": partial(F.gelu, approximate="tanh"),
    "gelu": F.gelu,
    "relu": F.relu,
}


def checked_activation(network: GPT2LMHeadModel) -> Callable[[Tensor], Tensor]:
    """The MLP's activation; ValueError if the config asks for what the fast forward does not do."""
    config = network.config
    if config.activation_function not in ACTIVATIONS:
        raise ValueError(
            f"activation_function should be one of {', '.join(ACTIVATIONS)}, got "
            f"{config.activation_function!r}. Call the network itself: network(tokens).logits."
        )
    if not config.scale_attn_weights or config.scale_attn_by_inverse_layer_idx:
        raise ValueError(
            "The fast forward divides attention scores by sqrt(d_head) and nothing else, but config.json has "
            "scale_attn_weights false or scale_attn_by_inverse_layer_idx true. Call the network itself."
        )
    return ACTIVATIONS[config.activation_function]
