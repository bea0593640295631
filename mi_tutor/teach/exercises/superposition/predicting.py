"""Chapter 01: the investigation `predict-the-fate`, marked by a proper score."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from mi_tutor.lab.superposition import ARRANGEMENTS
from mi_tutor.teach.exercises import forecasts
from mi_tutor.teach.exercises.superposition.fate_settings import SETTINGS, frequencies
from mi_tutor.teach.investigation import (
    Findings,
    Investigation,
    Levels,
    Worked,
    WrongHypothesis,
)

LEVELS = Levels(0.65, 0.75, 0.85)
NAMES = tuple(SETTINGS)


def _read(value: Any) -> Tensor:
    """[setting arrangement] of probabilities."""
    return forecasts.read_forecasts(value, NAMES, ARRANGEMENTS)


def _experiment(predicted: Tensor, draw: int) -> Findings:
    found = frequencies(draw)
    marked = forecasts.mark(predicted, found)
    lines = forecasts.lines(predicted, found, NAMES, ARRANGEMENTS, LEVELS.passed)
    shown = [k for k, true in enumerate(marked.came_true) if true]
    figure = (lambda: _figure(predicted[shown], found[shown], shown)) if shown else None
    return Findings(marked.skill, tuple(lines), figure)


def _figure(predicted: Tensor, found: Tensor, rows: list[int]) -> Any:
    """Of the settings that came true; the others are for the learner to find out."""
    from mi_tutor.show.superposition import predicted_and_found

    return predicted_and_found(
        predicted,
        found,
        [list(SETTINGS)[k] for k in rows],
        list(ARRANGEMENTS),
        title="Where you were right: what became of the features",
        x_title="arrangement",
        y_title="setting",
        value_title="share of models",
    )


def _certain(words: str) -> dict[str, dict[str, float]]:
    return {name: {word: 1.0} for name, word in zip(SETTINGS, words.split(), strict=True)}


# One word per setting, in their order: what each of three simple thoughts says.
BY_DENSITY = "alone apart apart dropped dropped apart dropped apart apart apart apart apart"
BY_NAME = (
    "alone dropped apart dropped dropped together together together together dropped dropped alone"
)
BOLD = "apart dropped apart apart dropped together together apart together apart dropped alone"


def _says(predicted: Tensor, words: str) -> bool:
    """Whether at least nine of the twelve settings are said as in `words`."""
    return forecasts.says(predicted, ARRANGEMENTS, words.split(), least=9)


# What pilots on the middle of each range gave (the chapter's solution runs them), pulled a little towards the others.
PILOT = {
    "frequent": {"apart": 0.94, "alone": 0.06},
    "rare": {"dropped": 0.6, "apart": 0.4},
    "one too many": {"alone": 0.75, "apart": 0.25},
    "twice as many": {"apart": 0.92, "dropped": 0.05, "alone": 0.03},
    "everything on": {"dropped": 0.3, "alone": 0.3, "apart": 0.13, "together": 0.27},
    "always together": {"together": 0.78, "apart": 0.2, "dropped": 0.01, "alone": 0.01},
    "together, often": {"together": 0.7, "apart": 0.28, "alone": 0.02},
    "together, rarely": {"apart": 0.9, "dropped": 0.05, "alone": 0.05},
    "together, poor partner": {"dropped": 0.98, "together": 0.02},
    "never together, rich partner": {"apart": 0.92, "dropped": 0.08},
    "never together, crowded": {"apart": 0.52, "dropped": 0.48},
    "never together, room": {"alone": 0.58, "apart": 0.42},
}

PREDICT_THE_FATE = Investigation(
    slug="predict-the-fate",
    title="Predict the fate",
    chapter="01",
    points=8,
    minutes=30,
    difficulty=4,
    objective="Predict, with probabilities and before any training, what becomes of features in "
    "settings that you have not seen.",
    question="What becomes of the features in twelve settings that the chapter does not show?",
    form="a dict from each setting's name to four probabilities, in the order "
    + ", ".join(ARRANGEMENTS)
    + " (or a dict from these words to probabilities); they add up to 1",
    read=_read,
    experiment=_experiment,
    levels=LEVELS,
    mistakes=(
        WrongHypothesis(
            name="density alone",
            example=lambda: _certain(BY_DENSITY),
            fits=lambda predicted, findings: _says(predicted, BY_DENSITY),
            sentence="You let the density alone decide: sparse features share, dense ones do not. What "
            "is paid for sharing is that two "
            "features meet. Ask for each setting how often the asked feature meets the others, and what "
            "else the room could be used for.",
        ),
        WrongHypothesis(
            name="what the names say",
            example=lambda: {
                name: {"dropped": 0.05, "alone": 0.05, "apart": 0.05, "together": 0.05}
                | {word: 0.85}
                for name, word in zip(SETTINGS, BY_NAME.split(), strict=True)
            },
            fits=lambda predicted, findings: _says(predicted, BY_NAME),
            sentence="You go by what sounds alike: together lies together, a rich partner takes all, what is often on needs room of its "
            "own. Price it: what does each arrangement lose while a feature is on, and what when two are on at once?",
        ),
        WrongHypothesis(
            name="base rates",
            example=lambda: {name: [0.2, 0.2, 0.4, 0.2] for name in SETTINGS},
            fits=lambda predicted, findings: bool((predicted - predicted[0]).abs().max() < 0.1),
            sentence="You say nearly the same for every setting. That is worth what base rates are "
            "worth, which is nothing here: say how "
            "they differ.",
        ),
        WrongHypothesis(
            name="sure of everything",
            example=lambda: _certain(BOLD),
            fits=lambda predicted, findings: bool(predicted.amax(dim=1).mean() > 0.95),
            sentence="You are sure of nearly everything, and wrong in some of it. A proper score "
            "punishes certainty: where two arrangements "
            "cost nearly the same, the random start decides, and an honest prediction says how often.",
        ),
    ),
    styles=(
        Worked(name="pilots", hypothesis=lambda: PILOT, level="excellent"),
        Worked(
            name="pilots, as lists, less sure",
            hypothesis=lambda: {
                name.upper(): [0.7 * chances.get(word, 0) + 0.3 / 4 for word in ARRANGEMENTS]
                for name, chances in PILOT.items()
            },
            level="good",
        ),
    ),
    hints=(
        "Price the arrangements as you did for the phase diagram: what is lost if the feature is "
        "dropped (its importance times its variance), "
        "and what is paid whenever it meets a feature that shares its line?",
        "A feature that is nearly always on can still share: ask who pays. Features that are never on "
        "together can share at any density. Of two that are always on together one number can say the sum; but each of them "
        "may also share with somebody whom it rarely meets. With n features in m "
        "dimensions, count: how many pairs does it take?",
        "After a first try, run pilots: `lab.train_sweep` with a dozen seeds per setting, and "
        "`lab.arrangements(models.W)`. Where starts disagree, "
        "hand in how often.",
    ),
)
