"""The quick checks of chapter 07, in the order in which they are met. `reviews` asks each a second time."""

from mi_tutor.teach.exercise import Option, Quiz
from mi_tutor.teach.exercises.steering.reviews import REVIEWS


def _quiz(slug: str, question: str, *options: Option) -> Quiz:
    return Quiz(slug=slug, chapter="07", question=question, options=options, review=REVIEWS[slug])


QUIZZES = (
    _quiz(
        "the-error-kept",
        "A latent is at 3. It is clamped to 3, once by adding (3 − its value) times its row of W_dec to the stream, once by decoding all latents and putting the "
        "reconstruction in the stream's place. What is lost from the stream, the first way and the second?",
        Option(
            text="Nothing, and the dictionary's error",
            right=True,
            feedback="The first adds 0 times a row. The second replaces the stream by what the dictionary says of it, although no latent was changed: part of every "
            "“effect of clamping” measured that way is the effect of leaving the error out.",
        ),
        Option(
            text="The dictionary's error, and nothing",
            feedback="The other way round: adding a change of the latent leaves all else in the stream, the error too.",
        ),
        Option(
            text="Nothing in both, as it is at 3",
            feedback="True of the first. The second has the latent at 3 as well, and no longer what the dictionary did not explain.",
        ),
        Option(
            text="The dictionary's error in both",
            feedback="That would be so if both put the reconstruction there. The first only adds.",
        ),
    ),
    _quiz(
        "where-it-is-decided",
        "A head of layer 2 looks, from where the second line's last word is due, at the first line's rhyme word, and what it fetches there sets that last word. At the "
        "line break the rhyme can be read in .97 of lines before layer 3, and nobody reads it there. Where does a vector change the rhyme?",
        Option(
            text="At the word, before layer 1",
            right=True,
            feedback="The head fetches what stands at the word when layer 2 begins. The reading at the break is better and a copy that nobody asks.",
        ),
        Option(
            text="At the break, before layer 3",
            feedback="That is where a probe is best. What nobody reads there changes nothing when it changes.",
        ),
        Option(
            text="At the word, before layer 4",
            feedback="The right token, too late: layer 2 has fetched from it already.",
        ),
        Option(
            text="At the break, before layer 1",
            feedback="Neither read there yet, nor ever: the head goes to the word.",
        ),
    ),
    _quiz(
        "a-strong-baseline",
        "AxBench (Wu et al. 2025) compares ways to STEER Gemma-2 towards hundreds of concepts. Which came out best?",
        Option(
            text="Prompting",
            right=True,
            feedback="“Prompting outperforms all existing methods, followed by finetuning.” So a steering result without a prompt beside it does not say much.",
        ),
        Option(
            text="SAE latents",
            feedback="Those of sparse autoencoders were not competitive there, in steering as in detection.",
        ),
        Option(
            text="Mean differences",
            feedback="They were among the best at DETECTING concepts. Reading is another task than steering.",
        ),
        Option(
            text="Finetuning",
            feedback="Second.",
        ),
    ),
    _quiz(
        "ten-at-once",
        "Ten latents that have nothing to do with each other are clamped to ten times their largest activation, at every token. What does the model write?",
        Option(
            text="Text about none of the ten",
            right=True,
            feedback="The ten rows are many times as long as the rest of the stream. LayerNorm divides by all of it, so what the context said is nearly gone, and no "
            "layer after was ever trained on such a stream: broken text, whatever the concepts were.",
        ),
        Option(
            text="Text about all of the ten",
            feedback="That would need ten directions that later layers read one by one, at sizes that they know.",
        ),
        Option(
            text="Text about one of the ten",
            feedback="That happens when ONE is clamped, moderately, where its concept is decided.",
        ),
        Option(
            text="Text as it was beforehand",
            feedback="LayerNorm bounds the size of what is read, not its direction.",
        ),
    ),
    _quiz(
        "project-or-subtract",
        "In most harmful requests the stream's component along a unit vector r is 1. Here is one in which it is 0. What is it after r has been projected out, and "
        "after r has been subtracted?",
        Option(
            text="0 and −1",
            right=True,
            feedback="Projection removes what is there, here nothing. Subtraction moves every prompt by the same step, also the one that had nothing to lose, and also "
            "ordinary text.",
        ),
        Option(
            text="0 and 0",
            feedback="Subtracting r is a step of −1, whatever was there before.",
        ),
        Option(
            text="0 and 1",
            feedback="Right of the projection. Subtraction goes down.",
        ),
        Option(
            text="−1 and 0",
            feedback="The two exchanged: it is subtraction that does not look at what is there.",
        ),
    ),
    _quiz(
        "out-of-the-weights",
        "To take r out of a model for good, everything that writes to the stream is made orthogonal to it: the embeddings, W_O and W_out of each layer. The biases "
        "are forgotten. What of r is still in the stream before the last layer?",
        Option(
            text="What the biases wrote",
            right=True,
            feedback="A constant along r at every token. Whether it matters is to be measured; projecting at run time would have taken it out, so the two no longer agree.",
        ),
        Option(
            text="What the MLPs computed",
            feedback="Their W_out is orthogonal to r: whatever they compute, it is not written along r.",
        ),
        Option(
            text="What the tokens brought",
            feedback="The embeddings are orthogonal to r.",
        ),
        Option(
            text="What the heads fetched",
            feedback="They write through W_O, which is orthogonal to r.",
        ),
    ),
    _quiz(
        "from-another-start",
        "Descent from one random start finds a direction; projected out at every layer it ends refusing. A second start finds another, with cosine .2 to the "
        "first. The first is left alone now and the second is projected out. What becomes of refusing?",
        Option(
            text="It is gone just as well",
            right=True,
            feedback="Both were found by what they do. One that is enough need not be the only one: “the” refusal direction says more than the experiment.",
        ),
        Option(
            text="It is as it was before",
            feedback="That would be so if the first were the mechanism. The descent asked only for refusing to end, and found two ways.",
        ),
        Option(
            text="A fifth of it is gone",
            feedback="The cosine says how alike two vectors are, not how much of a behaviour they share.",
        ),
        Option(
            text="It is stronger instead",
            feedback="Nothing was added. The component along the second is removed.",
        ),
    ),
    _quiz(
        "through-where",
        "Two latents for refusing are clamped on. Somebody adds a vector that has no part along the encoder column or the decoder row of any usually active latent. No other "
        "latent comes on, and the harmful answers return while both latents read “on”. Through what do they return?",
        Option(
            text="What the dictionary leaves out",
            right=True,
            feedback="All of the vector is in the error, which a dashboard of latents does not show. The norm of the error does show it: it is far above its usual values.",
        ),
        Option(
            text="What the clamp itself brings",
            feedback="The clamp adds what it always added, and without the vector the same requests are refused.",
        ),
        Option(
            text="Other latents of the dictionary",
            feedback="By construction it moves none that are usually active, and no other came on. With another vector this is how it would be.",
        ),
        Option(
            text="What the prompt's words say",
            feedback="The same words were refused before the vector was added.",
        ),
    ),
    _quiz(
        "alarms-and-attacks",
        "A monitor fires at 98 % of attacks and at 1 % of ordinary requests. One request in ten thousand is an attack. Of its alarms, how many are attacks?",
        Option(
            text="About 1 %",
            right=True,
            feedback="Of a million requests 98 attacks fire, and some 10 000 that are none. So the share of false alarms decides whether anybody will look, and a threshold "
            "is chosen with the base rate in mind.",
        ),
        Option(
            text="About 50 %",
            feedback="That would need one attack in a hundred requests.",
        ),
        Option(
            text="About 92 %",
            feedback="That would need one attack in ten requests.",
        ),
        Option(
            text="About 98 %",
            feedback="That is the share of attacks that fire, which is another question.",
        ),
    ),
)
