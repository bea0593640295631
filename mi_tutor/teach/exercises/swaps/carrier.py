"""Chapter 05: `what-does-the-head-see`, an investigation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mi_tutor.teach.exercises.swaps.carriers import Carriers, Head, read_carriers, relations
from mi_tutor.teach.exercises.swaps.carrying import BRINGS, experiment
from mi_tutor.teach.investigation import Findings, Investigation, Levels, Worked, WrongHypothesis

STATE, RELATION = ((2, 3),), ((1, 1), (1, 3))
# What follows 1.1 and 1.3 alone, in the order of `relations()`, as we measured it.
ALONE = {
    (1, 1): (0.93, 0.40, 0.57, 0.72, 0.50, 0.50, 0.09, 0.60, 0.22),
    (1, 3): (0.41, 0.42, 0.71, 0.37, 0.35, 0.38, 0.53, 0.72, 0.39),
}


def way(heads: Sequence[Head], follows: float, without: float) -> dict[str, Any]:
    return {"heads": list(heads), "follows": follows, "without": without}


def hypothesis(
    state: Sequence[Head] = STATE, relation: Sequence[Head] = RELATION, **given: Any
) -> dict[str, Any]:
    """Heads for both, and numbers that fit ours."""
    half = [0.5] * len(relations())
    alone = {each: dict(zip(relations(), ALONE.get(each, half), strict=True)) for each in relation}
    ours = {"state": way(state, 0.98, 0.09), "relation": way(relation, 0.99, 0.12)}
    return ours | {"alone": alone, "both": 0.97} | given


def one_for_all(share: float = 0.5) -> dict[Head, dict[str, float]]:
    """The same share for every relation, in both heads."""
    return {each: dict.fromkeys(relations(), share) for each in RELATION}


def _idle(thing: str) -> Any:
    return lambda carriers, findings: bool(findings.facts[f"{thing} idle"])


def _sets_right(carriers: Carriers, findings: Findings) -> bool:
    return findings.sure


WHAT_DOES_THE_HEAD_SEE = Investigation(
    slug="what-does-the-head-see",
    title="Who brings what?",
    chapter="05",
    points=8,
    minutes=45,
    difficulty=5,
    objective="Find the heads that a computation goes through, and show what each of them brings by exchanging "
    "nothing else.",
    question="By which heads does the prompt's end get what it needs, and what does each of them bring?",
    form="a dict with “state”, “relation” (each a dict with “heads”, “follows”, “without”), “alone” (a dict from each head "
    "of the relation to a dict from relation to share) and “both”",
    read=read_carriers,
    experiment=experiment,
    levels=Levels(0.82, 0.9, 0.95),
    mistakes=(
        WrongHypothesis(
            name="one head for everything",
            example=lambda: hypothesis(relation=[(2, 3)]),
            fits=lambda carriers, findings: (
                findings.facts["relation follows"] < 0.1 and findings.facts["relation rest"] > 0.5
            ),
            sentence="Your heads bring none of what is asked: exchanged in them, it moves no answer, and exchanged in all "
            "others it moves them. Whoever brings the one thing need not bring the other. Which heads are missed, and "
            "move nothing when the state is exchanged in them?",
        ),
        WrongHypothesis(
            name="one half of it",
            example=lambda: hypothesis(relation=[(1, 3)]),
            fits=lambda carriers, findings: (
                0.1 < findings.facts["relation follows"] < BRINGS
                and not findings.facts["relation idle"]
            ),
            sentence="This brings a part of it. When half of the answers follow, ask which half, and who speaks for the "
            "old answer in the others: exchange in more than one head at a time.",
        ),
        WrongHypothesis(
            name="needed, so it carries the state",
            example=lambda: hypothesis(state=[(2, 3), (1, 1), (1, 3)]),
            fits=_idle("state"),
            sentence="Among your heads for the state is one without which answers do go wrong, or that looks at the "
            "name, and what it writes says nothing of the state: exchanged in the others alone, as many answers follow. "
            "Needed for the answer is not the same as carrying the state.",
        ),
        WrongHypothesis(
            name="looking taken for bringing",
            example=lambda: hypothesis(relation=[(1, 1), (1, 3), (2, 2)]),
            fits=_idle("relation"),
            sentence="One of your heads looks at the word, and brings nothing of it: with the others exchanged and this "
            "one not, as many answers follow. A pattern says where a head reads, not whether anybody uses what it read.",
        ),
        WrongHypothesis(
            name="half of everything",
            example=lambda: hypothesis(alone=one_for_all()),
            fits=lambda carriers, findings: (
                findings.sure
                and all(
                    max(each.values()) - min(each.values()) < 0.15
                    for each in carriers.alone.values()
                )
            ),
            sentence="The heads are right. You say that each of them brings every relation alike; about a half is only the "
            "mean. Put one relation after the other into all the other questions, and count each by itself.",
        ),
        WrongHypothesis(
            name="each relation by one head",
            example=lambda: hypothesis(
                alone={
                    (1, 1): dict(zip(relations(), (1, 1, 1, 1, 1, 0, 0, 0, 0), strict=True)),
                    (1, 3): dict(zip(relations(), (0, 0, 0, 0, 0, 1, 1, 1, 1), strict=True)),
                },
                both=1.0,
            ),
            fits=_sets_right,
            sentence="The heads are right, and your shares are not what happens. Measure each head alone, relation by relation, "
            "and count what is right without them: some answers are right for many states.",
        ),
    ),
    styles=(
        Worked(name="measured", hypothesis=hypothesis, level="excellent"),
        Worked(
            name="the same, with less care for what is left without",
            hypothesis=lambda: (
                hypothesis(state=STATE, relation=RELATION, both=1.0)
                | {"state": way(STATE, 0.85, 0.25), "relation": way(RELATION, 1, 0.28)}
            ),
            level="good",
        ),
    ),
    hints=(
        "The end has the state before layer 3 and not before layer 2: so a head of layer 2, or its MLP. For what is "
        "asked, begin with a question that is easy to put to every head: without which is an answer in twenty lost?",
        "`hook_z` is what a head has read. Make means of it at the last position, by state, and again by relation, "
        "from taught questions. Their differences, added for some heads only, are the swap; the answer wanted is then "
        "another state's to the same question, or the same state's to another question.",
        "Two heads of layer 1 look at the word for what is asked. Exchange it in one, in the other, and in both; alone, count "
        "by the relation that you put in.",
    ),
)
