"""Patching: which parts of a model does an answer depend on?

Its files:

    alignment      do two prompts stand in for each other, token by token?
    activation     one activation taken from another run, one site after another
    batched        the same at many sites, in few passes
    sweeps         a whole grid of sites, and the result with named axes
    ablation       nothing, a mean, or another prompt's activation in its place
    removing       the same for one head, as one formula
    attribution    all patches estimated at once, from one gradient
    straight_line  that gradient averaged on the way (integrated gradients)
    circuits       some parts compute and all others are silent: faithful, complete, minimal
    paths          one part's output, changed only where one other part reads it
    lens           predictions read from the stream before the end, and part by part
    probes         can a concept be read along one direction, and does the model read it there?
    planted, gates small systems whose workings are known, to try all this on
"""

from mi_tutor.lab.patching.ablation import ablate, ablation_sweep, mean_activation, other_prompts
from mi_tutor.lab.patching.activation import patch_heads, patch_residual, run_patched
from mi_tutor.lab.patching.alignment import differing_positions
from mi_tutor.lab.patching.attribution import (
    Agreement,
    Missed,
    agreement,
    attribution_patching,
    false_negatives,
    integrated_gradients,
    pearson,
)
from mi_tutor.lab.patching.batched import batched_sweep
from mi_tutor.lab.patching.circuits import (
    CircuitRuns,
    Criteria,
    all_parts,
    circuit_logits,
    drawn_subsets,
    three_criteria,
)
from mi_tutor.lab.patching.gates import MYSTERIES, part_effects
from mi_tutor.lab.patching.lens import (
    direct_logit_attribution,
    head_attribution,
    logit_lens,
    read_out,
)
from mi_tutor.lab.patching.paths import path_patching, path_sweep
from mi_tutor.lab.patching.planted import (
    PlantedProbe,
    and_gate,
    or_gate,
    patch_parts,
    planted_probe,
)
from mi_tutor.lab.patching.probes import (
    Probe,
    exchange_along,
    fit_probe,
    mean_difference,
    part_along,
    patch_direction,
    probe_accuracy,
    without_direction,
)
from mi_tutor.lab.patching.removing import ablate_head
from mi_tutor.lab.patching.sweeps import SweepResult, denoise, noise, sweep

__all__ = [
    "MYSTERIES",
    "Agreement",
    "CircuitRuns",
    "Criteria",
    "Missed",
    "PlantedProbe",
    "Probe",
    "SweepResult",
    "ablate",
    "ablate_head",
    "ablation_sweep",
    "agreement",
    "all_parts",
    "and_gate",
    "attribution_patching",
    "batched_sweep",
    "circuit_logits",
    "denoise",
    "differing_positions",
    "direct_logit_attribution",
    "drawn_subsets",
    "exchange_along",
    "false_negatives",
    "fit_probe",
    "head_attribution",
    "integrated_gradients",
    "logit_lens",
    "mean_activation",
    "mean_difference",
    "noise",
    "or_gate",
    "other_prompts",
    "part_along",
    "part_effects",
    "patch_direction",
    "patch_heads",
    "patch_parts",
    "patch_residual",
    "path_patching",
    "path_sweep",
    "pearson",
    "planted_probe",
    "probe_accuracy",
    "read_out",
    "run_patched",
    "sweep",
    "three_criteria",
    "without_direction",
]
