"""Quick checks of chapter 04, in the order in which they are met. `reviews` asks each a second time."""

from mi_tutor.teach.exercise import Option, Quiz
from mi_tutor.teach.exercises.patching.reviews import REVIEWS


def _quiz(slug: str, question: str, *options: Option) -> Quiz:
    return Quiz(slug=slug, chapter="04", question=question, options=options, review=REVIEWS[slug])


QUIZZES = (
    _quiz(
        "why-logit-difference",
        "The model gives “ Mary” 60 % and “ John” 40 %, and all other words together less than one in a million. A patch lowers the "
        "logits of ALL names by 3. What do P(“ Mary”) and the difference of the logits of “ Mary” and “ John” do?",
        Option(
            text="The probability and the difference stay",
            right=True,
            feedback="A softmax does not see what is taken from all that count. Had other words a share to win, the probability would "
            "fall and the difference stay: a probability mixes “which name?” with “a name at all?”. The difference asks the one "
            "question.",
        ),
        Option(
            text="The probability falls, the difference stays",
            feedback="So it is as soon as other words have a share to win. Here they have less than one in a million, and win a factor of twenty.",
        ),
        Option(
            text="The probability stays, the difference falls",
            feedback="Both names fall alike, so their difference is what it was.",
        ),
        Option(
            text="The probability and the difference fall",
            feedback="Both names fall by 3: their difference is what it was. And there is next to nothing else that the probability could go to.",
        ),
    ),
    _quiz(
        "why-not-noise",
        "Head X brings up which two people are in the story, head Y tells the giver from the receiver. You corrupt either with strong noise "
        "on all names' embeddings, or with a pair in which the first of the two people is another one, and the same person gives. Which heads "
        "can patching show?",
        Option(
            text="With noise X and Y, with the pair X",
            right=True,
            feedback="The pair changes one known thing and stays on text: who gives is the same, so Y does the same in both. Noise breaks all that "
            "hangs on names, and makes streams that no text makes; Zhang and Nanda 2024 found that the two can point at different components.",
        ),
        Option(
            text="With noise X and Y, with the pair Y",
            feedback="So it would be if the people were the same and the other one gave.",
        ),
        Option(
            text="With noise X, with the pair X and Y",
            feedback="The same person gives in both prompts, so Y does the same in both. And noise breaks what Y reads, too.",
        ),
        Option(
            text="With noise Y, with the pair X and Y",
            feedback="Noise on the names destroys who they are. And in the pair the same person gives.",
        ),
    ),
    _quiz(
        "the-lens-is-dark",
        "Before layer 1, at the last token, the logit lens is dark and patching recovers 0.0. Patching the giver's position before layer 1 "
        "recovers 1.0. Where is what decides the answer?",
        Option(
            text="At another position, and it has not been brought here",
            right=True,
            feedback="At the giver's. Here both methods agree that it is not at the end.",
        ),
        Option(
            text="Here, in directions that the unembedding does not read",
            feedback="Then putting this stream in would recover something.",
        ),
        Option(
            text="Nowhere: it has not been worked out at any position yet",
            feedback="What decides between the two prompts is at the giver's position, all of it.",
        ),
        Option(
            text="Here, where the lens misses it for want of a LayerNorm",
            feedback="The patch does not look through the lens, and it finds nothing here either.",
        ),
    ),
    _quiz(
        "read-the-map",
        "Recovered by patching before layers 1, 2 and 3: at the giver 1.0, 1.0 and 0.1; at the end 0.0, 0.0 and 0.9. In which layer is it "
        "moved from the giver to the end?",
        Option(
            text="In layer 2",
            right=True,
            feedback="Before it all is at the giver, after it nearly all at the end. The stream at the giver still holds it then; little of "
            "it is read there any more (0.1).",
        ),
        Option(
            text="In layer 1",
            feedback="What layer 1 has done shows before layer 2: there all is still at the giver.",
        ),
        Option(
            text="In layer 3",
            feedback="What stands before layer 3 was written by earlier layers.",
        ),
        Option(
            text="In layer 0",
            feedback="What layer 0 has done shows before layer 1: there all is at the giver.",
        ),
    ),
    _quiz(
        "why-nothing",
        "“When Mary and John went to the store, John gave a drink to” is run, and the same with “Mary gave”. At which positions can "
        "patching the stream AFTER the last layer recover anything of the answer?",
        Option(
            text="At the last position, and nowhere else",
            right=True,
            feedback="After the last layer nothing is moved between positions any more, and the answer is read at the last one. In "
            "earlier layers it can be the giver, and what comes after it; before the giver it is nothing in any layer: up to "
            "there the two runs are equal.",
        ),
        Option(
            text="At the giver, and after it",
            feedback="That is where the streams differ. But what stands there after the last layer is read for the next word THERE.",
        ),
        Option(
            text="At the two names, and at the giver",
            feedback="At the two names the runs are equal, in all layers. And no attention follows that could bring the giver to the end.",
        ),
        Option(
            text="At the two names, and after them",
            feedback="At the names the runs are equal. Elsewhere they differ, but no attention follows that could bring it to the end.",
        ),
    ),
    _quiz(
        "nothing-when-denoising",
        "Denoising head A alone recovers nothing. Noising head A alone loses everything. Which reading fits?",
        Option(
            text="A is needed, but not enough",
            right=True,
            feedback="An AND. In the corrupted run the other part is missing, so bringing A back does not help.",
        ),
        Option(
            text="A is enough, but not needed",
            feedback="That is the other way round (OR): denoising would show A, noising would not.",
        ),
        Option(
            text="A is enough and it is needed",
            feedback="Then bringing it back would recover the answer.",
        ),
        Option(
            text="A is not needed nor enough",
            feedback="Losing everything is no small effect. Noising here means the other prompt's activation, not noise from outside.",
        ),
    ),
    _quiz(
        "ten-million-latents",
        "One gradient has ranked ten million latents by their estimated effect on one answer. You patch the top thousand exactly: all "
        "agree with their estimates. What do you still not know?",
        Option(
            text="How many of the low ones are large",
            right=True,
            feedback="You looked where the estimate is high. A false negative is where it is low: patch some of the others exactly, drawn"
            " at random and from where attention is saturated.",
        ),
        Option(
            text="How many of the top ones are small", feedback="None: their exact patches agree."
        ),
        Option(
            text="Which way the top ones push the answer",
            feedback="Estimate and exact patch have a sign, and they agree.",
        ),
        Option(
            text="How much the top ones do, one at a time",
            feedback="That is what an exact patch of each has measured. What they do together is another question.",
        ),
    ),
    _quiz(
        "when-exact-is-worth-it",
        "Each of these sites has an estimate of its patch's effect. Which estimate would you trust without an exact patch?",
        Option(
            text="An MLP's output: 0.3 by a hundred gradients on its way",
            right=True,
            feedback="Along one site's own way the mean slope times the step IS the change, but for the size of the steps.",
        ),
        Option(
            text="A value: 2.0 by one gradient, the pattern held fixed",
            feedback="The head is linear then, but MLPs and LayerNorm come after it.",
        ),
        Option(
            text="A head's output: 1.5 by one gradient, in the last layer",
            feedback="Better than most, and a large change may still be bent by the last MLP and LayerNorm.",
        ),
        Option(
            text="A key: 0.1 by one gradient, attention there saturated",
            feedback="The least of all: the slope there says next to nothing.",
        ),
    ),
    _quiz(
        "which-ablation",
        "Zeros in place of a head's output cost the answer 5 logits, its mean over other stories costs 4.9. What is the likely reading of "
        "what it writes?",
        Option(
            text="Different in each story, and counted on",
            right=True,
            feedback="The mean keeps what is common to stories, and that is no help here.",
        ),
        Option(
            text="Much the same in all stories, and counted on",
            feedback="Then its mean could stand in for it.",
        ),
        Option(
            text="The same in all stories, and never counted on",
            feedback="Then neither would cost anything.",
        ),
        Option(
            text="Something that works against the answer",
            feedback="Then taking it away would help.",
        ),
    ),
    _quiz(
        "probe-against-cause",
        "A colleague gives you a direction for “the giver is male”. You read nothing along it. You exchange a stream's part along it between "
        "prompts: the answer follows in 95 % of them, with random directions in none. What may you claim?",
        Option(
            text="The answer can be moved along it",
            right=True,
            feedback="An intervention, with controls. Whether it is THE direction of the model is open: a mixture of a used and an unused one moves "
            "the output too (Makelov et al. 2023).",
        ),
        Option(
            text="The label can be read along it",
            feedback="Likely, and not measured: nobody has looked at what stands along it.",
        ),
        Option(
            text="The answer can be moved along it alone",
            feedback="Only this one was exchanged. Others may do as much.",
        ),
        Option(
            text="The answer is made by way of it",
            feedback="What moves the answer may still be a mixture, of which a part does the work.",
        ),
    ),
    _quiz(
        "gendered-pronouns",
        "A plan for the circuit behind “Anna is a doctor. The patients like” … “her”. Thirty sentences, each with Anna and with Henry; the "
        "probability of “ her”; a map by layer and position; then heads, in both directions; new names at the end. Which part would you "
        "change?",
        Option(
            text="The metric",
            right=True,
            feedback="A probability falls with any damage, and near 1 it hardly moves. The logit of “ her” minus that of “ him” asks which of the two. "
            "The rest goes from coarse to fine and ends with a test.",
        ),
        Option(
            text="The prompts",
            feedback="One thing changes and the right answer with it, as it should.",
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
)
