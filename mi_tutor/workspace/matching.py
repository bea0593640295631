"""Which of a learner's cells is which of the course's.

`base` is the chapter as it was when it was laid into the workspace, `fresh` as it is now. A cell is claimed in
this order, and what a stronger sign has claimed a weaker one leaves alone:

1. our mark in its metadata, or its id;
2. its text is that of a cell nobody has claimed;
3. it calls `check("slug", …)` or `quiz("slug", …)`;
4. it defines the name that an exercise asks for: each such cell, since an answer can have been copied.

Of several answers to one thing one counts; the others are asked again by 3 and 4, as the next update would.
What is claimed by nothing is the learner's own.
"""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from mi_tutor.workspace.cells import (
    ANSWERED,
    Cell,
    Shipped,
    calls,
    id_of,
    key_of,
    made,
    mark_of,
    said,
    source_of,
)


class Matched(NamedTuple):
    """What each of the learner's cells is, by its number.

    keys: the cell of `fresh`. origins: the cell of `base`. Both None: it is the learner's own; an origin without a
    key: the course has given that cell up.
    covered: exercises without a cell of their own whose name another answer defines (two cells made one).
    was: by a key of `fresh`, the key of the same cell in `base`.
    """

    keys: list[str | None]
    origins: list[str | None]
    covered: frozenset[str]
    was: dict[str, str]


def renamed(base: list[Shipped], fresh: list[Shipped]) -> dict[str, str]:
    """The key in `fresh` of each cell of `base` that is still there: by slug, by text, else by id.

    Ids of cells without a slug count within their section, so that a new cell can take an old one's id.
    """
    keys = {one.key for one in fresh}
    free: dict[tuple[str, str], list[str]] = defaultdict(list)
    for one in fresh:
        if not one.role:
            free[one.kind, one.text].append(one.key)
    found = {one.key: one.key for one in base if one.role and one.key in keys}
    for one in base:
        same = free[one.kind, one.text]
        if not one.role and same:
            found[one.key] = same.pop(same.index(one.key) if one.key in same else 0)
    taken = set(found.values())
    for one in base:
        if one.key not in found and one.key in keys - taken:
            found[one.key] = one.key
    return found


def match(mine: list[Cell], base: list[Shipped], fresh: list[Shipped]) -> Matched:
    """Find out what each of the learner's cells is."""
    new_keys = renamed(base, fresh)
    origins = _by_mark(mine, base)
    _by_text(origins, mine, base)
    keys = [new_keys.get(origin) if origin else None for origin in origins]
    for number, key in enumerate(_by_mark(mine, fresh)):
        if origins[number] is None and key not in new_keys.values():
            keys[number] = key
    own = list(keys)
    _by_text(own, mine, [one for one in fresh if one.key not in keys])
    _by_call(own, mine, [*base, *fresh])
    covered = _by_name(own, mine, [*fresh, *base])
    while spare := _spare(own, mine, [*fresh, *base]):
        for number in spare:
            own[number] = keys[number] = origins[number] = None
        _by_call(own, mine, [*base, *fresh])
        covered = _by_name(own, mine, [*fresh, *base])
    in_base, in_fresh = {one.key for one in base}, {one.key for one in fresh}
    for number, key in enumerate(own):
        if key and keys[number] is None:
            keys[number] = key if key in in_fresh else None
            origins[number] = key if key in in_base else None
    return Matched(keys, origins, covered, {new: old for old, new in new_keys.items()})


def _by_mark(mine: list[Cell], course: list[Shipped]) -> list[str | None]:
    kinds = {one.key: one.kind for one in course}
    keys: list[str | None] = []
    for cell in mine:
        role, slug = mark_of(cell)
        key = key_of(role, slug) if role else id_of(cell)
        keys.append(key if kinds.get(key) == cell.get("cell_type") else None)
    _let_go(keys, mine, course)
    return keys


