"""Where tensors live and where randomness comes from: the one place that asks.

Everything in `lab` takes a device or a generator as an argument. These functions make them.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


def best_device() -> torch.device:
    """The fastest device of this machine: CUDA, else Apple's MPS, else the CPU.

    >>> best_device().type in {"cuda", "mps", "cpu"}
    True
    """
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def seeded(seed: int, device: torch.device | str = "cpu") -> torch.Generator:
    """A random generator on `device` that starts from `seed`.

    The same seed gives the same numbers on the same device. A CPU and a GPU draw different
    numbers from one seed, because their generators are different algorithms.

    >>> torch.rand(2, generator=seeded(0)).equal(torch.rand(2, generator=seeded(0)))
    True
    """
    return torch.Generator(device=device).manual_seed(seed)


@contextmanager
def one_thread() -> Iterator[None]:
    """Within this block (or decorated function) torch works on one CPU thread.

    An operation on a small tensor is over before a second thread has been woken, and on a busy
    machine the two wait for each other: thousands of small operations then take many times longer.

    >>> with one_thread():
    ...     torch.get_num_threads()
    1
    """
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(n_threads)
