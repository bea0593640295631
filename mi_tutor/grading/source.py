"""What a cell's text says, without running it: which checks it calls, which names it makes and needs.

Cells are Python with IPython's additions (`%time`, `!ls`, `%%capture`); IPython itself translates those.
"""

from __future__ import annotations

import ast
import copy
import functools
import re
import symtable
import warnings
from collections.abc import Iterable, Iterator
from typing import NamedTuple

Call = tuple[str, str]  # ("check", slug) or ("quiz", slug)

_CALL = re.compile(r"""^[^#\n]*\b(check|quiz)\(\s*["']([^"'\n]+)["']""", re.MULTILINE)
_MAKES = re.compile(
    r"^(?:async\s+)?(?:def|class)\s+(\w+)|^(\w+)\s*(?::[^=\n]*)?=(?!=)", re.MULTILINE
)
_RUNS_PYTHON = {"time", "timeit", "capture", "prun"}
_OPTIONS = re.compile(r"^\s*(?:-\w+\s*\d*\s+)*")
_SWALLOWS = {"suppress", "raises"}


class Step(NamedTuple):
    """One statement at the top of a cell: the names it makes, and those it takes from elsewhere.

    What a function's body takes counts as taken where the function is written.
    """

    made: frozenset[str]
    taken: frozenset[str]


@functools.lru_cache(1024)
def calls(source: str) -> tuple[Call, ...]:
    """The calls of `check` and `quiz` that a cell makes whenever it runs to its end, in order.

    A call inside `if`, a loop, `try` or a function is none: it may never run, or its failure be swallowed.
    In text that is not Python, and so cannot run, whatever looks like a call is one.

    >>> calls('check("one", one)  # at last')
    (('check', 'one'),)
    >>> calls('# check("one", one)')
    ()
    """
    statements = _statements(source)
    if statements is None:
        return tuple(dict.fromkeys((role, slug) for role, slug in _CALL.findall(source)))
    return tuple(dict.fromkeys(_sure_calls(statements)))


def mentions(source: str, call: Call) -> bool:
    """Whether a call stands in the cell at all, sure to run or not; comments and texts do not count."""
    statements = _statements(source)
    if statements is None:
        return call in calls(source)
    nodes = (node for statement in statements for node in ast.walk(statement))
    return any(_call(node) == call for node in nodes)


def is_python(source: str) -> bool:
    """Whether a text can be read as Python without magics. One word of prose can."""
    return _parse(source) is not None


@functools.lru_cache(1024)
def steps(source: str) -> tuple[Step, ...]:
    """The statements of a cell, by the names they make and take.

    >>> [sorted(step.taken) for step in steps("def f(x):\\n    return g(x)\\ny = f(1)")]
    [['g'], ['f']]
    """
    statements = _statements(source)
    if statements is None:
        made = {name for pair in _MAKES.findall(source) for name in pair if name}
        return (Step(frozenset(made), frozenset()),)
    return tuple(_step(statement) for statement in statements)


def made(source: str) -> frozenset[str]:
    """All names that a cell makes."""
    return frozenset().union(*(step.made for step in steps(source)))


def taken(source: str) -> frozenset[str]:
    """All names that a cell needs to be there before it runs."""
    names: set[str] = set()
    here: set[str] = set()
    for step in steps(source):
        names |= step.taken - here
        here |= step.made
    return frozenset(names)


def handed_in(source: str, call: Call) -> frozenset[str]:
    """The names in a call's answer: {"one"} for `check("one", one)`."""
    found: set[str] = set()
    for node in (n for s in _statements(source) or [] for n in ast.walk(s)):
        if isinstance(node, ast.Call) and _call(node) == call:
            answers = [*node.args[1:], *(k.value for k in node.keywords if k.arg != "slug")]
            found |= {n.id for a in answers for n in ast.walk(a) if isinstance(n, ast.Name)}
    return frozenset(found)


def pieces(source: str) -> list[str]:
    """A cell's text, cut below each call of `check` or `quiz` that other statements follow.

    Merged cells are run in these pieces, so that one exercise that is not right yet does not take the
    next one with it.
    """
    module = _parse(source)
    if module is None or "\r" in source:
        return [source]
    lines, found, start = source.split("\n"), [], 0
    for statement, following in zip(module.body, module.body[1:], strict=False):
        end = statement.end_lineno or 0
        if any(_sure_calls([statement])) and _first_line(following) > end:
            found.append("\n".join(lines[start:end]))
            start = end
    return [*found, "\n".join(lines[start:])]


def _first_line(statement: ast.stmt) -> int:
    decorators = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(decorator.lineno for decorator in decorators)])


