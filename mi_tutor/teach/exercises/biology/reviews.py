"""The quick checks of chapter 08 in other words or with other numbers, for review: slug -> wording."""

from mi_tutor.teach.exercise import Option, Wording


def _ask(question: str, *options: Option) -> Wording:
    return Wording(question=question, options=options)


REVIEWS = {
    "what-makes-a-plan": _ask(
        "At the line break of a couplet a probe reads the coming rhyme word at 97 %. The word is exchanged there in 200 lines: the verb changes in "
        "0 of them, the line's last word in 190. What does the model use at the line break?",
        Option(
            text="The word and not the verb",
            right=True,
            feedback="The end follows what stands there, so it is taken from there. The middle of the line does not: the word is carried, but "
            "nothing is written towards it. Half of what planning means.",
        ),
        Option(
            text="Neither the word nor the verb",
            feedback="190 of 200 ends followed.",
        ),
        Option(
            text="The word, in 97 % of lines",
            feedback="97 % is how often it can be read. Used it was in 190 of 200, which is another measurement.",
        ),
        Option(
            text="Neither, but only at its end",
            feedback="The edit was at the line break, and the end followed it.",
        ),
    ),
    "seventy-per-cent": _ask(
        "Lindsey et al. 2025 put another planned word in at the line break of 25 poems; in 70 % of cases the line ended in it. What would speak "
        "most against a plan?",
        Option(
            text="If random directions of this size did the same",
            right=True,
            feedback="Then the word would not have come from what was put in. Without this floor 70 % says little.",
        ),
        Option(
            text="If in 30 % of cases the line had another end",
            feedback="It had. An edit that is too weak fails as well, so failures alone say little.",
        ),
        Option(
            text="If the model denied having made such a plan",
            feedback="What a model says of itself is another output, and no measurement of this one.",
        ),
        Option(
            text="If the words in the middle of the line changed",
            feedback="That they change to fit is what one expects of a plan.",
        ),
    ),
}
