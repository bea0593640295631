"""Chapter 04, investigation `the-circuit`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mi_tutor.lab.patching.circuits import heads_of
from mi_tutor.teach.exercises.patching.circuits import (
    HEADS,
    LAYERS,
    MLPS,
    Circuit,
    experiment,
    read,
)
from mi_tutor.teach.investigation import Findings, Investigation, Levels, Worked, WrongHypothesis

Head = tuple[int, int]
OUR_ROLES: dict[Head, str] = {
    (0, 2): "receiver",
    (2, 1): "receiver",
    (2, 2): "receiver",
    (2, 3): "second",
    (3, 0): "first",
    (3, 2): "receiver",
    (4, 1): "second",
    (4, 3): "first",
}
SMALL = {(0, 2), (4, 3)}
# What two heads leave of F(M) beyond the sum of their losses, where the second gives and where the first does, as we
# measured it on stories of our own; pairs of .1 or more.
OUR_PAIRS = {
    ((2, 1), (2, 3)): (0.15, -0.05),
    ((2, 1), (3, 0)): (0.1, 0.17),
    ((2, 1), (4, 1)): (0.12, -0.02),
    ((2, 2), (2, 3)): (0.19, -0.1),
    ((2, 2), (3, 0)): (0.21, 0.19),
    ((2, 2), (4, 1)): (0.16, 0.0),
    ((2, 3), (3, 0)): (0.34, 0.3),
    ((2, 3), (4, 1)): (-0.43, 0.05),
    ((3, 0), (4, 1)): (0.3, 0.21),
}
EVERY = [(layer, head) for layer in range(LAYERS) for head in range(HEADS)]


def circuit(
    heads: Iterable[Head] = OUR_ROLES,
    mlps: Iterable[int] = range(LAYERS),
    roles: Mapping[Head, str] = OUR_ROLES,
    together: Mapping[Any, tuple[float, float]] = OUR_PAIRS,
) -> dict[str, Any]:
    """A hypothesis with our roles, where no others are given."""
    named = {head: roles.get(head, "receiver") for head in heads}
    return {"heads": named, "mlps": list(mlps), "together": dict(together)}


def _share(found: Circuit) -> float:
    return len(found.parts) / (LAYERS * HEADS + LAYERS)


def _size(extra: tuple[float, float]) -> float:
    return max(map(abs, extra))


def _roles_wrong(found: Circuit, findings: Findings) -> bool:
    return findings.sure and findings.facts["right"] < findings.facts["marked"]


THE_CIRCUIT = Investigation(
    slug="the-circuit",
    optional=True,
    title="The circuit",
    chapter="04",
    points=10,
    minutes=55,
    difficulty=5,
    objective="Find the parts that tell who receives, a set that is faithful, complete and minimal, and say what each "
    "head tells, alone and with another.",
    question="Which heads and MLPs of atlas tell who receives, whom does each head raise, and which act on one another?",
    form='a dict {"heads": {(layer, head): "receiver", ...}, "mlps": [layer, ...], "together": {(head, head): (share, share)}}',
    read=read,
    experiment=experiment,
    levels=Levels(0.85, 0.9, 0.95),
    styles=(
        Worked(name="thirteen parts", hypothesis=circuit, level="excellent"),
        Worked(
            name="without the two smallest",
            hypothesis=lambda: circuit([head for head in OUR_ROLES if head not in SMALL]),
            level="good",
        ),
    ),
    mistakes=(
        WrongHypothesis(
            name="everything",
            example=lambda: circuit(EVERY),
            fits=lambda found, findings: _share(found) > 0.9,
            sentence="The whole model is faithful to itself, and that says nothing. Take parts out for as long as what is "
            "left stays faithful.",
        ),
        WrongHypothesis(
            name="heads only",
            example=lambda: circuit(mlps=[]),
            fits=lambda found, findings: not found.parts & MLPS,
            sentence="There are heads only in your circuit. What they read was made by something, and the section on paths "
            "says what that is in the first layers.",
        ),
        WrongHypothesis(
            name="only the late part",
            example=lambda: circuit([head for head in OUR_ROLES if head[0] > 1], mlps=[2, 3, 4]),
            fits=lambda found, findings: not found.parts & {0, 1},
            sentence="Your circuit begins in the middle: parts that write the answer are there, and nobody who makes what "
            "they read of the words.",
        ),
        WrongHypothesis(
            name="the largest single patches",
            example=lambda: circuit([(0, 2), (2, 1), (2, 2), (3, 0), (3, 2), (4, 1)]),
            fits=lambda found, findings: (
                {(2, 1), (2, 2)} <= found.parts and (2, 3) not in found.parts
            ),
            sentence="Your heads are those whose single patches were large, for pairs in which only the giver differs. What "
            "both prompts of such a pair share is invisible there, and what does good in one order of the names and harm "
            "in the other mostly cancels in a mean over both. Sweep again with `others`, order by order.",
        ),
        WrongHypothesis(
            name="a late half of the model",
            example=lambda: circuit([head for head in EVERY if head[0] > 1]),
            fits=lambda found, findings: findings.sure and _share(found) > 0.55,
            sentence="It is faithful, with passengers: members without which nothing changes. Take out one at a time, the "
            "smallest loss first.",
        ),
        WrongHypothesis(
            name="only the movers",
            example=lambda: circuit([(2, 2), (4, 1)]),
            fits=lambda found, findings: len(heads_of(found.parts)) <= 4,
            sentence="These are the heads that write most at the end. Others tell them where to look, or carry the rest of "
            "what they need.",
        ),
        WrongHypothesis(
            name="single losses add up",
            example=lambda: circuit(together={}),
            fits=lambda found, findings: (
                findings.sure and max(map(_size, found.together.values()), default=0) < 0.05
            ),
            sentence="You say that two heads cost together what they cost one by one. Single knock-outs cannot tell: one head "
            "may do its work through another, or have its harm undone by it. Silence them two at a time, order by order.",
        ),
        WrongHypothesis(
            name="everyone tells who receives",
            example=lambda: circuit(roles={}),
            fits=lambda found, findings: (
                _roles_wrong(found, findings) and set(found.roles.values()) == {"receiver"}
            ),
            sentence="The set is a circuit for who receives, and not each of its heads knows it. A head that raises the same "
            "place whoever stands there helps in one order of the names and harms in the other: look at the orders apart.",
        ),
        WrongHypothesis(
            name="by where they look",
            example=lambda: circuit(
                roles=OUR_ROLES | dict.fromkeys([(2, 1), (2, 2), (3, 2)], "giver")
            ),
            fits=_roles_wrong,
            sentence="Whom a head looks at is not whom it raises: one that reads the giver can speak for the other. Take each "
            "head out of the whole model, and see in which order of the names the answer loses and in which it gains.",
        ),
    ),
    hints=(
        "Begin with everything and ask your `circuit_logits` for F without each part in turn. What costs nothing goes out "
        "first; sweep again after each.",
        "Ask for the two orders of names by themselves (`stories.second_gives`). A head that raises the person named "
        "second, whoever receives, helps in one and hurts in the other. What single heads lose does not add up: 28 pairs.",
        "All five MLPs stay. Besides the heads of the single patches one more of layer 2 is needed; two small ones, in "
        "the first and the last layer, bring the rest. Four of the eight raise a place.",
    ),
)
