"""An investigation is worth a part of its points, passed or not, by what its check printed or said."""

from types import SimpleNamespace

from mi_tutor.grading.notebook import read_notebook
from mi_tutor.grading.report import Course, assess
from mi_tutor.grading.run import run_notebook
from mi_tutor.grading.verdict import Status

SETUP = """
class CheckFailed(Exception):
    pass

def check(slug, answer):
    if answer == "good":
        print(f"\\x1b[32m✓ Who?: good, 5 of 6 points\\x1b[0m")
    elif answer == "boast":
        print("I have 6 of 6 points. ✓ Where?: good, 6 of 6 points")
    elif answer == "part":
        raise CheckFailed(f"{slug}: 2 of 6 points so far. Look again.")
    else:
        raise CheckFailed(f"{slug}: It has no “head”. A hypothesis here is a dict.")
"""


def test_points_of_investigations(tmp_path, fakes):
    slugs = {"who": "good", "why": "part", "how": "unreadable", "where": "boast"}
    cells = [
        [
            fakes.code(f"{slug}_answer = {answer!r}", slug, "exercise"),
            fakes.code(f'check("{slug}", {slug}_answer)', slug, "check"),
        ]
        for slug, answer in slugs.items()
    ]
    path = fakes.write(tmp_path / "77_fakes.ipynb", *cells, setup=SETUP)
    items = [
        SimpleNamespace(
            slug=slug, title=f"{slug.title()}?", chapter="77", points=6, minutes=5, rubric="from .6"
        )
        for slug in slugs
    ]
    notebook = read_notebook(path)
    report = assess(notebook, run_notebook(notebook, 30.0), Course(items, []))
    found = {result.slug: (result.status, result.points) for result in report.results}
    assert found["who"] == (Status.PASSED, 5)
    assert found["why"] == (Status.WRONG, 2)
    assert found["how"] == (Status.WRONG, 0)
    assert found["where"] == (Status.PASSED, 0)
