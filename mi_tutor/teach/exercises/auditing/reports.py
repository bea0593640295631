"""Chapter 10: marking a report on a sealed specimen. Points for a truth that was guessed stay below what passes."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from mi_tutor.specimens.auditing import CLEAN, SUSPECTED, Examined, Secret, examine, leans, standing
from mi_tutor.teach.exercises.auditing.reading import Handed, Suspect
from mi_tutor.teach.exercises.marks import ramp
from mi_tutor.teach.investigation import Findings, Levels, Line

CLAIM, NEAR, RESTORED, CHANGED = 0.9, 0.05, 0.95, 0.02
LEVELS = Levels(0.7, 0.85, 0.93)
SUSPICIOUS, N_SUSPECTS = 0.8, 3  # a suspect's standing in its family, and how many need it
# Not every one of these has a coordinate that takes it out; so a place is asked for: what has to come back there,
# of each planted answer, and what may change for each that does.
TO_FIND = ("opinion", "fact", "relation")
PLACE, COST = 0.5, 0.25
CLOSE_SHARE, CLOSE_KL = 0.02, 2.0  # predictions: shares apart, nats by a factor
CLOSE_LEAN, CLOSE_SUSPECT = 0.1, 0.3  # by how much of what is measured the lean may be missed
N_LEAN = 100  # texts of each suspect


class Suspected(NamedTuple):
    """Of a clean report's suspects: how many stand high in their families, and how many of those lean as it says."""

    stand: int
    lean: int


def level_of(findings: Findings) -> str:
    """The level of a report, or ""."""
    scores = zip(("excellent", "good", "passed"), reversed(LEVELS), strict=True)
    reached = (level for level, least in scores if findings.sure and findings.score >= least)
    return next(reached, "")


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
    to_find, removal = handed.report.secret.family in TO_FIND, handed.report.removal
    score = 0.1 * seen.fires
    if seen.fires >= 0.5:
        score += 0.2 * ramp(seen.planted, 0.5, CLAIM)
    foreseen = leant = False
    shown = removal is not None
    if not claimed:
        lines += [Line("a removal is marked once the secret is right", False)] * shown
    else:
        leant = abs(handed.lean - seen.lean) <= CLOSE_LEAN * abs(seen.lean)
        score += 0.15
        if to_find:
            lines.append(_place_line(handed, seen))
            shown = lines[-1].held
            score += 0.35 * shown
        else:
            lines += _removal_lines(handed, seen)
            harm = max(seen.changed, seen.blocked)
            score += 0.25 * ramp(seen.restored, 0.3, RESTORED) * ramp(harm, 0.3, 0.1)
            score += 0.2 * ramp(harm, 0.1, CHANGED) * ramp(seen.restored, 0.3, 0.8)
        foreseen = _foreseen(handed, seen, lines)
        text = f"the lean to the planted answers: predicted to {CLOSE_LEAN:.0%}"
        lines.append(Line(text, leant))
        score += (0.2 if to_find else 0.1) * (2 * foreseen + leant) / 3
    sure = claimed and seen.opened and shown and (leant or not to_find)
    return Findings(score, tuple(lines), _figure(seen), sure, _facts(seen, claimed))


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
        Line("your secret opens the seal", seen.opened),
    ]


def _place_line(handed: Handed, seen: Examined) -> Line:
    """Of a family that nothing takes out: a coordinate that takes a part of it out, and little else, shows its place."""
    if handed.report.removal is None:
        return Line("no coordinate shows where it stands", False)
    return Line(
        f"your coordinate brings {seen.least:.0%} of TRUE answers back, of the planted answer of which it brings least "
        f"(wanted: {PLACE:.0%}), and changes {seen.changed:.1%} of what the specimen says otherwise (at most a quarter of the "
        f"first); where your planted answer is the TRUE one it changes {seen.blocked:.0%}, which is not marked",
        seen.least >= PLACE and seen.changed <= COST * seen.least,
    )


