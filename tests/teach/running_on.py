"""The cells of a chapter that a learner's functions reach, and those that they stand on; others are left out."""

from __future__ import annotations

import ast
from typing import NamedTuple

from mi_tutor.authoring.source import Chapter


class Piece(NamedTuple):
    """A code cell: `slug` of the exercise that it answers, `names` that it binds, `reads` those that it needs."""

    source: str
    line: int
    slug: str
    names: frozenset[str]
    reads: frozenset[str]


def pieces(chapter: Chapter) -> list[Piece]:
    """All code cells but checks, quick checks and claims."""
    found = []
    for cell in chapter.cells:
        if cell.role in {"code", "setup", "exercise"}:
            tree = ast.parse(cell.source)
            slug = cell.slug if cell.role == "exercise" else ""
            found.append(Piece(cell.source, cell.line, slug or "", _bound(tree), _read(tree)))
    return found


def reached(cells: list[Piece], functions: set[str]) -> list[Piece]:
    """Cells that call one of the functions, and all that they stand on, in the chapter's order.

    What answers an exercise is the learner's own: it takes part where another cell stands on it.
    """
    wanted: set[int] = set()

    def want(number: int) -> None:
        if number in wanted:
            return
        wanted.add(number)
        for name in cells[number].reads:
            before = [i for i in range(number) if name in cells[i].names]
            for i in before[-1:]:
                want(i)

    for number, cell in enumerate(cells):
        if cell.reads & functions and not cell.slug:
            want(number)
    return [cell for number, cell in enumerate(cells) if number in wanted]


def _bound(tree: ast.Module) -> frozenset[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.alias):
            found.add((node.asname or node.name).split(".")[0])
        elif isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store):
            found |= {n.id for n in ast.walk(node.value) if isinstance(n, ast.Name)}
    return frozenset(found)


def _read(tree: ast.Module) -> frozenset[str]:
    return frozenset(
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    ) | frozenset(
        node.target.id  # x += 1 reads x
        for node in ast.walk(tree)
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name)
    )
