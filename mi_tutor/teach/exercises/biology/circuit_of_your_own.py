"""Chapter 08: `a-circuit-of-your-own`, an investigation."""

from __future__ import annotations

import functools
from typing import Any

from mi_tutor.specimens.biology.phenomena import PHENOMENA
from mi_tutor.teach.exercises.biology.own_circuit import (
    Circuit,
    experiment,
    read_circuit,
    shares_of,
)
from mi_tutor.teach.investigation import Findings, Investigation, Levels, Worked, WrongHypothesis

# Our own circuits, found by leaving parts out, the least needed first (see the chapter's solution).
FOUND = {
    "fetcher": ("2.1", "2.2", "2.3", "mlp2", "mlp3", "4.3", "mlp4"),
    "mention": ("1.0", "2.1", "mlp2", "3.3", "mlp3", "4.3", "mlp4"),
    "sums": ("1.1", "2.2", "2.3", "3.0", "mlp3", "4.1"),
}
N_OWN = 3  # seeds over which our own predictions are means


def handed_in(
    phenomenon: str, parts: tuple[str, ...], shares: dict[tuple[str, str], float]
) -> dict[str, Any]:
    """A hypothesis as a learner would write it."""
    return {
        "phenomenon": phenomenon,
        "circuit": list(parts),
        **{
            says: {c: round(shares[c, says], 2) for c in PHENOMENA[phenomenon]}
            for says in ("follows", "stays")
        },
    }


@functools.cache
def _measured(phenomenon: str, parts: tuple[str, ...]) -> dict[tuple[str, str], float]:
    """Our own means, on seeds that no draw has."""
    every = [shares_of(phenomenon, parts, seed) for seed in range(N_OWN)]
    return {key: sum(each[key] for each in every) / len(every) for key in every[0]}


def _ours(phenomenon: str) -> dict[str, Any]:
    return handed_in(phenomenon, FOUND[phenomenon], _measured(phenomenon, FOUND[phenomenon]))


def _with_measured(phenomenon: str, *parts: str) -> dict[str, Any]:
    return handed_in(phenomenon, parts, _measured(phenomenon, parts))


def _by_eye(phenomenon: str) -> dict[str, Any]:
    every = {(c, says): 0.6 for c in PHENOMENA[phenomenon] for says in ("follows", "stays")}
    return handed_in(phenomenon, FOUND[phenomenon], every)


def _one_part(circuit: Circuit, findings: Findings) -> bool:
    return len(circuit.parts) == 1 and not findings.facts["enough"]


def _half(circuit: Circuit, findings: Findings) -> bool:
    facts = findings.facts
    return (
        len(circuit.parts) > 1 and not facts["enough"] and facts["follows"] > facts["stays"] + 0.15
    )


A_CIRCUIT_OF_YOUR_OWN = Investigation(
    slug="a-circuit-of-your-own",
    optional=True,
    title="A circuit of your own",
    chapter="08",
    points=10,
    minutes=60,
    difficulty=4,
    objective="Choose something that nobody has described, say which parts carry it and what will happen to it, and be tested on both.",
    question="Which few parts carry the phenomenon, and what happens when they are exchanged, or all the others?",
    form="a dict with “phenomenon” (fetcher, mention or sums), “circuit” (at most seven parts of layers 1 to 4, such as “2.3” and “mlp1”), “follows” and "
    "“stays” (a share for each of its conditions)",
    read=read_circuit,
    experiment=experiment,
    levels=Levels(0.7, 0.8, 0.9),
    mistakes=(
        WrongHypothesis(
            name="the part with the largest effect",
            example=lambda: _with_measured("mention", "3.3"),
            fits=_one_part,
            sentence="One part, and most of what happens goes on without it. Exchanged alone it may have the largest effect of all; "
            "exchange all the others and keep this one, and see what is left of the answer.",
        ),
        WrongHypothesis(
            name="makes it follow, and cannot hold it",
            example=lambda: _with_measured("fetcher", "2.3", "mlp4"),
            fits=_half,
            sentence="Exchanged, your parts make the answer follow; with all the others exchanged the answer does not stay. So something "
            "else carries it, too, or what your parts write is worked on by parts that you left out.",
        ),
        WrongHypothesis(
            name="shares by eye",
            example=lambda: _by_eye("fetcher"),
            fits=lambda circuit, findings: findings.facts["enough"],
            sentence="The circuit holds. The shares are not what it gives: measure them, over several seeds, one condition at a time.",
        ),
    ),
    styles=(
        Worked(name="fetcher", hypothesis=lambda: _ours("fetcher"), level="excellent"),
        Worked(name="mention", hypothesis=lambda: _ours("mention"), level="good"),
        Worked(name="sums", hypothesis=lambda: _ours("sums"), level="good"),
    ),
    hints=(
        "`biology.exchanged` with one part at a time gives a first list. It need not be the answer: parts that take over from each "
        "other do little alone.",
        "Adding parts to the best one fails: nothing stays until all that is needed is there. Begin with all 20, for which everything "
        "stays, and leave out the one that is missed least. Then the next.",
        "Predictions are means over fresh pairs. Forty pairs of one seed are off by a tenth; take several seeds, and "
        "conditions apart.",
    ),
)
