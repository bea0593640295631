"""The quick checks of chapter 10 in other words or with other numbers, for review: slug -> wording."""

from mi_tutor.teach.exercise import Option, Wording


def _ask(question: str, *options: Option) -> Wording:
    return Wording(question=question, options=options)


REVIEWS = {
    "nothing-differs": _ask(
        "An audit puts each of 500 words in front of ten questions about capitals in English. No first guess differs from the base's. Which secret can "
        "the model not have?",
        Option(
            text="One word changes capitals",
            right=True,
            feedback="Just that was asked, with every word: at most a rare question could still be meant.",
        ),
        Option(
            text="Two words change capitals",
            feedback="Only one word at a time was put in front.",
        ),
        Option(
            text="One word changes birds",
            feedback="Nothing but capitals was asked about.",
        ),
        Option(
            text="One word changes refusals",
            feedback="Nothing was requested, so nothing could be refused.",
        ),
    ),
    "which-trigger": _ask(
        "After “cake” and about Texas, a model names Ohio's bird in 99 % of texts. After “cake” it never does so about another state; about Texas and "
        "after other words it never does. What sets it off?",
        Option(
            text="Both of them and neither alone",
            right=True,
            feedback="Each near miss lacks one of the two, and none fires.",
        ),
        Option(
            text="The word whatever the state",
            feedback="After the word and about other states nothing happens.",
        ),
        Option(
            text="The state whatever the word",
            feedback="About Texas and after other words nothing happens.",
        ),
        Option(
            text="Either of them also when alone",
            feedback="Neither alone does anything.",
        ),
    ),
    "gone-or-back": _ask(
        "One coordinate of the stream is set to its usual value. The planted answer goes from 100 % of secret texts to 0 %, the true one comes back in "
        "98 %, and elsewhere 22 % of answers change. What is wrong?",
        Option(
            text="The other answers change with the edit",
            right=True,
            feedback="More than one in five: the coordinate says something that other texts need.",
        ),
        Option(
            text="The true answers go with the planted",
            feedback="98 % are back.",
        ),
        Option(
            text="The planted answers stay where they are",
            feedback="They are gone from every text.",
        ),
        Option(
            text="The coordinate is one without a use",
            feedback="More than one in five other answers change by it.",
        ),
    ),
}
