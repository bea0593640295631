"""A guard made of latents, and how it is passed: a dashboard that reads "refuse" does not prove a refusal.

    x  = x_hat + e             what the dictionary says, and what it leaves out
    guard on  <=>  f_i(x) > t_i for one i of a few
    clamp:    x + sum_i (max(f_i(x), c_i) - f_i(x)) W_dec[i]        e stays as it is

Whatever is added to the stream off the encoder's and decoder's directions of the latents in use changes none of
them. It is all in e, and later layers read e too.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from mi_tutor.lab.dictionaries import Sae
from mi_tutor.lab.ground.plain import PlainTransformer
from mi_tutor.lab.steering.refusing import project_out

Clamp = Callable[[Tensor], Tensor]


class Score(NamedTuple):
    """How a yes-no answer did: precision, recall and their harmonic mean. A ratio 0 / 0 counts as 0."""

    precision: float
    recall: float
    f1: float


class Guard(NamedTuple):
    """Some latents, each with the threshold above which it counts as on. The guard is on if one of them is."""

    latents: Int[Tensor, "watched"]
    thresholds: Float[Tensor, "watched"]

    def on(self, activations: Float[Tensor, "*row latent"]) -> Bool[Tensor, "*row"]:
        """Whether the guard is on, from all latents of the dictionary."""
        return (activations[..., self.latents] > self.thresholds).any(dim=-1)


def guard_score(
    activations: Float[Tensor, "row latent"],
    latents: Int[Tensor, "watched"],
    thresholds: Float[Tensor, "watched"],
    harmful: Bool[Tensor, "row"],
) -> Score:
    """Precision, recall and F1 of a guard, on requests of both kinds.

    >>> latents, harmful = torch.tensor([[1.0], [0.0]]), torch.tensor([True, False])
    >>> guard_score(latents, torch.tensor([0]), torch.tensor([0.5]), harmful)
    Score(precision=1.0, recall=1.0, f1=1.0)
    """
    return score_of(Guard(latents, thresholds).on(activations), harmful)


def score_of(said: Bool[Tensor, "row"], true: Bool[Tensor, "row"]) -> Score:
    """Precision, recall and F1 of what is said of rows."""
    right = (said & true).sum().item()
    precision, recall = (right / max(1, each.sum().item()) for each in (said, true))
    return Score(precision, recall, 2 * right / max(1, (said.sum() + true.sum()).item()))


def fit_guard(
    activations: Float[Tensor, "row latent"], harmful: Bool[Tensor, "row"], n_latents: int = 2
) -> Guard:
    """Choose latents and thresholds one after another, each so that F1 with those chosen before is the highest.

    A threshold stands halfway between two values that occur, the lowest between 0 and the smallest above it.

    >>> guard = fit_guard(torch.tensor([[0.0, 3.0], [2.0, 0.0], [0.0, 0.0]]), torch.tensor([True, True, False]))
    >>> guard.latents.tolist(), guard.thresholds.tolist()
    ([0, 1], [1.0, 1.5])
    """
    on = torch.zeros(len(activations), dtype=torch.bool, device=activations.device)
    chosen: list[tuple[int, float]] = []
    for _ in range(n_latents):
        best = (-1.0, 0, 0.0)
        for latent in range(activations.shape[1]):
            values = activations[:, latent]
            levels = torch.cat([values.new_zeros(1), values[values > 0].unique()])
            for threshold in ((levels[1:] + levels[:-1]) / 2).tolist():
                f1 = score_of(on | (values > threshold), harmful).f1
                if f1 > best[0]:
                    best = (f1, latent, threshold)
        chosen.append(best[1:])
        on = on | (activations[:, best[1]] > best[2])
    latents, thresholds = zip(*chosen, strict=True)
    return Guard(activations.new_tensor(latents).long(), activations.new_tensor(thresholds))


def clamped_on(
    x: Float[Tensor, "*row d"],
    activations: Float[Tensor, "*row latent"],
    W_dec: Float[Tensor, "latent d"],
    latents: Int[Tensor, "watched"],
    values: Float[Tensor, "watched"],
) -> Float[Tensor, "*row d"]:
    """The stream with some latents raised to at least their values; all else stays, the error too.

    >>> clamped_on(torch.zeros(2), torch.tensor([0.5, 3.0]), torch.eye(2), torch.tensor([0, 1]), torch.ones(2))
    tensor([0.5000, 0.0000])
    """
    return x + (values - activations[..., latents]).relu() @ W_dec[latents]


def clamp_on(
    x: Float[Tensor, "*row d"], sae: Sae, latents: Int[Tensor, "watched"], values: Tensor
) -> Float[Tensor, "*row d"]:
    """The same with a dictionary's own activations (`clamped_on`)."""
    return clamped_on(x, sae.encode(x), sae.W_dec, latents, values)


