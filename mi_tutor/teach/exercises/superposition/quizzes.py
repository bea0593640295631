"""Quick checks of chapter 01, in the order in which they are met. `reviews` asks each a second time."""

from mi_tutor.teach.exercise import Option, Quiz
from mi_tutor.teach.exercises.superposition.reviews import REVIEWS


def _quiz(slug: str, question: str, *options: Option) -> Quiz:
    return Quiz(slug=slug, chapter="01", question=question, options=options, review=REVIEWS[slug])


QUIZZES = (
    _quiz(
        "antipodal-cost",
        "Two features share one dimension and point the SAME way: W = (1, 1), no bias. The first is on with value 0.8, the second is off. "
        "What comes out?",
        Option(
            text="0.8 and 0.8",
            right=True,
            feedback="The hidden value is 0.8, and both are read from it. The second is wrong whenever the first is on. Opposite signs would give 0.8 "
            "and −0.8, and the ReLU cuts −0.8 off: apart costs nothing while one is on.",
        ),
        Option(
            text="0.8 and 0",
            feedback="So it is with opposite signs, W = (1, −1). Here nothing falls below zero, so the ReLU cuts nothing off.",
        ),
        Option(
            text="0.4 and 0.4",
            feedback="Nothing is shared out. The hidden value is 0.8, and each output is that value times its own weight.",
        ),
        Option(
            text="0.8 and −0.8",
            feedback="No weight is negative here, and no output of a ReLU ever is.",
        ),
    ),
    _quiz(
        "why-relu",
        "Take the ReLU out of the toy model, so that x' = Wᵀ W x + b, and train it again with very sparse features of falling importance, "
        "more of them than dimensions. What do you expect to find?",
        Option(
            text="The most important features at right angles, and no others",
            right=True,
            feedback="Without a ReLU every overlap shows up in some output, however rare the features. So it does what principal component analysis "
            "does, and drops the rest.",
        ),
        Option(
            text="Pairs of features on one line each, pointing apart",
            feedback="With one of a pair on, the other's output is wrong, and nothing cuts it off. A pair pays only with the ReLU.",
        ),
        Option(
            text="All features, spread evenly over the space",
            feedback="Rare features or not, each overlap is an error whenever one of the two is on.",
        ),
        Option(
            text="All features at right angles, each of them shorter",
            feedback="There are more of them than right angles to be had.",
        ),
    ),
    _quiz(
        "half-a-dimension",
        "Four features of length 1 in two dimensions all have D = 1/2. Which arrangement is ruled out?",
        Option(
            text="Two opposite pairs, on lines that meet at an angle of 30 degrees",
            right=True,
            feedback="Each has overlaps with squares 1, 1, 3/4 and 3/4, itself included: D = 1/3.5.",
        ),
        Option(
            text="Two opposite pairs, on lines that meet at an angle of 90 degrees",
            feedback="That is the square: squares 1, 1, 0 and 0, so D = 1/2.",
        ),
        Option(
            text="Two pairs at 90 degrees, one pair turned by 30 degrees to the other",
            feedback="Squares 1, 0, 3/4 and 1/4, which is 2 again: D = 1/2, and no two features are opposite.",
        ),
    ),
    _quiz(
        "which-diagram",
        "Somebody shows you a phase diagram of the extra feature with two regions, “superposed” and “not superposed”. Take two points of the "
        "second region, both at dense features, one at relative importance 10 and one at 0.1. What has become of the extra feature there?",
        Option(
            text="Alone at the first, dropped at the second",
            right=True,
            feedback="So the two regions are three fates: dropped, superposed, and in a dimension of its own. The diagram hides that.",
        ),
        Option(
            text="Dropped at the first, alone at the second",
            feedback="The dimension goes to what is worth more. At 0.1 that is the other feature.",
        ),
        Option(
            text="Dropped at both of these points",
            feedback="At 10 the extra feature is worth ten times the other one, and one of the two can be kept.",
        ),
        Option(
            text="Alone in a dimension at both of them",
            feedback="There is one dimension, and at 0.1 the other feature is worth ten times as much.",
        ),
    ),
    _quiz(
        "what-superposition-costs",
        "Two features of equal importance are superposed as an antipodal pair. Under which data does this hurt most?",
        Option(
            text="Each is on in 10 % of the samples, always both together",
            right=True,
            feedback="Collisions are what costs, and here every tenth sample is one. Correlated features are therefore better kept at right angles.",
        ),
        Option(
            text="Each is on in 20 % of the samples, and independently",
            feedback="They meet in 0.2 · 0.2 = 4 % of the samples. That is less than always together at 10 %.",
        ),
        Option(
            text="Each is on in 40 % of the samples, never both together",
            feedback="Frequent, but they never meet, and while one is on the ReLU keeps the other's output at 0.",
        ),
        Option(
            text="Each is on in 30 % of the samples, in 1 % of them both",
            feedback="What counts is how often they meet, not how often they are on.",
        ),
    ),
    _quiz(
        "rotate-the-basis",
        "You rotate the hidden space of the plain toy model: W becomes R W with a rotation R. For which samples does its output change?",
        Option(
            text="For none of them",
            right=True,
            feedback="(R W)ᵀ (R W) = Wᵀ W: down and up are rotated together. So the hidden space has no privileged basis, and what hidden dimension 3 "
            "stands for is no good question.",
        ),
        Option(
            text="For nearly all of them",
            feedback="Directions move, but the output only sees overlaps, W_i · W_j, and a rotation leaves all of them as they were.",
        ),
        Option(
            text="For those in which features interfere",
            feedback="Interference is made of overlaps W_i · W_j. A dot product is the same in every rotated frame.",
        ),
        Option(
            text="For those with a negative hidden value",
            feedback="The ReLU acts on outputs, not on the hidden space. A negative hidden value is nothing special here.",
        ),
    ),
    _quiz(
        "neuron-seven",
        "Neuron 7 fires on French, together with forty other neurons, and on recipes, together with one other. You set neuron 7 to zero. What "
        "do you expect?",
        Option(
            text="French hardly suffers, recipes do",
            right=True,
            feedback="A feature is a direction over many neurons, and a neuron serves several features. So “the French neuron” was the wrong name for "
            "it.",
        ),
        Option(
            text="French suffers, recipes hardly do",
            feedback="Of French it carries one part in forty, of recipes about a half.",
        ),
        Option(
            text="French and recipes both suffer",
            feedback="French is carried by forty others. Firing on French shows that neuron 7 takes part, not that it is needed.",
        ),
        Option(
            text="French and recipes hardly suffer",
            feedback="Recipes have only one other neuron. What neuron 7 added for them is gone.",
        ),
    ),
    _quiz(
        "room-in-high-dimensions",
        "N directions fit in a space, and you want room for N². How many times as many dimensions do you need, if they have to be at right "
        "angles, and if every |cosine| below 0.5 will do?",
        Option(
            text="N times as many, and about twice as many",
            right=True,
            feedback="At right angles d directions fit in d dimensions. With some overlap the number grows exponentially with d: twice the exponent is "
            "the square. So a few thousand dimensions have room for far more features.",
        ),
        Option(
            text="N times as many, and about N times as many",
            feedback="The two grow by different laws: at right angles with d, with some overlap exponentially.",
        ),
        Option(
            text="Twice as many, and about N times as many",
            feedback="The other way round: it is the overlap that makes room.",
        ),
        Option(
            text="Twice as many, and about twice as many",
            feedback="At right angles there is one direction per dimension, so N² take N times as many.",
        ),
    ),
    _quiz(
        "linear-hypothesis",
        "Suppose that all features of a model turned out to be directions at right angles, never more of them than dimensions. Which "
        "hypothesis would be wrong about this model?",
        Option(
            text="Superposition alone",
            right=True,
            feedback="Features would still be directions: linear representation does not say how many there are.",
        ),
        Option(
            text="Linear representation alone",
            feedback="It says that a feature is a direction. Directions at right angles are directions.",
        ),
        Option(
            text="Both of the two",
            feedback="They are directions, so one of the two holds.",
        ),
        Option(
            text="Neither of the two",
            feedback="Superposition says that there are more features than dimensions.",
        ),
    ),
)
