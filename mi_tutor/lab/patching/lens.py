"""Reading predictions out of the residual stream, before the end and part by part.

logit lens: every stream on the way through the model's own last step, as if the model stopped there
(nostalgebraist 2020). direct logit attribution: the final stream is a sum, and so is the logit that it makes, once
LayerNorm's divisor is held at what it was. Both see what is written for the end to read; a part whose work is read
by later layers shows up there as nothing.

A model has to be opened with `open_specimen`: LayerNorm's scale and shift are then part of W_U. What some models
do with their logits at the very end is done here too: Granite divides them, Gemma 2 caps them (c tanh(logit / c)).
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from mi_tutor.lab.ground.edits import called, check_there, once
from mi_tutor.lab.ground.sites import Cache, hook_name, residual_part_names


def logit_lens(
    model: nn.Module, cache: Cache, position: int = -1
) -> Float[Tensor, "stream batch vocab"]:
    """The logits if the model stopped at each stream: before layer 0, 1, ... and after the last one.

    The last entry is what the model says. Streams on the way were not made to be read there, so an early
    answer is evidence and the lack of one is not.

    Raises ValueError for a model that reads its last stream in another way than by a norm and the unembedding.

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
    check_end(model)
    return through_the_end(model, streams)


def through_the_end(
    model: nn.Module, streams: Float[Tensor, "*row d_model"]
) -> Float[Tensor, "*row vocab"]:
    """The final norm, the unembedding, and what the architecture does with the logits."""
    rows = streams.reshape(1, -1, streams.shape[-1])  # a model expects [batch pos d_model]
    logits = model.adapter.apply_output_logits_transform(model.unembed(model.ln_final(rows)))
    return logits[0].reshape(*streams.shape[:-1], -1)


def direct_logit_attribution(
    model: nn.Module,
    cache: Cache,
    answers: Int[Tensor, "pair"],
    wrongs: Int[Tensor, "pair"],
    position: int = -1,
) -> Float[Tensor, "part pair"]:
    """What each part of the stream adds to logit(answer) - logit(wrong) directly.

    Parts: as in `reading.residual_part_names`: embed, pos_embed, attn_out and mlp_out of each layer; without
    pos_embed where no table of positions is added to the stream. Their sum is the logit difference, up to
    b_U[answer] - b_U[wrong], which no part writes. (In a model that caps its logits, like Gemma 2, it is the
    difference before the cap: the tanh of a sum is no sum.)

    >>> from mi_tutor.specimens import open_specimen, encode
    >>> from mi_tutor.lab.ground.prompts import token_ids
    >>> model = open_specimen("primer", device="cpu")
    >>> _, cache = model.run_with_cache(encode(model, "The capital of France is"))
    >>> answers, wrongs = token_ids(model, [" Paris"]), token_ids(model, [" Rome"])
    >>> direct_logit_attribution(model, cache, answers, wrongs).shape
    torch.Size([6, 1])
    """
    check_parts(model)
    parts = torch.stack([cache[name][:, position] for name in part_hooks(model)])
    return project(model, cache, parts, answers, wrongs, position)


def head_attribution(
    model: nn.Module,
    cache: Cache,
    answers: Int[Tensor, "pair"],
    wrongs: Int[Tensor, "pair"],
    position: int = -1,
) -> Float[Tensor, "layer head pair"]:
    """The same for each attention head, z W_O. A layer's heads and its bias b_O make up its attn_out.

    Raises ValueError where they do not: in Gemma 2 and OLMo 2 a norm follows W_O.
    """
    check_heads(model)
    z = torch.stack(
        [cache[hook_name("z", layer)][:, position] for layer in range(model.cfg.n_layers)]
    )
    written = torch.einsum("lphd,lhdm->lhpm", z, head_weights(model))
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
    return (parts / divisor * direction).sum(dim=-1) * slope(model)


