"""A small chapter, its newer versions, and what learners and editors do to a notebook: all of it random."""

from __future__ import annotations

import copy
import random
from typing import Any

from nbformat.v4 import new_code_cell, new_markdown_cell

Notebook = dict[str, Any]


def prose(key: str, text: str) -> dict[str, Any]:
    return dict(new_markdown_cell(text, id=key))


def code(key: str, text: str, role: str = "", slug: str = "") -> dict[str, Any]:
    cell = dict(new_code_cell(text, id=key))
    if role:
        named = "quiz" if role == "quiz" else "exercise"
        cell["metadata"] = {
            "mi_tutor": {named: slug, "role": role},
            "deletable": False,
            "nbgrader": {"grade_id": key},
        }
    return cell


def exercise(slug: str, stub: str, name: str) -> list[dict[str, Any]]:
    return [
        prose(f"task-{slug}", f"### Exercise: {slug}\n\nDo it."),
        code(f"ex-{slug}", stub, "exercise", slug),
        code(f"check-{slug}", f'check("{slug}", {name})', "check", slug),
    ]


def quick_check(slug: str) -> list[dict[str, Any]]:
    return [code(f"quiz-{slug}", f'quiz("{slug}", "?")', "quiz", slug)]


def function(name: str, doc: str = "Do it.") -> str:
    return f'def {name}(x):\n    """{doc}"""\n    raise NotImplementedError("your code here")'


def chapter(version: int = 0) -> Notebook:
    """A chapter with functions, a value and a bare stub, like the course's."""
    cells = [
        prose("doubling", "# 07 · Doubling\n\nDouble it."),
        code("setup", "import torch\nfrom mi_tutor import check, quiz"),
        *exercise("double", function("double"), "double"),
        prose("double-text-1", "Now look at it."),
        code("double-code-1", "print(double(2))"),
        *exercise("ratio", "ratio = ...", "ratio"),
        *quick_check("twice"),
        *exercise("halve", function("halve") + "\n\n\n" + function("quarter"), "halve"),
        code("halve-code-1", "print(halve(2))"),
        *exercise("guess", 'raise NotImplementedError("your code here")', "guess"),
        *quick_check("thrice"),
        prose("recap", "## Recap\n\nThat was it."),
    ]
    return notebook(cells, f"version {version}")


def notebook(cells: list[dict[str, Any]], digest: str) -> Notebook:
    metadata = {
        "kernelspec": {"name": "python3", "display_name": "Python 3"},
        "mi_tutor": {"digest": digest, "chapter": "07"},
    }
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def newer(old: Notebook, random: random.Random, number: int) -> Notebook:
    """What an author does between two versions: ids of cells without a slug are counted anew."""
    cells = copy.deepcopy(old["cells"])
    for change in range(random.randrange(6)):
        at = random.randrange(1, len(cells))
        cell = cells[at]
        role = cell["metadata"].get("mi_tutor", {}).get("role")
        what = random.choice(["say", "say", "insert", "insert", "remove", "add", "move"])
        if what == "say" and role != "check" and role != "quiz":
            cell["source"] += f"\n# as of {number}.{change}"
        elif what == "insert":
            text = f"What {number} adds as {change}."
            cells.insert(at, random.choice([prose, code])("new", text))
        elif what == "add":
            slug = f"added-{number}-{change}"
            cells[at:at] = exercise(slug, function(slug.replace("-", "_")), slug.replace("-", "_"))
        elif what == "remove":
            slug = cell["metadata"].get("mi_tutor", {}).get("exercise")
            cells = [
                one
                for one in cells
                if one is not cell
                and not (slug and one["id"] in (f"ex-{slug}", f"check-{slug}", f"task-{slug}"))
            ]
        elif what == "move" and not role:
            cells.insert(random.randrange(1, len(cells)), cells.pop(at))
    _count(cells)
    return notebook(cells, f"version {number}")


def _count(cells: list[dict[str, Any]]) -> None:
    number = 0
    for cell in cells:
        fixed = cell["id"].startswith(("task-", "ex-", "check-", "quiz-"))
        if not fixed and cell["id"] not in ("setup", "doubling", "recap"):
            number += 1
            cell["id"] = f"loose-{number}"