def _let_go(keys: list[str | None], mine: list[Cell], course: list[Shipped]) -> None:
    """Of several cells with the same mark (a cell was split or copied) let those go that weaker signs know better:
    what says word for word what another cell of the course says, and all but one where nothing can be answered."""
    known = {(one.kind, one.text) for one in course if one.text}
    claims: dict[str, list[int]] = defaultdict(list)
    for number, key in enumerate(keys):
        if key:
            claims[key].append(number)
    for one in course:
        numbers = claims[one.key]
        if len(numbers) < 2:
            continue
        texts = {number: said(source_of(mine[number])) for number in numbers}
        best = next((number for number in numbers if texts[number] == one.text), numbers[0])
        for number in numbers:
            is_another = texts[number] != one.text and (one.kind, texts[number]) in known
            if is_another or (one.role not in ANSWERED and number != best):
                keys[number] = None


def _by_text(keys: list[str | None], mine: list[Cell], course: list[Shipped]) -> None:
    free: dict[tuple[str, str], list[str]] = defaultdict(list)
    claimed = set(keys)
    for one in course:
        if one.key not in claimed and one.text:
            free[one.kind, one.text].append(one.key)
    for number, cell in enumerate(mine):
        if keys[number] is None:
            same = free.get((cell.get("cell_type", ""), said(source_of(cell))))
            if same:
                keys[number] = same.pop(0)


def _by_call(keys: list[str | None], mine: list[Cell], course: list[Shipped]) -> None:
    free = {one.key for one in course if one.role in ("check", "quiz")} - set(keys)
    for number, cell in enumerate(mine):
        if keys[number] is None and cell.get("cell_type") == "code":
            called = [key_of(role, slug) for role, slug, _ in calls(source_of(cell))]
            found = next((key for key in called if key in free), None)
            if found:
                keys[number] = found
                free.discard(found)


def _spare(keys: list[str | None], mine: list[Cell], course: list[Shipped]) -> list[int]:
    """Of several answers to one thing all but the one that counts: such a cell may have another one, too."""
    texts: dict[str, set[str]] = defaultdict(set)
    known = {one.key: one for one in reversed(course) if one.role in ANSWERED}
    for one in course:
        texts[one.key].add(one.text)
    claims: dict[str, list[int]] = defaultdict(list)
    for number, key in enumerate(keys):
        if key in known and said(source_of(mine[number])) not in texts[key]:
            claims[key].append(number)
    found: list[int] = []
    for key, numbers in claims.items():
        counts = _the_answer(known[key], numbers, keys, mine)
        found += [number for number in numbers if number != counts]
    return found


def _the_answer(one: Shipped, numbers: list[int], keys: list[str | None], mine: list[Cell]) -> int:
    """Which of several cells is the answer: the last to define the name before the check, as when all are run."""
    check = key_of("check", one.slug)
    checked = keys.index(check) if check in keys else len(keys)
    defining = [number for number in numbers if one.names & made(said(source_of(mine[number])))]
    before = [number for number in defining if number < checked]
    return (before[-1:] or defining[:1] or numbers[:1])[0]


def _by_name(keys: list[str | None], mine: list[Cell], course: list[Shipped]) -> frozenset[str]:
    """Claim cells by the names they define; returns the exercises that a cell claimed for others covers."""
    asked: dict[str, frozenset[str]] = {}
    texts: set[str] = set()
    for one in course:
        texts.add(one.text)
        if one.role == "exercise":
            asked[one.key] = asked.get(one.key, frozenset()) | one.names
    claimed = set(keys)
    covered = set()
    for number, cell in enumerate(mine):
        text = said(source_of(cell))
        if cell.get("cell_type") != "code" or text in texts:
            continue
        if keys[number] is not None and keys[number] not in asked:
            continue
        names = made(text)
        found = [key for key, of in asked.items() if key not in claimed and of & names]
        if found and keys[number] is None:
            keys[number] = found.pop(0)
        covered.update(found)
    return frozenset(covered - set(keys))
