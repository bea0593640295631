"""Quick checks of chapter 03, in the order in which they are met. `reviews` asks each a second time."""

from mi_tutor.teach.exercise import Option, Quiz
from mi_tutor.teach.exercises.induction.reviews import REVIEWS


def _quiz(slug: str, question: str, *options: Option) -> Quiz:
    return Quiz(slug=slug, chapter="03", question=question, options=options, review=REVIEWS[slug])


QUIZZES = (
    _quiz(
        "paris-again",
        "“The city of Paris is in France. I love the city”. Which next word does an induction head raise?",
        Option(
            text="“of”",
            right=True,
            feedback="It finds the earlier “city”, looks one position further, and raises what stands there, whether or not that makes "
            "sense here. Other parts of the model may overrule it.",
        ),
        Option(
            text="“is”",
            feedback="That came after “Paris”. An induction head looks for the last word of the text, “city”, and at the token after it.",
        ),
        Option(
            text="“France”",
            feedback="That would be knowing what the sentence says. An induction head goes by the order of words, and “France” did not "
            "come right after “city”.",
        ),
        Option(
            text="“Paris”",
            feedback="A likely name for the city, one position too far: right after the earlier “city” stands another word.",
        ),
    ),
    _quiz(
        "first-word-of-the-copy",
        "BOS, then a block of four random words three times: A B C D A B C D A B C D. Which words of the THIRD block can induction predict?",
        Option(
            text="All four of the words",
            right=True,
            feedback="Before its first A stands D, and after an earlier D came A. In the second block it was otherwise: nothing had come "
            "after D so far, so nothing said that the text would start again. That is why we count from the second word of the "
            "second copy on.",
        ),
        Option(
            text="All but the first one",
            feedback="So it is in the SECOND block: nothing had come after D when it began. By now A has.",
        ),
        Option(
            text="All but the first two",
            feedback="One word is enough: at the A the earlier A is found, and B stands after it.",
        ),
        Option(
            text="Only the last one",
            feedback="It need not notice that a block is being repeated. It compares single words.",
        ),
    ),
    _quiz(
        "one-head-left-out",
        "Without the best-scoring induction head the loss on the second copy rises, and stays well below that of the first. Without all "
        "heads of its layer copying is gone. What follows for the layer?",
        Option(
            text="Several heads are needed, the best-scoring one among them",
            right=True,
            feedback="What is lost without one part is what the REST cannot make up for. That each of them copies does not follow: a head"
            " may be needed for something else (one of these is). The OV circuits below say who copies.",
        ),
        Option(
            text="One head alone is needed, and it is the best-scoring one",
            feedback="Then copying would be gone without it.",
        ),
        Option(
            text="Several heads are needed, but not the best-scoring one",
            feedback="Then nothing would be lost without it.",
        ),
        Option(
            text="No head is needed: the embeddings do it",
            feedback="They were there when copying was gone. And they see one position at a time.",
        ),
    ),
    _quiz(
        "untouched-but-blind",
        "Without the previous-token head of layer 0 the induction scores of layer 1 fall to nearly 0, though nobody touched those heads. Now "
        "put back what that head wrote, but shuffled between positions. What do the scores do?",
        Option(
            text="They stay near 0",
            right=True,
            feedback="Layer 1 matches on what each position says about the token before it, and shuffled it speaks of other positions. A score that "
            "collapses one layer up is a sign of composition.",
        ),
        Option(
            text="They come back in full",
            feedback="Then the heads would only miss something to read, whatever it says. It has to be true of its position.",
        ),
        Option(
            text="They come back halfway",
            feedback="A shuffled message is right at hardly any position.",
        ),
        Option(
            text="They move to layer 0",
            feedback="The heads of layer 0 read the embeddings, as before.",
        ),
    ),
    _quiz(
        "which-composition",
        "Induction: “the present token is A; find the position whose PREVIOUS token was A”. Through what must the previous-token head's "
        "output reach the induction head?",
        Option(
            text="Through its key",
            right=True,
            feedback="Position i offers “before me stood A” as its key, the query says “I am A”, and the two match. K-composition.",
        ),
        Option(
            text="Through its query",
            feedback="The query is the present token itself, A. What came before the present token is not asked for.",
        ),
        Option(
            text="Through its value",
            feedback="What gets copied is the token AT the position that was found, not the one before it.",
        ),
        Option(
            text="Through query and key",
            feedback="On the query's side it is the present token itself that is matched.",
        ),
    ),
    _quiz(
        "highest-score-no-effect",
        "Of a head of layer 0 and one of layer 1 you know their K-composition score, and what becomes of copying without the first. Which "
        "finding suggests that the first is needed by another way than the second one's keys?",
        Option(
            text="A score like random, and copying lost",
            right=True,
            feedback="Through queries, values, other heads: the ways are many, and this score looks at one. It is a lead; the ablation is evidence.",
        ),
        Option(
            text="A score far above random, and copying lost",
            feedback="That fits with the keys.",
        ),
        Option(
            text="A score far above random, and copying as before",
            feedback="Then it is not needed for copying at all.",
        ),
        Option(
            text="A score like random, and copying as before",
            feedback="Then it is not needed for copying at all.",
        ),
    ),
    _quiz(
        "one-layer-enough",
        "In a one-layer model with a hundred heads each key is mixed with the key of the position before it (“smeared keys”, Olsson et al. "
        "2022). You exchange the token at position 9. How many heads' keys at position 10 change?",
        Option(
            text="Nearly all of them",
            right=True,
            feedback="Now a key says which token came before, and in the paper such models of one layer did learn induction. Without the mixing no key "
            "would change, in however many heads.",
        ),
        Option(
            text="None of them",
            feedback="So it is without the mixing. Now the key of position 9 is part of it.",
        ),
        Option(
            text="Every second one",
            feedback="The mixing is in every head.",
        ),
        Option(
            text="One in a hundred",
            feedback="The mixing is in every head, not in one that looks back.",
        ),
    ),
    _quiz(
        "why-a-phase-change",
        "A loss was measured at steps 100, 200, 400, 800 and 1,600. Which course is the steadiest, with about the same fall at EVERY step?",
        Option(
            text="5.0, 4.7, 4.0, 2.8, 0.2",
            right=True,
            feedback="About 0.3 per hundred steps throughout. On a logarithmic axis it looks like a cliff at the end: look at the steps before you "
            "call something abrupt.",
        ),
        Option(
            text="5.0, 4.0, 3.0, 2.0, 1.0",
            feedback="The first 1.0 takes a hundred steps, the last one eight hundred.",
        ),
        Option(
            text="5.0, 3.6, 2.6, 1.9, 1.4",
            feedback="The first 1.4 takes a hundred steps, the last 0.5 eight hundred.",
        ),
        Option(
            text="5.0, 4.9, 4.8, 1.0, 0.9",
            feedback="Nearly all of the fall lies in one gap.",
        ),
    ),
    _quiz(
        "no-induction-yet",
        "Someone trains a two-layer model on 500 million tokens of ordinary text and finds no induction heads at all. What is the likeliest reason?",
        Option(
            text="Too short a training",
            right=True,
            feedback="Olsson et al. 2022 saw the change at roughly 2.5 to 5 billion tokens. It depends on data and settings: our little language, full "
            "of repetition, needs far fewer.",
        ),
        Option(
            text="Too few layers",
            feedback="Two are just enough: one to say what came before, one to match it and copy. You have taken such a model apart.",
        ),
        Option(
            text="Too little repetition",
            feedback="Names, phrases and code come again all the time. Ordinary text is where these heads were first found.",
        ),
        Option(
            text="Too strict a detector",
            feedback="Test it on a model that copies, then believe it. Untrained models have no such heads, so finding none is no sign of a broken "
            "score.",
        ),
    ),
    _quiz(
        "recap-circuit",
        "By the circuit that you found: BOS, a block, and the same block rotated, A B C D C D A B. Which word is raised at the SECOND C?",
        Option(
            text="D alone",
            right=True,
            feedback="In layer 0 each position is marked with the token before it. D after the first C has the mark “C was before me”; in layer 1 the "
            "second C finds it by that, and copies D.",
        ),
        Option(
            text="B alone",
            feedback="That is the word three positions back, where plain repetition would have the answer. The circuit goes by the token, not by the "
            "distance.",
        ),
        Option(
            text="C alone",
            feedback="C is what is matched. What is copied stands after the earlier C.",
        ),
        Option(
            text="A alone",
            feedback="After the first block plain repetition would begin again with A. Nothing in the circuit knows of blocks.",
        ),
    ),
)
