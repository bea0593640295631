"""Chapter 03, an investigation: `roles`. Which head does what in models from seeds that the chapter has not shown?

Nobody wrote the roles down: each draw measures them on fresh blocks and fresh running text (`role_measures`). Taking
out one head at a time is half of it: two heads that cancel each other, or stand in for each other, show only together.
And what has to be there for such heads to come about is asked of models that are trained only when the forecast is in.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from typing import Any

from mi_tutor.teach.exercises import forecasts
from mi_tutor.teach.exercises.induction import measuring, unborn
from mi_tutor.teach.exercises.induction.role_marking import (
    FORECASTS,
    LEAST,
    UNTRAINED,
    Answer,
    experiment,
    read,
)
from mi_tutor.teach.exercises.induction.role_measures import (
    HEADS,
    MATTERS,
    MODELS,
    Head,
    Model,
    found_in,
)
from mi_tutor.teach.investigation import Investigation, Levels, Worked, WrongHypothesis

# What we think will come of the models that are not yet trained, and why: see the chapter's solution.
OURS = dict(
    zip(
        UNTRAINED,
        (
            {"after": 0.9, "none": 0.1},
            {"place": 0.95, "after": 0.05},
            {"place": 0.7, "after": 0.2, "none": 0.1},
            {"none": 0.85, "after": 0.15},
            {"none": 0.95, "after": 0.05},
            {"place": 0.95, "none": 0.05},
            {"after": 0.95, "none": 0.05},
            {"place": 0.7, "after": 0.3},
            {"after": 0.9, "none": 0.1},
            {"before": 0.85, "none": 0.15},
        ),
        strict=True,
    )
)
# One word each: by the number of layers alone, something of everything, and by what the copies call for.
BY_DEPTH = ["after"] * 5 + ["none"] * 5
SURE = ["after", "place", "after", "after", "after", "place", "after", "after", "place", "none"]
BY_COPIES = [
    "after",
    "place",
    "place",
    "after",
    "after",
    "place",
    "after",
    "place",
    "place",
    "before",
]


def our_answer() -> dict[str, Any]:
    """Measured on rows of our own, to two decimals, and what we expect of the others."""
    return _measured() | {FORECASTS: OURS}


def _measured() -> dict[str, Any]:
    found = found_in(measuring.OWN_DRAW)
    return {
        name: {
            "heads": {
                key: (head.role, round(head.zero, 2), round(head.other, 2))
                for key, head in model.heads.items()
            },
            "without": _not_sums(model),
            "only": _only(model, min(model.only, key=model.only.get)),
        }
        for name, model in found.items()
    }


def _not_sums(model: Model) -> dict[tuple[str, str], float]:
    """The pairs that do not cost what their two heads cost one by one."""
    return {
        pair: round(rise, 2)
        for pair, rise in model.without.items()
        if abs(rise - sum(model.heads[head].zero for head in pair)) > 0.15
    }


def _only(model: Model, pair: tuple[str, str]) -> tuple[str, str, float]:
    return (*pair, round(model.only[pair], 2))


def _costly(model: Model) -> tuple[str, str]:
    """The costliest head of each layer, taken out alone."""
    return tuple(
        max(
            (key for key in HEADS if key[0] == layer),
            key=lambda key: (model.heads[key].role != "confidence", model.heads[key].zero),
        )
        for layer in "01"
    )


def _enough_alone() -> dict[str, Any]:
    """All measured, but the last two heads are those that cost most one by one."""
    found = found_in(measuring.OWN_DRAW)
    return our_answer() | {
        name: parts | {"only": _only(found[name], _costly(found[name]))}
        for name, parts in _measured().items()
    }


def _summed(role: Callable[[Head], str] = lambda head: head.role) -> dict[str, Any]:
    """One head at a time: pairs are sums, and the last two heads those that cost most."""
    answer: dict[str, Any] = {FORECASTS: OURS}
    for name, model in found_in(measuring.OWN_DRAW).items():
        answer[name] = {
            "heads": {
                key: (role(head), head.zero, head.other) for key, head in model.heads.items()
            },
            "without": {},
            "only": (*_costly(model), 0.5),
        }
    return answer


def _by_scores() -> dict[str, Any]:
    """Roles by where heads look; what looks nowhere known is idle, whatever it costs."""
    return _summed(lambda head: head.role if head.role in ("previous", "induction") else "idle")


def _needed_is_induction() -> dict[str, Any]:
    """Whatever copying cannot do without is an induction head; the rest reads text."""

    def role(head: Head) -> str:
        needed = "induction" if head.zero > MATTERS else "text"
        return head.role if head.role == "previous" else needed

    return _summed(role)


def _quiet(said: Answer, role: str) -> bool:
    return not any(
        head.role == role for model in said.models.values() for head in model.heads.values()
    )


def _many(said: Answer) -> bool:
    n = sum(
        head.role == "induction" for model in said.models.values() for head in model.heads.values()
    )
    return n > 2.5 * len(MODELS) or _quiet(said, "confidence")


def _adds_up(said: Answer) -> bool:
    off = [
        abs(rise - sum(model.heads[head].zero for head in pair))
        for model in said.models.values()
        for pair, rise in model.without.items()
    ]
    return median(off) < 0.01 and max(off) < 0.3


def _scores_but_measured() -> dict[str, Any]:
    """Everything measured but the roles, which go by where heads look."""
    answer, looks = _measured(), _by_scores()
    for name, parts in answer.items():
        parts["heads"] = {
            key: (looks[name]["heads"][key][0], *entry[1:]) for key, entry in parts["heads"].items()
        }
    return answer | {FORECASTS: OURS}


def _expecting(words: list[str], chance: float = 0.9) -> dict[str, Any]:
    """All measured, and one word for each of the models that are not yet trained."""
    others = (1 - chance) / (len(unborn.RULES) - 1)
    rows = ([chance if rule == word else others for rule in unborn.RULES] for word in words)
    return _measured() | {FORECASTS: dict(zip(UNTRAINED, rows, strict=True))}


def _expects(said: Answer, words: list[str]) -> bool:
    return forecasts.says(said.forecasts, unborn.RULES, words, least=9)


ROLES_OF_HEADS = Investigation(
    slug="roles",
    title="The role of every head",
    chapter="03",
    points=8,
    minutes=55,
    difficulty=5,
    objective="Give every head of three models that you have not seen a role, find what taking heads out one by one hides, and "
    "foresee which models would come to have such heads at all.",
    question="What is each head of three models from other seeds for, what do heads do together, and when do they come about?",
    form='a dictionary {"induction-2l-b": {"heads": {"0.0": (role, zero, another row), ...}, "without": {("0.1", "1.0"): rise, ...}, '
    '"only": ("0.1", "1.0", rise)}, ...} for three models, and "forecasts": a dictionary from each setting\'s name to four '
    f"probabilities, in the order {', '.join(unborn.RULES)} (or by these words); they add up to 1",
    read=read,
    experiment=experiment,
    levels=Levels(passed=0.7, good=0.85, excellent=0.94),
    styles=(
        Worked(name="our answer", hypothesis=our_answer, level="excellent"),
        Worked(name="roles by scores, the rest measured", hypothesis=_scores_but_measured, level="passed"),
    ),
    mistakes=(
        WrongHypothesis(
            name="where they look is what they do",
            example=_by_scores,
            fits=lambda said, findings: _quiet(said, "confidence") and _quiet(said, "text"),
            sentence="You give roles by where heads look, and call the others idle. Take some of the idle ones out, on blocks "
            "and on running text, and look at both losses.",
        ),
        WrongHypothesis(
            name="what costs, copies",
            example=_needed_is_induction,
            fits=lambda said, findings: _many(said),
            sentence="You call heads induction heads because copying suffers without them. Some of them do not look where "
            "induction looks, and what they write could come from any other row. Which kind was that?",
        ),
        WrongHypothesis(
            name="two heads cost what they cost one by one",
            example=_summed,
            fits=lambda said, findings: _adds_up(said),
            sentence="Your pairs are sums of single heads. That would be so if every head added its own share to the loss. Take two out at "
            "once, pair by pair, and look for pairs that cost less than one of the two does alone.",
        ),
        WrongHypothesis(
            name="what costs most alone is enough alone",
            example=_enough_alone,
            fits=lambda said, findings: findings.facts["only"] < 2,
            sentence="The two heads that you leave are not the two that copy best. A head can be costly to lose because of what others do while "
            "it is missing. Silence those others too, and compare all pairs.",
        ),
        WrongHypothesis(
            name="two layers copy, one does not",
            example=lambda: _expecting(BY_DEPTH),
            fits=lambda said, findings: _expects(said, BY_DEPTH),
            sentence="You go by the number of layers. The second layer is there for one reason: what must a key know that one layer "
            "cannot tell it? Ask of each model whether something else tells it, and whether its copies can be had without.",
        ),
        WrongHypothesis(
            name="it learns what the copies call for",
            example=lambda: _expecting(BY_COPIES),
            fits=lambda said, findings: _expects(said, BY_COPIES),
            sentence="You go by what the copies call for. A rule is learned if the model can follow it at all, and if nothing "
            "simpler does as well on what it reads: ask both of each model.",
        ),
        WrongHypothesis(
            name="base rates",
            example=lambda: _expecting(["after"] * len(UNTRAINED), chance=0.4),
            fits=lambda said, findings: bool(
                (said.forecasts - said.forecasts[0]).abs().max() < 0.1
            ),
            sentence="You expect nearly the same of every model that is not yet trained, and that is worth nothing here. In what do they "
            "differ, and which head of those that you know would miss it?",
        ),
        WrongHypothesis(
            name="all measured, and little foreseen",
            example=lambda: _expecting(SURE, chance=0.97),
            fits=lambda said, findings: findings.facts["skill"] < LEAST,
            sentence="What can be measured is right, or nearly. Your forecasts of the models that are not yet trained are not: "
            "of those without a tick say which two things each rule needs, and which of them is missing or has become needless.",
        ),
    ),
    hints=(
        "Write one function that takes a model and returns a row per head: two scores, the rise on blocks with zero and with another "
        "row's output, and the rise on running text. A second function takes a list of heads and silences all of them.",
        "A head that costs much when it is zeroed and nothing when it gets another row's output tells something that is true of "
        "ALL such rows. You have met one. Does it stay silent in running text? And what does a costly head cost once this one is silent too?",
        "Roles: previous and induction by their patterns; confidence by how long its output is before and after a word that does not "
        "fit; text by the loss on running text; idle is what is left. Pairs: 28 runs per model for `without`, and 28 more, with the other six "
        "silent, for `only`.",
        "Forecasts: a key must know what came BEFORE its word, or the rule “after” cannot be followed. Three ways to know "
        "it: a head below that finds its place by positions, an embedding that has it, and none. “place” needs positions, and nothing else.",
    ),
)  # fmt: skip
