"""Units that chapter 02 does not show, marked as fairly as in `like-for-like`: what follows from its comparisons."""

from __future__ import annotations

import functools

import torch
from torch import Tensor

from mi_tutor.lab.dictionaries import best_f1
from mi_tutor.specimens.atlas.sides import DICTIONARIES, Side, f1_of, marks, placebo, read_texts
from mi_tutor.specimens.opening.dictionaries import open_dictionary

ATTENTION, MLP = DICTIONARIES  # the two dictionaries
PREDICTED = {
    "attention, label directions": "one direction per state, made from labels, of what attention writes",
    "mlp, label directions": "the same of what the MLP reads",
    "attention, encoder": "x @ W_enc of atlas-attn2",
    "attention, decoder": "x @ W_dec.T of atlas-attn2",
}
STATEMENTS = {
    "a": "neurons say states better than as many random directions of what they read",
    "b": "what the MLP reads has no direction that says its state much better than the transcoder's latents",
    "c": "attention's latents, which saw no label, say states at least as well as directions made from labels",
    "d": "attention's latents owe their mark to bias and ReLU more than to their directions",
    "e": "the direction that a latent writes says its state as well as the one that it reads",
    "f": "with the threshold 0 for both sides the latents of attention win by less",
}


def _rows(draw: int, place: str) -> list[tuple[Tensor, Tensor]]:
    """Activations and states of the texts for choosing and of those for marking."""
    return [(read.rows[place], read.labels) for read in (read_texts(draw, each) for each in "AB")]


def _mean_f1(directions: Tensor, draw: int, place: str, own: bool = False) -> float:
    """Mean F1 along directions [d unit]: the best for each state chosen on A, or unit k for state k; marked on B."""
    (choosing, labels), (marking, there) = _rows(draw, place)
    f1, cut = best_f1(choosing @ directions, labels)
    states = torch.arange(labels.shape[1])
    unit = states if own else f1.argmax(dim=0)
    said = (marking @ directions)[:, unit] > cut[unit, states]
    return f1_of(said, there).mean().item()


def label_directions(draw: int, place: str) -> Tensor:
    """For each state the mean where it is asked about minus the mean of all tokens, on set A: [d state]."""
    rows, labels = _rows(draw, place)[0]
    there = labels.float()
    return rows.T @ there / there.sum(dim=0).clamp_min(1) - rows.mean(dim=0)[:, None]


@functools.lru_cache(maxsize=8)
@torch.no_grad()
def further(draw: int) -> dict[str, float]:
    """The mean F1 of the units that are not shown."""
    made = open_dictionary(ATTENTION)
    labelled = {
        name: _mean_f1(label_directions(draw, place), draw, place, own=True)
        for name, place in (("attention", "attn_out"), ("mlp", "mlp_in"))
    }
    return {
        "attention, label directions": labelled["attention"],
        "mlp, label directions": labelled["mlp"],
        "attention, encoder": _mean_f1(made.W_enc, draw, "attn_out"),
        "attention, decoder": _mean_f1(made.W_dec.T, draw, "attn_out"),
    }


@functools.lru_cache(maxsize=8)
@torch.no_grad()
def verdicts(draw: int) -> dict[str, tuple[bool, str]]:
    """Whether each statement is so, and the numbers that say it."""
    f1, found = further(draw), {}
    rules = draw, "A", "B"
    latents, latents_at_0 = (
        marks(Side(f"latents of {ATTENTION}", 320, rule), *rules).f1 for rule in ("chosen", "zero")
    )
    signs, signs_at_0 = (
        marks(Side("both signs of attn_out", 256, rule), *rules).f1 for rule in ("chosen", "zero")
    )
    transcoder = marks(Side(f"latents of {MLP}", 512, "chosen"), *rules).f1
    neurons = marks(Side("neurons", 512, "chosen"), *rules).f1
    blank = placebo(Side("neurons", 512, "chosen"), *rules)
    labelled = f1["attention, label directions"], f1["mlp, label directions"]
    encoder, decoder = f1["attention, encoder"], f1["attention, decoder"]
    found["a"] = neurons - blank >= 0.03, f"neurons {neurons:.2f}, random directions {blank:.2f}"
    found["b"] = (
        labelled[1] - transcoder < 0.15,
        (f"directions made from labels {labelled[1]:.2f}, its latents {transcoder:.2f}"),
    )
    found["c"] = (
        labelled[0] <= latents,
        (f"directions made from labels {labelled[0]:.2f}, latents {latents:.2f}"),
    )
    found["d"] = encoder < latents - 0.1, f"along encoders {encoder:.2f}, latents {latents:.2f}"
    found["e"] = decoder >= encoder - 0.05, f"decoders {decoder:.2f}, encoders {encoder:.2f}"
    found["f"] = (
        latents_at_0 - signs_at_0 < latents - signs,
        (
            f"a difference of {latents_at_0 - signs_at_0:.2f} at 0, {latents - signs:.2f} with chosen thresholds"
        ),
    )
    return found
