"""The quick checks of chapter 02 in other words or with other numbers, for review: slug -> wording."""

from mi_tutor.teach.exercise import Option, Wording


def _ask(question: str, *options: Option) -> Wording:
    return Wording(question=question, options=options)


REVIEWS = {
    "around-the-penalty": _ask(
        "Rows are held at length 1, and λ is doubled in the middle of training. The sum of the latents falls, L0 does not, and FVU rises a "
        "little. What happened?",
        Option(
            text="Latents shrank, and rows stayed",
            right=True,
            feedback="Each latent that is on gives up a little: shrinkage. Without the rows held, they could shrink for free, by letting rows grow.",
        ),
        Option(
            text="Latents shrank, and rows grew",
            feedback="Rows are held. If they were not, this would lower the plain penalty for nothing, and FVU would not rise.",
        ),
        Option(
            text="Latents went out, and rows turned",
            feedback="Then L0 would have fallen: it counts the latents that are on.",
        ),
        Option(
            text="Latents stayed, and rows turned",
            feedback="The sum of the latents has fallen, so they did not stay.",
        ),
    ),
    "decoder-row": _ask(
        "On the toy, leave out one part of the training: most of the 32 features are found as well as before, and a few are missed for good. "
        "Which part?",
        Option(
            text="The surplus of latents over features",
            right=True,
            feedback="With 32 for 32 a latent that starts between two features takes both, and nothing is left over for the other.",
        ),
        Option(
            text="The penalty on latents that are on",
            feedback="Without it no row need point along a feature at all.",
        ),
        Option(
            text="The removal of gradients along rows",
            feedback="It keeps lengths out of Adam's memory. No feature is missed for want of it.",
        ),
        Option(
            text="The bias that stands for the mean",
            feedback="Then latents have to say the mean as well. That is not how a feature is missed.",
        ),
    ),
    "l1-shrinkage": _ask(
        "With an L1 penalty a feature that is on at 0.8 comes out at 0.7. It has a latent to itself. What comes out where it is on at 2.0?",
        Option(
            text="About 1.90",
            right=True,
            feedback="The same amount is lost at every size: the optimum is s − λ/2.",
        ),
        Option(
            text="About 1.75",
            feedback="That is the same SHARE. L1 charges the same for each bit of a latent.",
        ),
        Option(
            text="About 2.00",
            feedback="Large values pay the penalty too. They only lose a smaller share of themselves.",
        ),
        Option(
            text="About 1.40",
            feedback="The error grows with the square, and that holds the value up. What pulls it down is λ, the same at every size.",
        ),
    ),
    "dead-or-rare": _ask(
        "All latents of a dictionary are alive, and each is on once in 10,000 tokens. What share of them is silent throughout a batch of "
        "1,024 tokens?",
        Option(
            text="About 90 %",
            right=True,
            feedback="(1 − 1/10,000) to the power of 1,024 is 0.90. Whoever resamples after one batch throws nearly all rare latents away, and those "
            "are what a dictionary is for.",
        ),
        Option(
            text="About 10 %",
            feedback="That is the share that is on somewhere in the batch.",
        ),
        Option(
            text="About 37 %",
            feedback="So it is after 10,000 tokens, where each would have been on once on average.",
        ),
        Option(
            text="About 1 %",
            feedback="A batch has a tenth of the tokens that it takes to see such a latent once.",
        ),
    ),
    "dead-latents-cause": _ask(
        "Which of these keeps latents from dying early in training, and does nothing for one that is dead?",
        Option(
            text="A slower rise of λ",
            right=True,
            feedback="The penalty is weak while latents are finding their place. Once a latent is off everywhere, no λ reaches it.",
        ),
        Option(
            text="Resampled rows",
            feedback="It puts dead latents where the error is large: it is for those that are dead.",
        ),
        Option(
            text="An auxiliary loss",
            feedback="The k largest among the dead have to explain what is left over: it is for those that are dead.",
        ),
        Option(
            text="A longer training",
            feedback="It gives latents more time to die, and a dead one nothing to learn from.",
        ),
    ),
    "choose-lambda": _ask(
        "The penalty counts each latent times the length of its decoder row, as chapter 02 has it. You double all decoder rows of a "
        "dictionary, and halve the encoder's weights and its bias. Which numbers change?",
        Option(
            text="None of the numbers",
            right=True,
            feedback="Every latent is half as large and its row twice as long: the same reconstruction, the same latents on, the same "
            "penalty. So λ means the same whatever the lengths. Without the lengths in the penalty, this would halve it and "
            "change nothing else.",
        ),
        Option(
            text="The total loss only",
            feedback="So it would be with a penalty that does not know the rows' lengths, and training would find this way out.",
        ),
        Option(
            text="L0 and the total loss",
            feedback="A latent is on where it was on: half of a positive number is positive.",
        ),
        Option(
            text="FVU and the total loss",
            feedback="Half of each latent times twice its row is the same reconstruction.",
        ),
    ),
    "dense-at-99": _ask(
        "Expansion 4, L0 is 12 as you wanted, no latent is dead, and FVU is .35 and was falling fast at the last step. What do you change first?",
        Option(
            text="The training (steps, rate)",
            right=True,
            feedback="What the other settings do cannot be judged while the error is on its way down.",
        ),
        Option(
            text="The sparsity (λ or k)",
            feedback="L0 is where you want it, and the error is large already.",
        ),
        Option(
            text="The width (expansion)",
            feedback="That is the next thing to try. First see how good this one gets.",
        ),
        Option(
            text="The data (how varied)",
            feedback="Nothing points to it: on the text at hand it is still learning.",
        ),
    ),
    "why-not-wider": _ask(
        "You widen a dictionary at the same L0. The error falls by a third, and the old latents are on at the same tokens as before. What did "
        "the added ones most likely become?",
        Option(
            text="Concepts that had no latent",
            right=True,
            feedback="What they say was in the error term before. If the error had stayed and old latents had become rarer, it would have been "
            "splitting.",
        ),
        Option(
            text="Finer parts of old concepts",
            feedback="That is splitting, and then the old latents would be on at fewer tokens.",
        ),
        Option(
            text="Second copies of old rows",
            feedback="On beside the first they would take places among the few that may be on, and bring no error down.",
        ),
        Option(
            text="Latents that are never on",
            feedback="They would bring no error down.",
        ),
    ),
    "zero-is-easy": _ask(
        "What a layer writes is nearly the same vector at every token. Its reconstruction recovers 98 % of the loss against zeros. A "
        "colleague: “98 % of what this layer does is in the latents.” Which number tells fastest whether the latents hold more than that "
        "one vector?",
        Option(
            text="Loss recovered, against the mean",
            right=True,
            feedback="The mean has the one vector, so it scores 0 on this scale. Zeros take it away, and whatever puts it back looks good"
            " against them.",
        ),
        Option(
            text="Loss recovered, on more text",
            feedback="It would be 98 % again. More text makes the same average surer.",
        ),
        Option(
            text="Nats lost, by kind of token",
            feedback="It tells where something is lost. The one vector would lose little at most tokens as well.",
        ),
        Option(
            text="Variance left out, on this text",
            feedback="It is a number against the mean, too, but of directions: the model may use few of them. Asked is what the loss says.",
        ),
    ),
    "top-contexts": _ask(
        "A latent's ten highest contexts are all about Texas. On other text it is on at 60 tokens, 20 of them about Texas; 22 tokens are "
        "about Texas in all. How good is the label “Texas”?",
        Option(
            text="Recall is high, precision low",
            right=True,
            feedback="20 of 22, but 20 of 60: where it is on weakly it says other things. Top contexts are a label's best case, and most of the time a "
            "latent is on it is not near its maximum.",
        ),
        Option(
            text="Precision is high, recall low",
            feedback="It misses 2 of 22. But 40 of the 60 tokens on which it is on are about something else.",
        ),
        Option(
            text="Both of them are high",
            feedback="The highest contexts are ten of sixty. A label is a claim about all of them.",
        ),
        Option(
            text="Both of them are low",
            feedback="What counts is the 60 on which it is on, and the 22 about Texas, not all of the text.",
        ),
    ),
    "best-of-many": _ask(
        "A “concept” is 5 of 500 tokens, drawn by lot. Each of 256 latents is on at 5 random tokens. The mean F1 is 0.01. About how high is "
        "the best?",
        Option(
            text="0.20",
            right=True,
            feedback="One hit gives 2 · 1 / (5 + 5). About one latent in twenty has one, so the best of 256 has one almost surely, and now and then "
            "two.",
        ),
        Option(
            text="0.01",
            feedback="On average. You look at the best, and the best of many is lucky.",
        ),
        Option(
            text="0.05",
            feedback="With five tokens on each side there is nothing between 0 and 0.20.",
        ),
        Option(
            text="0.90",
            feedback="Four or five hits of five are far too rare for 256 tries.",
        ),
    ),
    "fair-to-neurons": _ask(
        "Somebody compares latents with neurons, and latents say a concept better. Which of these, found in the code, would take that result away?",
        Option(
            text="Thresholds fitted for latents, 0 for neurons",
            right=True,
            feedback="Then each latent was at its best and no neuron was. A fair table gives each unit its own. (And it tries units one by one: a few "
            "neurons together may say more.)",
        ),
        Option(
            text="Thresholds fitted for neurons, 0 for latents",
            feedback="That is an advantage for neurons. Latents won in spite of it.",
        ),
        Option(
            text="More neurons than latents among the units",
            feedback="More candidates are an advantage too. Latents won in spite of it.",
        ),
        Option(
            text="More texts for marking than for choosing",
            feedback="Both kinds were chosen on the same texts and marked on the same texts.",
        ),
    ),
    "worth-a-latent": _ask(
        "Two models read the same sentences: the first in random order, the second in paragraphs of one theme, each sentence of which is in a "
        "language drawn by lot. In which does it pay to carry “this is French” past the end of a sentence?",
        Option(
            text="In neither",
            right=True,
            feedback="In both the next language is drawn by lot, so what has been says nothing about it. In paragraphs of one LANGUAGE it would pay.",
        ),
        Option(
            text="In the first alone",
            feedback="Its language changes without warning: what has been says nothing about what comes.",
        ),
        Option(
            text="In both alike",
            feedback="Within a sentence it may help in both. Past its end it helps only where the next one depends on it.",
        ),
        Option(
            text="In the second alone",
            feedback="There the THEME so far is news about the next sentence. Its language is not.",
        ),
    ),
    "absorbed": _ask(
        "A dictionary has a latent for Texas and one for Dallas. The row of the second points along Dallas AND along Texas, and what is "
        "rebuilt at questions about Dallas is as good as elsewhere. Which of the two are on there?",
        Option(
            text="The one for Dallas, but not the one for Texas",
            right=True,
            feedback="One latent in place of two, which sparsity rewards: absorption (Chanin et al. 2024). The label “Texas” has a hole, and no look "
            "at its own contexts shows it.",
        ),
        Option(
            text="The one for Texas, but not the one for Dallas",
            feedback="Texas's row says nothing of Dallas, so that part would be missing.",
        ),
        Option(
            text="Both the one for Dallas and the one for Texas",
            feedback="Then Texas would be written twice. So it is where the row for Dallas says Dallas alone.",
        ),
        Option(
            text="Neither the one for Dallas nor the one for Texas",
            feedback="Then something else would have to write both.",
        ),
    ),
    "usable-or-not": _ask(
        "Two dictionaries for the same activations, measured on new text. The first has the lower FVU, and the state can be read from what it "
        "rebuilds. Swaps of a state work through the best latent of the second, and hardly through that of the first. Which number do you "
        "expect to be lower for the first?",
        Option(
            text="The F1 of the best latent",
            right=True,
            feedback="It spreads a state over many latents that say other things as well: all together a faithful copy. What you want is that few "
            "latents carry what you mean, and nothing else.",
        ),
        Option(
            text="The share of loss recovered",
            feedback="A lower error seldom recovers less of the loss. Neither number says whether one part is what you take it for.",
        ),
        Option(
            text="The number of latents on",
            feedback="With more latents on, a lower error is easy to have.",
        ),
        Option(
            text="The variance it explains",
            feedback="That is one minus FVU, so it is higher.",
        ),
    ),
    "what-an-sae-shows": _ask(
        "On new text a latent says “about Texas” with F1 = 0.97. You train the dictionary again from two other seeds: each has a latent "
        "that is on at nearly the same tokens. Which claim does this add?",
        Option(
            text="Another dictionary of this layer would have it as well",
            right=True,
            feedback="Two of two had it. That is a claim about dictionaries of this kind, on this layer, and not yet one about what the "
            "model does with it.",
        ),
        Option(
            text="Questions about Texas can be told from others along it",
            feedback="That is what its F1 says already, with one dictionary.",
        ),
        Option(
            text="Later parts of the model go by it at questions on Texas",
            feedback="Nothing was changed in the model. What every dictionary finds need not be used.",
        ),
        Option(
            text="Nothing else in these activations says “about Texas”",
            feedback="Each of the three dictionaries has one such latent. Whether it has others too was not asked.",
        ),
    ),
}
