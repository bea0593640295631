"""Chapter 07: `fool-the-dashboard`, an investigation."""

from __future__ import annotations

from mi_tutor.teach.exercises.steering import dashboard_reports as reports
from mi_tutor.teach.exercises.steering.fooling import (
    ANSWERED,
    CAUGHT,
    FALSE,
    STEALTH,
    Pair,
    experiment,
    read_pair,
)
from mi_tutor.teach.investigation import Findings, Investigation, Levels, Worked, WrongHypothesis


def _seen(pair: Pair, findings: Findings) -> bool:
    return findings.facts["stealth"] < STEALTH


def _no_better_than_chance(pair: Pair, findings: Findings) -> bool:
    return findings.facts["answered"] <= findings.facts["random"] + 0.1


def _half_of_them(pair: Pair, findings: Findings) -> bool:
    return 0.4 <= findings.facts["answered"] < ANSWERED and findings.facts["stealth"] >= STEALTH


def _always(pair: Pair, findings: Findings) -> bool:
    return findings.facts["false"] > FALSE and findings.facts["others"] >= CAUGHT


def _only_its_own(pair: Pair, findings: Findings) -> bool:
    facts = findings.facts
    return facts["own"] >= CAUGHT and facts["others"] < CAUGHT and facts["false"] <= FALSE


def _sees_nothing(pair: Pair, findings: Findings) -> bool:
    return max(findings.facts["own"], findings.facts["others"]) < 0.5


FOOL_THE_DASHBOARD = Investigation(
    slug="fool-the-dashboard",
    optional=True,
    title="Fool the dashboard, and catch it",
    chapter="07",
    points=8,
    minutes=45,
    difficulty=5,
    objective="Take a guarded behaviour away while its dashboard reads as always, and build the instrument that notices.",
    question="Which vector makes the assistant help with what it should refuse while both readings stay on, and what notices it?",
    form="a dict with “attack” (128 numbers), “monitor” (a dict with “measure”, “center”, “directions” and “threshold”) and “predicted” (a dict with "
    "“half”, “other_token”, “harmless” and “without_center”, each a share)",
    read=read_pair,
    experiment=experiment,
    levels=Levels(0.7, 0.82, 0.92),
    mistakes=(
        WrongHypothesis(
            name="the dashboard sees it",
            example=reports.readings_off,
            fits=_seen,
            sentence="The harm returns and the readings go off with it: somebody who looks is told. What of your vector moves the readings, and "
            "what is left of its effect without that part?",
        ),
        WrongHypothesis(
            name="no more than chance",
            example=reports.random_attack,
            fits=_no_better_than_chance,
            sentence="A random vector of the same length does as much. In 128 dimensions hardly any direction is one that refusing reads: look for "
            "one that does something first, and then at what the dashboard says of it.",
        ),
        WrongHypothesis(
            name="one reason out of two",
            example=reports.difference_of_means,
            fits=_half_of_them,
            sentence="Some requests are answered, and always the same ones are not. Sort them by what is harmful in them: a deed, a thing, or both. "
            "A mean over all of them does not know the hardest; something that was made by its effect does.",
        ),
        WrongHypothesis(
            name="it knows this attack only",
            example=reports.its_own_direction,
            fits=_only_its_own,
            sentence="It catches your attack. The next attacker will not use it. What do all attacks have in common that clean requests do not "
            "have, whatever their direction? Ask where clean requests never go.",
        ),
        WrongHypothesis(
            name="it always fires",
            example=reports.always_on,
            fits=_always,
            sentence="It catches everything, and calls too many clean requests attacks; nobody reads such alarms. A threshold from bare requests "
            "does not hold behind other sentences: set it on requests like those it will see.",
        ),
        WrongHypothesis(
            name="another reading of the same thing",
            example=reports.a_probe_for_harm,
            fits=_sees_nothing,
            sentence="It reads the stream for harm, as the dashboard does, and tells that the request is harmful: true, and no news. What should "
            "be noticed is not what the request asks for but that somebody wrote into the stream.",
        ),
    ),
    styles=(
        Worked(name="descent, and what lies outside", hypothesis=reports.ours, level="excellent"),
        Worked(name="the same, numbers guessed", hypothesis=reports.with_guesses, level="passed"),
    ),
    hints=(
        "The readings are linear: subtract from a vector what lies along their two weight vectors, and no reading moves. (`torch.linalg.qr` makes an "
        "orthonormal pair of them.) What is left must still do it.",
        "Requests that are harmful in deed and in thing are the hardest. Descent on the logit of “ Sure”, with the vector as the only parameter, "
        "projected and cut to the budget at each step, finds what a mean does not.",
        "Clean requests, however different, differ from each other in few directions (look at the singular values). How long is the part of a stream that "
        "lies in none of them, for clean requests, and for attacked ones? Choose how many directions on requests that you keep apart.",
    ),
)
