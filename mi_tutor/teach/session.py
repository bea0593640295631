"""torch's global switches: set as in a fresh session while answers run, and put back afterwards.

A notebook that begins with `torch.set_grad_enabled(False)` must not change a verdict, and an answer that
flips a switch must not change the next one.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

import torch


class SessionDamaged(RuntimeError):
    """The reference itself does not work any more: something in this session was changed."""


@contextlib.contextmanager
def usual_session() -> Iterator[None]:
    """Gradients on, float32, CPU, no autocast; on leaving, whatever was there before."""
    before = (
        torch.is_grad_enabled(),
        torch.get_default_dtype(),
        torch.get_default_device(),
        torch.are_deterministic_algorithms_enabled(),
        torch.is_autocast_enabled("cpu"),
        torch.is_anomaly_enabled(),
        sys.getrecursionlimit(),
    )
    usual = (
        True,
        torch.float32,
        torch.device("cpu"),
        before[3],
        False,
        False,
        max(before[6], 1000),
    )
    _switch(usual)
    try:
        with torch.random.fork_rng(devices=[]):
            seed_globally(0)
            yield
    finally:
        _switch(before)


def seed_globally(seed: int) -> None:
    """As `torch.manual_seed`, but for an accelerator only if it is in use.

    For each kind that is not, `torch.manual_seed` keeps the whole stack as text in case it will be: that took
    longer than most answers.
    """
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(seed)
    if torch.backends.mps.is_available():
        torch.mps.manual_seed(seed)


def _switch(values: tuple) -> None:
    grad, dtype, device, deterministic, autocast, anomaly, recursion = values
    sys.setrecursionlimit(recursion)
    torch.set_grad_enabled(grad)
    torch.set_default_dtype(dtype)
    if torch.get_default_device() != device:  # setting it, even to the same, slows every call down
        torch.set_default_device(device)
    if torch.are_deterministic_algorithms_enabled() != deterministic:
        torch.use_deterministic_algorithms(deterministic)
    torch.set_autocast_enabled("cpu", autocast)
    torch.autograd.set_detect_anomaly(anomaly)
