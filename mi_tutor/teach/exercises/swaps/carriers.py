"""What chapter 05's `what-does-the-head-see` is handed: by which heads the state comes, and the relation."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, NamedTuple

from mi_tutor.teach.exercises.reading_hypotheses import entries, head, listed, share
from mi_tutor.teach.exercises.swaps.atlas import atlas, state_questions
from mi_tutor.teach.investigation import Unreadable

THINGS = ("state", "relation")
Head = tuple[int, int]


@functools.cache
def relations() -> tuple[str, ...]:
    return tuple(dict.fromkeys(q.relation for q in state_questions(held_out=False)))


class Way(NamedTuple):
    """By which heads a thing comes, and what follows, and is right without, all of them."""

    heads: frozenset[Head]
    follows: float
    without: float


class Carriers(NamedTuple):
    """alone: for each head of the relation what follows it alone, by the relation that is put in."""

    state: Way
    relation: Way
    alone: Mapping[Head, Mapping[str, float]]
    both: float


def read_carriers(value: Any) -> Carriers:
    found = entries(value, [*THINGS, "alone", "both"])
    state, relation = (_way(found[thing], thing) for thing in THINGS)
    alone = {}
    for where, shares in _items(found["alone"], "alone"):
        each = entries(shares, relations())
        alone[where] = {name: share(each[name], f"alone, {name}") for name in relations()}
    if set(alone) != relation.heads:
        raise Unreadable("“alone” has an entry for each of the heads of “relation”, and no other.")
    return Carriers(state, relation, alone, share(found["both"], "both"))


def _way(value: Any, thing: str) -> Way:
    found = entries(value, ["heads", "follows", "without"])
    heads = found["heads"]
    if not isinstance(heads, dict):
        heads = dict.fromkeys(str(each) for each in listed(heads, "heads"))
    heads = frozenset(where for where, _ in _items(heads, f"heads of {thing}"))
    return Way(heads, *(share(found[key], f"{thing}, {key}") for key in ("follows", "without")))


def _items(value: Any, name: str) -> list[tuple[Head, Any]]:
    """The entries of a dict whose keys are heads."""
    if not isinstance(value, dict) or not value:
        raise Unreadable(f"“{name}” has no head in it.")
    n_layers, n_heads = atlas().cfg.n_layers, atlas().cfg.n_heads
    if len(value) > n_layers * n_heads:
        raise Unreadable(
            f"“{name}” has {len(value)} entries, and the model {n_layers * n_heads} heads."
        )
    found = []
    for key, each in value.items():
        text = str(key).strip("()[] ").replace(" ", "").replace(",", ".")
        found.append((head(text, f"a head of {name}", n_layers, n_heads), each))
    return found
