"""The same tokens, read by atlas and by its copy: what a crosscoder is trained and marked on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from mi_tutor.lab.crosscoders import both_streams
from mi_tutor.specimens.crosscoders.texts import changed_texts

if TYPE_CHECKING:
    from collections.abc import Callable

    from jaxtyping import Float
    from torch import Tensor

    from mi_tutor.lab.ground.plain import PlainTransformer

N_ROWS, N_CHUNKS = 160, 6
SHARE = 0.2  # of sentences that are changed ones


def stream_pairs(
    base: PlainTransformer,
    tuned: PlainTransformer,
    layer: int,
    changes: tuple[str, ...],
    share: float = SHARE,
) -> Callable[[int], Float[Tensor, "token model d_model"]]:
    """Chunk i of both streams before a layer, of all tokens but BOS. In half precision, since chunks are kept."""

    def chunk(i: int) -> Tensor:
        texts = changed_texts(f"crosscoder/{i}", N_ROWS, changes, share)
        parts = [both_streams(base, tuned, some, layer)[:, 1:] for some in texts.tokens.split(64)]
        return torch.cat(parts).flatten(0, 1).half()

    return chunk
