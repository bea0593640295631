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
)
