"""From a submission to what is run of it: the chapter's own cells, with the learner's answers in their places.

Of a submission count the cells that answer, by their marks or, where those were lost, by the names that they make.
Its checks and outputs count for nothing. Of the chapter run only the cells that answers depend on; a cell that the
learner added runs where an answer needs a name from it that the chapter does not have.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from mi_tutor.grading.notebook import CodeCell, Notebook
from mi_tutor.grading.places import is_stub
from mi_tutor.grading.source import handed_in, made, taken

_BUILT_IN = frozenset(dir(builtins)) | {"get_ipython", "display", "__name__", "__file__"}


class Step(NamedTuple):
    """Something to run. slug: whose answer it is; "" for a cell of the chapter or one the learner added.

    number: of the learner's code cell (0: the chapter's). needs: the earlier steps whose names it takes.
    """

    source: str
    slug: str = ""
    number: int = 0
    needs: tuple[int, ...] = ()

    @property
    def ours(self) -> bool:
        return self.number == 0


class Asked(NamedTuple):
    """An exercise of the chapter: after which step it is judged, on what expression, and what of it was found.

    state: "answered", "stub" (as it came) or "missing". needs: the steps that make what is handed in.
    """

    slug: str
    expression: str
    after: int
    needs: tuple[int, ...]
    state: str
    sources: tuple[str, ...] = ()


class Rebuilt(NamedTuple):
    """steps in the order in which they run; letters: the answers to quick checks, by slug; notes for people."""

    steps: tuple[Step, ...]
    asked: tuple[Asked, ...]
    letters: dict[str, str]
    notes: tuple[str, ...]


def rebuild(chapter: Notebook, submission: Notebook) -> Rebuilt:
    """Put the learner's answers into the chapter.

    Args:
        chapter: the notebook as learners got it. submission: as it came back.
    """
    notes: list[str] = []
    checks = {c.slug: c for c in chapter.cells if c.role == "check" and c.slug}
    finder = _Finder(chapter, submission)
    steps: list[Step] = []
    asked: list[tuple[str, str, int, list[CodeCell]]] = []
    for cell in chapter.cells:
        if cell.role == "exercise" and cell.slug in checks:
            answers, said = finder.answers(cell, checks[cell.slug])
            notes += said
            steps += [Step(answer.source, cell.slug, answer.number) for answer in answers]
            asked.append((cell.slug, _expression(checks[cell.slug]), len(steps), answers))
        elif cell.role is None:
            steps.append(Step(cell.source))
    steps, moved = finder.with_additions(steps)
    makers = _Makers(steps)
    linked = tuple(
        step._replace(needs=makers.of(index, taken(step.source)))
        for index, step in enumerate(steps)
    )
    items = tuple(
        Asked(
            slug,
            expression,
            moved[after],
            _needs(makers, steps, slug, moved[after], expression),
            _state(answers),
            tuple(answer.source for answer in answers),
        )
        for slug, expression, after, answers in asked
    )
    return Rebuilt(linked, items, _letters(submission, notes), tuple(notes))


def wanted(rebuilt: Rebuilt) -> list[int]:
    """The steps that some answer depends on, in order; stubs and what only they need are left out."""
    found: set[int] = set()
    waiting = [need for item in rebuilt.asked if item.state == "answered" for need in item.needs]
    waiting += [
        index
        for index, step in enumerate(rebuilt.steps)
        if step.slug and any(a.slug == step.slug and a.state == "answered" for a in rebuilt.asked)
    ]
    while waiting:
        index = waiting.pop()
        if index not in found:
            found.add(index)
            waiting += rebuilt.steps[index].needs
    return sorted(found)


class _Finder:
    """Finds what answers what in a submission. Each cell's names are worked out once: there may be thousands."""

    def __init__(self, chapter: Notebook, submission: Notebook) -> None:
        self.cells = submission.cells
        self.free = [(c, made(c.source)) for c in submission.cells if c.role is None]
        self.ours = frozenset().union(*(made(c.source) for c in chapter.cells if c.role is None))

    def answers(self, place: CodeCell, check: CodeCell) -> tuple[list[CodeCell], list[str]]:
        """The learner's cells for one exercise, and notes on how they were found."""
        slug = place.slug or ""
        wanted = handed_in(check.source, ("check", slug))
        names = (wanted - self.ours) or made(place.source)
        marked = [
            c
            for c in self.cells
            if c.marked and c.role == "exercise" and c.slug == slug and c.source.strip()
        ]
        kept = _last_of_each(marked, names)
        notes = []
        if len(kept) < len(marked):
            notes.append(f"{slug} has {len(marked)} cells; the last one counts.")
        written = [cell for cell in kept if not is_stub(cell)]
        if written and names <= _all_made(kept):
            return kept, notes
        others = [c for c, its in self.free if names & its and not is_stub(c)][-1:]
        if others:
            where = others[0].number
            notes.append(f"{slug}: taken from code cell {where}, which makes its names.")
            return [*written, *others], notes
        return kept, notes

    def with_additions(self, steps: list[Step]) -> tuple[list[Step], list[int]]:
        """With the learner's own cells before the first answer that needs them; where each step's end went."""
        there = frozenset().union(_BUILT_IN, *(made(step.source) for step in steps))
        used = {step.number for step in steps if step.number}
        own = {c.position: c for c, _ in self.free if c.number not in used}
        makers: dict[str, list[CodeCell]] = {}
        for cell, names in self.free:
            for name in names if cell.position in own else ():
                makers.setdefault(name, []).append(cell)
        placed: list[Step] = []
        moved = [0]
        added: set[int] = set()
        for step in steps:
            for cell in _helpers(step, makers, there) if step.slug else ():
                if cell.position not in added:
                    added.add(cell.position)
                    placed.append(Step(cell.source, "", cell.number))
            placed.append(step)
            moved.append(len(placed))
        return placed, moved


