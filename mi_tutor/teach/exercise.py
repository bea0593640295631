"""What an exercise is: plain data that a check in the notebook, a test, or a grader can judge.

An answer is never compared as an object. It is *run* on a case (`teach.outcome`), which leaves an
`Outcome` made of tensors, numbers and strings, and the outcome is *judged* (`teach.judging`) against the
outcome of the reference and of each known mistake on the same inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

Function = Callable[..., Any]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One set of inputs for the learner's function.

    label: what this case is about, in words a learner understands ("non-zero bias").
    inputs: argument name -> tensor, number, string, or `Handle`. Built anew for every run.
    at: the seed it was made with and its number there: by these another process makes the same case.
    """

    label: str
    inputs: Mapping[str, Any]
    at: tuple[int, int] | None = None


@dataclass(frozen=True)
class Handle:
    """A named thing that is too big or too alive to be data: it is opened where the answer runs.

    open: makes the object (a specimen, a cache, a seeded random generator); called anew for every run.
    spoilt: what an answer that was given the object did to it, in words ("a hook is still in it"), or "".
    """

    name: str
    open: Callable[[], Any]
    spoilt: Callable[[Any], str] | None = None


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """A typical wrong answer, as code, with the sentence a good tutor would say.

    wrong: a function with the reference's signature (or, for value exercises, the wrong value).
    sentence: what went wrong and what to look at. It must not give the answer away.
    """

    name: str
    wrong: Any
    sentence: str


@dataclass(frozen=True, kw_only=True)
class Style:
    """A differently written right answer: it must be accepted."""

    name: str
    right: Any


@dataclass(frozen=True, kw_only=True)
class Property:
    """What must hold for any right answer: `holds(value, **inputs)`.

    sentence: said when it does not; or a function of the same arguments that makes it, to name what was measured.
    """

    name: str
    holds: Callable[..., bool]
    sentence: str | Callable[..., str]


@dataclass(frozen=True)
class Tolerance:
    """|seen - expected| <= rtol * max|expected| + atol, for every element, in float64."""

    rtol: float = 1e-4
    atol: float = 1e-6


@dataclass(frozen=True, kw_only=True)
class _Described:
    """What every graded thing has: a stable slug and the words that stand around it.

    optional: whether it can be left out, or come later: nothing that is not optional rests on it.
    """

    slug: str
    title: str
    chapter: str
    points: int
    minutes: int
    difficulty: int
    objective: str
    hints: tuple[str, ...]
    optional: bool = False

    def __post_init__(self) -> None:
        for name in ("slug", "title", "chapter", "objective"):
            if not getattr(self, name).strip():
                raise ValueError(f"exercise {self.slug!r}: {name} is empty")
        if not 1 <= self.difficulty <= 5:
            raise ValueError(
                f"exercise {self.slug!r}: difficulty {self.difficulty}, expected 1 to 5"
            )
        if self.points < 1 or self.minutes < 1:
            raise ValueError(f"exercise {self.slug!r}: points and minutes must be at least 1")
        if not self.hints:
            raise ValueError(f"exercise {self.slug!r} has no hints")


@dataclass(frozen=True, kw_only=True)
class Exercise(_Described):
    """A function that the learner writes.

    cases: random generator -> the inputs to judge on. Called with the same seed it gives the same cases.
    reference: the finished piece, a function of `mi_tutor.lab`.
    run: how the function is called and what is kept: `run(answer, **inputs)`. By default `answer(*inputs)`.
        If it returns a dict, the first entry is what the function itself returned.
    view: what of the returned value is compared: `view(value, **inputs)`. The identity, or a summary (for
        random answers: measured frequencies), which is then compared with the reference's summary.
    tolerance: of the comparison; one for all, or one per name when `view` returns a dict.
    gradients: inputs through which the answer must be differentiable; their gradients are compared too.
    dtype: which floating-point dtypes of an answer are right: "enough" (the reference's, or one that is more
        precise), "exact" (the reference's: the text asks for it), or "any".
    time_limit: seconds per case.
    asked_for: what is handed in, in words, where it is not a function ("a dictionary: `trained.sae`").
    """

    cases: Callable[[torch.Generator], list[Case]]
    reference: Function
    run: Function | None = None
    view: Function | None = None
    tolerance: Tolerance | Mapping[str, Tolerance] = field(default_factory=Tolerance)
    gradients: tuple[str, ...] = ()
    dtype: str = "enough"
    properties: tuple[Property, ...] = ()
    mistakes: tuple[Mistake, ...] = ()
    styles: tuple[Style, ...] = ()
    time_limit: float = 10.0
    asked_for: str = ""


@dataclass(frozen=True, kw_only=True)
class Variant:
    """A value exercise with other parameters, for an exam: `asked`, in words, and what is right then."""

    asked: str
    expected: Callable[[], Any]


@dataclass(frozen=True, kw_only=True)
class ValueExercise(_Described):
    """A number, a head, a word: something the learner finds out rather than writes.

    expected: computes the right value (so that it is measured, never typed in).
    form: how an answer looks, in words ("a pair (layer, head)").
    accepts: whether a value has that form.
    read: how a value is read before anything else (a name in another case or with spaces around it).
    otherwise: said of a wrong value that is no known mistake; the objective, if empty.
    variant: by any number, the same exercise with other parameters; None where there is only one.
    """

    expected: Callable[[], Any]
    form: str
    accepts: Callable[[Any], bool]
    read: Callable[[Any], Any] = lambda value: value
    otherwise: str = ""
    tolerance: Tolerance = field(default_factory=Tolerance)
    mistakes: tuple[Mistake, ...] = ()
    styles: tuple[Style, ...] = ()
    variant: Callable[[int], Variant] | None = None


@dataclass(frozen=True, kw_only=True)
class Option:
    """One option of a quick check, with what to say to someone who picks it."""

    text: str
    feedback: str
    right: bool = False


@dataclass(frozen=True, kw_only=True)
class Wording:
    """A quick check asked in other words, or with other numbers: for review. Its letters are its own."""

    question: str
    options: tuple[Option, ...]


@dataclass(frozen=True, kw_only=True)
class Quiz:
    """A quick check: one question, one right option, feedback for each.

    The options are shown in a fixed order made from the slug, so that the right one is not always first
    whatever order the author wrote them in.

    review: the same idea asked a second time, for somebody who was wrong or comes back later. A grader's
        `quiz(slug, letter)` always means the first wording.
    """

    slug: str
    chapter: str
    question: str
    options: tuple[Option, ...]
    points: int = 1
    review: Wording | None = None

    def __post_init__(self) -> None:
        for asked in (self, self.review) if self.review else (self,):
            _check_options(self.slug, asked.options)

    def in_other_words(self) -> Quiz:
        """The second wording as a quick check with the same slug; this one where there is no second."""
        if self.review is None:
            return self
        return replace(
            self, question=self.review.question, options=self.review.options, review=None
        )


def _check_options(slug: str, options: tuple[Option, ...]) -> None:
    right = sum(option.right for option in options)
    if right != 1:
        raise ValueError(f"quick check {slug!r} has {right} right options, expected exactly 1")
    if not 2 <= len(options) <= 6:
        raise ValueError(f"quick check {slug!r} has {len(options)} options, expected 2 to 6")
    if len({option.text for option in options}) < len(options):
        raise ValueError(f"quick check {slug!r} says the same option twice")
    if not all(option.feedback.strip() for option in options):
        raise ValueError(f"quick check {slug!r} has an option without feedback")
