"""A time limit around code we did not write, in seconds that the processor worked for it.

By the clock a busy machine would stop a right answer, and the reference too. The clock decides only where the code
idles: it sleeps or waits, and hardly any of the time went into work.

On Linux and macOS in the main thread (where notebook cells run) an interval timer interrupts the code; on
Windows, and in other threads, a watchdog raises the same exception in the running thread. Both interrupt
Python code. A single call into C is interrupted when it returns: one huge matrix product ends late, and
`sum(itertools.count())`, which never comes back to Python, needs a restart of the kernel. Graders that must
survive that run answers in a process of their own.
"""

from __future__ import annotations

import contextlib
import ctypes
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType

# Less work than this share of the time is a sleep. On a busy machine 0.04 was seen of a right answer.
IDLE = 0.01
PATIENCE = 20  # times as long by the clock is enough, whatever the share
TICK = 0.05  # seconds between two looks at the time once it may be up


class TimeLimitReached(BaseException):
    """Not an `Exception`, so that `except Exception:` in the learner's loop does not swallow it."""


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise `TimeLimitReached` in the body once it has worked or slept for `seconds`, and again until it stops."""
    in_main = threading.current_thread() is threading.main_thread()
    limit = _by_alarm if in_main and hasattr(signal, "setitimer") else _by_watchdog
    with limit(seconds):
        yield


@contextlib.contextmanager
def work_limit(seconds: float, otherwise: Callable[[], object]) -> Iterator[None]:
    """The same for the processor's seconds alone: waiting costs nothing. It may stand around other limits.

    otherwise: called after twice as many seconds, should the body be in a call into C that does not return.
    """
    worked = _work_of(threading.get_ident())
    before = worked()

    def is_up() -> bool:
        work = worked() - before
        if work >= 2 * seconds:
            otherwise()
        return work >= seconds

    with _watched(seconds, is_up):
        yield


def _time_is_up(seconds: float, worked: Callable[[], float]) -> Callable[[], bool]:
    """Says whether time is up. worked: the processor's seconds for the thread, from any point on."""
    started, before = time.perf_counter(), worked()

    def is_up() -> bool:
        passed, work = time.perf_counter() - started, worked() - before
        asleep = passed >= seconds and work < IDLE * passed
        return work >= seconds or asleep or passed >= PATIENCE * seconds

    return is_up


@contextlib.contextmanager
def _by_alarm(seconds: float) -> Iterator[None]:
    is_up = _time_is_up(
        seconds, time.thread_time
    )  # handlers run in the thread that the body runs in

    over = False

    def interrupt(signum: int, frame: FrameType | None) -> None:
        if over:
            return
        due = is_up() and not _leaves(frame)
        # Wound up again by hand: an interval's alarms pile up on each other where a look takes longer than it.
        # And always, since a bare `except:` may swallow this interruption.
        signal.setitimer(signal.ITIMER_REAL, TICK)
        if due:
            raise TimeLimitReached

    previous = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        over = True
        _until_done(lambda: signal.setitimer(signal.ITIMER_REAL, 0))
        signal.signal(signal.SIGALRM, previous)


@contextlib.contextmanager
def _by_watchdog(seconds: float) -> Iterator[None]:
    with _watched(seconds, _time_is_up(seconds, _work_of(threading.get_ident()))):
        yield


@contextlib.contextmanager
def _watched(seconds: float, is_up: Callable[[], bool]) -> Iterator[None]:
    """Another thread asks whether time is up, from so many seconds on, and interrupts this one."""
    thread = threading.get_ident()
    done = threading.Event()

    def watch() -> None:
        wait = seconds
        while not done.wait(wait):
            wait = TICK
            if is_up() and not _leaves(sys._current_frames().get(thread)):
                ctypes.pythonapi.PyThreadState_SetAsyncExc(
                    ctypes.c_ulong(thread), ctypes.py_object(TimeLimitReached)
                )

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        _until_done(done.set)
        _until_done(watcher.join)
        # An interruption that was already on its way lands here, not in the caller's code. (Taken back with
        # `SetAsyncExc(thread, None)` it leaves Python 3.11 looking for it for ever, which hangs under a profiler.)
        _until_done(lambda: None)


def _work_of(thread: int) -> Callable[[], float]:
    """The processor's seconds for a thread; the clock's where the system does not say (macOS, Windows)."""
    if not hasattr(time, "pthread_getcpuclockid"):
        return time.perf_counter
    clock = time.pthread_getcpuclockid(thread)
    return lambda: time.clock_gettime(clock)


def _leaves(frame: FrameType | None) -> bool:
    """Whether a limit is at work itself, or on its way out: raised there, it would leave the limit on for ever."""
    if frame is None:
        return False
    code = frame.f_code
    return code.co_filename == _leaves.__code__.co_filename or code is _EXIT


_EXIT = contextlib._GeneratorContextManager.__exit__.__code__


def _until_done(action: object) -> None:
    """Run the clean-up even if one more interruption lands inside it."""
    while True:
        try:
            action()  # type: ignore[operator]
            return
        except TimeLimitReached:
            continue
