"""Quick checks of chapter 01, in the order in which they are met."""

from mi_tutor.teach.exercise import Option, Quiz


def _quiz(slug: str, question: str, *options: Option) -> Quiz:
    return Quiz(slug=slug, chapter="01", question=question, options=options)


QUIZZES = (
    _quiz(
        "antipodal-cost",
        "Two features share one dimension with opposite signs: W = (1, -1), no bias. The first is on with value 0.8, the second "
        "is off. What comes out?",
        Option(
            text="0.8 and 0: nothing is lost.",
            right=True,
            feedback="The second output would be -0.8, and the ReLU cuts it off. With one feature on at a time, negative overlap "
            "costs nothing. The price is paid only when both are on.",
        ),
        Option(
            text="0.8 and -0.8: antipodal is the worst possible interference.",
            feedback="That is the output before the ReLU. With features that are never negative, an overlap of -1 is cut off.",
        ),
        Option(
            text="0.4 and 0.4: they share the value.",
            feedback="Nothing is averaged. Multiply it out: hidden = 0.8, and the way up gives 0.8 · (1, -1), then the ReLU.",
        ),
    ),
    _quiz(
        "why-relu",
        "Take the ReLU out of the toy model, so that x' = Wᵀ W x + b, and train it again with very sparse features. What do you "
        "expect?",
        Option(
            text="It keeps as many features as it has dimensions, the most important ones, and drops the rest.",
            right=True,
            feedback="A linear model pays for every overlap, however sparse the features are, so it does what principal component "
            "analysis does. The ReLU is what makes a small negative overlap free.",
        ),
        Option(
            text="It superposes even more, since nothing is clipped.",
            feedback="Clipping is what helps: it removes negative interference. Without it, every overlap shows up in the output.",
        ),
        Option(
            text="It cannot learn anything at all.",
            feedback="It can: with m dimensions it represents m features perfectly. It just cannot represent more.",
        ),
    ),
    _quiz(
        "half-a-dimension",
        "A feature has dimensionality D = 1/2. What can you conclude about its geometry?",
        Option(
            text="Exactly one other feature shares its line, straight opposite.",
            feedback="That is one way to have 1/2. With lengths of 1, D = 1 / (1 + Σ cos²), and three others with cos² = 1/3 each give 1/2 "
            "as well.",
        ),
        Option(
            text="It owns half a dimension; how the other half is shared, the Gram matrix has to tell.",
            right=True,
            feedback="One opposite feature, or several at smaller overlaps: D adds the squares up and forgets the rest. The number "
            "narrows the geometry down; the picture settles it.",
        ),
        Option(
            text="The model represents it in half of the inputs in which it is on.",
            feedback="D is about room, not about time: the weights are fixed, and so is D.",
        ),
    ),
    _quiz(
        "which-diagram",
        "Somebody shows you a phase diagram of the extra feature with two regions, “superposed” and “not superposed”. What is "
        "missing?",
        Option(
            text="Nothing: superposition is a yes-or-no question.",
            feedback="For the feature in question, not being in superposition can mean two opposite things. Think of very low and very "
            "high importance.",
        ),
        Option(
            text="A region in which the model has not converged.",
            feedback="Training noise blurs borders; it is not a phase.",
        ),
        Option(
            text="“Not superposed” is two fates: not represented at all, and represented in a dimension of its own.",
            right=True,
            feedback="Three fates. With low importance the feature is dropped, with high importance it gets the dimension, and only when "
            "features are rare do both share it.",
        ),
    ),
    _quiz(
        "what-superposition-costs",
        "Two features are superposed as an antipodal pair. Under which data does this hurt most?",
        Option(
            text="Features that are often on at the same time.",
            right=True,
            feedback="The price is paid in collisions. Independent features collide with probability p²; correlated ones far more often, "
            "which is why a model prefers to keep those orthogonal.",
        ),
        Option(
            text="Features that are very rare.",
            feedback="Rare features hardly ever collide: that is when superposition is cheapest.",
        ),
        Option(
            text="Features with equal importance.",
            feedback="Equal importance is where a pair pays off most: neither deserves the dimension for itself.",
        ),
    ),
    _quiz(
        "rotate-the-basis",
        "You rotate the hidden space of the plain toy model: W becomes R W with a rotation R. What changes in its output, and what "
        "follows?",
        Option(
            text="Nothing changes, so single hidden dimensions have no meaning of their own there.",
            right=True,
            feedback="(R W)ᵀ (R W) = Wᵀ W. The hidden space has no privileged basis, so asking what hidden dimension 3 stands for is not a "
            "good question. With a ReLU on the hidden layer it becomes one.",
        ),
        Option(
            text="The features move to other directions, so the output changes.",
            feedback="The directions move, but down and up move together: (R W)ᵀ (R W) = Wᵀ Rᵀ R W.",
        ),
        Option(
            text="The output changes only where features interfere.",
            feedback="Interference is made of overlaps W_i · W_j, and a rotation leaves all of them as they were.",
        ),
    ),
    _quiz(
        "neuron-seven",
        "Neuron 7 fires on every French sentence you tried. You call it “the French neuron”, set it to zero, and the model still "
        "writes French. Which explanation fits best with this chapter?",
        Option(
            text="The intervention was too weak; setting a neuron to zero does not remove it.",
            feedback="It removes just what the neuron contributes. The question is whether that was where French lives.",
        ),
        Option(
            text="A feature is a direction, usually over many neurons, and a neuron serves several features: neuron 7 takes part in "
            "French and in other things, and French does not depend on it alone.",
            right=True,
            feedback="Firing on French is evidence that the neuron takes part, not that it is the unit. Look at what else it fires on, "
            "and at directions rather than neurons.",
        ),
        Option(
            text="The model does not represent French.",
            feedback="It writes it. What failed is the claim about one neuron.",
        ),
    ),
    _quiz(
        "room-in-high-dimensions",
        "How does the number of directions that fit with all |cosines| below a fixed ε grow with the dimension d, when d is large?",
        Option(
            text="Linearly: d directions fit in d dimensions.",
            feedback="That is ε = 0. Allow a little overlap and far more fit.",
        ),
        Option(
            text="It is unlimited: with real numbers any number of directions is possible.",
            feedback="Different directions, yes, but not with bounded overlap: the Welch bound limits them.",
        ),
        Option(
            text="Exponentially in d ε².",
            right=True,
            feedback="That is the message of the Johnson-Lindenstrauss lemma, and the reason why a model with a few thousand dimensions "
            "can have far more features, if they are sparse enough to be told apart.",
        ),
    ),
    _quiz(
        "linear-hypothesis",
        "Which of these does the superposition hypothesis add to the linear-representation hypothesis?",
        Option(
            text="That features are directions in activation space.",
            feedback="That is the linear-representation hypothesis itself.",
        ),
        Option(
            text="That a layer can represent more features than it has dimensions, as almost orthogonal directions, at the price of "
            "interference.",
            right=True,
            feedback="Directions come first; superposition says that there can be more of them than dimensions, and that sparsity is what "
            "makes the interference affordable.",
        ),
        Option(
            text="That every neuron stands for one feature.",
            feedback="Quite the opposite: superposition is an explanation for neurons that answer to several features.",
        ),
        Option(
            text="That networks compute only with linear maps.",
            feedback="Neither says that. The non-linearity is what makes superposition affordable.",
        ),
    ),
)
