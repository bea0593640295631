"""The quick checks of chapter 03 in other words or with other numbers, for review: slug -> wording."""

from mi_tutor.teach.exercise import Option, Wording


def _ask(question: str, *options: Option) -> Wording:
    return Wording(question=question, options=options)


REVIEWS = {
    "paris-again": _ask(
        "“Tom met Ann. Then Ann saw Bob. Now Tom”. Which next word does an induction head raise?",
        Option(
            text="“met”",
            right=True,
            feedback="The earlier “Tom”, one position further: “met”.",
        ),
        Option(
            text="“saw”",
            feedback="The last verb followed “Ann”. The present word is “Tom”, and the head goes by what followed “Tom”.",
        ),
        Option(
            text="“Ann”",
            feedback="A link between persons is more than the order of words. “Ann” did not come right after “Tom”.",
        ),
        Option(
            text="“Tom”",
            feedback="That is the token that was found. What is raised stands after it.",
        ),
    ),
    "first-word-of-the-copy": _ask(
        "BOS, then twice a block of four words in which one comes twice: A A B C A A B C. For which words of the second block does "
        "induction by the one word before leave a single candidate, and the right one?",
        Option(
            text="Only the last one",
            right=True,
            feedback="Before C stands B, which had C after it and nothing else. After A came A once and B once, so one word of memory "
            "does not decide; and nothing had come after C.",
        ),
        Option(
            text="All but the first one",
            feedback="So it is with four different words. Here A has had two followers.",
        ),
        Option(
            text="All but the first two",
            feedback="Before B stands A, and after A came A as well as B.",
        ),
        Option(
            text="All four of the words",
            feedback="The first A of the second block comes after C, and nothing has come after C so far.",
        ),
    ),
    "one-head-left-out": _ask(
        "In another model, taking out the best-scoring induction head makes the second copy as bad as the first. Taking out all others of"
        " its layer changes nothing. What follows for the layer?",
        Option(
            text="One head alone is needed, and it is the best-scoring one",
            right=True,
            feedback="Nothing is lost without the others, all without it. In such a model a single ablation tells the whole story of the "
            "layer, and you know it only because you took the others out as well.",
        ),
        Option(
            text="Several heads are needed, the best-scoring one among them",
            feedback="Then something would be lost without the others.",
        ),
        Option(
            text="Several heads are needed, but not the best-scoring one",
            feedback="Without it copying is gone.",
        ),
        Option(
            text="No head is needed: the embeddings do it",
            feedback="They are there without the head as well, and copying is gone.",
        ),
    ),
    "untouched-but-blind": _ask(
        "The previous-token head is out, and the induction scores of layer 1 are near 0. Now let layer 1's KEYS be made with what that head "
        "writes, in the right places; queries and values go without. What do the scores do?",
        Option(
            text="They come back in full",
            right=True,
            feedback="The scores say where the heads look. For that it is the keys that have to know which token came before.",
        ),
        Option(
            text="They stay near 0",
            feedback="Then the keys would not be the way. You cut each way by itself.",
        ),
        Option(
            text="They come back halfway",
            feedback="Queries do not need it: they are made of the present token.",
        ),
        Option(
            text="They move to layer 0",
            feedback="Layer 0 comes before all this. Nothing has changed there.",
        ),
    ),
    "which-composition": _ask(
        "Another rule: “the token before the present one was A; find a position that HOLDS A”. Through what must the previous-token head's "
        "output reach the later head?",
        Option(
            text="Through its query",
            right=True,
            feedback="The query says “before me stood A”, and keys say what they hold themselves. Q-composition.",
        ),
        Option(
            text="Through its key",
            feedback="Here keys offer the token that stands there. What came before is on the asking side.",
        ),
        Option(
            text="Through its value",
            feedback="What is moved is another question. The rule says how the place is found.",
        ),
        Option(
            text="Through query and key",
            feedback="The position that is looked for HOLDS A. What stands before it does not matter.",
        ),
    ),
    "highest-score-no-effect": _ask(
        "Of a head of layer 0 and one of layer 1 you know their K-composition score, and what becomes of copying without the first. Which "
        "finding shows that two heads can be connected in the weights without copying going that way?",
        Option(
            text="A score far above random, and copying as before",
            right=True,
            feedback="The score says how far two heads' directions meet, each direction counted alike, used or not. It is a lead; the ablation is "
            "evidence.",
        ),
        Option(
            text="A score far above random, and copying lost",
            feedback="Connected, and needed: copying may well go that way.",
        ),
        Option(
            text="A score like random, and copying lost",
            feedback="That is a head which is needed, by another way than the keys. Ask for a connection that is not used.",
        ),
        Option(
            text="A score like random, and copying as before",
            feedback="Not connected there, and not needed.",
        ),
    ),
    "one-layer-enough": _ask(
        "A one-layer model has a hundred heads. You exchange the token at position 9. How many heads' keys at position 10 change?",
        Option(
            text="None of them",
            right=True,
            feedback="A key there is made of its own token and place. So no number of heads makes an induction head: none could find a position by "
            "what came before it. (That all TOGETHER cannot either, unless the layer is enormous, has been proved: see Further reading.)",
        ),
        Option(
            text="Every second one",
            feedback="Weights do not matter here: nothing has written about position 9 to position 10 yet.",
        ),
        Option(
            text="Nearly all of them",
            feedback="So it is in a second layer. In the first, nothing has moved between positions yet.",
        ),
        Option(
            text="One in a hundred",
            feedback="A previous-token head looks back, and writes AFTER keys were made.",
        ),
    ),
    "why-a-phase-change": _ask(
        "A loss was measured at steps 100, 200, 400, 800 and 1,600. Which course looks most like a phase change?",
        Option(
            text="5.0, 4.9, 4.8, 1.0, 0.9",
            right=True,
            feedback="The gap from 400 to 800 has a quarter of the steps and nine tenths of the fall. If a head's score rises in the same gap, so much "
            "the better.",
        ),
        Option(
            text="5.0, 4.7, 4.0, 2.8, 0.2",
            feedback="The last gap has more than half of the fall, and more than half of the steps: the same fall at every step.",
        ),
        Option(
            text="5.0, 4.0, 3.0, 2.0, 1.0",
            feedback="The same fall at each doubling: steep at first, then ever slower, and no gap stands out.",
        ),
        Option(
            text="5.0, 3.6, 2.6, 1.9, 1.4",
            feedback="Each time to about 0.72 of what it was. No gap stands out.",
        ),
    ),
    "no-induction-yet": _ask(
        "Someone trains a ONE-layer model on 50 billion tokens of ordinary text and finds no induction heads at all. What is the likeliest reason?",
        Option(
            text="Too few layers",
            right=True,
            feedback="A key has to say which token came before it. Something has to write that down first, and that takes a layer.",
        ),
        Option(
            text="Too short a training",
            feedback="With two layers it came after a few billion tokens. With one, no length of training gives keys what they lack.",
        ),
        Option(
            text="Too little repetition",
            feedback="Models of two layers learn it from just such text.",
        ),
        Option(
            text="Too strict a detector",
            feedback="There is nothing for it to find.",
        ),
    ),
    "recap-circuit": _ask(
        "By the circuit that you found: a text goes “… A B … A C … A”, and all other words are different ones. Which words are raised next?",
        Option(
            text="B and C",
            right=True,
            feedback="Layer 0 marked both with “A was before me”. In layer 1 the last A finds the mark twice, and copies from both places.",
        ),
        Option(
            text="C alone",
            feedback="The later one is not the only one with the mark: B's position says “A was before me” just as well.",
        ),
        Option(
            text="B alone",
            feedback="The earlier one is not the only one with the mark. Nothing in the circuit looks for the first.",
        ),
        Option(
            text="A alone",
            feedback="A is what is matched. What is copied stands at the marked places.",
        ),
    ),
}
