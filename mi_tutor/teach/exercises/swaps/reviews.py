"""The quick checks of chapter 05 in other words or with other numbers, for review: slug -> wording."""

from mi_tutor.teach.exercise import Option, Wording


def _ask(question: str, *options: Option) -> Wording:
    return Wording(question=question, options=options)


REVIEWS = {
    "why-held-out": _ask(
        "The pair (Dallas, bird) is called held out. Which of these, if it was in training, would make it worthless as a held-out pair?",
        Option(
            text="The bird of the state of Dallas, in another wording",
            right=True,
            feedback="Then the answer could have been learned whole. Held out means in no wording and no language.",
        ),
        Option(
            text="The bird of the state of Houston, in this wording",
            feedback="Another city of Texas is what lets a model find out that the state decides. It is allowed.",
        ),
        Option(
            text="The capital of the state of Dallas, in this wording",
            feedback="Another relation for the same city leaves the bird to be put together.",
        ),
        Option(
            text="The bird of Texas, with the state named in the text",
            feedback="That is one of the two single steps. Without it nobody could answer.",
        ),
    ),
    "readable-not-used": _ask(
        "Before one layer the state can be read at place P at 99 %, at Q at 40 %, at R at 2 %. Patching there exchanges 0 % of the answers at "
        "P, 90 % at Q, 0 % at R. Where does a state lie that the answers do not follow?",
        Option(
            text="At P",
            right=True,
            feedback="Written there and not used from there: the stream keeps what was written to it. So a comma can hold the state and "
            "play no part.",
        ),
        Option(
            text="At Q",
            feedback="At Q nine of ten answers follow.",
        ),
        Option(
            text="At R",
            feedback="Nothing is to be read there: it is 2 % because it is chance.",
        ),
        Option(
            text="At P and R",
            feedback="At R nothing is to be read, so there is hardly a state.",
        ),
    ),
    "why-each-fails": _ask(
        "The right direction before the right layer, at several strengths, but one token before the name's last: hardly any answer follows. "
        "What is the likeliest reason?",
        Option(
            text="The name is not complete there",
            right=True,
            feedback="What later tokens use stands where the name ends. (In this model training also saw to that.)",
        ),
        Option(
            text="The end has read the name before",
            feedback="Before the same layer a change at the name's last token works, so it is not too late.",
        ),
        Option(
            text="The direction is of another layer",
            feedback="It is the layer at which the swap works.",
        ),
        Option(
            text="The step is too short there",
            feedback="Several strengths were tried.",
        ),
    ),
    "overshoot": _ask(
        "At strength 1 a step turns 40 % of the answers into those of one and the same third state. Random directions of that length change "
        "nothing. What do you suspect first?",
        Option(
            text="The direction of the step",
            right=True,
            feedback="It leads somewhere, and not to the target: look at the means that it was made from.",
        ),
        Option(
            text="The length of the step",
            feedback="Random directions of that length change nothing, and the third state comes again and again.",
        ),
        Option(
            text="The number of questions",
            feedback="More questions make 40 % surer. They do not explain one and the same third state.",
        ),
        Option(
            text="The place of the step",
            feedback="The answers do change, so the place is one from which they are made.",
        ),
    ),
    "the-same-cosine": _ask(
        "Directions between states in English and in French have a mean cosine of 0.85, random ones 0.00. In questions about cities that "
        "have another name in French, English directions swap 41 % of the French answers, French ones 92 %. Does French go by the English"
        " directions?",
        Option(
            text="No, since 41 % is far from 92 %",
            right=True,
            feedback="Use decides. Much of what French reads lies in the part in which the two differ, though that part is the smaller one.",
        ),
        Option(
            text="Yes, since 0.85 is far from 0.00",
            feedback="They are alike. What is read may still lie in the part in which they differ, and here much of it does.",
        ),
        Option(
            text="No, since 0.85 is far from 1.00",
            feedback="A cosine below 1 may be noise in the means. Use decides.",
        ),
        Option(
            text="Yes, since 41 % is far from 0 %",
            feedback="Something of it is read. But with its own directions French follows more than twice as often.",
        ),
    ),
    "falsified": _ask(
        "Which of these outcomes says least about whether there is a step in between, since right directions and wrong ones would show it alike?",
        Option(
            text="Swaps work at strength 1, but not at strength 8",
            right=True,
            feedback="No question ever puts the stream that far out, whatever the direction stands for.",
        ),
        Option(
            text="Swaps move capitals, but not birds and flowers",
            feedback="That would speak against a step in between: a direction for capitals, not for the state.",
        ),
        Option(
            text="Swaps work before layer 2, but not before layer 4",
            feedback="That is what a step looks like that is made, used, and then left behind.",
        ),
        Option(
            text="Swaps work for 90 %, but not for all questions",
            feedback="Nine of ten on questions never seen are hard to have without a shared step.",
        ),
    ),
    "steering-california": _ask(
        "In a large model you take out a latent that fires on Texas, in a question about Dallas, and Austin is lost. As much taken out in "
        "random directions loses nothing. What is confirmed, for this prompt?",
        Option(
            text="The latent is needed for its state's answer",
            right=True,
            feedback="Taken away, with a control. Whether it is enough is another experiment.",
        ),
        Option(
            text="The latent is enough for its state's answer",
            feedback="It was not put in where it was off.",
        ),
        Option(
            text="The latent alone carries its state here",
            feedback="The answer needs it. What others carry was not looked at.",
        ),
        Option(
            text="The model answers from the state alone",
            feedback="One thing that the answer needs was found. What else it needs was not asked.",
        ),
    ),
}
