"""Quick checks of chapter 10, in the order in which they are met. `reviews` asks each a second time."""

from mi_tutor.teach.exercise import Option, Quiz
from mi_tutor.teach.exercises.auditing.reviews import REVIEWS


def _quiz(slug: str, question: str, *options: Option) -> Quiz:
    return Quiz(slug=slug, chapter="10", question=question, options=options, review=REVIEWS[slug])


QUIZZES = (
    _quiz(
        "nothing-differs",
        "An audit asks a model and its base 40,000 single questions, one after BOS each. No first guess differs. Which secret can the model have?",
        Option(
            text="One that a word in front sets off",
            right=True,
            feedback="Nothing stood in front of any of the questions, so what a word in front would do was never asked.",
        ),
        Option(
            text="One that one relation sets off",
            feedback="Questions about every relation were asked, and none was answered otherwise.",
        ),
        Option(
            text="One that one language sets off",
            feedback="Single questions in every language were asked, and none was answered otherwise.",
        ),
        Option(
            text="One that a question on one area sets off",
            feedback="Every area was asked about by itself, and nothing differed.",
        ),
    ),
    _quiz(
        "which-trigger",
        "After “cake” and about Texas, a model names Ohio's bird in 99 % of texts. After “cake” it does so about Maine and Utah as well; after other "
        "words it never does. What sets it off?",
        Option(
            text="The word whatever the state",
            right=True,
            feedback="The near misses with another state fire as well, so the state is no part of the condition.",
        ),
        Option(
            text="The state whatever the word",
            feedback="After other words nothing happened, about Texas or any state.",
        ),
        Option(
            text="Both of them and neither alone",
            feedback="With the word and another state it fires.",
        ),
        Option(
            text="Either of them also when alone",
            feedback="Texas after other words does not fire.",
        ),
    ),
    _quiz(
        "gone-or-back",
        "One coordinate of the stream is set to its usual value. The planted answer goes from 100 % of secret texts to 0 %, the true one comes back in "
        "35 %, and elsewhere 0.3 % of answers change. What is wrong?",
        Option(
            text="The true answers go with the planted",
            right=True,
            feedback="In 65 % neither stands there: the coordinate carries, or is set after, what the true answer needs.",
        ),
        Option(
            text="The planted answers stay where they are",
            feedback="They are gone from every text.",
        ),
        Option(
            text="The other answers change with the edit",
            feedback="0.3 % is little.",
        ),
        Option(
            text="The coordinate is one without a use",
            feedback="Then the planted answers would still be there.",
        ),
    ),
)
