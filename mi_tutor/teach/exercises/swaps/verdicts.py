"""Chapter 05, what follows: `which-model-composes` and `what-did-we-show`."""

from __future__ import annotations

from typing import Any

from mi_tutor.specimens.atlas import accuracy
from mi_tutor.teach.exercise import Mistake, Style, Tolerance, ValueExercise
from mi_tutor.teach.exercises.swaps import suspects

# --- which-model-composes -------------------------------------------------------------------------

WITHIN = 0.05  # other targets, or another layer that works as well, change the success by less


def _answer(letter: str, evidence: Any) -> dict[str, Any]:
    return {"composes": letter, "swap success": {each: evidence(each) for each in "AB"}}


def which_composes() -> dict[str, Any]:
    """The model that works the state out, and the success of swaps in both."""
    return _answer(suspects.composes(), suspects.best_swap)


def _the_other() -> str:
    return "B" if suspects.composes() == "A" else "A"


def _is_verdict(value: Any) -> bool:
    if isinstance(value, str):
        return value in {"A", "B"}
    if value["composes"] not in {"A", "B"} or len(value) > 2:
        return False
    evidence = value.get("swap success", {"A": 0.0, "B": 0.0})
    return set(evidence) == {"A", "B"} and all(
        isinstance(share, int | float) and not isinstance(share, bool)
        for share in evidence.values()
    )


ALONE = (
    "That is a verdict without evidence, and it would be worth as much if it were wrong. Swap states in both models and give the "
    'success of each, as {"composes": ..., "swap success": {"A": ..., "B": ...}}.'
)

WHICH_MODEL = ValueExercise(
    slug="which-model-composes",
    title="Two models, the same answers",
    chapter="05",
    points=3,
    minutes=15,
    difficulty=3,
    objective="Tell a model that works its answer out in two steps from one that has learned it by rote, by an intervention.",
    expected=which_composes,
    form='a dict {"composes": "A" or "B", "swap success": {"A": share, "B": share}}',
    accepts=_is_verdict,
    tolerance=Tolerance(0.0, WITHIN),
    styles=(
        Style(
            name="rounded",
            right=lambda: _answer(suspects.composes(), lambda e: round(suspects.best_swap(e), 2)),
        ),
    ),
    mistakes=(
        Mistake(name="the right letter alone", wrong=lambda: suspects.composes(), sentence=ALONE),
        Mistake(
            name="the other letter alone",
            wrong=_the_other,
            sentence="That is a guess, without evidence. Measure first: swap states in both models and see in which one the answers follow.",
        ),
        Mistake(
            name="the wrong verdict from the right evidence",
            wrong=lambda: _answer(_the_other(), suspects.best_swap),
            sentence="Your measurements are right, and they say the opposite of your verdict. In which model does the answer follow when the "
            "state is exchanged?",
        ),
        Mistake(
            name="accuracy for evidence",
            wrong=lambda: _answer(suspects.composes(), accuracy),
            sentence="These are the models' ACCURACIES, and they are alike: that is why they cannot tell the two apart. Give the success of swaps.",
        ),
        Mistake(
            name="reading for evidence",
            wrong=lambda: _answer(suspects.composes(), suspects.reading),
            sentence="This is how well the state can be READ at the name's end. What can be read need not be used: give the success of swaps.",
        ),
        Mistake(
            name="the control for evidence",
            wrong=lambda: _answer(suspects.composes(), suspects.random_swap),
            sentence="These are the shares for RANDOM directions. They should be near zero in both models; the evidence is what the directions "
            "between states do.",
        ),
        Mistake(
            name="evidence exchanged",
            wrong=lambda: _answer(
                suspects.composes(), lambda e: suspects.best_swap({"A": "B", "B": "A"}[e])
            ),
            sentence="The two numbers are exchanged: you call the model in which swaps FAIL the one that composes, or you mixed the letters up.",
        ),
    ),
    hints=(
        "Everything is there: `means_at` and `swap_batches` take a model of `models` and the `batches`.",
        "Each model needs its own means: `means_at(models[letter], batches)` is [layer class d_model].",
        "One model might have its state elsewhere. Before saying that swaps fail in it, try every layer and take the best.",
    ),
)

# --- what-did-we-show -----------------------------------------------------------------------------

SHOWN = {
    "a": True,
    "b": True,
    "c": False,
    "d": False,
    "e": True,
    "f": False,
    "g": False,
    "h": False,
}

_WHY_NOT = {
    "a": "(a) is shown: the city's own stream replaced by its state's mean leaves the answers right, and averaging the state away makes "
    "them wrong. Enough, and needed.",
    "b": "(b) is shown: means were made from questions that were taught, and swaps were counted on questions that were not.",
    "c": '(c) is not shown. We began at the name\'s end, where the state was ready. How it was made from the pieces of "Dallas" no '
    "experiment asked.",
    "d": "(d) is not shown. The two models have the same answers on these questions, and only in one of them do swaps work.",
    "e": "(e) is shown, by the controls: same length, same place, other meanings, and the answers do not follow.",
    "f": "(f) is not shown. A nearest mean is our way of reading. That later layers use what is at this place does not say that they "
    "compute distances to means.",
    "g": "(g) is not shown. We looked at one small model that was pushed, in training, to recognise a city where its name ends, and to "
    "read names only there. About other models nothing follows.",
    "h": "(h) is not shown. Which head brings the state to the end was found. Layers 3 and 4 were not taken apart: how they make "
    "an answer of it is a question for chapter 06.",
}


def _flipped(letter: str) -> dict[str, bool]:
    return SHOWN | {letter: not SHOWN[letter]}


def _is_reading(value: Any) -> bool:
    return set(value) == set(SHOWN) and all(isinstance(each, bool) for each in value.values())


WHAT_DID_WE_SHOW = ValueExercise(
    slug="what-did-we-show",
    title="What did we show?",
    chapter="05",
    points=3,
    minutes=12,
    difficulty=3,
    objective="Know what would have falsified the claim, and say exactly what swaps show and what they do not.",
    expected=lambda: SHOWN,
    form='a dict with True or False for each of the letters "a" to "h"',
    accepts=_is_reading,
    tolerance=Tolerance(0.0, 0.0),
    styles=(
        Style(
            name="letters from a list",
            right=lambda: dict(zip("abcdefgh", SHOWN.values(), strict=True)),
        ),
    ),
    mistakes=(
        *(
            Mistake(name=f"({letter}) the other way round", wrong=_flipped(letter), sentence=why)
            for letter, why in _WHY_NOT.items()
        ),
        Mistake(
            name="all shown",
            wrong=dict.fromkeys(SHOWN, True),
            sentence="You say that everything is shown. Some of these claims go beyond what was measured: for each, ask which experiment would "
            "have come out otherwise if it were false.",
        ),
        Mistake(
            name="nothing shown",
            wrong=dict.fromkeys(SHOWN, False),
            sentence="You say that nothing is shown. That is too modest: for some of these claims there is an experiment above that would have "
            "come out otherwise if they were false.",
        ),
    ),
    hints=(
        "For each claim look for the experiment above that would have come out otherwise if the claim were false. None? Then it is not shown.",
        "Three of the eight are shown.",
        "Necessity, sufficiency and controls were measured. How the state is made, what carries it on, and other models were not.",
    ),
)
