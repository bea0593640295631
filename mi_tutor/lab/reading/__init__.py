"""Reading a transformer: its predictions, its residual stream, and what happens without one head.

Its files:

    residual    the most likely next tokens; the residual stream and what is written to it
    heads       the same run without one head
"""

from mi_tutor.lab.ground.sites import residual_part_names
from mi_tutor.lab.reading.heads import head_effects, zero_head
from mi_tutor.lab.reading.residual import residual_at, residual_parts, residual_sum, top_tokens

__all__ = [
    "head_effects",
    "residual_at",
    "residual_part_names",
    "residual_parts",
    "residual_sum",
    "top_tokens",
    "zero_head",
]
