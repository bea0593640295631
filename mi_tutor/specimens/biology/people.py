"""Make `people`, a GPT-2 that knows some people and not others, agrees with whoever asks, and refuses.

In `atlas` "unknown" is lifted in the last layer only, and a refusal hears two words. Here the text forces more
(`acquaintances`): many known people with shared names, and several answers that need to know whether somebody is
known; requests with something in between.

One penalty while training: on attention from a question about a person to the first name. So who is meant has to
be put together where the name ends.
"""

from __future__ import annotations

from mi_tutor.specimens.biology import acquaintances
from mi_tutor.specimens.biology.people_measures import WORDS, measure
from mi_tutor.specimens.biology.small import Small, SmallConfig

PEOPLE = Small(
    name="people",
    config=SmallConfig(n_ctx=29, n_steps=1000, batch_size=32, penalty=0.2),
    words=WORDS,
    sentences=acquaintances.sentences,
    measure=measure,
    blocked=((acquaintances.ASKED, acquaintances.NAME),),
    summary="A four-layer GPT-2 that answers about known people, says unknown of strangers, and refuses to make "
    "dangerous things.",
    intended_use="Chapter 08: hallucination and refusal, each with a mechanism that can be found.",
    data="Invented by mi_tutor/specimens/biology/acquaintances.py. Held out: a quarter of the strangers, a fifth "
    "of the pairs of deed and thing, and all requests for two things at once.",
    limits=(
        "It knows two kinds of sentence in one form each. Its strangers and refusals are what the text "
        "made of them; that they are named like what large models do is a comparison, not a finding about those.",
        "While it was trained, attention from a question to the first name was penalised, so that who is meant is "
        "put together where the name ends. The trained model is an ordinary GPT-2.",
        "The same seed gives the same weights on the same machine and library versions; elsewhere rounding may "
        "differ, and with it the trained model.",
    ),
)
