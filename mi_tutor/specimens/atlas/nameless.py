"""Ten latents of a dictionary that a chapter hands over without their names; which they are is measured.

A name here is a list of concepts: the latent is on where a token before an answer carries at least one of
them. Some have none that predicts them better than "everywhere" does; the most frequent of these are handed over,
since for them "everywhere" already has a fair F1.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import torch
from jaxtyping import Bool
from torch import Tensor, nn

from mi_tutor.lab.dictionaries import activation_rows, feature_splitting, score_a_label
from mi_tutor.specimens.atlas.texts import LabelledTexts, labelled_texts
from mi_tutor.specimens.opening.dictionaries import open_dictionary
from mi_tutor.specimens.opening.models import open_specimen

DICTIONARY, HOOK = "atlas-attn1", "blocks.1.hook_attn_out"
GAIN, MOST = 0.02, 8  # in F1 by each further concept of a name, and so many at most
# Skill of the best name of a latent that has one, and of one that has none.
FITS, FITS_NOT = 0.8, 0.1
RARE = 60  # tokens before an answer on which a latent has to be on, to be handed over
KINDS = {"one": 1, "mixed": 3, "several": 3}  # of names (`_kind`) -> how many such latents
N_NAMELESS = 3


class Reading(NamedTuple):
    """Where latents are on and what tokens carry, at the tokens before an answer.

    Attributes:
        on: [token latent]. labels: [token concept]. concepts: their names.
    """

    on: Bool[Tensor, "token latent"]
    labels: Bool[Tensor, "token concept"]
    concepts: tuple[str, ...]


@functools.cache
def _model() -> nn.Module:
    return open_specimen("atlas", device="cpu")


@torch.no_grad()
def before_answers(seed: int, n_rows: int = 300) -> Reading:
    """What stands before answers in some texts, and which latents of the dictionary are on there."""
    texts: LabelledTexts = labelled_texts(seed=seed, n_rows=n_rows)
    here = texts.chosen[:, 1:].flatten()
    rows = activation_rows(_model(), texts.tokens, HOOK)[here]
    labels = texts.labels[:, 1:].flatten(0, 1)[here]
    return Reading(open_dictionary(DICTIONARY).encode(rows) > 0, labels, texts.concepts)


class Named(NamedTuple):
    """A latent, the best name that was found for it (None: none fits), and how its first concept does alone."""

    latent: int
    name: tuple[str, ...] | None
    alone: float


@functools.cache
def handed_over() -> tuple[Named, ...]:
    """The ten latents, by number: those that need several concepts most, and some without a name."""
    first, second = before_answers(600_000), before_answers(600_001)
    by_kind: dict[str, list[tuple[float, Named]]] = {kind: [] for kind in KINDS}
    nameless: list[tuple[int, Named]] = []
    for latent in (first.on.sum(dim=0) >= RARE).nonzero()[:, 0].tolist():
        found = feature_splitting(first.labels, first.on[:, latent], GAIN, MOST).latents
        f1 = _f1(second, latent, found)
        name = tuple(first.concepts[i] for i in found)
        alone = _f1(second, latent, found[:1])
        fits = skill(f1, second.on[:, latent])
        if fits >= FITS:
            by_kind[_kind(name)].append((alone - f1, Named(latent, name, alone)))
        elif fits < FITS_NOT:
            count = int(first.on[:, latent].sum())
            nameless.append((-count, Named(latent, None, alone)))
    taken = [each for kind, n in KINDS.items() for _, each in sorted(by_kind[kind])[:n]]
    taken += [each for _, each in sorted(nameless, key=lambda pair: pair[0])[:N_NAMELESS]]
    return tuple(sorted(taken, key=lambda each: each.latent))


def _kind(name: tuple[str, ...]) -> str:
    """One concept, several of one family, or of several families ("relation=…" beside "wording=…")."""
    families = {concept.partition("=")[0] for concept in name}
    return "one" if len(name) == 1 else "several" if len(families) == 1 else "mixed"


def skill(f1: float, on: Tensor) -> float:
    """How much of the way from the F1 of "everywhere" to 1 a name goes; 0 for one that is no better.

    >>> round(skill(0.8, torch.tensor([True, True, False])), 6), skill(0.3, torch.tensor([True, False]))
    (0.0, 0.0)
    """
    everywhere = 2 * on.sum().item() / (len(on) + on.sum().item())
    return max(0.0, (f1 - everywhere) / (1 - everywhere)) if everywhere < 1 else 0.0


def _f1(reading: Reading, latent: int, found: list[int]) -> float:
    return score_a_label(reading.labels[:, found].any(dim=1), reading.on[:, latent]).f1


def ten_latents() -> list[int]:
    """The numbers of ten latents of `atlas-attn1`; `name-the-latents` asks what they say.

    >>> len(ten_latents())
    10
    """
    return [each.latent for each in handed_over()]
