"""Units of two kinds, marked on the states of `atlas`: what `like-for-like` compares, and its placebos.

A side is units (latents, axes, neurons, random directions), how many of them take part, and how their threshold is
chosen. A placebo has random directions of what the side's units read in their place.
"""

from __future__ import annotations

import functools
from typing import Literal, NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from mi_tutor.lab.dictionaries import best_f1
from mi_tutor.lab.ground.device import seeded
from mi_tutor.lab.ground.plain import PlainTransformer, affine, plain_transformer
from mi_tutor.specimens.atlas.texts import labelled_texts
from mi_tutor.specimens.opening.dictionaries import open_dictionary
from mi_tutor.specimens.opening.models import open_specimen

LAYER = 2
ACTIVATIONS = ("attn_out", "mlp_in", "resid_mid", "mlp_out", "neurons")
DICTIONARIES = {"atlas-attn2": "attn_out", "atlas-mlp2": "mlp_in"}  # and what their latents read
N_DIRECTIONS = 256  # at random, each with its opposite
SETS = "ABC"  # of texts: two to choose and to mark on, one that took part in nothing
N_ROWS = 160
N_DRAWS = 40  # of units for a placebo, out of its pool
Threshold = Literal["zero", "chosen", "best"]


class Side(NamedTuple):
    """One side of a comparison.

    Attributes:
        units: "latents of atlas-attn2", "neurons", "axes of attn_out", "both signs of attn_out" or "random
            directions of attn_out".
        how_many: of them take part.
        threshold: 0; the best where the unit is chosen; or the best where it is marked.
    """

    units: str
    how_many: int
    threshold: Threshold

    @property
    def kind(self) -> str:
        """ "latents", "neurons", "axes", "both signs" or "random directions"."""
        return self.units.partition(" of ")[0]

    @property
    def reads(self) -> str:
        """The activation that its units read."""
        if self.kind == "neurons":
            return "mlp_in"
        place = self.units.partition(" of ")[2]
        return DICTIONARIES.get(place, place)


def all_sides() -> dict[str, int]:
    """The units that a comparison can have, and how many there are of each."""
    sides = {f"latents of {name}": open_dictionary(name).d_sae for name in DICTIONARIES}
    places = [place for place in ACTIVATIONS if place != "neurons"]
    sides["neurons"] = 512
    sides |= {f"axes of {place}": 128 for place in places}
    sides |= {f"both signs of {place}": 256 for place in places}
    return sides | {f"random directions of {place}": 2 * N_DIRECTIONS for place in places}


class Marks(NamedTuple):
    """Mean F1 over states: where it was marked, and again on texts that took part in nothing."""

    f1: float
    again: float


class Read(NamedTuple):
    """What stands where an answer about a state or country is due, in one set of texts.

    Attributes:
        rows: activation -> [token d]; also the neurons. labels: [token state].
    """

    rows: dict[str, Float[Tensor, "token d"]]
    labels: Bool[Tensor, "token state"]


@functools.cache
def _plain() -> PlainTransformer:
    return plain_transformer(open_specimen("atlas", device="cpu"))


@functools.lru_cache(maxsize=9)
@torch.no_grad()
def read_texts(draw: int, which: str) -> Read:
    """One of a draw's three sets of texts, all activations of the layer in one pass."""
    texts = labelled_texts(seed=800_000 + 10 * draw + SETS.index(which), n_rows=N_ROWS)
    about = texts.labels[:, :, texts.columns("state", "country")].any(dim=2)
    about[:, 0] = False
    plain = _plain()
    block, parts = plain.blocks[LAYER], []
    for tokens, here in zip(texts.tokens.split(64), about.split(64), strict=True):
        at = plain.activations(LAYER, tokens, until="mlp_out")
        mlp_in = plain.mlp_reads(block, at["resid_mid"][here])
        neurons = plain.activation(affine(mlp_in, block.mlp_in))
        parts.append(
            {name: at[name][here] for name in ("attn_out", "resid_mid", "mlp_out")}
            | {"mlp_in": mlp_in, "neurons": neurons}
        )
    rows = {name: torch.cat([part[name] for part in parts]) for name in ACTIVATIONS}
    return Read(rows, texts.labels[about][:, texts.columns("state")])


