"""One thread per processor core, each training its own share of a sweep."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from typing import TypeVar

import torch
from tqdm.auto import tqdm

from mi_tutor.lab.superposition.sweep_config import ToySweep

Result = TypeVar("Result")


def split_sweep(sweep: ToySweep, n_shares: int) -> list[ToySweep]:
    """Smaller sweeps whose instances, one after another, are those of `sweep`.

    They may be trained apart because an instance does not depend on the others.
    """
    n_probabilities, n_importances, n_seeds = sweep.shape
    if n_probabilities > 1:
        parts = _chunks(range(n_probabilities), n_shares)
        return [replace(sweep, probabilities=sweep.probabilities[p.start : p.stop]) for p in parts]
    if n_importances > 1:
        parts = _chunks(range(n_importances), n_shares)
        return [replace(sweep, importances=sweep.importances[p.start : p.stop]) for p in parts]
    parts = _chunks(range(n_seeds), n_shares)
    return [replace(sweep, seed=sweep.seed + p.start, n_seeds=len(p)) for p in parts]


def _chunks(whole: range, n_chunks: int) -> list[range]:
    n_chunks = min(n_chunks, len(whole))
    edges = [len(whole) * k // n_chunks for k in range(n_chunks + 1)]
    return [whole[start:stop] for start, stop in pairwise(edges)]


def in_threads(
    train: Callable[[ToySweep, Callable[[], None]], Result], shares: list[ToySweep], bar: tqdm
) -> list[Result]:
    """One thread per share, each doing its tensor operations alone.

    The operations of a small model are too short to be worth dividing among threads: they would
    wait for each other many times per step. Whole shares wait once, at the end.
    """
    stop = threading.Event()

    def work(share: ToySweep) -> Result:
        torch.set_num_threads(1)  # holds for this thread, and as the default for new ones

        def tick() -> None:
            if stop.is_set():
                raise InterruptedError("training was stopped")
            bar.update()

        return train(share, tick)

    n_threads = torch.get_num_threads()
    with bar, ThreadPoolExecutor(len(shares)) as pool:
        try:
            return list(pool.map(work, shares))
        finally:
            stop.set()  # on an interrupt: no thread trains on in the background
            torch.set_num_threads(n_threads)