@functools.lru_cache(1024)
def _statements(source: str) -> list[ast.stmt] | None:
    """The statements at the top of a cell, those inside `%time` and its like included; None: not Python."""
    module = _parse(source) or _parse(_translated(source))
    if module is None:
        return None
    return [inner for statement in module.body for inner in _unpacked(statement)]


def _parse(source: str) -> ast.Module | None:
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # about the learner's escapes: that is for the kernel to say
        try:
            return ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def _translated(source: str) -> str:
    from IPython.core.inputtransformer2 import TransformerManager

    try:
        return TransformerManager().transform_cell(source)
    except (
        Exception
    ):  # it has no promise about what it raises, and text that it cannot read is no Python
        return source


def _unpacked(statement: ast.stmt) -> Iterable[ast.stmt]:
    """The Python inside a magic that runs it; of other statements themselves."""
    value = getattr(statement, "value", None)
    if not isinstance(value, ast.Call) or not isinstance(value.func, ast.Attribute):
        return [statement]
    words = [arg.value for arg in value.args if isinstance(arg, ast.Constant)]
    if value.func.attr not in {"run_line_magic", "run_cell_magic"} or len(words) < 2:
        return [statement]
    if words[0] not in _RUNS_PYTHON:
        return [statement]
    text = words[-1] if value.func.attr == "run_cell_magic" else _OPTIONS.sub("", words[-1])
    return _statements(text) or [statement]


def _sure_calls(statements: Iterable[ast.stmt]) -> Iterator[Call]:
    for statement in statements:
        if isinstance(statement, ast.With):
            named = {n for item in statement.items for n in _words(item.context_expr)}
            if not named & _SWALLOWS:
                yield from _sure_calls(statement.body)
        elif not hasattr(statement, "body"):
            yield from filter(None, map(_call, _outside_lambdas(statement)))


def _words(expression: ast.expr) -> Iterator[str]:
    for node in ast.walk(expression):
        if isinstance(node, ast.Name | ast.Attribute):
            yield node.id if isinstance(node, ast.Name) else node.attr


def _outside_lambdas(statement: ast.stmt) -> Iterator[ast.AST]:
    waiting: list[ast.AST] = [statement]
    while waiting:  # not recursive: sums of a thousand terms are a thousand deep
        node = waiting.pop()
        yield node
        children = [c for c in ast.iter_child_nodes(node) if not isinstance(c, ast.Lambda)]
        waiting += reversed(children)


def _call(node: ast.AST) -> Call | None:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name | ast.Attribute):
        return None
    role = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
    named = [keyword.value for keyword in node.keywords if keyword.arg == "slug"]
    for first in [*node.args[:1], *named][:1]:
        if (
            role in {"check", "quiz"}
            and isinstance(first, ast.Constant)
            and isinstance(first.value, str)
        ):
            return role, first.value
    return None


class _AsGenerators(ast.NodeTransformer):
    """Every comprehension as a generator: since Python 3.12 others have no table of their own."""

    def visit_ListComp(self, node: ast.ListComp | ast.SetComp) -> ast.AST:
        return self.generic_visit(ast.GeneratorExp(node.elt, node.generators))

    visit_SetComp = visit_ListComp

    def visit_DictComp(self, node: ast.DictComp) -> ast.AST:
        pair = ast.Tuple([node.key, node.value], ast.Load())
        return self.generic_visit(ast.GeneratorExp(pair, node.generators))


def _step(statement: ast.stmt) -> Step:
    try:
        text = ast.unparse(_AsGenerators().visit(copy.deepcopy(statement)))
        top = symtable.symtable(text, "cell", "exec")
    except (SyntaxError, ValueError, RecursionError):  # `return` at the top, for example
        return Step(frozenset(), frozenset())
    made = {s.get_name() for s in top.get_symbols() if s.is_assigned() or s.is_imported()}
    taken = {s.get_name() for s in top.get_symbols() if s.is_referenced()}
    inner = list(top.get_children())
    while inner:
        table = inner.pop()
        inner += table.get_children()
        here = [s for s in table.get_symbols() if s.is_global()]
        made |= {s.get_name() for s in here if s.is_assigned()}
        taken |= {s.get_name() for s in here if s.is_referenced()}
    if isinstance(statement, ast.AugAssign):
        taken |= made
    elif isinstance(statement, ast.For):  # the name that runs through the loop
        taken -= set(_words(statement.target))
    elif isinstance(statement, ast.FunctionDef | ast.ClassDef):  # one that calls itself
        taken -= made
    return Step(frozenset(made), frozenset(taken))
