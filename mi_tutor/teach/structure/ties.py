"""Wrong only where numbers are exactly equal: to a limit, to 0, or to each other.

There the right result itself tips over if an input is moved by next to nothing. So the reference is run on such
inputs: what is wrong has to be what comes out of one of them, number by number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from mi_tutor.teach.exercise import Case, Handle
from mi_tutor.teach.structure.changes import Change
from mi_tutor.teach.structure.pairs import leaves, pairs_at

NUDGE = 2e-6  # of the largest number
SENTENCE = "It is wrong only where numbers are exactly equal: to a limit, to 0, or to each other."


def tie_sentence(
    cases: Sequence[Case],
    seen: Sequence[Any],
    expected: Sequence[Any],
    tolerance: Any,
    reference: Callable[[Case, Change], Any],
) -> str:
    """The sentence, if it is so in every case, or "". The arguments are those of `inputs.input_sentence`."""
    choices = (
        0  # cases of single numbers that are wrong: which of a few is chosen may tip over by luck
    )
    for case, got, wanted in zip(cases, seen, expected, strict=True):
        wrong = _wrong(got, wanted, tolerance)
        if wrong is None or not _all_tip_over(case, got, wrong, tolerance, reference):
            return ""
        of_case = [each for each in wrong.values() if each.any()]
        choices += 2 if any(each.ndim for each in of_case) else len(of_case) > 0
    return SENTENCE if choices >= 2 else ""


def _wrong(seen: Any, expected: Any, tolerance: Any) -> dict[str, Tensor] | None:
    """Which numbers are wrong, by path; None if something else is."""
    if list(leaves(seen, like=expected)) != list(leaves(expected)):
        return None
    found = {}
    for path in leaves(expected):
        for pair in pairs_at(path, [seen], [expected], tolerance):
            if pair.seen.shape != pair.expected.shape:
                return None
            found[path] = pair.wrong
    return found


def _all_tip_over(
    case: Case, seen: Any, wrong: dict[str, Tensor], tolerance: Any, reference: Callable
) -> bool:
    """Whether each wrong number is right for a nudged input."""
    left = dict(wrong)
    for change in nudges(case.inputs):
        if not any(each.any() for each in left.values()):
            return True
        try:
            made = reference(case, change)
        except Exception:  # it does not take such an input
            continue
        for path, still in left.items():
            for pair in pairs_at(path, [seen], [made], tolerance):
                if pair.seen.shape == pair.expected.shape == still.shape:
                    left[path] = still & pair.wrong
    return not any(each.any() for each in left.values())


def nudges(inputs: Mapping[str, Any]) -> Iterator[Change]:
    """Each input moved by next to nothing, in all ways; none where a model has to run."""
    if any(isinstance(value, Handle) for value in inputs.values()):
        return
    for name, value in inputs.items():
        if isinstance(value, float):
            value = torch.tensor(value)
        if isinstance(value, Tensor) and value.is_floating_point():
            for number, by in enumerate(_ways(value)):
                words = f"`{name}` moved by next to nothing, way {number}"
                yield Change(
                    words, lambda given, name=name, by=by: {**given, name: given[name] + by}
                )


def _ways(value: Tensor) -> Iterator[Tensor | float]:
    finite = value[value.isfinite()]
    little = NUDGE * float(finite.abs().max()) if finite.numel() else 0.0
    if value.ndim == 0:
        yield from (little, -little)
        return
    falling = torch.linspace(1, 0.01, max(value.numel(), 1)).view_as(value).to(value.dtype)
    for by in (torch.ones_like(value), value.sign(), falling):
        yield from (little * by, -little * by)
