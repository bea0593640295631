"""Quick checks of chapter 08, in the order in which they are met. `reviews` asks each a second time."""

from mi_tutor.teach.exercise import Option, Quiz
from mi_tutor.teach.exercises.biology.reviews import REVIEWS


def _quiz(slug: str, question: str, *options: Option) -> Quiz:
    return Quiz(slug=slug, chapter="08", question=question, options=options, review=REVIEWS[slug])


QUIZZES = (
    _quiz(
        "what-makes-a-plan",
        "At the line break of a couplet a probe reads the coming rhyme word at 97 %. The word is exchanged there in 200 lines: the verb changes in "
        "0 of them, the line's last word in 0. What does the model use at the line break?",
        Option(
            text="Neither the word nor the verb",
            right=True,
            feedback="What was put in had no effect on anything that follows, so nothing that follows takes it from there. It is readable, and a "
            "leftover.",
        ),
        Option(
            text="The word and not the verb",
            feedback="Then the last word would have changed.",
        ),
        Option(
            text="The word, in 97 % of lines",
            feedback="97 % is how often it can be read. Reading says that it is there, not that it is used.",
        ),
        Option(
            text="Neither, but only at its end",
            feedback="At the end of the line nothing changed either.",
        ),
    ),
    _quiz(
        "seventy-per-cent",
        "Lindsey et al. 2025 put another planned word in at the line break of 25 poems; in 70 % of cases the line ended in it. Which claim "
        "about Claude 3.5 Haiku does this support?",
        Option(
            text="In these poems the word is often chosen before its line",
            right=True,
            feedback="Put in before the line, it decides the end of most of them: that is what was shown. In 30 % it did not, and other texts "
            "were not asked.",
        ),
        Option(
            text="In 70 % of all poems the word is chosen before its line",
            feedback="The 70 % are of injections into 25 poems. How often it plans by itself is another count.",
        ),
        Option(
            text="In these poems the model knows that it makes a plan",
            feedback="Nothing here asked what the model can say of itself. A plan is a state that decides what comes later.",
        ),
        Option(
            text="In 30 % of these poems the word is chosen at the end",
            feedback="An injection can also fail because it was too weak, or in the wrong place.",
        ),
    ),
    _quiz(
        "three-glossaries",
        "A model has read entries of cities in English, French and Spanish, one language each, and answers 99 % of those held out ((city, relation, "
        "language) triples). In which relation are the activations of one country in English and in French?",
        Option(
            text="In any, even none at all",
            right=True,
            feedback="A held-out entry also follows from another city of the country in the same language. Right answers do not say how they are "
            "reached.",
        ),
        Option(
            text="They have to be the same",
            feedback="They would have to if nothing but the other language could tell. Each language has enough of its own.",
        ),
        Option(
            text="They point opposite ways",
            feedback="Nothing pushes two languages apart like this.",
        ),
        Option(
            text="The same for 99 % of cities",
            feedback="99 % is how many answers are right, not how much is in common.",
        ),
    ),
    _quiz(
        "a-third-in-common",
        "In three languages, .34 of what tells countries apart is common to them; with countries paired by lot it is .34 as well. How much of an "
        "activation do the languages share, beyond chance?",
        Option(
            text="Nothing",
            right=True,
            feedback="Three tables that have nothing to do with each other agree by a third: the mean of three carries a third of their variance.",
        ),
        Option(
            text="A third",
            feedback="That is the share without its floor, which is as high.",
        ),
        Option(
            text="A half",
            feedback="Then it would lie half-way from the floor to 1, at about .67.",
        ),
        Option(
            text="Two thirds",
            feedback="Two thirds is what is NOT common, by the same count.",
        ),
    ),
    _quiz(
        "carried-along",
        "In a model with three glossaries side by side, the language of an entry about Belgium is exchanged by the difference of two means of "
        "Belgium's own entries to the same question. How many answers follow?",
        Option(
            text="Nearly all",
            right=True,
            feedback="The step brings Belgium of the other language along, whole. It works in any model and asks nothing about a part in common.",
        ),
        Option(
            text="About a third",
            feedback="A third is the floor of another measure. The step puts another cell's whole mean in the place of this one's.",
        ),
        Option(
            text="Half of them",
            feedback="What would the other half lack? The step has all that the other language's entry has.",
        ),
        Option(
            text="Almost none",
            feedback="So it would be if the means were over all countries: then nothing of Belgium's own comes along.",
        ),
    ),
    _quiz(
        "default-or-feature",
        "A model says “unknown” of strangers. Added before the last layer, the direction from strangers to known people changes 4 % of "
        "strangers' answers; added after it, 95 %. Before the last layer no probe there tells held-out known people from strangers. All this "
        "where the answer is due. What is found?",
        Option(
            text="A default that only the last layer lifts",
            right=True,
            feedback="Until then nothing that this probe could find there says “known”. Whatever lifts the default acts at the very end, as "
            "far as was asked.",
        ),
        Option(
            text="A “known” feature that the last layer reads",
            feedback="Then a probe before the last layer would find it, and adding it there would work.",
        ),
        Option(
            text="A “stranger” feature that the last layer reads",
            feedback="A probe for strangers is the same probe backwards. Before the last layer it found neither.",
        ),
        Option(
            text="A default that no layer before the end lifts or sets",
            feedback="That nothing LIFTS it earlier is shown. Where it is set was not asked here.",
        ),
    ),
    _quiz(
        "whose-opinion",
        "A reply agrees with “I hate jazz” in 100 % of cases. Asked about jazz after the user said “I hate soup”, it is “hate” in 100 %, too. "
        "What did the first number show?",
        Option(
            text="That the word is copied",
            right=True,
            feedback="The same word comes whatever it was said of. Agreement was one of the cases in which copying looks like it.",
        ),
        Option(
            text="That the user is flattered",
            feedback="To flatter, a reply has to depend on what the user thinks of THIS. It does not.",
        ),
        Option(
            text="That the topic is disliked",
            feedback="Of itself it may like jazz; the second number has “hate” whatever it thinks.",
        ),
        Option(
            text="That the topic is looked up",
            feedback="Looked up, the topic would have made a difference between jazz and soup.",
        ),
    ),
    _quiz(
        "what-is-taken-away",
        "A model tells people what they said of a topic themselves in 98 %, and its own opinion if they said nothing in 97 %. After an edit at the "
        "reply's place it tells the first their own words in 2 % and its own opinion in 3 %, and the second its own opinion in 4 %. Asked "
        "what Tom said, it is right in 98 %, as before. What does the edit take away?",
        Option(
            text="Its replies of both kinds",
            right=True,
            feedback="Nothing comes in the place of agreeing, and those who said nothing get no opinion either. The agreeing is gone because the "
            "reply is.",
        ),
        Option(
            text="Its agreeing and no more",
            feedback="Then its own opinion would come instead, and would stay where nothing was said.",
        ),
        Option(
            text="Its memory of who said it",
            feedback="Asked what Tom said, it is right as often as before.",
        ),
        Option(
            text="Its own opinion and no more",
            feedback="The agreeing went as well, from 98 % to 2 %.",
        ),
    ),
    _quiz(
        "which-route",
        "A request with a harmful deed is refused. The stream is exchanged for a harmless request's: at the deed before layer 2 the refusal "
        "turns in 100 %, at the reply's place before layer 3 in 71 %. At the reply's place before layer 2 in 0 %. When does the deed "
        "reach the reply's place?",
        Option(
            text="In layer 2, for most of it",
            right=True,
            feedback="Before layer 2 nothing of it is there, after layer 2 (so before layer 3) 71 % turn there. The rest comes later.",
        ),
        Option(
            text="In layer 3, for most of it",
            feedback="Before layer 3 it is there already in 71 %: it was moved by the layer before.",
        ),
        Option(
            text="In layer 2, for all of it",
            feedback="29 % do not turn when the reply's place is exchanged before layer 3, so something comes later.",
        ),
        Option(
            text="In layer 1, for most of it",
            feedback="Moved by layer 1, it would be there before layer 2. There 0 % turn.",
        ),
    ),
)
