"""The time limit interrupts what a learner might write, in the main thread and in others."""

from __future__ import annotations

import contextlib
import signal
import threading
import time

import pytest

from mi_tutor.teach import limits
from mi_tutor.teach.limits import TimeLimitReached, time_limit


def _forever():
    while True:
        pass


def _swallows_exceptions():
    while True:
        with contextlib.suppress(Exception):
            time.sleep(0.01)


def _swallows_everything_twice():
    swallowed = 0
    while True:
        try:
            time.sleep(0.01)
        except BaseException:
            swallowed += 1
            if swallowed > 2:
                raise


def _endless_generator():
    return sum(1 for _ in iter(int, 1))


pytestmark = pytest.mark.anew  # signals and threads
ENDLESS = [_forever, _swallows_exceptions, _swallows_everything_twice, _endless_generator]


@pytest.mark.parametrize("endless", ENDLESS)
def test_endless_code_is_stopped(endless):
    started = time.monotonic()
    with pytest.raises(TimeLimitReached), time_limit(0.1):
        endless()
    assert time.monotonic() - started < 30  # the machine may be busy


@pytest.mark.parametrize("endless", ENDLESS)
def test_endless_code_is_stopped_without_signals(endless):
    """In a thread there are no signals, and on Windows nowhere: the watchdog serves both."""
    results = []

    def work():
        try:
            with time_limit(0.1):
                endless()
        except TimeLimitReached:
            results.append("stopped")
        results.append(sum(range(100_000)))  # nothing lands here afterwards

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(60)
    assert results == ["stopped", sum(range(100_000))]


def test_quick_code_is_left_alone():
    before = signal.getsignal(signal.SIGALRM) if hasattr(signal, "SIGALRM") else None
    for limit in (time_limit, limits._by_watchdog):
        with limit(0.8):
            value = 1 + 1
        time.sleep(0.9)
        assert value == 2
    if before is not None:
        assert signal.getsignal(signal.SIGALRM) == before


def test_exceptions_pass_through():
    with pytest.raises(ZeroDivisionError), time_limit(1):
        _ = 1 / 0
