"""Do an investigation's own answers reach their level, and do typical wrong ones fail and get their sentence?

`tests/test_investigations.py` asks this of every investigation; `mi-tutor records --make` keeps that it passed.
"""

from __future__ import annotations

from mi_tutor.teach.investigating import in_one_line, investigate, report
from mi_tutor.teach.investigation import Investigation, Worked, WrongHypothesis
from mi_tutor.teach.registry import exercises

LEVELS = ["", "passed", "good", "excellent"]
DRAWS = (0, 1, 2)  # for the best answer; one stands for the others, for the sake of time


def own_answer(item: Investigation, part: Worked) -> list[str]:
    """What is wrong with an answer of ours: reports of the draws on which it misses its level."""
    hypothesis = part.hypothesis()
    draws = DRAWS if part is item.styles[0] else DRAWS[:1]
    judged = [investigate(item, hypothesis, draw) for draw in draws]
    least = LEVELS.index(part.level)
    return [report(item, one) for one in judged if LEVELS.index(one.level) < least]


def wrong_answer(item: Investigation, part: WrongHypothesis) -> list[str]:
    """What is wrong with a typical wrong hypothesis: it passes, or it does not get its own sentence."""
    judged = investigate(item, part.example(), DRAWS[1])
    named = judged.wrong is not None and judged.wrong.name == part.name
    if judged.passed or not named:
        return [report(item, judged)]
    said = in_one_line(item, judged)
    return [] if part.sentence in said else [said]


def figure(item: Investigation) -> list[str]:
    """What is wrong with the figure of our best answer: it does not say what it shows."""
    judged = investigate(item, item.styles[0].hypothesis())
    if judged.findings is None or judged.findings.figure is None:
        return ["there is no figure"]
    lines, alt = judged.findings.lines, judged.findings.figure().alt
    return [] if lines and len(alt) > 40 else [f"{len(lines)} lines, the figure's text is {alt!r}"]


def broken(slug: str, chapter: str) -> list[str]:
    """All of this for one investigation; empty if nothing is wrong. Other chapters' exercises are not loaded."""
    (item,) = [one for one in exercises(chapter) if one.slug == slug]
    assert isinstance(item, Investigation)
    wrong = [said for part in item.styles for said in own_answer(item, part)]
    wrong += [said for part in item.mistakes for said in wrong_answer(item, part)]
    return wrong + figure(item)
