"""Train a whole sweep of toy models at once: what `train_toy` does, made fast by `fused`."""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
from tqdm.auto import tqdm

from mi_tutor.lab.ground.device import seeded
from mi_tutor.lab.superposition.fused import FusedToys
from mi_tutor.lab.superposition.sweep_batches import SweepBatches
from mi_tutor.lab.superposition.sweep_config import ToySweep
from mi_tutor.lab.superposition.sweep_threads import in_threads, split_sweep

N_RECORDS = 100  # losses kept along the way
N_EVALUATION = 2**16  # fresh samples behind each final loss
EVALUATION_SEED = 2**40  # far from the seeds people choose, so that these samples are fresh


class SweepResult(NamedTuple):
    """Trained models, one per instance, numbered as `ToySweep` says.

    `loss` is each model's `weighted_loss` after training, on fresh samples that are the same for
    all seeds. Row r of `history` is the loss on the training batch before step `steps[r]`.
    """

    W: Float[Tensor, "instance hidden feature"]
    b: Float[Tensor, "instance feature"]
    loss: Float[Tensor, "instance"]
    history: Float[Tensor, "record instance"]
    steps: Int[Tensor, "record"]


def train_sweep(
    sweep: ToySweep, device: torch.device | str | None = None, progress: bool = True
) -> SweepResult:
    """Train every model of a sweep at once, with Adam and a learning rate that falls to 0.

    Args:
        sweep: what to train.
        device: where to train. By default the CPU, so that a seed gives the same models on every
            machine; only sweeps that fill a GPU gain from one.
        progress: show a progress bar when training takes more than two seconds.

    Raises:
        FloatingPointError: if a model diverged.

    >>> sweep = ToySweep(n_features=5, n_hidden=2, probabilities=[1.0, 0.05], n_steps=300)
    >>> result = train_sweep(sweep)
    >>> result.W.shape, bool((result.loss < result.history[0]).all())
    (torch.Size([2, 2, 5]), True)
    """
    device = torch.device(device or "cpu")
    shares = split_sweep(sweep, torch.get_num_threads() if device.type == "cpu" else 1)
    bar = tqdm(total=len(shares) * sweep.n_steps, desc="training", delay=2, disable=not progress)
    results = in_threads(lambda share, tick: _train(share, device, tick), shares, bar)
    first = results[0]
    merged = SweepResult(
        W=torch.cat([result.W for result in results]),
        b=torch.cat([result.b for result in results]),
        loss=torch.cat([result.loss for result in results]),
        history=torch.cat([result.history for result in results], dim=1),
        steps=first.steps,
    )
    diverged = int((~merged.loss.isfinite()).sum())
    if diverged:
        raise FloatingPointError(
            f"{diverged} of {sweep.n_instances} models diverged; try a learning_rate below "
            f"{sweep.learning_rate}."
        )
    return merged


def best_of_seeds(sweep: ToySweep, result: SweepResult) -> SweepResult:
    """Keep the seed with the lowest final loss in each setting: one instance per setting.

    >>> sweep = ToySweep(n_features=2, n_hidden=1, probabilities=[1.0, 0.1], n_seeds=3, n_steps=9)
    >>> best_of_seeds(sweep, train_sweep(sweep)).loss.shape
    torch.Size([2])
    """
    loss = result.loss.view(-1, sweep.n_seeds)
    first_of_setting = torch.arange(len(loss), device=loss.device) * sweep.n_seeds
    best = first_of_setting + loss.argmin(dim=1)
    return SweepResult(
        result.W[best], result.b[best], result.loss[best], result.history[:, best], result.steps
    )


def _train(sweep: ToySweep, device: torch.device, tick: Callable[[], None]) -> SweepResult:
    generators = [seeded(sweep.seed + k, device) for k in range(sweep.n_seeds)]
    weights = _starting_weights(sweep, generators)
    batches = SweepBatches(sweep, generators)
    toys = _make_toys(sweep, weights, batches.max_part)
    record_every = math.ceil(sweep.n_steps / N_RECORDS)
    history = []
    for step in range(sweep.n_steps):
        losses = []
        for part, x in batches.parts():
            if step % record_every == 0:
                losses.append(toys.loss(x, part))
            toys.accumulate(x, part)
        toys.adam.step(sweep.learning_rate * (1 - step / sweep.n_steps))
        if losses:
            history.append(torch.cat(losses))
        tick()
    steps = torch.arange(0, sweep.n_steps, record_every, device=device)
    loss = _loss_on_fresh_samples(sweep, toys)
    return SweepResult(toys.W, toys.b, loss, torch.stack(history), steps)


def _starting_weights(
    sweep: ToySweep, generators: list[torch.Generator]
) -> Float[Tensor, "instance hidden feature"]:
    """Xavier-normal weights, drawn once per seed and used in all of its settings."""
    shape = (sweep.n_hidden, sweep.n_features)
    std = sweep.init_scale * math.sqrt(2 / sum(shape))
    per_seed = torch.stack([torch.randn(shape, generator=g, device=g.device) for g in generators])
    return std * per_seed.repeat(sweep.n_instances // sweep.n_seeds, 1, 1)


def _make_toys(
    sweep: ToySweep, W: Float[Tensor, "instance hidden feature"], max_part: int
) -> FusedToys:
    importance = torch.tensor(sweep.importances, device=W.device)
    per_setting = importance.repeat(len(sweep.probabilities), 1)
    return FusedToys(
        W,
        b=W.new_zeros(sweep.n_instances, sweep.n_features),
        importance=per_setting.repeat_interleave(sweep.n_seeds, dim=0),
        n_batch=sweep.n_batch,
        hidden_relu=sweep.hidden_relu,
        output_relu=sweep.output_relu,
        max_part=max_part,
    )


def _loss_on_fresh_samples(sweep: ToySweep, toys: FusedToys) -> Float[Tensor, "instance"]:
    batches = SweepBatches(sweep, [seeded(EVALUATION_SEED, toys.W.device)])
    n_rounds = math.ceil(N_EVALUATION / sweep.n_batch)
    total = torch.zeros(sweep.n_instances, device=toys.W.device)
    for _ in range(n_rounds):
        for part, x in batches.parts():
            total[part] += toys.loss(x, part)
    return total / n_rounds
