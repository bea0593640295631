"""Packages that figures need and a reader may not have: one sentence and the command, no traceback."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType


class MissingPackage(ImportError):
    """A package that is needed here is not installed. str(error) says how to install it."""

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback."""
        return [str(self)]


def require(module: str, purpose: str = "this") -> ModuleType:
    """Import `module`, or say in one sentence which package is missing and how to get it.

    Args:
        module: dotted name, such as "plotly.graph_objects". Its first part is the package.
        purpose: what the package is needed for, as the subject of the sentence.

    Raises:
        MissingPackage: if the package is not installed. An error inside an installed package is
            passed on as it is.

    >>> require("math").sqrt(4.0)
    2.0
    >>> require("plotli.express", "drawing figures")
    Traceback (most recent call last):
    mi_tutor.show.drawing.require.MissingPackage: drawing figures needs the package plotli, which is not \
installed here. Install it with:  pip install plotli
    """
    package = module.partition(".")[0]
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or package).partition(".")[0] != package:
            raise
        raise MissingPackage(
            f"{purpose} needs the package {package}, which is not installed here. "
            f"Install it with:  pip install {package}",
            name=package,
        ) from None
