"""Quick checks of chapter 00, in the order in which they are met."""

from mi_tutor.teach.exercise import Option, Quiz


def _quiz(slug: str, question: str, *options: Option) -> Quiz:
    return Quiz(slug=slug, chapter="00", question=question, options=options)


QUIZZES = (
    _quiz(
        "read-a-shape",
        "`hook_z` holds a tensor of shape `[batch pos head d_head]`. You write `z[:, :, 2]`. What have you got?",
        Option(
            text="Head 2, at every position of every prompt: `[batch pos d_head]`.",
            right=True,
            feedback="Two colons keep the first two axes, the 2 picks from the third, and d_head is left.",
        ),
        Option(
            text="Position 2 of every head: `[batch head d_head]`.",
            feedback="That would be `z[:, 2]`: position is the second axis.",
        ),
        Option(
            text="Coordinate 2 of every head: `[batch pos head]`.",
            feedback="That would be `z[..., 2]`: d_head is the last axis.",
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
        "A head puts an attention weight of 1.00 on a comma, and taking it out hardly changes the answer. How can that be?",
        Option(
            text="The attention weight was computed wrongly: a weight of 1.00 means that everything depends on it.",
            feedback="The weight is right: the head really reads only there. The question is what it does with what it reads.",
        ),
        Option(
            text="The comma is not a real word, so models ignore it.",
            feedback="To the model it is a token like any other; many models even use such tokens as a place to rest.",
        ),
        Option(
            text="The weight says where the head reads from. What it writes, and whether anybody uses that, is another matter.",
            right=True,
            feedback="Where a head looks and what its output does are two different circuits (QK and OV; chapter 03). A head with "
            "nothing to do often rests on one token.",
        ),
    ),
    _quiz(
        "what-an-ablation-shows",
        "Without head 0 of layer 1 the model says “Emma” in place of “Mary”. What follows?",
        Option(
            text="That head stores the name Mary.",
            feedback="Then it would say Mary in every story. Try the same head with other names: it finds whichever name is due.",
        ),
        Option(
            text="That head is needed here for choosing the right name; that a name comes next is settled elsewhere.",
            right=True,
            feedback="The model still wants a name, it only no longer knows which. An ablation tells you what a component was needed "
            "for, on the prompts you tried.",
        ),
        Option(
            text="All other heads are irrelevant for this sentence.",
            feedback="Each was tested alone. Others can matter together, or stand in for one another (chapter 04).",
        ),
    ),
)
