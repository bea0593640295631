"""What the first cell of a notebook says on Google Colab, once it has installed the course there.

The cell itself is in `mi_tutor/authoring/additions.py`: it has to run before there is a course.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from importlib.metadata import distributions, packages_distributions

RESTART = "Runtime > Restart session"


def tell(had: Mapping[str, str]) -> None:
    """Say what an installation changed, and whether the runtime has to start again.

    Args:
        had: the version of each installed distribution before, by its name.
    """
    importlib.invalidate_caches()
    print(changes(had, versions()))


def versions() -> dict[str, str]:
    """The version of each installed distribution."""
    return {one.name: one.version for one in distributions() if one.name}


def changes(had: Mapping[str, str], has: Mapping[str, str]) -> str:
    """Which packages are new, and which have another version now, in words.

    >>> changes({"mi_tutor": "1"}, {"mi_tutor": "1"})
    'The course is installed, and nothing was changed.'
    """
    new = sorted(set(has) - set(had))
    other = sorted(name for name in had if name in has and had[name] != has[name])
    if not (new or other):
        return "The course is installed, and nothing was changed."
    lines = [f"The course is installed, with {len(new)} new package(s): {', '.join(new)}."]
    if not other:
        return f"{lines[0]}\nNothing that was here was changed."
    lines += [
        f"Changed, since the course needs it: {name} {had[name]} → {has[name]}." for name in other
    ]
    stale = _imported(other)
    if stale:
        lines.append(
            f"{', '.join(stale)} was in use already, so do this once: {RESTART}, then go on from this cell."
        )
    return "\n".join(lines)


def _imported(names: list[str]) -> list[str]:
    """Those of the distributions of which a module is loaded in this process."""
    modules = packages_distributions()
    loaded = {name for module in list(sys.modules) for name in modules.get(module, ())}
    return [name for name in names if name in loaded]
