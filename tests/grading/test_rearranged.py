"""Notebooks whose cells were split, merged, copied, moved or turned into text: what counts, what is said."""

import copy
import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mi_tutor.grading.report import Status


@pytest.fixture
def report(tmp_path, fakes):
    """Run cells without a kernel; returns {slug: result} and the notes."""

    def run(*cells, slugs=("one", "two"), setup=fakes.setup):
        path = fakes.write(tmp_path / "77_fakes.ipynb", *cells, setup=setup)
        found = fakes.judged(path, fakes.fake_course(*slugs))
        return {result.slug: result for result in found.results}, list(found.notes)

    return run


def text(cell: dict, kind: str = "markdown", marked: bool = True) -> dict:
    """The cell as the menu's "Change Cell Type" leaves it."""
    metadata = cell["metadata"] if marked else {}
    return {"cell_type": kind, "metadata": metadata, "source": cell["source"]}


def with_source(cell: dict, source: str) -> dict:
    return copy.deepcopy(cell) | {"source": source}


def merged(*cells: dict) -> dict:
    return with_source(cells[0], "\n\n".join(cell["source"] for cell in cells))


class TestCopies:
    @pytest.mark.parametrize("rest", ["", "\n", "# nothing here", "print('my notes')"])
    @pytest.mark.parametrize("first", [True, False])
    def test_the_half_with_the_call_counts(self, report, fakes, rest, first):
        exercise, check = fakes.pair("one")
        quiz = fakes.question("q")
        halves = [[cell, with_source(cell, rest)] for cell in (check, quiz)]
        (check, rest_of_check), (quiz, rest_of_quiz) = (
            halves if first else [h[::-1] for h in halves]
        )
        found, notes = report(exercise, check, rest_of_check, quiz, rest_of_quiz, slugs=["one"])
        assert found["one"].status is found["q"].status is Status.PASSED and notes == []

    def test_the_last_copy_with_the_call_counts(self, report, fakes):
        right, wrong = fakes.question("q"), fakes.question("q", "a")
        assert report(right, wrong, with_source(right, ""))[0]["q"].status is Status.WRONG
        found, notes = report(wrong, right, with_source(right, ""))
        assert found["q"].status is Status.PASSED
        assert notes[0] == "q has 2 quiz cells; the last one counts."

    def test_a_trial_elsewhere_does_not_go_before_the_marked_cell(self, report, fakes):
        trial = fakes.code('quiz("q", "a")')
        assert report(fakes.question("q"), trial)[0]["q"].status is Status.PASSED

    def test_a_trial_counts_where_the_marked_cell_has_lost_its_call(self, report, fakes):
        empty = with_source(fakes.question("q"), "")
        assert report(empty, fakes.code('quiz("q", "b")'))[0]["q"].status is Status.PASSED

    def test_no_call_at_all_is_told(self, report, fakes):
        result = report(with_source(fakes.question("q"), ""))[0]["q"]
        assert (
            result.status is Status.CHANGED
            and 'no longer has its quiz("q", ...)' in result.sentence
        )

    def test_an_answered_copy_is_judged_for_itself(self, report, fakes):
        stub, check = fakes.pair("one", fakes.stub)
        answered = with_source(stub, "def one(x):\n    return x * x")
        result = report(stub, answered, check)[0]["one"]
        assert result.status is Status.WRONG and "square" in result.sentence

    def test_a_split_stub_is_a_stub(self, report, fakes):
        stub, check = fakes.pair("one", fakes.stub)
        helper = with_source(stub, "def helper(x):\n    return x")
        assert report(stub, helper, check)[0]["one"].status is Status.UNANSWERED


class TestMerged:
    def test_exercise_and_check(self, report, fakes):
        found, _ = report(merged(*fakes.pair("one")), merged(*fakes.pair("two", fakes.stub)))
        assert found["one"].status is Status.PASSED and found["two"].status is Status.UNANSWERED

    def test_check_and_exercise_under_the_checks_mark(self, report, fakes):
        exercise, check = fakes.pair("one", fakes.stub)
        both = with_source(check, exercise["source"] + "\n" + check["source"])
        assert report(both)[0]["one"].status is Status.UNANSWERED

    @pytest.mark.parametrize("marked", [True, False])
    def test_everything_in_one_cell(self, report, fakes, marked):
        wrong = fakes.pair("one", "def {name}(x):\n    return x * x")
        cell = merged(*wrong, fakes.question("q", "?"), *fakes.pair("two"))
        found, _ = report(cell if marked else fakes.code(cell["source"]))
        assert [found[slug].status for slug in ("one", "q", "two")] == [
            Status.WRONG,
            Status.UNANSWERED,
            Status.PASSED,
        ]
        assert found["two"].cell == found["one"].cell == 2  # as the learner counts them

    def test_an_error_below_the_check_costs_no_points(self, report, fakes):
        exercise, check = fakes.pair("one")
        found, notes = report(exercise, merged(check, fakes.code("1 / 0")), slugs=["one"])
        assert found["one"].status is Status.PASSED
        assert "Code cell 3, below its check, stopped with ZeroDivisionError" in notes[-1]

    def test_on_one_line_each_gets_its_due(self, report, fakes):
        wrong = "def {name}(x):\n    return x * x"
        (one, check), (two, other) = fakes.pair("one"), fakes.pair("two", wrong)
        line = with_source(check, f"{check['source']}; {other['source']}")
        found, _ = report(one, two, line)
        assert found["one"].status is Status.PASSED and found["two"].status is Status.WRONG
        line = with_source(check, f"{other['source']}; {check['source']}")
        found, _ = report(one, two, line)
        assert found["two"].status is Status.WRONG
        assert found["one"].status is Status.NOT_REACHED
        assert found["one"].sentence == (
            "Code cell 4 stopped at two, before it came to this: give each a cell of its own."
        )


