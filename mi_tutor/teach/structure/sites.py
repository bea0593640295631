"""The right result for another place in a model: another hook, another layer, other positions, or no edit at all.

A reference that is given a model (or a cache of one) asks for its activations by name. Here it gets a model that
answers with another activation, or that keeps a part of each edit from happening.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from mi_tutor.teach.exercise import Case, Handle
from mi_tutor.teach.structure.changes import Change, Inputs

# Activations of one shape: by mistake one is taken for another.
STREAMS = ("hook_resid_pre", "hook_resid_mid", "hook_resid_post", "hook_attn_out", "hook_mlp_out")
OF_HEADS = ("attn.hook_q", "attn.hook_k", "attn.hook_v", "attn.hook_z")
QUERIES = OF_HEADS[:3]
NAME = re.compile(r"blocks\.(\d+)\.(.+)")

Rename = Callable[[str], str]
Edit = Callable[[Tensor, Tensor], Tensor]


class Asked(NamedTuple):
    """What a right answer asks of a model, or of a cache: the activations, and whether it edits some."""

    names: set[str]
    edits: list[str]


def asked_of(
    case: Case, reference: Callable[[Case, Change], Any], right: Callable
) -> dict[str, Asked]:
    """By input, what a right answer asks for by name; without those of which it asks nothing."""
    handles = [name for name, value in case.inputs.items() if isinstance(value, Handle)]
    asked = {name: Asked(set(), []) for name in handles}

    def watched(given: Inputs) -> Inputs:
        return given | {name: _watched(given[name], asked[name]) for name in handles}

    with contextlib.suppress(Exception):
        reference(case, Change("nothing", watched, key=None, instead=right))
    return {name: each for name, each in asked.items() if each.names}


def _watched(it: Any, asked: Asked) -> Any:
    with contextlib.suppress(ValueError):
        return _renamed(it, _same, asked)
    return it


def site_changes(asked: Mapping[str, Asked]) -> Iterator[Change]:
    """All changes of the place at which a model, or its cache, is read or edited."""
    for name, of in asked.items():
        for words, made in _of_one(of):
            yield Change(
                words, _one(name, made), about="with one thing changed", key=f"`{name}`: {words}"
            )


def _one(name: str, made: Callable[[Any], Any]) -> Callable[[Inputs], Inputs]:
    return lambda given: {**given, name: made(given[name])}


def _of_one(asked: Asked) -> Iterator[tuple[str, Callable[[Any], Any]]]:
    for group in (STREAMS, OF_HEADS):
        for source in (each for each in group if each in asked.names):
            for other in group:
                if other != source:
                    words = f"`{_short(other)}` in place of `{_short(source)}`"
                    yield words, _elsewhere(_site(source, other))
    if len(asked.names & set(QUERIES)) > 1:
        for other in QUERIES:
            yield f"`{_short(other)}`, always", _elsewhere(_any_of(QUERIES, other))
    for step, way in ((1, "higher"), (-1, "lower")):
        yield f"a layer one {way}", _elsewhere(_layer(step))
    if asked.edits:
        for words, edit in EDITS:
            yield words, lambda it, edit=edit: _edited(it, edit)
    for words, moved in MOVED:
        yield words, lambda it, moved=moved: _read(it, moved)


def _elsewhere(rename: Rename) -> Callable[[Any], Any]:
    return lambda it: _renamed(it, rename, Asked(set(), []))


def _short(name: str) -> str:
    return name.split(".")[-1]


def _site(source: str, other: str) -> Rename:
    return lambda name: name[: -len(source)] + other if name.endswith(source) else name


def _any_of(sources: Sequence[str], other: str) -> Rename:
    def renamed(name: str) -> str:
        return next((name[: -len(each)] + other for each in sources if name.endswith(each)), name)

    return renamed


def _layer(step: int) -> Rename:
    def renamed(name: str) -> str:
        found = NAME.fullmatch(name)
        return f"blocks.{int(found[1]) + step}.{found[2]}" if found else name

    return renamed


# --- what becomes of an edit: from the activation, and what the edit makes of it -------------------------------


def _where(rule: Callable[[Tensor, Tensor, Tensor], Tensor]) -> Edit:
    """The edit in some rows and positions only, by their numbers and how many positions there are."""

    def edited(x: Tensor, new: Tensor) -> Tensor:
        rows, positions = torch.arange(x.shape[0])[:, None], torch.arange(x.shape[1])[None]
        there = rule(rows, positions, torch.tensor(x.shape[1])).expand(x.shape[:2])
        return torch.where(there.view(*x.shape[:2], *[1] * (x.ndim - 2)), new, x)

    return edited


def _with(made: Callable[[Tensor, Tensor], Tensor]) -> Edit:
    """Something else, where the edit changes anything."""
    return lambda x, new: torch.where(new != x, made(x, new), x)


def _all_heads(x: Tensor, new: Tensor) -> Tensor:
    """Zero in all heads, if it is zero in one."""
    off = (new == 0) & (x != 0)
    return torch.zeros_like(x) if x.ndim == 4 and bool(off.any()) else new


def _mean_over(*axes: int) -> Edit:
    """Means where the edit puts zeros."""
    return lambda x, new: torch.where(
        (new == 0) & (x != 0), x.mean(dim=axes, keepdim=True).expand_as(x), new
    )


EDITS: tuple[tuple[str, Edit], ...] = (
    ("nothing is edited in the model", lambda x, new: x),
    ("the model is edited at the last position alone", _where(lambda row, pos, n: (pos == n - 1) & (row >= 0))),
    ("the model is edited at the first position alone", _where(lambda row, pos, n: (pos == 0) & (row >= 0))),
    ("the first position is not edited", _where(lambda row, pos, n: (pos > 0) & (row >= 0))),
    ("the last position is not edited", _where(lambda row, pos, n: (pos < n - 1) & (row >= 0))),
    ("only the first prompt is edited", _where(lambda row, pos, n: (row == 0) & (pos >= 0))),
    ("what is put into the model is 0", _with(lambda x, new: torch.zeros_like(x))),
    ("what is put into the model is added to what is there", _with(lambda x, new: x + new)),
    ("the model is edited half of the way", _with(lambda x, new: (x + new) / 2)),
    ("all heads of the layer are 0", _all_heads),
    ("zeros are means over prompts", _mean_over(0)),
    ("zeros are means over prompts and positions", _mean_over(0, 1)),
)  # fmt: skip
MOVED: tuple[tuple[str, Callable[[Tensor], Tensor]], ...] = (
    ("what is read stands one position earlier", lambda x: x.roll(1, 1)),
    ("what is read stands one position later", lambda x: x.roll(-1, 1)),
    ("what is read is that of the first prompt, for all", lambda x: x[:1].expand_as(x).clone()),
    ("what is read is the mean over positions", lambda x: x.mean(1, keepdim=True).expand_as(x).clone()),
)  # fmt: skip


class Names:
    """A cache that answers with other activations."""

    def __init__(self, cache: Any, rename: Rename, asked: Asked) -> None:
        self._cache, self._rename, self._asked = cache, rename, asked

    def __getitem__(self, name: str) -> Any:
        _note(self._asked, name)
        return self._cache[self._rename(name)]

    def __contains__(self, name: str) -> bool:
        return self._rename(name) in self._cache

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cache, name)


class Read:
    """A cache whose activations are changed."""

    def __init__(self, cache: Any, moved: Callable[[Tensor], Tensor]) -> None:
        self._cache, self._moved = cache, moved

    def __getitem__(self, name: str) -> Any:
        return self._moved(self._cache[name])

    def __contains__(self, name: str) -> bool:
        return name in self._cache


class Model:
    """A model that is hooked at other places, or whose hooks do something else."""

    def __init__(self, model: Any, rename: Rename, asked: Asked, edit: Edit | None = None) -> None:
        self._model, self._rename, self._asked, self._edit = model, rename, asked, edit

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._model(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def _hooked(self, fwd_hooks: Any) -> list[tuple[Any, Any]]:
        made = []
        for name, hook in fwd_hooks:
            if isinstance(name, str):
                _note(self._asked, name)
                self._asked.edits.append(name)
                name = self._rename(name)
            made.append((name, hook if self._edit is None else _other_edit(hook, self._edit)))
        return made

    def hooks(self, fwd_hooks: Any = (), *args: Any, **kwargs: Any) -> Any:
        return self._model.hooks(self._hooked(fwd_hooks), *args, **kwargs)

    def run_with_hooks(self, *args: Any, fwd_hooks: Any = (), **kwargs: Any) -> Any:
        return self._model.run_with_hooks(*args, fwd_hooks=self._hooked(fwd_hooks), **kwargs)

    def run_with_cache(self, *args: Any, names_filter: Any = None, **kwargs: Any) -> Any:
        logits, cache = self._model.run_with_cache(*args, **kwargs)
        return logits, Names(cache, self._rename, self._asked)


def _note(asked: Asked, name: str) -> None:
    asked.names.update(each for each in (*STREAMS, *OF_HEADS) if name.endswith(each))


def _other_edit(hook: Callable, edit: Edit) -> Callable:
    def hooked(x: Tensor, hook: Any) -> Any:
        before = x.clone()  # the hook may work in place
        new = given(x, hook=hook)
        if not isinstance(new, Tensor) or new.shape != x.shape or x.ndim < 3:
            return new
        return edit(before, new)

    given = hook
    return hooked


def _same(name: str) -> str:
    return name


def _renamed(it: Any, rename: Rename, asked: Asked) -> Any:
    if hasattr(it, "run_with_hooks"):
        return Model(it, rename, asked)
    if hasattr(it, "keys") and hasattr(it, "__getitem__"):
        return Names(it, rename, asked)
    raise ValueError("no model, and no cache of one")


def _edited(it: Any, edit: Edit) -> Any:
    if not hasattr(it, "run_with_hooks"):
        raise ValueError("no model")
    return Model(it, _same, Asked(set(), []), edit)


def _read(it: Any, moved: Callable[[Tensor], Tensor]) -> Any:
    if hasattr(it, "run_with_hooks"):
        raise ValueError("no cache")
    return Read(it, moved)
