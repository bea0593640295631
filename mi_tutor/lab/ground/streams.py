"""Streams of activations: many texts, one hook, no more work than needed.

Keeping every activation of a large text fills the memory, and computing what nobody reads takes most of the time.
A stream computes one batch when it is asked for, keeps one activation of it, and stops the model after that layer.

    batches of tokens  ->  activation_stream  ->  token_rows  ->  shuffled_rows
    [batch pos]            [batch pos d]          [row d]         [row d], rows of many texts mixed
"""

import re
from collections.abc import Iterable, Iterator

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from mi_tutor.lab.ground.plain import PlainTransformer, plain_transformer
from mi_tutor.lab.ground.sites import COMPONENTS, hook_name


def activation_stream(model: nn.Module, batches: Iterable[Tensor], name: str) -> Iterator[Tensor]:
    """One hook's activation, [batch pos ...], for batch after batch.

    batches: token ids [batch pos]; they may differ in size.
    name: a hook of a block, such as "blocks.2.hook_resid_pre". Later blocks are not run.

    Raises ValueError if the model has no such hook.

    >>> from mi_tutor.specimens import open_specimen, encode
    >>> model = open_specimen("primer", device="cpu")
    >>> batches = encode(model, ["The capital of France is"] * 4).split(2)
    >>> [tuple(x.shape) for x in activation_stream(model, batches, "blocks.1.hook_resid_pre")]
    [(2, 6, 64), (2, 6, 64)]
    """
    layer = block_of(model, name)
    component = next((c for c in COMPONENTS if hook_name(c, layer) == name), None)
    plain = plain_transformer(model) if component else None
    # No generator: a wrong name should be told now, not when the first batch is asked for.
    if plain:
        return (plain_activation(plain, tokens, component, layer) for tokens in batches)
    return (hooked_activation(model, tokens, name, layer) for tokens in batches)


def token_rows(activations: Iterable[Tensor], skip: int = 1) -> Iterator[Tensor]:
    """[batch pos d] -> [row d]: one row per token, without the first `skip` positions of each text.

    Position 0 is BOS: its activations are the same in every text and often huge.

    >>> rows = token_rows([torch.zeros(2, 5, 3)])
    >>> next(rows).shape
    torch.Size([8, 3])
    """
    return (activation[:, skip:].flatten(0, 1) for activation in activations)


def shuffled_rows(
    rows: Iterable[Tensor], batch_size: int, buffer_size: int, generator: torch.Generator
) -> Iterator[Tensor]:
    """[row d] -> [batch_size d]: batches in which texts are mixed, as training wants them.

    Rows gather in a buffer of at least `buffer_size`; half of it, drawn at random, leaves in batches before new
    rows come in. Each row leaves once; a last part that does not fill a batch is dropped.

    >>> from mi_tutor.lab.ground.device import seeded
    >>> stream = [torch.arange(6.0).reshape(6, 1)]
    >>> sorted(torch.cat(list(shuffled_rows(stream, 2, 4, seeded(0)))).flatten().tolist())
    [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    """
    if not 1 <= batch_size <= buffer_size // 2:
        raise ValueError(
            f"batch_size should be between 1 and half of buffer_size ({buffer_size // 2}), got {batch_size}."
        )
    waiting: list[Tensor] = []
    n_waiting = 0
    for new in rows:
        waiting.append(new)
        n_waiting += len(new)
        if n_waiting >= buffer_size:
            mixed = mix(waiting, generator)
            n_batches = n_waiting // 2 // batch_size
            yield from mixed[: n_batches * batch_size].split(batch_size)
            waiting = [mixed[n_batches * batch_size :]]
            n_waiting = len(waiting[0])
    if waiting:
        yield from (b for b in mix(waiting, generator).split(batch_size) if len(b) == batch_size)


def mix(parts: list[Tensor], generator: torch.Generator) -> Tensor:
    """All rows of some tensors in random order."""
    rows = torch.cat(parts)
    order = torch.randperm(len(rows), generator=generator, device=generator.device)
    return rows[order.to(rows.device)]


def block_of(model: nn.Module, name: str) -> int:
    """The block that a hook belongs to; ValueError if there is no such hook."""
    match = re.match(r"blocks\.(\d+)\.", name)
    if match is None or name not in model.hook_dict:
        raise ValueError(
            f"{name!r} is not a hook of a block. Names look like 'blocks.0.hook_resid_pre', "
            "'blocks.0.attn.hook_z' or 'blocks.0.mlp.hook_post'; model.hook_dict has all of them."
        )
    return int(match[1])


@torch.no_grad()
def plain_activation(
    plain: PlainTransformer, tokens: Int[Tensor, "batch pos"], component: str, layer: int
) -> Float[Tensor, "batch ..."]:
    """A component's activation in one layer, without anything that comes later."""
    if component in ("resid_pre", "resid_post"):
        return plain.resid_pre(layer + (component == "resid_post"), tokens)
    return plain.activations(layer, tokens, until=component)[component]


@torch.no_grad()
def hooked_activation(
    model: nn.Module, tokens: Int[Tensor, "batch pos"], name: str, layer: int
) -> Float[Tensor, "batch ..."]:
    """The same through hooks, for any hook and any architecture."""
    _, cache = model.run_with_cache(tokens, names_filter=name, stop_at_layer=layer + 1)
    return cache[name]
