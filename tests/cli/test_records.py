"""`mi-tutor records`: what stands, what has changed, and what is run; the runs themselves are stand-ins."""

import pytest

from mi_tutor.authoring import recording
from mi_tutor.authoring.standing import Name

STANDS, CHANGED = Name("cards", "atlas"), Name("cards", "primer")
BROKEN = Name("chapters", "01_toys")
FOUND = {
    STANDS: [],
    CHANGED: ["mi_tutor/lab/a.py", "b", "c", "d"],
    BROKEN: ["the chapter's code or claims"],
}


@pytest.fixture
def ran(monkeypatch):
    """The names that were run."""
    names = []

    def run(project, name):
        names.append(name)
        return ["01_toys.py:3: it does not hold"] if name == BROKEN else []

    monkeypatch.setattr(recording, "names", lambda project: list(FOUND))
    monkeypatch.setattr(recording, "changes", lambda project, name: FOUND[name])
    monkeypatch.setattr(recording, "run", run)
    return names


def test_it_says_what_would_be_run(mi_tutor, ran):
    code, out, _ = mi_tutor("records")
    assert (code, ran) == (1, [])
    assert "stands     cards/atlas" in out
    assert "to run     cards/primer: mi_tutor/lab/a.py, b, c and 1 more" in out
    assert "mi-tutor records --make runs" in out


def test_what_stands_is_left_alone(mi_tutor, ran):
    code, out, err = mi_tutor("records", "--make", "cards")
    assert (code, ran, err) == (0, [CHANGED], "")
    assert "passed     cards/primer" in out and "stands     cards/atlas" in out


def test_a_run_that_fails_is_told(mi_tutor, ran):
    code, _, err = mi_tutor("records", "--make")
    assert (code, ran) == (1, [CHANGED, BROKEN])
    assert "chapters/01_toys: 01_toys.py:3: it does not hold" in err


def test_anew(mi_tutor, ran):
    assert mi_tutor("records", "--anew", "atlas")[0] == 0
    assert ran == [STANDS]


def test_an_unknown_name(mi_tutor, ran):
    code, _, err = mi_tutor("records", "atlass")
    assert code == 2 and "There is no run 'atlass'. Did you mean atlas or cards/atlas" in err


def test_not_of_another_copy(mi_tutor, ran, monkeypatch):
    monkeypatch.setattr(recording, "is_here", lambda project: False)
    code, _, err = mi_tutor("records", "--make")
    assert (code, ran) == (2, []) and "pip install -e ." in err


def test_outside_a_course(tmp_path, monkeypatch, mi_tutor):
    monkeypatch.chdir(tmp_path)
    code, _, err = mi_tutor("records")
    assert code == 2 and "is not in a clone of the course" in err
