"""Small crosscoders at random, for the cases of chapter 09."""

from __future__ import annotations

from typing import Any

import torch

from mi_tutor.teach.exercises.making import normal

WEIGHTS = ("W_enc", "b_enc", "W_dec", "b_dec")


def weights(
    g: torch.Generator, d: int, n: int, dtype: torch.dtype = torch.float32
) -> dict[str, Any]:
    """Weights of n latents for two models of width d; every sixth latent is one model's alone."""
    W_dec = normal(g, n, 2, d, dtype=dtype)
    W_dec[2::6, 0] = 0
    W_dec[4::6, 1] = 0
    return {
        "W_enc": normal(g, 2, d, n, dtype=dtype),
        "b_enc": normal(g, n, dtype=dtype),
        "W_dec": W_dec,
        "b_dec": 2 * normal(g, 2, d, dtype=dtype),
    }
