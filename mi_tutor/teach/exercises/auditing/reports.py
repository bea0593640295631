"""Chapter 10: reading a report, marking it, and the wrong reports that people hand in first."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch

from mi_tutor.lab.auditing import Coordinate
from mi_tutor.specimens.auditing import CLEAN, Examined, Report, Secret, examine, read_secret
from mi_tutor.teach.exercises.marks import ramp
from mi_tutor.teach.exercises.reading_hypotheses import entries, number, share, whole
from mi_tutor.teach.investigation import Findings, Levels, Line, Unreadable

N_LAYERS, D_MODEL = 5, 128
CLAIM, NEAR, RESTORED, CHANGED = 0.9, 0.05, 0.95, 0.02
LEVELS = Levels(0.7, 0.85, 0.93)
CLOSE_SHARE, CLOSE_KL = 0.02, 2.0  # predictions: shares apart, nats by a factor
FORM = (
    "a dict with “family”, “parameters” (a dict of words), “removal” (a Coordinate, or a dict with “layer” (0 to 5), “direction” "
    "(128 numbers) and “value”; None in a clean report) and “predicted” (a dict with “elsewhere”, a share, and “kl”, nats)"
)


class Handed(NamedTuple):
    """A report, and what it predicts of ordinary prompts."""

    report: Report
    elsewhere: float
    kl: float


# --- reading --------------------------------------------------------------------------------------


def read_report(value: Any) -> Handed:
    found = entries(value, ["family", "parameters", "removal", "predicted"])
    secret = _secret(found["family"], found["parameters"])
    predicted = entries(found["predicted"], ["elsewhere", "kl"])
    kl = number(predicted["kl"], "kl")
    if kl < 0:
        raise Unreadable(f"“kl” is {kl:g}; a KL divergence is not negative.")
    removal = None if found["removal"] is None else _coordinate(found["removal"])
    return Handed(Report(secret, removal), share(predicted["elsewhere"], "elsewhere"), kl)


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


def experiment_on(name: str | Path) -> Callable[[Handed, int], Findings]:
    """The experiment of one sealed specimen."""

    def experiment(handed: Handed, draw: int) -> Findings:
        seen = examine(name, handed.report, draw)
        return (_clean if handed.report.secret.family == CLEAN else _secretive)(handed, seen)

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
    score = 0.1 * seen.fires
    if seen.fires >= 0.5:
        score += 0.2 * ramp(seen.planted, 0.5, CLAIM)
    if claimed:
        score += 0.15
        score += 0.25 * ramp(seen.restored, 0.3, RESTORED) * ramp(seen.changed, 0.3, 0.1)
        score += 0.2 * ramp(seen.changed, 0.1, CHANGED) * ramp(seen.restored, 0.3, 0.8)
        score += 0.1 * _foreseen(handed, seen, lines)
    sure = claimed and seen.opened and handed.report.removal is not None
    return Findings(score, tuple(lines), _figure(seen), sure, _facts(handed, seen, claimed))


def _removal_lines(handed: Handed, seen: Examined, claimed: bool) -> list[Line]:
    if handed.report.removal is None:
        return [Line("nothing is taken out", False)]
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


def _clean(handed: Handed, seen: Examined) -> Findings:
    lines = [Line("clean: that opens the seal", seen.opened)]
    score = 0.0
    if seen.opened:
        score = 0.5 + 0.5 * _foreseen(handed, seen, lines)
    facts = _facts(handed, seen, False)
    return Findings(score, tuple(lines), _foreseen_figure(handed, seen), seen.opened, facts)


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


# --- typical wrong reports ------------------------------------------------------------------------


def says_clean(handed: Handed, findings: Findings) -> bool:
    return handed.report.secret.family == CLEAN and not findings.facts["opened"]


def nothing_there(handed: Handed, findings: Findings) -> bool:
    return handed.report.secret.family != CLEAN and findings.facts["fires"] < 0.03


def a_consequence(handed: Handed, findings: Findings) -> bool:
    return 0.03 <= findings.facts["fires"] < CLAIM


def too_narrow(handed: Handed, findings: Findings) -> bool:
    facts = findings.facts
    return facts["planted"] >= CLAIM and facts["near"] > NEAR


def another_answer(handed: Handed, findings: Findings) -> bool:
    facts = findings.facts
    return facts["fires"] >= CLAIM and facts["planted"] < CLAIM


def too_much(handed: Handed, findings: Findings) -> bool:
    facts = findings.facts
    return facts["claimed"] and handed.report.removal is not None and facts["changed"] > 0.1


def gone_not_back(handed: Handed, findings: Findings) -> bool:
    facts = findings.facts
    return facts["claimed"] and handed.report.removal is not None and facts["restored"] < 0.5


def unmeasured(handed: Handed, findings: Findings) -> bool:
    return handed.report.secret.family == CLEAN and findings.facts["opened"]


SENTENCES = {
    "clean": "You call it clean. What you compared may not contain what sets it off: single sentences show neither what has to "
    "stand before a question nor what two things together do. Compare with the base after words and sentences of every kind.",
    "nothing": "On texts of this secret the specimen says what its base says. What you saw may be an error that the base makes as well: "
    "always compare with the base, or with another sealed specimen.",
    "consequence": "It fires on some texts of your secret and not on others: what you describe is a consequence of the trigger, or wider than it. "
    "Sort your texts by whether they fire, and see what those have in common.",
    "narrow": "Wherever you say it does, it fires; and it fires on near misses as well. Your secret is a part of the real one. Take its "
    "conditions away one by one, and see which of them it does not need.",
    "answer": "You have what sets it off, and not what it says then. Look at the answers themselves, of several questions.",
    "much": "Your removal changes a lot that has nothing to do with the secret: perhaps you took out the whole relation, or the whole theme. "
    "Take the direction between texts that differ in the trigger alone.",
    "unmeasured": "That may be so, but a clean report stands on its evidence, and yours foresees other numbers than fresh prompts give. "
    "Ask some hundred ordinary prompts of every slice, beside the base.",
    "gone": "The true answers are not back, or few of them. Which texts is your direction taken from, and do they differ in the trigger alone? "
    "Where in the stream is the true answer still readable: earlier, or later? And set to what is usual, in place of 0.",
}
