"""Solutions in a cell: a learner gets the cell without them, a reader without their markers.

Three things hide an answer: a region from `# BEGIN SOLUTION` to `# END SOLUTION`, an assignment
that ends with `# SOLUTION`, and the letter in a `quiz` call. All are found with Python's own
tokenizer and parser, never by searching the text, so that a marker inside a string is not one.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from typing import NamedTuple

from mi_tutor.authoring.source import Cell, Chapter, find_call

STUB = 'raise NotImplementedError("your code here")'
UNANSWERED = '"?"'
_BEGIN, _END, _VALUE = "# BEGIN SOLUTION", "# END SOLUTION", "# SOLUTION"
_LIKE_A_MARKER = re.compile(r"#\s*solutions?\s*$|\b(begin|end)[ _-]*solution", re.IGNORECASE)


class Edit(NamedTuple):
    """The text from `start` to `stop` becomes `text`."""

    start: int
    stop: int
    text: str


def stub(chapter: Chapter, cell: Cell) -> str:
    """The cell as a learner gets it.

    Raises:
        SourceError: with file and line, for markers that do not fit together.
    """
    if cell.role == "quiz":
        return _apply(cell.source, [_unanswered(chapter, cell)])
    return _render(chapter, cell, solved=False)


def solution(chapter: Chapter, cell: Cell) -> str:
    """The cell with its solution and without the markers. Raises like `stub`."""
    return _render(chapter, cell, solved=True)


def _render(chapter: Chapter, cell: Cell, *, solved: bool) -> str:
    if cell.kind != "code":
        return cell.source
    text = _apply(cell.source, _edits(chapter, cell, solved))
    try:
        ast.parse(text)
    except SyntaxError as error:
        what = "solution" if solved else "stub"
        problem = f"the {what} of this cell is not valid Python at its line {error.lineno}"
        chapter.fail(cell.line, f"{problem}: {error.msg}")
    return text


def _apply(text: str, edits: list[Edit]) -> str:
    for edit in sorted(edits, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.stop :]
    return text


def _edits(chapter: Chapter, cell: Cell, solved: bool) -> list[Edit]:
    """What turns the cell into its solution or its stub."""
    edits: list[Edit] = []
    lines = cell.source.split("\n")
    begin: tokenize.TokenInfo | None = None
    for token in _marker_comments(chapter, cell):
        line = cell.line + token.start[0] - 1
        if cell.role != "exercise":
            chapter.fail(line, f"a solution in a {cell.role} cell: only exercises have one")
        if token.string == _VALUE:
            if begin is not None:
                chapter.fail(line, f"{_VALUE} inside a solution region")
            edits += _value_edits(chapter, cell, token, solved)
        elif lines[token.start[0] - 1][: token.start[1]].strip():
            chapter.fail(line, f"{token.string} stands on a line of its own")
        elif token.string == _BEGIN:
            if begin is not None:
                chapter.fail(line, f"{_BEGIN} inside a region: they cannot be nested")
            begin = token
        elif begin is None:
            chapter.fail(line, f"{_END} without {_BEGIN}")
        else:
            edits += _region_edits(chapter, cell, begin, token, solved)
            begin = None
    if begin is not None:
        chapter.fail(cell.line + begin.start[0] - 1, f"{_BEGIN} without {_END} in this cell")
    if cell.role == "exercise" and not edits:
        chapter.fail(cell.line, f"exercise {cell.slug!r} has no region and no {_VALUE}")
    return edits


def _marker_comments(chapter: Chapter, cell: Cell) -> list[tokenize.TokenInfo]:
    """The comments that are markers. One that only looks like it is refused: it would leak."""
    tokens = tokenize.generate_tokens(io.StringIO(cell.source).readline)
    comments = [token for token in tokens if token.type == tokenize.COMMENT]
    markers = [token for token in comments if _LIKE_A_MARKER.search(token.string)]
    for token in markers:
        if token.string not in (_BEGIN, _END, _VALUE):
            problem = f"{token.string!r} looks like a marker: expected exactly"
            line = cell.line + token.start[0] - 1
            chapter.fail(line, f"{problem} {_BEGIN}, {_END} or {_VALUE}")
    return markers


def _region_edits(
    chapter: Chapter,
    cell: Cell,
    begin: tokenize.TokenInfo,
    end: tokenize.TokenInfo,
    solved: bool,
) -> list[Edit]:
    lines = cell.source.split("\n")
    first, last = begin.start[0], end.start[0]
    indent = lines[first - 1][: begin.start[1]]
    if lines[last - 1][: end.start[1]] != indent:
        problem = f"{_END} is not indented like its {_BEGIN} at line {cell.line + first - 1}"
        chapter.fail(cell.line + last - 1, problem)
    inside = [line.strip() for line in lines[first : last - 1]]
    if not any(line and not line.startswith("#") for line in inside):
        chapter.fail(cell.line + first - 1, "the solution region is empty")
    opening, closing = _offset(lines, first), _offset(lines, last)
    end_of_region = closing + len(lines[last - 1])
    if not solved:
        return [Edit(opening, end_of_region, indent + STUB)]
    return [Edit(opening, _offset(lines, first + 1), ""), Edit(closing - 1, end_of_region, "")]


def _value_edits(
    chapter: Chapter, cell: Cell, comment: tokenize.TokenInfo, solved: bool
) -> list[Edit]:
    """Remove the comment and, for a stub, what is assigned: from behind the `=` to its end."""
    row = comment.start[0]
    statements = [node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.stmt)]
    simple = [node for node in statements if node.end_lineno == row and not hasattr(node, "body")]
    node = simple[0] if len(simple) == 1 else None
    if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
        problem = f"{_VALUE} ends a line with exactly one assignment, like ratio = 2.0  {_VALUE}"
        chapter.fail(cell.line + row - 1, problem)
    lines = cell.source.split("\n")
    stop = _offset(lines, node.end_lineno, node.end_col_offset)
    comment_stop = _offset(lines, row) + comment.end[1]
    if solved:
        return [Edit(stop, comment_stop, "")]
    before = node.targets[-1] if isinstance(node, ast.Assign) else node.annotation
    equals = cell.source.index("=", _offset(lines, before.end_lineno, before.end_col_offset))
    return [Edit(equals + 1, comment_stop, " ...")]


def _unanswered(chapter: Chapter, cell: Cell) -> Edit:
    """Put `"?"` for the letter of a quiz cell."""
    call = find_call(ast.parse(cell.source), "quiz")
    assert call is not None, "read_chapter has made sure that there is one"
    named = [keyword.value for keyword in call.keywords if keyword.arg == "answer"]
    answer = call.args[1] if len(call.args) > 1 else next(iter(named), None)
    letter = answer.value if isinstance(answer, ast.Constant) else None
    if answer is None or not (isinstance(letter, str) and re.fullmatch("[a-f]", letter)):
        problem = f'the answer is a letter from a to f: quiz("{cell.slug}", "b")'
        chapter.fail(cell.line + call.lineno - 1, problem)
    lines = cell.source.split("\n")
    start = _offset(lines, answer.lineno, answer.col_offset)
    return Edit(start, _offset(lines, answer.end_lineno, answer.end_col_offset), UNANSWERED)


def _offset(lines: list[str], row: int | None, byte_column: int | None = 0) -> int:
    """The place of a row (from 1) and column in the text. The parser's columns are UTF-8 bytes."""
    assert row is not None
    before = sum(len(line) + 1 for line in lines[: row - 1])
    return before + len(lines[row - 1].encode()[:byte_column].decode())
