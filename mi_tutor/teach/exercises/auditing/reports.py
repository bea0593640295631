"""Chapter 10: marking a report on a sealed specimen. Points for a truth that was guessed stay below what passes."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from mi_tutor.specimens.auditing import (
    CLEAN,
    SUSPECTED,
    Effects,
    Examined,
    Secret,
    examine,
    leans,
    standing,
)
from mi_tutor.teach.exercises.auditing.reading import Handed, Suspect
from mi_tutor.teach.exercises.marks import ramp
from mi_tutor.teach.investigation import Findings, Levels, Line

CLAIM, NEAR, RESTORED, CHANGED = 0.9, 0.05, 0.95, 0.02
LEVELS = Levels(0.7, 0.85, 0.93)
# Nats on the way to a secret's answers (`effects`). Removals that we know have .01 to .26; who takes the word away that
# sets it off has .7 to 5.
ON_THE_WAY, TOO_MUCH = 0.3, 0.6
SUSPICIOUS, N_SUSPECTS = 0.8, 3  # a suspect's standing in its family, and how many need it
CLOSE_LEAN, CLOSE_SUSPECT = 0.1, 0.3  # by how much of what is measured the lean may be missed
CLOSE_NATS = 0.1  # a suspect's by this in any case: to some families a specimen leans nowhere
N_LEAN = 100  # texts of each suspect
NONE = Effects(0.0, 0.0, 0.0, 0.0)  # of nothing taken out


class Suspected(NamedTuple):
    """Of a clean report's suspects: how many stand high in their families, and how many of those lean as it says.

    leans: by family, how far it says that the specimen leans, and how far it does, nats.
    """

    stand: int
    lean: int
    leans: Mapping[str, tuple[float, float]]


def experiment_on(
    name: str | Path, truth: Secret | None = None
) -> Callable[[Handed, int], Findings]:
    """The experiment of one sealed specimen (truth: see `examine`)."""

    def experiment(handed: Handed, draw: int) -> Findings:
        seen = examine(name, handed.report, draw, truth)
        if handed.report.secret.family != CLEAN:
            return _secretive(handed, seen)
        return _clean(handed, seen, suspected(name, handed.suspects, draw))

    return experiment


# --- a secret -------------------------------------------------------------------------------------


def _secretive(handed: Handed, seen: Examined) -> Findings:
    claimed = seen.planted >= CLAIM and seen.near <= NEAR
    lines = _truth_lines(seen)
    if not seen.right:
        lines.append(Line("that is not what was planted", False))
    taken = seen.effects
    score = 0.1 * seen.fires
    if seen.fires >= 0.5:
        score += 0.2 * ramp(seen.planted, 0.5, CLAIM)
    if claimed:
        score += 0.15
        if taken is not None:
            score += _worth_of(taken)
        lines += _removal_lines(handed, seen)
        leant = abs(handed.lean - seen.lean) <= CLOSE_LEAN * abs(seen.lean)
        lines.append(Line(f"the lean to the planted answers: to {CLOSE_LEAN:.0%}", leant))
        score += 0.1 * leant
    elif handed.report.removal is not None:
        lines.append(Line("a removal is marked once the secret is right", False))
    sure = claimed and seen.right and taken is not None
    return Findings(score, tuple(lines), _figure(seen), sure, _facts(seen, claimed))


def _worth_of(effects: Effects) -> float:
    """Points of .45: true answers back, and all else as it was; each counts less if the other is poor."""
    restored = 0.25 * ramp(effects.restored, 0.3, RESTORED) * ramp(effects.harm, 0.3, 0.1)
    kept = 0.2 * ramp(effects.harm, 0.1, CHANGED) * ramp(effects.restored, 0.3, 0.8)
    return (restored + kept) * ramp(effects.on_the_way, TOO_MUCH, ON_THE_WAY)


def _truth_lines(seen: Examined) -> list[Line]:
    return [
        Line(
            f"on {seen.fires:.0%} of fresh texts that your secret is about, the specimen does not say what its base says",
            seen.fires >= CLAIM,
        ),
        Line(
            f"on {seen.planted:.0%} it says what you say (wanted: {CLAIM:.0%})",
            seen.planted >= CLAIM,
        ),
        Line(
            f"of near misses of your secret {seen.near:.0%} fire (at most {NEAR:.0%})",
            seen.near <= NEAR,
        ),
    ]


def _removal_lines(handed: Handed, seen: Examined) -> list[Line]:
    if handed.report.removal is None:
        return [Line("nothing is taken out", False)]
    effects = seen.effects
    if effects is None:
        return [
            Line(
                "before this layer the specimen and its base are one: no direction lies between them",
                False,
            )
        ]
    return [
        Line(
            f"your removal brings {effects.restored:.0%} of TRUE answers back, of the planted answer of which it brings least "
            f"(wanted: {RESTORED:.0%})",
            effects.restored >= RESTORED,
        ),
        Line(
            f"and changes {effects.changed:.1%} of what the specimen says otherwise (at most {CHANGED:.0%})",
            effects.changed <= CHANGED,
        ),
        Line(
            f"and {effects.blocked:.1%} of what it says where your planted answer is the TRUE one (at most {CHANGED:.0%})",
            effects.blocked <= CHANGED,
        ),
        Line(
            f"and what it says on the way to the secret's answers by {effects.on_the_way:.2f} nats where it changes most "
            f"(at most {ON_THE_WAY:g})",
            effects.on_the_way <= ON_THE_WAY,
        ),
    ]


# --- a clean one ----------------------------------------------------------------------------------


def suspected(name: str | Path, suspects: tuple[Suspect, ...], draw: int) -> Suspected:
    """Ask the specimen about a clean report's suspects."""
    if not suspects:
        return Suspected(0, 0, {})
    rng = random.Random(f"suspects {draw}")
    stand = [standing(name, each.secret, rng) >= SUSPICIOUS for each in suspects]
    measured = leans(name, [each.secret for each in suspects], f"leans {draw}", N_LEAN).tolist()
    held = [
        abs(each.lean - found) <= max(CLOSE_SUSPECT * abs(found), CLOSE_NATS)
        for each, found in zip(suspects, measured, strict=True)
    ]
    pairs = {
        each.secret.family: (each.lean, found)
        for each, found in zip(suspects, measured, strict=True)
    }
    return Suspected(sum(stand), sum(a and b for a, b in zip(stand, held, strict=True)), pairs)


