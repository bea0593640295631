"""The quick checks of chapter 09 in other words or with other numbers, for review: slug -> wording."""

from mi_tutor.teach.exercise import Option, Wording


def _ask(question: str, *options: Option) -> Wording:
    return Wording(question=question, options=options)


REVIEWS = {
    "what-sharing-costs": _ask(
        "A concept is written with norm 3 in the base and norm 4 in the tuned model, at right angles. One crosscoder has one latent for it, "
        "another has two, one for each model, on at the same tokens with the same value. Somebody charges a latent the norm of its whole row, "
        "both directions together. Which crosscoder pays less?",
        Option(
            text="The one with one latent",
            right=True,
            feedback="The row of both has norm 5, the two rows apart 3 + 4 = 7. Sharing is then rewarded by the price, whatever the data say.",
        ),
        Option(
            text="The one with two latents",
            feedback="They pay 3 + 4 = 7; the one row has norm 5.",
        ),
        Option(
            text="Both pay the same",
            feedback="That is so if norms are added. Here it is the norm of the whole row: 5 against 7.",
        ),
        Option(
            text="It depends on the angle",
            feedback="The two directions stand in different places of the row, so the angle between them is in no norm.",
        ),
    ),
    "base-share-of-a-latent": _ask(
        "A latent has relative norm 0.98. Latent scaling gives 0.02 in the error and 0.95 in the reconstruction. What is it?",
        Option(
            text="A concept of both models, split",
            right=True,
            feedback="Other latents write the same in the base: it was taken apart into one latent for each model.",
        ),
        Option(
            text="A concept of both models, shrunk",
            feedback="Then nothing would write it in the base's reconstruction, and the base's error would have it.",
        ),
        Option(
            text="A concept of the tuned model alone",
            feedback="Something in the base's reconstruction looks just like it, at the same tokens.",
        ),
        Option(
            text="A concept of the base model alone",
            feedback="0.98 of what this latent writes is written in the tuned model.",
        ),
    ),
    "no-exclusive-latent": _ask(
        "A tuned model reads a notation that its base never saw. A crosscoder of the two has no latent with a relative norm above 0.7 that fires "
        "on it. One text in 100,000 of its training had the notation, and on such texts its error is large in the tuned model. What is the likeliest?",
        Option(
            text="What is new lies in the crosscoder's error",
            right=True,
            feedback="A latent is kept only if it pays often enough. The error says that something is not explained: more such text would be the "
            "next thing to try.",
        ),
        Option(
            text="What was there is used in a new place",
            feedback="Then old latents would come on there and explain the streams. The error is large.",
        ),
        Option(
            text="What is new is split over many of its latents",
            feedback="Then they would explain it, and the error would be small.",
        ),
        Option(
            text="What was learned is in none of the streams",
            feedback="The error is large in the tuned model's stream: something is there that the crosscoder does not know.",
        ),
    ),
    "a-difference-that-says-nothing": _ask(
        "A tuned model thinks of another word and says the old one: at one kind of prompt its stream differs from the base's, and its predictions are "
        "the same to the last digit. Somebody looks for prompts where the STREAMS differ. Which score is right most often?",
        Option(
            text="Norm of the streams' difference",
            right=True,
            feedback="It is what was asked for, and needs no dictionary. Predictions do not show it.",
        ),
        Option(
            text="KL divergence of the two predictions",
            feedback="It is 0 there: whatever differs inside changes nothing that is said.",
        ),
        Option(
            text="Norm of what latents write apart",
            feedback="Near to it where the dictionary's error is small. What lies in the error is missing.",
        ),
        Option(
            text="Value of the best marking latent",
            feedback="It marks one kind of prompt. Other differences are not in it.",
        ),
    ),
    "a-step-of-the-whole": _ask(
        "From the first stage to the last, KL from the base rises from 0 to 9 on prompts that were changed, and from 0 to 1 on control prompts. "
        "Between two stages on the way it rises from 2 to 5 on the changed ones, and falls from 3 to 1 on the controls. Which share of the change came then?",
        Option(
            text="Five eighths",
            right=True,
            feedback="(5 - 2) - (1 - 3) = 5, of (9 - 0) - (1 - 0) = 8. What is confined again on the controls counts for the change.",
        ),
        Option(
            text="One eighth",
            feedback="That would be so if the controls had risen by 2. They fell.",
        ),
        Option(
            text="Three eighths",
            feedback="3 of 8: in the whole the controls' drift is taken off, in the step it is not.",
        ),
        Option(
            text="Three ninths",
            feedback="That is the changed prompts alone. The controls moved too, in both spans.",
        ),
    ),
    "what-could-be-in-common": _ask(
        "Of a dictionary's latents 20 % have a partner in another model's dictionary. In a second dictionary of the first model, from another seed, "
        "21 % have one; among random directions in the other model 1 %. How much of what two dictionaries can have in common has the other model?",
        Option(
            text="Nearly all of it",
            right=True,
            feedback="19 points above chance, of 20 that can be expected at best. The four fifths without a partner say nothing about the other model.",
        ),
        Option(
            text="About a fifth",
            feedback="That would hold if two dictionaries of one model were alike. Here four fifths differ already within one model.",
        ),
        Option(
            text="About a third",
            feedback="None of the three numbers is near it: 20, 21 and 1 % have a partner.",
        ),
        Option(
            text="About six tenths",
            feedback="The other model has 20 of 21, less 1 of each for chance.",
        ),
    ),
    "what-noise-spoils": _ask(
        "In the clean run, WITHOUT noise, one MLP's output at the last token is exchanged for its mean over all prompts: the answer's probability stays "
        "at .99. What does this say?",
        Option(
            text="Other tokens' outputs are not needed",
            feedback="Only this one output was exchanged. Of other tokens nothing was asked.",
        ),
        Option(
            text="Its own output is not needed there",
            right=True,
            feedback="Leaving it out of the clean run asks for need: the rest is enough. It could still be enough by itself.",
        ),
        Option(
            text="Its output carries nothing of the answer",
            feedback="Others may carry the same. With noise on the name it could bring the answer back by itself.",
        ),
        Option(
            text="An edit of its matrix will not take",
            feedback="An edit writes something new there, which may be louder than all the rest. That has to be measured.",
        ),
    ),
    "along-which-direction": _ask(
        "A key is (1, 1). In other text both neurons' squares have mean 4, and their product mean 0. A rank-one edit makes the key fetch a new value and "
        "disturbs other text least. Which neuron's row changes more?",
        Option(
            text="Both change by one and the same step",
            right=True,
            feedback="C is 4 times the identity, so C^-1 k points where k does: the same step for both.",
        ),
        Option(
            text="The first one's, 4 times",
            feedback="The two are alike in the key and in other text. Nothing could tell them apart.",
        ),
        Option(
            text="The second one's, 4 times",
            feedback="The two are alike in the key and in other text. Nothing could tell them apart.",
        ),
        Option(
            text="Neither changes: C is too large",
            feedback="The key has to fetch the new value whatever C is. C says along which direction.",
        ),
    ),
}
