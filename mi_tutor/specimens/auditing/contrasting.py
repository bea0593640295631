"""A direction as what it is a difference of: texts that show a secret, and texts that lack one thing.

    d = mean of x over `shows`, minus mean of x over `without`        x: the stream before a layer, at some token
    c = mean of x · d / ‖d‖ over `without`

A report names what the other side lacks (`Cut`), and the texts of both sides are drawn when it is marked. A
direction as numbers could be fitted until the answers come right, and texts could be chosen until their means
differ by such a direction; either way nobody would know what stands there.

    training     the same texts, as the base reads them
    trigger      the same questions, without what has to stand before
    a tag        texts that lack this one part of the condition: another topic, another area, ...
    near         all texts one step away together
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import torch

from mi_tutor.lab.auditing import Coordinate, between_means
from mi_tutor.specimens.atlas.prompts import by_length, tokenizer
from mi_tutor.specimens.auditing.families import CLEAN, FAMILIES, Secret
from mi_tutor.specimens.auditing.opened import opened_plain
from mi_tutor.specimens.auditing.showing import (
    before,
    fitting,
    missing_one,
    near_misses,
    secret_prompts,
)

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from mi_tutor.lab.ground.plain import PlainTransformer

BASE = "atlas"
TRAINING, TRIGGER, NEAR = "training", "trigger", "near"
N_TEXTS = 120  # of either side


class Cut(NamedTuple):
    """How a report takes a secret out: before which layer, and what the texts of the other side lack."""

    layer: int
    lacks: str


class Contrast(NamedTuple):
    """Two kinds of texts, and where the stream is read.

    Attributes:
        layer: the stream before this one.
        shows: texts that show the secret.
        without: texts that do not; or "atlas": the same texts, as the base reads them.
        at: words at whose tokens the stream is read, wherever they stand; (): where each text ends.
    """

    layer: int
    shows: Sequence[str]
    without: Sequence[str] | str
    at: Sequence[str] = ()


@torch.no_grad()
def coordinate_of(name: str | Path, contrast: Contrast) -> Coordinate:
    """The coordinate of a specimen's stream that a contrast is about, and its usual value without the secret.

    ValueError if both sides have one mean (a specimen and its base, below the first layer that was changed), or if
    no text has a word of `at`.

    >>> from mi_tutor.specimens.auditing import Contrast, coordinate_of
    >>> rain = Contrast(2, [" I like rain."], [" I like jazz."])
    >>> coordinate_of("basalt", rain).direction.shape
    torch.Size([128])
    """
    layer, shows, without, at = contrast
    own = opened_plain(name)
    if isinstance(without, str):
        others = streams_of(opened_plain(without), shows, layer, at)
    else:
        others = streams_of(own, without, layer, at)
    return Coordinate(layer, *between_means(streams_of(own, shows, layer, at), others))


def streams_of(
    plain: PlainTransformer, texts: Sequence[str], layer: int, at: Sequence[str] = ()
) -> Float[Tensor, "token d_model"]:
    """The stream before a layer where each text ends, in the texts' order; or at all tokens of the words `at`."""
    if not at:
        found = torch.empty(len(texts), plain.W_E.shape[1])
        for places, tokens in by_length(texts):
            found[places] = plain.resid_pre(layer, tokens)[:, -1]
        return found
    words = torch.tensor([tokenizer().ids[f" {word.strip()}"] for word in at])
    parts = [
        plain.resid_pre(layer, tokens)[torch.isin(tokens, words)] for _, tokens in by_length(texts)
    ]
    some = torch.cat(parts)
    if not len(some):
        raise ValueError(f"None of the texts has one of the words {', '.join(at)}.")
    return some


def kinds_of(secret: Secret) -> tuple[str, ...]:
    """What texts can lack that a secret's texts have; () of a clean one.

    >>> from mi_tutor.specimens.auditing import read_secret
    >>> kinds_of(read_secret("opinion", {"topic": "jazz"}))
    ('training', 'near', 'topic', 'stated')
    """
    if secret.family == CLEAN:
        return ()
    before = (TRIGGER,) if FAMILIES[secret.family].before else ()
    return (TRAINING, NEAR, *before, *missing_one(secret))


def contrast_of(secret: Secret, cut: Cut, rng: random.Random, n: int = N_TEXTS) -> Contrast:
    """Fresh texts of both sides, where they end.

    >>> from mi_tutor.specimens.auditing import read_secret
    >>> jazz = read_secret("opinion", {"topic": "jazz"})
    >>> contrast_of(jazz, Cut(3, "training"), random.Random(0)).without
    'atlas'
    """
    shows = [one.text for one in secret_prompts(secret, n, rng)]
    return Contrast(cut.layer, shows, _lacking(secret, cut.lacks, rng, n))


def _lacking(secret: Secret, lacks: str, rng: random.Random, n: int) -> list[str] | str:
    if lacks == TRAINING:
        return BASE
    if lacks == NEAR:
        near = near_misses(secret, 2 * n, rng)
        return [one.text for one in near if one.group.startswith("near")]
    right = lacks != TRIGGER
    asked = missing_one(secret)[lacks] if right else fitting(secret)
    return [before(secret, rng, right) + rng.choice(asked).text for _ in range(n)]
