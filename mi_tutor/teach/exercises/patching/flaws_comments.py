"""What to say of a verdict and a control that do not fit one of the experiments, one part at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from mi_tutor.teach.exercises.patching.flawed import SETTINGS

Choice = tuple[str, str]


class Comment(NamedTuple):
    """One typical wrong part.

    fits: of an experiment's letter, the verdict on it, and the setting changed. example: a letter with such a part.
    """

    name: str
    fits: Callable[[str, str, Choice], bool]
    example: tuple[str, dict[str, Any]]
    sentence: str


def _verdict(key: str, verdict: str) -> Callable[[str, str, Choice], bool]:
    return lambda k, v, choice: (k, v) == (key, verdict)


def _chose(key: str, *choices: Choice) -> Callable[[str, str, Choice], bool]:
    return lambda k, v, choice: k == key and choice in choices


def _part(verdict: str, number: float, **setting: str) -> dict[str, Any]:
    return {"verdict": verdict, **setting, "number": number}


COMMENTS = (
    Comment(
        "A passes for sound",
        _verdict("A", "sound"),
        ("A", _part("sound", 0.8, split="opening")),
        "You call A sound. It may be right about stories that it was not fitted on for a reason that has nothing to do "
        "with who met whom. If two people's label had been drawn by lot, would the probe have done worse?",
    ),
    Comment(
        "other words, the same people",
        _chose("A", ("split", "story"), ("split", "opening"), ("label", "met")),
        ("A", _part("flawed", 0.82, split="opening")),
        "In A the test has other words now, and the same pairs of people as the stories that the probe was fitted on. "
        "What can it have learned about a pair by heart?",
    ),
    Comment(
        "another place",
        _chose("A", *(("place", each) for each in SETTINGS["A"]["place"])),
        ("A", _part("flawed", 0.75, place="end")),
        "In A the probe reads somewhere else now. Lower or higher, fitting and test still share what they shared. "
        "Where does what it reads come from?",
    ),
    Comment(
        "B passes for sound",
        _verdict("B", "sound"),
        ("B", _part("sound", 0.03, stories="128")),
        "You call B sound. Its number is small; how large could it have become? Compare what the answer's log "
        "probability is at best with where it stands.",
    ),
    Comment(
        "a metric that ends, too",
        _chose(
            "B", ("metric", "log probability"), ("metric", "probability"), ("metric", "accuracy")
        ),
        ("B", _part("flawed", 0.16, metric="probability")),
        "In B this metric has an upper end as well, and most stories stand at it with the head and without: what is lost "
        "there it cannot show, and what you see comes from the few that tip over. Which of them has no upper end?",
    ),
    Comment(
        "another value in the head's place",
        _chose(
            "B",
            *(("instead", each) for each in SETTINGS["B"]["instead"]),
            *(("stories", each) for each in SETTINGS["B"]["stories"]),
        ),
        ("B", _part("flawed", 0.04, instead="zero")),
        "In B you change what is put in the head's place, or how many stories there are. The loss is read with the same "
        "ruler. Look at the ruler.",
    ),
    Comment(
        "C passes for sound",
        _verdict("C", "sound"),
        ("C", _part("sound", 0.006, directions="8")),
        "You call C sound. A control is there to catch a false claim: if nothing in the model were about men, would "
        "these random directions have come out otherwise?",
    ),
    Comment(
        "labels shuffled",
        _chose("C", ("control", "shuffled")),
        ("C", _part("flawed", 0.0, control="shuffled")),
        "In C labels that are shuffled story by story tell nothing about who gives, so a probe for them finds no direction "
        "in which givers differ. This control cannot fail either. Which direction would move the answer as well, "
        "without meaning anything?",
    ),
    Comment(
        "more of what cannot fail",
        _chose("C", ("control", "random"), ("directions", "4"), ("directions", "8")),
        ("C", _part("flawed", 0.006, directions="8")),
        "In C these are more random directions in 128 dimensions: each holds a hundredth of what differs between two "
        "givers, whatever is true of men. Could this control ever have come out otherwise?",
    ),
    Comment(
        "another layer",
        _chose("C", ("layer", "0"), ("layer", "1"), ("layer", "2")),
        ("C", _part("flawed", 0.006, layer="2")),
        "In C another layer repeats the experiment and its control together. What is compared with what stays as it was.",
    ),
    Comment(
        "D is A over again",
        _verdict("D", "flawed"),
        ("D", _part("flawed", 0.9, label="lot")),
        "You call D flawed. It has the pairs of A on both sides, and to know a pair by heart is a leak only if the pair "
        "tells the label. Look at one pair's stories: does it? And what does the probe do with pairs that it was not fitted on?",
    ),
    Comment(
        "sound without a test",
        lambda k, v, choice: k == "D",
        ("D", _part("sound", 0.98, split="opening")),
        "D is sound, and what you changed could not have shown otherwise. Which change would have brought it down to a coin "
        "if the probe had only known its pairs?",
    ),
)
