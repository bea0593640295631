"""A class of generated submissions, and what each of them deserves: right answers, every known mistake of some
exercises, the attacks of the tests, files that cannot be read.

    python benchmarks/grading_class.py FOLDER [N]     # N learners without attacks, for trying things out
"""

from __future__ import annotations

import ast
import copy
import functools
import inspect
import itertools
import json
import random
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from mi_tutor.classroom.rebuild import rebuild
from mi_tutor.grading.notebook import read_notebook
from mi_tutor.teach.exercise import Exercise
from mi_tutor.teach.quiz_text import lettered
from mi_tutor.teach.registry import get, quizzes

ROOT = Path(__file__).resolve().parents[1]
Notebook = dict[str, Any]


class Deserved(NamedTuple):
    """Points for one exercise; said: the sentence of the mistake that was handed in, or ""."""

    earned: float
    said: str = ""


class Course(NamedTuple):
    """A chapter as learners get it, and right answers to those of its exercises that are handed in."""

    blank: Notebook
    right: dict[str, str]


CHAPTER = "01"
# None of them calls another one: a mistake in one would cost the other.
SLUGS = (
    "toy-forward", "weighted-loss", "interference", "compute-in-superposition", "phase-losses",
    "almost-orthogonal",
)  # fmt: skip

# What each learner deserves, by slug; None: there is nothing to read.
Expected = dict[str, dict[str, Deserved] | None]


def course(chapter: str, slugs: tuple[str, ...] = ()) -> Course:
    """Of a chapter of the repository, with these exercises, or all functions whose answers call no other's."""
    files = [next((ROOT / f).glob(f"{chapter}_*.ipynb")) for f in ("chapters", "solutions")]
    blank, solved = (json.loads(file.read_text("utf-8")) for file in files)
    slugs = slugs or tuple(_by_themselves(*files))
    return Course(blank, {slug: _source(_cell(solved, slug)) for slug in slugs})


def _by_themselves(chapter: Path, solution: Path) -> Iterator[str]:
    """The functions that a chapter asks for and that need no other answer, directly or not."""
    rebuilt = rebuild(read_notebook(chapter), read_notebook(solution))
    for asked in rebuilt.asked:
        needed, waiting = set(asked.needs), [*asked.needs]
        while waiting:
            more = set(rebuilt.steps[waiting.pop()].needs) - needed
            needed |= more
            waiting += more
        alone = {rebuilt.steps[index].slug for index in needed} <= {"", asked.slug}
        if alone and isinstance(get(asked.slug), Exercise):
            yield asked.slug


