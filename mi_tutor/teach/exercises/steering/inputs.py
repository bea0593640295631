"""Small dictionaries and rows for the exercises about guards."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from mi_tutor.lab.dictionaries import Sae, TopK
from mi_tutor.teach.exercises.making import normal

WEIGHTS = ("W_enc", "b_enc", "W_dec", "b_dec")


def weights(g: torch.Generator, d: int, d_sae: int, dtype: torch.dtype) -> dict[str, Tensor]:
    """A dictionary's weights, with biases."""
    return {
        "W_enc": normal(g, d, d_sae, dtype=dtype),
        "b_enc": 0.3 * normal(g, d_sae, dtype=dtype),
        "W_dec": F.normalize(normal(g, d_sae, d, dtype=dtype), dim=-1),
        "b_dec": normal(g, d, dtype=dtype),
    }


def sae_of(k: int, W_enc: Tensor, b_enc: Tensor, W_dec: Tensor, b_dec: Tensor) -> Sae:
    """They as a dictionary with k latents on."""
    return Sae(W_enc=W_enc, b_enc=b_enc, W_dec=W_dec, b_dec=b_dec, kind=TopK(k=k))
