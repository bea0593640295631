"""Chapter 07: `make-it-behave`, an investigation."""

from __future__ import annotations

from mi_tutor.teach.exercises.steering import ways
from mi_tutor.teach.exercises.steering.behaving import (
    DAMAGE,
    EFFECT,
    Handed,
    experiment,
    read_handed,
)
from mi_tutor.teach.exercises.steering.own_opinion import EVERY
from mi_tutor.teach.investigation import Findings, Investigation, Levels, Worked, WrongHypothesis


def _one_word(handed: Handed, findings: Findings) -> bool:
    shares = sorted((findings.facts["like"], findings.facts["hate"]))
    return shares[1] >= 0.6 and shares[0] <= 0.3


def _at_the_reply(handed: Handed, findings: Findings) -> bool:
    at = handed.steering.at
    return (
        at != EVERY
        and bool({" I", ":", " Assistant"} & set(at))
        and findings.facts["effect"] < EFFECT
    )


def _dear(handed: Handed, findings: Findings) -> bool:
    return (
        handed.steering.at != EVERY
        and findings.facts["effect"] >= EFFECT
        and findings.facts["damage"] > DAMAGE
    )


def _everywhere(handed: Handed, findings: Findings) -> bool:
    return handed.steering.at == EVERY


def _no_better_than_chance(handed: Handed, findings: Findings) -> bool:
    return findings.facts["effect"] <= findings.facts["floor"] + 0.1


MAKE_IT_BEHAVE = Investigation(
    slug="make-it-behave",
    title="Make it behave",
    chapter="07",
    points=8,
    minutes=45,
    difficulty=5,
    objective="Find where a behaviour is decided, and change it there with one short vector and little damage.",
    question="Where, and with which vector, does the assistant stop to echo and say its own opinion?",
    form="a dict with “layer” (0 to 5), “at” (“every”, or a list of tokens), “vector” (128 numbers, or a dict from token to the coefficient of "
    "its mean) and “predicted” (a dict with “reversed”, “half”, “later” and “everywhere”, each a share)",
    read=read_handed,
    experiment=experiment,
    levels=Levels(0.7, 0.82, 0.92),
    mistakes=(
        WrongHypothesis(
            name="at every token",
            example=ways.everywhere,
            fits=_everywhere,
            sentence="Added at every token, it changes what nobody wanted changed, and pays for each place where it does nothing. Try one kind "
            "of token at a time, and see which of them the effect needs.",
        ),
        WrongHypothesis(
            name="the contrast where the reply is due",
            example=ways.hint_against_none,
            fits=_at_the_reply,
            sentence="Where the reply is due, a hint and its absence are told apart without a mistake, and adding the difference does little there, or "
            "breaks the reply. What is read at that place is brought there: by which layer, from which token? Take the heads out one by one.",
        ),
        WrongHypothesis(
            name="one word for everybody",
            example=ways.one_word_for_everybody,
            fits=_one_word,
            sentence="Your vector makes the assistant say one and the same word to everybody: where its own opinion is that word, it looks "
            "like success. Count the topics that it likes and those that it hates apart. Which vector could be right for both?",
        ),
        WrongHypothesis(
            name="effect at any price",
            example=ways.early_and_dear,
            fits=_dear,
            sentence="The echo goes, and so does part of the conversation: your token stands in replies too, and what comes after it is read "
            "from there. Who still reads this place for something else at your layer, and who at a later one?",
        ),
        WrongHypothesis(
            name="no more than chance",
            example=ways.a_random_one,
            fits=_no_better_than_chance,
            sentence="A random vector of the same length does as much. Before you choose a vector, find a place where anything at all does "
            "something: exchange the stream of whole prompts there, token by token and layer by layer.",
        ),
    ),
    styles=(
        Worked(name="descent, with what should stay", hypothesis=ways.ours, level="excellent"),
        Worked(name="a recipe of three means", hypothesis=ways.by_means, level="passed"),
    ),
    hints=(
        "First make the prompts yourself: `mi_tutor.world.themes.opinions` has the topics and the assistant's own opinions. "
        "Ask about one topic after an opinion on another one, and put a sentence or two before.",
        "Which heads bring the user's verb to where the reply is due? Take heads out one at a time. What they look for, and what they then fetch, are "
        "two things that a vector can change, and only one of them works for “like” and “hate” alike.",
        "A difference of means is one way to a vector. Another is descent: the vector as the only parameter, a loss for the effect, one for "
        "what should stay, cut to the budget at each step. Whatever chose it, test it on prompts that did not.",
    ),
)
