"""What a chapter has to have, and what it must not have. Findings, not errors: all are told at once."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from nbformat import NotebookNode

from mi_tutor.authoring.additions import optional_minutes
from mi_tutor.authoring.ids import headings
from mi_tutor.authoring.markers import STUB, UNANSWERED
from mi_tutor.authoring.registry import Registry
from mi_tutor.authoring.source import Cell, Chapter
from mi_tutor.authoring.table import promise
from mi_tutor.subjects import SUBJECTS

OBJECTIVES = "what you will be able to do"
SECTIONS = (OBJECTIVES, "common misreadings", "on the real thing", "further reading", "recap")
SEE = "what you should see"
FEWEST_QUIZZES = 2
MOST_OTHER_ROOMS = 3
MOST_MINUTES = 240  # of what is not optional
LONGEST_LINE = 120
_ABSOLUTE = re.compile(
    r"(?<![\w.:/~])/(?:home|Users|root|tmp|work|opt|mnt|var|content|usr)/\w|\b[A-Z]:\\\w"
)
_SHOWS = re.compile(rf"{SEE}|what we found")  # the second: of an investigation
_UNPROVED = "prose says what an output shows, and no claim cell bears it out"
_COURSE = Path(__file__).parents[1]  # mi_tutor
_RUN_TOGETHER = re.compile(r"[.:;*] -(?: [A-Z*`“\"]|$)")
_IMAGE_WITHOUT_ALT = re.compile(r"!\[\s*\]\(|<img(?![^>]*\balt=\s*[\"'][^\"']+)[^>]*>")


class Finding(NamedTuple):
    """Something to mend, at a line of a file."""

    path: Path
    line: int
    problem: str

    def __str__(self) -> str:
        return f"{self.path.name}:{self.line}: {self.problem}"


def lint(chapter: Chapter, registry: Registry) -> list[Finding]:
    """All findings about a source, in the order of its lines."""
    rules = (_registered, _checked_at_once, _sections, _times, _imports, _claims, _borne_out, _text)
    found = [Finding(chapter.path, *one) for rule in rules for one in rule(chapter, registry)]
    return sorted(found, key=lambda finding: finding.line)


def lint_stubs(notebook: NotebookNode, path: Path) -> list[Finding]:
    """Findings about a chapter notebook: outputs, or a graded cell that asks nothing."""
    found = []
    for number, cell in enumerate(notebook.cells, 1):
        if cell.cell_type != "code":
            continue
        if cell.get("outputs") or cell.get("execution_count") is not None:
            found.append(Finding(path, number, f"cell {cell.get('id')!r} has outputs"))
        role = cell.metadata.get("mi_tutor", {}).get("role")
        asks = {"exercise": (STUB, "= ..."), "quiz": (UNANSWERED,)}.get(role, ("",))
        if not any(sign in cell.source for sign in asks):
            found.append(Finding(path, number, f"cell {cell.get('id')!r} asks nothing"))
    return found


_Found = Iterator[tuple[int, str]]


def _registered(chapter: Chapter, registry: Registry) -> _Found:
    """The chapter's exercises and quick checks are the registry's, in its order."""
    for role, listed in (
        ("exercise", [item.slug for item in registry.exercises(chapter.number)]),
        ("quiz", [item.slug for item in registry.quizzes(chapter.number)]),
    ):
        here = {cell.slug: cell.line for cell in chapter.cells if cell.role == role}
        for slug in listed:
            if slug not in here:
                yield 1, f"{role} {slug!r} of the registry is missing"
        for slug, line in here.items():
            if slug not in listed:
                yield line, f"{role} {slug!r} is not in the registry of chapter {chapter.number}"
        expected = [slug for slug in listed if slug in here]
        met = [slug for slug in here if slug in listed]
        for one, other in zip(met, expected, strict=True):
            if one != other:
                yield here[one], f"{role} {one!r} comes where the registry has {other!r}"
                break
    count = sum(cell.role == "quiz" for cell in chapter.cells)
    if count < FEWEST_QUIZZES:
        yield 1, f"a chapter has at least {FEWEST_QUIZZES} quick checks, this one has {count}"


def _checked_at_once(chapter: Chapter, registry: Registry) -> _Found:
    """The next code cell after an exercise is its check."""
    code = [cell for cell in chapter.cells if cell.kind == "code"]
    for cell, following in zip(code, [*code[1:], None], strict=True):
        right = following is not None and (following.role, following.slug) == ("check", cell.slug)
        if cell.role == "exercise" and not right:
            yield cell.line, f"the next code cell after exercise {cell.slug!r} has to be its check"


def _sections(chapter: Chapter, registry: Registry) -> _Found:
    first_exercise = next((c.line for c in chapter.cells if c.role == "exercise"), 0)
    lines = {words.lower(): c.line for c in reversed(chapter.cells) for words in headings(c)}
    for section in SECTIONS:
        line = next((at for words, at in lines.items() if section in words), None)
        if line is None:
            yield 1, f"there is no heading with the words {section!r}"
        elif section == OBJECTIVES and first_exercise and line > first_exercise:
            yield line, "the objectives come before the first exercise"
    prose = (cell.source for cell in chapter.cells if cell.kind == "markdown")
    if not any(SEE in " ".join(text.lower().split()) for text in prose):
        yield 1, f"no prose says {SEE!r}"


def _times(chapter: Chapter, registry: Registry) -> _Found:
    asked = sum(exercise.minutes for exercise in registry.exercises(chapter.number))
    if chapter.minutes < asked:
        line = chapter.cells[0].line
        yield line, f"minutes={chapter.minutes}, but the exercises alone take {asked}"
    optional = optional_minutes(registry.exercises(chapter.number))
    if chapter.minutes - optional > MOST_MINUTES:
        line = chapter.cells[0].line
        yield (
            line,
            (
                f"{chapter.minutes - optional} minutes without what is optional, of {MOST_MINUTES} "
                "at most: make exercises optional on which nothing rests"
            ),
        )
    if not chapter.title.startswith(f"{chapter.number} "):
        yield chapter.cells[0].line, f'the title starts with the number: "# {chapter.number} · …"'
    if not promise(chapter):
        yield chapter.cells[0].line, "below the title is a sentence on what the chapter is for"


def _imports(chapter: Chapter, registry: Registry) -> _Found:
    """A learner meets few rooms: the course's face, the chapter's own subject, and at most three others."""
    subject, others = SUBJECTS.get(chapter.number), set()
    for line, module in _modules_of_the_course(chapter):
        path = module.split(".")[1:]
        if len(path) > 2:
            yield line, f"{module} lies too deep: import from mi_tutor.{path[0]}.{path[1]}"
        elif path[:1] == ["teach"] or any("recipe" in part for part in path):
            yield line, f"{module} is no room for learners"
        elif path and path[-1] not in (subject, "show"):
            others.add(module)
            if len(others) > MOST_OTHER_ROOMS:
                yield (
                    line,
                    (
                        f"{module} is one room too many beside mi_tutor and the chapter's own subject: "
                        f"at most {MOST_OTHER_ROOMS}, here {', '.join(sorted(others))}"
                    ),
                )


def _modules_of_the_course(chapter: Chapter) -> Iterator[tuple[int, str]]:
    """The modules of the course that a chapter imports, in any of its cells, with their lines."""
    for cell in chapter.cells:
        if cell.kind != "code":
            continue
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = [_module_or_name(node.module, alias.name) for alias in node.names]
            else:
                continue
            for name in names:
                if name.split(".")[0] == "mi_tutor":
                    yield cell.line + node.lineno - 1, name


def _module_or_name(module: str, name: str) -> str:
    """`from mi_tutor.lab import swaps` imports the module mi_tutor.lab.swaps; most names are no modules."""
    place = _COURSE.parent.joinpath(*module.split("."), name)
    is_module = place.is_dir() or place.with_suffix(".py").is_file()
    return f"{module}.{name}" if is_module else module


def _claims(chapter: Chapter, registry: Registry) -> _Found:
    """A claim asserts sentences of the prose, in their words; so neither changes without the other."""
    said = _plain(" ".join(cell.source for cell in chapter.cells if cell.kind == "markdown"))
    for cell in chapter.cells:
        if cell.role != "claim":
            continue
        asserts = [
            node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Assert)
        ]
        if not asserts:
            yield cell.line, "a claim cell asserts something"
        for node in asserts:
            words = node.msg.value if isinstance(node.msg, ast.Constant) else None
            line = cell.line + node.lineno - 1
            if not isinstance(words, str):
                yield line, "a claim's message is a sentence of the prose, in quotes"
            elif _plain(words) not in said:
                yield line, f"the prose does not say {words!r}"


def _borne_out(chapter: Chapter, registry: Registry) -> _Found:
    """Prose that says what an output shows has a claim of its own, between the code before it and the next."""
    shows: list[int] = []  # their lines, since the last code
    n_claims = 0
    for cell in chapter.cells:
        if cell.role == "claim":
            n_claims += 1
        elif cell.kind == "code":
            yield from ((line, _UNPROVED) for line in shows[n_claims:])
            shows, n_claims = [], 0
        elif cell.role == "prose" and _SHOWS.search(_plain(cell.source)):
            shows.append(cell.line)
    yield from ((line, _UNPROVED) for line in shows[n_claims:])


def _plain(text: str) -> str:
    """Words and numbers alone: no emphasis, no code marks, one space."""
    return " ".join(re.sub(r"[*_`$\\\"]", "", text).lower().split())


def _text(chapter: Chapter, registry: Registry) -> _Found:
    for cell in chapter.cells:
        for line, text in enumerate(cell.source.split("\n"), cell.line):
            yield from ((line, problem) for problem in _about_line(cell, text))


def _about_line(cell: Cell, text: str) -> Sequence[str]:
    problems = []
    if _ABSOLUTE.search(text):
        problems.append("an absolute path, which only exists on one machine")
    if cell.kind == "markdown":
        if _IMAGE_WITHOUT_ALT.search(text):
            problems.append("an image without alternative text")
        if _RUN_TOGETHER.search(text):
            problems.append(
                "a list item in the middle of a line: lists run together when rewrapped"
            )
        excused = text.lstrip().startswith("|") or "](" in text or "://" in text
        if len(text) > LONGEST_LINE and not excused:
            problems.append(f"a line of {len(text)} characters, at most {LONGEST_LINE} please")
    return problems
