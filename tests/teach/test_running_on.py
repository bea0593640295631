"""What a check accepts runs on: cells that call a learner's functions, with other accepted answers in place.

Two turns per chapter: each function is another accepted style, and hands back its result in another accepted form.
Training takes a few steps here: what is asked is whether a cell runs, not what it shows.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from asked import EXERCISES
from forms import FORMS
from running_on import Piece, pieces, reached

from mi_tutor.authoring.settings import find_project
from mi_tutor.authoring.source import find_sources, read_chapter
from mi_tutor.lab.dictionaries import train
from mi_tutor.lab.superposition import ToySweep, optimum, packing
from mi_tutor.teach.exercise import Exercise
from mi_tutor.teach.registry import get

PROJECT = find_project(Path(__file__).parent)
FUNCTIONS = {item.slug for item in EXERCISES if isinstance(item, Exercise) and not item.asked_for}
DOUBLE, GRAPH, PYTHON = FORMS
TURNS = {"the first style": (0, (DOUBLE,)), "the last style": (-1, (PYTHON, GRAPH))}
ASKED_FOR_DETACHED = {"train-on-toy"}
STEPS, LONG = 20, 100  # a loop of LONG and more is a training
TOY = 32  # dimensions; dictionaries of toy data are trained whole: cells ask what is between two of a sweep


def _few(n: int) -> range:
    return range(n if n < LONG else STEPS)


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the course itself trains takes a few steps, but for the first dictionary: cells ask what it found."""

    checked = ToySweep.__post_init__

    def short(config: ToySweep) -> None:
        object.__setattr__(config, "n_steps", min(config.n_steps, STEPS))
        checked(config)

    monkeypatch.setattr(ToySweep, "__post_init__", short)
    for module in (optimum, packing):
        monkeypatch.setattr(module, "range", _few, raising=False)
    batches, trained = train.Run.batches, []

    def some(run: train.Run) -> Any:
        trained.append(run.config)
        whole = len(trained) == 1 or run.around[0].shape[-1] <= TOY
        return itertools.islice(batches(run), None if whole else STEPS)

    monkeypatch.setattr(train.Run, "batches", some)


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


def _chapters() -> list[Any]:
    """The sources; one is left out while its record is current (docs/decisions/0009)."""
    return [
        pytest.param(path, id=path.stem[:2], marks=pytest.mark.recorded("running", path.stem))
        for path in find_sources(PROJECT.source_dir)
    ]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # a number on a graph may warn, and runs on
@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("path", _chapters())
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
