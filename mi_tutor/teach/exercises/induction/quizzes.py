"""Quick checks of chapter 03, in the order in which they are met."""

from mi_tutor.teach.exercise import Option, Quiz


def _quiz(slug: str, question: str, *options: Option) -> Quiz:
    return Quiz(slug=slug, chapter="03", question=question, options=options)


QUIZZES = (
    _quiz(
        "paris-again",
        "“The city of Paris is in France. I visited Paris”. Which next word does an induction head raise?",
        Option(
            text="“France”: that is what Paris was linked with.",
            feedback="That would be knowing what the sentence says. An induction head knows only the order of words, and “France” did not come "
            "directly after “Paris”.",
        ),
        Option(
            text="“is”: it came after Paris the first time.",
            right=True,
            feedback="It finds the earlier “Paris”, looks one position further, and raises what stands there, whether or not that makes sense "
            "here. Other parts of the model may overrule it.",
        ),
        Option(
            text="“Paris”: it is the token that the head has found.",
            feedback="That would be saying the repeated word once more. An induction head looks at the token AFTER the earlier copy.",
        ),
    ),
    _quiz(
        "first-word-of-the-copy",
        "The loss on the second block is nearly 0, except on its FIRST word, where it is about as high as in the first block. Why?",
        Option(
            text="The model needs a word to warm up: its first prediction in a block is always worse.",
            feedback="Nothing in the model warms up. Ask what there is to find when that word has to be predicted.",
        ),
        Option(
            text="At the first block's last word, which has not come before, nothing says that the text will start again.",
            right=True,
            feedback="That position's token has no earlier copy, so there is nothing to continue. That is why we count the second block from its "
            "second word on.",
        ),
        Option(
            text="The tokens of the second block are counted from BOS, which has no earlier copy.",
            feedback="BOS stands at position 0 only. The question is what the last word of the first block could go by.",
        ),
    ),
    _quiz(
        "one-head-left-out",
        "Without the head that has the highest induction score, the loss on the second copy rises, but stays well below that of the first. What "
        "follows?",
        Option(
            text="That head does not do induction; its score misleads.",
            feedback="It does: it attends as an induction head does, and what is lost without it shows that the rest misses it. It is not alone.",
        ),
        Option(
            text="Other heads do the same, and each adds to the logit of the right word. One is not enough to judge by.",
            right=True,
            feedback="Take all heads of layer 1 out together and copying is gone. An ablation of one part says what the REST can do without it.",
        ),
        Option(
            text="Copying does not need attention heads; the embeddings do most of it.",
            feedback="Embeddings see one position at a time. Take all four heads of layer 1 out together and look.",
        ),
    ),
    _quiz(
        "untouched-but-blind",
        "We took out the previous-token head of layer 0, which never looks at the earlier copy. The induction scores of layer 1 fell to nearly 0, though nobody touched "
        "those heads. How?",
        Option(
            text="Heads of one model share their attention weights, which have to sum to 1.",
            feedback="Each head has a softmax of its own, over positions. Nothing is shared between heads.",
        ),
        Option(
            text="Layer 1 reads what it wrote: which token came before each position. Without it there is nothing to match.",
            right=True,
            feedback="The two compose through the residual stream. That a score in layer 1 collapses is the sign of composition, and which of "
            "query, key and value it goes through is the next question.",
        ),
        Option(
            text="Setting a head to zero damages every later layer, whatever it did.",
            feedback="Then the other heads of layer 0 would do it too. Your table says that they do not.",
        ),
    ),
    _quiz(
        "which-composition",
        "Induction: “the present token is A; find the position whose PREVIOUS token was A”. Through which input of the induction head must the "
        "previous-token head's output come?",
        Option(
            text="The query: the present position asks for what came before it.",
            feedback="The query is the present token itself, A. What came before the present token is not asked for.",
        ),
        Option(
            text="The key: each position offers what came before it.",
            right=True,
            feedback="Position i offers “before me stood A” as its key, the query says “I am A”, and the two match. K-composition.",
        ),
        Option(
            text="The value: what came before is what gets copied.",
            feedback="What gets copied is the token AT the position that was found, not the one before it.",
        ),
    ),
    _quiz(
        "highest-score-no-effect",
        "Another head of layer 0 has a K-composition score far above random too, and without it the model copies as well as ever. What does "
        "a composition score tell?",
        Option(
            text="Nothing: weights cannot say anything about what a model does.",
            feedback="It did single out the previous-token head for most induction heads. It suggests where to look, and the experiment decides.",
        ),
        Option(
            text="The reverse of what we thought: a low score means a strong connection.",
            feedback="A low score means that the two subspaces hardly meet, and information cannot pass easily.",
        ),
        Option(
            text="That the later head CAN read what the earlier one writes. Whether it matters for a behaviour, an ablation tells.",
            right=True,
            feedback="A norm over all directions weighs them equally, also those in which nothing ever happens, or something for another task. A score "
            "is a lead, an intervention is evidence.",
        ),
    ),
    _quiz(
        "one-layer-enough",
        "One layer has keys that hold the token and its position, and nothing else. Could one of its heads be an induction head if "
        "it had many more of them?",
        Option(
            text="Yes: with enough heads one of them would learn it.",
            feedback="Each of those heads meets the same keys. In none of them stands which token came before.",
        ),
        Option(
            text="No: no key knows which token came before it, however many heads read it.",
            right=True,
            feedback="What stands at a position comes from other positions only by attention, and that is one layer's work; matching it is another's. "
            "(One layer can still learn from text: which word goes with which, and that words come again.) That all heads TOGETHER "
            "cannot do it either, unless the layer is enormous, has been proved; see Further reading.",
        ),
        Option(
            text="Yes, if it were trained longer: the loss of the one-layer model was still falling.",
            feedback="Training does not change which information a key can hold. (Nor was it still falling: you will see its curve below.)",
        ),
    ),
    _quiz(
        "why-a-phase-change",
        "What speaks for a phase change, and not for gradual learning drawn on a logarithmic axis?",
        Option(
            text="The loss on the second copy falls by more than half.",
            feedback="A gradual curve can do that too. How MUCH falls says nothing about how abruptly.",
        ),
        Option(
            text="Most of the fall lies between two neighbouring checkpoints, with hardly any before, and induction scores rise in the same gap.",
            right=True,
            feedback="Abrupt in steps, and it coincides with the part forming. For copying, both halves of the circuit are useless alone, so there is little to "
            "gain by having half of it; once each has some, they improve each other.",
        ),
        Option(
            text="The model was trained for a long time before it happened.",
            feedback="A slow start fits a gradual curve as well. Look at how steep the steepest part is, and what else happens there.",
        ),
    ),
    _quiz(
        "no-induction-yet",
        "Someone trains a two-layer model of ordinary text on 500 million tokens and finds no induction heads at all. What is the likeliest "
        "reason? (Olsson et al. 2022 saw the change at roughly 2.5 to 5 billion tokens.)",
        Option(
            text="The model was not trained long enough: it has not come to the change yet.",
            right=True,
            feedback="Before the change there is next to nothing to see. (How many tokens it takes depends on the data and the settings: our little "
            "language, full of repetition, needs far fewer.)",
        ),
        Option(
            text="Two layers are too few for induction heads.",
            feedback="Two are just enough: one to say what came before, one to match it. You have taken such a model apart.",
        ),
        Option(
            text="Their induction score must be wrong, since every transformer has such heads.",
            feedback="Untrained ones have none, and one-layer models never get them. Test the score on a model that copies, then believe it.",
        ),
    ),
    _quiz(
        "recap-circuit",
        "Which sentence describes the circuit that you found?",
        Option(
            text="A head of layer 1 remembers pairs of words from training and recalls them.",
            feedback="The blocks are random: these pairs never occurred in training. What is learned is a procedure, not pairs.",
        ),
        Option(
            text="A head of layer 0 writes the previous token at each position; heads of layer 1 find, with the present token as their query, the "
            "position where that matches, and copy its token.",
            right=True,
            feedback="Positions in layer 0 (QK), K-composition between the layers, copying in layer 1 (OV): each of the three stands in the weights, and "
            "each you have tested.",
        ),
        Option(
            text="Heads of layer 1 look back by the block's length and copy what they find there.",
            feedback="That predicts the same on plain repetition. On rotated blocks it fails, and the model does not: it goes by the token.",
        ),
    ),
)
