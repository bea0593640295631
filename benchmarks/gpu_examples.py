"""The examples in docstrings of `mi_tutor.lab`, as they stand and again with everything in them on a device.

An example makes its own inputs: `torch.tensor([[3.0]])`, `seeded(0)`, `open_specimen("primer")`. Each such call,
and no other, gets the device as an argument; what the function under test makes inside is its own affair. Then
every value that an example shows is compared.
"""

import ast
import doctest
import importlib
import pkgutil
from collections.abc import Iterator
from types import CodeType, ModuleType
from typing import Any, NamedTuple

import torch

import mi_tutor.lab

# Calls that say where something is made or done, by what they are called in an example.
MAKES = {
    "torch.Generator",
    "torch.arange",
    "torch.empty",
    "torch.eye",
    "torch.full",
    "torch.linspace",
    "torch.ones",
    "torch.rand",
    "torch.randint",
    "torch.randn",
    "torch.randperm",
    "torch.tensor",
    "torch.zeros",
    "open_specimen",
    "seeded",
    "train_absolute",
    "train_sae",
    "train_sweep",
}


class Example(NamedTuple):
    """The example of one function or class: statements in order, and the names that they start from."""

    name: str
    statements: tuple[str, ...]
    start: dict[str, Any]

    @property
    def function(self) -> str:
        """What it is about, as its room offers it: "patching.denoise" for patching.sweeps.denoise."""
        room, *_, name = self.name.split(".")
        return f"{room}.{name}"

    @property
    def draws(self) -> bool:
        """Whether it draws random numbers."""
        return any("seeded(" in each or "Generator(" in each for each in self.statements)

    def values(self, device: torch.device) -> list[Any]:
        """What each of its expressions is, with everything on a device."""
        names, found = dict(self.start) | {"_device": device}, []
        for statement in self.statements:
            for code, is_value in compiled(statement):
                value = eval(code, names)
                if is_value:
                    found.append(value)
        return found


class OnDevice(ast.NodeTransformer):
    """Gives the device to every call that makes something."""

    def visit_Call(self, node: ast.Call) -> ast.Call:
        self.generic_visit(node)
        if ast.unparse(node.func) in MAKES:
            others = [keyword for keyword in node.keywords if keyword.arg != "device"]
            here = ast.keyword("device", ast.Name("_device", ast.Load()))
            node.keywords = [*others, here]
        return node


def compiled(statement: str) -> Iterator[tuple[CodeType, bool]]:
    """The parts of a statement, and whether each has a value to show."""
    for part in OnDevice().visit(ast.parse(statement)).body:
        is_value = isinstance(part, ast.Expr)
        tree = ast.Expression(part.value) if is_value else ast.Module([part], [])
        mode = "eval" if is_value else "exec"
        yield compile(ast.fix_missing_locations(tree), "<example>", mode), is_value


def examples() -> Iterator[Example]:
    """All examples of `mi_tutor.lab`, module by module."""
    finder = doctest.DocTestFinder(exclude_empty=True)
    for module in modules():
        for test in finder.find(module, module.__name__):
            if test.examples:
                statements = tuple(each.source for each in test.examples)
                yield Example(test.name.removeprefix("mi_tutor.lab."), statements, vars(module))


def modules() -> list[ModuleType]:
    """Every module of `mi_tutor.lab`."""
    found = pkgutil.walk_packages(mi_tutor.lab.__path__, "mi_tutor.lab.")
    return [importlib.import_module(each.name) for each in found]
