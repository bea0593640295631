"""The quick checks of chapter 06 in other words or with other numbers, for review: slug -> wording."""

from mi_tutor.teach.exercise import Option, Wording


def _ask(question: str, *options: Option) -> Wording:
    return Wording(question=question, options=options)


REVIEWS = {
    "one-latent-or-many": _ask(
        "The MLP of layer 1 finds “Texas”, the MLP of layer 3 makes “Austin” of it, and nothing amplifies either. How many latents does that take at least, in a "
        "cross-layer transcoder and with one transcoder per layer?",
        Option(
            text="2 and 2",
            right=True,
            feedback="Two steps are two latents in both. Cross-layer latents shorten a path by what repeats itself, not by what is computed.",
        ),
        Option(
            text="1 and 2",
            feedback="“Austin” can be made only once “Texas” can be read: it is another step, with an encoder of its own.",
        ),
        Option(
            text="2 and 1",
            feedback="A per-layer latent explains what one MLP writes. Here two of them write.",
        ),
        Option(
            text="1 and 1",
            feedback="Then both would be read from the same place at the same layer.",
        ),
    ),
    "twice-as-much": _ask(
        "In the MODEL, with nothing frozen, you double what one latent writes. It is a large part of the stream, and no pattern changes. What becomes of what it "
        "gives to a later latent's pre-activation?",
        Option(
            text="It is a little less than that",
            right=True,
            feedback="Less than doubled: LayerNorm divides by the size of the stream, which has grown. A graph with frozen denominators says doubled; so large changes "
            "are where it goes wrong.",
        ),
        Option(
            text="It is exactly doubled",
            feedback="It would be, if the denominators did not follow.",
        ),
        Option(
            text="It does not change at all",
            feedback="It would not if the latent were ALL of the stream: then LayerNorm takes its size away.",
        ),
        Option(
            text="It is more than doubled",
            feedback="With more in the stream LayerNorm divides by more, not by less.",
        ),
    ),
    "where-does-it-show": _ask(
        "An MLP writes a direction that its dictionary has no latent for. A later latent reads it. Where does the graph show this?",
        Option(
            text="In the edges of errors",
            right=True,
            feedback="What was left out is an error node, one vector per layer and position. The graph knows how much it gives, and not what it is.",
        ),
        Option(
            text="In none of its edges",
            feedback="Then what latents give would not add up to pre-activations, and the model's logits would not come out.",
        ),
        Option(
            text="In the edges of the head",
            feedback="A head is no node, and this was an MLP.",
        ),
        Option(
            text="In the edges of embeddings",
            feedback="Only what MLPs write at BOS is counted with an embedding.",
        ),
    ),
    "a-chain": _ask(
        "A graph is a single chain: word, five latents, logit. Errors give a tenth of the input of each of the five and of the logit. What is its replacement score?",
        Option(
            text="About .53",
            right=True,
            feedback=".9 to the power of 6: the path has to get through six nodes and loses a tenth at each. Its completeness is .92.",
        ),
        Option(
            text="About .92",
            feedback="That is its completeness: an average over nodes of what each knows of its direct input.",
        ),
        Option(
            text="About .90",
            feedback="That is what one node knows of its input.",
        ),
        Option(
            text="About .40",
            feedback="Six times a tenth is lost, but of what is left each time.",
        ),
    ),
    "beside-its-floor": _ask(
        "A graph has a replacement score of .91. With shuffled decoders it is .37, with no dictionary at all .03. Of the way from the shuffled floor to 1, how much has "
        "the dictionary gone?",
        Option(
            text="Six sevenths, as .54 of .63",
            right=True,
            feedback="(.91 - .37) / (1 - .37). A floor turns a score into a statement about the dictionary.",
        ),
        Option(
            text="Nine tenths, as .91 by itself",
            feedback="That measures from 0, which no dictionary gets, not even a shuffled one.",
        ),
        Option(
            text="A good half, as .91 less .37",
            feedback="That is how far it has gone, not of how much.",
        ),
        Option(
            text="A third, as .37 of 1",
            feedback="That is where the shuffled one stands.",
        ),
    ),
    "what-sixty-one-means": _ask(
        "“Our graphs gave satisfying insight for about a quarter of the prompts that we tried.” What does that say?",
        Option(
            text="Some 3 in 4 prompts stayed unread",
            right=True,
            feedback="It counts prompts that somebody tried to read, by the readers' own judgement. How much of a model's behaviour that is, nobody has counted.",
        ),
        Option(
            text="Some 3 in 4 paths' ends are errors",
            feedback="That would be a replacement score, of one graph.",
        ),
        Option(
            text="Some 3 in 4 behaviours are unknown",
            feedback="Prompts were counted, not behaviours; and they were chosen, not drawn from all that the model does.",
        ),
        Option(
            text="Some 3 in 4 latents have no meaning",
            feedback="Latents were not counted.",
        ),
    ),
}
