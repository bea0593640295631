"""The quick checks of chapter 00 in other words or with other numbers, for review: slug -> wording."""

from mi_tutor.teach.exercise import Option, Wording


def _ask(question: str, *options: Option) -> Wording:
    return Wording(question=question, options=options)


REVIEWS = {
    "read-a-shape": _ask(
        "`z` holds what heads gathered, with axes `[batch pos head d_head]`. You write `z[:, 0, 3]`. What do you get?",
        Option(
            text="Head 3 of every prompt at position 0, with axes `[batch d_head]`",
            right=True,
            feedback="The colon keeps the prompts, the 0 picks from the second axis and the 3 from the third.",
        ),
        Option(
            text="Head 3 of prompt 0 at every position, with axes `[pos d_head]`",
            feedback="That would be `z[0, :, 3]`. Here the 0 stands where the position is.",
        ),
        Option(
            text="Position 3 of prompt 0 for every head, with axes `[head d_head]`",
            feedback="That would be `z[0, 3]`: batch is the first axis, and here a colon stands for it.",
        ),
        Option(
            text="Number 3 of every head in prompt 0, with axes `[pos head]`",
            feedback="That would be `z[0, ..., 3]`: d_head is the last axis.",
        ),
    ),
    "channel": _ask(
        "In a model of two blocks you take away what block 0's attention adds. What its MLP adds you hold at the value that it had in the "
        "intact run. What is the stream made of that block 1 reads?",
        Option(
            text="Of the embeddings, and of what block 0's MLP wrote before",
            right=True,
            feedback="One term of the sum is gone, one was held, and one was never touched.",
        ),
        Option(
            text="Of the embeddings, and of what block 0's MLP writes now",
            feedback="So it would be if the MLP were left to work with what it finds: a stream without attention's part.",
        ),
        Option(
            text="Of the embeddings, and of nothing that block 0 writes",
            feedback="Attention and MLP each add a term of their own, and the MLP's is still there.",
        ),
        Option(
            text="Of what block 0's MLP wrote before, and of nothing else",
            feedback="Nothing replaces anything here. The embeddings were written first, and are in the sum to the end.",
        ),
    ),
    "attention-is-not-importance": _ask(
        "Head A looks at the answer's name with weight 0.9, head B at a comma with weight 0.9. Without A the answer's logit falls by 0.1, "
        "without B by 4. What do you look at next?",
        Option(
            text="What earlier layers wrote at the comma",
            right=True,
            feedback="The answer depends on B, and B reads the stream there: a position holds more than its token (QK and OV, chapter 03).",
        ),
        Option(
            text="What the comma's embedding says by itself",
            feedback="It is the same in every text. If B's answer depends on the text, B must find something else there.",
        ),
        Option(
            text="What head A writes at the last position",
            feedback="Where A looks is suggestive, but the answer hardly misses it.",
        ),
        Option(
            text="What earlier layers wrote at the name",
            feedback="Head A would read that, and the answer hardly misses head A.",
        ),
    ),
    "what-an-ablation-shows": _ask(
        "Without head 2 of layer 0 the model names John, who gives the drink, in place of Mary, who gets it. What does that say about the "
        "head, on this prompt?",
        Option(
            text="It is needed to tell the giver from the receiver",
            right=True,
            feedback="Both people still come up, in the wrong roles. How it helps, an ablation does not say.",
        ),
        Option(
            text="It is needed to bring up the people of the story",
            feedback="John is one of the people of the story, so they are still brought up.",
        ),
        Option(
            text="It is needed to know that a name comes next",
            feedback="A name does come next. It is the wrong one of the two.",
        ),
        Option(
            text="It is not needed: the answer is still a name",
            feedback="One of two names is what a coin gives. Which of the two is due, the model no longer knows.",
        ),
    ),
}
