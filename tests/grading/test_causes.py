"""Cells that stop only because an earlier exercise is not there yet are told in one line, not one each."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mi_tutor.grading.causes import causes
from mi_tutor.grading.notebook import read_notebook
from mi_tutor.grading.places import place
from mi_tutor.grading.report import Status, assess
from mi_tutor.grading.run import CellRun
from mi_tutor.grading.source import made

WRONG = "def {name}(x):\n    return x * x"


@pytest.fixture
def report(tmp_path, fakes):
    """Run cells without a kernel; returns {slug: result} and the notes that are not about missing exercises."""

    def run(*cells, setup=fakes.setup):
        path = fakes.write(tmp_path / "77_fakes.ipynb", *cells, setup=setup)
        found = fakes.judged(path, fakes.fake_course("one", "two"))
        notes = [note for note in found.notes if "not in this notebook at all" not in note]
        return {result.slug: result for result in found.results}, notes

    return run


def test_what_calls_a_stub(report, fakes):
    """Also what is made from what it should have made, and a function that calls it."""
    found, notes = report(
        fakes.pair("one", fakes.stub),
        fakes.code("six = one(3)"),
        fakes.code("def twice(x):\n    return one(one(x))"),
        fakes.code("print(twice(1))"),
        fakes.code("seven = six + 1"),
        fakes.code("print(seven)"),
        fakes.pair("two", "limit = seven\ndef {name}(x):\n    return 2 * x"),
    )
    assert notes == ["Code cells 4, 6, 7 and 8 follow from one."]
    assert found["one"].status is Status.UNANSWERED
    assert (found["two"].status, found["two"].sentence) == (
        Status.NOT_REACHED,
        "Follows from one.",
    )


@pytest.mark.parametrize("answer", ["def {name}(x)\n    return 2 * x", "{name} = 1 / 0"])
def test_what_needs_a_name_that_an_exercise_did_not_get_to_make(report, fakes, answer):
    found, notes = report(fakes.pair("one", answer), fakes.code("print(one(3))"))
    assert notes == ["Code cell 4 follows from one."]
    assert found["one"].status is Status.ERROR and "Code cell 2 stopped" in found["one"].sentence


def test_what_uses_a_value_that_was_not_filled_in(report, fakes):
    cells = [fakes.code("one = ...", "one", "exercise"), fakes.pair("one")[1]]
    _, notes = report(*cells, fakes.code("print(one + 1)"), fakes.code("print(two)"))
    assert notes[1:] == ["Code cell 4 follows from one."]
    assert "Code cell 5, which belongs to no exercise, stopped with NameError" in notes[0]


def test_a_stub_that_stops_at_once_owes_what_is_handed_in(report, fakes):
    stub = fakes.code("raise NotImplementedError('your code here')", "one", "exercise")
    check = fakes.code('check("one", trained)', "one", "check")
    found, notes = report(stub, check, fakes.code("print(trained)"))
    assert notes == ["Code cell 4 follows from one."]
    assert found["one"].status is Status.UNANSWERED


def test_what_stands_below_an_exercise_that_is_text_now(report, fakes):
    exercise, check = fakes.pair("one")
    exercise["cell_type"] = "markdown"
    found, notes = report(exercise, check, fakes.code("print(one(3))"))
    assert notes == ["Code cell 3 follows from one."]
    assert found["one"].status is Status.NOT_CODE


def test_a_setup_that_stops(report, fakes):
    setup = "import no_such_module\n" + fakes.setup
    found, notes = report(fakes.pair("one"), fakes.pair("two"), setup=setup)
    assert notes == [
        "Code cell 1, which belongs to no exercise, stopped with ModuleNotFoundError: "
        "No module named 'no_such_module'."
    ]
    assert {r.sentence for r in found.values() if r.slug != "q"} == {"Follows from code cell 1."}


def test_a_plain_cell_that_stops_is_told_once(report, fakes):
    _, notes = report(fakes.code("x = 1 / 0"), fakes.code("y = x"), fakes.code("print(y)"))
    assert len(notes) == 2 and notes[1] == "Code cells 3 and 4 follow from code cell 2."


def test_what_uses_a_wrong_answer_may_follow(report, fakes):
    """Nobody knows, so it is said in other words, and a cell of an exercise keeps its own error."""
    found, notes = report(
        fakes.pair("one", WRONG),
        fakes.code("assert one(3) == 6, 'not six'"),
        fakes.code("1 / (one(0))"),
        fakes.pair("two", "limit = 1 / one(0)\ndef {name}(x):\n    return 2 * x"),
    )
    assert notes == ["Code cells 4 and 5 stopped too and use what comes from one: mend that first."]
    assert found["two"].status is Status.ERROR
    assert found["two"].sentence == (
        "Code cell 6 stopped with ZeroDivisionError: division by zero. "
        "It uses what comes from one: mend that first."
    )


@pytest.mark.parametrize(
    "source",
    [
        "1 / 0",
        "print(unknown)",
        "x = 1\nx / 0",  # a name that was made anew
        "def f(one):\n    return one / 0\nf(1)",  # a name of its own
        "raise NotImplementedError('mine')",
    ],
)
@pytest.mark.parametrize("state", ["stub", "right"])
def test_an_error_of_its_own_is_told(report, fakes, source, state):
    pair = fakes.pair("one", fakes.stub if state == "stub" else fakes.right)
    _, notes = report(pair, fakes.code("x = one"), fakes.code(source))
    assert len(notes) == 1 and "Code cell 5, which belongs to no exercise, stopped" in notes[0]


def test_what_is_mended_below_is_no_cause(report, fakes):
    """The stub, then an answered copy: what fails further down fails for reasons of its own."""
    stub, check = fakes.pair("one", fakes.stub)
    answer = fakes.pair("one")[0]
    found, notes = report(stub, answer, check, fakes.code("one(1) / 0"))
    assert found["one"].status is Status.PASSED
    assert "which belongs to no exercise, stopped with ZeroDivisionError" in notes[0]


def test_an_answer_that_calls_what_is_not_written(report, fakes):
    """`check` runs it, and says so in its own words."""
    setup = fakes.setup.replace(
        "Not written yet: replace the line.",
        "`one`, which your function calls, is not written yet: replace its line",
    )
    calls = fakes.pair("two", "def {name}(x):\n    return one(x)")
    found, _ = report(fakes.pair("one", fakes.stub), calls, setup=setup)
    assert found["one"].status is Status.UNANSWERED
    assert (found["two"].status, found["two"].sentence) == (
        Status.NOT_REACHED,
        "Follows from one.",
    )


def test_cells_that_were_not_reached_are_no_cause(tmp_path, fakes):
    path = fakes.write(tmp_path / "77_fakes.ipynb", fakes.pair("one"), fakes.code("1 / 0"))
    runs = {1: CellRun(), 2: CellRun(None, "timeout")}
    report = assess(read_notebook(path), runs, fakes.fake_course("one"))
    assert report.results[0].status is Status.TIMEOUT and len(report.notes) == 1


ANSWERS = [
    "raise NotImplementedError",
    "return x * x",
    "return 2 * x",
    "return 2 x",
    "return one(x)",
]
LINES = [
    "a = one(3)",
    "b = a + two(1)",
    "a = 1",
    "def both(x):\n    return one(two(x))",
    "c = both(2)",
    "print(a, b)",
    "assert c == 8",
    "b / 0",
    "print(nowhere)",
    "raise NotImplementedError('mine')",
    "one = None",
    "for a in range(2): b = [a]",
]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.tuples(st.sampled_from(ANSWERS[:4]), st.sampled_from(ANSWERS)),
    st.lists(st.lists(st.sampled_from(LINES), min_size=1, max_size=3), max_size=8),
    st.integers(0, 8),
    st.booleans(),
)
def test_what_is_sure_is_true(tmp_path_factory, fakes, answers, cells, at, as_text):
    """A cell that is said to follow does not stop with the same error once every exercise is right.

    Except where a cell on the way has a second error, of its own.
    """
    plain = [fakes.code("\n".join(lines)) for lines in cells]
    path = tmp_path_factory.mktemp("trial") / "77_x.ipynb"

    def trial(one: str, two: str, kind: str) -> tuple:
        body = "def {name}(x):\n    "
        first, second = fakes.pair("one", body + one), fakes.pair("two", body + two)
        first[0]["cell_type"] = kind
        fakes.write(path, *first, *plain[:at], *second, *plain[at:])
        notebook = read_notebook(path)
        runs = fakes.execute(notebook)
        places = [place(notebook, runs, ("check", slug)) for slug in ("one", "two")]
        return notebook, runs, causes(notebook, runs, places)

    _, runs, found = trial(*answers, "markdown" if as_text else "code")
    notebook, mended, _ = trial("return 2 * x", "return 2 * x", "code")
    missing = {
        name for c in notebook.cells if not mended[c.position].fine for name in made(c.source)
    }
    for position, cause in found.items():
        after = mended[position + as_text]
        if cause.sure and cause.label in {"one", "two"} and after.missing_name not in missing:
            assert after.fine or after.error != runs[position].error, (position, cause)


@pytest.mark.parametrize("between", ["", "\nhelp_ = one\n"])
def test_an_answer_that_uses_a_wrong_one(report, fakes, between):
    """Its check says what it does, as if it were its own fault; whose it is nobody knows, so that is added."""
    calls = fakes.pair("two", "def {name}(x):\n    return " + ("help_(x)" if between else "one(x)"))
    more = [fakes.code(between)] if between else []
    found, _ = report(fakes.pair("one", WRONG), *more, calls)
    alone, _ = report(fakes.pair("one"), fakes.pair("two", WRONG))
    assert found["two"].status is Status.WRONG
    said = alone["two"].sentence
    assert found["two"].sentence == f"{said} It uses what comes from one: mend that first."
    assert "uses what comes from" not in found["one"].sentence + said
