"""A learner's session in workers: cells run in order, and go on in a fresh worker where one was lost."""

from __future__ import annotations

import time
from typing import Any, NamedTuple

from mi_tutor.classroom.rebuild import Asked, Rebuilt
from mi_tutor.classroom.spawning import Spawner
from mi_tutor.classroom.truth import Truth
from mi_tutor.classroom.workers import Lost, Nursery, Worker
from mi_tutor.teach.exercise import Case, Exercise
from mi_tutor.teach.outcome import Elsewhere, Failure, Odd, Outcome, tensors_in

PATIENCE = 4  # times as long by the clock
OPENING = 20.0  # seconds to make a case's inputs
GIB = 2**30
LEARNER_SECONDS = 1800.0  # all cells of a learner together, by the clock
TIMES_THE_REFERENCE, AND_MORE = 64, 100_000  # numbers that an outcome may have


class Rules(NamedTuple):
    """How a class is marked.

    partial: whether right cases count where not all are. public: judge on the notebook's own inputs.
    cell_seconds: of the processor, for one cell. memory: GiB of addresses that a submission may use.
    exam: whether value exercises have each learner's own version, as `mi-tutor exam` handed it out.
    """

    partial: bool = False
    public: bool = False
    cell_seconds: float = 120.0
    memory: float = 3.0
    exam: bool = False


class Session:
    """The cells of one submission.

    A cell that stops, or takes the worker with it, is left out from then on: it costs the answers that need it.
    """

    def __init__(
        self,
        nursery: Nursery | Spawner,
        rebuilt: Rebuilt,
        steps: list[int],
        warm: frozenset[str],
        rules: Rules,
    ) -> None:
        self.nursery, self.rebuilt, self.warm, self.rules = nursery, rebuilt, warm, rules
        self.steps = [i for i in steps if rebuilt.steps[i].source not in warm]
        self.failed: dict[int, str] = {}
        self.done: list[int] = []
        self.ended: set[int] = set()  # cells that took a worker with them
        self.left = LEARNER_SECONDS
        self.worker: Worker | None = None

    @property
    def lost(self) -> bool:
        """Whether the worker is gone."""
        return self.worker is None or self.worker.lost is not None

    def reach(self, asked: Asked) -> str:
        """Run all that comes before an answer. What stopped of what it needs, in words, or ""."""
        for index in self.steps:
            if index < asked.after and index not in self.done and index not in self.failed:
                self._run(index)
        if self.lost:
            self._again()
        for index in self._needed(asked.needs):
            if index in self.failed:
                slug = self.rebuilt.steps[index].slug
                follows = "" if slug in ("", asked.slug) else f"It follows from {slug}. "
                return follows + self.failed[index]
        return ""

    def ask(self, do: str, within: float, **request: Any) -> dict[str, Any]:
        """Ask the worker. Raises Lost."""
        if self.worker is None:
            raise Lost("died")
        return self.worker.ask(do, within, **request)

    def end(self) -> None:
        if self.worker is not None:
            self.worker.end()
            self.worker = None

    def _needed(self, needs: tuple[int, ...]) -> list[int]:
        found: set[int] = set()
        waiting = list(needs)
        while waiting:
            index = waiting.pop()
            if index not in found:
                found.add(index)
                waiting += self.rebuilt.steps[index].needs
        return sorted(found)

    def _again(self) -> None:
        """A fresh worker in which the cells so far have run."""
        while True:
            self.end()
            done, self.done = [i for i in self.done if i not in self.ended], []
            self.worker = self.nursery.worker(memory=int(self.rules.memory * GIB))
            for index in done:
                self._try(index)
                if self.lost:
                    self.done = done
                    break
            else:
                return

    def _run(self, index: int) -> None:
        if self.lost:
            self._again()
        self._try(index)

    def _try(self, index: int) -> None:
        step = self.rebuilt.steps[index]
        if self.left <= 0:
            self.failed[index] = "The time for one learner was used up before it came to this."
            return
        seconds, started = min(self.rules.cell_seconds, self.left), time.monotonic()
        try:
            reply = self.ask(
                "run", PATIENCE * seconds, number=index, source=step.source, seconds=seconds
            )
            self.done.append(index)  # what it made before it stopped is there, as in a notebook
            failure = reply.get("failure")
            if isinstance(failure, Failure):
                self.failed[index] = said(failure)
        except Lost as lost:
            self.failed[index] = why(lost)
            self.ended.add(index)
        self.left -= time.monotonic() - started


class Remote(Elsewhere):
    """An answer in a worker."""

    def __init__(self, session: Session, truth: Truth) -> None:
        self.session, self.truth = session, truth

    def observed(self, exercise: Exercise, case: Case) -> Outcome:
        """What an answer left behind on a case; what comes back in its place counts as a failure of it."""
        seed, number = case.at or (0, 0)
        # By the clock, for what hangs outside of Python: the worker itself counts the processor's seconds.
        within = PATIENCE * exercise.time_limit + OPENING
        try:
            reply = self.session.ask(
                "observe", within, slug=exercise.slug, seed=seed, number=number
            )
        except Lost as lost:
            if lost.why == "timeout":
                return Outcome(failure=Failure("TimeLimitReached", "", timeout=True))
            return Outcome(failure=Failure("RuntimeError", why(lost)))
        outcome = reply.get("outcome")
        if not isinstance(outcome, Outcome):
            return Outcome(value=Odd("object"))
        parts = [outcome.value, dict(outcome.gradients or {})]
        numbers = sum(tensor.numel() for tensor in tensors_in(parts))
        if numbers > TIMES_THE_REFERENCE * self.truth.size(exercise, case) + AND_MORE:
            return Outcome(value=Odd(f"result of {numbers:,} numbers"))
        return outcome


NOT_IN_TIME = "It was still running at its time limit and was stopped."
_WHY = {
    "timeout": NOT_IN_TIME,
    "died": "It ended the process that ran it (out of memory, or an exit).",
    "full": "It wrote more to the disk than a submission may.",
    "garbled": "It sent back what is no answer.",
}


def why(lost: Lost) -> str:
    """What a learner reads where their worker was lost."""
    return _WHY.get(lost.why, _WHY["died"])


def said(failure: Failure) -> str:
    """What a learner reads where a cell stopped."""
    if failure.timeout:
        return NOT_IN_TIME
    message = failure.message.strip().partition("\n")[0] or "no message"
    at = f" ({failure.where}: {failure.line})" if failure.line else ""
    return f"It stopped with {failure.type_name}: {message}{at}"
