"""How many threads torch computes with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def one_thread() -> Iterator[None]:
    """Run torch on one thread, then on as many as before.

    Sums come out in one order, so results repeat. Small models lose nothing: handing a tiny matrix to a second
    thread costs more than multiplying it, many times more on a machine that is busy with other work.
    """
    import torch

    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(n_threads)
