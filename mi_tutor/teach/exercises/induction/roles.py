"""Chapter 03, an investigation: `roles`. Which head does what in models from seeds that the chapter has not shown?

Nobody wrote the roles down: each draw measures them on fresh blocks and fresh running text (`role_measures`). Taking
out one head at a time is half of it: two heads that cancel each other, or stand in for each other, show only together.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from typing import Any

from mi_tutor.teach.exercises.induction import measuring
from mi_tutor.teach.exercises.induction.role_marking import Answer, experiment, read
from mi_tutor.teach.exercises.induction.role_measures import (
    HEADS,
    MATTERS,
    MODELS,
    Head,
    Model,
    found_in,
)
from mi_tutor.teach.investigation import Investigation, Levels, Worked, WrongHypothesis


def our_answer() -> dict[str, Any]:
    """Measured on rows of our own, to two decimals."""
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
    return {
        name: parts | {"only": _only(found[name], _costly(found[name]))}
        for name, parts in our_answer().items()
    }


def _summed(role: Callable[[Head], str] = lambda head: head.role) -> dict[str, Any]:
    """One head at a time: pairs are sums, and the last two heads those that cost most."""
    answer = {}
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
    return not any(head.role == role for model in said.values() for head in model.heads.values())


def _many(said: Answer) -> bool:
    n = sum(head.role == "induction" for model in said.values() for head in model.heads.values())
    return n > 2.5 * len(MODELS) or _quiet(said, "confidence")


def _adds_up(said: Answer) -> bool:
    off = [
        abs(rise - sum(model.heads[head].zero for head in pair))
        for model in said.values()
        for pair, rise in model.without.items()
    ]
    return median(off) < 0.01 and max(off) < 0.3


def _scores_but_measured() -> dict[str, Any]:
    """Everything measured but the roles, which go by where heads look."""
    answer, looks = our_answer(), _by_scores()
    for name, parts in answer.items():
        parts["heads"] = {
            key: (looks[name]["heads"][key][0], *entry[1:]) for key, entry in parts["heads"].items()
        }
    return answer


ROLES_OF_HEADS = Investigation(
    slug="roles",
    title="The role of every head",
    chapter="03",
    points=8,
    minutes=45,
    difficulty=5,
    objective="Give every head of three models that you have not seen a role, and find what taking heads out one by one hides.",
    question="What is each head of three models from other seeds for, and what do heads do together?",
    form='a dictionary {"induction-2l-b": {"heads": {"0.0": (role, zero, another row), ...}, "without": {("0.1", "1.0"): rise, ...}, '
    '"only": ("0.1", "1.0", rise)}, ...} for three models',
    read=read,
    experiment=experiment,
    levels=Levels(passed=0.6, good=0.8, excellent=0.95),
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
            fits=lambda said, findings: not findings.sure,
            sentence="The two heads that you leave are not the two that copy best. A head can be costly to lose because of what others do while "
            "it is missing. Silence those others too, and compare all pairs.",
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
    ),
)  # fmt: skip