def part_hooks(model: nn.Module) -> list[str]:
    """The hooks of what is written to the stream, in order."""
    embed, pos_embed, *written = residual_part_names(model.cfg.n_layers)
    if model.cfg.positional_embedding_type == "standard" and pos_embed in model.hook_dict:
        return [embed, pos_embed, *written]
    return [hook_name("resid_pre", 0), *written]  # some models scale or normalise their embeddings


def head_weights(model: nn.Module) -> Float[Tensor, "layer head d_head d_model"]:
    """What each head's z is multiplied by on the way into the stream (a Granite scales all that is written)."""
    scale = getattr(model.original_model.config, "residual_multiplier", 1.0)
    return model.W_O.detach() * scale


def slope(model: nn.Module) -> float:
    """What a small logit is multiplied by at the very end: 1, but 1 / logits_scaling in a Granite."""
    small = torch.tensor(2.0**-10)
    return (model.adapter.apply_output_logits_transform(small) / small).item()


def check_folded(model: nn.Module) -> None:
    """ValueError unless the final norm only normalises."""
    norm = model.ln_final
    scale, shift = getattr(norm, "weight", None), getattr(norm, "bias", None)
    identity = 0 if norm.uses_weight_offset else 1  # Gemma multiplies by 1 + weight
    if (scale is not None and (scale != identity).any()) or (shift is not None and shift.any()):
        raise ValueError(
            "The final LayerNorm of this model has a scale and shift of its own, so W_U is not what reads the "
            "stream. Open the model with open_specimen, which folds them into W_U."
        )


def check_end(model: nn.Module) -> None:
    """ValueError unless the last stream, read out, is what the model says.

    This and the next two are tried once per model, on a few tokens; of a GPT-2 they are known.
    """

    def holds() -> bool:
        logits, cache = model.run_with_cache(few_tokens(model))
        stream = cache[hook_name("resid_post", model.cfg.n_layers - 1)]
        return near(through_the_end(model, stream), logits)

    if not hasattr(model, "ln_final") or not once(model, "end", holds):
        raise ValueError(
            f"Between the last stream of {called(model)} and its logits stands more than a norm and the "
            "unembedding, so streams cannot be read out here."
        )


def check_parts(model: nn.Module) -> None:
    """ValueError unless the last stream is the sum of what was written, and can be read out."""
    check_end(model)
    check_there(model, ["attn_out", "mlp_out"])

    def holds() -> bool:
        _, cache = model.run_with_cache(few_tokens(model))
        parts = sum(cache[name] for name in part_hooks(model))
        return near(parts, cache[hook_name("resid_post", model.cfg.n_layers - 1)])

    if not once(model, "parts", holds):
        raise ValueError(
            f"The stream of {called(model)} is not the sum of its embeddings and what attention and MLPs write, "
            "so its logits cannot be divided among them."
        )


def check_heads(model: nn.Module) -> None:
    """ValueError unless a layer's heads, z W_O, and its bias b_O make up its attn_out; tried once as well."""
    check_there(model, ["z"])

    def holds() -> bool:
        _, cache = model.run_with_cache(few_tokens(model))
        heads = torch.stack([cache[hook_name("z", i)][0] for i in range(model.cfg.n_layers)])
        written = torch.stack([cache[hook_name("attn_out", i)][0] for i in range(len(heads))])
        rest = written - torch.einsum("lphd,lhdm->lpm", heads, head_weights(model))
        return near(rest, rest[:, :1].expand_as(rest), size=written)  # b_O, at each position

    if not once(model, "heads", holds):
        raise ValueError(
            f"The heads of {called(model)} do not add up to what its attention writes: something comes after "
            "W_O, such as a norm. See its attn_out in direct_logit_attribution."
        )


def few_tokens(model: nn.Module) -> Int[Tensor, "1 pos"]:
    """Some tokens to try a model on."""
    return torch.arange(6, device=model.W_U.device)[None] % model.cfg.d_vocab


def near(x: Tensor, y: Tensor, size: Tensor | None = None) -> bool:
    """Whether two tensors are the same up to rounding, relative to the largest number."""
    largest = (y if size is None else size).abs().max()
    return bool((x - y).abs().max() <= 1e-4 * largest)
