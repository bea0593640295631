"""Quick checks of chapter 04, with feedback for every option."""

from __future__ import annotations

from mi_tutor.teach.exercise import Option, Quiz


def _quiz(slug: str, question: str, *options: Option) -> Quiz:
    return Quiz(slug=slug, chapter="04", question=question, options=options)


QUIZZES = (
    _quiz(
        "why-logit-difference",
        "The model gives “ Mary” 99.9 %. Why not use that probability as the metric?",
        Option(
            text="Probabilities cannot be compared between prompts.",
            feedback="They can. The trouble is another one: near 1 they stand still.",
        ),
        Option(
            text="Near 1 it hardly moves, although much may change underneath; and it mixes “which name?” with “is it a name at all?”.",
            right=True,
            feedback="From 99.9 % to 99 % looks like nothing and is 2.3 in log odds. And the difference of two names' logits is not moved by what "
            "raises all names alike.",
        ),
        Option(
            text="Because a softmax has no gradient.",
            feedback="It has one. Near 1 it is tiny, though, which is the point.",
        ),
        Option(
            text="Because the softmax needs the whole vocabulary, which is too slow.",
            feedback="The cost is no concern here. What matters is what the number responds to.",
        ),
    ),
    _quiz(
        "why-not-noise",
        "Instead of a second prompt one could add Gaussian noise to the names' embeddings and patch clean activations back. What speaks for the pair?",
        Option(
            text="With noise nothing breaks, so there is nothing to recover.",
            feedback="With enough noise a lot breaks. Too much, in fact.",
        ),
        Option(
            text="Noise gives activations that no text gives, so the model may fail in ways it never fails on text; a pair changes one known thing.",
            right=True,
            feedback="And a pair has a second right answer, so that the metric has two ends. Zhang and Nanda 2024 found that the two kinds of corruption can "
            "point at different components.",
        ),
        Option(
            text="Noise is random, so the result cannot be repeated.",
            feedback="With a seed it can be repeated exactly. What it means is the trouble.",
        ),
        Option(
            text="Pairs need no clean run.",
            feedback="They do: that is where the activations come from.",
        ),
    ),
    _quiz(
        "the-lens-is-dark",
        "In the middle layers the logit lens shows no trace of the answer. What follows?",
        Option(
            text="The model has not begun to work on it.",
            feedback="The map that patching draws below will show it: what decides the answer is already on its way, at other positions.",
        ),
        Option(
            text="Nothing is written here in the directions that the unembedding reads; in other directions, and at other positions, there may be everything.",
            right=True,
            feedback="An early answer in the lens is evidence. A missing one is not.",
        ),
        Option(
            text="The lens is broken without the final LayerNorm's scale.",
            feedback="Yours has the LayerNorm in it, and its last row is exactly what the model says.",
        ),
        Option(
            text="The answer is decided in the last layer.",
            feedback="It becomes visible there. Where it is decided is another question, for patching.",
        ),
    ),
    _quiz(
        "read-the-map",
        "In the map above, patching the giver's position in an early layer recovers everything, and in a late layer nothing. What follows?",
        Option(
            text="The model has forgotten the giver by then.",
            feedback="The stream there still holds it. But nobody reads it there any more.",
        ),
        Option(
            text="By the late layer, what the end needs of it has been moved away; from then on another position carries it.",
            right=True,
            feedback="And the map shows where to: in the late rows the last position recovers everything.",
        ),
        Option(
            text="Late layers matter less than early ones.",
            feedback="In the late rows another position recovers everything. The map is about WHERE, layer by layer.",
        ),
        Option(
            text="The head that moves it sits in the first layer.",
            feedback="It sits where the column at the giver goes dark and the column at the end lights up.",
        ),
    ),
    _quiz(
        "why-nothing",
        "Patching the stream at the two names recovers exactly nothing, in any layer. Why?",
        Option(
            text="Names do not matter for this question.",
            feedback="They do: with other names the answer is another one. But between THESE two runs they do not differ.",
        ),
        Option(
            text="Attention looks back only, and the runs are equal up to the giver: what is put in is what was there already.",
            right=True,
            feedback="A patch shows what differs between the two runs. Where they are equal it cannot show anything, however much the place matters. To "
            "see the names' role, choose a pair in which they differ.",
        ),
        Option(
            text="The heads copy the names to the giver in layer 0, before we patch.",
            feedback="Then layer 0's row would show something. The streams there are the same in both runs, before any copying.",
        ),
        Option(
            text="Several positions together would be needed (an AND).",
            feedback="A good thought in general. But here the activations put in equal those they replace: compare them.",
        ),
    ),
    _quiz(
        "nothing-when-denoising",
        "Denoising head A alone recovers nothing. Noising head A alone loses everything. Which reading fits?",
        Option(
            text="A does nothing; the noising result is an artefact.",
            feedback="Losing everything is no small effect. Think of an AND.",
        ),
        Option(
            text="A is needed, but not enough: something else is needed together with it.",
            right=True,
            feedback="An AND: in the corrupted run the other part is missing, so bringing A back does not help.",
        ),
        Option(
            text="A is enough, but not needed: there is a backup.",
            feedback="That is the other way round (OR): denoising would show A, noising would not.",
        ),
        Option(
            text="The two directions contradict each other, so one of them has a bug.",
            feedback="They ask different questions, and in anything but a linear system they may differ.",
        ),
    ),
    _quiz(
        "ten-million-latents",
        "You have ten million latents to rank by their effect on one answer, and time for one experiment. Which method?",
        Option(
            text="Activation patching of every latent.",
            feedback="Ten million forward passes. Keep those for the few that the ranking puts on top.",
        ),
        Option(
            text="The logit lens on every latent's decoder direction.",
            feedback="Cheap, but it sees only what is written for the output to read. Latents that later layers read would rank last.",
        ),
        Option(
            text="Attribution patching for all of them, then exact patches for the top, and for a sample of the rest.",
            right=True,
            feedback="Two forward passes and one backward pass rank all of them. The sample of the rest tells how many false negatives to expect.",
        ),
        Option(
            text="A probe for each of them.",
            feedback="A probe needs labels, and says what can be read, not what the answer depends on.",
        ),
    ),
    _quiz(
        "when-exact-is-worth-it",
        "When is activation patching still worth its cost?",
        Option(
            text="When few sites are left, or when a claim rests on them: where attention is saturated or LayerNorm rescales, the slope misleads.",
            right=True,
            feedback="The estimate proposes, the exact patch decides. Also wherever an estimate says “nothing here” and that nothing matters.",
        ),
        Option(
            text="Never: attribution patching gives the same numbers for less.",
            feedback="You have just measured that it does not, and where.",
        ),
        Option(
            text="Always: estimates are worthless.",
            feedback="They are a good first sieve: for many sites one backward pass ranks well.",
        ),
        Option(
            text="Whenever the model is large.",
            feedback="Then it costs most. Size is no reason by itself.",
        ),
    ),
    _quiz(
        "which-ablation",
        "Zeroing a head hurts the answer; replacing it by its mean over other stories does not. What is the likely reading?",
        Option(
            text="The head writes something that is always the same and that later layers rely on; about this prompt it says nothing they need.",
            right=True,
            feedback="Zero takes the constant away as well. The mean leaves it in and removes only what is particular to the prompt.",
        ),
        Option(
            text="The head carries the answer.",
            feedback="Then the mean over other stories, in which the answer is another one, would hurt.",
        ),
        Option(
            text="Zero ablation is too weak.",
            feedback="It is the stronger of the two here: it removes more.",
        ),
        Option(
            text="The mean contains the answer.",
            feedback="It is the mean over stories with many answers; for this prompt it says nothing special.",
        ),
    ),
    _quiz(
        "probe-against-cause",
        "A linear probe reads “the giver is male” from a stream at 100 %. What may you claim?",
        Option(
            text="That the model uses it to choose the receiver.",
            feedback="You have held a direction that reads at 100 % and moves nothing. Using has to be shown by intervening.",
        ),
        Option(
            text="That the model was trained to represent it.",
            feedback="It may be a by-product, such as a shared first letter or frequency. Random, untrained networks let probes read a lot.",
        ),
        Option(
            text="That it can be read from there along one direction. To claim use, exchange that direction and see the output follow.",
            right=True,
            feedback="Information is one question, use another. And the probe should be measured on prompts that it was not fitted to.",
        ),
        Option(
            text="Nothing at all: probes are worthless.",
            feedback="They are a good way to find candidates. They only do not decide about use.",
        ),
    ),
    _quiz(
        "gendered-pronouns",
        "Find the circuit for gendered pronouns (“Anna is a doctor. The patients like” … her). Which first steps are the soundest?",
        Option(
            text="Look at attention patterns for heads that look at “Anna”, and call them the pronoun heads.",
            feedback="Where a head looks is not what its output does. It is a hypothesis for later, not a first result.",
        ),
        Option(
            text="Pairs that differ in the name only (Anna / Henry), the difference of “ her” and “ him”, check that the model can do it, a coarse map by layer and "
            "position, then heads, in both directions, then paths; test on new names.",
            right=True,
            feedback="From coarse to fine, with a metric that asks exactly this question, and a test on what did not suggest the hypothesis.",
        ),
        Option(
            text="Train a probe for gender in each layer and take the best layer.",
            feedback="That says where gender can be read. The circuit is what uses it.",
        ),
        Option(
            text="Zero each head in turn on one sentence, and keep those that lower the probability of “ her”.",
            feedback="One sentence, a metric that any general damage lowers, and zeros that the model never saw. Each of the three can mislead.",
        ),
    ),
)
