"""Quick checks of chapter 02, in the order in which they are met."""

from mi_tutor.teach.exercise import Option, Quiz


def _quiz(slug: str, question: str, *options: Option) -> Quiz:
    return Quiz(slug=slug, chapter="02", question=question, options=options)


QUIZZES = (
    _quiz(
        "around-the-penalty",
        "A dictionary is trained with the plain penalty λ Σ f_i, and nothing holds the decoder's rows. The penalty falls and falls, L0 does not, and "
        "the reconstruction is as good as ever. What happened?",
        Option(
            text="The latents were halved and the rows doubled, again and again: the same reconstruction, a smaller sum.",
            right=True,
            feedback="The product f_i W_dec[i] is all that the reconstruction sees. Weighting f_i with the length of its row, or holding rows at length "
            "1, closes that way.",
        ),
        Option(
            text="λ is too small to matter.",
            feedback="Then the penalty would not fall. It falls because there is a way to lower it that costs nothing.",
        ),
        Option(
            text="The dictionary has become sparser, as it should.",
            feedback="L0 says that as many latents are on as before. A smaller sum can be fewer latents or smaller ones.",
        ),
    ),
    _quiz(
        "decoder-row",
        "Why does a decoder row mean something, when a direction in the residual stream, picked at random, does not?",
        Option(
            text="Because the decoder is trained to have rows at right angles.",
            feedback="Nothing asks for that, and with more latents than dimensions it cannot be.",
        ),
        Option(
            text="Because few latents may be on at once, the cheapest rows are the directions that the data is really made of.",
            right=True,
            feedback="Any rotated set of rows would reconstruct as well with MORE latents on. Sparsity is what singles these out, as far as features are "
            "sparse. So it is evidence, and the toy, where the answer is known, is where to test it.",
        ),
        Option(
            text="Because the model has a weight matrix with the same rows.",
            feedback="A dictionary sees activations only, never the model's weights.",
        ),
    ),
    _quiz(
        "l1-shrinkage",
        "A dictionary with an L1 penalty found every feature, and yet its reconstructions are too short: a feature that is on at 0.8 comes out at 0.7. "
        "Why?",
        Option(
            text="The latents are dead some of the time.",
            feedback="A latent that is off gives 0, not nine tenths.",
        ),
        Option(
            text="The decoder's rows have length 1, which cuts long activations off.",
            feedback="The length of a row limits nothing: the latent's value makes up for it.",
        ),
        Option(
            text="The penalty charges for every bit of a latent's value, so a little less is always cheaper: shrinkage.",
            right=True,
            feedback="At the optimum a small error is worth the saving, for every latent that is on. TopK has no penalty and JumpReLU's counts latents "
            "without weighing them, so neither shrinks.",
        ),
    ),
    _quiz(
        "dead-or-rare",
        "In one batch of 1,024 tokens, 90 % of a dictionary's latents are off throughout. What follows?",
        Option(
            text="Nothing yet: a latent for something that comes once in 10,000 tokens is off in nine of ten such batches.",
            right=True,
            feedback="Dead is a statement about a window that is long against the rarest feature you hope for. That is why silence is counted over "
            "batches.",
        ),
        Option(
            text="90 % are dead and should be resampled at once.",
            feedback="You would throw away every rare latent, and those are what a dictionary is for.",
        ),
        Option(
            text="The dictionary is ten times too wide.",
            feedback="Sparse is what it is meant to be. How many are NEVER on is the question, and one batch cannot tell.",
        ),
    ),
    _quiz(
        "dead-latents-cause",
        "30 % of the latents are dead. You lowered λ, and they stayed dead. The likely cause?",
        Option(
            text="λ has to be lowered much further.",
            feedback="A latent that is never on gets no gradient, neither from the reconstruction nor from the penalty. No λ reaches it.",
        ),
        Option(
            text="They began where no data is, or were pushed there early, and without a gradient nothing brings them back: resample, or add an auxiliary "
            "loss.",
            right=True,
            feedback="A bad start, a learning rate or a λ that is too strong at first are how latents die; a warm-up keeps more of them alive. Once they "
            "are dead, only something that reaches latents that are off helps.",
        ),
        Option(
            text="The data has fewer features than the dictionary has latents.",
            feedback="Possible, and then reviving them would not lower the error. But it is the last explanation, after ruling out that they simply "
            "cannot move.",
        ),
    ),
    _quiz(
        "choose-lambda",
        "L1 against reconstruction: how do you choose λ?",
        Option(
            text="So that both terms of the loss are equally large.",
            feedback="Their sizes depend on units and on the number of dimensions. Equal is a coincidence, not a goal.",
        ),
        Option(
            text="The largest λ at which the reconstruction is still perfect.",
            feedback="There is none: the smallest λ costs some reconstruction. You choose a point on a curve.",
        ),
        Option(
            text="Train a few, look at L0 against what is lost, take the λ for an L0 that can be read; then look at latents.",
            right=True,
            feedback="The curve shows what each latent buys. Where on it to be depends on the use: fewer latents to read, more to steer without an error "
            "term. And neither axis says whether latents mean something.",
        ),
        Option(
            text="The λ with the lowest total loss.",
            feedback="The total loss has λ in it: a smaller λ always gives a smaller one. Losses of different λ cannot be compared.",
        ),
    ),
    _quiz(
        "dense-at-99",
        "Expansion 4, 99 % of the variance reconstructed, and most latents are on in a third of all tokens. What do you change first?",
        Option(
            text="The expansion: more latents make it sparser.",
            feedback="Perhaps, later. With nothing that asks for sparsity, more latents are only more dense ones.",
        ),
        Option(
            text="The sparsity: a larger λ, or a smaller k.",
            right=True,
            feedback="99 % with dense latents is a rotated copy of the activation: there is room to give reconstruction up. Make it sparse, look at the "
            "curve, and widen it if the price is too high.",
        ),
        Option(
            text="The learning rate: it has not converged.",
            feedback="It reconstructs 99 %. What it was asked to do it does; it was asked for the wrong thing.",
        ),
        Option(
            text="Nothing: 99 % is excellent.",
            feedback="The identity has 100 %. Reconstruction alone is no goal.",
        ),
    ),
    _quiz(
        "why-not-wider",
        "Wider dictionaries reconstruct better at the same L0. Why not take an expansion of 1000?",
        Option(
            text="It is impossible: there cannot be more latents than dimensions.",
            feedback="There can, and there are. That is the point of a dictionary for superposition.",
        ),
        Option(
            text="Cost, dead latents, and splitting: one concept falls into many latents, each so rare that hardly any data teaches it.",
            right=True,
            feedback="In the limit every text has a latent of its own, the reconstruction is perfect, and nothing is explained. Width chooses how fine the "
            "description is.",
        ),
        Option(
            text="Wide dictionaries cannot be sparse.",
            feedback="L0 does not depend on width; k of 1000 d is as possible as k of 4 d.",
        ),
    ),
    _quiz(
        "zero-is-easy",
        "A reconstruction of what layer 2's attention writes recovers 98 % of the loss, against zeros. A colleague says: “so 98 % of what this layer does is in "
        "these latents”. What do you answer?",
        Option(
            text="Right: that is what loss recovered measures.",
            feedback="It measures a share of a large number: the damage that zeros do. In the table above, an activation with as much noise as signal gets "
            "nearly as high a share.",
        ),
        Option(
            text="Zeros do so much damage that a high share comes cheaply. Look at the nats that are lost, and at which tokens.",
            right=True,
            feedback="Noise as large as what there is to explain recovers most of the loss, too. And the tokens that depend on what is missing may be few, "
            "and lost completely: an average hides that.",
        ),
        Option(
            text="The true share is lower, because BOS was left as it is.",
            feedback="One position of a hundred, whose activation hardly says anything about the text.",
        ),
    ),
    _quiz(
        "top-contexts",
        "The ten highest contexts of a latent are all Texan cities. You call it “Texas”. What is missing?",
        Option(
            text="More of the highest: a hundred instead of ten.",
            feedback="That is more of the same end. Where is it on weakly?",
        ),
        Option(
            text="A look at where it is on WEAKLY, and at Texan cities where it is off.",
            right=True,
            feedback="Most of the time a latent is on, it is not near its maximum, and there it may say something else: precision. And whether it is on "
            "at all of Texas is recall. Top contexts show neither.",
        ),
        Option(
            text="Nothing: top contexts are what a latent means.",
            feedback="They are the best case that can be made for a label. A label is a claim about all tokens that it is marked on.",
        ),
    ),
    _quiz(
        "best-of-many",
        "For a concept that nobody trained for, you pick the best of 256 latents by F1 on 500 tokens and report that F1. What is wrong?",
        Option(
            text="Nothing: F1 takes care of rare concepts.",
            feedback="It does, and that is not the problem. How many candidates were there?",
        ),
        Option(
            text="The F1 should be averaged over all latents.",
            feedback="Most latents are about other things; their F1 here says nothing about the one you picked.",
        ),
        Option(
            text="The best of 256 looks good by chance on the texts that it was picked on: mark it on others.",
            right=True,
            feedback="Choosing is a kind of training. The rarer the concept and the more candidates, the more luck is in it.",
        ),
    ),
    _quiz(
        "fair-to-neurons",
        "Latents beat neurons in your table. Which objection would be fair?",
        Option(
            text="Neurons got a threshold of their own, and latents did too.",
            feedback="That is what makes it fair: each unit at its best.",
        ),
        Option(
            text="Only one layer's neurons were tried, and one by one: another layer's might do better, or a few neurons together.",
            right=True,
            feedback="It can be tested, so test it before you say why latents win. The number of candidates is no objection here: there are more neurons than "
            "latents, and random directions do no better.",
        ),
        Option(
            text="F1 favours latents because they are never negative.",
            feedback="With a threshold of its own a unit's zero does not matter.",
        ),
    ),
    _quiz(
        "worth-a-latent",
        "Predict, before you look. When the text comes in paragraphs, which languages and kinds of text get a latent that says them better?",
        Option(
            text="None: the sentences are the same, word by word.",
            feedback="The sentences are, but not what they say about the next one. A model keeps what helps to predict.",
        ),
        Option(
            text="Above all those that single words do not give away, such as French: it pays now to carry along what the words before have said.",
            right=True,
            feedback="That is a prediction that can fail: the table below may show no difference, or the same one for all.",
        ),
        Option(
            text="All of them alike, since all of them come in paragraphs now.",
            feedback="Where a token and its neighbours say what kind of text it is, as in DNA, there is less to gain from what came before.",
        ),
    ),
    _quiz(
        "absorbed",
        "A latent is on at answers about Texas and its cities, all but one: at questions about Dallas it is silent. The model answers them. What is the likely reason?",
        Option(
            text="A latent for Dallas has “Texas” in its own row: one latent in place of two, which sparsity rewards.",
            right=True,
            feedback="Absorption (Chanin et al. 2024). The label “Texas” has a hole at an arbitrary place, and no look at the latent's own contexts shows "
            "it.",
        ),
        Option(
            text="The dictionary was not trained long enough.",
            feedback="Longer training makes absorption more likely, not less: absorbing lowers the loss.",
        ),
        Option(
            text="The latent is dead on Dallas.",
            feedback="Dead means never on, anywhere. This one is on at all other Texan cities.",
        ),
    ),
    _quiz(
        "usable-or-not",
        "Two dictionaries for the same activations. The first has the lower FVU. Swaps of a state work through the latents of the second, and hardly "
        "through those of the first. How can that be?",
        Option(
            text="FVU is measured wrongly for one of them.",
            feedback="Measured alike, on the same tokens. It answers another question.",
        ),
        Option(
            text="The first spreads each state over many latents that mean other things as well; all together they are a faithful copy.",
            right=True,
            feedback="A copy of the activation in another basis has FVU 0 and is no easier to use than the activation. What you want is that few latents "
            "carry what you mean, and nothing else.",
        ),
        Option(
            text="Its error term does the work.",
            feedback="Its error term is the smaller one of the two.",
        ),
    ),
    _quiz(
        "what-an-sae-shows",
        "You found a latent that says “about Texas” with F1 = 0.97. What have you shown?",
        Option(
            text="That the model uses the concept Texas.",
            feedback="The latent was read, not changed. What is there need not be used: chapter 05 asks that.",
        ),
        Option(
            text="That there is a direction along which questions about Texas can be told from others, and that a sparse description of the "
            "activations has it as a part.",
            right=True,
            feedback="A real observation about the activations. That the model uses it, and that nothing else carries it, are two further claims, and each "
            "needs an experiment.",
        ),
        Option(
            text="That the model has one neuron for Texas, in another basis.",
            feedback="A latent is a unit of the dictionary, not of the model. Another dictionary may cut the same activations otherwise.",
        ),
    ),
)
