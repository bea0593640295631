"""Quick checks of chapter 00, in the order in which they are met."""

from mi_tutor.teach.exercise import Option, Quiz


def _quiz(slug: str, question: str, *options: Option) -> Quiz:
    return Quiz(slug=slug, chapter="00", question=question, options=options)


QUIZZES = (
    _quiz(
        "read-a-shape",
        "`x` holds activations with axes `[batch pos d_model]`. You write `x[:, 2]`. What do you get?",
        Option(
            text="The activations at position 2 of every prompt: `[batch d_model]`.",
            right=True,
            feedback="The colon keeps the batch, the 2 picks from the second axis, and d_model is left.",
        ),
        Option(
            text="Prompt 2, at every position: `[pos d_model]`.",
            feedback="That would be `x[2]`: batch is the first axis.",
        ),
        Option(
            text="Number 2 of every activation: `[batch pos]`.",
            feedback="That would be `x[..., 2]`: d_model is the last axis.",
        ),
    ),
    _quiz(
        "channel",
        "Block 1 needs something that block 0 found out. How does it get there?",
        Option(
            text="Block 0 hands its output to block 1, which replaces it by its own.",
            feedback="Nothing is replaced: you have just rebuilt the final stream as a SUM of everything that was written. What block 0 "
            "wrote is still in there.",
        ),
        Option(
            text="Block 0 adds it to the residual stream, and block 1 reads the stream.",
            right=True,
            feedback="The stream is a shared channel: every component reads all of it and adds to it. That is why a component can be taken "
            "out and the rest still makes sense.",
        ),
        Option(
            text="Through the attention pattern, which connects layers.",
            feedback="Attention moves information between positions, within one layer. Between layers everything goes through the stream.",
        ),
    ),
    _quiz(
        "attention-is-not-importance",
        "One head looks at “Mary” more than any other, and taking it out leaves the answer standing. Another head looks only at "
        "“went”, and without it the answer is lost. How can that be?",
        Option(
            text="The attention weights must be wrong: a head that never looks at “Mary” cannot bring her up.",
            feedback="The weights are right. But what a head finds at “went” is not the word: it is the residual stream there, and layer 0 "
            "has already written to it.",
        ),
        Option(
            text="The first head is broken; a working head that looks at the answer would decide it.",
            feedback="It works, and it helps somewhat. Looking at the answer is neither needed nor enough.",
        ),
        Option(
            text="A weight says from which position a head reads. What the stream holds there, and what the head writes, are other "
            "questions.",
            right=True,
            feedback="By layer 1 the stream at “went” holds more than “went”: earlier attention has left word of both people there. Where a "
            "head looks and what its output does are two circuits (QK and OV; chapter 03).",
        ),
    ),
    _quiz(
        "what-an-ablation-shows",
        "Without head 0 of layer 1 the model names somebody who is not in the story. What follows?",
        Option(
            text="That head stores the name Mary.",
            feedback="Then it would say Mary in every story. Try it with other names: it brings up whoever is in the story.",
        ),
        Option(
            text="That head is needed here to bring up the people of the story; that a name comes next, the model knows without it.",
            right=True,
            feedback="The model still wants a name and no longer knows whose. An ablation tells what a component was needed for, on the "
            "prompts you tried.",
        ),
        Option(
            text="All other heads are irrelevant for this sentence.",
            feedback="Look at the table again: without head 2 of layer 0 the model names the giver. And heads can stand in for one another, "
            "which taking out one at a time never shows (chapter 04).",
        ),
    ),
)
