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
        "Before layer 3, at the last token, a colleague's lens gives all words nearly the same probability: it multiplies the stream by "
        "the unembedding, and that is all. Patching the clean stream in at this place recovers 0.9, and your lens has the answer first by"
        " far. Where is what decides the answer?",
        Option(
            text="Here, where the lens misses it for want of a LayerNorm",
            right=True,
            feedback="The stream is short here, so its raw logits are small and the softmax is flat. The last LayerNorm brings it to the "
            "length that the unembedding knows.",
        ),
        Option(
            text="Here, in directions that the unembedding does not read",
            feedback="Then your lens would be dark as well: it reads with the same unembedding.",
        ),
        Option(
            text="At another position, and it has not been brought here",
            feedback="Then putting this one stream in would not recover it.",
        ),
        Option(
            text="Nowhere: it has not been worked out at any position yet",
            feedback="What decides it was in the stream that you put in, and your lens reads it there.",
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
        "Denoising head A alone recovers everything. Noising head A alone loses everything. Which reading fits?",
        Option(
            text="A is enough and it is needed",
            right=True,
            feedback="All of it goes through A, and nothing else has to come with it. Neither an AND nor an OR: with those, one of the "
            "two experiments shows nothing.",
        ),
        Option(
            text="A is enough, but not needed",
            feedback="With an OR, the other part is still right in the clean run, and noising A would lose nothing.",
        ),
        Option(
            text="A is needed, but not enough",
            feedback="With an AND, the other part is still wrong in the corrupted run, and denoising A would recover nothing.",
        ),
        Option(
            text="A is not needed nor enough",
            feedback="It brings everything back, and nothing is left without it.",
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
        "Each of these sites has an estimate of its patch's effect. For which can nothing but one MLP and the last LayerNorm have bent "
        "the curve that the estimate takes for straight?",
        Option(
            text="A head's output: 1.5 by one gradient, in the last layer",
            right=True,
            feedback="After it come the MLP of its layer and the last LayerNorm, and that is all. Little left to go wrong, though not nothing.",
        ),
        Option(
            text="A value: 2.0 by one gradient, the pattern held fixed",
            feedback="In its own head all is straight then. What comes in later layers is not held.",
        ),
        Option(
            text="A key: 0.1 by one gradient, attention there saturated",
            feedback="A softmax bends before anything else does: a saturated one has next to no slope, and may still turn over.",
        ),
        Option(
            text="An MLP's output: 0.3 by a hundred gradients on its way",
            feedback="The hundred follow the curve, so it is trustworthy. But later attention and MLPs do bend it.",
        ),
    ),
    "which-ablation": _ask(
        "Zeros in place of a head's output RAISE the answer's logit by 0.8, its mean over other stories raises it by 0.7. What is the "
        "likely reading of what it writes?",
        Option(
            text="Something that works against the answer",
            right=True,
            feedback="It gets better without it, whichever way you take it out. Such heads exist in language models too: Wang et al. 2022"
            " call theirs negative name movers.",
        ),
        Option(
            text="Much the same in all stories, and counted on",
            feedback="Then the mean would put it back, and change next to nothing.",
        ),
        Option(
            text="Different in each story, and counted on",
            feedback="Then the answer would lose without it.",
        ),
        Option(
            text="The answer itself, in each of the stories",
            feedback="Then its logit would fall without it.",
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
