"""Chapter 02, dead latents: `resample`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from mi_tutor.lab import dictionaries as lab
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style, Tolerance
from mi_tutor.teach.exercises.dictionaries.dictionaries import weights
from mi_tutor.teach.exercises.making import GOES_ON, fresh_generator, normal, uniform
from mi_tutor.teach.session import seed_globally

SCALE = 0.2  # of a new encoder column, as a share of the living ones' mean length


def _planted(
    g: torch.Generator,
    n_dead: int,
    sizes: list[float],
    n_rows: int,
    directions: Tensor | None = None,
) -> dict[str, Any]:
    """Living latents that reconstruct three directions exactly, and rows with something more in other directions.

    sizes: how much of each other direction is in the rows that have it. All other rows are perfect.
    directions: the first three are the living latents', the next ones the others; by default at random.
    """
    d, n_living = 8, 3
    if directions is None:
        directions = normal(g, d, d, dtype=torch.float64)
    basis = torch.linalg.qr(directions.double()).Q.float()
    n = n_living + n_dead
    order = torch.randperm(n, generator=g)
    living, dead_at = order[:n_living], order[n_living:]
    W_dec, W_enc = F.normalize(normal(g, n, d), dim=1), 3 * normal(g, d, n)
    W_dec[living], W_enc[:, living] = basis[:n_living], basis[:n_living].T
    b_enc = torch.full((n,), -1e3)
    b_enc[living] = 0
    b_dec = 2 * normal(g, d)
    x = b_dec + uniform(g, n_rows, n_living, low=0.5, high=2.0) @ basis[:n_living]
    for i, size in enumerate(sizes):
        x[i :: 2 * len(sizes)] += size * basis[n_living + i]
    dead = torch.zeros(n, dtype=torch.bool)
    dead[dead_at] = True
    return {"W_enc": W_enc, "b_enc": b_enc, "W_dec": W_dec, "b_dec": b_dec, "x": x, "dead": dead}


def _resample_cases(g: torch.Generator) -> list[Case]:
    seeds = torch.randint(10_000, (6,), generator=g).tolist()
    ordinary = weights(g, 5, 12) | {"x": normal(g, 300, 5)}
    ordinary["dead"] = torch.arange(12) % 3 == 1
    alive = weights(g, 4, 6) | {"x": normal(g, 50, 4), "dead": torch.zeros(6, dtype=torch.bool)}
    spread = torch.eye(8)
    spread[3:7, 4] = 0.5  # as long as an axis, and spread over four
    settings = [
        ("one direction is reconstructed badly", _planted(g, 4, [1.5], 400)),
        ("a dictionary with random weights", ordinary),
        ("two directions, one with 2.5 times the loss", _planted(g, 1500, [1.0, 2.5**0.5], 1600)),
        (
            "an axis and a direction between axes, the same loss",
            _planted(g, 1500, [1.0, 1.0], 1600, spread),
        ),
        ("more dead latents than samples", _planted(g, 60, [1.5], 40)),
        ("no latent is dead", alive),
    ]
    return [
        Case(label=label, inputs=inputs | {"generator": fresh_generator(seed)})
        for (label, inputs), seed in zip(settings, seeds, strict=True)
    ]


def _run(answer: Any, *, generator: torch.Generator, **inputs: Any) -> dict[str, Any]:
    """The new weights; and whether all chance came from the generator."""
    copies = {name: tensor.clone() for name, tensor in inputs.items()}
    start = generator.get_state()
    new = answer(*inputs.values(), generator)
    if not isinstance(new, list | tuple):
        return {
            "new": new,
            "used": True,
            "same": True,
            "goes on": True,
        }  # no triple of weights, which will be told
    used = not inputs["dead"].any() or not torch.equal(start, generator.get_state())
    if len(inputs["x"]) > 1000:  # once is enough to count how often what is drawn
        return {"new": new, "used": used, "same": True, "goes on": True}
    after = generator.get_state()
    generator.set_state(start)
    seed_globally(1)
    again = answer(*copies.values(), generator)
    same = all(torch.equal(a, b) for a, b in zip(new, again, strict=True))
    generator.set_state(after)
    answer(*copies.values(), generator)
    goes_on = not inputs["dead"].any() or not torch.equal(after, generator.get_state())
    return {"new": new, "used": used, "same": same, "goes on": goes_on}


def _errors(W_enc, b_enc, W_dec, b_dec, x) -> Tensor:
    return x - lab.Sae(W_enc=W_enc, b_enc=b_enc, W_dec=W_dec, b_dec=b_dec)(x)


def _view(value, W_enc, b_enc, W_dec, b_dec, x, dead, generator) -> dict[str, Any]:
    """What can be said about the new weights whatever was drawn."""
    new_enc, new_b, new_dec = (each.float() for each in value["new"])  # more precise is as good
    shapes = [list(each.shape) for each in (new_enc, new_b, new_dec)]
    view: dict[str, Any] = {"the shapes": shapes}
    if shapes != [list(each.shape) for each in (W_enc, b_enc, W_dec)]:
        return view
    view |= {
        "the living latents' encoder": new_enc[:, ~dead],
        "the living latents' bias": new_b[~dead],
        "the living latents' decoder": new_dec[~dead],
        "whether something is drawn from `generator`": value["used"],
        "whether the same generator gives the same draw": value["same"],
        GOES_ON: value["goes on"],
    }
    if not dead.any():
        return view
    reads, writes = new_enc[:, dead].T, new_dec[dead]
    error = _errors(W_enc, b_enc, W_dec, b_dec, x)
    bad = error.norm(dim=1) > 1e-3
    closeness = F.normalize(writes[:40], dim=1) @ F.normalize(error[bad], dim=1).T
    return view | {
        "the new bias": new_b[dead],
        "the length of the new decoder rows": writes.norm(dim=1),
        "the length of the new encoder columns": reads.norm(dim=1),
        "cosine of what a new latent reads and what it writes": F.cosine_similarity(reads, writes),
        "cosine of a new decoder row with the nearest thing that is missing": closeness.amax(dim=1),
        "how often what is missing most was drawn": _most_missed(writes, error),
    }


def _most_missed(writes: Tensor, error: Tensor) -> float:
    """The share of new rows along the largest error; 1 and 0 say nothing where only few rows are new."""
    if len(writes) < 100:
        return 0.0
    worst = error[error.norm(dim=1).argmax()]
    return (F.cosine_similarity(writes, worst[None]) > 0.99).float().mean().item()


def _resampled(
    *,
    chance: Callable = lambda error, x: error.square().sum(1).square(),
    direction: Callable = lambda error, x, b_dec: error,
    which: Callable = lambda dead: dead,
    scale: float = SCALE,
    length: Callable = lambda W_enc, dead: W_enc[:, ~dead].norm(dim=0).mean(),
    bias: bool = True,
    unit: bool = True,
    seeded: bool = True,
    in_place: bool = False,
    encoder: bool = True,
) -> Callable:
    """The reference in the open, with one thing at a time done otherwise."""

    def answer(W_enc, b_enc, W_dec, b_dec, x, dead, generator):
        error = _errors(W_enc, b_enc, W_dec, b_dec, x)
        if not in_place:
            W_enc, b_enc, W_dec = W_enc.clone(), b_enc.clone(), W_dec.clone()
        dead = which(dead)
        n = int(dead.sum())
        if n == 0:
            return W_enc, b_enc, W_dec
        drawn = torch.multinomial(
            chance(error, x), n, replacement=True, generator=generator if seeded else None
        )
        writes = direction(error, x, b_dec)[drawn]
        reads = F.normalize(writes, dim=1)
        W_dec[dead] = reads if unit else writes
        if encoder:
            W_enc[:, dead] = scale * length(W_enc, dead) * reads.T
        if bias:
            b_enc[dead] = 0
        return W_enc, b_enc, W_dec

    return answer


def _one_by_one(W_enc, b_enc, W_dec, b_dec, x, dead, generator):
    new = [W_enc.clone(), b_enc.clone(), W_dec.clone()]
    f = torch.relu((x - b_dec) @ W_enc + b_enc)
    error = x - (f @ W_dec + b_dec)
    edges = error.pow(2).sum(1).pow(2).double().cumsum(0)
    size = torch.linalg.vector_norm(W_enc[:, ~dead], dim=0).mean() / 5
    for i in dead.nonzero().flatten().tolist():
        at = torch.rand(1, generator=generator, dtype=torch.float64) * edges[-1]
        row = error[torch.searchsorted(edges, at)[0].clamp(max=len(x) - 1)]
        new[2][i] = row / row.norm()
        new[0][:, i] = size * row / row.norm()
        new[1][i] = 0.0
    return new


RESAMPLE = Exercise(
    slug="resample",
    title="Start again where it hurts",
    chapter="02",
    points=3,
    minutes=12,
    difficulty=3,
    objective="Bring dead latents back: let them start again at what the dictionary reconstructs badly, and leave the living ones alone.",
    cases=_resample_cases,
    reference=_resampled(),
    run=_run,
    view=_view,
    tolerance={
        "cosine of what a new latent reads and what it writes": Tolerance(0.0, 1e-3),
        "cosine of a new decoder row with the nearest thing that is missing": Tolerance(0.0, 1e-3),
        # 1,500 draws at a chance of 0.86: the difference of two such shares has a standard error of 0.013. With the
        # loss itself the chance would be 0.71, with its power 3/2 0.80.
        "how often what is missing most was drawn": Tolerance(0.0, 0.045),
    },
    styles=(
        Style(
            name="chances that sum to 1, in double precision",
            right=_resampled(
                chance=lambda error, x: F.normalize(error.double().norm(dim=1).pow(4), p=1, dim=0)
            ),
        ),
        Style(name="one after another, by cumulated chances", right=_one_by_one),
    ),
    mistakes=(
        Mistake(
            name="every latent resampled",
            wrong=_resampled(
                which=torch.ones_like, length=lambda W_enc, dead: W_enc.norm(dim=0).mean()
            ),
            sentence="Living latents have changed too. Only dead ones start again; what works stays as it is.",
        ),
        Mistake(
            name="living ones resampled, dead ones left",
            wrong=_resampled(
                which=torch.logical_not,
                length=lambda W_enc, dead: W_enc[:, dead].norm(dim=0).mean(),
            ),
            sentence="You resample the latents that are alive and leave the dead ones dead: the mask is upside down.",
        ),
        Mistake(
            name="none resampled",
            wrong=lambda W_enc, b_enc, W_dec, *rest: (W_enc.clone(), b_enc.clone(), W_dec.clone()),
            sentence="Nothing has changed: the dead latents are still where they were. Write into copies, and return these.",
        ),
        Mistake(
            name="any input alike",
            wrong=_resampled(chance=lambda error, x: torch.ones(len(x))),
            sentence="You draw every input with the same chance, so most new latents start at inputs that are reconstructed well already. Weight "
            "with the squared loss.",
        ),
        Mistake(
            name="loss not squared",
            wrong=_resampled(chance=lambda error, x: error.square().sum(1)),
            sentence="Your chances are proportional to the loss. They should be proportional to its SQUARE: (||x - x'||²)².",
        ),
        Mistake(
            name="squared before the sum",
            wrong=_resampled(chance=lambda error, x: error.pow(4).sum(1)),
            sentence="Your chances are sums of fourth powers, which favour errors along an axis. First sum the squares, that is the loss; then square the sum.",
        ),
        Mistake(
            name="another power of the loss",
            wrong=_resampled(chance=lambda error, x: error.norm(dim=1).pow(3)),
            sentence="Your chances grow with another power of the loss than its square: (||x - x'||²)², the fourth power of the error's length.",
        ),
        Mistake(
            name="always the worst",
            wrong=_resampled(
                chance=lambda error, x: F.one_hot(error.norm(dim=1).argmax(), len(x)).float()
            ),
            sentence="All dead latents start at one and the same input, so they all become the same latent. Draw one input for each, with chances.",
        ),
        Mistake(
            name="the input's direction",
            wrong=_resampled(direction=lambda error, x, b_dec: x),
            sentence="Your new latents write the direction of the INPUT, as in Bricken et al. 2023. Here take what is missing, x - x': the rest of "
            "x is explained by others already.",
        ),
        Mistake(
            name="the centred input's direction",
            wrong=_resampled(direction=lambda error, x, b_dec: x - b_dec),
            sentence="Your new latents write the direction of x - b_dec. Take what is missing, x - x': the rest is explained by other latents "
            "already.",
        ),
        Mistake(
            name="the other sign",
            wrong=_resampled(direction=lambda error, x, b_dec: -error),
            sentence="Your direction is x' - x, and latents are never negative: they would push further away from x. Take x - x'.",
        ),
        Mistake(
            name="decoder row not of length 1",
            wrong=_resampled(unit=False),
            sentence="Your new decoder rows are as long as the error. Scale them to length 1, like all others.",
        ),
        Mistake(
            name="encoder at full length",
            wrong=_resampled(scale=1.0),
            sentence="Your new encoder columns are as long as the living ones' mean. Take 0.2 times that, so that a new latent starts softly.",
        ),
        Mistake(
            name="encoder of length 0.2",
            wrong=_resampled(length=lambda W_enc, dead: 1.0),
            sentence="Your new encoder columns have length 0.2. They should have 0.2 times the MEAN length of the living latents' columns.",
        ),
        Mistake(
            name="mean length of all columns",
            wrong=_resampled(length=lambda W_enc, dead: W_enc.norm(dim=0).mean()),
            sentence="You take the mean length of all encoder columns. The dead ones' should not count: what they look like is what went wrong.",
        ),
        Mistake(
            name="bias kept",
            wrong=_resampled(bias=False),
            sentence="The new latents keep their old b_enc. If that is what kept them silent they are dead at once: set it to 0.",
        ),
        Mistake(
            name="encoder kept",
            wrong=_resampled(encoder=False),
            sentence="The new latents write in a new direction and still read their old one. The encoder column starts again too.",
        ),
        Mistake(
            name="another source of chance",
            wrong=_resampled(seeded=False),
            sentence="The draw does not come from `generator`: the same seed gives other latents. Pass it to torch.multinomial.",
        ),
        Mistake(
            name="in place",
            wrong=_resampled(in_place=True),
            sentence="The result is right, but the weights that you were given have changed too. Write into copies.",
        ),
    ),
    hints=(
        "First the error x - x' of every input, and its loss: the sum of squares over dimensions.",
        "`torch.multinomial(chances, n, replacement=True, generator=generator)` draws n rows; chances need not add up to 1. With no dead latent "
        "there is nothing to draw.",
        "A mask picks rows of W_dec by `W_dec[dead]`, and columns of W_enc by `W_enc[:, dead]`, which wants its values as [d, n].",
    ),
)
