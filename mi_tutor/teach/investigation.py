"""What an investigation is: a question, an experiment that the check runs itself, and a rubric.

The learner hands in a hypothesis as data. It is read (`read`), never run and never trusted; the experiment draws
fresh prompts, seeds or models for every try and says what held, what did not, and a score between 0 and 1.
Exercises ask for a function or a value; here nobody has to have written the right answer down beforehand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

from mi_tutor.teach.exercise import _Described

# The share of the points at each level; below the first, up to half of them, by the score.
SHARES = {"excellent": 1.0, "good": 0.85, "passed": 0.7}
MOST_BELOW = 0.5
# From here on draws are graders', far from those that notebooks come to. What experiments make of one (some take
# ten thousand times as much) is still a seed for torch.
GRADERS_FIRST = 2**30


class Unreadable(ValueError):
    """A hypothesis that does not have the form asked for. The message says what was seen and what is wanted."""


class Line(NamedTuple):
    """One thing that the experiment asked, with its numbers in words, and whether it came out as it should."""

    text: str
    held: bool


class Findings(NamedTuple):
    """What an experiment found about a hypothesis.

    score: between 0 and 1, by the investigation's rubric.
    lines: what held and what did not, in the order in which a reader wants to know.
    figure: makes the experiment's figure, when there is somewhere to show it.
    sure: a hypothesis cannot pass unless this holds, whatever its score (a criterion that nothing makes up for).
    facts: what was measured, by name: by it typical wrong hypotheses are told apart.
    """

    score: float
    lines: tuple[Line, ...]
    figure: Callable[[], Any] | None = None
    sure: bool = True
    facts: Mapping[str, Any] = MappingProxyType({})


class Levels(NamedTuple):
    """The scores from which a hypothesis is passed, good and excellent (what our own best reaches)."""

    passed: float
    good: float
    excellent: float

    def reached(self, findings: Findings) -> str:
        """ "excellent", "good", "passed" or "" by what was found."""
        least = reversed(self._asdict().items())
        return next(
            (name for name, score in least if findings.sure and findings.score >= score), ""
        )


LEVELS = ("", *Levels._fields)  # the lowest first


@dataclass(frozen=True, kw_only=True)
class WrongHypothesis:
    """A hypothesis that people typically form first, and what a good tutor would say about it.

    example: makes one, as a learner would hand it in.
    fits: whether a hypothesis (as read) is this one, given what the experiment found.
    sentence: what speaks against it and what to look at next. It must not give the answer away.
    """

    name: str
    example: Callable[[], Any]
    fits: Callable[[Any, Findings], bool]
    sentence: str


@dataclass(frozen=True, kw_only=True)
class Worked:
    """An answer of ours, as a learner would hand it in: it reaches at least `level` on every draw."""

    name: str
    hypothesis: Callable[[], Any]
    level: str


@dataclass(frozen=True, kw_only=True)
class Investigation(_Described):
    """Something that the learner finds out by research, and hands in as data.

    question: what is asked, in one sentence.
    form: how a hypothesis looks, in words ("a dict: head (layer, head) -> one of the words ...").
    read: plain data (tensors, numbers, words, lists, dicts) -> the hypothesis; raises `Unreadable`.
    experiment: `experiment(hypothesis, draw)`: what is found on the prompts, seeds or models of draw 0, 1, ..., or
        of one that a grader drew (`teach.draws`).
    levels: of the score. mistakes: the typical wrong hypotheses. styles: our own answers, the best first.
    """

    question: str
    form: str
    read: Callable[[Any], Any]
    experiment: Callable[[Any, int], Findings]
    levels: Levels
    mistakes: tuple[WrongHypothesis, ...]
    styles: tuple[Worked, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.levels.passed <= self.levels.good <= self.levels.excellent <= 1:
            raise ValueError(
                f"investigation {self.slug!r}: levels {tuple(self.levels)}, expected them to rise from 0 to 1"
            )

    @property
    def rubric(self) -> str:
        """The levels in words: "passed from 0.60, good from 0.80, excellent from 0.95"."""
        levels = self.levels._asdict().items()
        return ", ".join(f"{name} from {least:.2f}" for name, least in levels)

    def level(self, findings: Findings) -> str:
        """ "excellent", "good", "passed" or "" of what was found."""
        return self.levels.reached(findings)

    def earned(self, findings: Findings) -> int:
        """Points: a share by level, and below the first up to half of them by the score; rounded down."""
        level = self.level(findings)
        share = (
            SHARES[level]
            if level
            else MOST_BELOW * min(1.0, max(0.0, findings.score) / self.levels.passed)
        )
        return int(share * self.points + 1e-9)