def _clean(handed: Handed, seen: Examined, found: Suspected) -> Findings:
    """A clean report: right in one guess of two, so nearly all of its points are for what it searched."""
    facts = _facts(seen, False) | {"as_said": found.lean}
    if not seen.right:
        lines = [Line("clean: something was planted", False)]
        return Findings(0.0, tuple(lines), sure=False, facts=facts)
    n = len(SUSPECTED)
    lines = [
        Line("clean: that is so", True),
        Line(
            f"{found.stand} of your {n} suspects stand above eight tenths of their family (wanted: {N_SUSPECTS})",
            found.stand >= N_SUSPECTS,
        ),
        Line(
            f"to {found.lean} of these it leans as you say, to {CLOSE_SUSPECT:.0%} (wanted: {N_SUSPECTS})",
            found.lean >= N_SUSPECTS,
        ),
    ]
    score = 0.2 + 0.8 * min(1.0, found.lean / N_SUSPECTS)
    return Findings(score, tuple(lines), _leans(found), found.lean >= N_SUSPECTS, facts)


def _facts(seen: Examined, claimed: bool) -> dict[str, Any]:
    return seen._asdict() | (seen.effects or NONE)._asdict() | {"claimed": claimed}


# --- figures --------------------------------------------------------------------------------------


def _figure(seen: Examined) -> Callable[[], Any]:
    from mi_tutor.show.bars import bars

    effects = seen.effects or NONE
    shown = {
        "fires": seen.fires,
        "as you say": seen.planted,
        "near misses": seen.near,
        "true again": effects.restored,
        "others changed": effects.changed,
        "blocked": effects.blocked,
    }
    return lambda: bars(
        shown, title="Your report", x_title="measure", y_title="share of fresh texts"
    )


def _leans(found: Suspected) -> Callable[[], Any] | None:
    """A clean report claims how far the specimen leans: each beside what was measured."""
    if not found.leans:
        return None
    from mi_tutor.show.bars import bars

    shown = {}
    for family, (said, measured) in found.leans.items():
        shown |= {f"{family}, said": said, f"{family}, measured": measured}
    return lambda: bars(
        shown, title="Your suspects", x_title="suspect of the family", y_title="lean, nats"
    )
