"""A random GPT-2 and random dictionaries for it: what no trained model makes easy."""

import pytest
import torch

from mi_tutor.lab.dictionaries import Sae, TopK
from mi_tutor.lab.ground.device import seeded
from mi_tutor.lab.ground.plain import plain_transformer
from mi_tutor.lab.tracing import CrossLayerTranscoder, LayerTranscoders, Transcoder

TOKENS = torch.tensor([0, 5, 9, 33, 7, 101])


@pytest.fixture(scope="session")
def plain(tiny_gpt2):
    return plain_transformer(tiny_gpt2)


def random_transcoders(kind, n_layers=3, d=24, m=11):
    """Per layer (TopK and ReLU), or a cross-layer transcoder, with biases in every place."""
    g = {"generator": seeded(3)}
    W_enc, b_enc = torch.randn(n_layers, d, m, **g) / d**0.5, 0.3 * torch.randn(n_layers, m, **g)
    W_dec = torch.randn(n_layers, m, n_layers, d, **g) / d**0.5
    b_dec = torch.randn(n_layers, d, **g)
    for layer in range(n_layers):
        W_dec[layer, :, :layer] = 0
    if kind == "cross-layer":
        return CrossLayerTranscoder(
            W_enc=W_enc, b_enc=b_enc, W_dec=W_dec, b_dec=b_dec, threshold=torch.full((3, m), 0.2)
        )
    return LayerTranscoders(
        [
            Transcoder(
                W_enc=W_enc[i],
                b_enc=b_enc[i],
                W_dec=W_dec[i, :, i],
                b_dec=b_dec[i],
                kind=TopK(k=4),
            )
            for i in range(n_layers)
        ]
    )


@pytest.fixture(params=["per layer", "cross-layer"])
def transcoders(request):
    return random_transcoders(request.param)


@pytest.fixture(params=[False, True], ids=["no attention", "attention"])
def attention(request):
    if not request.param:
        return {}
    g = {"generator": seeded(4)}
    return {
        layer: Sae(
            W_enc=torch.randn(24, 9, **g) / 5,
            b_enc=torch.randn(9, **g),
            W_dec=torch.randn(9, 24, **g) / 5,
            b_dec=torch.randn(24, **g),
        )
        for layer in (1, 2)
    }
