"""Quick checks of chapter 02, in the order in which they are met. `reviews` asks each a second time."""

from mi_tutor.teach.exercise import Option, Quiz
from mi_tutor.teach.exercises.dictionaries.reviews import REVIEWS


def _quiz(slug: str, question: str, *options: Option) -> Quiz:
    return Quiz(slug=slug, chapter="02", question=question, options=options, review=REVIEWS[slug])


QUIZZES = (
    _quiz(
        "around-the-penalty",
        "A dictionary is trained with the penalty λ Σ f_i ‖W_dec,i‖. The penalty falls, L0 falls with it, and FVU rises a little. What happened?",
        Option(
            text="Latents went out, and rows stayed",
            right=True,
            feedback="Where the row's length is in the penalty, saving costs something: fewer latents, more error.",
        ),
        Option(
            text="Latents shrank, and rows grew",
            feedback="Halve f_i, double the row, and this penalty is what it was: the weight closes that way around. And L0 would not fall.",
        ),
        Option(
            text="Latents shrank, and rows stayed",
            feedback="Then the same ones would be on as before. L0 has fallen.",
        ),
        Option(
            text="Latents stayed, and rows turned",
            feedback="L0 has fallen, so latents did not stay.",
        ),
    ),
    _quiz(
        "decoder-row",
        "Random rows do not point along features, a trained dictionary's do. Leave out one part of the training, and they no longer do, "
        "though the reconstruction is as good or better. Which part?",
        Option(
            text="The penalty on latents that are on",
            right=True,
            feedback="Without it, countless sets of rows reconstruct equally well, a rotated copy of the activation among them. Sparsity singles out "
            "the data's own directions, as far as features are sparse.",
        ),
        Option(
            text="The removal of gradients along rows",
            feedback="It keeps lengths out of Adam's memory. Directions are learned without it as well.",
        ),
        Option(
            text="The surplus of latents over features",
            feedback="Fewer latents miss some features. Those that are found are found as before.",
        ),
        Option(
            text="The bias that stands for the mean",
            feedback="Then a latent or two that are always on say the mean. The others mean what they did.",
        ),
    ),
    _quiz(
        "l1-shrinkage",
        "With an L1 penalty and λ = 0.2 a feature that is on at 0.8 comes out at 0.7. It has a latent to itself. You train again with λ = "
        "0.4. What comes out now?",
        Option(
            text="About 0.6",
            right=True,
            feedback="For one feature (s − f)² + λ f is smallest at f = s − λ/2: shrinkage (feature suppression in Wright and Sharkey 2024). TopK has "
            "no penalty, JumpReLU's counts latents without weighing them: neither shrinks.",
        ),
        Option(
            text="About 0.7",
            feedback="The missing 0.1 was the penalty's doing, and the penalty has doubled.",
        ),
        Option(
            text="About 0.4",
            feedback="Half of it would be lost if the value went with 1/λ. It is the loss that doubles, from 0.1 to 0.2.",
        ),
        Option(
            text="About 0.8",
            feedback="A larger penalty holds values down more, not less.",
        ),
    ),
    _quiz(
        "dead-or-rare",
        "You hope for latents as rare as one token in 10,000. Which is the shortest silence after which you would call a latent dead?",
        Option(
            text="100,000 tokens",
            right=True,
            feedback="By chance such a latent is silent that long once in 20,000 cases. Dead is a statement about a window that is long against the "
            "rarest feature.",
        ),
        Option(
            text="10,000 tokens",
            feedback="It would have been on once by then, on average. By chance more than a third of such latents are silent that long.",
        ),
        Option(
            text="1,000 tokens",
            feedback="Nine of ten such latents are silent that long, and all of them are alive.",
        ),
        Option(
            text="10,000,000 tokens",
            feedback="That is safe, and a hundred times longer than need be: all that time nothing would revive it.",
        ),
    ),
    _quiz(
        "dead-latents-cause",
        "30 % of the latents are dead. Look at one that is about to die: at one sample of the batch it is on, just above 0, and the error"
        " there is at right angles to its row. Through which term of the loss does its activation get a gradient from this sample?",
        Option(
            text="Through the penalty alone",
            right=True,
            feedback="The reconstruction's gradient is the error along the row, which is 0 here; the penalty pushes down, and the latent "
            "goes off. Off at every sample, it gets a gradient from neither term, at any λ: so a smaller λ brings no dead latent"
            " back. Resampling or an auxiliary loss reaches those that are off.",
        ),
        Option(
            text="Through neither of the two",
            feedback="That is how it will be once it is off. While it is on, the penalty counts it.",
        ),
        Option(
            text="Through the reconstruction alone",
            feedback="A little more of this row makes the error neither smaller nor larger, to first order: the two are at right angles.",
        ),
        Option(
            text="Through both, more so at a smaller λ",
            feedback="The reconstruction's gradient is the error along the row, and the error has nothing along it. And a smaller λ makes"
            " the penalty's weaker.",
        ),
    ),
    _quiz(
        "choose-lambda",
        "On a toy with about eight features on per sample, four runs differ in λ only. L0 is 60, 20, 8 and 3, FVU .08, .12, .25 and .60. The "
        "total loss is lowest in the first, its two terms are equal in the second. You want latents that mean one thing. Which run do you "
        "look at first?",
        Option(
            text="The one with an L0 of 8",
            right=True,
            feedback="A dictionary that may use many more latents than there are features mixes them, and reconstructs better for it. The curve says "
            "what a latent buys; the use decides, then a look at latents.",
        ),
        Option(
            text="The one with an L0 of 20",
            feedback="That the terms are equal depends on units and on the number of dimensions. It is a coincidence.",
        ),
        Option(
            text="The one with an L0 of 60",
            feedback="The total loss has λ in it, so the smallest λ always has the lowest one.",
        ),
        Option(
            text="The one with an L0 of 3",
            feedback="Fewer latents than features leave out most of what there is: FVU .60.",
        ),
    ),
    _quiz(
        "dense-at-99",
        "Expansion 4, FVU .01, and most latents are on in a third of all tokens. What do you change first, to get latents that mean something?",
        Option(
            text="The sparsity (λ or k)",
            right=True,
            feedback="FVU .01 with dense latents is a rotated copy of the activation. There is error to spend: make it sparse, look at the curve, then "
            "widen if the price is too high.",
        ),
        Option(
            text="The width (expansion)",
            feedback="Perhaps later. With so little that asks for sparsity, more latents are only more dense ones.",
        ),
        Option(
            text="The training (steps, rate)",
            feedback="It reconstructs 99 %. What it was asked to do it does; it was asked for the wrong thing.",
        ),
        Option(
            text="The data (how varied)",
            feedback="With a third of all latents on, nothing makes them say one thing each, whatever the text.",
        ),
    ),
    _quiz(
        "why-not-wider",
        "The expansion goes from 4 to 1000, at the same L0 and on the same data. What happens to the error, and to the number of samples that "
        "teach each latent?",
        Option(
            text="The error falls, and so does the number",
            right=True,
            feedback="Concepts fall into many rare latents that little data teaches; memory and dead latents come on top. In the limit each text has a "
            "latent of its own, and nothing is explained.",
        ),
        Option(
            text="The error falls, and the number rises",
            feedback="As many are on per sample as before, and there are 250 times as many of them.",
        ),
        Option(
            text="The error rises, and the number falls",
            feedback="A wider dictionary can do all that a narrow one does.",
        ),
        Option(
            text="The error rises, and so does the number",
            feedback="A wider one can do all that a narrow one does, and its latents are on more rarely.",
        ),
    ),
    _quiz(
        "zero-is-easy",
        "Zeros in place of a layer's output cost 4.0 nats per token on average, its reconstruction costs 0.08. What share of the loss is "
        "recovered, and how much is lost where it counts, if one token in a hundred bears it all?",
        Option(
            text="98 %, and 8 nats there",
            right=True,
            feedback="(4.0 − 0.08) / 4.0, and 0.08 · 100. An average does not say whether every token lost a little or a few lost everything.",
        ),
        Option(text="98 %, and 0.8 nats there", feedback="A hundred times 0.08 is 8."),
        Option(text="92 %, and 8 nats there", feedback="The share is (4.0 − 0.08) / 4.0."),
        Option(
            text="92 %, and 0.8 nats there",
            feedback="The share is (4.0 − 0.08) / 4.0, and a hundred times 0.08 is 8.",
        ),
    ),
    _quiz(
        "top-contexts",
        "A latent's ten highest contexts are all about Texas. On other text it is on at 60 tokens, 15 of them about Texas; 60 tokens are "
        "about Texas in all. How good is the label “Texas”?",
        Option(
            text="Both of them are low",
            right=True,
            feedback="Precision 15 of 60, recall 15 of 60, and still ten of ten at the top. What it does when it is weaker, and which "
            "tokens it misses, its highest contexts cannot show: look at where it is a little on, and at Texas where it is off.",
        ),
        Option(
            text="Precision is high, recall low",
            feedback="Of the 60 tokens on which it is on, 15 are about Texas.",
        ),
        Option(
            text="Recall is high, precision low",
            feedback="Of the 60 tokens about Texas it is on at 15.",
        ),
        Option(
            text="Both of them are high",
            feedback="That is what the ten highest contexts look like. It is on at 45 other tokens, and off at 45 that are about Texas.",
        ),
    ),
    _quiz(
        "best-of-many",
        "Of 256 latents one has the best F1 for a concept on 500 tokens: 0.62. On 500 other tokens this one has 0.41, and another latent has "
        "the best F1 there, 0.44. Which F1 do you report?",
        Option(
            text="0.41",
            right=True,
            feedback="The one that was chosen, on tokens that had no part in the choice. Choosing is a kind of training: the rarer the concept and the "
            "more candidates, the more luck is in the best.",
        ),
        Option(
            text="0.44",
            feedback="That is the best of many again, lucky on the tokens on which it was picked.",
        ),
        Option(
            text="0.62",
            feedback="Its luck is in this number: it was picked because it was high here.",
        ),
        Option(
            text="0.52",
            feedback="A mean of a number with luck in it and one without.",
        ),
    ),
    _quiz(
        "fair-to-neurons",
        "Somebody compares latents with neurons in another model, and neurons say a concept better. Which of these, found in the code, would "
        "take that result away?",
        Option(
            text="Thresholds fitted for neurons, 0 for latents",
            right=True,
            feedback="Then each neuron was at its best and no latent was. A fair table gives each unit its own threshold, as yours does.",
        ),
        Option(
            text="Thresholds fitted for latents, 0 for neurons",
            feedback="That is an advantage for latents. Neurons won in spite of it.",
        ),
        Option(
            text="More latents than neurons among the units",
            feedback="More candidates are an advantage too. Neurons won in spite of it.",
        ),
        Option(
            text="More texts for marking than for choosing",
            feedback="Both kinds were chosen on the same texts and marked on the same texts.",
        ),
    ),
    _quiz(
        "worth-a-latent",
        "Predict, before you look. When text comes in paragraphs of one kind, what gets a latent that says it better than before?",
        Option(
            text="French above all",
            right=True,
            feedback="Single words do not always give it away, so it pays now to carry along what the words before have said. A prediction that can "
            "fail: look at the table.",
        ),
        Option(
            text="DNA above all",
            feedback="Nearly each of its tokens says that it is DNA. There is less to gain from what came before.",
        ),
        Option(
            text="All kinds alike",
            feedback="All come in paragraphs, but some need the past to be told, others do not.",
        ),
        Option(
            text="None of the kinds",
            feedback="The sentences are the same. What they say about the next one is not, and a model keeps what helps to predict.",
        ),
    ),
    _quiz(
        "absorbed",
        "A dictionary has a latent for Texas and one for Dallas. The row of the second points along Dallas alone, and what is rebuilt at "
        "questions about Dallas is as good as elsewhere. Which of the two are on there?",
        Option(
            text="Both the one for Dallas and the one for Texas",
            right=True,
            feedback="Each says its own part. It costs two latents, which is why sparsity rewards a row for Dallas that brings Texas along: absorption "
            "(Chanin et al. 2024).",
        ),
        Option(
            text="The one for Dallas, but not the one for Texas",
            feedback="Then nobody writes Texas. That would do only if the row for Dallas brought it along.",
        ),
        Option(
            text="The one for Texas, but not the one for Dallas",
            feedback="Texas's row says nothing of Dallas, so that part would be missing.",
        ),
        Option(
            text="Neither the one for Dallas nor the one for Texas",
            feedback="Then something else would have to write both.",
        ),
    ),
    _quiz(
        "usable-or-not",
        "A “dictionary” has two latents for each axis of the activation, one per sign. Its FVU is 0. You swap the best latent of one state "
        "for that of another. Which answer do you expect in most cases?",
        Option(
            text="The first state's",
            right=True,
            feedback="One axis holds a small part of a state, and of much else. A perfect copy in another basis is no easier to use than the "
            "activation itself.",
        ),
        Option(
            text="The second state's",
            feedback="With FVU 0 nothing is lost in the sum. The swap changes one part of the sum.",
        ),
        Option(
            text="Some third state's",
            feedback="The activation moves along one axis, a little. It will seldom come near a third state.",
        ),
        Option(
            text="No state's at all",
            feedback="Changing one or two axes of many does not take the answer apart.",
        ),
    ),
    _quiz(
        "what-an-sae-shows",
        "At questions about Texas you take out what a latent writes, and 40 % of the answers become wrong. At other questions nothing "
        "changes, nor does it for other latents of that size. Which claim does this add to an F1 of 0.97?",
        Option(
            text="Later parts of the model go by it at questions on Texas",
            right=True,
            feedback="An intervention, with controls. Reading alone could not say that.",
        ),
        Option(
            text="Questions about Texas can be told from others along it",
            feedback="The F1 said that already.",
        ),
        Option(
            text="Nothing else in these activations says “about Texas”",
            feedback="60 % of the answers are still right. Something else carries it too.",
        ),
        Option(
            text="Another dictionary of this layer would have it as well",
            feedback="No other dictionary was looked at.",
        ),
    ),
)
