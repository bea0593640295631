"""What was understood comes back after days, in other words than last time."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mi_tutor.teach import progress_store, reviewing
from mi_tutor.teach.leitner import DAYS, due, schedule
from mi_tutor.teach.progress_store import Event
from mi_tutor.teach.quiz_text import lettered, mark
from mi_tutor.teach.registry import quizzes
from mi_tutor.teach.reviewing import review

START = date(2030, 5, 1)


def answered(day, passed=True, again=None, slug="q"):
    """An answer at noon of the n-th day, wherever this test runs."""
    noon = datetime.combine(START + timedelta(days=day), time(12)).astimezone()
    return Event(
        noon.astimezone(UTC).isoformat(timespec="seconds"), slug, passed, None, None, again
    )


def plan(*events):
    (one,) = schedule(["q"], events)
    return (one.due - START).days, one.box


def test_right_on_the_day_moves_a_box_on():
    events, day = [], 0
    for box, wait in enumerate(DAYS, 1):
        events.append(answered(day))
        day += wait
        assert plan(*events) == (day, box)
    assert plan(*events, answered(day)) == (day + DAYS[-1], len(DAYS))


def test_right_too_early_changes_nothing():
    assert plan(answered(0), answered(0), answered(0)) == (1, 1)
    assert plan(answered(0), answered(1), answered(2)) == (4, 2)


def test_late_counts_from_the_day_it_was_answered():
    assert plan(answered(0), answered(9)) == (12, 2)


def test_wrong_begins_again():
    events = [answered(0), answered(1), answered(4), answered(11, False)]
    assert plan(*events) == (12, 1)
    assert plan(*events, answered(11)) == (12, 1)
    assert plan(*events, answered(12)) == (15, 2)


def test_what_was_never_right_is_not_reviewed():
    assert schedule(["q"], [answered(0, False)]) == []
    assert schedule(["q"], [answered(0, slug="an-exercise")]) == []


def test_the_other_wording_comes_next():
    assert schedule(["q"], [answered(0)])[0].again
    assert not schedule(["q"], [answered(0), answered(1, again=True)])[0].again
    assert schedule(["q"], [answered(0), answered(1, again=True), answered(4)])[0].again


@given(st.lists(st.tuples(st.integers(0, 40), st.booleans()), max_size=20))
def test_whatever_was_answered_it_comes_back_later_than_the_last_right_answer(steps):
    day, events = 0, []
    for wait, passed in steps:
        day += wait
        events.append(answered(day, passed))
    for one in schedule(["q"], events):
        assert START + timedelta(days=day) <= one.due + timedelta(days=40)
        last = max(i for i, event in enumerate(events) if event.passed)
        when = START + timedelta(days=sum(wait for wait, _ in steps[: last + 1]))
        assert when < one.due <= START + timedelta(days=day + DAYS[-1]) and 1 <= one.box <= len(
            DAYS
        )


@pytest.mark.parametrize("time", ["", "yesterday", "9999-12-31T23:59:59+00:00", "2030-05-01"])
def test_times_that_cannot_be_read_do_no_harm(time):
    assert len(schedule(["q"], [Event(time, "q", True), answered(0)])) == 1


def test_due_in_order():
    events = [answered(0, slug="late"), answered(3, slug="new"), answered(2, slug="middle")]
    slugs = ["new", "middle", "late"]
    assert [one.slug for one in due(slugs, events, START + timedelta(days=3))] == ["late", "middle"]


class TestAsked:
    @pytest.fixture
    def item(self):
        return next(item for item in quizzes("00") if item.review)

    def right(self, item):
        return next(letter for letter, option in lettered(item).items() if option.right)

    def later(self, monkeypatch, days):
        class Later(date):
            @classmethod
            def today(cls):
                return date.today() + timedelta(days=days)

        monkeypatch.setattr(reviewing, "date", Later)

    def test_nothing_yet_and_not_today(self, item, capsys):
        review()
        assert "nothing to review yet" in capsys.readouterr().out
        mark(item, self.right(item))
        capsys.readouterr()
        review()
        tomorrow = date.today() + timedelta(days=1)
        assert f"1 quick check(s) come back on {tomorrow:%d %B %Y}" in capsys.readouterr().out

    def test_the_second_wording_after_a_day(self, item, capsys, monkeypatch):
        mark(item, self.right(item))
        self.later(monkeypatch, 1)
        review()
        said = " ".join(capsys.readouterr().out.split())
        assert " ".join(item.review.question.split()) in said
        assert f'quiz("{item.slug}", "a letter", again=True)' in said

    def test_which_wording_it_was_is_remembered(self, item):
        other = item.in_other_words()
        mark(other, self.right(other), again=True)
        assert progress_store.read().events[-1].again is True
        mark(item, self.right(item))
        assert progress_store.read().events[-1].again is None
