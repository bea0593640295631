"""The simple changes of one input that are tried, by its kind: a tensor, a number, a list."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def _rolled(step: int, axis: int) -> Callable[[Tensor], Tensor]:
    return lambda x: x.roll(step, axis)


def _along_middle(change: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """A change along axis 1 of a tensor that has three or more: first and last axes have their own."""

    def made(x: Tensor) -> Tensor:
        if x.ndim < 3:
            raise ValueError("no middle axis")
        return change(x)

    return made


def _unit(axis: int) -> Callable[[Tensor], Tensor]:
    return lambda x: torch.nn.functional.normalize(x, dim=axis)


FLOATS: tuple[tuple[str, Callable[[Tensor], Tensor]], ...] = (
    ("all of {} is 0", torch.zeros_like),
    ("all of {} is 1", torch.ones_like),
    ("{} with the opposite sign", torch.neg),
    ("the absolute values of {}", torch.abs),
    ("{} with negative numbers set to 0", torch.relu),
    ("{} cut off at 0 and 1", lambda x: x.clamp(0, 1)),
    ("{}, squared", torch.square),
    ("twice {}", lambda x: 2 * x),
    ("half of {}", lambda x: x / 2),
    ("{} rounded to one digit", lambda x: x.round(decimals=1)),
    ("{} rounded to two digits", lambda x: x.round(decimals=2)),
    ("{} minus its mean", lambda x: x - x.mean()),
)
WHOLE: tuple[tuple[str, Callable[[Tensor], Tensor]], ...] = (
    ("all of {} is 0", torch.zeros_like),
    ("{} plus 1", lambda x: x + 1),
    ("{} minus 1", lambda x: x - 1),
    ("{} in order of size", lambda x: x.sort().values),
    ("the places of {} in order of size (`argsort`)", lambda x: x.argsort()),
)
TRUTHS: tuple[tuple[str, Callable[[Tensor], Tensor]], ...] = (
    ("all of {} is True", torch.ones_like),
    ("all of {} is False", torch.zeros_like),
    ("the opposite of {}", torch.logical_not),
)
# Tried where no model has to run for each.
FURTHER: tuple[tuple[str, Callable[[Tensor], Tensor]], ...] = (
    ("{} cut off at 1", lambda x: x.clamp(max=1)),
    ("1 minus {}", lambda x: 1 - x),
    ("1 divided by {}", torch.reciprocal),
    ("the square root of {}", torch.sqrt),
    ("the logarithm of {}", torch.log),
    ("e to the power of {}", torch.exp),
    ("{} with all numbers above 0 set to 1", lambda x: (x > 0).to(x.dtype)),
    ("{} divided by its largest size", lambda x: x / x.abs().max()),
    ("{} divided by its sum", lambda x: x / x.sum()),
)
FURTHER_SHAPED: tuple[tuple[str, Callable[[Tensor], Tensor]], ...] = (
    ("the sum of {} over axis 0 for all", lambda x: x.sum(0, keepdim=True).expand_as(x).clone()),
    ("the largest of {} over axis 0 for all", lambda x: x.amax(0, keepdim=True).expand_as(x).clone()),
    ("the mean of {} over its last axis for all", lambda x: x.mean(-1, keepdim=True).expand_as(x).clone()),
    ("the largest of {} over its last axis for all", lambda x: x.amax(-1, keepdim=True).expand_as(x).clone()),
    ("the mean of {} over axis 1 for all", _along_middle(lambda x: x.mean(1, keepdim=True).expand_as(x).clone())),
    ("the first of {} along its last axis for all", lambda x: x[..., :1].expand_as(x).clone()),
    ("the first of {} along axis 1 for all", _along_middle(lambda x: x[:, :1].expand_as(x).clone())),
    ("{} added up along axis 0", lambda x: x.cumsum(0)),
    ("{} added up along its last axis", lambda x: x.cumsum(-1)),
    ("the running mean of {} along its last axis", lambda x: x.cumsum(-1) / torch.arange(1, x.shape[-1] + 1)),
    ("{} divided by its sums along the last axis", lambda x: x / x.sum(-1, keepdim=True)),
    ("{} divided by its sums along axis 0", lambda x: x / x.sum(0, keepdim=True)),
    ("{} in order of size along axis 0", lambda x: x.sort(0).values),
)  # fmt: skip
FEW = 4
SHAPED: tuple[tuple[str, Callable[[Tensor], Tensor]], ...] = (
    ("the first of {} for all", lambda x: x[:1].expand_as(x).clone()),
    ("the last of {} for all", lambda x: x[-1:].expand_as(x).clone()),
    ("{} in reversed order", lambda x: x.flip(0)),
    ("{} transposed", lambda x: x.mT.contiguous() if x.ndim > 1 else x[:0]),
    ("{} in reversed order along its last axis", lambda x: x.flip(-1)),
    ("{} moved on by one", _rolled(1, 0)),
    ("{} moved back by one", _rolled(-1, 0)),
    ("{} moved on by one along its last axis", _rolled(1, -1)),
    ("{} moved back by one along its last axis", _rolled(-1, -1)),
    ("the mean of {} over axis 0 for all", lambda x: x.mean(0, keepdim=True).expand_as(x).clone()),
    ("{} minus its mean over axis 0", lambda x: x - x.mean(0, keepdim=True)),
    ("{} minus its mean over the last axis", lambda x: x - x.mean(-1, keepdim=True)),
    ("{} scaled to length 1 along the last axis", _unit(-1)),
    ("{} scaled to length 1 along axis 0", _unit(0)),
    ("the softmax of {}", lambda x: x.softmax(-1)),
    ("{} moved on by one along axis 1", _along_middle(_rolled(1, 1))),
    ("{} moved back by one along axis 1", _along_middle(_rolled(-1, 1))),
    ("{} in reversed order along axis 1", _along_middle(lambda x: x.flip(1))),
    ("the softmax of {} along axis 1", _along_middle(lambda x: x.softmax(1))),
    ("only the first of {}", lambda x: x[:1]),
    ("only the last of {}", lambda x: x[-1:]),
    ("{} without its first entry", lambda x: x[1:]),
    ("{} without its last entry", lambda x: x[:-1]),
    ("the first ten of {}", lambda x: x[:10]),
)
BATCH: tuple[tuple[str, Callable[[Tensor], Tensor]], ...] = (
    ("the first row alone", lambda x: x[:1]),
    ("the last row alone", lambda x: x[-1:]),
    ("all rows but the first", lambda x: x[1:]),
    ("all rows but the last", lambda x: x[:-1]),
    ("the first ten rows alone", lambda x: x[:10]),
    ("all inputs transposed", lambda x: x.mT.contiguous()),
)
NUMBERS: tuple[tuple[str, Callable[[int], int]], ...] = (
    ("{} is one more", lambda x: x + 1),
    ("{} is one less", lambda x: x - 1),
    ("{} is 0", lambda x: 0),
    ("{} is 1", lambda x: 1),
    ("{} is the last, -1", lambda x: -1),
    ("{} is 10 at most", lambda x: min(x, 10)),
    ("{} is twice as large", lambda x: 2 * x),
    ("{} has the opposite sign", lambda x: -x),
    ("{} is counted from the end", lambda x: -x - 1),
)
SCALARS: tuple[tuple[str, Callable[[float], float]], ...] = (
    ("{} is 0", lambda x: 0.0),
    ("{} is 1", lambda x: 1.0),
    ("{} has the opposite sign", lambda x: -x),
    ("{} is twice as large", lambda x: 2 * x),
    ("{} is half as large", lambda x: x / 2),
    ("{} is squared", lambda x: x * x),
    ("{} is 1 divided by it", lambda x: 1 / x),
    ("{} is its square root", lambda x: x**0.5),
    ("{} is 1 minus it", lambda x: 1 - x),
    ("{} is ten times as large", lambda x: 10 * x),
    ("{} is a tenth of it", lambda x: x / 10),
)
LISTS: tuple[tuple[str, Callable[[list], list]], ...] = (
    ("only the first entry of {}", lambda x: x[:1]),
    ("only the last entry of {}", lambda x: x[-1:]),
    ("{} without its first entry", lambda x: x[1:]),
    ("{} without its last entry", lambda x: x[:-1]),
    ("{} is empty", lambda x: []),
    ("{} in reversed order", lambda x: x[::-1]),
    ("{} sorted", sorted),
    ("the first ten of {}", lambda x: x[:10]),
)
