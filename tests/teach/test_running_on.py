"""What a check accepts runs on: cells that call a learner's functions, with other accepted answers in place.

Two turns per chapter: each function is another accepted style, and hands back its result in another accepted form.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from forms import FORMS
from running_on import Piece, pieces, reached

from mi_tutor.authoring.settings import find_project
from mi_tutor.authoring.source import read_chapter
from mi_tutor.teach.exercise import Exercise
from mi_tutor.teach.registry import exercises, get

PROJECT = find_project(Path(__file__).parent)
CHAPTERS = (
    "00",
)  # the others take as long as running them: to be added one by one, when they were seen to pass
SOURCES = [path for path in sorted(PROJECT.source_dir.glob("*.py")) if path.stem[:2] in CHAPTERS]
FUNCTIONS = {item.slug for item in exercises() if isinstance(item, Exercise) and not item.asked_for}
DOUBLE, GRAPH, PYTHON = FORMS
TURNS = {"the first style": (0, (DOUBLE,)), "the last style": (-1, (PYTHON, GRAPH))}
ASKED_FOR_DETACHED = {"train-on-toy"}


def stand_in(slug: str, own: Callable, which: int, forms: tuple[str, ...]) -> Callable:
    """An accepted style that can be called as the chapter's own function is, with its result in accepted forms."""
    right = get(slug).styles[which].right
    signature = inspect.signature(own)

    def answer(*given: Any, **named: Any) -> Any:
        bound = signature.bind(*given, **named)
        bound.apply_defaults()
        value = right(*bound.args)
        for form in forms:
            if not (form == GRAPH and slug in ASKED_FOR_DETACHED):
                value = FORMS[form](value)
        return value

    return answer


def own_name(cell: Piece) -> str:
    """The last function that an exercise's cell defines: the one that the check is given."""
    return [line.split("(")[0][4:] for line in cell.source.splitlines() if line.startswith("def ")][
        -1
    ]


@pytest.mark.slow
@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_accepted_answers_run_on(path: Path, turn: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(path.parent)
    cells = pieces(read_chapter(path))
    answers = {cell.slug: cell for cell in cells if cell.slug in FUNCTIONS}
    names = {slug: own_name(cell) for slug, cell in answers.items()}
    space: dict[str, Any] = {"__name__": "__main__", "display": lambda *shown: None}
    for cell in reached(cells, set(names.values())):
        code = compile("\n" * (cell.line - 1) + cell.source, str(path), "exec")
        exec(code, space)
        if cell.slug in names:
            name = names[cell.slug]
            space[name] = stand_in(cell.slug, space[name], *TURNS[turn])
