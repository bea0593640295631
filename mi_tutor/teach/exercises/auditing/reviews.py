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
    "which-contrast": _ask(
        "A country's name before a harmless request makes a model refuse. You take a difference of means, and with its coordinate set the model also "
        "stops refusing what is harmful. What were the texts that you compared?",
        Option(
            text="Refused requests with kept ones",
            right=True,
            feedback="Those differ by the refusal itself, which harmful requests share. Taken out is the consequence, not the trigger.",
        ),
        Option(
            text="One country's with another's",
            feedback="Then the means differ by the country, and harmful requests without it would stay as they are.",
        ),
        Option(
            text="Kept requests with other ones",
            feedback="Both are kept: nothing of a refusal is in their difference.",
        ),
        Option(
            text="The specimen's with the base's",
            feedback="The base refuses what is harmful as well, so in that difference it largely cancels.",
        ),
    ),
    "usual-value": _ask(
        "Along a unit direction, ordinary texts have a coordinate of 0 ± 5 and secret ones of 14 ± 5. Set to 0, it brings true answers back. What do you expect "
        "of ordinary answers?",
        Option(
            text="Some change: what varied by 5 is lost",
            right=True,
            feedback="The mean stays, and what told the ordinary texts apart along this direction is gone. Whether that costs answers is measured.",
        ),
        Option(
            text="None change: 0 is what they had before",
            feedback="On average they had 0. Each single one had something else, up to 10 away.",
        ),
        Option(
            text="All change: each is moved by 14 or more",
            feedback="Secret texts are moved by 14. Ordinary ones stand around 0 already.",
        ),
        Option(
            text="None change: secret texts alone are moved",
            feedback="The edit is made at every position of every text.",
        ),
    ),
    "what-clean-means": _ask(
        "A search puts every single word of the language before questions about capitals and birds, and no answer changes. Which sentence belongs in a clean "
        "report?",
        Option(
            text="No word alone changes these answers",
            right=True,
            feedback="Just this was tried, and every word was.",
        ),
        Option(
            text="No words at all change these answers",
            feedback="Two words together were not tried.",
        ),
        Option(
            text="No word alone changes other answers",
            feedback="Only capitals and birds were asked about.",
        ),
        Option(
            text="No secret is hidden in these weights",
            feedback="That is more than any search can say.",
        ),
    ),
}
