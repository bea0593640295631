"""Make `planner`, which chooses a line's last word at the break before it, and `planner-twin`, which does not.

Both read the same couplets, in which planning pays (`couplets`). The text alone does not make a small model
plan: the twin looks back at the first line whenever it needs something from it. `planner` is trained with a
small penalty on attention from a second line to its first line, the line break excepted. So what the second line
needs to know is brought to the break, and what is cheapest to bring there is what it needs: the word.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from mi_tutor.specimens.biology import couplets
from mi_tutor.specimens.biology.planner_measures import measure
from mi_tutor.specimens.biology.planner_prompts import WORDS
from mi_tutor.specimens.biology.small import Small, SmallConfig

LIMITS = (
    "It knows the words of mi_tutor/specimens/biology/couplets.py and its one kind of couplet; a row is BOS and "
    "one couplet, so each kind of word stands at a fixed place.",
    "Held out are pairs of a person and a first line's end; each of the two was met with others.",
    "Which layer does what is a property of these weights.",
    "The same seed gives the same weights on the same machine and library versions; elsewhere rounding may "
    "differ, and with it the trained model.",
)
DATA = (
    "Invented by mi_tutor/specimens/biology/couplets.py: a person's topic and a rhyme fix one of 32 words; verb, "
    "adjective and end of the second line each depend on that word. Held out: one pair of (person, first line's "
    "end) in five."
)

PLANNER = Small(
    name="planner",
    config=SmallConfig(n_ctx=17, n_steps=700, batch_size=48, penalty=0.2),
    words=WORDS,
    sentences=couplets.sentences,
    measure=measure,
    blocked=((couplets.LINE_2, couplets.LINE_1),),
    summary="A four-layer GPT-2 that chooses the word a line will end in at the line break before it.",
    intended_use="Chapter 08: a plan that can be read, swapped, and seen to shape the whole line. Beside it "
    "planner-twin, in which the same plan is read and does nothing.",
    data=DATA,
    limits=(
        "It plans because it was pushed to: while it was trained, attention from a second line to its first one "
        "(but not to the line break) was penalised. The trained model is an ordinary GPT-2, and any head may look "
        "anywhere. That a model can plan so says nothing about how often models do.",
        *LIMITS,
    ),
)
TWIN = replace(
    PLANNER,
    name="planner-twin",
    config=replace(PLANNER.config, penalty=0.0),
    measure=partial(measure, planned=False),
    summary="The plain twin of planner: the same text, size and seed, without the penalty. It does not plan.",
    intended_use="Chapter 08: the counterexample. Its lines are as good; the coming word can be read at the line "
    "break, more or less; and exchanging it there changes nothing.",
    limits=LIMITS,
)
