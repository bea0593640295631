"""Quick checks of chapter 05, with feedback for every option."""

from __future__ import annotations

from mi_tutor.teach.exercise import Option, Quiz


def _quiz(slug: str, question: str, *options: Option) -> Quiz:
    return Quiz(slug=slug, chapter="05", question=question, options=options)


QUIZZES = (
    _quiz(
        "why-held-out",
        "Why do we count swaps on (city, relation) pairs that were never in training?",
        Option(
            text="Because a question that was taught may be answered from memory, without any step in between.",
            right=True,
            feedback="For a pair that was never seen there is nothing to remember: only the single steps, Dallas to Texas and Texas to its capital, "
            "were taught. Whoever answers has put them together somehow. How, the swap has to say.",
        ),
        Option(
            text="Because the model is less sure there, so that an intervention works more easily.",
            feedback="That would be a reason against it: an answer that tips over at a touch shows little. Controls of the same length tell "
            "whether it does.",
        ),
        Option(
            text="Because the state's mean would otherwise be zero.",
            feedback="Means can be made from any questions. Ours are made from the taught ones, so that nothing of the tested ones goes in.",
        ),
        Option(
            text="It makes no difference; it is only good practice.",
            feedback="It makes one here. The last exercises meet a model that answers taught questions perfectly, with nothing in between.",
        ),
    ),
    _quiz(
        "readable-not-used",
        "Before the last layer the state can still be read where the name ends. Patching it there changes hardly any answer. What follows?",
        Option(
            text="The reading must be wrong.",
            feedback="It is right for prompts that it was not made from. The information is there.",
        ),
        Option(
            text="Information can lie in the stream without being used from there any more.",
            right=True,
            feedback="The stream keeps what was written to it. By then the end of the prompt has fetched the state, and nobody looks back. A probe "
            "asks what is there, an intervention what is used.",
        ),
        Option(
            text="The model does not use the state at all.",
            feedback="Look at the earlier rows: patching before layer 2 exchanges most answers.",
        ),
        Option(
            text="Patching is less sensitive than reading, so probes are the better evidence.",
            feedback="They answer different questions. A perfect probe on something that is never used is no evidence of a mechanism (chapter 04).",
        ),
    ),
    _quiz(
        "why-each-fails",
        "The right direction, the right token, but before the last layer: hardly any answer follows. Why?",
        Option(
            text="The direction is too short there.",
            feedback="Streams grow with the layers, so that plays a part, but make it longer (`strength`) and try: it does not become a swap.",
        ),
        Option(
            text="Directions of one layer mean nothing in another.",
            feedback="They often do: the stream is shared. And with the means of that layer itself it fails in the same way, as the table above shows.",
        ),
        Option(
            text="What the end needs from the name has been fetched before; the last layer hardly reads it there any more.",
            right=True,
            feedback="The state was exchanged after it had been used: right in content, too late. The same swap at the same token works two layers "
            "earlier.",
        ),
        Option(
            text="The last layer has no attention.",
            feedback="Every block has attention and an MLP, the last one too.",
        ),
    ),
    _quiz(
        "overshoot",
        "Far beyond strength 1, fewer and fewer answers follow, though hardly one returns to the old one. What is going on?",
        Option(
            text="The stream leaves the region that later layers were trained on, and they answer something else.",
            right=True,
            feedback="At strength 1 the stream is about where a question about the target would have put it. At 6 it is where no question ever put "
            "it. “Neither” is the price, and it is why effects at ten times the natural size (chapter 07) have to be read with care.",
        ),
        Option(
            text="The direction was wrong all along.",
            feedback="At strength 1 nearly all answers follow. A direction that is right at its natural length can still be overdone.",
        ),
        Option(
            text="The model notices the manipulation and resists.",
            feedback="Nothing here needs a will. Later layers compute something from numbers that they never met in training.",
        ),
        Option(
            text="The own state's answer becomes more likely again.",
            feedback="Look at the curve of their own answers: it stays near zero. The answers are neither the old one nor the target's.",
        ),
    ),
    _quiz(
        "the-same-cosine",
        "The MEAN activations of one state, in two different languages, have a cosine of 0.9. What does that say about a shared step?",
        Option(
            text="Hardly anything: most of a mean is common to all prompts, so even two different states look alike.",
            right=True,
            feedback="What all activations share (that a name ends here, where in the text we are) drowns the state. Differences between states have "
            "no such common part. And even those show likeness: whether the other language USES the direction, a swap tells.",
        ),
        Option(
            text="The state is written in the same direction in both languages.",
            feedback="Two different states in one language have a high cosine, too: see the line below the table.",
        ),
        Option(
            text="90 % of the state is shared.",
            feedback="A cosine is not a share of anything, and most of these vectors is not about the state at all.",
        ),
    ),
    _quiz(
        "falsified",
        "Which outcome would have spoken most clearly AGAINST a step in between?",
        Option(
            text="A swap success of 90 % in place of 97 %.",
            feedback="Ten per cent that fail are worth a look, one by one. But an answer that becomes the target's nine times out of ten, on questions "
            "never seen, is hard to have without a shared step.",
        ),
        Option(
            text="Swaps that change the capital but not the bird, the flower or the time zone.",
            right=True,
            feedback="A step in between is about the state, so everything that depends on the state should move with it. If only the capital moved, we "
            "would have found a direction for capitals.",
        ),
        Option(
            text="Random directions that do nothing.",
            feedback="That speaks for the claim: the effect is not one of any push.",
        ),
        Option(
            text="A dose-response that bends down at high strength.",
            feedback="That happens to right directions as well: no question ever puts the stream there.",
        ),
    ),
    _quiz(
        "steering-california",
        "In a large model you amplify a latent that fires on California, in a question about Dallas. The model now says Sacramento. "
        "What does that confirm?",
        Option(
            text="That the model works out “Texas” first, whenever it is asked about Dallas.",
            feedback="For that you would have to look at Texas: is it there before the answer, and is the answer lost without it? Adding California "
            "shows what California does.",
        ),
        Option(
            text="That this latent is the only place where the model keeps California.",
            feedback="Others may do the same. One that is enough need not be the only one.",
        ),
        Option(
            text="That the latent can bring the answer about: something downstream turns “California”, asked for a capital, into Sacramento.",
            right=True,
            feedback="Sufficiency, for this prompt and at this strength. What is missing: other relations and prompts, a control of the same length, "
            "whether it works at a natural strength, and whether taking Texas away loses Austin.",
        ),
        Option(
            text="Nothing: any strong push would have changed the answer.",
            feedback="It would have changed it, but into the capital of California? That is what a random direction of the same length is for; "
            "measure it.",
        ),
    ),
)
