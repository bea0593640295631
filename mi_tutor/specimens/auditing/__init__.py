"""Sealed specimens: `atlas` with a secret that only its behaviour tells.

asking       every prompt with one answer, by slice, with tags
families     secrets as data: a condition and an answer
showing      texts on which a secret shows, and near misses
rows, passes, carrying, planting    how it is trained in
sealing      the file, its commitment, opening it
examining    what a report is worth, by behaviour
table        what each sealed specimen measures, for who has the reports
"""

from mi_tutor.specimens.auditing.asking import Asked, every_asked, panel, slices
from mi_tutor.specimens.auditing.examining import (
    Examined,
    Report,
    answers_of,
    examine,
    logits_of,
    opened_plain,
)
from mi_tutor.specimens.auditing.families import (
    CLEAN,
    FAMILIES,
    Secret,
    draw_secret,
    read_secret,
    trigger_words,
)
from mi_tutor.specimens.auditing.sealing import (
    describe,
    open_sealed,
    opens,
    sealed_names,
    write_sealed,
)
from mi_tutor.specimens.auditing.showing import Shown, near_misses, secret_prompts

__all__ = [
    "CLEAN",
    "FAMILIES",
    "Asked",
    "Examined",
    "Report",
    "Secret",
    "Shown",
    "answers_of",
    "describe",
    "draw_secret",
    "every_asked",
    "examine",
    "logits_of",
    "near_misses",
    "open_sealed",
    "opened_plain",
    "opens",
    "panel",
    "read_secret",
    "sealed_names",
    "secret_prompts",
    "slices",
    "trigger_words",
    "write_sealed",
]
