"""Quick checks of chapter 09, in the order in which they are met. `reviews` asks each a second time."""

from mi_tutor.teach.exercise import Option, Quiz
from mi_tutor.teach.exercises.crosscoders.reviews import REVIEWS


def _quiz(slug: str, question: str, *options: Option) -> Quiz:
    return Quiz(slug=slug, chapter="09", question=question, options=options, review=REVIEWS[slug])


QUIZZES = (
    _quiz(
        "what-sharing-costs",
        "A concept is written with norm 3 in the base and norm 4 in the tuned model, at right angles. One crosscoder has one latent for it, "
        "another has two, one for each model, on at the same tokens with the same value. Which pays the smaller L1 penalty of Lindsey et al.?",
        Option(
            text="Both pay the same",
            right=True,
            feedback="3 + 4 = 7 either way: the penalty adds up norms. So L1 gives no reason to keep a concept together, and whether it "
            "stays whole is left to chance.",
        ),
        Option(
            text="The one with one latent",
            feedback="That would be so with the norm of both directions together, 5. The penalty adds the two norms.",
        ),
        Option(
            text="The one with two latents",
            feedback="Two latents, each paying for its own direction: 3 and 4. The same sum as one latent that writes both.",
        ),
        Option(
            text="It depends on the angle",
            feedback="Norms are added, not vectors. No angle is in it.",
        ),
    ),
    _quiz(
        "base-share-of-a-latent",
        "A latent has relative norm 0.98. Latent scaling gives 0.9 in the error and 0.03 in the reconstruction. What is it?",
        Option(
            text="A concept of both models, shrunk",
            right=True,
            feedback="What it writes is in the base's activations, and nothing writes it there in the reconstruction: its base direction went to 0.",
        ),
        Option(
            text="A concept of both models, split",
            feedback="Then another latent would write it in the base, and the reconstruction would have it.",
        ),
        Option(
            text="A concept of the tuned model alone",
            feedback="Then the base's error would have nothing of it. It has nine tenths.",
        ),
        Option(
            text="A concept of the base model alone",
            feedback="The relative norm is the tuned model's share: 0.98 of what it writes is written there.",
        ),
    ),
    _quiz(
        "no-exclusive-latent",
        "A tuned model refuses three things that its base helped with. A crosscoder of the two, trained on plenty of such requests, has no latent "
        "with a relative norm above 0.7 that fires on them. Its error is small. What is the likeliest?",
        Option(
            text="What was there is used in a new place",
            right=True,
            feedback="The base could refuse before. Refusing other things needs no new direction: what is added lies along one that the base refuses with.",
        ),
        Option(
            text="What is new lies in the crosscoder's error",
            feedback="The error is small, and such requests were frequent: little of a new direction would fit in there. (Chapter 09's own crosscoders leave "
            "about half of the streams out there: with those it would have to be asked.)",
        ),
        Option(
            text="What is new is split over many of its latents",
            feedback="Pieces of a new direction would still be written in the tuned model alone, so their relative norms would be high.",
        ),
        Option(
            text="What was learned is in none of the streams",
            feedback="Another answer comes out, so the streams differ somewhere. That a difference needs a direction of its own is what fails.",
        ),
    ),
    _quiz(
        "a-difference-that-says-nothing",
        "On requests that the base refuses already, the tuned model's stream differs as much as on the newly refused ones; both models say the same "
        "word there. Somebody looks for prompts with OTHER first words. Which score is right most often?",
        Option(
            text="KL divergence of the two predictions",
            right=True,
            feedback="It is asked where the words come out. A difference that changes no prediction costs no KL.",
        ),
        Option(
            text="Norm of the streams' difference",
            feedback="It rings on the old refusals as on the new ones: it does not ask what the unembedding makes of a difference.",
        ),
        Option(
            text="Norm of what latents write apart",
            feedback="A difference of streams in other words, with the same false alarms.",
        ),
        Option(
            text="Value of the best marking latent",
            feedback="It marks refusals. Whether the base refused too is not in it.",
        ),
    ),
    _quiz(
        "a-step-of-the-whole",
        "From the first stage to the last, KL from the base rises from 0 to 9 on prompts that were changed, and from 0 to 1 on control prompts. "
        "Between two stages on the way it rises from 2 to 5 on the changed ones, and from 1 to 3 on the controls. Which share of the change came then?",
        Option(
            text="One eighth",
            right=True,
            feedback="(5 - 2) - (3 - 1) = 1, of (9 - 0) - (1 - 0) = 8.",
        ),
        Option(
            text="Three eighths",
            feedback="3 of 8: in the whole the controls' drift is taken off, in the step it is not.",
        ),
        Option(
            text="Five eighths",
            feedback="3 + 2 of 8: the controls' drift was added. It would have come without what was taught.",
        ),
        Option(
            text="Three ninths",
            feedback="That is the changed prompts alone. A part of their movement is what all prompts did.",
        ),
    ),
    _quiz(
        "what-could-be-in-common",
        "Of a dictionary's latents 20 % have a partner in another model's dictionary. In a second dictionary of the first model, from another seed, "
        "33 % have one; among random directions in the other model 1 %. How much of what two dictionaries can have in common has the other model?",
        Option(
            text="About six tenths",
            right=True,
            feedback="19 points above chance, of 32 that can be expected at best. Most latents without a partner find none in their own model either.",
        ),
        Option(
            text="About a fifth",
            feedback="That would hold if two dictionaries of one model were alike. Here only a third of one is in the other.",
        ),
        Option(
            text="About a third",
            feedback="That is the ceiling itself: what a second dictionary of the same model has.",
        ),
        Option(
            text="Nearly all of it",
            feedback="20 is well below 33, and a random direction hardly ever is a partner.",
        ),
    ),
    _quiz(
        "what-noise-spoils",
        "Noise is put on the name of a state, and one MLP's output at the LAST token is put back clean: half of the answer's probability returns. The "
        "same MLP at the name's token brings nothing back. What does this say of the MLP?",
        Option(
            text="It carries the answer on from there",
            right=True,
            feedback="Its output at that token is enough for half. Where the fact was looked up, and from which weights, is not in the experiment.",
        ),
        Option(
            text="Its matrix keeps the fact itself",
            feedback="What was put back is an activation, which knows everything that happened before it. No weight was touched.",
        ),
        Option(
            text="Other tokens' outputs are not needed",
            feedback="They were left as the noise made them, and half is missing. For need, leave something out of the CLEAN run.",
        ),
        Option(
            text="An edit of its matrix will hold well",
            feedback="That is the question of Hase et al., and has to be measured: an edit asks which keys fetch the new answer.",
        ),
    ),
    _quiz(
        "along-which-direction",
        "A key is (1, 1). In other text the first neuron's square has mean 100, the second's 1, and their product mean 0. A rank-one edit makes the key "
        "fetch a new value and disturbs other text least. Which neuron's row changes more?",
        Option(
            text="The second one's, 100 times",
            right=True,
            feedback="The change goes along C^-1 k = (0.01, 1): hardly anybody else uses the second neuron.",
        ),
        Option(
            text="The first one's, 100 times",
            feedback="That is C k. It would disturb what all other text fetches with the first neuron.",
        ),
        Option(
            text="Both change by one and the same step",
            feedback="That is k itself, right where other text has both neurons alike.",
        ),
        Option(
            text="The second one's, 10 times",
            feedback="C has mean squares in it, and the change goes along its inverse, not along one over the root.",
        ),
    ),
)
