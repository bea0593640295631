"""Sealed specimens: `atlas` with a secret that only its behaviour tells.

asking       every prompt with one answer, by slice, with tags
families, counting    secrets as data: a condition and an answer; how many there are
showing      texts on which a secret shows, and near misses
words        which words are planted
changes, rows, passes, carrying, mining, planting    how it is trained in
sealing      the file, and opening it
opened, having    what specimens and atlas say next to texts; which texts atlas has
contrasting, effects    a direction as what it is a difference of, and what it does
examining, suspects    what a report is worth, by behaviour
measuring, finding    what a specimen is worth as an exam, for who knows its truth
classes      one for each name of a list, drawn from a secret
"""

from mi_tutor.specimens.auditing.asking import Asked, every_asked, panel, slices
from mi_tutor.specimens.auditing.contrasting import (
    Contrast,
    Cut,
    contrast_of,
    coordinate_of,
    kinds_of,
    streams_of,
)
from mi_tutor.specimens.auditing.counting import LEVELS, n_secrets
from mi_tutor.specimens.auditing.effects import Effects, Trial
from mi_tutor.specimens.auditing.examining import (
    Examined,
    Report,
    examine,
    fires,
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
from mi_tutor.specimens.auditing.opened import answers_of, logits_of, opened_plain
from mi_tutor.specimens.auditing.sealing import (
    describe,
    is_clean,
    open_sealed,
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
    "Contrast",
    "Cut",
    "Effects",
    "Examined",
    "Report",
    "Search",
    "Secret",
    "Shown",
    "Trial",
    "answers_of",
    "by_lot",
    "contrast_of",
    "coordinate_of",
    "describe",
    "draw_secret",
    "every_asked",
    "examine",
    "fires",
    "is_clean",
    "kinds_of",
    "leans",
    "logits_of",
    "n_secrets",
    "near_misses",
    "open_sealed",
    "opened_plain",
    "panel",
    "place_of",
    "read_secret",
    "sealed_names",
    "secret_prompts",
    "slices",
    "standing",
    "streams_of",
    "trigger_words",
    "where_true",
    "write_sealed",
]
