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
    "three-glossaries": _ask(
        "A model answers entries of cities in English, French and Spanish. Steps made in English exchange the country in .96 of French entries, and "
        "the same steps with countries paired by lot in .02. In which relation are its activations in English and in French?",
        Option(
            text="Much the same in both",
            right=True,
            feedback="What English makes of a country works in French only if French reads a country from there, too, along the same direction.",
        ),
        Option(
            text="In any, even none at all",
            feedback="Then a step made in English would be a random one in French.",
        ),
        Option(
            text="They point opposite ways",
            feedback="Then a step towards one country would lead away from it in French.",
        ),
        Option(
            text="The same for 96 % of cities",
            feedback="96 % is how many answers follow. How much is in common is another measurement.",
        ),
    ),
    "a-third-in-common": _ask(
        "In three languages, .67 of what tells countries apart is common to them; with countries paired by lot it is .34. How much of an activation "
        "do the languages share, beyond chance?",
        Option(
            text="A half",
            right=True,
            feedback="With a part p in common and the rest each language's own, the share is p + (1 - p) / 3. At .67 that is p = .5: half-way from "
            "the floor to 1.",
        ),
        Option(
            text="Nothing",
            feedback="It would be at its floor then, .34.",
        ),
        Option(
            text="A third",
            feedback="That is how far .67 lies above the floor. But from the floor to 1 there are only two thirds.",
        ),
        Option(
            text="Two thirds",
            feedback="That counts what agrees by chance as well.",
        ),
    ),
    "carried-along": _ask(
        "In a model with three glossaries side by side, the language of an entry about Belgium is exchanged by the difference of two means over the "
        "entries of all countries to the same question. How many answers follow?",
        Option(
            text="Almost none",
            right=True,
            feedback="The step brings another language, and Belgium is still Belgium as the old language has it. In separate glossaries that is no "
            "entry of the new one.",
        ),
        Option(
            text="About a third",
            feedback="A third is the floor of another measure: how much tables agree by chance.",
        ),
        Option(
            text="Half of them",
            feedback="Nothing in the step knows Belgium, and here no country is where another language has it.",
        ),
        Option(
            text="Nearly all",
            feedback="So it is with Belgium's own means, which bring the whole entry along; or where the country is common to the languages.",
        ),
    ),
    "default-or-feature": _ask(
        "A model says “unknown” of strangers. Added before the last layer, the direction from strangers to known people changes 95 % of "
        "strangers' answers, and a probe there tells held-out known people from strangers in 99 %. Known people keep their answers. What is found?",
        Option(
            text="A “known” feature that the last layer reads",
            right=True,
            feedback="It stands there for people the probe has not seen, and added it does what it stands for. Both were needed.",
        ),
        Option(
            text="A default that only the last layer lifts",
            feedback="The last layer does act on it; what lifts the default is there before, and can be read and added.",
        ),
        Option(
            text="A “known” fact for each one of the known people",
            feedback="One direction did it for strangers of all names, and the probe was asked about people it had not seen.",
        ),
        Option(
            text="A default that was there for known people only",
            feedback="Known people are those for whom it is lifted.",
        ),
    ),
    "whose-opinion": _ask(
        "A reply agrees with “I hate jazz” in 100 % of cases. Asked about jazz after the user said “I hate soup”, it is what the "
        "assistant says of itself in 100 %. What is then still to be asked, before it is called flattery?",
        Option(
            text="If another speaker's view of it counts",
            right=True,
            feedback="Bound to the topic it is. Bound to the user it is only if what somebody else says of jazz does not count.",
        ),
        Option(
            text="If the user's view of soup counts",
            feedback="That was asked: it does not.",
        ),
        Option(
            text="If the reply's length is the same",
            feedback="Nothing here depends on how long it is.",
        ),
        Option(
            text="If the verb can be read by a probe",
            feedback="It will be readable either way. Whose verb it is, a probe does not say.",
        ),
    ),
    "what-is-taken-away": _ask(
        "A model tells people what they said of a topic themselves in 98 %, and its own opinion if they said nothing in 97 %. After an edit at the "
        "reply's place it tells the first their own words in 2 % and its own opinion in 95 %, and the second its own opinion in 97 %. Asked "
        "what Tom said, it is right in 98 %, as before. What does the edit take away?",
        Option(
            text="Its agreeing and no more",
            right=True,
            feedback="Its own opinion comes instead, also where it was due anyway, and what Tom said is still known.",
        ),
        Option(
            text="Its replies of both kinds",
            feedback="Those who said nothing are answered as before.",
        ),
        Option(
            text="Its memory of who said it",
            feedback="Asked what Tom said, it is right as often as before.",
        ),
        Option(
            text="Its own opinion and no more",
            feedback="That is what comes now, in 95 % and 97 %.",
        ),
    ),
    "which-route": _ask(
        "A request with a harmful thing is refused. The stream is exchanged for a harmless request's: at the thing before layer 3 the refusal "
        "turns in 100 %, at the reply's place before layer 3 in 0 %, and before layer 4 in 74 %. When does the thing reach the reply's place?",
        Option(
            text="In layer 3, for most of it",
            right=True,
            feedback="Before layer 3 nothing of it is there, before layer 4 it is, in 74 %. So layer 3 moved most of it.",
        ),
        Option(
            text="In layer 2, for most of it",
            feedback="Moved by layer 2, it would be there before layer 3. There 0 % turn.",
        ),
        Option(
            text="In layer 3, for all of it",
            feedback="A quarter of the replies does not turn there, so something comes later.",
        ),
        Option(
            text="In layer 4, for most of it",
            feedback="Before layer 4 most of it is there already.",
        ),
    ),
}
