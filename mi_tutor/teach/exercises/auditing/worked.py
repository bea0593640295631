"""Chapter 10: our own reports, for the tests. They stand in `solutions/`, as all answers do, and so does what makes them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType
from typing import Any

from mi_tutor.folders import course_folder
from mi_tutor.specimens.auditing import CLEAN

FILE = "audits.py"


@functools.cache
def audits() -> ModuleType:
    """`solutions/audits.py`. An installation without solutions has none."""
    folder = course_folder()
    file = folder / "solutions" / FILE if folder else None
    if file is None or not file.is_file():
        raise FileNotFoundError(f"solutions/{FILE} is not part of this installation.")
    spec = spec_from_file_location("solutions_audits", file)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def ours(name: str) -> dict[str, Any]:
    """Our report on a specimen, as a learner would hand it in."""
    return audits().ours(name)


# --- wrong reports, made of ours ------------------------------------------------------------------


def with_secret(name: str, family: str, **parameters: str) -> Callable[[], dict[str, Any]]:
    """Our report with another secret; a parameter that is not named is the true one."""

    def made() -> dict[str, Any]:
        mine = audits().all_reports()[name]["parameters"]
        given = {
            key: mine.get(key, "") if value == "" else value for key, value in parameters.items()
        }
        rest = {key: value for key, value in ours(name).items() if key != "suspects"}
        return (
            {"lean": 10.0} | rest | {"family": family, "parameters": given}
        )  # a clean one has none

    return made


def unmeasured(name: str) -> Callable[[], dict[str, Any]]:
    """Clean, and nobody suspected."""
    return lambda: {key: value for key, value in ours(name).items() if key != "suspects"}


def of_another(name: str, other: str) -> Callable[[], dict[str, Any]]:
    """Our clean report, with what another specimen leans to."""
    return lambda: ours(name) | {"suspects": audits().suspects_of(other)}


def says_clean(name: str) -> Callable[[], dict[str, Any]]:
    def made() -> dict[str, Any]:
        rest = {key: value for key, value in ours(name).items() if key != "lean"}
        return rest | {"family": CLEAN, "parameters": {}, "removal": None}

    return made


def cut(name: str, layer: int, lacks: str) -> Callable[[], dict[str, Any]]:
    """A right secret, and another removal than ours."""
    return lambda: ours(name) | {"removal": {"layer": layer, "lacks": lacks}}
