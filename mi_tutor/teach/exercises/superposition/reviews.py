"""The quick checks of chapter 01 in other words or with other numbers, for review: slug -> wording."""

from mi_tutor.teach.exercise import Option, Wording


def _ask(question: str, *options: Option) -> Wording:
    return Wording(question=question, options=options)


REVIEWS = {
    "antipodal-cost": _ask(
        "Two features share one dimension with OPPOSITE signs: W = (1, −1), no bias. The first is off, the second is on with value 0.8. What "
        "comes out?",
        Option(
            text="0 and 0.8",
            right=True,
            feedback="The hidden value is −0.8. The first would be −0.8, and the ReLU cuts it off; the second is −0.8 · −1. With one feature on at a "
            "time negative overlap costs nothing; when both are on, each is wrong by the smaller value.",
        ),
        Option(
            text="0 and 0",
            feedback="The hidden value is −0.8, and the second is read with weight −1: that makes it positive.",
        ),
        Option(
            text="0.8 and 0.8",
            feedback="The first is read with weight 1 from −0.8, and a ReLU never gives what is below zero.",
        ),
        Option(
            text="0.8 and 0",
            feedback="That is the other feature's case: the first on, the second off.",
        ),
    ),
    "why-relu": _ask(
        "A model WITHOUT a ReLU holds two features as W = (1, −1), without bias. On which samples does its output have an error?",
        Option(
            text="On those in which one or both are on",
            right=True,
            feedback="Whenever one is on, the other's output is wrong by as much, and no ReLU cuts it off. So rarity does not make the pair pay.",
        ),
        Option(
            text="On those in which both of them are on",
            feedback="That is the model with a ReLU. Without it, work out the other's output when one is on.",
        ),
        Option(
            text="On those in which just one of them is on",
            feedback="On those too. But with both on, the outputs are the difference and its negative.",
        ),
        Option(
            text="On none of them, whichever are on",
            feedback="Work out both outputs for x = (0.8, 0).",
        ),
    ),
    "half-a-dimension": _ask(
        "A feature of length 1 has D = 2/3. Which of these may be all the features that overlap with it, each of length 1?",
        Option(
            text="One other feature, with cos² = 1/2",
            right=True,
            feedback="D = 1 / (1 + Σ cos²), so the squares have to add up to 1/2. Several smaller overlaps would do it as well: D says how much, the "
            "Gram matrix says how.",
        ),
        Option(
            text="Three others, each with cos² = 1/3",
            feedback="Their squares add up to 1, which gives D = 1/2, and none of them is opposite to it.",
        ),
        Option(
            text="Four others, each with cos² = 1/2",
            feedback="Their squares add up to 2, which gives D = 1/3.",
        ),
        Option(
            text="Two others, each with cos² = 1/8",
            feedback="Their squares add up to 1/4, which gives D = 4/5.",
        ),
    ),
    "which-diagram": _ask(
        "An extra feature is three times as important as the first. In the model of two features and one dimension, what becomes of it as "
        "both get rarer?",
        Option(
            text="From a dimension of its own to a shared one",
            right=True,
            feedback="Dense and more important: it gets the dimension. Rare: a pair costs less than losing either.",
        ),
        Option(
            text="From being dropped to a shared dimension",
            feedback="That is the way of an extra feature of LOW importance.",
        ),
        Option(
            text="From a shared dimension to one of its own",
            feedback="The other way round: rarity makes collisions cheap, so sharing comes with it.",
        ),
        Option(
            text="From being dropped to a dimension of its own",
            feedback="A feature that matters three times as much is not dropped for the other one.",
        ),
    ),
    "what-superposition-costs": _ask(
        "Two features are superposed as an antipodal pair. In which data do they get in each other's way at all, but most rarely?",
        Option(
            text="Each is on in 1 % of the samples, and independently",
            right=True,
            feedback="They meet in one sample of 10,000, and only there is something lost. Rare features are cheap to superpose.",
        ),
        Option(
            text="Each is on in 40 % of the samples, never both together",
            feedback="Then they never do, however frequent they are. Anti-correlated features share a line for nothing.",
        ),
        Option(
            text="Each is on in 10 % of the samples, both at equal values",
            feedback="Then they meet in every tenth sample, and cancel: both are lost.",
        ),
        Option(
            text="Each is on in 20 % of the samples, and independently",
            feedback="They meet in 0.2 · 0.2 = 4 % of the samples.",
        ),
    ),
    "rotate-the-basis": _ask(
        "A toy model has a ReLU on its hidden layer too. You rotate that layer: W becomes R W with a rotation R, on the way down and up. For "
        "which samples does the output change?",
        Option(
            text="For nearly all of them",
            right=True,
            feedback="R stands inside the ReLU on the way down and outside on the way up, so it no longer cancels. The axes have become special: a "
            "privileged basis.",
        ),
        Option(
            text="For none of them",
            feedback="So it is without a ReLU in between. Here something happens between down and up that depends on the axes.",
        ),
        Option(
            text="For those in which features interfere",
            feedback="One feature alone is enough: its column of R W has negative entries where it had none, and they are cut off.",
        ),
        Option(
            text="For those in which nothing is on",
            feedback="There the hidden layer is 0 with or without a rotation.",
        ),
    ),
    "neuron-seven": _ask(
        "In another model each feature drives three neurons, and each neuron is driven by one feature only. You switch off one of the neurons "
        "of feature A. What do you expect of A, and of the other features?",
        Option(
            text="A is partly left, and the others lose nothing",
            right=True,
            feedback="A is spread over three neurons, and none of them is shared. Where neurons ARE shared, as in this chapter's model, it fails twice "
            "over: A is partly left, and others are hit.",
        ),
        Option(
            text="A is gone, and the others lose something",
            feedback="Two more neurons carry A, and this one carries nothing else.",
        ),
        Option(
            text="A is partly left, and the others lose something",
            feedback="So it was in this chapter's model. Here no other feature drives this neuron.",
        ),
        Option(
            text="A is gone, and the others lose nothing",
            feedback="The neuron is for A alone, and it is one of three.",
        ),
    ),
    "room-in-high-dimensions": _ask(
        "In d dimensions N directions fit at right angles to each other, every cosine 0. How many fit in 2d dimensions?",
        Option(
            text="Just 2N",
            right=True,
            feedback="Each dimension brings one more. It is the overlap that makes room: with |cosine| below 0.5, say, about N² would fit, since d "
            "stands in an exponent.",
        ),
        Option(
            text="About N²",
            feedback="So it would be with some overlap allowed. At right angles there is one per dimension.",
        ),
        Option(
            text="About 4N",
            feedback="Fourfold is how a square grows. At right angles there is one per dimension.",
        ),
        Option(
            text="Just N",
            feedback="Each new dimension is at right angles to all the old ones.",
        ),
    ),
    "linear-hypothesis": _ask(
        "Which of these would no longer hold if a layer's space were rotated, with all that reads and writes it?",
        Option(
            text="Features can lie along axes, where a non-linearity acts on axes",
            right=True,
            feedback="A privileged basis belongs to the axes. Directions, their number, and sums are what they were after a rotation: both hypotheses "
            "speak of those.",
        ),
        Option(
            text="Features can outnumber the dimensions, at the price of interference",
            feedback="Superposition speaks of directions and their overlaps. Both are turned along, and none changes its angle to another.",
        ),
        Option(
            text="A feature is a direction, and its strength the distance along it",
            feedback="It is another direction then, and still a direction.",
        ),
        Option(
            text="An activation is a sum, with one term for each feature that is on",
            feedback="A rotated sum is the sum of the rotated terms.",
        ),
    ),
}
