"""How much faster is a sweep than training the same toy models one after another?

    python benchmarks/superposition.py

All figures are microseconds per model and step, sampling of the data included, measured in this
one run:

- one by one: the plain loop of the chapter, one model at a time, autograd and torch.optim.Adam.
  Measured on a few models, on one thread and on all; the best is taken.
- einsum: `train_toy`, all models of the sweep at once, on freshly drawn batches; the best is taken.
- sweep: `train_sweep`, a whole training with its records and its final evaluation.

Other programs that run at the same time slow the sweep down most, as it keeps all cores busy. The
last column is free of that: it divides processor time by processor time, summed over threads.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import torch

from mi_tutor.lab.ground.device import one_thread, seeded
from mi_tutor.lab.superposition import (
    ToySweep,
    phenomena,
    sparse_features,
    toy_forward,
    train_sweep,
    train_toy,
    weighted_loss,
)

SWEEPS = {
    "polygons": phenomena.polygons(),
    "dimensionality": phenomena.dimensionality(),
    "phase diagram": phenomena.phase_diagram(),
    "80 features": ToySweep(
        n_features=80, n_hidden=20, probabilities=[0.8**k for k in range(16)], n_steps=1500
    ),
    # One setting only: nothing to share the random draws with.
    "seeds only": replace(phenomena.polygons(), probabilities=[0.1], n_seeds=64),
}


class Seconds(NamedTuple):
    """Time on the clock, and processor time of all threads."""

    clock: float
    processor: float


def main() -> None:
    """Print the table."""
    print(f"{torch.get_num_threads()} threads, torch {torch.__version__}; µs per model and step")
    print(
        f"{'sweep':<15}{'n':>3}{'m':>4}{'batch':>6}{'models':>7}{'steps':>6} |"
        f"{'one by one':>11}{'einsum':>9}{'sweep':>8} | ratio:{'einsum':>8}{'sweep':>7}{'proc.':>7}"
    )
    for name, sweep in SWEEPS.items():
        alone = measure_both(lambda sweep=sweep: one_by_one(sweep), repeats=3)
        einsum = measure_both(lambda sweep=sweep: batched_einsum(sweep), repeats=2)
        whole = measure(lambda sweep=sweep: whole_sweep(sweep))
        print(
            f"{name:<15}{sweep.n_features:>3}{sweep.n_hidden:>4}{sweep.n_batch:>6}"
            f"{sweep.n_instances:>7}{sweep.n_steps:>6} |"
            f"{alone.clock * 1e6:>11.1f}{einsum.clock * 1e6:>9.1f}{whole.clock * 1e6:>8.1f} | "
            f"{alone.clock / einsum.clock:>13.1f}x{alone.clock / whole.clock:>6.1f}x"
            f"{alone.processor / whole.processor:>6.1f}x",
            flush=True,
        )


def one_by_one(sweep: ToySweep, n_steps: int = 150) -> int:
    """Train one model of the sweep; returns how many model steps that was."""
    generator = seeded(0)
    importance = torch.tensor(sweep.importances[0])
    probability = torch.tensor(sweep.probabilities[len(sweep.probabilities) // 2])
    W = torch.randn(sweep.n_hidden, sweep.n_features, generator=generator).requires_grad_()
    b = torch.zeros(sweep.n_features, requires_grad=True)
    optimizer = torch.optim.Adam([W, b], lr=sweep.learning_rate)
    for _ in range(n_steps):
        x = sparse_features(sweep.n_batch, probability, generator)
        loss = weighted_loss(x, toy_forward(x, W, b), importance)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return n_steps


def batched_einsum(sweep: ToySweep, n_steps: int = 4) -> int:
    """Train all models of the sweep with `train_toy`, on batches of two draws per number."""
    n = sweep.n_instances
    shape = (n_steps, n, sweep.n_batch, sweep.n_features)
    batches = torch.where(torch.rand(shape) < 0.1, torch.rand(shape), 0.0)
    W, b = torch.randn(n, sweep.n_hidden, sweep.n_features), torch.zeros(n, sweep.n_features)
    train_toy(W, b, batches, torch.tensor(sweep.importances[0]), sweep.learning_rate)
    return n_steps * n


def whole_sweep(sweep: ToySweep, device: str = "cpu") -> int:
    """Train the sweep from start to end."""
    train_sweep(sweep, device, progress=False)
    return sweep.n_steps * sweep.n_instances


def measure(train: Callable[[], int]) -> Seconds:
    """Seconds per model step of one training."""
    clock, processor = time.perf_counter(), time.process_time()
    n = train()
    return Seconds((time.perf_counter() - clock) / n, (time.process_time() - processor) / n)


def measure_both(train: Callable[[], int], repeats: int) -> Seconds:
    """The best of a few trainings, on one thread and on all."""
    runs = [measure(train) for _ in range(repeats)]
    with one_thread():
        runs += [measure(train) for _ in range(repeats)]
    return Seconds(*map(min, zip(*runs, strict=True)))


if __name__ == "__main__":
    main()
