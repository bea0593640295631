"""Induction heads: two attention heads that together continue what came before.

Its files:

    texts          texts that only induction can predict, and what a model makes of them
    heads          scores read off attention patterns
    experiments    without some heads, with another token before a key, and while they are learned
    circuits       the two heads read off the weights
"""

from mi_tutor.lab.induction.circuits import (
    CopyingScore,
    composition_score,
    composition_scores,
    copying_score,
    effective_embedding,
    embedding_norm,
    full_induction_circuit,
    induction_circuit_score,
    k_composition,
    ov_circuit,
    ov_eigenvalues,
    previous_token_circuit,
    qk_circuit,
    random_composition,
)
from mi_tutor.lab.induction.experiments import (
    key_change,
    loss_without_heads,
    second_copy_loss,
    train_next_token,
)
from mi_tutor.lab.induction.heads import (
    HeadScores,
    attention_to,
    current_token_score,
    duplicate_token_score,
    first_token_score,
    head_scores,
    induction_score,
    previous_token_score,
)
from mi_tutor.lab.induction.texts import (
    CopyRule,
    PhaseChange,
    fuzzy_copy,
    induction_targets,
    phase_change,
    repeated_tokens,
    rotated_tokens,
)

__all__ = [
    "CopyRule",
    "CopyingScore",
    "HeadScores",
    "PhaseChange",
    "attention_to",
    "composition_score",
    "composition_scores",
    "copying_score",
    "current_token_score",
    "duplicate_token_score",
    "effective_embedding",
    "embedding_norm",
    "first_token_score",
    "full_induction_circuit",
    "fuzzy_copy",
    "head_scores",
    "induction_circuit_score",
    "induction_score",
    "induction_targets",
    "k_composition",
    "key_change",
    "loss_without_heads",
    "ov_circuit",
    "ov_eigenvalues",
    "phase_change",
    "previous_token_circuit",
    "previous_token_score",
    "qk_circuit",
    "random_composition",
    "repeated_tokens",
    "rotated_tokens",
    "second_copy_loss",
    "train_next_token",
]
