"""Small random dictionaries, as inputs for cases."""

from __future__ import annotations

import torch
from torch import Tensor

from mi_tutor.teach.exercises.making import normal

WEIGHTS = ("W_enc", "b_enc", "W_dec", "b_dec")


def weights(
    g: torch.Generator, d: int, n_latents: int, dtype: torch.dtype = torch.float32
) -> dict[str, Tensor]:
    """Weights whose biases are not zero and whose decoder rows have all kinds of lengths."""
    return {
        "W_enc": normal(g, d, n_latents, dtype=dtype),
        "b_enc": 0.5 * normal(g, n_latents, dtype=dtype),
        "W_dec": normal(g, n_latents, d, dtype=dtype),
        "b_dec": 1.5 * normal(g, d, dtype=dtype),
    }
