"""Every investigation of the course, held to the same rules."""

from __future__ import annotations

import pytest

from mi_tutor.teach.investigating import in_one_line, investigate, report
from mi_tutor.teach.investigation import Investigation
from mi_tutor.teach.registry import exercises

ITEMS = [item for item in exercises() if isinstance(item, Investigation)]
LEVELS = ["", "passed", "good", "excellent"]
DRAWS = (0, 1, 2)  # for the best answer; one stands for the others, for the sake of time


def _each(attribute):
    pairs = [
        pytest.param(
            item, part, id=f"{item.slug}: {part.name}", marks=pytest.mark.xdist_group(item.slug)
        )
        for item in ITEMS
        for part in getattr(item, attribute)
    ]
    return pytest.mark.parametrize(("item", "part"), pairs)


def _by_slug():
    return pytest.mark.parametrize(
        "item", [pytest.param(i, id=i.slug, marks=pytest.mark.xdist_group(i.slug)) for i in ITEMS]
    )


@_each("styles")
def test_our_own_answers_reach_their_level_on_every_draw(item, part):
    hypothesis = part.hypothesis()
    for draw in DRAWS if part is item.styles[0] else DRAWS[:1]:
        judged = investigate(item, hypothesis, draw)
        assert LEVELS.index(judged.level) >= LEVELS.index(part.level), report(item, judged)


@_each("mistakes")
def test_typical_wrong_hypotheses_do_not_pass_and_are_named(item, part):
    hypothesis = part.example()
    for draw in DRAWS[1:2]:
        judged = investigate(item, hypothesis, draw)
        assert not judged.passed, report(item, judged)
        assert judged.wrong is not None, report(item, judged)
        assert judged.wrong.name == part.name
        assert part.sentence in in_one_line(item, judged)


@_by_slug()
def test_there_is_an_answer_that_is_excellent_and_enough_wrong_ones(item):
    assert item.styles[0].level == "excellent"
    assert len(item.mistakes) >= 2
    names = [part.name for part in (*item.mistakes, *item.styles)]
    assert len(names) == len(set(names))
    for mistake in item.mistakes:
        assert len(mistake.sentence.split()) >= 8, mistake.sentence
    assert item.difficulty >= 4


@_by_slug()
def test_the_figure_can_be_drawn_and_says_what_it_shows(item):
    judged = investigate(item, item.styles[0].hypothesis())
    assert judged.findings.lines
    figure = judged.findings.figure()
    assert len(figure.alt) > 40


ODD = (
    None,
    ...,
    "a word",
    float("nan"),
    [],
    {},
    [[[]]],
    {"a": {}},
    (1, 2, 3),
    object(),
    print,
    [None] * 50,
)


@_by_slug()
def test_strange_hypotheses_are_told_calmly(item):
    for odd in ODD:
        judged = investigate(item, odd)
        assert not judged.passed, odd
        assert len(in_one_line(item, judged)) > 20, odd
