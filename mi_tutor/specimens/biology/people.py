"""Make `people`, a GPT-2 that knows some people and says "unknown" of all others.

In `atlas` "unknown" is lifted in the last layer only. This text forces more (`acquaintances`): "known" is needed
by four answers, hard to tell (it is a matter of pairs of names), and all that is missing, for what would be said
stands in the names. Nobody is asked outright whether somebody is known: "known" would also bring up "yes", which a
stranger set to it would be answered. Only answers are trained on: names are drawn by lot, and their loss is noise.

(docs/log.md has what was tried before.)
"""

from __future__ import annotations

from mi_tutor.specimens.biology import acquaintances
from mi_tutor.specimens.biology.people_measures import measure
from mi_tutor.specimens.biology.people_prompts import WORDS
from mi_tutor.specimens.biology.small import Small, SmallConfig

PEOPLE = Small(
    name="people",
    config=SmallConfig(n_ctx=6, n_steps=2400, batch_size=128, weight_decay=0.3),
    words=WORDS,
    sentences=acquaintances.sentences,
    measure=measure,
    counted=(acquaintances.ANSWER,),
    summary="A four-layer GPT-2 that says four things of each of 96 known people, and unknown of all others.",
    intended_use="Chapter 08: a default of “unknown”. Who is known is read before the last layer; one direction "
    "there lifts the default for strangers, and sets it for known people.",
    data="Invented by mi_tutor/specimens/biology/acquaintances.py. Held out: a quarter of the strangers.",
    limits=(
        "It writes one kind of sentence in one form, with every word at a fixed place. It was trained on the last "
        "word only, so it writes no text.",
        "What is said of known people goes by one of their names, so that something can be made up of a stranger. "
        "Facts that are a person's own, it has none.",
        "How far a stranger has to be set differs from seed to seed: known people's mean is far enough here; a "
        "model of seed 1 takes one and a half times as far.",
        "That its strangers are like those of a large model is a comparison, not a finding about that one.",
        "The same seed gives the same weights on the same machine and library versions; elsewhere rounding may "
        "differ, and with it the trained model.",
    ),
)
