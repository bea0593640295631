"""A call of a function of torch, and how it is made in another way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from torch import Tensor


class Call(NamedTuple):
    """A function of torch and what it was given."""

    func: Callable
    args: tuple
    kwargs: dict[str, Any]

    def made(self) -> Any:
        return self.func(*self.args, **self.kwargs)

    @property
    def first(self) -> Any:
        return self.args[0] if self.args else None

    @property
    def dim(self) -> Any:
        """The axis or axes that it works along; None if none is named."""
        place = 2 if _is_norm(self.func) else 1
        named = self.kwargs.get("dim", self.kwargs.get("axis"))
        return self.args[place] if named is None and len(self.args) > place else named

    def along(self, dim: Any) -> Any:
        """The same along another axis."""
        kwargs = {key: value for key, value in self.kwargs.items() if key not in ("dim", "axis")}
        args = list(self.args[: 2 if _is_norm(self.func) else 1])
        rest = self.args[len(args) + 1 :]
        if rest:
            kwargs["keepdim"] = rest[0]
        if dim is None:
            kwargs.pop("keepdim", None)
            return self.func(*args, **kwargs)
        return self.func(*args, dim=dim, **kwargs)

    def reduced(self, how: Callable[..., Any], **more: Any) -> Tensor:
        """Another reduction along the same axes."""
        keep = self.kwargs.get("keepdim", self.args[-1] is True)
        x = self.first if self.first.is_floating_point() else self.first.float()
        return how(x, **more) if self.dim is None else how(x, dim=self.dim, keepdim=keep, **more)


Other = Callable[[Call], Any]


def _is_norm(func: Callable) -> bool:
    return getattr(func, "__name__", "") in ("norm", "linalg_vector_norm")
