"""Running a notebook's cells without a notebook: one namespace, and a failure in the learner's own words."""

from __future__ import annotations

import contextlib
import linecache
import signal
import sys
import types
from collections.abc import Iterator
from typing import Any

from IPython.core.inputtransformer2 import TransformerManager

from mi_tutor.teach.limits import TimeLimitReached, time_limit
from mi_tutor.teach.outcome import Failure, failure_of

PATIENCE = 4
_RUNS_PYTHON = {"time", "timeit", "capture", "prun"}


@contextlib.contextmanager
def _processor_limit(seconds: float) -> Iterator[None]:
    """As `time_limit`, in seconds that the processor worked for it, where there is such a timer."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def interrupt(signum: int, frame: object) -> None:
        raise TimeLimitReached

    previous = signal.signal(signal.SIGPROF, interrupt)
    signal.setitimer(signal.ITIMER_PROF, seconds, 0.05)
    try:
        yield
    finally:
        while True:
            try:
                signal.setitimer(signal.ITIMER_PROF, 0)
                break
            except TimeLimitReached:
                continue
        signal.signal(signal.SIGPROF, previous)


class Cells:
    """The namespace of a notebook, as `__main__`."""

    def __init__(self) -> None:
        module = types.ModuleType("__main__")
        sys.modules["__main__"] = module
        self.names = module.__dict__
        self.names |= {"get_ipython": lambda: _Shell(self.names), "display": _nothing}

    def run(self, number: int, source: str, seconds: float) -> Failure | None:
        """Run one cell; what stopped it, or None.

        seconds: of the processor, so that a busy machine stops nobody; PATIENCE times as many by the clock.
        """
        name = f"<ipython-input-{number}>"
        try:
            with time_limit(PATIENCE * seconds), _processor_limit(seconds):
                text = TransformerManager().transform_cell(source)
                linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
                exec(compile(text, name, "exec", dont_inherit=True), self.names)
        except TimeLimitReached:
            return failure_of(TimeLimitReached(), timeout=True)
        except BaseException as error:
            return failure_of(error)
        return None

    def value(self, expression: str) -> Any:
        """What is handed in. Raises whatever the expression raises."""
        return eval(compile(expression, "<handed in>", "eval", dont_inherit=True), self.names)


class _Shell:
    """Stands for IPython's: magics that run Python run it, all others do nothing."""

    def __init__(self, names: dict[str, Any]) -> None:
        self._names = names

    def run_cell_magic(self, magic: str, line: str, cell: str) -> None:
        if magic in _RUNS_PYTHON:
            exec(compile(cell, "<ipython-input-magic>", "exec", dont_inherit=True), self._names)

    def run_line_magic(self, magic: str, line: str, **options: Any) -> None:
        if magic in _RUNS_PYTHON:
            exec(compile(line, "<ipython-input-magic>", "exec", dont_inherit=True), self._names)

    def __getattr__(self, name: str) -> Any:
        return _nothing


def _nothing(*arguments: Any, **options: Any) -> None:
    return None
