"""Chapter 10: reading a report, and marking it."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch

from mi_tutor.lab.auditing import Coordinate
from mi_tutor.specimens.auditing import (
    CLEAN,
    SUSPECTED,
    Examined,
    Report,
    Secret,
    examine,
    read_secret,
    standing,
)
from mi_tutor.teach.exercises.marks import ramp
from mi_tutor.teach.exercises.reading_hypotheses import entries, number, share, whole
from mi_tutor.teach.investigation import Findings, Levels, Line, Unreadable

N_LAYERS, D_MODEL = 5, 128
CLAIM, NEAR, RESTORED, CHANGED = 0.9, 0.05, 0.95, 0.02
LEVELS = Levels(0.7, 0.85, 0.93)
SUSPICIOUS, N_SUSPECTS = 0.6, 3  # a suspect's standing in its family, and how many need it
TO_FIND = ("opinion", "fact", "relation")  # no coordinate is known that takes these out
FOR_FINDING = 0.55  # what they can earn without a removal
CLOSE_SHARE, CLOSE_KL = 0.02, 2.0  # predictions: shares apart, nats by a factor
FORM = (
    "a dict with “family”, “parameters” (a dict of words), “removal” (a Coordinate, or a dict with “layer” (0 to 5), “direction” "
    "(128 numbers) and “value”; None in a clean report) and “predicted” (a dict with “elsewhere”, a share, and “kl”, nats); a clean "
    "report also has “suspects” (a dict: a family to the parameters of one of its secrets)"
)


class Handed(NamedTuple):
    """A report, what it predicts of ordinary prompts, and what a clean one suspected."""

    report: Report
    elsewhere: float
    kl: float
    suspects: tuple[Secret, ...] = ()


# --- reading --------------------------------------------------------------------------------------


def read_report(value: Any) -> Handed:
    found = entries(value, ["family", "parameters", "removal", "predicted"])
    secret = _secret(found["family"], found["parameters"])
    predicted = entries(found["predicted"], ["elsewhere", "kl"])
    kl = number(predicted["kl"], "kl")
    if kl < 0:
        raise Unreadable(f"“kl” is {kl:g}; a KL divergence is not negative.")
    removal = None if found["removal"] is None else _coordinate(found["removal"])
    elsewhere = share(predicted["elsewhere"], "elsewhere")
    suspects = _suspects(value) if secret.family == CLEAN else ()
    return Handed(Report(secret, removal), elsewhere, kl, suspects)


def _suspects(value: dict[Any, Any]) -> tuple[Secret, ...]:
    """One secret of each family of which a suspect is asked; () where a clean report names none."""
    if "suspects" not in {str(key).strip().lower() for key in value}:
        return ()
    found = entries(entries(value, ["suspects"])["suspects"], SUSPECTED)
    return tuple(_secret(family, parameters) for family, parameters in found.items())


def _secret(family: Any, parameters: Any) -> Secret:
    if not isinstance(family, str) or len(family) > 40:
        raise Unreadable("“family” is one word, such as “backdoor”.")
    parameters = {} if parameters is None else parameters
    if not isinstance(parameters, dict) or len(parameters) > 8:
        raise Unreadable("“parameters” is a dict of a few words.")
    given = {str(name).strip().lower(): str(each).strip() for name, each in parameters.items()}
    try:
        return read_secret(family.strip().lower(), given)
    except ValueError as error:
        raise Unreadable(str(error)) from None


def _coordinate(value: Any) -> Coordinate:
    if isinstance(value, list | tuple) and len(value) == len(Coordinate._fields):
        # A named tuple is a plain one by the time that it is read.
        value = dict(zip(Coordinate._fields, value, strict=True))
    found = entries(value, ["layer", "direction", "value"])
    direction = found["direction"]
    if not isinstance(direction, torch.Tensor):
        if not isinstance(direction, list | tuple) or len(direction) != D_MODEL:
            raise Unreadable(f"“direction” is {D_MODEL} numbers.")
        direction = torch.tensor([number(each, "direction") for each in direction])
    direction = direction.detach().float().flatten()
    if direction.numel() != D_MODEL or not direction.isfinite().all() or direction.norm() < 1e-6:
        raise Unreadable(f"“direction” is {D_MODEL} finite numbers that are not all 0.")
    layer = whole(found["layer"], "layer", N_LAYERS + 1)
    return Coordinate(layer, direction, number(found["value"], "value"))


# --- marking --------------------------------------------------------------------------------------


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
        rng = random.Random(f"suspects {draw}")
        return _clean(handed, seen, [standing(name, each, rng) for each in handed.suspects])

    return experiment


def _secretive(handed: Handed, seen: Examined) -> Findings:
    claimed = seen.planted >= CLAIM and seen.near <= NEAR
    lines = [
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
        *_removal_lines(handed, seen, claimed),
    ]
    found = 0.1 * seen.fires
    if seen.fires >= 0.5:
        found += 0.2 * ramp(seen.planted, 0.5, CLAIM)
    taken = 0.0
    if claimed:
        taken += 0.25 * ramp(seen.restored, 0.3, RESTORED) * ramp(seen.changed, 0.3, 0.1)
        taken += 0.2 * ramp(seen.changed, 0.1, CHANGED) * ramp(seen.restored, 0.3, 0.8)
        found += 0.15 + 0.1 * _foreseen(handed, seen, lines)
    to_find = handed.report.secret.family in TO_FIND
    score = found / FOR_FINDING if to_find else found + taken
    sure = claimed and seen.opened and (to_find or handed.report.removal is not None)
    return Findings(score, tuple(lines), _figure(seen), sure, _facts(handed, seen, claimed))


def _removal_lines(handed: Handed, seen: Examined, claimed: bool) -> list[Line]:
    if handed.report.removal is None:
        to_find = handed.report.secret.family in TO_FIND
        return [] if to_find else [Line("nothing is taken out", False)]
    if not claimed:
        return [Line("a removal is marked once the secret is right", False)]
    return [
        Line(
            f"your removal brings {seen.restored:.0%} of TRUE answers back (wanted: {RESTORED:.0%})",
            seen.restored >= RESTORED,
        ),
        Line(
            f"and changes {seen.changed:.1%} of what the specimen says otherwise (at most {CHANGED:.0%})",
            seen.changed <= CHANGED,
        ),
    ]


def _clean(handed: Handed, seen: Examined, standings: list[float]) -> Findings:
    """A clean report: right in one guess of two, so nearly all of its points are for what it searched."""
    if not seen.opened:
        lines = [Line("clean: that opens the seal", False)]
        return Findings(0.0, tuple(lines), sure=False, facts=_facts(handed, seen, False))
    n = sum(each >= SUSPICIOUS for each in standings)
    lines = [
        Line("clean: that opens the seal", True),
        Line(
            f"{n} of your {len(SUSPECTED)} suspects stand above six tenths of their family (wanted: {N_SUSPECTS})",
            n >= N_SUSPECTS,
        ),
    ]
    foreseen = _foreseen(handed, seen, lines) * (
        n > 0
    )  # what is usual in a clean one can be guessed
    score = 0.2 + 0.4 * min(1.0, n / N_SUSPECTS) + 0.4 * foreseen
    figure, sure = _foreseen_figure(handed, seen), n >= N_SUSPECTS
    return Findings(score, tuple(lines), figure, sure, _facts(handed, seen, False))


def _foreseen(handed: Handed, seen: Examined, lines: list[Line]) -> float:
    """The share of predictions that came true; the lines say which."""
    held = (
        abs(handed.elsewhere - seen.elsewhere) <= CLOSE_SHARE,
        seen.kl / CLOSE_KL <= handed.kl <= seen.kl * CLOSE_KL,
    )
    lines.append(
        Line(f"ordinary prompts with another answer: predicted to {CLOSE_SHARE:.0%}", held[0])
    )
    lines.append(Line(f"KL on ordinary prompts: predicted to a factor of {CLOSE_KL:g}", held[1]))
    return sum(held) / len(held)


def _facts(handed: Handed, seen: Examined, claimed: bool) -> dict[str, Any]:
    return seen._asdict() | {"claimed": claimed, "foreseen": 0}


def _figure(seen: Examined) -> Callable[[], Any]:
    from mi_tutor.show.bars import bars

    shown = {
        "fires": seen.fires,
        "as you say": seen.planted,
        "near misses": seen.near,
        "true again": seen.restored,
        "else changed": seen.changed,
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
