"""Reading a chapter's source: a percent script becomes a list of typed cells.

The format is described in docs/authoring.md. jupytext splits the script; what is here gives every
cell its role and its line in the file, so that whatever is wrong can be said with file and line.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import jupytext
from nbformat import NotebookNode, ValidationError

ROLES = ("setup", "exercise", "check", "quiz", "claim")
FILE_NAME = re.compile(r"(?P<number>\d\d)_[a-z0-9_]+")
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_KEYS = {"tags", "slug", "minutes", "id"}
_RESERVED_ID = re.compile(r"(ex|check|quiz|task|claim)-.*|colab-setup")
_JUPYTEXT_KEYS = {"cell_marker", "lines_to_next_cell"}
_FORMAT = {"extension": ".py", "format_name": "percent", "comment_magics": False}
# str.splitlines, and therefore jupytext, would break a line at each of these.
_ODD_LINE_ENDS = re.compile("[\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029]")


class SourceError(ValueError):
    """A chapter's source is not as docs/authoring.md says. The message starts with `file:line:`."""

    def __init__(self, path: Path, line: int, problem: str) -> None:
        super().__init__(f"{path.name}:{line}: {problem}")
        self.path, self.line, self.problem = path, line, problem


class Cell(NamedTuple):
    """One cell of a source.

    kind: "markdown" or "code".
    role: "prose", "task" (an exercise's text), "code", "setup", "exercise", "check", "quiz" or "claim" (asserts
        about the outputs above, run when the chapter is executed, in neither notebook that people read).
    slug: of the exercise (task, exercise, check) or the quick check (quiz); else empty.
    source: the text between the cell's line and the next one, without blank lines around it.
    line: the line of the file where that text begins, from 1.
    tags: as written, the role's included.
    fixed_id: the cell id where the author chose one; else empty.
    minutes: the chapter's total time; on the first cell, else 0.
    """

    kind: str
    role: str
    slug: str
    source: str
    line: int
    tags: tuple[str, ...] = ()
    fixed_id: str = ""
    minutes: int = 0


class Chapter(NamedTuple):
    """A chapter's source: 01_superposition.py has number "01" and stem "01_superposition"."""

    path: Path
    number: str
    stem: str
    cells: tuple[Cell, ...]

    @property
    def title(self) -> str:
        """The first heading, without its `#`."""
        return self.cells[0].source.split("\n", 1)[0].lstrip("# ").strip()

    @property
    def minutes(self) -> int:
        """The total time the author states for a learner, 0 where none is stated."""
        return self.cells[0].minutes

    def fail(self, line: int, problem: str) -> NoReturn:
        """Raise the error that names this file and a line of it."""
        raise SourceError(self.path, line, problem)


def find_sources(source_dir: Path) -> list[Path]:
    """The chapter sources of a folder, in order.

    Raises:
        FileNotFoundError: the folder is missing or has no `NN_slug.py`.
    """
    found = sorted(path for path in source_dir.glob("*.py") if FILE_NAME.fullmatch(path.stem))
    if not found:
        raise FileNotFoundError(f"no chapter sources like 01_superposition.py in {source_dir}")
    return found


def read_chapter(path: Path) -> Chapter:
    """Read a chapter's source.

    Raises:
        SourceError: with file and line, for anything that is not as docs/authoring.md says.
        FileNotFoundError: there is no such file.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        problem = f"not UTF-8 text ({error.reason} at byte {error.start})"
        raise SourceError(path, 1, problem) from None
    return parse_chapter(text, path)


def parse_chapter(text: str, path: Path) -> Chapter:
    """`read_chapter` on text that is already there; `path` is for number, stem and errors.

    >>> text = '# %% [markdown]' + chr(10) + 'r' + '"' * 3 + '# 07 · Doubling' + '"' * 3
    >>> parse_chapter(text, Path("07_doubling.py")).title
    '07 · Doubling'
    """
    name = FILE_NAME.fullmatch(path.stem)
    if name is None:
        raise SourceError(path, 1, "a chapter's file is named like 01_superposition.py")
    chapter = Chapter(path, name["number"], path.stem, ())
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    _refuse_bad_text(chapter, text)
    cells: list[Cell] = []
    offset = 0
    for node in _split(chapter, text):
        content = node.source.strip("\n")
        offset = text.find(content, offset)
        line = text.count("\n", 0, offset) + 1
        cells.append(_cell(chapter, node.cell_type, dict(node.metadata), content, line))
        offset += len(content)
    _check_order(chapter, cells)
    return chapter._replace(cells=tuple(cells))


def _split(chapter: Chapter, text: str) -> list[NotebookNode]:
    try:
        return list(jupytext.reads(text, fmt=_FORMAT).cells)
    except ValidationError as whole:
        # Cell metadata that no notebook may have. Which cell's, jupytext does not say.
        for number, line in enumerate(text.split("\n"), 1):
            try:
                jupytext.reads(line if line.startswith("#") else "", fmt=_FORMAT)
            except ValidationError as error:
                chapter.fail(number, f"in the cell's line: {error.message}")
        chapter.fail(1, f"a cell's line is wrong: {whole.message}")


def _refuse_bad_text(chapter: Chapter, text: str) -> None:
    odd = _ODD_LINE_ENDS.search(text)
    if odd:
        line = text.count("\n", 0, odd.start()) + 1
        problem = f"the character U+{ord(odd.group()):04X} would split this line"
        chapter.fail(line, f"{problem}: write it as an escape")
    if not re.match(r"#\s*%%", text.lstrip()):
        first = text.count("\n", 0, len(text) - len(text.lstrip())) + 1
        chapter.fail(first, 'the file has to begin with a "# %%" cell')
    try:
        ast.parse(text)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 1
        chapter.fail(line, f"not valid Python: {getattr(error, 'msg', error)}")


def _cell(chapter: Chapter, kind: str, found: dict[str, Any], content: str, line: int) -> Cell:
    """A typed cell from what jupytext found in the cell's line (`found`) and below it."""
    _refuse_bad_metadata(chapter, kind, found, line)
    tags: list[str] = found.get("tags", [])
    roles = [tag for tag in tags if tag in ROLES]
    if len(roles) > 1:
        chapter.fail(line, f"a cell has one role, this one has {' and '.join(roles)}")
    if kind == "markdown" and roles:
        chapter.fail(line, f"a {roles[0]} cell is code, this one is prose")
    slug = found.get("slug", "")
    if kind == "markdown":
        role = "task" if slug else "prose"
    else:
        role = roles[0] if roles else "code"
        slug = _slug_of_code(chapter, role, slug, content, line)
    fixed_id, minutes = found.get("id", ""), found.get("minutes", 0)
    return Cell(kind, role, slug, content, line, tuple(tags), fixed_id, minutes)


