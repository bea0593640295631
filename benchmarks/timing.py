"""How long something takes: the median of several runs, on a CPU or a GPU."""

import math
import time
from collections.abc import Callable
from typing import Any

import torch


def median(
    run: Callable[[], Any], repeats: int, wait: Callable[[], None] = lambda: None
) -> tuple[float, Any]:
    """Seconds for one run (the median, after one to warm up if there are several), and what it returned.

    wait: until what was begun is done. A GPU works on while the program goes on.
    """
    if repeats > 1:
        run()
    taken = []
    for _ in range(repeats):
        wait()
        begun = time.perf_counter()
        result = run()
        wait()
        taken.append(time.perf_counter() - begun)
    return sorted(taken)[len(taken) // 2], result


def core_seconds(run: Callable[[], Any], repeats: int) -> tuple[float, Any]:
    """CPU seconds of the quickest of several runs on one thread, and what it returned.

    On a machine that does nothing else these are seconds; on a busy one they still mean the same.
    """
    torch.set_num_threads(1)
    taken = []
    for _ in range(repeats):
        begun = time.process_time()
        result = run()
        taken.append(time.process_time() - begun)
    return min(taken), result


def seconds(
    run: Callable[[], Any], device: torch.device, repeats: int = 5, at_least: float = 0.1
) -> float:
    """Seconds for one run on a device: the median of several rounds of at least so many seconds each."""
    wait = waiting(device)
    run()  # the first run loads kernels and reserves memory
    once, _ = median(run, 1, wait)
    n = max(1, math.ceil(at_least / max(once, 1e-6)))

    def round_of_runs() -> None:
        for _ in range(n):
            run()

    return median(round_of_runs, repeats, wait)[0] / n


def waiting(device: torch.device) -> Callable[[], None]:
    """What waits until a device is done."""
    return torch.cuda.synchronize if device.type == "cuda" else lambda: None
