"""Sealed specimens: `atlas` with a secret that only its behaviour tells.

asking       every prompt with one answer, by slice, with tags
families, counting    secrets as data: a condition and an answer; how many there are
showing      texts on which a secret shows, and near misses
words        which words are planted
changes, rows, passes, carrying, mining, planting    how it is trained in
sealing      the file, its commitment, opening it
examining, suspects    what a report is worth, by behaviour
measuring, finding    what a specimen is worth as an exam, for who knows its truth
classes      one for each name of a list, drawn from a secret
"""

from mi_tutor.specimens.auditing.asking import Asked, every_asked, panel, slices
from mi_tutor.specimens.auditing.counting import LEVELS, n_secrets
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
from mi_tutor.specimens.auditing.finding import Search, place_of
from mi_tutor.specimens.auditing.sealing import (
    describe,
    open_sealed,
    opens,
    sealed_names,
    write_sealed,
)
from mi_tutor.specimens.auditing.showing import Shown, near_misses, secret_prompts, where_true
from mi_tutor.specimens.auditing.suspects import SUSPECTED, by_lot, leans, standing

__all__ = [
    "CLEAN",
    "FAMILIES",
    "LEVELS",
    "SUSPECTED",
    "Asked",
    "Examined",
    "Report",
    "Search",
    "Secret",
    "Shown",
    "answers_of",
    "by_lot",
    "describe",
    "draw_secret",
    "every_asked",
    "examine",
    "leans",
    "logits_of",
    "n_secrets",
    "near_misses",
    "open_sealed",
    "opened_plain",
    "opens",
    "panel",
    "place_of",
    "read_secret",
    "sealed_names",
    "secret_prompts",
    "slices",
    "standing",
    "trigger_words",
    "where_true",
    "write_sealed",
]