def _last_of_each(cells: list[CodeCell], names: frozenset[str]) -> list[CodeCell]:
    """Without those whose names are all made again by later ones: copies, and tries that were kept."""
    kept: list[CodeCell] = []
    later: frozenset[str] = frozenset()
    for cell in reversed(cells):
        mine = made(cell.source)
        again = mine & names or mine
        if not kept or not again <= later:
            if not (kept and is_stub(cell) and names <= later):
                kept.append(cell)
            later |= mine
    return kept[::-1]


def _all_made(cells: Iterable[CodeCell]) -> frozenset[str]:
    return frozenset().union(*(made(cell.source) for cell in cells))


def _needs(
    makers: _Makers, steps: list[Step], slug: str, after: int, expression: str
) -> tuple[int, ...]:
    """What makes what is handed in, and the answer's own cells: one may stop before it has made anything."""
    own = [index for index, step in enumerate(steps) if step.slug == slug]
    return tuple(sorted({*own, *makers.of(after, taken(expression))}))


def _state(answers: list[CodeCell]) -> str:
    if not answers:
        return "missing"
    return "stub" if any(is_stub(cell) for cell in answers) else "answered"


def _expression(check: CodeCell) -> str:
    """What a check hands in: `trained.sae` of `check("train-on-atlas", trained.sae)`."""
    for node in ast.walk(ast.parse(check.source)):
        if isinstance(node, ast.Call) and len(node.args) == 2:
            return ast.unparse(node.args[1])
    raise ValueError(f"the check of {check.slug} hands nothing in")


def _helpers(
    step: Step, makers: dict[str, list[CodeCell]], there: frozenset[str]
) -> list[CodeCell]:
    """The learner's cells that make what a step takes and the chapter does not make, and what those take."""
    found: dict[int, CodeCell] = {}
    waiting = [*(taken(step.source) - there)]
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in seen or name not in makers:
            continue
        seen.add(name)
        before = [cell for cell in makers[name] if cell.number < step.number] or makers[name]
        found[before[-1].position] = before[-1]
        waiting += taken(before[-1].source) - there
    return [found[position] for position in sorted(found)]


class _Makers:
    """Which steps make a name."""

    def __init__(self, steps: list[Step]) -> None:
        self.by_name: dict[str, list[int]] = {}
        for index, step in enumerate(steps):
            for name in made(step.source):
                self.by_name.setdefault(name, []).append(index)

    def of(self, index: int, names: Iterable[str]) -> tuple[int, ...]:
        """For each name the last step before that makes it, or else the first one after."""
        found: set[int] = set()
        for name in set(names) - _BUILT_IN:
            here = self.by_name.get(name, [])
            before = [i for i in here if i < index]
            found.update(before[-1:] or [i for i in here if i > index][:1])
        return tuple(sorted(found))


def _letters(submission: Notebook, notes: list[str]) -> dict[str, str]:
    """The answers to quick checks, read from the text: nothing is run for them."""
    found: dict[str, str] = {}
    for cell in submission.cells:
        asked = [slug for role, slug in (*cell.calls, (cell.role, cell.slug)) if role == "quiz"]
        if not asked:
            continue
        found |= {slug: found.get(slug, "") for slug in asked if slug}
        for slug, letter in _quiz_calls(cell.source):
            if found.get(slug) not in (None, "", letter) and letter:
                notes.append(f"{slug} is answered twice; the last one counts.")
            if letter or slug not in found:
                found[slug] = letter
    return found


def _quiz_calls(source: str) -> Iterator[tuple[str, str]]:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "quiz":
            values = [*node.args, *(k.value for k in node.keywords if k.arg == "answer")]
            words = [v.value for v in values if isinstance(v, ast.Constant)]
            if any(k.arg == "again" for k in node.keywords) or len(words) != 2:
                continue
            slug, letter = words
            if isinstance(slug, str) and isinstance(letter, str):
                letter = letter.strip().strip("()").lower()
                yield slug, "" if letter == "?" else letter
