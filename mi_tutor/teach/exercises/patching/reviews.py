"""The quick checks of chapter 04 in other words or with other numbers, for review: slug -> wording."""

from mi_tutor.teach.exercise import Option, Wording


def _ask(question: str, *options: Option) -> Wording:
    return Wording(question=question, options=options)


REVIEWS = {
    "why-logit-difference": _ask(
        "The model gives “ Mary” 99.9 %, “ John” the rest. A patch takes 2.3 from the logit of “ Mary”. What do P(“ Mary”) and the difference "
        "of the two logits do?",
        Option(
            text="The first hardly moves, the second does",
            right=True,
            feedback="It goes from 99.9 % to 99 %: next to nothing, for a change of the odds by ten. That is why the difference is the metric.",
        ),
        Option(
            text="The first moves much, the second hardly",
            feedback="The odds of 999 to 1 become 99 to 1, which is 99 %.",
        ),
        Option(
            text="The first moves much, and so does the second",
            feedback="The odds of 999 to 1 become 99 to 1: 99.9 % becomes 99 %.",
        ),
        Option(
            text="The first hardly moves, nor does the second",
            feedback="It moves by 2.3, which is what was taken away.",
        ),
    ),
    "why-not-noise": _ask(
        "Clean: Mary and John, John gives. Corrupted: the same story, Mary gives. What can patching between these two NOT show?",
        Option(
            text="How it is known which two people there are",
            right=True,
            feedback="It is the same in both prompts, and a patch shows what differs. Take a pair in which the people differ.",
        ),
        Option(
            text="How it is known which of the two people gives",
            feedback="That is what differs, so it is what the pair tests.",
        ),
        Option(
            text="How the answer is brought to the last token",
            feedback="The answer differs, so whatever brings it there differs too.",
        ),
        Option(
            text="How the answer is chosen from the two names",
            feedback="Which of them is right differs.",
        ),
    ),
    "the-lens-is-dark": _ask(
        "Before layer 3, at the last token, the logit lens shows no trace of the answer. Patching the clean stream in at this place recovers "
        "0.9. Where is what decides the answer?",
        Option(
            text="Here, in directions that the unembedding does not read",
            right=True,
            feedback="The lens sees what is written for the output. An early answer in the lens is evidence, a missing one is not.",
        ),
        Option(
            text="At another position, and it has not been brought here",
            feedback="Then putting this one stream in would not recover it.",
        ),
        Option(
            text="Nowhere: it has not been worked out at any position yet",
            feedback="Whether it has been worked out one cannot say. But what decides it was in the stream that you put in.",
        ),
        Option(
            text="Here, where the lens misses it for want of a LayerNorm",
            feedback="Yours has the LayerNorm in it, and its last row is exactly what the model says.",
        ),
    ),
    "read-the-map": _ask(
        "Recovered by patching before layers 1, 2 and 3: at the giver 1.0, 0.1 and 0.0; at a comma 0.0, 0.9 and 0.1; at the end 0.0, 0.0 and "
        "0.9. In which layer is it moved to the comma?",
        Option(
            text="In layer 1",
            right=True,
            feedback="Before it all is at the giver, after it nearly all at the comma. Layer 2 brings it to the end.",
        ),
        Option(
            text="In layer 2",
            feedback="What stands before layer 2 was written by earlier layers. Layer 2 moves it on, from the comma to the end.",
        ),
        Option(
            text="In layer 0",
            feedback="What layer 0 has done shows before layer 1: there all is at the giver.",
        ),
        Option(
            text="In layer 3",
            feedback="Before layer 3 it has left the comma already.",
        ),
    ),
    "why-nothing": _ask(
        "Clean: “When Mary and John went to the store, John gave a drink to”. With which corrupted prompt can patching show a role of the "
        "place where “Mary” stands?",
        Option(
            text="When Anna and John went to the store, John gave a drink to",
            right=True,
            feedback="The streams differ from that place on, and the answer with them.",
        ),
        Option(
            text="When Mary and John went to the store, Mary gave a drink to",
            feedback="Up to the giver the runs are equal, so patching earlier changes nothing.",
        ),
        Option(
            text="When Mary and John went to the school, John gave a drink to",
            feedback="“Mary” comes before what differs, so her stream is the same. And the answer does not change.",
        ),
        Option(
            text="Mary and John went to the store, and John gave a drink to",
            feedback="A word is missing in front, so that position 2 no longer means the same in both.",
        ),
    ),
    "nothing-when-denoising": _ask(
        "Denoising head A alone recovers everything. Noising head A alone loses nothing. Which reading fits?",
        Option(
            text="A is enough, but not needed",
            right=True,
            feedback="An OR. In the clean run the other part is still right, so corrupting A does no harm.",
        ),
        Option(
            text="A is needed, but not enough",
            feedback="That is the other way round (AND): noising would show A, denoising would not.",
        ),
        Option(
            text="A is enough and it is needed",
            feedback="Then corrupting it would lose the answer.",
        ),
        Option(
            text="A is not needed nor enough",
            feedback="It brings everything back.",
        ),
    ),
    "ten-million-latents": _ask(
        "Your model has 20 heads, you have 50 pairs of prompts, and the ranking of the heads is what your paper claims. Which experiment?",
        Option(
            text="Exact patches for all, then in the other direction for the top",
            right=True,
            feedback="Twenty forward passes cost nothing, and the claim rests on them. There is nothing to estimate.",
        ),
        Option(
            text="One gradient for all, then exact patches for the top and some others",
            feedback="A good sieve for millions. Here all can be done exactly for less than the trouble.",
        ),
        Option(
            text="The logit lens for all, then exact patches for the top ones",
            feedback="Heads that act through later heads would not be among the top ones.",
        ),
        Option(
            text="A probe at each of them, then exact patches where it reads best",
            feedback="Where it can be read is not where it is used.",
        ),
    ),
    "when-exact-is-worth-it": _ask(
        "Each of these sites has an estimate of its patch's effect. At which is an exact patch most worth its cost?",
        Option(
            text="A key: 0.1 by one gradient, attention there saturated",
            right=True,
            feedback="A saturated softmax has next to no slope, and a large change of a key may still turn it over. That is where false negatives are.",
        ),
        Option(
            text="A value: 2.0 by one gradient, the pattern held fixed",
            feedback="With the pattern held the head is linear in its values, and what bends comes after it. This site is known to be large already.",
        ),
        Option(
            text="A head's output: 1.5 by one gradient, in the last layer",
            feedback="Little comes after it that could bend the curve: one MLP, one LayerNorm.",
        ),
        Option(
            text="An MLP's output: 0.3 by a hundred gradients on its way",
            feedback="Averaged on the way from one value to the other, the estimate has followed the curve.",
        ),
    ),
    "which-ablation": _ask(
        "Zeros in place of a head's output cost the answer 5 logits, its mean over other stories costs 0.1. What is the likely reading of "
        "what it writes?",
        Option(
            text="Much the same in all stories, and counted on",
            right=True,
            feedback="Zeros take the constant away as well. The mean leaves it in, and removes only what is particular to the story.",
        ),
        Option(
            text="Different in each story, and counted on",
            feedback="Then the mean over other stories would cost as much.",
        ),
        Option(
            text="The answer itself, in each of the stories",
            feedback="The answers differ from story to story, so the mean would have lost it.",
        ),
        Option(
            text="Something that works against the answer",
            feedback="Then taking it away would help.",
        ),
    ),
    "probe-against-cause": _ask(
        "On prompts it was not fitted to, a linear probe reads “the giver is male” from a stream at 100 %. What may you claim?",
        Option(
            text="The label can be read along it",
            right=True,
            feedback="Information is one question, use another. Labels without meaning can often be read as well.",
        ),
        Option(
            text="The answer can be moved along it",
            feedback="Nothing was moved. You have held a direction that reads at 100 % and moves nothing.",
        ),
        Option(
            text="No other direction has the label",
            feedback="Other directions were not looked at, and may read as well.",
        ),
        Option(
            text="The answer is made by way of it",
            feedback="It may be a by-product, such as a shared first letter. Untrained networks let probes read a lot.",
        ),
    ),
    "gendered-pronouns": _ask(
        "A plan for the circuit behind “Anna is a doctor. The patients like” … “her”. Thirty sentences, each with “doctor” and with “nurse”; "
        "the logit of “ her” minus that of “ him”; a map by layer and position; then heads, in both directions; new names at the end. Which "
        "part would you change?",
        Option(
            text="The prompts",
            right=True,
            feedback="With “nurse” for “doctor” the right answer is the same, so what is patched is a stereotype. Change the name.",
        ),
        Option(
            text="The metric",
            feedback="It asks which of the two pronouns, and that is the question.",
        ),
        Option(
            text="The order of steps",
            feedback="From coarse to fine is right: the map says where to look for heads.",
        ),
        Option(
            text="The test at the end",
            feedback="New names are what did not suggest the hypothesis.",
        ),
    ),
}