class TestTurnedIntoText:
    @pytest.mark.parametrize(("kind", "words"), [("markdown", "Markdown"), ("raw", "raw text")])
    @pytest.mark.parametrize("marked", [True, False])
    def test_it_is_said(self, report, fakes, kind, words, marked):
        (exercise, check), quiz = fakes.pair("one"), fakes.question("q")
        found, notes = report(text(exercise, kind, marked), check, text(quiz, kind, marked))
        assert found["one"].status is found["q"].status is Status.NOT_CODE
        assert found["one"].points == found["q"].points == 0
        assert found["one"].sentence == (
            f"The cell with exercise one is now {words}: turn it back into a code cell."
        )
        assert found["q"].sentence == (
            f'The cell with quiz("q", ...) is now {words}: turn it back into a code cell.'
        )
        assert notes == [
            "1 of the chapter's exercises and quick checks are not in this notebook at all: "
            "copy their cells from a fresh one."
        ]  # "two"

    def test_a_check(self, report, fakes):
        exercise, check = fakes.pair("one")
        result = report(exercise, text(check))[0]["one"]
        assert result.status is Status.NOT_CODE and 'check("one", ...) is now' in result.sentence

    @pytest.mark.parametrize("kind", [None, 3, "heading", ["code"]])
    def test_an_odd_kind_of_cell(self, report, fakes, kind):
        result = report(text(fakes.question("q"), kind))[0]["q"]
        assert result.status is Status.NOT_CODE and "is now no code cell" in result.sentence

    def test_half_of_an_exercise(self, report, fakes):
        exercise, check = fakes.pair("one")
        helper = with_source(exercise, "def helper(x):\n    return x")
        assert report(helper, text(exercise), check)[0]["one"].status is Status.NOT_CODE

    def test_a_copy_beside_the_code_does_not_matter(self, report, fakes):
        exercise, check = fakes.pair("one")
        found, _ = report(text(exercise), exercise, check, text(check))
        assert found["one"].status is Status.PASSED

    def test_prose_about_a_check_is_no_check(self, report, fakes):
        prose = {"cell_type": "markdown", "metadata": {}, "source": 'Run `quiz("q", "b")` now.'}
        assert report(prose)[0]["q"].status is Status.MISSING

    def test_the_setup(self, report, fakes):
        setup, pair = fakes.code(fakes.setup), fakes.pair("one")
        found, _ = report(text(setup), *pair, setup="")
        assert (
            found["one"].sentence == "Follows from the cell above code cell 2 that is now Markdown."
        )


class TestMoved:
    def test_an_exercise_below_its_check(self, report, fakes):
        exercise, check = fakes.pair("one")
        assert report(check, exercise)[0]["one"].sentence == (
            "The exercise (code cell 3) stands below its check (code cell 2): move it above."
        )

    def test_an_emptied_exercise(self, report, fakes):
        exercise, check = fakes.pair("one")
        result = report(with_source(exercise, " \n"), check)[0]["one"]
        assert result.status is Status.UNANSWERED
        assert result.sentence.startswith("Code cell 2, where the exercise was, is empty.")

    def test_a_function_with_another_name(self, report, fakes):
        exercise, check = fakes.pair("one", "def my_one(x):\n    return 2 * x")
        assert report(exercise, check)[0]["one"].sentence == (
            "Code cell 3 stopped with NameError: name 'one' is not defined. No cell above it makes `one`."
        )


