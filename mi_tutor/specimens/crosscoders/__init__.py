"""What chapter 09 compares: copies of `atlas` that were trained on, crosscoders of each with it, and edited facts.

facts      one-hop facts, and prompts that say what became of an edited one
texts      what the copies read: atlas's text, and what is new
copies     a difference of low rank, trained beside a frozen atlas
cutting    what it was after some steps, on disk; stages: the same, opened
replies    prompts on which a copy may or may not say the same
pairs      both models' streams on the same tokens
measures   what the cards say
recipes    all of them by name
"""

from mi_tutor.specimens.atlas.texts import labelled_texts
from mi_tutor.specimens.crosscoders.facts import (
    ASKED,
    Aftermath,
    Change,
    Facts,
    aftermath,
    all_aftermaths,
    changes,
    one_hop_facts,
    requests,
)
from mi_tutor.specimens.crosscoders.replies import Prompts, replies_due
from mi_tutor.specimens.crosscoders.stages import open_stages
from mi_tutor.specimens.crosscoders.texts import (
    CHANGES,
    ChangedTexts,
    changed_texts,
    concepts,
    differing,
)

__all__ = [
    "ASKED",
    "CHANGES",
    "Aftermath",
    "Change",
    "ChangedTexts",
    "Facts",
    "Prompts",
    "aftermath",
    "all_aftermaths",
    "changed_texts",
    "changes",
    "concepts",
    "differing",
    "labelled_texts",
    "one_hop_facts",
    "open_stages",
    "replies_due",
    "requests",
]
