"""The quick checks of chapter 07 in other words or with other numbers, for review: slug -> wording."""

from mi_tutor.teach.exercise import Option, Wording


def _ask(question: str, *options: Option) -> Wording:
    return Wording(question=question, options=options)


REVIEWS = {
    "the-error-kept": _ask(
        "A latent is at 3, and is clamped to 0 by adding (0 − 3) times its row of W_dec to the stream. The dictionary explains the stream badly. What is lost from the "
        "stream?",
        Option(
            text="Three times its decoder row",
            right=True,
            feedback="Nothing else is touched, however good or bad the reconstruction is.",
        ),
        Option(
            text="The dictionary's whole error",
            feedback="It would be lost if the reconstruction took the stream's place. Here something is added to the stream.",
        ),
        Option(
            text="All that the latent had read",
            feedback="What it read along its ENCODER column stays; what is removed is its decoder row.",
        ),
        Option(
            text="The other latents' rows, too",
            feedback="Their values may be read differently afterwards, but what they stood for was not taken out.",
        ),
    ),
    "where-it-is-decided": _ask(
        "A head of layer 2 looks, at the line break, at the line's rhyme word, and writes there which rhyme it is. Every later layer reads the rhyme at the break, and none goes back "
        "to the word. Where does a vector change the rhyme?",
        Option(
            text="At the break, before layer 3",
            right=True,
            feedback="It is there by then, and is read there afterwards: here the place where it reads well is the place that decides.",
        ),
        Option(
            text="At the word, before layer 3",
            feedback="Layer 2 has fetched from it already, and nobody comes back.",
        ),
        Option(
            text="At the word, before layer 4",
            feedback="Later still.",
        ),
        Option(
            text="At the break, before layer 5",
            feedback="There are five layers, counted from 0: after the last, only the next token is left to read from it, and that is not yet the rhyme.",
        ),
    ),
    "a-strong-baseline": _ask(
        "AxBench (Wu et al. 2025) also compares ways to DETECT hundreds of concepts in Gemma-2's activations. Which of these came out best?",
        Option(
            text="Mean differences",
            right=True,
            feedback="Representation-based methods such as difference in means did best, and SAEs were not competitive. A method's place in the one table does not tell its "
            "place in the other.",
        ),
        Option(
            text="Prompting",
            feedback="They were best at steering.",
        ),
        Option(
            text="SAE latents",
            feedback="Latents of sparse autoencoders were not competitive on either task.",
        ),
        Option(
            text="Random directions",
            feedback="The floor of such a comparison.",
        ),
    ),
    "ten-at-once": _ask(
        "Ten latents that have nothing to do with each other are clamped to a tenth of their largest activation each, at every token. What does the model write?",
        Option(
            text="Text as it was beforehand",
            right=True,
            feedback="Nearly. Ten small steps in unrelated directions are together about three times as long as one of them, and the rest of the stream is longer by far.",
        ),
        Option(
            text="Text about all of the ten",
            feedback="A tenth of the largest activation is weak, and unrelated concepts do not add up to anything.",
        ),
        Option(
            text="Text about one of the ten",
            feedback="None of them is stronger than the others.",
        ),
        Option(
            text="Text about none of the ten",
            feedback="Broken text comes at ten times the largest activation, not at a tenth of it.",
        ),
    ),
    "project-or-subtract": _ask(
        "In most harmful requests the stream's component along a unit vector r is 1. Here is one in which it is 2. What is it after r has been projected out, and "
        "after r has been subtracted?",
        Option(
            text="0 and 1",
            right=True,
            feedback="Projection takes all of it, however much there is. A fixed step leaves what is above it.",
        ),
        Option(
            text="0 and 0",
            feedback="Subtracting r removes 1 of the 2.",
        ),
        Option(
            text="0 and −1",
            feedback="That would be subtracting three times r.",
        ),
        Option(
            text="1 and 0",
            feedback="The two exchanged.",
        ),
    ),
    "out-of-the-weights": _ask(
        "To take r out of a model for good, W_O and W_out of each layer, with their biases, are made orthogonal to it. The embeddings are forgotten. What of r is "
        "still in the stream before the last layer?",
        Option(
            text="What the tokens brought",
            right=True,
            feedback="Embeddings enter the stream before the first layer and stay in it. Projecting at run time takes that part out, too.",
        ),
        Option(
            text="What the MLPs computed",
            feedback="They write through W_out, which is orthogonal to r.",
        ),
        Option(
            text="What the biases wrote",
            feedback="They were made orthogonal together with the matrices.",
        ),
        Option(
            text="What the heads had fetched",
            feedback="They write through W_O, which is orthogonal to r.",
        ),
    ),
    "from-another-start": _ask(
        "A probe for “harmful” is right on every held-out request. Its direction, projected out at every layer, leaves four refusals in five as they were. "
        "What does the probe's direction then tell?",
        Option(
            text="Where it can be read",
            right=True,
            feedback="And no more. Which direction refusing needs has to be asked by removing it and counting.",
        ),
        Option(
            text="Where it is decided",
            feedback="Then removing it would have ended most refusals.",
        ),
        Option(
            text="That it is nowhere",
            feedback="The model still refuses: something that it needs is somewhere, in another direction.",
        ),
        Option(
            text="That it was overfitted",
            feedback="It is right on requests that it has not seen. Reading was not the problem.",
        ),
    ),
    "through-where": _ask(
        "Two latents for refusing are clamped on. Somebody adds a vector, a sum of decoder rows; the harmful answers return, both latents read “on”, and the norm of the "
        "dictionary's error is as usual. Through what do they return?",
        Option(
            text="Other latents of the dictionary",
            right=True,
            feedback="The vector switches them on or off, and a dashboard of two does not show it. One of all latents would.",
        ),
        Option(
            text="What the dictionary had left out",
            feedback="Then the error would have grown, as all of the vector would be in it.",
        ),
        Option(
            text="What the clamp itself brings",
            feedback="Without the vector and with the clamp they are refused.",
        ),
        Option(
            text="What the prompt's words say",
            feedback="The same words were refused before.",
        ),
    ),
    "alarms-and-attacks": _ask(
        "A monitor fires at 98 % of attacks and at 1 % of ordinary requests. It is put where one request in ten is an attack. Of its alarms, how many are attacks?",
        Option(
            text="About 92 %",
            right=True,
            feedback="Of a thousand requests 98 attacks fire, and 9 that are none. The same monitor, another base rate.",
        ),
        Option(
            text="About 1 %",
            feedback="That would be so with one attack in ten thousand requests.",
        ),
        Option(
            text="About 50 %",
            feedback="That would be so with one attack in a hundred.",
        ),
        Option(
            text="About 98 %",
            feedback="That is the share of attacks that fire.",
        ),
    ),
}
