"""Superposition: toy models that store more features than they have dimensions.

Read in this order: `data`, `model`, `train` (the model of Elhage et al. 2022), `geometry`, `phase` and `optimum`
(what it learns), `neurons`, `absolute`, `removal` (computing with it), `packing`, `compressed` (how much room
there is).
`sweep` trains many models at once: `sweep_config` says which, `sweep_batches` draws for them, `fused` has their
step written out, `sweep_threads` shares them among cores. `phenomena` has settings that work.
"""

from mi_tutor.lab.superposition import phenomena
from mi_tutor.lab.superposition.absolute import (
    AbsoluteResult,
    absolute_dedicated_loss,
    absolute_forward,
    neuron_focus,
    train_absolute,
)
from mi_tutor.lab.superposition.compressed import matching_pursuit, recovery_rate
from mi_tutor.lab.superposition.data import paired_features, sparse_features
from mi_tutor.lab.superposition.geometry import (
    ARRANGEMENTS,
    DEDICATED,
    NOT_REPRESENTED,
    SUPERPOSED,
    arrangements,
    feature_dimensionality,
    feature_fates,
    gram,
    interference,
)
from mi_tutor.lab.superposition.model import toy_forward, weighted_loss
from mi_tutor.lab.superposition.neurons import features_per_neuron, neuron_forward
from mi_tutor.lab.superposition.optimum import PhaseOptimum, pair_loss, phase_optimum
from mi_tutor.lab.superposition.packing import (
    PackingLimits,
    greedy_directions,
    max_abs_cosine,
    packing_limits,
    spread_directions,
    welch_bound,
)
from mi_tutor.lab.superposition.phase import PhaseLosses, phase_losses, phase_theory
from mi_tutor.lab.superposition.removal import NeuronPaths, neuron_paths, removal_rises
from mi_tutor.lab.superposition.sweep import SweepResult, best_of_seeds, train_sweep
from mi_tutor.lab.superposition.sweep_config import ToySweep
from mi_tutor.lab.superposition.train import TrainedToy, train_toy

__all__ = [
    "ARRANGEMENTS",
    "DEDICATED",
    "NOT_REPRESENTED",
    "SUPERPOSED",
    "AbsoluteResult",
    "NeuronPaths",
    "PackingLimits",
    "PhaseLosses",
    "PhaseOptimum",
    "SweepResult",
    "ToySweep",
    "TrainedToy",
    "absolute_dedicated_loss",
    "absolute_forward",
    "arrangements",
    "best_of_seeds",
    "feature_dimensionality",
    "feature_fates",
    "features_per_neuron",
    "gram",
    "greedy_directions",
    "interference",
    "matching_pursuit",
    "max_abs_cosine",
    "neuron_focus",
    "neuron_forward",
    "neuron_paths",
    "packing_limits",
    "pair_loss",
    "paired_features",
    "phase_losses",
    "phase_optimum",
    "phase_theory",
    "phenomena",
    "recovery_rate",
    "removal_rises",
    "sparse_features",
    "spread_directions",
    "toy_forward",
    "train_absolute",
    "train_sweep",
    "train_toy",
    "weighted_loss",
    "welch_bound",
]
