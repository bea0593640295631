"""A chapter as a notebook: with stubs for learners, or with solutions.

Both have the same cells with the same ids and metadata; only what is asked of the learner differs.
Nothing here runs anything or writes a file.
"""

from __future__ import annotations

import ast
import difflib
import hashlib
import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from mi_tutor.authoring import additions
from mi_tutor.authoring.ids import COLAB_ID, cell_ids
from mi_tutor.authoring.markers import solution, stub
from mi_tutor.authoring.registry import ExerciseInfo, Registry
from mi_tutor.authoring.source import Cell, Chapter

KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
LANGUAGE = {
    "codemirror_mode": {"name": "ipython", "version": 3},
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
}


class Notebooks(NamedTuple):
    """What is made of one source. Neither has been executed."""

    chapter: NotebookNode
    solution: NotebookNode


def make_notebooks(chapter: Chapter, registry: Registry, repository: str = "") -> Notebooks:
    """Render both notebooks of a source.

    Args:
        chapter: the source, as `read_chapter` gives it.
        registry: where titles, minutes, points and objectives come from.
        repository: "owner/name" on GitHub for badges and the Colab cell; empty leaves them out.

    Raises:
        SourceError: with file and line, for bad markers or an exercise that is not in the registry.
    """
    known = _known(chapter, registry)
    return Notebooks(
        _render(chapter, known, repository, "chapters", stub),
        _render(chapter, known, repository, "solutions", solution),
    )


def make_proof(chapter: Chapter, registry: Registry, repository: str = "") -> NotebookNode:
    """The solution notebook with the claim cells in their places: what is run, and nobody reads.

    Args and errors as for `make_notebooks`.
    """
    known = _known(chapter, registry)
    return _render(chapter, known, repository, "solutions", solution, claims=True)


def _known(chapter: Chapter, registry: Registry) -> dict[str, ExerciseInfo]:
    """The registry's exercises of the chapter, by slug; SourceError for one that it does not have."""
    known = {exercise.slug: exercise for exercise in registry.exercises(chapter.number)}
    for cell in chapter.cells:
        if cell.role == "exercise" and cell.slug not in known:
            near = difflib.get_close_matches(cell.slug, known, n=1)
            advice = (
                f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known) or 'none'}"
            )
            problem = f"exercise {cell.slug!r} is not in the registry of chapter {chapter.number}"
            chapter.fail(cell.line, f"{problem}; {advice}")
    return known


def without_claims(notebook: NotebookNode) -> NotebookNode:
    """An executed proof as the solution that people read, in place."""
    notebook.cells = [cell for cell in notebook.cells if not is_claim(cell)]
    notebook.metadata["mi_tutor"]["digest"] = digest(notebook)
    return notebook


def is_claim(cell: NotebookNode) -> bool:
    """Whether a notebook's cell asserts what the prose says."""
    return cell.metadata.get("mi_tutor", {}).get("role") == "claim"


def digest(notebook: NotebookNode) -> str:
    """A fingerprint of what the cells say (ids, kinds, sources), not of outputs or metadata."""
    cells = [
        [cell.get("id", ""), cell.get("cell_type", ""), cell.source] for cell in notebook.cells
    ]
    return hashlib.blake2b(json.dumps(cells).encode(), digest_size=16).hexdigest()


def is_untouched(notebook: NotebookNode) -> bool:
    """Whether the cells still say what the build that wrote the notebook made them say."""
    written = notebook.metadata.get("mi_tutor")
    return isinstance(written, dict) and written.get("digest") == digest(notebook)


def _render(
    chapter: Chapter,
    known: dict[str, ExerciseInfo],
    repository: str,
    folder: str,
    render: Callable[[Chapter, Cell], str],
    claims: bool = False,
) -> NotebookNode:
    cells = [
        cell
        for cell in _cells(chapter, known, repository, folder, render)
        if claims or not is_claim(cell)
    ]
    notebook = new_notebook(
        cells=cells,
        metadata={"kernelspec": dict(KERNEL), "language_info": dict(LANGUAGE)},
        nbformat=4,
        nbformat_minor=5,
    )
    described = {"chapter": chapter.number, "folder": folder, "digest": digest(notebook)}
    notebook.metadata["mi_tutor"] = described
    return notebook


def _cells(
    chapter: Chapter,
    known: dict[str, ExerciseInfo],
    repository: str,
    folder: str,
    render: Callable[[Chapter, Cell], str],
) -> Iterator[NotebookNode]:
    with_text = {cell.slug for cell in chapter.cells if cell.role == "task"}
    first_code = next((cell for cell in chapter.cells if cell.kind == "code"), None)
    for cell, cell_id in zip(chapter.cells, cell_ids(chapter.cells), strict=True):
        if cell.role == "claim":
            yield from _claims(cell, cell_id)
            continue
        if cell is first_code and repository:
            yield _code(COLAB_ID, additions.colab_setup(repository), {})
        if cell.role == "exercise" and cell.slug not in with_text:
            yield _prose(f"task-{cell.slug}", additions.exercise_header(known[cell.slug]), {})
        text = render(chapter, cell)
        if cell is chapter.cells[0]:
            text = additions.title_with_time(chapter, list(known.values()), text)
            if repository:
                text = f"{additions.badges(repository, folder, chapter.stem)}\n\n{text}"
        if cell.role == "task":
            text = f"{additions.exercise_header(known[cell.slug])}\n\n{text}"
        make = _prose if cell.kind == "markdown" else _code
        points = known[cell.slug].points if cell.role == "check" else 0
        yield make(cell_id, text, _metadata(cell, cell_id, points))


def _claims(cell: Cell, cell_id: str) -> Iterator[NotebookNode]:
    """A cell for each statement, so that one sentence that does not hold hides no other."""
    for number, statement in enumerate(ast.parse(cell.source).body, 1):
        lines = cell.source.split("\n")[statement.lineno - 1 : statement.end_lineno]
        described = {"role": "claim", "line": cell.line + statement.lineno - 1}
        yield _code(f"{cell_id}-{number}", "\n".join(lines), {"mi_tutor": described})


def _prose(cell_id: str, text: str, metadata: dict[str, Any]) -> NotebookNode:
    return new_markdown_cell(text, id=cell_id, metadata=metadata)


def _code(cell_id: str, text: str, metadata: dict[str, Any]) -> NotebookNode:
    return new_code_cell(text, id=cell_id, metadata=metadata)


def _metadata(cell: Cell, cell_id: str, points: int) -> dict[str, Any]:
    """Tags, and for graded cells who they belong to, in our words and in nbgrader's (schema 3)."""
    metadata: dict[str, Any] = {"tags": list(cell.tags)} if cell.tags else {}
    if cell.role not in ("exercise", "check", "quiz"):
        return metadata
    named = "quiz" if cell.role == "quiz" else "exercise"
    metadata["mi_tutor"] = {named: cell.slug, "role": cell.role}
    metadata["deletable"] = False
    nbgrader = {"schema_version": 3, "grade_id": cell_id, "task": False, "cell_type": "code"}
    if cell.role == "check":
        metadata["editable"] = False
        nbgrader |= {"grade": True, "locked": True, "solution": False, "points": points}
    else:
        nbgrader |= {"grade": False, "locked": False, "solution": True}
    metadata["nbgrader"] = nbgrader
    return metadata