class TestCallsThatMayNotCount:
    @pytest.mark.parametrize(
        "source",
        [
            "try:\n    {}\nexcept Exception:\n    pass",
            "if False:\n    {}",
            "for _ in []:\n    {}",
            "def later():\n    {}",
            "later = lambda: {}",
            "from contextlib import suppress\nwith suppress(Exception):\n    {}",
        ],
    )
    def test_they_give_no_points(self, report, fakes, source):
        exercise, check = fakes.pair("one", fakes.stub)
        check = with_source(check, source.format(check["source"]))
        result = report(exercise, check)[0]["one"]
        assert result.status is Status.CHANGED and "let it stand by itself" in result.sentence

    @pytest.mark.parametrize("source", ['"""\n{}\n"""', "text = '''\n{}\n'''", "# {}"])
    def test_a_call_in_a_text_is_none(self, report, fakes, source):
        exercise, check = fakes.pair("one")
        check = with_source(check, source.format(check["source"]))
        result = report(exercise, check)[0]["one"]
        assert result.status is Status.CHANGED and "no longer has" in result.sentence

    @pytest.mark.parametrize(
        "source",
        [
            'check(\n    "one",\n    one,\n)',
            'check(slug="one", answer=one)',
            'sign = "#"; check("one", one)',
            'done = check("one", one)',
            'import contextlib\nwith contextlib.nullcontext():\n    check("one", one)',
            f'total = {" + ".join(["1"] * 500)}\ncheck("one", one)',
        ],
    )
    def test_spellings_that_count(self, report, fakes, source):
        exercise, check = fakes.pair("one")
        assert report(exercise, with_source(check, source))[0]["one"].status is Status.PASSED


STATES = {"right": "return 2 * x", "wrong": "return x * x", "stub": "raise NotImplementedError"}
SPY = """
_check, _quiz = check, quiz
def _kept(role, ask):
    def kept(slug, answer):
        EVENTS.setdefault((role, slug), []).append(False)
        ask(slug, answer)
        EVENTS[role, slug][-1] = True
    return kept
check, quiz = _kept("check", check), _kept("quiz", quiz)
"""


def rearranged(cells: list[dict], moves: list[tuple[str, int, int]]) -> list[dict]:
    """The cells after some of what happens to notebooks, each move at two places."""
    cells = copy.deepcopy(cells)
    for move, one, other in moves:
        if not cells:
            break
        at, to = one % len(cells), other % len(cells)
        cell = cells[at]
        source = cell["source"]
        if move == "move":
            cells.insert(to, cells.pop(at))
        elif move == "copy":
            cells.insert(to, copy.deepcopy(cell))
        elif move == "split":
            cut = other % (len(source) + 1)
            cells[at : at + 1] = [with_source(cell, source[:cut]), with_source(cell, source[cut:])]
        elif move == "merge" and at + 1 < len(cells):
            cells[at : at + 2] = [merged(cell, cells[at + 1])]
        elif move == "empty":
            cell["source"] = ""
        elif move == "delete":
            cells.pop(at)
        elif move == "unmark":
            cell["metadata"] = {}
        elif move in {"markdown", "raw", "code"}:
            cell["cell_type"] = move
        elif move == "remark":
            cell["metadata"] = copy.deepcopy(cells[to]["metadata"])
    return cells


MOVES = [
    "move",
    "copy",
    "split",
    "merge",
    "empty",
    "delete",
    "unmark",
    "markdown",
    "raw",
    "code",
    "remark",
]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(st.sampled_from(sorted(STATES)), min_size=3, max_size=3),
    st.sampled_from("ba?"),
    st.lists(
        st.tuples(st.sampled_from(MOVES), st.integers(0, 300), st.integers(0, 300)), max_size=12
    ),
)
def test_points_are_for_what_was_asked_and_right(tmp_path_factory, fakes, states, letter, moves):
    """Whatever happened to the cells: right and asked is passed, and nothing else is."""
    slugs = ["one", "two-words", "three"]
    cells = []
    for slug, state in zip(slugs, states, strict=True):
        cells += fakes.pair(slug, "def {name}(x):\n    " + STATES[state])
        name = slug.replace("-", "_")
        cells.append(fakes.code(f"doubled = {name}(4)\nprint(doubled)"))
    cells.append(fakes.question("q", letter))
    folder = tmp_path_factory.mktemp("trial")
    path = fakes.write(folder / "77_x.ipynb", rearranged(cells, moves), setup=fakes.setup + SPY)
    events: dict[tuple[str, str], list[bool]] = {}
    report = fakes.judged(path, fakes.fake_course(*slugs), EVENTS=events)
    assert len(report.results) == 4
    json.dumps([result._asdict() for result in report.results])
    for result in report.results:
        role = "quiz" if result.kind == "quick check" else "check"
        asked = events.get((role, result.slug), [])
        if asked and all(asked):
            assert result.status is Status.PASSED, result
        if not any(asked):
            assert result.status is not Status.PASSED, result
        assert result.points == (result.points_total if result.status is Status.PASSED else 0)


def test_a_shuffled_notebook_without_any_mark(tmp_path, fakes):
    """Nothing but the text is left, and pairs stand in another order."""
    pairs = [fakes.pair(slug) for slug in ("one", "two", "three")] + [[fakes.question("q")]]
    random.Random(0).shuffle(pairs)
    cells = [fakes.code(cell["source"]) for pair in pairs for cell in pair]
    path = fakes.write(tmp_path / "77_x.ipynb", *cells)
    assert fakes.judged(path, fakes.fake_course("one", "two", "three")).passed