def generate(folder: Path, n: int, course: Course, attacks: dict[str, str], of: str) -> Expected:
    """Write n submissions.

    attacks: cells for the exercise `of`. At most a third of a class attacks, and a tenth cannot be read. Of the
    others each answers most exercises, rightly or with the next known mistake.
    """
    folder.mkdir()
    chance = random.Random(0)
    attacking = list(attacks.values())[: n // 3]
    broken = list(itertools.islice(itertools.cycle(BROKEN), n // 10))
    kinds = [*attacking, *broken, *[None] * (n - len(attacking) - len(broken))]
    chance.shuffle(kinds)
    mistakes = {slug: itertools.cycle(mistaken(slug)) for slug in course.right}
    expected: Expected = {}
    for number, kind in enumerate(kinds):
        file = folder / f"learner-{number:03}.ipynb"
        if callable(kind):
            kind(file, course)
            expected[file.stem] = None
            continue
        # What attacks has its own process in ruins: it answers nothing else.
        answers = {} if kind else dict(_answers(course, chance, mistakes))
        sources = {slug: source for slug, (source, _) in answers.items()}
        deserved = {slug: each for slug, (_, each) in answers.items()}
        if kind:
            aimed = kind.replace("{outside}", str(folder)).replace("{grader}", "1")
            sources[of], deserved[of] = aimed, Deserved(0)
        made = _filled(course.blank, sources)
        deserved |= _letters(made, chance)
        file.write_text(json.dumps(made), encoding="utf-8")
        expected[file.stem] = deserved
    return expected


def _answers(
    course: Course, chance: random.Random, mistakes: dict[str, Iterator]
) -> Iterator[tuple[str, tuple[str, Deserved]]]:
    """For most exercises an answer that is right, or the next mistake."""
    for slug, right in course.right.items():
        kind = chance.choice(("right", "right", "mistake", "stub"))
        if kind == "stub":
            continue
        if kind == "right":
            yield slug, (right, Deserved(get(slug).points))
        else:
            sentence, source = next(mistakes[slug])
            yield slug, (f"{_asked_for(course.blank, slug)} = {source}", Deserved(0, sentence))


def mistaken(slug: str) -> list[tuple[str, str]]:
    """The known mistakes of an exercise: the sentence that each gets, and an expression that makes it."""
    item = get(slug)
    module, calls = _calls(slug)
    found = []
    for mistake in item.mistakes:
        text = calls[mistake.name]
        make = f"eval({text!r}, vars(__import__('importlib').import_module({module!r})))"
        found.append((mistake.sentence, make))
    return found


@functools.cache
def _calls(slug: str) -> tuple[str, dict[str, str]]:
    """The module that has an exercise, and what is written there for each of its mistakes."""
    item = get(slug)
    assert isinstance(item, Exercise)
    for name, module in list(sys.modules.items()):
        if name.startswith("mi_tutor.teach.exercises") and item in vars(module).values():
            wrong = dict(_mistakes(_written(ast.parse(inspect.getsource(module)), slug)))
            if {mistake.name for mistake in item.mistakes} <= set(wrong):
                return name, wrong
    raise LookupError(f"no module writes the mistakes of {slug} out")


def _written(tree: ast.AST, slug: str) -> ast.AST:
    """Where an exercise is written: another one's mistakes may have the same names."""
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    for call in calls:
        named = [k.value for k in call.keywords if k.arg == "slug"]
        if named and getattr(named[0], "value", "") == slug:
            return call
    return tree


def _mistakes(tree: ast.AST) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Mistake":
            given = {each.arg: each.value for each in node.keywords}
            yield ast.literal_eval(given["name"]), ast.unparse(given["wrong"])


def _letters(made: Notebook, chance: random.Random) -> dict[str, Deserved]:
    """Answer the quick checks of a notebook by chance."""
    there = {slug: cell for cell in made["cells"] if (slug := _marks(cell).get("quiz"))}
    deserved = {}
    for item in quizzes():
        if item.slug in there:
            letter, option = chance.choice(list(lettered(item).items()))
            there[item.slug]["source"] = f'quiz("{item.slug}", "{letter}")'
            right = Deserved(item.points)
            deserved[item.slug] = right if option.right else Deserved(0, option.feedback)
    return deserved


def _filled(blank: Notebook, sources: dict[str, str]) -> Notebook:
    made = copy.deepcopy(blank)
    for slug, source in sources.items():
        _cell(made, slug)["source"] = source
    return made


def _marks(cell: dict[str, Any]) -> dict[str, Any]:
    return cell["metadata"].get("mi_tutor", {})


def _cell(notebook: Notebook, slug: str) -> dict[str, Any]:
    marks = {"exercise": slug, "role": "exercise"}
    (cell,) = (cell for cell in notebook["cells"] if _marks(cell) == marks)
    return cell


def _source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def _asked_for(notebook: Notebook, slug: str) -> str:
    """The name that an exercise's check is given."""
    marks = {"exercise": slug, "role": "check"}
    (cell,) = (cell for cell in notebook["cells"] if _marks(cell) == marks)
    (call,) = (
        node for node in ast.walk(ast.parse(_source(cell)))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "check"
    )  # fmt: skip
    return ast.unparse(call.args[1])


# --- files that cannot be read --------------------------------------------------------------------


def _cut_off(file: Path, course: Course) -> None:
    text = json.dumps(course.blank)
    file.write_text(text[: len(text) // 2], encoding="utf-8")


def _empty(file: Path, course: Course) -> None:
    file.touch()


def _a_link(file: Path, course: Course) -> None:
    file.symlink_to("/etc/passwd")


def _a_gigabyte(file: Path, course: Course) -> None:
    with file.open("wb") as opened:
        opened.truncate(2**30)


def _bytes(file: Path, course: Course) -> None:
    file.write_bytes(bytes(range(256)) * 40)


def _a_hundred_thousand_cells(file: Path, course: Course) -> None:
    cell = {"cell_type": "code", "metadata": {}, "outputs": [], "source": ""}
    file.write_text(json.dumps({**course.blank, "cells": [cell] * 100_000}), encoding="utf-8")


def _nested(file: Path, course: Course) -> None:
    file.write_text('{"nbformat": 4, "cells": ' + "[" * 10**6, encoding="utf-8")


def _another_language(file: Path, course: Course) -> None:
    metadata = {"kernelspec": {"language": "R"}}
    file.write_text(json.dumps({**course.blank, "metadata": metadata}), encoding="utf-8")


def _old_format(file: Path, course: Course) -> None:
    file.write_text(json.dumps({**course.blank, "nbformat": 3}), encoding="utf-8")


def _out_of_its_zip(file: Path, course: Course) -> None:
    with zipfile.ZipFile(file.with_suffix(".zip"), "w") as archive:
        archive.writestr(f"../../{file.name}", json.dumps(course.blank))


BROKEN = (
    _cut_off, _empty, _a_link, _a_gigabyte, _bytes, _a_hundred_thousand_cells, _nested, _another_language,
    _old_format, _out_of_its_zip,
)  # fmt: skip


def main(folder: str, n: str = "30") -> None:
    """Write a class, and print what its learners deserve."""
    for learner, deserved in generate(Path(folder), int(n), course(CHAPTER, SLUGS), {}, "").items():
        points = sum(each.earned for each in deserved.values()) if deserved is not None else None
        print(learner, "cannot be read" if points is None else f"{points} points")


if __name__ == "__main__":
    main(*sys.argv[1:])
