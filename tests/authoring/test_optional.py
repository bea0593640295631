"""Whoever leaves optional exercises out loses nothing else: no required cell takes what they make."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from mi_tutor.authoring.source import Cell, Chapter, find_sources, read_chapter
from mi_tutor.grading.source import made, taken
from mi_tutor.teach.registry import exercises

SOURCES = find_sources(Path(__file__).parents[2] / "solutions")


def sections(chapter: Chapter) -> Iterator[list[Cell]]:
    """The cells below each `##` heading."""
    section: list[Cell] = []
    for cell in chapter.cells:
        if cell.kind == "markdown" and "\n## " in f"\n{cell.source}":
            yield section
            section = []
        section.append(cell)
    yield section


class _InOrder(ast.NodeVisitor):
    """Names that a cell loads before it has stored them, in the order of running (loops once)."""

    def __init__(self) -> None:
        self.stored: set[str] = set()
        self.needed: set[str] = set()

    def visit_Assign(self, node: ast.Assign) -> None:
        for part in (node.value, *node.targets):
            self.visit(part)

    def visit_For(self, node: ast.For) -> None:
        for part in (node.iter, node.target, *node.body, *node.orelse):
            self.visit(part)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Store):
            self.stored.add(node.id)
        elif node.id not in self.stored:
            self.needed.add(node.id)


def needed(source: str) -> set[str]:
    """`taken` counts a loop as one statement; of its names, those that it does not make first."""
    order = _InOrder()
    order.visit(ast.parse(source))
    return set(taken(source)) & order.needed


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_nothing_rests_on_what_is_optional(path):
    chapter = read_chapter(path)
    optional = {item.slug for item in exercises(chapter.number) if item.optional}
    missing: dict[str, str] = {}  # a name -> the optional exercise that would have made it
    for section in sections(chapter):
        asked = {cell.slug for cell in section if cell.role == "exercise"}
        may_be_left_out = bool(asked & optional)
        for cell in section:
            if cell.kind == "markdown" or cell.role == "claim":
                continue
            used = [missing[name] for name in needed(cell.source) if name in missing]
            own = cell.role in ("exercise", "check") and (
                cell.slug in optional or any(slug in cell.source for slug in optional)
            )
            assert not used or own or may_be_left_out, (
                f"line {cell.line} takes what the optional {used[0]!r} makes"
            )
            origin = cell.slug if cell.slug in optional else (used[0] if used else None)
            for name in made(cell.source):
                missing.pop(name, None)
                if origin:
                    missing[name] = origin
