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
            feedback="The base could refuse before. Refusing other things needs no new direction: the old latents come on at other tokens.",
        ),
        Option(
            text="What is new lies in the crosscoder's error",
            feedback="The error is small, and such requests were frequent: little of a new direction would fit in there.",
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
)
