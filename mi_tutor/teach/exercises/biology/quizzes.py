"""Quick checks of chapter 08, in the order in which they are met. `reviews` asks each a second time."""

from mi_tutor.teach.exercise import Option, Quiz
from mi_tutor.teach.exercises.biology.reviews import REVIEWS


def _quiz(slug: str, question: str, *options: Option) -> Quiz:
    return Quiz(slug=slug, chapter="08", question=question, options=options, review=REVIEWS[slug])


QUIZZES = (
    _quiz(
        "what-makes-a-plan",
        "At the line break of a couplet a probe reads the coming rhyme word at 97 %. The word is exchanged there in 200 lines: the verb changes in "
        "0 of them, the line's last word in 0. What does the model use at the line break?",
        Option(
            text="Neither the word nor the verb",
            right=True,
            feedback="What was put in had no effect on anything that follows, so nothing that follows takes it from there. It is readable, and a "
            "leftover.",
        ),
        Option(
            text="The word and not the verb",
            feedback="Then the last word would have changed.",
        ),
        Option(
            text="The word, in 97 % of lines",
            feedback="97 % is how often it can be read. Reading says that it is there, not that it is used.",
        ),
        Option(
            text="Neither, but only at its end",
            feedback="At the end of the line nothing changed either.",
        ),
    ),
    _quiz(
        "seventy-per-cent",
        "Lindsey et al. 2025 put another planned word in at the line break of 25 poems; in 70 % of cases the line ended in it. Which claim "
        "about Claude 3.5 Haiku does this support?",
        Option(
            text="In these poems the word is often chosen before its line",
            right=True,
            feedback="Put in before the line, it decides the end of most of them: that is what was shown. In 30 % it did not, and other texts "
            "were not asked.",
        ),
        Option(
            text="In 70 % of all poems the word is chosen before its line",
            feedback="The 70 % are of injections into 25 poems. How often it plans by itself is another count.",
        ),
        Option(
            text="In these poems the model knows that it makes a plan",
            feedback="Nothing here asked what the model can say of itself. A plan is a state that decides what comes later.",
        ),
        Option(
            text="In 30 % of these poems the word is chosen at the end",
            feedback="An injection can also fail because it was too weak, or in the wrong place.",
        ),
    ),
    _quiz(
        "default-or-feature",
        "A model says “unknown” of strangers. Added before the last layer, the direction from strangers to known people changes 4 % of "
        "strangers' answers; added after it, 95 %. Before the last layer no probe tells held-out known people from strangers. What "
        "is found?",
        Option(
            text="A default that only the last layer lifts",
            right=True,
            feedback="Until then nothing says “known” that could be read or added. Whatever lifts the default does it in one step, at the "
            "very end.",
        ),
        Option(
            text="A “known” feature that the last layer reads",
            feedback="Then a probe before the last layer would find it, and adding it there would work.",
        ),
        Option(
            text="A “stranger” feature that the last layer reads",
            feedback="A probe for strangers is the same probe backwards. Before the last layer it found neither.",
        ),
        Option(
            text="A default that no layer before the end lifts or sets",
            feedback="That nothing LIFTS it earlier is shown. Where it is set was not asked here.",
        ),
    ),
    _quiz(
        "whose-opinion",
        "A reply agrees with “I hate jazz” in 100 % of cases. Asked about jazz after the user said “I hate soup”, it is “hate” in 100 %, too. "
        "What did the first number show?",
        Option(
            text="That the word is copied",
            right=True,
            feedback="The same word comes whatever it was said of. Agreement was one of the cases in which copying looks like it.",
        ),
        Option(
            text="That the user is flattered",
            feedback="To flatter, a reply has to depend on what the user thinks of THIS. It does not.",
        ),
        Option(
            text="That the topic is disliked",
            feedback="Of itself it may like jazz; the second number has “hate” whatever it thinks.",
        ),
        Option(
            text="That the topic is looked up",
            feedback="Looked up, the topic would have made a difference between jazz and soup.",
        ),
    ),
    _quiz(
        "which-route",
        "A request with a harmful deed is refused. The stream is exchanged for a harmless request's: at the deed before layer 2 the refusal "
        "turns in 100 %, at the reply's place before layer 3 in 71 %. At the reply's place before layer 2 in 0 %. When does the deed "
        "reach the reply's place?",
        Option(
            text="In layer 2, for most of it",
            right=True,
            feedback="Before layer 2 nothing of it is there, after layer 2 (so before layer 3) 71 % turn there. The rest comes later.",
        ),
        Option(
            text="In layer 3, for most of it",
            feedback="Before layer 3 it is there already in 71 %: it was moved by the layer before.",
        ),
        Option(
            text="In layer 2, for all of it",
            feedback="29 % do not turn when the reply's place is exchanged before layer 3, so something comes later.",
        ),
        Option(
            text="In layer 1, for most of it",
            feedback="Moved by layer 1, it would be there before layer 2. There 0 % turn.",
        ),
    ),
)
