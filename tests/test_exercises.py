"""Every exercise of the course, held to the same rules: the registry is walked, nothing is listed by hand.

What is asked of one exercise is left out while its chapter's exercises stand as recorded (docs/decisions/0009).
"""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from asked import EXERCISES

from mi_tutor.teach import proving
from mi_tutor.teach.exercise import Exercise, Style, ValueExercise
from mi_tutor.teach.judging import judge_value
from mi_tutor.teach.proving import SEEDS, judge
from mi_tutor.teach.quiz_text import lettered
from mi_tutor.teach.registry import chapters, exercises, get, quizzes

FUNCTIONS = [item for item in EXERCISES if isinstance(item, Exercise)]
VALUES = [item for item in EXERCISES if isinstance(item, ValueExercise)]


def _param(item, part=None):
    """All tests of an exercise run in one process (`--dist loadgroup`): it is where `proving` remembers."""
    values, name = (
        ((item,), item.slug) if part is None else ((item, part), f"{item.slug}: {part.name}")
    )
    marks = pytest.mark.xdist_group(item.slug), pytest.mark.recorded("exercises", item.chapter)
    return pytest.param(*values, id=name, marks=marks)


def _by_slug(items):
    return pytest.mark.parametrize("exercise", [_param(item) for item in items])


def _each(attribute):
    items = [*FUNCTIONS, *VALUES]  # investigations have tests of their own
    pairs = [_param(item, part) for item in items for part in getattr(item, attribute)]
    return pytest.mark.parametrize(("exercise", "part"), pairs)


@pytest.fixture
def seeds(request) -> tuple[int, ...]:
    """Of the cases: the first alone for a value, which knows no seed, in a spot check, and in `make test-fast`."""
    is_value = isinstance(request.node.callspec.params["exercise"], ValueExercise)
    is_spot_check = getattr(request.node, "changed", None) == []
    is_fast = "not slow" in request.config.option.markexpr
    return SEEDS[:1] if is_value or is_spot_check or is_fast else SEEDS


@_by_slug(FUNCTIONS)
def test_the_reference_passes(exercise, seeds):
    for seed in seeds:
        assert proving.reference(exercise, seed) == []


@_by_slug(VALUES)
def test_the_expected_value_passes(exercise):
    assert judge_value(exercise, exercise.expected()).passed


@_each("mistakes")
def test_each_mistake_is_rejected_with_its_own_sentence(exercise, part, seeds):
    for seed in seeds:
        assert proving.mistake(exercise, part, seed) == []


@_each("styles")
def test_each_style_is_accepted(exercise, part, seeds):
    for seed in seeds:
        assert proving.style(exercise, part, seed) == []


def test_these_tests_fail_for_what_they_are_there_for():
    """A mistake that is right, two that cannot be told apart, a style that is wrong."""
    exercise = get("toy-forward")
    one, other = exercise.mistakes[:2]
    right = replace(one, wrong=exercise.reference)
    twin = replace(other, wrong=one.wrong)
    for part in (right, twin):
        broken = replace(exercise, mistakes=(one, part) if part is twin else (part,))
        with pytest.raises(AssertionError):
            test_each_mistake_is_rejected_with_its_own_sentence(broken, part, SEEDS)
    with pytest.raises(AssertionError):
        test_each_style_is_accepted(exercise, Style(name="wrong", right=one.wrong), SEEDS)


@_by_slug(FUNCTIONS)
@pytest.mark.parametrize(
    "odd",
    [
        lambda *args: None,
        lambda *args: "a word",
        lambda *args: (value for value in iter(int, 1)),
        lambda *args: {},
        lambda *args: 1 / 0,
        lambda *args: [[]],
        lambda *args: object,
        lambda *args: float("nan"),
        lambda *args: args[0],
        lambda *args: exit(3),
    ],
    ids=[
        "None",
        "text",
        "endless generator",
        "dict",
        "raises",
        "ragged",
        "class",
        "nan",
        "its input",
        "exit",
    ],
)
def test_odd_answers_are_rejected_calmly(exercise, odd):
    verdict = judge(exercise, odd)
    assert not verdict.passed
    assert len(verdict.finding.advice) > 20


def test_there_are_enough_mistakes_and_styles():
    for item in FUNCTIONS:
        assert len(item.mistakes) >= 3, item.slug
        assert len(item.styles) >= 2, item.slug
    for chapter in chapters():
        counts = [len(item.mistakes) for item in exercises(chapter) if isinstance(item, Exercise)]
        assert sum(counts) / len(counts) >= 5, chapter


def test_slugs_and_names_are_unique_and_sentences_are_sentences():
    slugs = [item.slug for item in (*exercises(), *quizzes())]
    assert len(slugs) == len(set(slugs))
    for item in [*FUNCTIONS, *VALUES]:
        names = [part.name for part in (*item.mistakes, *item.styles)]
        assert len(names) == len(set(names)), item.slug
        for mistake in item.mistakes:
            assert len(mistake.sentence.split()) >= 5, mistake.sentence
            assert mistake.sentence.rstrip(")").endswith((".", "?")), mistake.sentence


def test_hints_do_not_contain_the_reference():
    """A hint may name an operation, not spell the answer's line out."""
    for item in FUNCTIONS:
        for text in item.hints:
            assert not re.search(r"(^|`)\s*return\b", text, re.MULTILINE), (item.slug, text)


def test_every_chapter_has_quick_checks_and_the_right_option_is_not_always_first():
    places = []
    for chapter in chapters():
        of_chapter = quizzes(chapter)
        assert len(of_chapter) >= 2, chapter
        for item in of_chapter:
            places += [letter for letter, option in lettered(item).items() if option.right]
    assert len(places) == len(quizzes())
    assert len(set(places)) >= 3
    assert places.count("a") <= len(places) / 2
