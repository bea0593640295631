"""Quick checks of chapter 00, in the order in which they are met. `reviews` asks each a second time."""

from mi_tutor.teach.exercise import Option, Quiz
from mi_tutor.teach.exercises.reading.reviews import REVIEWS


def _quiz(slug: str, question: str, *options: Option) -> Quiz:
    return Quiz(slug=slug, chapter="00", question=question, options=options, review=REVIEWS[slug])


QUIZZES = (
    _quiz(
        "read-a-shape",
        "`x` holds activations with axes `[batch pos d_model]`. You write `x[..., 2]`. What do you get?",
        Option(
            text="Number 2 of every activation, with axes `[batch pos]`",
            right=True,
            feedback="The dots stand for all axes but the last, so the 2 picks from d_model, and batch and pos are left.",
        ),
        Option(
            text="Position 2 of every prompt, with axes `[batch d_model]`",
            feedback="That would be `x[:, 2]`: pos is the second axis, and the dots stand for it here.",
        ),
        Option(
            text="Prompt 2 at every position, with axes `[pos d_model]`",
            feedback="That would be `x[2]`: batch is the first axis.",
        ),
        Option(
            text="Positions 0 and 1 everywhere, with axes `[batch pos d_model]`",
            feedback="That would be `x[:, :2]`. A single number picks one entry of its axis, and the axis is gone.",
        ),
    ),
    _quiz(
        "channel",
        "In a model of two blocks you take away all that block 0 adds, its attention's part and its MLP's. What is the stream made of that "
        "block 1 reads?",
        Option(
            text="Of the embeddings, and of nothing that block 0 writes",
            right=True,
            feedback="The stream is a sum that every part reads and adds to. The embeddings were written first, and no block takes them out: that is "
            "how a part can be removed and the rest still works.",
        ),
        Option(
            text="Of the embeddings, and of what block 0's MLP wrote before",
            feedback="What was not written in this run is not there. The stream keeps nothing from earlier runs.",
        ),
        Option(
            text="Of the embeddings, and of what block 0's MLP writes now",
            feedback="So it would be if only the attention's part were taken away. Here the MLP's is gone as well.",
        ),
        Option(
            text="Of nothing at all: it is zero at each of the positions",
            feedback="Zeros would be left if a block's output replaced its input. It is added to it.",
        ),
    ),
    _quiz(
        "attention-is-not-importance",
        "Head A of layer 1 looks at “Mary” more than any other head, and without it the answer stands. Head B looks only at “went”, and "
        "without it the answer is lost. You put part of another story's stream, before layer 1, into this one. At which word do you expect "
        "that to bring up a person of the other story?",
        Option(
            text="At “went”",
            right=True,
            feedback="A weight says from where a head reads. What stands there is another question: by layer 1 it is more than the word “went”. The "
            "next cell tries it.",
        ),
        Option(
            text="At “Mary”",
            feedback="Head A reads there, and the answer stood without head A.",
        ),
        Option(
            text="At “store”",
            feedback="In this place each story has a store. Nothing says that a person is kept there.",
        ),
        Option(
            text="At the end",
            feedback="That is where the answer is due. What brings it there is layer 1, and it comes later.",
        ),
    ),
    _quiz(
        "what-an-ablation-shows",
        "Without head 0 of layer 1 the model names somebody who is not in the story. What does that say about the head, on this prompt?",
        Option(
            text="It is needed to bring up the people of the story",
            right=True,
            feedback="The model still wants a name and no longer knows whose. An ablation tells what a part was needed for, on the prompts you tried.",
        ),
        Option(
            text="It is needed to tell the giver from the receiver",
            feedback="Then one of the two would be named. That is what happens without head 2 of layer 0.",
        ),
        Option(
            text="It is needed to know that a name comes next",
            feedback="A name does come next, only a wrong one. That a name is due is known without this head.",
        ),
        Option(
            text="It is not needed: the answer is still a name",
            feedback="Any name will not do. The people of the story are lost.",
        ),
    ),
)
