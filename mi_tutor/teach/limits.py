"""A time limit around code we did not write.

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
import threading
from collections.abc import Iterator


class TimeLimitReached(BaseException):
    """Not an `Exception`, so that `except Exception:` in the learner's loop does not swallow it."""


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise `TimeLimitReached` in the body once it has run for `seconds`, and again until it stops."""
    in_main = threading.current_thread() is threading.main_thread()
    limit = _by_alarm if in_main and hasattr(signal, "setitimer") else _by_watchdog
    with limit(seconds):
        yield


@contextlib.contextmanager
def _by_alarm(seconds: float) -> Iterator[None]:
    def interrupt(signum: int, frame: object) -> None:
        raise TimeLimitReached

    previous = signal.signal(signal.SIGALRM, interrupt)
    # The interval repeats the alarm: a bare `except:` may swallow the first.
    signal.setitimer(signal.ITIMER_REAL, seconds, 0.05)
    try:
        yield
    finally:
        _until_done(lambda: signal.setitimer(signal.ITIMER_REAL, 0))
        signal.signal(signal.SIGALRM, previous)


@contextlib.contextmanager
def _by_watchdog(seconds: float) -> Iterator[None]:
    thread = threading.get_ident()
    done = threading.Event()

    def watch() -> None:
        wait = seconds
        while not done.wait(wait):
            ctypes.pythonapi.PyThreadState_SetAsyncExc(
                ctypes.c_ulong(thread), ctypes.py_object(TimeLimitReached)
            )
            wait = 0.05

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        _until_done(done.set)
        _until_done(watcher.join)
        # An interruption that was already on its way must not land in the caller's code.
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), None)


def _until_done(action: object) -> None:
    """Run the clean-up even if one more interruption lands inside it."""
    while True:
        try:
            action()  # type: ignore[operator]
            return
        except TimeLimitReached:
            continue