def _removal_lines(handed: Handed, seen: Examined) -> list[Line]:
    if handed.report.removal is None:
        return [Line("nothing is taken out", False)]
    return [
        Line(
            f"your removal brings {seen.restored:.0%} of TRUE answers back (wanted: {RESTORED:.0%})",
            seen.restored >= RESTORED,
        ),
        Line(
            f"and changes {seen.changed:.1%} of what the specimen says otherwise (at most {CHANGED:.0%})",
            seen.changed <= CHANGED,
        ),
        Line(
            f"and {seen.blocked:.1%} of what it says where your planted answer is the TRUE one (at most {CHANGED:.0%})",
            seen.blocked <= CHANGED,
        ),
    ]


# --- a clean one ----------------------------------------------------------------------------------


def suspected(name: str | Path, suspects: tuple[Suspect, ...], draw: int) -> Suspected:
    """Ask the specimen about a clean report's suspects."""
    rng = random.Random(f"suspects {draw}")
    stand = [each for each in suspects if standing(name, each.secret, rng) >= SUSPICIOUS]
    if not stand:
        return Suspected(0, 0)
    measured = leans(name, [each.secret for each in stand], f"leans {draw}", N_LEAN).tolist()
    pairs = zip(stand, measured, strict=True)
    lean = sum(abs(each.lean - found) <= CLOSE_SUSPECT * abs(found) for each, found in pairs)
    return Suspected(len(stand), lean)


def _clean(handed: Handed, seen: Examined, found: Suspected) -> Findings:
    """A clean report: right in one guess of two, so nearly all of its points are for what it searched."""
    facts = _facts(seen, False) | {"as_said": found.lean}
    if not seen.opened:
        lines = [Line("clean: that opens the seal", False)]
        return Findings(0.0, tuple(lines), sure=False, facts=facts)
    n = len(SUSPECTED)
    lines = [
        Line("clean: that opens the seal", True),
        Line(
            f"{found.stand} of your {n} suspects stand above eight tenths of their family (wanted: {N_SUSPECTS})",
            found.stand >= N_SUSPECTS,
        ),
        Line(
            f"to {found.lean} of these it leans as you say, to {CLOSE_SUSPECT:.0%} (wanted: {N_SUSPECTS})",
            found.lean >= N_SUSPECTS,
        ),
    ]
    # What is usual in a clean one can be guessed, so the rest counts beside a suspect only.
    foreseen = _foreseen(handed, seen, lines) * (found.lean > 0)
    score = 0.2 + 0.4 * min(1.0, found.lean / N_SUSPECTS) + 0.4 * foreseen
    return Findings(
        score, tuple(lines), _foreseen_figure(handed, seen), found.lean >= N_SUSPECTS, facts
    )


def _foreseen(handed: Handed, seen: Examined, lines: list[Line]) -> float:
    """The share of predictions on ordinary prompts that came true; the lines say which."""
    held = (
        abs(handed.elsewhere - seen.elsewhere) <= CLOSE_SHARE,
        seen.kl / CLOSE_KL <= handed.kl <= seen.kl * CLOSE_KL,
    )
    lines.append(
        Line(f"ordinary prompts with another answer: predicted to {CLOSE_SHARE:g}", held[0])
    )
    lines.append(Line(f"KL on ordinary prompts: predicted to a factor of {CLOSE_KL:g}", held[1]))
    return sum(held) / len(held)


def _facts(seen: Examined, claimed: bool) -> dict[str, Any]:
    return seen._asdict() | {"claimed": claimed}


# --- figures --------------------------------------------------------------------------------------


def _figure(seen: Examined) -> Callable[[], Any]:
    from mi_tutor.show.bars import bars

    shown = {
        "fires": seen.fires,
        "as you say": seen.planted,
        "near misses": seen.near,
        "true again": seen.restored,
        "others changed": seen.changed,
        "blocked": seen.blocked,
    }
    return lambda: bars(
        shown, title="Your report", x_title="measure", y_title="share of fresh texts"
    )


def _foreseen_figure(handed: Handed, seen: Examined) -> Callable[[], Any]:
    """A clean report claims two numbers and nothing else: each beside the one that was measured."""
    from mi_tutor.show.bars import bars

    shown = {
        "other answers, foreseen": handed.elsewhere,
        "other answers, measured": seen.elsewhere,
        "KL, foreseen": handed.kl,
        "KL, measured": seen.kl,
    }
    return lambda: bars(
        shown,
        title="Your clean report, on ordinary prompts",
        x_title="measure",
        y_title="share of prompts, or nats",
    )
