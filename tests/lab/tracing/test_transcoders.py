"""Transcoders and the cross-layer transcoder against loops, and their training against autograd."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mi_tutor.lab.dictionaries import (
    Auxiliary,
    BatchTopK,
    JumpRelu,
    Relu,
    SaeConfig,
    TopK,
    autograd_gradients,
    train_sae,
    written_gradients,
)
from mi_tutor.lab.dictionaries.gradients import Goal, Weights
from mi_tutor.lab.ground.device import seeded
from mi_tutor.lab.tracing import (
    CrossLayer,
    CrossLayerTranscoder,
    LayerTranscoders,
    Transcoder,
    clt_loss,
    joined,
    parted,
    rescaled,
    transcoder_metrics,
)

F64 = torch.float64
KINDS = [TopK(k=3), BatchTopK(k=3), JumpRelu(penalty_kind="tanh", tanh_scale=4.0, pull=0.2)]
NAMES = [kind.name for kind in KINDS]


def random_clt(n_layers=3, d=4, m=5, seed=0, threshold=0.5, dtype=F64):
    g = {"generator": seeded(seed), "dtype": dtype}
    W_dec = torch.randn(n_layers, m, n_layers, d, **g)
    for layer in range(n_layers):
        W_dec[layer, :, :layer] = 0
    return CrossLayerTranscoder(
        W_enc=torch.randn(n_layers, d, m, **g),
        b_enc=torch.randn(n_layers, m, **g),
        W_dec=W_dec,
        b_dec=torch.randn(n_layers, d, **g),
        threshold=torch.full((n_layers, m), threshold, dtype=dtype),
    )


def test_a_cross_layer_transcoder_is_its_sums_one_latent_at_a_time():
    clt = random_clt()
    x = torch.randn(6, 3, 4, generator=seeded(1), dtype=F64)
    latents, y_hat = clt.encode(x), clt(x)
    for row in range(6):
        expected = clt.b_dec.clone()
        for layer in range(3):
            for i in range(5):
                pre = x[row, layer] @ clt.W_enc[layer, :, i] + clt.b_enc[layer, i]
                f = pre if pre > 0.5 else 0.0
                assert latents[row, layer, i] == pytest.approx(float(f))
                for to in range(layer, 3):
                    expected[to] += f * clt.W_dec[layer, i, to]
        torch.testing.assert_close(y_hat[row], expected)
    for layer in range(3):
        torch.testing.assert_close(clt.encode_layer(layer, x[:, layer]), latents[:, layer])


def test_decoders_of_norm_1_change_no_reconstruction():
    clt = random_clt()
    x = torch.randn(6, 3, 4, generator=seeded(1), dtype=F64)
    torch.testing.assert_close(rescaled(clt)(x), clt(x))
    torch.testing.assert_close(rescaled(clt).joint_norm, torch.ones(3, 5, dtype=F64))


def test_the_loss_is_the_sum_of_its_terms():
    clt = random_clt()
    x, y = torch.randn(2, 7, 3, 4, generator=seeded(1), dtype=F64)
    pre, f = clt.pre_activations(x), clt.encode(x)
    expected = (y - clt(x)).square().sum() / 7
    norm = clt.W_dec.square().sum(dim=(2, 3)).sqrt()
    expected += 0.3 * (4 * f * norm).tanh().sum() / 7
    expected += 0.3 * 0.01 * ((clt.threshold - pre).clamp_min(0) * norm).sum() / 7
    found = clt_loss(y, clt(x), pre, f, clt.threshold, clt.W_dec, 0.3, pull=0.01)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
@given(seed=st.integers(0, 10**6), auxiliary=st.booleans())
@settings(max_examples=5)
def test_gradients_are_autograds(kind, seed, auxiliary):
    config = SaeConfig(d_sae=18, kind=kind, n_steps=1, sparsity=float(kind.has_penalty))
    x, y = torch.randn(2, 40, 12, generator=seeded(seed), dtype=F64)
    start = CrossLayer(3).start(x, y, config, seeded(seed + 1))
    dead = torch.rand(18, generator=seeded(seed)) < 0.4
    revive = Auxiliary(k=2, weight=0.5) if auxiliary else None
    goal = Goal(0.7 if kind.has_penalty else 0.0, revive, dead if dead.any() else None)
    one, other = Weights.of(start), Weights.of(start)
    expected, seen = autograd_gradients(one, x, y, goal), written_gradients(other, x, y, goal)
    for name, weight in one.moved.items():
        grads = other.moved[name].grad, weight.grad
        if name == "W_dec":  # what may not move is thrown away in `move`
            grads = tuple(start.allowed(each) for each in grads)
        torch.testing.assert_close(*grads)
        if weight.ndim > 1:
            assert other.moved[name].grad.stride() == other.moved[name].stride()
    for a, b in zip(seen, expected, strict=True):
        torch.testing.assert_close(a, b, check_dtype=False)


def planted(n, seed):
    """Three layers whose outputs are sums of what eight features write; each is read at layer 0 or 1."""
    g = seeded(0)
    reads, writes = torch.randn(8, 6, generator=g), torch.randn(8, 3, 6, generator=g)
    on = (torch.rand(n, 8, generator=seeded(seed)) < 0.15).float()
    on = on * (1 + torch.rand(n, 8, generator=seeded(seed + 1)))
    x = torch.zeros(n, 3, 6)
    x[:, 0], x[:, 1] = on[:, :4] @ reads[:4], on[:, 4:] @ reads[4:]
    writes[4:, 0] = 0
    x[:, 2] = torch.randn(n, 6, generator=seeded(seed + 2))
    return x, torch.einsum("nf,ftd->ntd", on, writes)


def test_training_finds_what_later_layers_owe_to_earlier_ones():
    """The outputs of layers 1 and 2 follow from latents of layers 0 and 1 alone, and nothing writes backwards."""
    config = SaeConfig(
        d_sae=36, kind=BatchTopK(k=2), n_steps=250, batch_size=128, learning_rate=2e-2,
        decay=0.5, sparsity_warmup=75, revive=Auxiliary(k=4, weight=0.2), dead_after=2_000,
    )  # fmt: skip
    trained = train_sae(
        lambda i: tuple(part.flatten(1) for part in planted(8192, 10 * i)),
        config, family=CrossLayer(3), progress=False,
    )  # fmt: skip
    clt = parted(trained.sae)
    seen = transcoder_metrics(clt, *planted(4096, 7))
    assert seen.fvu.max() < 0.15 and seen.l0.sum() < 2.5
    assert seen.l0[2] < 0.1  # its input is noise
    torch.testing.assert_close(clt.joint_norm, torch.ones(3, 12))


def test_layer_transcoders_are_a_cross_layer_transcoder_that_writes_to_its_own_layer():
    clt = random_clt(threshold=0.0)
    own = clt.W_dec * torch.eye(3, dtype=F64)[:, None, :, None]
    each = [
        Transcoder(
            W_enc=clt.W_enc[i], b_enc=clt.b_enc[i], W_dec=clt.W_dec[i, :, i], b_dec=clt.b_dec[i]
        )
        for i in range(3)
    ]
    x, y = torch.randn(2, 50, 3, 4, generator=seeded(1), dtype=F64)
    per_layer = LayerTranscoders(each)
    torch.testing.assert_close(per_layer(x), replace(clt, W_dec=own, kind=Relu())(x))
    found = transcoder_metrics(per_layer, x, y)
    latents = torch.stack([one.encode(x[:, i]) for i, one in enumerate(each)], dim=1)
    torch.testing.assert_close(found.l0, (latents > 0).double().sum(dim=(0, 2)).float() / 50)
    error = (y - per_layer(x)).square().sum(dim=(0, 2))
    variance = (y - y.mean(dim=0)).square().sum(dim=(0, 2))
    torch.testing.assert_close(found.fvu, (error / variance).float())


def test_joined_and_parted_are_each_others_inverse():
    clt = random_clt()
    again = parted(joined(clt))
    assert all(again.tensors()[name].equal(value) for name, value in clt.tensors().items())


def test_wrong_shapes_and_writes_to_earlier_layers_are_refused():
    clt = random_clt()
    with pytest.raises(ValueError, match="earlier layer"):
        replace(clt, W_dec=torch.ones_like(clt.W_dec))
    with pytest.raises((ValueError, TypeError), match=r"Shapes|threshold"):
        replace(clt, threshold=clt.threshold[:2])
    with pytest.raises(ValueError, match="centred=False"):
        LayerTranscoders([])
    with pytest.raises(ValueError, match="multiple of 3"):
        config = SaeConfig(d_sae=20, kind=TopK(k=1), n_steps=1)
        CrossLayer(3).start(torch.randn(9, 6), torch.randn(9, 6), config, seeded(0))
    with pytest.raises(ValueError, match="pairs"):
        CrossLayer(3).scaling(torch.randn(9, 6), None)
