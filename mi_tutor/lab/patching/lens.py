"""Reading predictions out of the residual stream, before the end and part by part.

logit lens: every stream on the way through the model's own last step, as if the model stopped there
(nostalgebraist 2020). direct logit attribution: the final stream is a sum, and so is the logit that it makes, once
LayerNorm's divisor is held at what it was. Both see what is written for the end to read; a part whose work is read
by later layers shows up there as nothing.

A model has to be opened with `open_specimen`: LayerNorm's scale and shift are then part of W_U.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from mi_tutor.lab.ground.sites import Cache, hook_name, residual_part_names


def logit_lens(
    model: nn.Module, cache: Cache, position: int = -1
) -> Float[Tensor, "stream batch vocab"]:
    """The logits if the model stopped at each stream: before layer 0, 1, ... and after the last one.

    The last entry is what the model says. Streams on the way were not made to be read there, so an early
    answer is evidence and the lack of one is not.

    >>> from mi_tutor.specimens import open_specimen, encode
    >>> model = open_specimen("primer", device="cpu")
    >>> _, cache = model.run_with_cache(encode(model, "The capital of France is"))
    >>> [model.to_string(logits[0].argmax()) for logits in logit_lens(model, cache)][-1]
    ' Paris'
    """
    last = model.cfg.n_layers - 1
    names = [hook_name("resid_pre", layer) for layer in range(last + 1)]
    streams = torch.stack([cache[n][:, position] for n in (*names, hook_name("resid_post", last))])
    return read_out(model, streams)


@torch.no_grad()
def read_out(
    model: nn.Module, streams: Float[Tensor, "*row d_model"]
) -> Float[Tensor, "*row vocab"]:
    """Any vectors of the residual stream through the final LayerNorm and the unembedding."""
    rows = streams.reshape(1, -1, streams.shape[-1])  # a model expects [batch pos d_model]
    logits = model.unembed(model.ln_final(rows))[0]
    return logits.reshape(*streams.shape[:-1], -1)


def direct_logit_attribution(
    model: nn.Module,
    cache: Cache,
    answers: Int[Tensor, "pair"],
    wrongs: Int[Tensor, "pair"],
    position: int = -1,
) -> Float[Tensor, "part pair"]:
    """What each part of the stream adds to logit(answer) - logit(wrong) directly.

    Parts: as in `reading.residual_part_names`: embed, pos_embed, attn_out and mlp_out of each layer. Their sum is
    the logit difference, up to b_U[answer] - b_U[wrong], which no part writes.

    >>> from mi_tutor.specimens import open_specimen, encode
    >>> from mi_tutor.lab.ground.prompts import token_ids
    >>> model = open_specimen("primer", device="cpu")
    >>> _, cache = model.run_with_cache(encode(model, "The capital of France is"))
    >>> answers, wrongs = token_ids(model, [" Paris"]), token_ids(model, [" Rome"])
    >>> direct_logit_attribution(model, cache, answers, wrongs).shape
    torch.Size([6, 1])
    """
    names = residual_part_names(model.cfg.n_layers)
    if model.cfg.positional_embedding_type == "rotary":
        names.remove("hook_pos_embed")  # positions are not written to the stream there
    parts = torch.stack([cache[name][:, position] for name in names])
    return project(model, cache, parts, answers, wrongs, position)


def head_attribution(
    model: nn.Module,
    cache: Cache,
    answers: Int[Tensor, "pair"],
    wrongs: Int[Tensor, "pair"],
    position: int = -1,
) -> Float[Tensor, "layer head pair"]:
    """The same for each attention head, z W_O. A layer's heads and its bias b_O make up its attn_out."""
    z = torch.stack(
        [cache[hook_name("z", layer)][:, position] for layer in range(model.cfg.n_layers)]
    )
    written = torch.einsum("lphd,lhdm->lhpm", z, model.W_O.detach())
    return project(model, cache, written, answers, wrongs, position)


def project(
    model: nn.Module,
    cache: Cache,
    parts: Float[Tensor, "*part pair d_model"],
    answers: Int[Tensor, "pair"],
    wrongs: Int[Tensor, "pair"],
    position: int,
) -> Float[Tensor, "*part pair"]:
    """Parts of the final stream onto W_U[:, answer] - W_U[:, wrong], with the divisor of the whole stream.

    LayerNorm subtracts the mean and divides by one number per prompt and position. That number depends on the
    whole stream and is used for all parts, or they would not add up.

    Raises ValueError if LayerNorm's scale and shift are not folded into W_U.
    """
    check_folded(model)
    if not model.cfg.uses_rms_norm:  # RMSNorm subtracts no mean
        parts = parts - parts.mean(dim=-1, keepdim=True)
    direction = (model.W_U[:, answers] - model.W_U[:, wrongs]).detach().mT  # [pair d_model]
    divisor = cache["ln_final.hook_scale"][:, position]  # [pair 1]
    return (parts / divisor * direction).sum(dim=-1)


def check_folded(model: nn.Module) -> None:
    """ValueError unless the final norm only normalises."""
    scale, shift = model.ln_final.weight, getattr(model.ln_final, "bias", None)
    if not (scale == 1).all() or (shift is not None and (shift != 0).any()):
        raise ValueError(
            "The final LayerNorm of this model has a scale and shift of its own, so W_U is not what reads the "
            "stream. Open the model with open_specimen, which folds them into W_U."
        )
