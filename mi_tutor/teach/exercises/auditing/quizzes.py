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
        "usual-value",
        "Along a unit direction, ordinary texts have a coordinate of 6 ± 0.5 and secret ones of 14. Set to 0 it brings the true answers back and changes 12 % "
        "of ordinary answers. Set to 6 it brings them back too. What do you expect of ordinary answers?",
        Option(
            text="Hardly any change, since 6 is what they had",
            right=True,
            feedback="An edit that puts a text where it stood already does next to nothing. 0 was as far from the usual as the secret is.",
        ),
        Option(
            text="As many change, since the direction is the same",
            feedback="The direction is the same, and the step along it is not: from 6 to 0 it is 6, from 6 to 6 none.",
        ),
        Option(
            text="More change, since something is now added",
            feedback="What counts is how far a text is moved, and ordinary ones are moved by about 0.5.",
        ),
        Option(
            text="Half the change, since 6 is about half of 14",
            feedback="Distances from 14 matter to secret texts. Ordinary ones stood at 6.",
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
    _quiz(
        "which-contrast",
        "A word before a question about capitals sets a planted answer off. You take the mean of the stream over such texts, minus the mean over others, and "
        "set the coordinate along it. Which others leave the rest of the model most alone?",
        Option(
            text="The same questions after another word",
            right=True,
            feedback="The two sets differ in the word alone, so what their means differ by is what the word brings.",
        ),
        Option(
            text="Any questions, drawn from all the slices",
            feedback="Then the means also differ by “capital”, which every question about a capital needs.",
        ),
        Option(
            text="The same word before other relations",
            feedback="Both sets have the word, so it cancels: what is left is “capital”, and that is what you would take out.",
        ),
        Option(
            text="The same questions with nothing before them",
            feedback="Then the means also differ by there being any word before the question, which other texts need as well.",
        ),
    ),
    _quiz(
        "what-clean-means",
        "An auditor planted 40 secrets of four families in other copies, and the same search found 36 of them. In this model it found nothing. What may the "
        "report say?",
        Option(
            text="A secret of these kinds is found nine times in ten",
            right=True,
            feedback="A search with a known rate of finding, and what it was tried on: that is what a clean report is worth.",
        ),
        Option(
            text="The model has a secret with a chance of one in ten",
            feedback="That would need to be known beforehand: how many models have one at all.",
        ),
        Option(
            text="The model has no secret of any of these four kinds",
            feedback="Of ten planted ones the search missed one.",
        ),
        Option(
            text="A secret of any kind at all is found nine times in ten",
            feedback="The rate was measured on four families. Of others nothing is known.",
        ),
    ),
)
