"""What a person should look at: answers that call the library's own. A flag, never a zero."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

_DOORS = {"registry", "importlib", "__import__", "inspect", "gc", "ctypes", "sys", "_getframe"}


def borrowed(item: Any, sources: tuple[str, ...]) -> tuple[str, ...]:
    """Flags for what an answer's text takes from the course: its reference by name, or the exercises."""
    name = getattr(getattr(item, "reference", None), "__name__", "")
    found: dict[str, None] = {}
    for source in sources:
        try:
            tree = ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        found |= dict.fromkeys(_flags(tree, name))
    return tuple(found)


def _flags(tree: ast.AST, reference: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr == reference:
            yield f"calls the library's {reference}"
        elif isinstance(node, ast.ImportFrom | ast.Import):
            module = getattr(node, "module", None) or ""
            names = {alias.name for alias in node.names}
            parts = {part for each in (module, *names) for part in each.split(".")}
            if reference in names:
                yield f"imports the library's {reference}"
            if "teach" in parts or parts & _DOORS:
                yield f"imports {module or ', '.join(sorted(names))}"
        elif isinstance(node, ast.Name | ast.Attribute):
            word = node.id if isinstance(node, ast.Name) else node.attr
            if word in _DOORS:
                yield f"uses {word}"
