"""The time limit interrupts what a learner might write, in the main thread and in others."""

from __future__ import annotations

import contextlib
import itertools
import signal
import subprocess
import sys
import threading
import time
from unittest import mock

import pytest

from mi_tutor.teach import limits
from mi_tutor.teach.limits import TimeLimitReached, time_limit, work_limit


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
    started = time.thread_time()
    with pytest.raises(TimeLimitReached), time_limit(0.1):
        endless()
    assert time.thread_time() - started < 2


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


def test_the_limit_counts_work_and_not_what_a_busy_machine_takes():
    """A thread that got a tenth of the processor has time left; one that sleeps has not."""
    clock = {"now": 0.0, "work": 0.0}
    with mock.patch.object(limits.time, "perf_counter", lambda: clock["now"]):
        is_up = limits._time_is_up(10, lambda: clock["work"])
        clock |= {"now": 50.0, "work": 5.0}
        assert not is_up()
        clock |= {"now": 100.0, "work": 10.0}
        assert is_up()
        clock |= {"now": 11.0, "work": 0.1}
        assert is_up()
        clock |= {"now": 200.0, "work": 5.0}
        assert is_up()


@pytest.mark.parametrize("limit", [time_limit, limits._by_watchdog])
def test_code_that_sleeps_forever_is_stopped(limit):
    started = time.monotonic()
    with pytest.raises(TimeLimitReached), limit(0.1):
        while True:
            time.sleep(0.02)
    assert time.monotonic() - started < 60


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


def test_nothing_is_left_behind():
    """Under a profiler Python 3.11 hung after the watchdog had taken its interruption back."""
    code = (
        "import cProfile; from mi_tutor.teach.limits import _by_watchdog\n"
        "profile = cProfile.Profile(); profile.enable()\n"
        "with _by_watchdog(60.0): pass\n"
        "list(map(len, ['a'] * 9)); profile.disable()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=300)


def test_work_counts_and_waiting_does_not():
    with work_limit(0.2, _never):
        time.sleep(0.5)
    with pytest.raises(TimeLimitReached), work_limit(0.05, _never):
        _forever()


def test_a_call_that_does_not_return_is_told():
    told: list[bool] = []
    with contextlib.suppress(TimeLimitReached), work_limit(0.01, lambda: told.append(True)):
        sum(itertools.repeat(1, 2 * 10**7))
    assert told


def _never():
    raise AssertionError("it returned in time")


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no interval timer")
def test_an_interruption_on_the_way_out_leaves_no_limit_behind():
    """Alarms come thick and fast: one of them falls into the clean-up of the limit that raised the first.

    In a process of its own: some fall into finalisers too, where nothing can be raised, and pytest counts those.
    """
    code = (
        "import contextlib, signal\n"
        "from mi_tutor.teach import limits\n"
        "limits.TICK = 2e-5\n"
        "for _ in range(60):\n"
        "    with contextlib.suppress(limits.TimeLimitReached), limits.time_limit(0.001):\n"
        "        while True: pass\n"
        "    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=300)
