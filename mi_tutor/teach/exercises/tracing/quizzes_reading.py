"""Quick checks of chapter 06's second half, in the order in which they are met; each has its second wording."""

from mi_tutor.teach.exercise import Option, Quiz, Wording


def _quiz(slug: str, question: str, again: str, *options: Option) -> Quiz:
    """`again` is the second wording's question; the second half of the options is its."""
    half = len(options) // 2
    review = Wording(question=again, options=options[half:])
    return Quiz(slug=slug, chapter="06", question=question, options=options[:half], review=review)


QUIZZES_READING = (
    _quiz(
        "on-for-every-state",
        "At the prompt's end latent A is on at 4.3 for every state. Latent B is on at 3.5 for Texas and at 0 for the other 49. Another state's "
        "latent is put in, B goes off, and 98 % follow. What happens if A alone gets the value that it has for another state?",
        "At the prompt's end latent A is on at 4.3 for every state. Latent B is on at 3.5 for Texas and at 0 for the other 49. California's own "
        "latent is put on at its usual value, and all else stays. What is the likeliest for questions about Texas?",
        Option(
            text="Nearly all answers stay",
            right=True,
            feedback="A has the same value for every state, so nothing is changed: what is alike for all cannot say which one it is, however strong it is.",
        ),
        Option(
            text="Nearly all answers go",
            feedback="It might be so if A went off and later layers needed what it writes. Here it keeps its 4.3.",
        ),
        Option(
            text="About one in three follows",
            feedback="No other state was put in: A's value is alike for both.",
        ),
        Option(
            text="Nearly all answers follow",
            feedback="Nothing was put in that they could follow.",
        ),
        Option(
            text="Nearly all answers stay",
            feedback="So it would be if later layers did not read the new latent at all. They do.",
        ),
        Option(
            text="Nearly all answers go",
            feedback="Go where? Both states are there, and one of them mostly wins.",
        ),
        Option(
            text="About one in three follows",
            right=True,
            feedback="Two states speak at once, and the old one mostly wins. A swap takes one out and puts one in: half a swap is another "
            "experiment, with another result.",
        ),
        Option(
            text="Nearly all answers follow",
            feedback="So it is when Texas goes off, too. With both on, the old state still speaks.",
        ),
    ),
    _quiz(
        "where-the-state-hides",
        "A pruned graph has three MLP-0 latents at the name's end. Exchanging them changes no answer; exchanging what the whole MLP 0 writes "
        "there changes nearly all. Where is most of what the MLP says about the state?",
        "A pruned graph has twelve MLP-0 latents at the name's end. Exchanging them changes nine answers in ten; exchanging what the whole "
        "MLP 0 writes there changes nearly all. Where is most of what the MLP says about the state?",
        Option(
            text="In latents that pruning dropped",
            right=True,
            feedback="Each of many latents has a little of it, and none enough to be kept. A pruned graph shows what is large one by one, "
            "and not what is large together. (Errors could hold it as well: look how large they are.)",
        ),
        Option(
            text="In latents that the graph keeps",
            feedback="Then exchanging these would exchange answers.",
        ),
        Option(
            text="In patterns that are frozen",
            feedback="Patterns say where heads read. What the MLP wrote is a vector in the stream.",
        ),
        Option(
            text="In latents of the last layer",
            feedback="Those are written later, from what is said here.",
        ),
        Option(
            text="In latents that pruning dropped",
            feedback="What they have is the tenth answer in ten.",
        ),
        Option(
            text="In latents that the graph keeps",
            right=True,
            feedback="Nine answers in ten follow these twelve, so little is left for the others.",
        ),
        Option(
            text="In patterns that are frozen",
            feedback="Patterns say where heads read. What the MLP wrote is a vector in the stream.",
        ),
        Option(
            text="In latents of the last layer",
            feedback="Those are written later, from what is said here.",
        ),
    ),
    _quiz(
        "later-writes",
        "A latent of a cross-layer transcoder reads layer 0 and writes to layers 0, 1 and 3. It is switched off with layer 0 alone "
        "held, and the answer stays. With layers 0, 1 and 3 held, 2 and 4 free, the answer goes. What carried the answer in the first run?",
        "A per-layer transcoder's latent of layer 0 is switched off with layer 0 alone held, and the answer stays. With layers 0 to 4 "
        "held the answer goes. What carried the answer in the first run?",
        Option(
            text="What it writes to later layers",
            right=True,
            feedback="With layer 0 alone held, the MLPs of layers 1 and 3 run as before and write what the latent stands for. A latent that "
            "writes to several layers is off only if all of them are held.",
        ),
        Option(
            text="MLPs that answered to the change",
            feedback="They may have, too. But those of layers 2 and 4 were free in both runs, and the latent has writes of its own in the two "
            "layers that were not held in the first.",
        ),
        Option(
            text="The error node of layer 0",
            feedback="It stayed as it was in both runs, so it does not tell them apart.",
        ),
        Option(
            text="Heads that attended elsewhere",
            feedback="Heads were as free in the one run as in the other.",
        ),
        Option(
            text="What it writes to later layers",
            feedback="A per-layer transcoder's latent writes to its own layer only. Of a cross-layer transcoder it would be right.",
        ),
        Option(
            text="MLPs that answered to the change",
            right=True,
            feedback="Its one write is gone in both runs. Later MLPs that are free can make up for what is missing: that is the model's own "
            "answer to the change, and no fault of the experiment.",
        ),
        Option(
            text="The error node of layer 0",
            feedback="It stayed as it was in both runs, so it does not tell them apart.",
        ),
        Option(
            text="Heads that attended elsewhere",
            feedback="Heads were as free in the one run as in the other.",
        ),
    ),
    _quiz(
        "which-sample",
        "Two papers report Spearman's correlation of influence and ablation: .90 over all 700 latents, .55 over the 60 with most influence. "
        "Same model, same kind of graph, same ablation. Whose graphs are better?",
        "Two papers report Spearman's correlation of influence and ablation, each over the 60 latents with most influence, same model and "
        "same prompts: .75 with transcoders P, .40 with transcoders Q. Whose graphs order latents better?",
        Option(
            text="The first paper's",
            feedback="Among 700 latents most matter little by both measures, and that order is easy. The second paper's graphs may well have .90 "
            "there.",
        ),
        Option(
            text="The second paper's",
            feedback="Its number is the harder one to get. But nobody has measured the first paper's graphs on such a sample.",
        ),
        Option(
            text="Both are the same",
            feedback="They may be, and they may not: the numbers are about different samples.",
        ),
        Option(
            text="The numbers do not say",
            right=True,
            feedback="The sample decides the number. In this chapter the very same graphs have about .9 over all latents and about .6 over the "
            "strongest.",
        ),
        Option(
            text="Those of transcoders P",
            right=True,
            feedback="Here the samples are chosen alike, so the numbers can be compared: P's order is nearer to what ablation finds.",
        ),
        Option(
            text="Those of transcoders Q",
            feedback="A lower correlation on the same kind of sample is a worse order.",
        ),
        Option(
            text="Both are the same",
            feedback=".75 and .40 on samples chosen alike is a difference.",
        ),
        Option(
            text="The numbers do not say",
            feedback="With other samples they would not. These are chosen alike.",
        ),
    ),
)