@torch.no_grad()
def units(side: Side, draw: int, which: str) -> Float[Tensor, "token unit"]:
    """The side's units on one set of texts."""
    rows = read_texts(draw, which).rows["neurons" if side.kind == "neurons" else side.reads]
    if side.kind == "latents":
        rows = open_dictionary(side.units.partition(" of ")[2]).encode(rows)
    elif side.kind == "random directions":
        rows = blank_units(draw, which, side.reads)
    elif side.kind == "both signs":
        rows = torch.cat([rows, -rows], dim=1)
    drawn = torch.randperm(all_sides()[side.units], generator=seeded(draw))
    return rows[:, drawn[: side.how_many]]


def blank_units(draw: int, which: str, place: str) -> Float[Tensor, "token unit"]:
    """As many random directions of an activation as may take part, around its mean, then minus the same."""
    rows = read_texts(draw, which).rows[place]
    directions = torch.randn(rows.shape[1], N_DIRECTIONS, generator=seeded(7_000 + draw))
    along = (rows - read_texts(draw, "A").rows[place].mean(dim=0)) @ directions
    return torch.cat([along, -along], dim=1)


def thresholds_of(
    rule: Threshold, choosing: tuple[Tensor, Tensor], marking: tuple[Tensor, Tensor]
) -> tuple[Float[Tensor, "unit state"], Float[Tensor, "unit state"]]:
    """F1 of each unit for each state where units are chosen, and the threshold with which it will be marked."""
    f1, cut = best_f1(*choosing, thresholds=rule != "zero")
    return f1, best_f1(*marking)[1] if rule == "best" else cut


@functools.lru_cache(maxsize=512)
def marks(side: Side, draw: int, choose: str, mark: str) -> Marks:
    """The best unit of each state, chosen on one set of texts, marked on another, and marked again on set C."""
    labels = {which: read_texts(draw, which).labels for which in (choose, mark, "C")}
    values = {which: units(side, draw, which) for which in labels}
    pairs = ((values[which], labels[which]) for which in (choose, mark))
    f1, cut = thresholds_of(side.threshold, *pairs)
    unit, states = f1.argmax(dim=0), torch.arange(f1.shape[1])

    def mean_f1(which: str) -> float:
        said = values[which][:, unit] > cut[unit, states]
        return f1_of(said, labels[which]).mean().item()

    return Marks(mean_f1(mark), mean_f1("C"))


def f1_of(
    said: Bool[Tensor, "token state"], there: Bool[Tensor, "token state"]
) -> Float[Tensor, state]:
    """2 right / (said + there), column by column.

    >>> f1_of(torch.tensor([[True], [False]]), torch.tensor([[True], [True]]))
    tensor([0.6667])
    """
    right = (said & there).sum(dim=0)
    return 2 * right / (said.sum(dim=0) + there.sum(dim=0)).clamp_min(1)


@functools.lru_cache(maxsize=512)
def placebo(side: Side, draw: int, choose: str, mark: str) -> float:
    """Mean F1 of random directions of what a side's units read, under its rules: nothing that anybody found.

    The mean of many draws of so many directions out of one pool, which is the same for both sides: a single draw
    is luck, by up to .03.
    """
    chosen, marked = _pool(side.reads, side.threshold, draw, choose, mark)
    generator, states = seeded(draw), torch.arange(chosen.shape[1])
    means = []
    for _ in range(N_DRAWS):
        if side.kind == "both signs":
            drawn = torch.randperm(N_DIRECTIONS, generator=generator)[: (side.how_many + 1) // 2]
            drawn = torch.cat([drawn, drawn + N_DIRECTIONS])
        else:
            drawn = torch.randperm(2 * N_DIRECTIONS, generator=generator)[: side.how_many]
        best = drawn[chosen[drawn].argmax(dim=0)]
        means.append(marked[best, states].mean().item())
    return sum(means) / len(means)


@functools.lru_cache(maxsize=16)
def _pool(
    place: str, rule: Threshold, draw: int, choose: str, mark: str
) -> tuple[Float[Tensor, "unit state"], Float[Tensor, "unit state"]]:
    """F1 of every blank unit for every state, where it is chosen and where it is marked."""
    choosing, marking = (
        (blank_units(draw, which, place), read_texts(draw, which).labels)
        for which in (choose, mark)
    )
    f1, cut = thresholds_of(rule, choosing, marking)
    values, labels = marking
    marked = [
        f1_of(unit[:, None] > at, labels) for unit, at in zip(values.unbind(1), cut, strict=True)
    ]
    return f1, torch.stack(marked)
