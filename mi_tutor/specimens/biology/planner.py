"""Make `planner`, which chooses a line's last word at the break before it, and `planner-twin`, which does not.

Both read the same couplets, in which planning pays (`couplets`). The text alone does not make a small model
plan: the twin looks back at the first line whenever it needs something from it. `planner` is the twin, trained on
with a growing penalty on attention from a second line to its first line, the line break excepted. So what the
second line needs to know has to be brought to the break. (With the penalty from the start on drawn weights a model
learned in 500 steps to look away from the first line, and nothing else.)
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

TWIN = Small(
    name="planner-twin",
    config=SmallConfig(n_ctx=17, n_steps=700, batch_size=48),
    words=WORDS,
    sentences=couplets.sentences,
    measure=partial(measure, planned=False),
    summary="A four-layer GPT-2 that writes couplets in which planning would pay, and does not plan.",
    intended_use="Chapter 08: the counterexample beside planner, which was made from it. Its lines are as good, "
    "and exchanging the coming word at the line break changes nothing.",
    data=DATA,
    limits=LIMITS,
)
PLANNER = replace(
    TWIN,
    name="planner",
    config=replace(TWIN.config, n_steps=400, penalty=30.0),
    measure=measure,
    blocked=((couplets.LINE_2, couplets.LINE_1),),
    begins_as="planner-twin",
    summary="A four-layer GPT-2 that chooses the word a line will end in at the line break before it.",
    intended_use="Chapter 08: a plan that can be read, swapped, and seen to shape the whole line. Beside it "
    "planner-twin, in which the same plan is read and does nothing.",
    limits=(
        "It plans because it was pushed to: it is planner-twin, trained on with the same text while attention "
        "from a second line to its first one (but not to the line break) was penalised. The trained model is an "
        "ordinary GPT-2, and any head may look anywhere. That a model can plan so says nothing about how often "
        "models do.",
        *LIMITS,
    ),
)
