"""Computing in superposition: networks that output |x| of more features than they have pairs of
neurons for (Elhage et al. 2022).

|x| = ReLU(x) + ReLU(-x), so two neurons per feature solve the task exactly. With fewer neurons and
dense inputs a network serves the most important features and gives up the others. With sparse
inputs it lets its neurons serve several features at once.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from tqdm.auto import tqdm

from mi_tutor.lab.ground.device import seeded
from mi_tutor.lab.superposition.sweep import EVALUATION_SEED
from mi_tutor.lab.superposition.sweep_batches import SweepBatches
from mi_tutor.lab.superposition.sweep_config import ToySweep
from mi_tutor.lab.superposition.sweep_threads import in_threads, split_sweep

N_EVALUATION = 2**14  # fresh samples behind each final loss


class AbsoluteResult(NamedTuple):
    """Trained networks, numbered as `ToySweep` says. `loss` is measured on fresh samples."""

    W_in: Float[Tensor, "instance neuron feature"]
    W_out: Float[Tensor, "instance feature neuron"]
    b: Float[Tensor, "instance feature"]
    loss: Float[Tensor, "instance"]


def absolute_forward(
    x: Float[Tensor, "*batch feature"],
    W_in: Float[Tensor, "neuron feature"],
    W_out: Float[Tensor, "feature neuron"],
    b: Float[Tensor, "feature"],
) -> Float[Tensor, "*batch feature"]:
    """y' = ReLU(W_out ReLU(W_in x) + b), trained towards y = |x|.

    >>> W_in = torch.tensor([[1.0], [-1.0]])  # one neuron per sign
    >>> absolute_forward(torch.tensor([[-0.5], [0.25]]), W_in, W_in.abs().T, torch.zeros(1))
    tensor([[0.5000],
            [0.2500]])
    """
    neurons = torch.relu(x @ W_in.T)
    return torch.relu(neurons @ W_out.T + b)


def absolute_dedicated_loss(sweep: ToySweep) -> Float[Tensor, "instance"]:
    """Expected loss WITHOUT superposition: two neurons for each of the most important features.

    Those are then exact. A feature without neurons is best predicted by a constant, the mean p/2
    of |x|, at the price of its variance: I_i (p_i/3 - p_i²/4). A neuron left over by an odd number
    is not counted, though it can do one sign of one more feature.

    >>> sweep = ToySweep(n_features=2, n_hidden=2, probabilities=[1.0], importances=[[1.0, 0.6]])
    >>> absolute_dedicated_loss(sweep)
    tensor([0.0500])
    """
    p, importance = torch.tensor(sweep.probabilities), torch.tensor(sweep.importances)
    price = importance * (p / 3 - p**2 / 4).unsqueeze(1)
    served = sweep.n_hidden // 2
    unserved = price.sort(dim=-1, descending=True).values[..., served:]
    return unserved.sum(dim=-1).flatten().repeat_interleave(sweep.n_seeds)


def neuron_focus(
    W_in: Float[Tensor, "*instance neuron feature"],
    W_out: Float[Tensor, "*instance feature neuron"],
) -> Float[Tensor, "*instance neuron"]:
    """Share of a neuron's work that goes to its main feature: 1 is specialised, 1/n evenly shared.

    A neuron helps feature i by the path from x_i through the neuron to output i,
    c_i = |W_in[n, i]| · ReLU(W_out[i, n]); the focus is max_i c_i / Σ_i c_i. A neuron that helps
    no feature has focus 0.

    >>> W_in = torch.tensor([[1.0, 0.0], [2.0, -1.0]])
    >>> W_out = torch.tensor([[1.0, 1.0], [0.0, 2.0]])
    >>> neuron_focus(W_in, W_out)
    tensor([1.0000, 0.5000])
    """
    work = W_in.abs() * torch.relu(W_out).mT
    total = work.sum(dim=-1)
    return torch.where(total > 0, work.amax(dim=-1) / total.where(total > 0, 1.0), 0.0)


def train_absolute(
    sweep: ToySweep, device: torch.device | str | None = None, progress: bool = True
) -> AbsoluteResult:
    """Train networks to output |x|, one for each probability x importance x seed.

    A feature that is on is uniform in [-1, 1). The loss is `weighted_loss` against |x|. The sweep's
    `n_hidden` is the number of neurons, which always have their ReLU. Small starting weights
    (`init_scale` around 0.2) matter: from large ones, outputs overshoot below zero, where their
    ReLU passes no gradient, and never come back.

    Args:
        sweep: what to train; its features must be independent.
        device: where to train, by default the CPU.
        progress: show a progress bar when training takes more than two seconds.

    Raises:
        ValueError: if the sweep asks for paired features.

    >>> sweep = ToySweep(n_features=4, n_hidden=4, probabilities=[0.1], n_steps=20)
    >>> train_absolute(sweep).W_in.shape
    torch.Size([1, 4, 4])
    """
    if sweep.features != "independent":
        raise ValueError(f"train_absolute needs independent features; saw {sweep.features!r}.")
    device = torch.device(device or "cpu")
    shares = split_sweep(sweep, torch.get_num_threads() if device.type == "cpu" else 1)
    bar = tqdm(total=len(shares) * sweep.n_steps, desc="training", delay=2, disable=not progress)
    results = in_threads(lambda share, tick: _train(share, device, tick), shares, bar)
    return AbsoluteResult(*(torch.cat(parts) for parts in zip(*results, strict=True)))


def _train(sweep: ToySweep, device: torch.device, tick: Callable[[], None]) -> AbsoluteResult:
    generators = [seeded(sweep.seed + k, device) for k in range(sweep.n_seeds)]
    W_in, W_out = _starting_weights(sweep, generators)
    b = torch.zeros(sweep.n_instances, sweep.n_features, device=device, requires_grad=True)
    importance = torch.tensor(sweep.importances, device=device)
    importance = importance.repeat(len(sweep.probabilities), 1)
    importance = importance.repeat_interleave(sweep.n_seeds, dim=0)

    def losses(x: Float[Tensor, "part feature sample"], part: slice) -> Float[Tensor, "part"]:
        x = torch.where(x > 0, 2 * x - 1, 0.0)  # on: from uniform in (0, 1] to (-1, 1]
        neurons = torch.relu(torch.bmm(W_in[part], x))
        y_hat = torch.relu(torch.baddbmm(b[part].unsqueeze(2), W_out[part], neurons))
        return (importance[part] * ((y_hat - x.abs()) ** 2).mean(dim=2)).sum(dim=1)

    optimizer = torch.optim.Adam([W_in, W_out, b])
    batches = SweepBatches(sweep, generators)
    for step in range(sweep.n_steps):
        optimizer.param_groups[0]["lr"] = sweep.learning_rate * (1 - step / sweep.n_steps)
        optimizer.zero_grad()
        for part, x in batches.parts():
            losses(x, part).sum().backward()
        optimizer.step()
        tick()

    fresh = SweepBatches(sweep, [seeded(EVALUATION_SEED, device)])
    n_rounds = math.ceil(N_EVALUATION / sweep.n_batch)
    with torch.no_grad():
        rounds = [
            torch.cat([losses(x, part) for part, x in fresh.parts()]) for _ in range(n_rounds)
        ]
    loss = torch.stack(rounds).mean(dim=0)
    return AbsoluteResult(W_in.detach(), W_out.detach(), b.detach(), loss)


def _starting_weights(
    sweep: ToySweep, generators: list[torch.Generator]
) -> tuple[Float[Tensor, "instance neuron feature"], Float[Tensor, "instance feature neuron"]]:
    """Xavier-normal weights, drawn once per seed and used in all of its settings."""
    n_settings = sweep.n_instances // sweep.n_seeds
    std = sweep.init_scale * math.sqrt(2 / (sweep.n_features + sweep.n_hidden))

    def draw(*shape: int) -> Tensor:
        draws = [torch.randn(shape, generator=g, device=g.device) for g in generators]
        return (std * torch.stack(draws)).repeat(n_settings, 1, 1).requires_grad_()

    return draw(sweep.n_hidden, sweep.n_features), draw(sweep.n_features, sweep.n_hidden)
