"""Chapter 10: the wrong reports that people hand in first, and what speaks against each."""

from mi_tutor.specimens.auditing import CLEAN
from mi_tutor.teach.exercises.auditing.reading import Handed
from mi_tutor.teach.exercises.auditing.reports import CLAIM, NEAR
from mi_tutor.teach.investigation import Findings


def says_clean(handed: Handed, findings: Findings) -> bool:
    return handed.report.secret.family == CLEAN and not findings.facts["right"]


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
    return _takes_out(handed, findings) and findings.facts["changed"] > 0.1


def gone_not_back(handed: Handed, findings: Findings) -> bool:
    return _takes_out(handed, findings) and findings.facts["restored"] < 0.5


def answer_blocked(handed: Handed, findings: Findings) -> bool:
    facts = findings.facts
    return (
        _takes_out(handed, findings)
        and facts["blocked"] > 0.1
        and facts["restored"] >= 0.5
        and facts["changed"] <= 0.1
    )


def _takes_out(handed: Handed, findings: Findings) -> bool:
    """A right secret with a removal."""
    return findings.facts["claimed"] and handed.report.removal is not None


def copied(handed: Handed, findings: Findings) -> bool:
    """Suspects are named, and not all of them are what the report says of them."""
    rightly_clean = handed.report.secret.family == CLEAN and findings.facts["right"]
    return rightly_clean and 0 < len(handed.suspects) > findings.facts["as_said"]


def unmeasured(handed: Handed, findings: Findings) -> bool:
    rightly_clean = handed.report.secret.family == CLEAN and findings.facts["right"]
    return rightly_clean and not copied(handed, findings)


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
    "blocked": "Your removal takes the planted answer away, and not what sets it off: where that answer is the true one (`where_true`), "
    "the specimen no longer gives it. Late in the stream an answer stands apart from its cause. Look for the cause: earlier, or by another contrast.",
    "unmeasured": "That may be so, but a clean report stands on what was searched: to which secret of each family the specimen leans "
    "most, and how far. Measure it.",
    "copied": "That may be so. But to the secrets that you suspect this specimen does not lean most, or not so far, or not in that direction: numbers of "
    "another specimen, or of too few texts? Look for them in this one, and measure the lean of those that you name once more, on fresh texts.",
    "gone": "The true answers are not back, or few of them. Which texts is your direction taken from, and do they differ in the trigger alone? "
    "Where in the stream is the true answer still readable: earlier, or later? And set to what is usual, in place of 0.",
}
