"""Chapter 10: audits. What changed, where it shows, what sets it off, and taking it out.

comparing    a model beside its base or beside the facts, slice by slice
searching    which word sets something off
removing     one coordinate of the stream set to what is usual
marking      true answers that are back, and what else changed
"""

from mi_tutor.lab.auditing.comparing import changed_by_slice, kl_to_base
from mi_tutor.lab.auditing.marking import Removal, removal
from mi_tutor.lab.auditing.removing import (
    Coordinate,
    between_means,
    set_coordinate,
    with_coordinate_set,
)
from mi_tutor.lab.auditing.searching import insert_word, logits_after_words, same_answer

__all__ = [
    "Coordinate",
    "Removal",
    "between_means",
    "changed_by_slice",
    "insert_word",
    "kl_to_base",
    "logits_after_words",
    "removal",
    "same_answer",
    "set_coordinate",
    "with_coordinate_set",
]
