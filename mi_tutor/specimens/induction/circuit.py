"""The two-head circuit of `induction-2l` by intervention: what is left without a head, or without one path.

The previous-token head is the head of layer 0 with the highest previous-token score, the induction head the head
of layer 1 with the highest induction score. The numbers are those of `mi_tutor.lab`, as a learner finds them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mi_tutor.lab.ground.device import seeded
from mi_tutor.specimens.cards import Measure
from mi_tutor.specimens.induction.rows import (
    N_BLOCK,
    N_ROWS,
    first_and_second,
    scores,
    text_rows,
    token_losses,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from jaxtyping import Float, Int
    from torch import Tensor
    from transformer_lens.model_bridge import TransformerBridge


class Heads(NamedTuple):
    """The circuit's two heads, and the runner-up among the previous-token heads' scores."""

    previous: int
    induction: int
    previous_score: float
    runner_up: float
    induction_score: float


def find_heads(model: TransformerBridge, tokens: Int[Tensor, "row pos"]) -> Heads:
    """The circuit's heads by their scores on the repeats."""
    found = scores(model, tokens)
    first_layer = found.previous[0].sort(descending=True)
    return Heads(
        previous=int(first_layer.indices[0]),
        induction=int(found.induction[1].argmax()),
        previous_score=round(float(first_layer.values[0]), 4),
        runner_up=round(float(first_layer.values[1]), 4),
        induction_score=round(float(found.induction[1].max()), 4),
    )


def without_the_previous_token_head(
    model: TransformerBridge, tokens: Int[Tensor, "row pos"]
) -> list[Measure]:
    """What is left of copying when the previous-token head writes nothing, or is not read by some of layer 1."""
    from mi_tutor.lab.induction.heads import induction_score

    heads = find_heads(model, tokens)
    zeroed = ("blocks.0.attn.hook_z", zero(heads.previous))
    with model.hooks(fwd_hooks=[zeroed]):
        ablated_first, ablated_second = first_and_second(token_losses(model, tokens))
        pattern = pattern_of_layer_1(model, tokens)
    left = induction_score(pattern, N_BLOCK).mean(dim=0).max()
    return [
        Measure(
            name="previous_token_head",
            meaning=f"the highest previous-token score in layer 0 (head 0.{heads.previous})",
            value=heads.previous_score,
            tolerance=0.02,
            at_least=0.85,
        ),
        Measure(
            name="next_previous_token_head",
            meaning="the second highest previous-token score in layer 0",
            value=heads.runner_up,
            tolerance=0.02,
            at_most=0.3,
        ),
        Measure(
            name="induction_head",
            meaning=f"the highest induction score in layer 1 (head 1.{heads.induction})",
            value=heads.induction_score,
            tolerance=0.02,
            at_least=0.9,
        ),
        Measure(
            name="induction_without_previous",
            meaning="previous-token head set to zero: the highest induction score that is left",
            value=round(float(left), 4),
            tolerance=0.02,
            at_most=0.1,
        ),
        Measure(
            name="copying_without_previous",
            meaning="previous-token head set to zero: loss on the second copy / on the first",
            value=round(ablated_second / ablated_first, 4),
            tolerance=0.02,
            at_least=0.8,
        ),
        *without_one_path(model, tokens, heads.previous),
    ]


def without_each_head(model: TransformerBridge, tokens: Int[Tensor, "row pos"]) -> list[Measure]:
    """The losses when one head is set to zero: which heads carry the copying, which the text?"""
    text, _ = text_rows()
    copying, reading = [], []
    for layer in range(model.cfg.n_layers):
        copying.append([])
        reading.append([])
        for head in range(model.cfg.n_heads):
            with model.hooks(fwd_hooks=[(f"blocks.{layer}.attn.hook_z", zero(head))]):
                copying[-1].append(round(first_and_second(token_losses(model, tokens))[1], 4))
                reading[-1].append(round(token_losses(model, text)[:, 1:].mean().item(), 4))
    return [
        Measure(
            name="copying_without_each_head",
            meaning="loss on the second copy when one head is set to zero, nats",
            value=copying,
            tolerance=0.05,
        ),
        Measure(
            name="text_without_each_head",
            meaning="loss on text when one head is set to zero, nats",
            value=reading,
            tolerance=0.05,
        ),
    ]


def without_one_path(
    model: TransformerBridge, tokens: Int[Tensor, "row pos"], head: int
) -> list[Measure]:
    """Layer 1's queries, keys or values alone taken from a run without the previous-token head.

    There is nothing between the layers but the residual stream, so this cuts one of three paths exactly.
    """
    import torch

    names = {kind: f"blocks.1.attn.hook_{kind}" for kind in "qkv"}
    zeroed = ("blocks.0.attn.hook_z", zero(head))
    with torch.no_grad(), model.hooks(fwd_hooks=[zeroed]):
        _, without = model.run_with_cache(tokens, names_filter=list(names.values()))
    shares = {}
    for kind, name in names.items():
        with model.hooks(fwd_hooks=[(name, replaced_by(without[name]))]):
            first, second = first_and_second(token_losses(model, tokens))
        shares[kind] = round(second / first, 4)
    goals = {"q": {"at_most": 0.1}, "k": {"at_least": 0.8}, "v": {"at_most": 0.1}}
    words = {"q": "queries", "k": "keys", "v": "values"}
    return [
        Measure(
            name=f"copying_without_previous_in_{words[kind]}",
            meaning=f"layer 1's {words[kind]} alone without that head: loss on the second copy / on the first",
            value=share,
            tolerance=0.02,
            **goals[kind],
        )
        for kind, share in shares.items()
    ]


def copy_rule(model: TransformerBridge) -> list[Measure]:
    """Is the token copied that followed the same token, or the one that stood at the same distance?"""
    import torch

    from mi_tutor.lab.induction.texts import fuzzy_copy, rotated_tokens

    words = torch.arange(1, model.cfg.d_vocab)
    tokens = rotated_tokens(words, N_ROWS, N_BLOCK, bos=0, generator=seeded(0), shift=3)
    with torch.no_grad():
        rule = fuzzy_copy(model(tokens), tokens, N_BLOCK)
    return [
        Measure(
            name="copies_by_token",
            meaning="second copy begins three words later: probability of what followed the same word before",
            value=round(float(rule.by_token), 4),
            tolerance=0.02,
            at_least=0.9,
        ),
        Measure(
            name="copies_by_position",
            meaning="the same: probability of the word at the same distance as in plain repetition",
            value=round(float(rule.by_position), 4),
            tolerance=0.02,
            at_most=0.05,
        ),
    ]


def zero(head: int) -> Callable[..., Float[Tensor, "batch pos head d_head"]]:
    """A hook that sets one head's z to zero."""

    def without_head(z: Tensor, hook: object) -> Tensor:
        z = z.clone()
        z[:, :, head] = 0
        return z

    return without_head


def replaced_by(kept: Tensor) -> Callable[..., Tensor]:
    """A hook that puts another run's activation in place."""
    return lambda activation, hook: kept


def pattern_of_layer_1(
    model: TransformerBridge, tokens: Int[Tensor, "row pos"]
) -> Float[Tensor, "row head query key"]:
    """The attention patterns of layer 1, with whatever hooks are set."""
    import torch

    name = "blocks.1.attn.hook_pattern"
    with torch.no_grad():
        return model.run_with_cache(tokens, names_filter=[name])[1][name]
