"""A worker for one submission: runs cells and answers when asked, and sends back data."""

from __future__ import annotations

import functools
import importlib
import socket
from typing import Any

from mi_tutor.classroom.channel import Closed, receive, send
from mi_tutor.classroom.inside.cells import Cells
from mi_tutor.teach.exercise import Case, Exercise
from mi_tutor.teach.fitting import fit
from mi_tutor.teach.judging import make_cases
from mi_tutor.teach.outcome import Odd, Outcome, failure_of, observe, plain
from mi_tutor.teach.registry import get

Reply = dict[str, Any]


class Worker:
    def __init__(self, cells: Cells) -> None:
        self.cells = cells
        self.answers: dict[str, Any] = {}
        self.own: dict[str, Any] = {}  # what the library's functions stand for

    def run(self, number: int, source: str, seconds: float) -> Reply:
        """Run a cell."""
        return {"failure": self.cells.run(number, source, seconds)}

    def take(self, slug: str, expression: str) -> Reply:
        """Take what is handed in for an exercise: how it can be called, or what it is where it is data."""
        try:
            answer = self.cells.value(expression)
        except BaseException as error:
            return {"failure": failure_of(error)}
        self.answers[slug] = answer
        item = get(slug)
        if not isinstance(item, Exercise):
            return {"failure": None, "value": plain(answer)}
        return {"failure": None, "fit": tuple(fit(item, answer)), "code": _code_name(answer)}

    def observe(self, slug: str, seed: int, number: int) -> Reply:
        """Run an answer on one case."""
        case = _cases(slug, seed)[number]
        return {"outcome": observe(get(slug), self.answers[slug], case)}  # type: ignore[arg-type]

    def lend(self, functions: dict[str, str]) -> Reply:
        """Put the library's functions ("module:name") in place of the learner's own; with {} put those back."""
        self.cells.names |= self.own
        self.own = {name: self.cells.names[name] for name in functions if name in self.cells.names}
        for name in self.own:
            module, _, function = functions[name].partition(":")
            self.cells.names[name] = getattr(importlib.import_module(module), function)
        return {}


@functools.lru_cache(4)
def _cases(slug: str, seed: int) -> list[Case]:
    item = get(slug)
    assert isinstance(item, Exercise)
    return make_cases(item, seed)


def _code_name(answer: Any) -> str:
    """Where a function's code was written: a grader wants to know whether it is the library's own."""
    answer = getattr(answer, "func", answer)
    code = getattr(getattr(answer, "__wrapped__", answer), "__code__", None)
    return f"{code.co_filename}:{code.co_qualname}" if code is not None else ""


def serve(channel: socket.socket, cells: Cells) -> None:
    """Answer one request after another, until the grader hangs up."""
    worker = Worker(cells)
    tasks = {
        "run": worker.run, "take": worker.take, "observe": worker.observe, "lend": worker.lend,
    }  # fmt: skip
    while True:
        try:
            request = receive(channel)
            ticket = request.pop("ticket")
            reply = tasks[request.pop("do")](**request)
            _reply(channel, {"ticket": ticket, **reply})
        except Closed:
            return


def _reply(channel: socket.socket, reply: Reply) -> None:
    try:
        send(channel, reply)
    except Closed:
        raise
    except Exception:  # what cannot be sent is no answer
        odd: Reply = {"ticket": reply["ticket"], "failure": None, "value": Odd("object")}
        send(
            channel, {**odd, "outcome": Outcome(value=Odd("object")), "fit": (True, None, None, "")}
        )
