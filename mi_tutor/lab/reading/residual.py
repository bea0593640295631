"""Read a transformer: its predictions and its residual stream.

The residual stream is the channel that all parts of a transformer share (Elhage et al. 2021): the embeddings
write the first value, every attention and MLP layer reads it and adds its output. So at each position

    final residual = embed + pos_embed + sum over layers l of (attn_out_l + mlp_out_l)

A cache holds these values by the name of the hook that saw them, each `[batch pos d_model]`:

    hook_embed, hook_pos_embed        what the token and its position wrote
    blocks.{l}.hook_resid_pre         the residual stream before layer l
    blocks.{l}.hook_attn_out          what attention in layer l adds
    blocks.{l}.hook_mlp_out           what the MLP in layer l adds
    blocks.{l}.hook_resid_post        the residual stream after layer l

`cache` is TransformerLens's ActivationCache (`model.run_with_cache`) or any mapping from such names to tensors.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from mi_tutor.lab.ground.sites import Cache, residual_part_names


def top_tokens(logits: Float[Tensor, "pos vocab"], k: int) -> Int[Tensor, "k"]:
    """The ids of the k most likely next tokens after a prompt, most likely first.

    logits: of one prompt, for every position. The prediction after the whole prompt stands at the last
        position. Softmax keeps the order, so the largest logits are the largest probabilities.

    Raises ValueError unless 1 <= k <= vocabulary size.

    >>> logits = torch.tensor([[9.0, 0.0, 0.0], [0.0, 1.0, 2.0]])
    >>> top_tokens(logits, k=2).tolist()
    [2, 1]
    """
    n_vocab = logits.shape[-1]
    if not 1 <= k <= n_vocab:
        raise ValueError(f"k should be between 1 and the vocabulary's {n_vocab} tokens, got {k}.")
    return logits[-1].topk(k).indices


def residual_at(cache: Cache, layer: int, position: int) -> Float[Tensor, "d_model"]:
    """The residual stream before block `layer` at one position of the (single) prompt in the cache.

    Layer 0 gives embed + pos_embed. Negative positions count from the end, as in Python.

    Raises ValueError if the cache holds several prompts, IndexError if there is no such position.

    >>> cache = {"blocks.0.hook_resid_pre": torch.arange(6.0).reshape(1, 3, 2)}
    >>> residual_at(cache, layer=0, position=-1).tolist()
    [4.0, 5.0]
    """
    return only_prompt(cache, f"blocks.{layer}.hook_resid_pre")[position]


def residual_parts(cache: Cache, n_layers: int) -> Float[Tensor, "part pos d_model"]:
    """Everything that was written to the residual stream, in the order in which it was written.

    Parts: embed, pos_embed, then attn_out and mlp_out of each layer; 2 + 2 * n_layers in all. Their
    names, in the same order, are `residual_part_names(n_layers)`.

    >>> cache = {name: torch.ones(1, 3, 2) for name in residual_part_names(n_layers=1)}
    >>> residual_parts(cache, n_layers=1).shape
    torch.Size([4, 3, 2])
    """
    return torch.stack([only_prompt(cache, name) for name in residual_part_names(n_layers)])


def residual_sum(cache: Cache, n_layers: int) -> Float[Tensor, "pos d_model"]:
    """The sum of all parts of the residual stream: equals `blocks.{n_layers - 1}.hook_resid_post`.

    >>> cache = {name: torch.ones(1, 3, 2) for name in residual_part_names(n_layers=1)}
    >>> residual_sum(cache, n_layers=1)[0].tolist()
    [4.0, 4.0]
    """
    return residual_parts(cache, n_layers).sum(dim=0)


def only_prompt(cache: Cache, name: str) -> Float[Tensor, "pos d_model"]:
    """One hook's activation without the batch dimension, for a cache of a single prompt."""
    try:
        activation = cache[name]
    except KeyError as error:
        raise KeyError(
            f"The cache has no {name!r}. Was it made without names_filter, and does the model have that layer? "
            "(Models with rotary or ALiBi positions add no hook_pos_embed to the stream.)"
        ) from error
    if activation.ndim == 3 and activation.shape[0] == 1:
        return activation[0]
    raise ValueError(
        f"{name!r} should be [batch pos d_model] with one prompt in the batch, got {list(activation.shape)}. "
        "Run the model on one prompt, or take one of the batch first."
    )