class Parts(NamedTuple):
    """A stream in two parts that sum to it."""

    said: Float[Tensor, "*row d"]
    left_out: Float[Tensor, "*row d"]


def parts(x: Float[Tensor, "*row d"], sae: Sae) -> Parts:
    """What a dictionary says about a stream (its reconstruction), and what it leaves out (the error)."""
    said = sae(x)
    return Parts(said, x - said)


def crossed(
    x: Float[Tensor, "*row d"], other: Float[Tensor, "*row d"], sae: Sae
) -> tuple[Float[Tensor, "*row d"], Float[Tensor, "*row d"]]:
    """Two mixed streams: what is said of x with what is left out of the other, and the reverse.

    If the behaviour follows the first part it flows through the latents; if the second, through the error.
    """
    here, there = parts(x, sae), parts(other, sae)
    return here.said + there.left_out, there.said + here.left_out


def unseen(
    vector: Float[Tensor, "d"], sae: Sae, latents: Int[Tensor, "active"], longest: float
) -> Float[Tensor, "d"]:
    """The same for latents of a dictionary (`unseen_part`)."""
    return unseen_part(vector, sae.W_enc, sae.W_dec, latents, longest)


def unseen_part(
    vector: Float[Tensor, "d"],
    W_enc: Float[Tensor, "d latent"],
    W_dec: Float[Tensor, "latent d"],
    latents: Int[Tensor, "active"],
    longest: float,
) -> Float[Tensor, "d"]:
    """The part of a vector that some latents neither read nor write, no longer than `longest`."""
    rows = torch.cat([W_enc[:, latents].mT, W_dec[latents]])
    hidden = project_out(vector, rows)
    return hidden * (longest / hidden.norm().clamp_min(longest))


def latents_in_use(activations: Float[Tensor, "*row latent"]) -> Int[Tensor, "active"]:
    """The numbers of the latents that are on in at least one row."""
    return (activations.flatten(0, -2) > 0).any(dim=0).nonzero()[:, 0]


def guarded_logits(
    plain: PlainTransformer,
    stream: Float[Tensor, "prompt pos d_model"],
    layer: int,
    change: Float[Tensor, "*prompt d_model"],
    clamp: Clamp | None = None,
) -> Float[Tensor, "prompt vocab"]:
    """What the model says after a change at the last position of a stream, and then the clamp.

    clamp: a function of that position's stream. It comes AFTER the change: the guard has the last word.
    """
    last = stream[:, -1] + change
    last = last if clamp is None else clamp(last)
    edited = torch.cat([stream[:, :-1], last[:, None]], dim=1)
    return plain.logits_after(layer - 1, edited, read=-1)[:, 0]


def search_unseen(
    plain: PlainTransformer,
    stream: Float[Tensor, "prompt pos d_model"],
    layer: int,
    sae: Sae,
    clamp: Clamp | None,
    away: int,
    towards: int,
    longest: float,
    seed: int = 0,
    n_steps: int = 80,
    rate: float = 0.3,
    margin: float = 3.0,
) -> Float[Tensor, "d_model"]:
    """One vector, off the latents in use, after which the guarded model answers these requests. By gradient.

    Off are the encoder and decoder directions of all latents that are on at the last position of some request.
    """
    active = latents_in_use(sae.encode(stream[:, -1]))
    generator = torch.Generator().manual_seed(seed)
    vector = (0.1 * torch.randn(stream.shape[-1], generator=generator)).requires_grad_()
    optimizer = torch.optim.Adam([vector], lr=rate)
    with torch.enable_grad():
        for _ in range(n_steps):
            rows = torch.randint(len(stream), (32,), generator=generator)
            hidden = unseen(vector, sae, active, longest)
            logits = guarded_logits(plain, stream[rows], layer, hidden, clamp)
            loss = (logits[:, away] - logits[:, towards] + margin).relu().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return unseen(vector.detach(), sae, active, longest)
