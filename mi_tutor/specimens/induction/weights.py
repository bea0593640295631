"""The two-head circuit of `induction-2l` in its weights: positions, K-composition, copying, and the whole path.

The numbers are those of `mi_tutor.lab.induction.circuits`, as a learner finds them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mi_tutor.lab.ground.device import seeded
from mi_tutor.specimens.cards import Measure
from mi_tutor.specimens.induction.circuit import Heads, find_heads
from mi_tutor.specimens.induction.rows import table

if TYPE_CHECKING:
    from jaxtyping import Int
    from torch import Tensor
    from transformer_lens.model_bridge import TransformerBridge


def in_the_weights(model: TransformerBridge, tokens: Int[Tensor, "row pos"]) -> list[Measure]:
    """The circuit in the weights: positions, K-composition, copying, and the whole path."""
    from mi_tutor.lab.induction import circuits
    from mi_tutor.lab.induction.heads import previous_token_score

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
    from mi_tutor.lab.induction import circuits

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
    from mi_tutor.lab.induction.circuits import copying_score

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
