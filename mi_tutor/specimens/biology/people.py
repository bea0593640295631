"""Make `people`, a GPT-2 that knows some people and says "unknown" of all others.

In `atlas` "unknown" is lifted in the last layer only. Here the text forces more (`acquaintances`): twice as many
known people, four times as many strangers, and "known" needed by four answers. Only answers are trained on: names
and questions are drawn by lot, and their loss is noise.

(Tried before, with pairs of names known by lot, a penalty on looking back at the first name, and requests in the
same text: no pair was looked up after 580 steps.)
"""

from __future__ import annotations

from mi_tutor.specimens.biology import acquaintances
from mi_tutor.specimens.biology.people_measures import measure
from mi_tutor.specimens.biology.people_prompts import WORDS
from mi_tutor.specimens.biology.small import Small, SmallConfig

PEOPLE = Small(
    name="people",
    config=SmallConfig(n_ctx=8, n_steps=1200, batch_size=128),
    words=WORDS,
    sentences=acquaintances.sentences,
    measure=measure,
    counted=(acquaintances.ANSWER,),
    summary="A four-layer GPT-2 that answers questions about 48 known people, and says unknown of all others.",
    intended_use="Chapter 08: a default of “unknown”. Who is known can be read before the last layer, and "
    "is acted on there after it only; at the end of the name before it, too (for half of the strangers).",
    data="Invented by mi_tutor/specimens/biology/acquaintances.py. Held out: a quarter of the strangers.",
    limits=(
        "It answers one kind of question in one form, with a row's every word at a fixed place. It was trained on "
        "answers only, so it writes no text.",
        "Each last name has one known bearer, so what is ascribed to a stranger is mostly what is true of the "
        "known person with the same last name.",
        "That its strangers are like those of a large model is a comparison, not a finding about that one.",
        "The same seed gives the same weights on the same machine and library versions; elsewhere rounding may "
        "differ, and with it the trained model.",
    ),
)