def _refuse_bad_metadata(chapter: Chapter, kind: str, found: dict[str, Any], line: int) -> None:
    if "incorrectly_encoded_metadata" in found:
        seen = found["incorrectly_encoded_metadata"]
        chapter.fail(line, f"cannot read {seen!r} in the cell's line: values need quotes")
    if kind == "raw":
        chapter.fail(line, "raw cells are not supported: a cell is code or [markdown]")
    if kind == "markdown" and not found.get("cell_marker", "").startswith('r"""'):
        chapter.fail(line, 'prose stands between r""" and """ (raw: backslashes survive)')
    unknown = sorted(set(found) - _KEYS - _JUPYTEXT_KEYS)
    if unknown:
        expected = ", ".join(sorted(_KEYS))
        chapter.fail(line, f"unknown {unknown[0]!r} in the cell's line: expected only {expected}")
    for key in ("slug", "id"):
        if key in found and not _is_slug(found[key]):
            form = "up to 50 small letters, digits and hyphens"
            chapter.fail(line, f"{key}={found[key]!r}: expected {form}")
    if _RESERVED_ID.fullmatch(found.get("id", "")):
        chapter.fail(line, f"id={found['id']!r} is of the form that the build gives itself")
    minutes = found.get("minutes", 1)
    if type(minutes) is not int or minutes < 1:
        chapter.fail(line, f"minutes={minutes!r}: expected a whole number above 0")


def _is_slug(value: object) -> bool:
    return isinstance(value, str) and len(value) <= 50 and bool(SLUG.fullmatch(value))


def _slug_of_code(chapter: Chapter, role: str, slug: str, content: str, line: int) -> str:
    try:
        tree = ast.parse(content)
    except SyntaxError as error:
        at = line + (error.lineno or 1) - 1
        chapter.fail(at, f"this cell is not valid Python on its own: {error.msg}")
    if role == "exercise":
        if not slug:
            chapter.fail(line, 'an exercise cell needs tags=["exercise"] and slug="some-slug"')
        return slug
    if role not in ("check", "quiz"):
        if slug:
            chapter.fail(line, "a slug stands on exercise, check, quiz and [markdown] cells only")
        return ""
    call = find_call(tree, role)
    if call is None:
        chapter.fail(line, f'a {role} cell has exactly one call like {role}("some-slug", …)')
    first = call.args[0] if call.args else None
    named = first.value if isinstance(first, ast.Constant) else None
    if not _is_slug(named):
        chapter.fail(line + call.lineno - 1, f"the first argument of {role} is a slug in quotes")
    if slug and slug != named:
        chapter.fail(line, f"the cell's line says {slug!r}, its call says {named!r}")
    return str(named)


def find_call(tree: ast.AST, name: str) -> ast.Call | None:
    """The one call of a function of this name in a cell; None if there are none or several."""

    def called(function: ast.expr) -> str:
        return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")

    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    calls = [call for call in calls if called(call.func) == name]
    return calls[0] if len(calls) == 1 else None


def _check_order(chapter: Chapter, cells: list[Cell]) -> None:
    """The title first; every slug and id once; a task above its exercise, a check below it."""
    first = cells[0]
    if first.role != "prose" or not first.source.startswith("# "):
        chapter.fail(first.line, 'the first cell is prose that starts with "# 01 · The title"')
    seen: dict[tuple[str, str], int] = {}
    for cell in cells:
        if cell.minutes and cell is not first:
            chapter.fail(cell.line, "minutes= is the chapter's total: it stands on the first cell")
        for key in ((cell.role, cell.slug), ("id", cell.fixed_id)):
            if key[1] and key in seen:
                chapter.fail(cell.line, f"{key[0]} {key[1]!r} is already at line {seen[key]}")
            seen[key] = cell.line
        exercise_seen = ("exercise", cell.slug) in seen
        if cell.role == "check" and not exercise_seen:
            chapter.fail(cell.line, f"check {cell.slug!r}: no exercise cell of that slug above it")
        if cell.fixed_id and cell.slug:
            chapter.fail(cell.line, f"no id= here: a {cell.role} cell's id is made of its slug")
        if cell.role == "task" and exercise_seen:
            chapter.fail(cell.line, f"the text of {cell.slug!r} stands below its exercise cell")
    for (role, slug), line in seen.items():
        if role == "task" and ("exercise", slug) not in seen:
            chapter.fail(line, f"the text of {slug!r}: there is no exercise cell of that slug")
