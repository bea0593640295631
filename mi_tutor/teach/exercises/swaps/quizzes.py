"""Quick checks of chapter 05, in the order in which they are met. `reviews` asks each a second time."""

from mi_tutor.teach.exercise import Option, Quiz
from mi_tutor.teach.exercises.swaps.reviews import REVIEWS


def _quiz(slug: str, question: str, *options: Option) -> Quiz:
    return Quiz(slug=slug, chapter="05", question=question, options=options, review=REVIEWS[slug])


QUIZZES = (
    _quiz(
        "why-held-out",
        "A model was taught single steps (“Dallas belongs to Texas”) and some two-step answers. It answers 4 % of the single steps that "
        "it was taught, 5 % of the two-step questions that it was taught, and 3 % of those that were held out. What is the likeliest "
        "reading?",
        Option(
            text="It has not learned the single steps",
            right=True,
            feedback="4 % say so, and without them there is nothing to put together. With single steps at 100 % the held-out questions "
            "decide: who knows the taught ones by rote answers 3 % there, who puts steps together nearly all. That is why swaps "
            "are counted on held-out pairs.",
        ),
        Option(
            text="It says taught two-step answers by rote",
            feedback="Then it would answer the taught ones: 100 % there, and 3 % of those held out, is what rote looks like.",
        ),
        Option(
            text="It puts two-step answers together",
            feedback="From what? It knows few single steps.",
        ),
        Option(
            text="It mixes up the cities of one state",
            feedback="For the questions here all cities of a state have the same answers.",
        ),
    ),
    _quiz(
        "readable-not-used",
        "Before one layer the state can be read at place P at 99 %, at Q at 40 %, at R at 2 %. Patching there exchanges 0 % of the answers at "
        "P, 90 % at Q, 0 % at R. From where do later layers take the state?",
        Option(
            text="From Q",
            right=True,
            feedback="A probe asks what is there, an intervention what is used. So it was where the name ends, before the last layer: still to be "
            "read, and no longer used.",
        ),
        Option(
            text="From P",
            feedback="It can be read there best, and the answers do not follow it.",
        ),
        Option(
            text="From P and Q",
            feedback="The answers follow what is put in at Q, whatever P says.",
        ),
        Option(
            text="From none",
            feedback="At Q nine of ten answers follow.",
        ),
    ),
    _quiz(
        "why-each-fails",
        "The right token, before layer 2, at several strengths: hardly any answer follows. The means were made from the same prompts, at "
        "the same token, before layer 0. What is the likeliest reason?",
        Option(
            text="The direction is of another layer",
            right=True,
            feedback="Before layer 0 there is the token's embedding and its place, no state. The same prompts' means before layer 2 have it.",
        ),
        Option(
            text="The end has read the name before",
            feedback="Before layer 2 it has not: with this layer's own means the same swap works. Before layer 3 it would be too late.",
        ),
        Option(
            text="The name is not complete there",
            feedback="It is the token with which the name is complete.",
        ),
        Option(
            text="The step is too short there",
            feedback="Streams do grow, which is why several strengths were tried.",
        ),
    ),
    _quiz(
        "overshoot",
        "At strength 6 most answers are neither the old one nor the target's. Random directions of that length do the same to as many "
        "answers. What is to blame?",
        Option(
            text="The length of the step",
            right=True,
            feedback="The stream is where no text ever put it, and later layers make something else of it. Effects at ten times the natural size "
            "(chapter 07) have to be read with care.",
        ),
        Option(
            text="The direction of the step",
            feedback="Any other direction of that length does the same.",
        ),
        Option(
            text="The noise in the means",
            feedback="Noise and signal grow by the same factor. And random directions have no means in them.",
        ),
        Option(
            text="The place of the step",
            feedback="At the same place strength 1 works.",
        ),
    ),
    _quiz(
        "the-same-cosine",
        "Mean activations: Texas in English and in French have a cosine of 0.90. You take the mean of all states off, in each language, and "
        "measure again: English Texas with French Texas, and with French Ohio. Which result says that the 0.90 was not about the state?",
        Option(
            text="0.02 with Texas, and 0.00 with Ohio",
            right=True,
            feedback="Then all of it was what prompts share: that a name ends here, where in the text we are. Differences between states have no such "
            "part.",
        ),
        Option(
            text="0.80 with Texas, and 0.00 with Ohio",
            feedback="That says that the languages write states alike. Whether French USES the English directions, a swap tells.",
        ),
        Option(
            text="0.80 with Texas, and 0.78 with Ohio",
            feedback="Something is still shared by all states, so taking one mean off was not enough.",
        ),
        Option(
            text="0.02 with Texas, and 0.80 with Ohio",
            feedback="That would be strange: Texas written in French like Ohio. It says something about states.",
        ),
    ),
    _quiz(
        "falsified",
        "Which of these outcomes says that the step in between is made, used, and then left behind?",
        Option(
            text="Swaps work before layer 2, but not before layer 4",
            right=True,
            feedback="By then it has been fetched from there. It may still be read.",
        ),
        Option(
            text="Swaps move capitals, but not birds and flowers",
            feedback="That says that it was not the state that was moved.",
        ),
        Option(
            text="Swaps work at strength 1, but not at strength 8",
            feedback="That says how far one can go, not when.",
        ),
        Option(
            text="Swaps work for 90 %, but not for all questions",
            feedback="That says for how many, not when.",
        ),
    ),
    _quiz(
        "steering-california",
        "In a large model you amplify a latent that fires on California, in a question about Dallas. The model now says Sacramento. What is "
        "confirmed, for this prompt?",
        Option(
            text="The latent is enough for its state's answer",
            right=True,
            feedback="At this strength something later turns “California”, asked for a capital, into Sacramento. Missing: other prompts, a control of "
            "that length, and whether taking Texas away loses Austin.",
        ),
        Option(
            text="The latent is needed for its state's answer",
            feedback="Nothing was taken away. Sacramento may be had in other ways.",
        ),
        Option(
            text="The latent alone carries its state here",
            feedback="Others may do the same. One that is enough need not be the only one.",
        ),
        Option(
            text="The model worked out the state of Dallas",
            feedback="For that look at Texas: is it there before the answer, and is the answer lost without it?",
        ),
    ),
)
