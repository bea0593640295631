"""Quick checks of chapter 06, in the order in which they are met. `reviews` asks each a second time."""

from mi_tutor.teach.exercise import Option, Quiz
from mi_tutor.teach.exercises.tracing.reviews import REVIEWS


def _quiz(slug: str, question: str, *options: Option) -> Quiz:
    return Quiz(slug=slug, chapter="06", question=question, options=options, review=REVIEWS[slug])


QUIZZES_MAKING = (
    _quiz(
        "one-latent-or-many",
        "A feature is computed by the MLP of layer 1, and the MLPs of layers 2, 3 and 4 each write more of the same direction. How many latents does "
        "that take at least, in a cross-layer transcoder and with one transcoder per layer?",
        Option(
            text="1 and 4",
            right=True,
            feedback="One cross-layer latent reads at layer 1 and writes to all four; per layer each MLP needs a latent of its own, and the graph has a chain of "
            "them that does nothing but amplify.",
        ),
        Option(
            text="4 and 1",
            feedback="The other way round: a per-layer latent writes to one layer only.",
        ),
        Option(
            text="4 and 4",
            feedback="A cross-layer latent may write to every later layer. One is enough.",
        ),
        Option(
            text="1 and 1",
            feedback="A per-layer latent of layer 1 explains what MLP 1 writes; MLPs 2 to 4 wrote something, too.",
        ),
    ),
    _quiz(
        "twice-as-much",
        "Patterns and denominators are frozen at a prompt. You double what one latent writes and change nothing else. What becomes of what it gives *directly* to "
        "a later latent's pre-activation?",
        Option(
            text="It is exactly doubled",
            right=True,
            feedback="All that lies between them is linear now, whatever else is in the stream. So one product is the effect, and no estimate of it.",
        ),
        Option(
            text="It is a little less than that",
            feedback="That is what a LayerNorm does that follows the stream: with more in it, it divides by more. Here the denominator is frozen.",
        ),
        Option(
            text="It does not change at all",
            feedback="The denominators are frozen; what is divided by them is not.",
        ),
        Option(
            text="It depends on other latents",
            feedback="In the model it does, through denominators and patterns. Both are frozen.",
        ),
    ),
    _quiz(
        "where-does-it-show",
        "A latent writes a direction that no head moves and no MLP reads. All that it does is to make a head look at its position, where another latent is then "
        "fetched. Where does the graph show its effect?",
        Option(
            text="In none of its edges",
            right=True,
            feedback="The pattern is frozen: what made the head look there is taken for granted. An empty column in the graph is no evidence that a latent does "
            "nothing.",
        ),
        Option(
            text="In the edges of errors",
            feedback="Errors are what dictionaries left out of what MLPs write. This latent was found.",
        ),
        Option(
            text="In the edges to the logit",
            feedback="For that something it writes would have to reach the unembedding.",
        ),
        Option(
            text="In the edges of the head",
            feedback="A head is no node. Edges run through it, with the pattern that it had.",
        ),
    ),
    _quiz(
        "a-chain",
        "A graph is a single chain: word, five latents, logit. Errors give a tenth of the input of each of the five and of the logit. What is its completeness?",
        Option(
            text="About .92",
            right=True,
            feedback="Each node on the chain knows .9 of its input; the ends, which have no input, count as known. Its replacement score is .9 to the power of 6: at "
            "every step a tenth of the path is lost for good.",
        ),
        Option(
            text="About .53",
            feedback="That is .9 to the power of 6: what of the logit's input can be followed back to the word. It is the replacement score.",
        ),
        Option(
            text="About .47",
            feedback="That is what is lost on the way, 1 minus .9 to the power of 6.",
        ),
        Option(
            text="About .10",
            feedback="That is what is lost at one node.",
        ),
    ),
    _quiz(
        "beside-its-floor",
        "A graph has completeness .77 and replacement .40. The same prompt with the dictionary's decoders shuffled: .77 and .40. With the model's MLPs in no "
        "dictionary at all: .52 and .03. What does the dictionary explain of this prompt?",
        Option(
            text="As good as nothing",
            right=True,
            feedback="Latents that write what others should do as well. Not from embeddings' direct paths: without latents these give .03. Absolute shares "
            "spread over many latents, whatever these write.",
        ),
        Option(
            text="A quarter, as .77 less .52",
            feedback="Against no dictionary at all every dictionary looks good: splitting the MLPs' output into many parts at random raises both scores.",
        ),
        Option(
            text="Some two fifths, as .40",
            feedback="The shuffled one has the same .40.",
        ),
        Option(
            text="Three quarters, as .77",
            feedback="The shuffled one has the same .77. A score means something beside its floor.",
        ),
    ),
)

AT_THE_END = _quiz(
    "what-sixty-one-means",
    "“The graph of this prompt has a replacement score of .61.” What does that say?",
    Option(
        text=".39 of its paths lead to errors",
        right=True,
        feedback="Of this one graph. What the model does otherwise, and what runs through frozen patterns, is not in that number.",
    ),
    Option(
        text=".39 of what the model does is unknown",
        feedback="It is about one prompt, and about paths with patterns given.",
    ),
    Option(
        text=".39 of prompts cannot be explained",
        feedback="It is one graph's score. How many prompts give a graph that somebody can read is another count.",
    ),
    Option(
        text=".39 of its latents have no meaning",
        feedback="Whether latents mean something does not enter: scores look at weights only.",
    ),
)
