"""The jobs of a grading run, given to processes that each have a grader: nothing done twice, nothing lost."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import NamedTuple

from mi_tutor.classroom.grader import Settings, run_job
from mi_tutor.classroom.marks import Graded

TRIES = 2  # of a job whose grader died


class Job(NamedTuple):
    """key: whose result it is. learner: who decides on the hidden inputs. path: the file."""

    key: str
    learner: str
    path: str


class Pool(ProcessPoolExecutor):
    """Processes on this machine. Started anew, not forked: what they start inherits nothing."""

    def __init__(self, jobs: int) -> None:
        super().__init__(jobs, multiprocessing.get_context("spawn"), initializer=_begin)

    def stop(self) -> None:
        """End the processes in the middle of what they do. Their jobs are still to be done."""
        for process in list((self._processes or {}).values()):
            process.kill()


def _begin() -> None:
    """A process of the pool lasts as long as the run, and no longer."""
    # Ctrl+C at a terminal goes to all its processes. Whether it ends a run is decided in one of them.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    run = multiprocessing.parent_process()
    assert run is not None

    def end_with_it() -> None:
        run.join()
        os._exit(1)  # in the middle of a job, which can last half an hour

    threading.Thread(target=end_with_it, daemon=True).start()


def run_all(
    jobs: Iterable[Job], settings: Settings, make: Callable[[], Executor]
) -> Iterator[tuple[Job, Graded]]:
    """Results as they come. A grader that dies is replaced; a job that kills two is told as a problem."""
    waiting = list(jobs)
    tried = dict.fromkeys(waiting, 0)
    while waiting:
        executor = make()
        futures: dict[Future, Job] = {
            executor.submit(run_job, settings, job.learner, job.path): job for job in waiting
        }
        waiting = []
        try:
            for future in as_completed(futures):
                job = futures[future]
                try:
                    yield job, Graded.from_data(future.result())
                except BrokenProcessPool:
                    waiting.append(job)
                except Exception as error:
                    said = (
                        f"The grader itself stopped ({type(error).__name__}: {str(error)[:200]})."
                    )
                    yield job, Graded(job.learner, None, (), problem=said)
        except BaseException:
            # Interrupted, or nobody takes the results: a job can last half an hour.
            if isinstance(executor, Pool):
                executor.stop()
            raise
        finally:
            executor.shutdown(wait=True, cancel_futures=True)
        if waiting:  # who did it nobody knows: from now on one by one
            for job in waiting:
                tried[job] += 1
            for job in [job for job in waiting if tried[job] >= TRIES]:
                waiting.remove(job)
                yield job, Graded(job.learner, None, (), problem="It ended the grader, twice.")
