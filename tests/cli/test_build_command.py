"""What `mi-tutor build` says; what it does is tested where it is done, in tests/authoring."""

from types import SimpleNamespace

import pytest

from mi_tutor.teach import registry

SOURCE = '''# %% [markdown] minutes=20
r"""
# 77 · Doubling

Double a number.

## What you will be able to do

What you should see: a number.
"""

# %% tags=["setup"]
x = 3

# %% tags=["exercise"] slug="double"
y = 2 * x  # SOLUTION

# %% tags=["check"]
check("double", y)

# %% [markdown]
r"""
## Common misreadings

## On the real thing

## Further reading

## Recap
"""

# %% tags=["quiz"]
quiz("first", "b")

# %% tags=["quiz"]
quiz("second", "a")
'''


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A course of one chapter, which is the current folder."""
    root = tmp_path / "course"
    (root / "solutions").mkdir(parents=True)
    (root / "pyproject.toml").write_text('[tool.mi_tutor]\nrepository = ""\n')
    (root / "solutions" / "77_doubling.py").write_text(SOURCE)
    said = {
        "title": "Double",
        "points": 1,
        "minutes": 5,
        "difficulty": 1,
        "objective": "double a number",
    }
    exercise = SimpleNamespace(slug="double", chapter="77", hints=("Add.",), optional=False, **said)
    quizzes = tuple(
        SimpleNamespace(slug=slug, chapter="77", points=1) for slug in ("first", "second")
    )
    monkeypatch.setattr(registry, "exercises", lambda chapter=None: (exercise,))
    monkeypatch.setattr(registry, "quizzes", lambda chapter=None: quizzes)
    monkeypatch.chdir(root)
    return root


def test_builds_and_says_what_is_left_to_do(project, mi_tutor):
    code, out, err = mi_tutor("build")
    assert (code, err) == (0, "")
    assert out.splitlines()[:2] == [
        "written    chapters/77_doubling.ipynb",
        "to do      solutions/77_doubling.ipynb: run mi-tutor build --execute 77_doubling",
    ]
    assert (project / "chapters" / "77_doubling.ipynb").is_file()


def test_check_writes_nothing_and_fails_while_something_is_stale(project, mi_tutor):
    code, _, err = mi_tutor("build", "--check")
    assert code == 1 and "chapters/77_doubling.ipynb is missing: run make build" in err
    assert not (project / "chapters").exists()


def test_answers_in_the_way_are_kept(project, mi_tutor):
    mi_tutor("build")
    notebook = project / "chapters" / "77_doubling.ipynb"
    notebook.write_text(notebook.read_text().replace("y = ...", "y = 6"))
    code, out, _ = mi_tutor("build")
    assert code == 0 and "had been worked in: that is now 77_doubling.kept-1.ipynb" in out


def test_findings_of_the_lint_are_printed(project, mi_tutor):
    source = project / "solutions" / "77_doubling.py"
    source.write_text(SOURCE.replace("## Recap", "## The end"))
    code, out, _ = mi_tutor("build")
    assert code == 0 and "no heading with the words 'recap'" in out
    code, _, err = mi_tutor("build", "--check", "77")
    assert code == 1 and "no heading with the words 'recap'" in err


@pytest.mark.parametrize("name", ["78", "triplng"])
def test_unknown_chapter(project, mi_tutor, name):
    code, _, err = mi_tutor("build", name)
    assert (code, err) == (2, f"There is no source {name!r}. There are: 77_doubling.\n")


def test_broken_source_writes_nothing(project, mi_tutor):
    (project / "solutions" / "77_doubling.py").write_text(
        SOURCE.replace("# SOLUTION", "# SOLUTOIN")
    )
    code, _, err = mi_tutor("build")
    assert (
        code == 2 and err.startswith("77_doubling.py:") and err.endswith("Nothing was written.\n")
    )
    assert not (project / "chapters").exists()


def test_outside_a_course(tmp_path, monkeypatch, mi_tutor):
    monkeypatch.chdir(tmp_path)
    code, _, err = mi_tutor("build")
    assert code == 2 and "is not in a clone of the course" in err and err.count("\n") == 1


def test_place_that_cannot_be_written(project, mi_tutor):
    (project / "chapters").write_text("a file is in the way")
    code, _, err = mi_tutor("build")
    assert code == 2 and err.startswith("The build stopped: ") and "chapters" in err


def test_execute_and_measure(project, mi_tutor, monkeypatch):
    """With a stand-in for the run itself, which starts a kernel and takes seconds."""
    from mi_tutor.authoring import execute

    (project / "README.md").write_text("<!-- chapter-table -->\n<!-- /chapter-table -->\n")
    monkeypatch.setattr(
        execute, "execute", lambda source, **_: execute.Executed(source, True, 12.4, 2**29)
    )
    code, out, _ = mi_tutor("build", "--measure", "77")
    assert code == 0 and "executed   77_doubling: 12 s, 0.50 GiB" in out
    assert "12 s, 0.50 GiB" in (project / "README.md").read_text()


def test_cell_that_fails(project, mi_tutor, monkeypatch):
    from mi_tutor.authoring import execute

    def fail(source, **_):
        raise execute.ExecutionFailed("77_doubling.py:12: cell 'setup' failed: NameError: x")

    monkeypatch.setattr(execute, "execute", fail)
    code, _, err = mi_tutor("build", "--execute")
    assert code == 1 and err == "77_doubling.py:12: cell 'setup' failed: NameError: x\n"
