"""What else an operation of torch could be, in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from mi_tutor.teach.structure.calls import Call, Other
from mi_tutor.teach.structure.index_tables import other_index, other_range


def others(name: str, call: Call) -> Iterator[tuple[str, Other]]:
    """What else a step could be; nothing for most."""
    if name in ("getitem", "setitem"):
        yield from other_index(call)
        return
    if name == "arange":
        yield from other_range(call)
        return
    about = _about(call)
    if name == "einsum":
        yield f"a sum of products {about} is a mean", _mean_of_products
    for words, other in OTHERS.get(name, ()):
        yield words.format(about), other
    if name in ALONG:
        yield from _other_axes(
            f"{ALONG[name]} {about}", call, name not in ("softmax", "log_softmax")
        )
    if name in ("mul", "div", "add", "sub") and len(call.args) > 1:
        yield from _with_one(name, about, call)


def _about(call: Call) -> str:
    """Which one, for the reader: along which axis, of which shape."""
    x = next((each for each in call.args if isinstance(each, Tensor)), None)
    if x is None:
        return ""
    shape = list(x.shape) if x.ndim else "one number"
    dim = call.dim if call.func is not None and _takes_an_axis(call) else None
    return f"(along axis {dim} of {shape})" if dim is not None else f"(of {shape})"


def _takes_an_axis(call: Call) -> bool:
    return getattr(call.func, "__name__", "") in ALONG and isinstance(call.dim, int | tuple | list)


def _other_axes(words: str, call: Call, whole: bool) -> Iterator[tuple[str, Other]]:
    """Along another axis, or over everything."""
    dim = call.dim
    if isinstance(dim, tuple | list) and len(dim) == 1:
        dim = dim[0]
    if not isinstance(dim, int) or isinstance(dim, bool) or not isinstance(call.first, Tensor):
        return
    for axis in range(call.first.ndim):
        if axis != dim % max(call.first.ndim, 1):
            yield f"{words} runs along axis {axis}", lambda c, axis=axis: c.along(axis)
    if whole and call.first.ndim > 1:
        yield f"{words} runs over everything", lambda c: c.along(None)


def _with_one(name: str, about: str, call: Call) -> Iterator[tuple[str, Other]]:
    """One of two operands left out."""
    left, right = call.args[:2]
    of_number, of_tensor, first = LEFT_OUT[name]
    if isinstance(left, Tensor):
        number = f"{right:g}" if isinstance(right, int | float) else ""
        said = of_number.format(number, about) if number else of_tensor.format(about)
        yield said, lambda c: _spread(c, c.args[0])
    if isinstance(right, Tensor) and first:
        yield first.format(about), lambda c: _spread(c, c.args[1])


# What is said where the second operand is left out, and it is a number, or a tensor; and where the first one is.
LEFT_OUT = {
    "mul": (
        "the factor {} {} is left out",
        "the second factor of a product {} is left out",
        "the first factor of a product {} is left out",
    ),
    "div": ("nothing is divided by {} {}", "a division {} is left out", ""),
    "add": (
        "{} is not added {}",
        "the second term of a sum {} is left out",
        "the first term of a sum {} is left out",
    ),
    "sub": ("{} is not subtracted {}", "nothing is subtracted {}", ""),
}


def _spread(call: Call, x: Tensor) -> Tensor:
    """One operand as large as the result."""
    return x.expand(call.made().shape).clone()


def _first(call: Call) -> Any:
    return call.first


def _as(function: Callable[..., Any]) -> Other:
    return lambda call: function(*call.args, **call.kwargs)


def _reduced(how: Callable[..., Any], **more: Any) -> Other:
    return lambda call: call.reduced(how, **more)


def _mean_of_products(call: Call) -> Tensor:
    """`einsum` with its sum divided by how many products are added up."""
    equation, *operands = call.args
    operands = operands[0] if isinstance(operands[0], list | tuple) else operands
    terms, result = equation.replace(" ", "").split("->")
    sizes = {
        letter: size
        for term, x in zip(terms.split(","), operands, strict=True)
        for letter, size in zip(reversed(term), reversed(x.shape), strict=False)
    }
    added = torch.tensor([n for letter, n in sizes.items() if letter not in result]).prod()
    return call.made() / added


def _median(x: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    return x.median() if dim is None else x.median(dim=dim, keepdim=keepdim).values


def _squares(call: Call) -> Tensor:
    return call.reduced(lambda x, **of: x.square().sum(**of))


def _sizes(call: Call) -> Tensor:
    return call.reduced(lambda x, **of: x.abs().sum(**of))


def _largest(call: Call) -> Tensor:
    return call.reduced(lambda x, **of: x.abs().amax(**of) if of else x.abs().max())


def _sorted(call: Call) -> Any:
    return call.func(
        *call.args, **{**call.kwargs, "descending": not call.kwargs.get("descending", False)}
    )


def _diagonal(step: int) -> Other:
    def other(call: Call) -> Any:
        given = call.args[1] if len(call.args) > 1 else call.kwargs.get("diagonal", 0)
        return call.func(call.first, diagonal=given + step)

    return other


def _k(step: int) -> Other:
    def other(call: Call) -> Any:
        kwargs, args = dict(call.kwargs), list(call.args)
        given = kwargs.pop("k") if "k" in kwargs else args.pop(1)
        most = call.first.shape[kwargs.get("dim", args[1] if len(args) > 1 else -1)]
        return call.func(args[0], min(given + step, most), *args[1:], **kwargs)

    return other


def _gone(what: str) -> tuple[str, Other]:
    return f"{what} {{}} is left out", _first


ALONG = {
    "sum": "a sum",
    "mean": "a mean",
    "norm": "a length",
    "max": "a maximum",
    "amax": "a maximum",
    "min": "a minimum",
    "argmax": "an `argmax`",
    "argmin": "an `argmin`",
    "softmax": "a softmax",
    "log_softmax": "a log-softmax",
    "any": "an `any`",
    "all": "an `all`",
    "cumsum": "a running sum",
    "sort": "a sorting",
    "argsort": "a sorting",
}
SQUARE = (("a square {} is an absolute value", lambda c: c.first.abs()), _gone("a square"))
ROOT = (_gone("a square root"),)


OTHERS: dict[str, tuple[tuple[str, Other], ...]] = {
    "sum": (
        ("a sum {} is a mean", _reduced(torch.mean)),
        ("a sum {} is a sum of absolute values", _sizes),
    ),
    "mean": (
        ("a mean {} is a sum", _reduced(torch.sum)),
        ("a mean {} is a median", _reduced(_median)),
    ),
    "norm": (
        ("a length {} is squared", _squares),
        ("a length {} is a sum of absolute values", _sizes),
        ("a length {} is the largest absolute value", _largest),
    ),
    "relu": (_gone("a ReLU"), ("a ReLU {} is an absolute value", lambda c: c.first.abs())),
    "clamp": (_gone("a limit (`clamp`)"),),
    "clamp_min": (_gone("a limit (`clamp`)"),),
    "clamp_max": (_gone("a limit (`clamp`)"),),
    "abs": (
        _gone("an absolute value"),
        ("an absolute value {} is a square", lambda c: c.first.square()),
        ("an absolute value {} is a ReLU", lambda c: c.first.relu()),
    ),
    "square": SQUARE,
    "pow": (
        ("a power {} is an absolute value", lambda c: c.first.abs()),
        _gone("a power"),
    ),
    "sqrt": ROOT,
    "exp": (_gone("an exponential"),),
    "log": (
        _gone("a logarithm"),
        ("a logarithm {} has base 2", lambda c: c.first.log2()),
        ("a logarithm {} has base 10", lambda c: c.first.log10()),
    ),
    "tanh": (
        _gone("a tanh"),
        ("a tanh {} is a sigmoid", lambda c: c.first.sigmoid()),
    ),
    "neg": (_gone("a minus sign"),),
    "softmax": (
        _gone("a softmax"),
        ("a softmax {} is a log-softmax", lambda c: c.first.log_softmax(c.dim)),
        ("a softmax {} is a sigmoid", lambda c: c.first.sigmoid()),
    ),
    "log_softmax": (
        _gone("a log-softmax"),
        ("a log-softmax {} is a softmax", lambda c: c.first.softmax(c.dim)),
    ),
    "sub": (
        ("what is subtracted {} is added", _as(torch.add)),
        ("a difference {} is taken the other way round", lambda c: c.args[1] - c.args[0]),
        ("of a difference {} the absolute value is taken", lambda c: (c.args[0] - c.args[1]).abs()),
    ),
    "rsub": (("what is subtracted {} is added", lambda c: c.args[1] + c.args[0]),
             ("nothing is subtracted from {}", lambda c: c.args[0]),),
    "add": (("what is added {} is subtracted", lambda c: c.args[0] - c.args[1]),
            ("a sum {} is a product", lambda c: c.args[0] * c.args[1])),
    "mul": (("a product {} is a sum", lambda c: c.args[0] + c.args[1]),),
    "div": (("a division {} is a product", lambda c: c.args[0] * c.args[1]),
            ("a division {} is the other way round", lambda c: c.args[1] / c.args[0])),
    "gt": (("a `>` {} is `>=`", _as(torch.ge)), ("a `>` {} is `<`", _as(torch.lt))),
    "ge": (("a `>=` {} is `>`", _as(torch.gt)), ("a `>=` {} is `<=`", _as(torch.le))),
    "lt": (("a `<` {} is `<=`", _as(torch.le)), ("a `<` {} is `>`", _as(torch.gt))),
    "le": (("a `<=` {} is `<`", _as(torch.lt)), ("a `<=` {} is `>=`", _as(torch.ge))),
    "and": (
        ("an `&` {} is `|`", lambda c: c.args[0] | c.args[1]),
        ("of an `&` {} only the first condition counts", lambda c: c.args[0]),
        ("of an `&` {} only the second condition counts", lambda c: c.args[1]),
    ),
    "or": (
        ("an `|` {} is `&`", lambda c: c.args[0] & c.args[1]),
        ("of an `|` {} only the first condition counts", lambda c: c.args[0]),
        ("of an `|` {} only the second condition counts", lambda c: c.args[1]),
    ),
    "invert": (_gone("a `~`"),),
    "any": (("an `any` {} is `all`", _as(torch.all)),),
    "all": (("an `all` {} is `any`", _as(torch.any)),),
    "max": (("a maximum {} is a minimum", _as(torch.min)),),
    "min": (("a minimum {} is a maximum", _as(torch.max)),),
    "amax": (("a maximum {} is a minimum", _as(torch.amin)), ("a maximum {} is a mean", _reduced(torch.mean))),
    "amin": (("a minimum {} is a maximum", _as(torch.amax)),),
    "argmax": (("an `argmax` {} is `argmin`", _as(torch.argmin)),),
    "argmin": (("an `argmin` {} is `argmax`", _as(torch.argmax)),),
    "topk": (
        ("a `topk` {} takes the smallest", lambda c: c.func(*c.args, **{**c.kwargs, "largest": False})),
        ("a `topk` {} takes one more", _k(1)),
        ("a `topk` {} takes one less", _k(-1)),
    ),
    "sort": (("a sorting {} goes the other way", _sorted),),
    "argsort": (("a sorting {} goes the other way", _sorted),),
    "cumsum": (_gone("a running sum"),),
    "T": (("a transposing {} is left out", _first),),
    "mT": (("a transposing {} is left out", _first),),
    "matmul": (
        ("the second matrix of a product {} is transposed", lambda c: c.args[0] @ c.args[1].mT),
        ("the first matrix of a product {} is transposed", lambda c: c.args[0].mT @ c.args[1]),
        ("a matrix product {} is in the other order", lambda c: c.args[1] @ c.args[0]),
    ),
    "triu": (("a triangle {} begins one diagonal higher", _diagonal(1)),
             ("a triangle {} begins one diagonal lower", _diagonal(-1))),
    "tril": (("a triangle {} ends one diagonal higher", _diagonal(1)),
             ("a triangle {} ends one diagonal lower", _diagonal(-1))),
    "cosine_similarity": (
        ("a cosine {} is an inner product", lambda c: (c.args[0] * c.args[1]).sum(c.kwargs.get("dim", 1))),
    ),
    "masked_fill": (_gone("a mask"),),
    "cdist": (("a distance {} is an inner product", lambda c: -(c.args[0] @ c.args[1].mT)),),
    "where": (("the two sides of a `where` {} are exchanged",
               lambda c: torch.where(c.args[0], c.args[2], c.args[1])),),
}  # fmt: skip
