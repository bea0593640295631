"""Field trips: small case studies after Lindsey et al. 2025, each on a model that has the mechanism.

planning    is a line's last word chosen before the line is begun?
languages   concept, relation and language as parts of one activation, swapped one at a time
knowing     a default of "unknown", and the direction that lifts it
opinions    a stream set to a middle along some directions, a head to a mean: agreeing, taken away
refusing    where a difference between two requests passes by, and what looks there
exchanging  a circuit's parts, or all the others, writing what they write in another prompt
"""

from mi_tutor.lab.biology.exchanging import exchanged, part_names
from mi_tutor.lab.biology.knowing import (
    Asked,
    Lifted,
    area,
    known_direction,
    lift_default,
    told_apart,
)
from mi_tutor.lab.biology.languages import (
    FACTORS,
    FactorSwap,
    borrowed_steps,
    cell_means,
    common_share,
    language_steps,
    parts,
    parts_right,
    shuffled_share,
    swap_factor,
    swap_steps,
    variance_shares,
)
from mi_tutor.lab.biology.opinions import answers_centred, answers_with_head, set_to_centre
from mi_tutor.lab.biology.planning import (
    BLANK,
    Ingredients,
    PlanSwaps,
    Step,
    fitting,
    ingredients,
    swap_plans,
    write_line,
    written_after,
)
from mi_tutor.lab.biology.refusing import looks_at, turned

__all__ = [
    "BLANK",
    "FACTORS",
    "Asked",
    "FactorSwap",
    "Ingredients",
    "Lifted",
    "PlanSwaps",
    "Step",
    "answers_centred",
    "answers_with_head",
    "area",
    "borrowed_steps",
    "cell_means",
    "common_share",
    "exchanged",
    "fitting",
    "ingredients",
    "known_direction",
    "language_steps",
    "lift_default",
    "looks_at",
    "part_names",
    "parts",
    "parts_right",
    "set_to_centre",
    "shuffled_share",
    "swap_factor",
    "swap_plans",
    "swap_steps",
    "told_apart",
    "turned",
    "variance_shares",
    "write_line",
    "written_after",
]
