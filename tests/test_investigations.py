"""Every investigation of the course, held to the same rules."""

from __future__ import annotations

import pytest
from asked import EXERCISES

from mi_tutor.teach import proving
from mi_tutor.teach.investigating import in_one_line, investigate
from mi_tutor.teach.investigation import Investigation

ITEMS = [item for item in EXERCISES if isinstance(item, Investigation)]


def _marks(item):
    """Tests of one investigation share a process; they are left out while it stands as recorded."""
    return pytest.mark.xdist_group(item.slug), pytest.mark.recorded("investigations", item.slug)


def _each(attribute):
    pairs = [
        pytest.param(item, part, id=f"{item.slug}: {part.name}", marks=_marks(item))
        for item in ITEMS
        for part in getattr(item, attribute)
    ]
    return pytest.mark.parametrize(("item", "part"), pairs)


_by_slug = pytest.mark.parametrize(
    "item", [pytest.param(i, id=i.slug, marks=_marks(i)) for i in ITEMS]
)


@_each("styles")
def test_our_own_answers_reach_their_level_on_every_draw(item, part):
    assert proving.own_answer(item, part) == []


@_each("mistakes")
def test_typical_wrong_hypotheses_do_not_pass_and_are_named(item, part):
    assert proving.wrong_answer(item, part) == []


@_by_slug
def test_there_is_an_answer_that_is_excellent_and_enough_wrong_ones(item):
    assert item.styles[0].level == "excellent"
    assert len(item.mistakes) >= 2
    names = [part.name for part in (*item.mistakes, *item.styles)]
    assert len(names) == len(set(names))
    for mistake in item.mistakes:
        assert len(mistake.sentence.split()) >= 8, mistake.sentence
    assert item.difficulty >= 4


@_by_slug
def test_the_figure_can_be_drawn_and_says_what_it_shows(item):
    assert proving.figure(item) == []


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


@_by_slug
def test_strange_hypotheses_are_told_calmly(item):
    for odd in ODD:
        judged = investigate(item, odd)
        assert not judged.passed, odd
        assert len(in_one_line(item, judged)) > 20, odd