class Learner:
    """Edits a notebook at random, as people and their editors do."""

    def __init__(self, notebook: Notebook, random: random.Random) -> None:
        self.notebook = copy.deepcopy(notebook)
        self.random = random
        self.typed = 0
        self.edits = 0

    @property
    def cells(self) -> list[dict[str, Any]]:
        return self.notebook["cells"]

    def edit(self) -> None:
        """One edit of a random kind at a random cell."""
        self.edits += 1
        at = self.random.randrange(len(self.cells)) if self.cells else None
        if at is None:
            return self.insert(0)
        weights = {"answer": 6, "insert": 3, "change": 2, "move": 2, "copy": 2, "split": 2}
        weights |= {"delete": 2, "join": 1, "run": 2, "forget": 1, "forget_all": 0.3}
        weights |= {"windows": 0.5, "lines": 0.5, "kind": 0.3}
        kind = self.random.choices(list(weights), list(weights.values()))[0]
        return getattr(self, kind)(at)

    def new_text(self) -> str:
        self.typed += 1
        return f"mine_{self.typed} = {self.typed}"

    def text(self, at: int) -> str:
        source = self.cells[at]["source"]
        return "".join(source) if isinstance(source, list) else source

    def answer(self, at: int) -> None:
        """Replace a stub, or a quick check's question mark."""
        text = self.text(at)
        if "raise NotImplementedError" in text:
            new = text.replace('raise NotImplementedError("your code here")', self.new_text())
        elif '"?"' in text:
            new = text.replace('"?"', f'"{self.random.choice("abcd")}"')
        else:
            new = text.replace("= ...", f"= {self.random.random()}")
        self.cells[at]["source"] = new

    def insert(self, at: int) -> None:
        make = self.random.choice([prose, code])
        self.cells.insert(at, make(f"r{self.random.getrandbits(32):x}", self.new_text()))

    def change(self, at: int) -> None:
        self.cells[at]["source"] = self.text(at) + "\n" + self.new_text()

    def move(self, at: int) -> None:
        self.cells.insert(self.random.randrange(len(self.cells)), self.cells.pop(at))

    def copy(self, at: int) -> None:
        cell = copy.deepcopy(self.cells[at])
        cell["id"] = f"r{self.random.getrandbits(32):x}"
        self.cells.insert(self.random.randrange(len(self.cells) + 1), cell)

    def split(self, at: int) -> None:
        """As JupyterLab: both halves have the metadata, one keeps the id."""
        lines = self.text(at).split("\n")
        cut = self.random.randrange(len(lines) + 1)
        second = copy.deepcopy(self.cells[at])
        self.cells[at]["source"] = "\n".join(lines[:cut])
        second |= {"source": "\n".join(lines[cut:]), "id": f"r{self.random.getrandbits(32):x}"}
        self.cells.insert(at + 1, second)

    def join(self, at: int) -> None:
        if at + 1 < len(self.cells):
            text = self.text(at) + "\n\n" + self.text(at + 1)
            del self.cells[at + 1]
            self.cells[at]["source"] = text

    def delete(self, at: int) -> None:
        del self.cells[at]

    def run(self, at: int) -> None:
        if self.cells[at]["cell_type"] == "code":
            output = {"output_type": "stream", "name": "stdout", "text": f"ran {self.edits}"}
            self.cells[at] |= {"outputs": [output], "execution_count": self.edits}

    def forget(self, at: int) -> None:
        """An editor drops one cell's id and metadata."""
        self.cells[at].pop("id", None)
        self.cells[at]["metadata"] = {}

    def forget_all(self, at: int) -> None:
        """As some editors save: no ids, or (Colab) ids in the metadata; none of our marks."""
        for cell in self.cells:
            known = cell.pop("id", None)
            cell["metadata"] = {"id": known} if known and self.random.random() < 0.3 else {}

    def windows(self, at: int) -> None:
        self.cells[at]["source"] = self.text(at).replace("\n", "\r\n")

    def lines(self, at: int) -> None:
        self.cells[at]["source"] = self.text(at).splitlines(keepends=True)

    def kind(self, at: int) -> None:
        """A code cell is made a raw one, say, and back."""
        cell = self.cells[at]
        cell["cell_type"] = self.random.choice(["code", "markdown", "raw"])
