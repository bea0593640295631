"""The two-head circuit of `induction-2l` in numbers: without its first head, and in its weights.

The previous-token head is the head of layer 0 with the highest previous-token score, the induction head the head
of layer 1 with the highest induction score. The numbers are those of `mi_tutor.lab`, as a learner finds them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mi_tutor.lab.device import seeded
from mi_tutor.specimens.cards import Measure
from mi_tutor.specimens.induction_measures import (
    N_BLOCK,
    N_ROWS,
    first_and_second,
    scores,
    table,
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
    from mi_tutor.lab.heads import induction_score

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


def in_the_weights(model: TransformerBridge, tokens: Int[Tensor, "row pos"]) -> list[Measure]:
    """The circuit in the weights: positions, K-composition, copying, and the whole path."""
    from mi_tutor.lab import circuits
    from mi_tutor.lab.heads import previous_token_score

    heads = find_heads(model, tokens)
    W_E, W_pos = model.W_E.detach(), model.W_pos.detach()
    W_Q, W_K, W_V, W_O = (W.detach() for W in (model.W_Q, model.W_K, model.W_V, model.W_O))
    previous, induction = (0, heads.previous), (1, heads.induction)
    norm = circuits.embedding_norm(W_E, W_pos)
    positional = circuits.previous_token_circuit(W_pos, W_Q[previous], W_K[previous], norm)
    kept = circuits.induction_circuit_score(
        W_E[1:], W_V[previous] @ W_O[previous], W_Q[induction], W_K[induction]
    )
    return [
        Measure(
            name="previous_token_head_in_positions",
            meaning="its previous-token score by position embeddings and weights alone",
            value=round(float(previous_token_score(positional)), 4),
            tolerance=0.02,
            at_least=0.5,
        ),
        *composition(model, heads),
        *copying(model, heads),
        Measure(
            name="induction_circuit",
            meaning="the full circuit: share of words that score the position after themselves highest",
            value=round(kept, 4),
            tolerance=0.02,
            at_least=0.95,
        ),
    ]


def composition(model: TransformerBridge, heads: Heads) -> list[Measure]:
    """K-composition of the layers, against random weights."""
    from mi_tutor.lab import circuits

    K = circuits.composition_scores(model, "K")[0, :, 1]
    Q = circuits.composition_scores(model, "Q")[0, :, 1]
    pair = (heads.previous, heads.induction)
    chance = circuits.random_composition(model.cfg.d_model, model.cfg.d_head, 200, seeded(0))
    columns = tuple(f"head 1.{head}" for head in range(model.cfg.n_heads))
    rows = tuple(f"head 0.{head}" for head in range(model.cfg.n_heads))
    others = [float(K[head, heads.induction]) for head in range(len(K)) if head != heads.previous]
    return [
        Measure(
            name="k_composition",
            meaning="K-composition of these two heads, as a multiple of that of random weights",
            value=round(float(K[pair] / chance.mean()), 4),
            tolerance=0.05,
            at_least=2.0,
        ),
        Measure(
            name="k_composition_of_others",
            meaning="the same for the other head of layer 0 that has most of it",
            value=round(max(others) / float(chance.mean()), 4),
            tolerance=0.05,
        ),
        Measure(
            name="q_composition",
            meaning="Q-composition of the two heads, as a multiple of that of random weights",
            value=round(float(Q[pair] / chance.mean()), 4),
            tolerance=0.05,
            at_most=1.0,
        ),
        Measure(
            name="k_composition_scores",
            meaning=f"K-composition of all pairs; random weights: {chance.mean():.2f}, at most {chance.max():.2f}",
            value=table(K),
            tolerance=0.01,
            rows=rows,
            columns=columns,
        ),
    ]


def copying(model: TransformerBridge, heads: Heads) -> list[Measure]:
    """How much each head's OV circuit copies words."""
    from mi_tutor.lab.circuits import copying_score

    found = [
        [
            copying_score(
                model.W_E[1:].detach(),
                model.W_V[layer, head].detach(),
                model.W_O[layer, head].detach(),
                model.W_U[:, 1:].detach(),
            )
            for head in range(model.cfg.n_heads)
        ]
        for layer in range(model.cfg.n_layers)
    ]
    return [
        Measure(
            name="copying",
            meaning="copying by the induction head: sum of its OV circuit's eigenvalues / sum of their sizes",
            value=round(found[1][heads.induction].eigenvalues, 4),
            tolerance=0.02,
            at_least=0.9,
        ),
        Measure(
            name="copying_eigenvalues",
            meaning="the same for all heads (1: all eigenvalues are positive)",
            value=[[round(score.eigenvalues, 4) for score in row] for row in found],
            tolerance=0.05,
        ),
        Measure(
            name="copying_top_1",
            meaning="share of words whose own logit the head's OV circuit raises most",
            value=[[round(score.top_1, 4) for score in row] for row in found],
            tolerance=0.03,
        ),
    ]


def copy_rule(model: TransformerBridge) -> list[Measure]:
    """Is the token copied that followed the same token, or the one that stood at the same distance?"""
    import torch

    from mi_tutor.lab.induction import fuzzy_copy, rotated_tokens

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
