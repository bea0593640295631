"""What an input has to do with the difference: added, multiplied, handed back, or the place where it goes wrong.

All numbers are the expected ones with an input (or its lengths, sums, number of entries) in them; or entries are
wrong just where an input is negative, 0, True. Nothing is run for it: numbers are compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from mi_tutor.teach.structure.pairs import Pair, varied
from mi_tutor.teach.wording import number

Inputs = Mapping[str, Any]
ENOUGH, FEW = 6, 3  # numbers that have to agree; that may do if none is whole
LUCK = 1e-3  # how likely wrong entries may be to lie in a region by chance
SMALL = 1e-3


def given_sentence(pairs: Sequence[Pair], of_cases: Sequence[Inputs]) -> str:
    """The first that holds in every case, or ""; `of_cases` are the inputs of the cases that the pairs are of."""
    if len(pairs) != len(of_cases) or any(p.seen.shape != p.expected.shape for p in pairs):
        return ""
    return _values(pairs, of_cases) if _telling(pairs) else ""


def given_place(pairs: Sequence[Pair], of_cases: Sequence[Inputs]) -> str:
    """Where it is wrong, by what an input is there; or ""."""
    if len(pairs) != len(of_cases) or any(p.seen.shape != p.expected.shape for p in pairs):
        return ""
    some_right = any(p.wrong.any() and not p.wrong.all() for p in pairs)
    return _regions(pairs, of_cases) if some_right else ""


def _telling(pairs: Sequence[Pair]) -> bool:
    """Whether enough different numbers are wrong: a few whole ones are a function of any others by luck."""
    wrong = torch.cat([p.seen[p.wrong] for p in pairs])
    return len(wrong.unique()) >= FEW and (len(wrong) >= ENOUGH or bool((wrong % 1 != 0).all()))


# --- an input in the numbers ---------------------------------------------------------------------------------


def _values(pairs: Sequence[Pair], of_cases: Sequence[Inputs]) -> str:
    for words, made in _quantities(of_cases[0]):
        try:
            theirs = [made(inputs) for inputs in of_cases]
        except (RuntimeError, IndexError, TypeError, ValueError, KeyError):
            continue
        for fitted in _laid_over(theirs, pairs):
            said = _factor(words, fitted, pairs) or _term(words, fitted, pairs)
            if said:
                return said
    return ""


def _quantities(inputs: Inputs) -> Iterator[tuple[str, Callable[[Inputs], Tensor]]]:
    """What an input can bring into a result, in words, and how to get it."""
    for name, value in inputs.items():
        if isinstance(value, Tensor) and value.is_floating_point():
            yield f"`{name}`", _of(name, lambda x: x)
            if value.ndim:
                yield f"the lengths of `{name}` along its last axis", _of(name, _norm(-1))
                yield (
                    f"the sums of `{name}` along its last axis",
                    _of(name, lambda x: x.sum(-1, True)),
                )
            if value.ndim > 1:
                yield f"the lengths of `{name}` along axis 0", _of(name, _norm(0))
                yield f"the sums of `{name}` along axis 0", _of(name, lambda x: x.sum(0))
            yield f"the largest number of `{name}`", _of(name, lambda x: x.max())
        elif isinstance(value, float | int) and not isinstance(value, bool):
            yield f"`{name}`", _of(name, torch.as_tensor)
        if isinstance(value, Tensor):
            for axis in range(value.ndim):
                words = f"the number of entries of `{name}`" + (
                    f" along axis {axis}" if value.ndim > 1 else ""
                )
                yield words, _of(name, lambda x, axis=axis: torch.tensor(x.shape[axis]))


def _of(name: str, made: Callable[[Any], Tensor]) -> Callable[[Inputs], Tensor]:
    return lambda inputs: made(inputs[name]).detach().double()


def _norm(axis: int) -> Callable[[Tensor], Tensor]:
    return lambda x: x.norm(dim=axis, keepdim=axis == -1)


def _laid_over(theirs: Sequence[Tensor], pairs: Sequence[Pair]) -> Iterator[list[Tensor]]:
    """The quantities as large as the results: their axes are the last ones, or the first ones."""
    for laid in (lambda q, n: q, lambda q, n: q.reshape((*q.shape, *[1] * (n - q.ndim)))):
        try:
            made = [
                laid(q, p.expected.ndim).expand(p.expected.shape)
                for q, p in zip(theirs, pairs, strict=True)
            ]
        except RuntimeError:
            continue
        if all(q.isfinite().all() for q in made):
            yield made


FACTORS: tuple[tuple[str, Callable[[Tensor], Tensor]], ...] = (
    ("Everything is multiplied by {}.", lambda q: q),
    ("Everything is divided by {}.", lambda q: 1 / q),
    ("Everything is multiplied by the square of {}.", lambda q: q**2),
    ("Everything is divided by the square of {}.", lambda q: q**-2),
    ("Everything is multiplied by the square root of {}.", lambda q: q**0.5),
    ("Everything is divided by the square root of {}.", lambda q: q**-0.5),
)


def _factor(words: str, theirs: Sequence[Tensor], pairs: Sequence[Pair]) -> str:
    """One power of a quantity that everything is multiplied by."""
    wrong = torch.cat([q[p.wrong] for p, q in zip(pairs, theirs, strict=True)])
    if bool((wrong == wrong[0]).all()) or all(bool(((q - 1).abs() < SMALL).all()) for q in theirs):
        return ""  # a constant is no quantity
    for text, function in FACTORS:
        if all(p.fits(p.expected * function(q)) for p, q in zip(pairs, theirs, strict=True)):
            return text.format(words)
    return ""


def _term(words: str, theirs: Sequence[Tensor], pairs: Sequence[Pair]) -> str:
    """Seen is a times the expected and b times a quantity, with the same a and b in all cases."""
    x, e, s = (
        torch.cat([each.flatten() for each in part])
        for part in (theirs, [p.expected for p in pairs], [p.seen for p in pairs])
    )
    keep = e.isfinite() & s.isfinite()
    if int(keep.sum()) < ENOUGH or not varied(x[keep]) or not varied(e[keep]):
        return ""
    found = torch.linalg.lstsq(torch.stack([e, x], 1)[keep], s[keep, None]).solution[:, 0]
    a, b = (round(float(each), 3) for each in found)
    if abs(b) < 0.01 or not all(
        p.fits(a * p.expected + b * q) for p, q in zip(pairs, theirs, strict=True)
    ):
        return ""
    times = words if abs(b) == 1 else f"{number(abs(b))} times {words}"
    if a == 0:
        return f"It is {'minus ' if b < 0 else ''}{times}, and nothing else."
    of = "what is expected" if a == 1 else f"{number(a)} times what is expected"
    return f"It is {of} {'plus' if b > 0 else 'minus'} {times}."


# --- an input at the places ----------------------------------------------------------------------------------


def _regions(pairs: Sequence[Pair], of_cases: Sequence[Inputs]) -> str:
    only = ""
    for name, value in of_cases[0].items():
        if not isinstance(value, Tensor) or value.ndim == 0:
            continue
        for words, test in TRUTHS if value.dtype == torch.bool else SIGNS:
            try:
                theirs = [test(inputs[name]) for inputs in of_cases]
            except (RuntimeError, IndexError, TypeError, KeyError):
                continue
            for fitted in _laid_over([t.double() for t in theirs], pairs):
                there = [q.bool() for q in fitted]
                if _just(pairs, there):
                    return f"It is wrong just where `{name}` is {words}."
                if not only and _only(pairs, there):
                    only = f"It is wrong only where `{name}` is {words}."
    return only


TRUTHS = (("True", lambda x: x), ("False", lambda x: ~x))
SIGNS = (
    ("negative", lambda x: x < 0),
    ("positive", lambda x: x > 0),
    ("0", lambda x: x == 0),
    ("not 0", lambda x: x != 0),
)


def _just(pairs: Sequence[Pair], there: Sequence[Tensor]) -> bool:
    some = sum(int(p.wrong.sum()) for p in pairs)
    rest = sum(int((~p.wrong).sum()) for p in pairs)
    same = all(torch.equal(p.wrong, q) for p, q in zip(pairs, there, strict=True))
    return same and some >= 3 and rest >= 3


def _only(pairs: Sequence[Pair], there: Sequence[Tensor]) -> bool:
    """Whether all that is wrong lies in a region, which by chance it would not."""
    chance = 1.0
    for p, q in zip(pairs, there, strict=True):
        if bool((p.wrong & ~q).any()):
            return False
        chance *= float(q.double().mean()) ** int(p.wrong.sum()) if p.wrong.any() else 1.0
    return chance < LUCK
