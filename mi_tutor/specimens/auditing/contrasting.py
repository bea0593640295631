"""A direction as the texts that it comes from: what a report hands in to take a secret out.

    d = mean of x over `shows`, minus mean of x over `without`        x: the stream before a layer, at some token
    c = mean of x · d / ‖d‖ over `without`

A direction as numbers could be fitted until the answers come right, and nobody would know what stands there. Texts
say what it is a difference of, and whether they show the secret can be asked of the specimen.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import torch

from mi_tutor.lab.auditing import Coordinate, between_means
from mi_tutor.specimens.atlas.prompts import by_length, tokenizer
from mi_tutor.specimens.auditing.opened import opened_plain

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from mi_tutor.lab.ground.plain import PlainTransformer

BASE = "atlas"


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
