"""The gradients written out, against autograd; and the same weights after many steps."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mi_tutor.lab.dictionaries import (
    Auxiliary,
    BatchTopK,
    JumpRelu,
    Relu,
    Resample,
    Sae,
    SaeConfig,
    TopK,
    ToyActivations,
    autograd_gradients,
    train_sae,
    written,
    written_gradients,
)
from mi_tutor.lab.dictionaries.gradients import Goal, Weights
from mi_tutor.lab.dictionaries.jumping import ROWS
from mi_tutor.lab.ground.device import seeded

F64 = torch.float64
KINDS = [
    Relu(),
    TopK(k=2),
    BatchTopK(k=2),
    JumpRelu(),
    JumpRelu(penalty_kind="tanh", tanh_scale=4.0, bandwidth=1.0),
    JumpRelu(pull=0.3),
    JumpRelu(penalty_kind="tanh", pull=0.3),
]
NAMES = [kind.name for kind in KINDS[:4]] + ["tanh", "pull", "tanh and pull"]


def problem(kind, seed, n, d_in, d_sae, d_out, centred):
    g = {"generator": seeded(seed), "dtype": F64}
    sae = Sae(
        W_enc=torch.randn(d_in, d_sae, **g),
        b_enc=0.3 * torch.randn(d_sae, **g),
        W_dec=torch.randn(d_sae, d_out, **g),
        b_dec=torch.randn(d_out, **g),
        kind=kind,
        threshold=0.1 + torch.rand(d_sae, **g) if isinstance(kind, JumpRelu) else None,
        centred=centred,
    )
    x = torch.randn(n, d_in, **g)
    return sae, x, x if centred else torch.randn(n, d_out, **g), torch.rand(d_sae, **g) < 0.4


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
@given(
    seed=st.integers(0, 10**6),
    n=st.integers(1, 6),
    d_in=st.integers(1, 5),
    d_sae=st.integers(2, 9),
    d_out=st.integers(1, 5),
    centred=st.booleans(),
    transposed=st.booleans(),
    auxiliary=st.booleans(),
)
@settings(max_examples=30)
def test_gradients_are_autograds(kind, seed, n, d_in, d_sae, d_out, centred, transposed, auxiliary):
    sae, x, y, dead = problem(kind, seed, n, d_in, d_sae, d_in if centred else d_out, centred)
    if transposed:  # the memory layout in which training starts
        sae.__dict__["W_enc"] = sae.W_enc.mT.contiguous().mT
    revive = Auxiliary(k=2, weight=0.5) if auxiliary else None
    goal = Goal(0.7 if kind.has_penalty else 0.0, revive, dead if dead.any() else None)
    one, other = Weights.of(sae), Weights.of(sae)
    expected, seen = autograd_gradients(one, x, y, goal), written_gradients(other, x, y, goal)
    for name, weight in one.moved.items():
        written = other.moved[name].grad
        torch.testing.assert_close(written, weight.grad, msg=lambda m, name=name: f"{name}: {m}")
        if min(written.shape) > 1:
            assert written.stride() == other.moved[name].stride()  # the fused Adam relies on it
    for a, b in zip(seen, expected, strict=True):
        torch.testing.assert_close(a, b, check_dtype=False)


def test_parts_of_a_batch_are_added_up():
    """More samples than go through at once, and not a multiple."""
    for kind in KINDS[3:]:
        sae, x, y, _ = problem(kind, 3, 2 * ROWS + 5, 4, 6, 4, True)
        one, other = Weights.of(sae), Weights.of(sae)
        autograd_gradients(one, x, y, Goal(0.7)), written_gradients(other, x, y, Goal(0.7))
        for name, weight in one.moved.items():
            torch.testing.assert_close(other.moved[name].grad, weight.grad)


@pytest.mark.parametrize("in_cache", [0, 2**18])
@pytest.mark.parametrize("n_threads", [1, 2])
def test_either_way_round_the_product_is_the_same(monkeypatch, in_cache, n_threads):
    monkeypatch.setattr(written, "IN_CACHE", in_cache)
    monkeypatch.setattr(torch, "get_num_threads", lambda: n_threads)
    for kind in (Relu(), JumpRelu()):
        sae, x, y, _ = problem(kind, 4, 8, 4, 6, 4, True)
        one, other = Weights.of(sae), Weights.of(sae)
        autograd_gradients(one, x, y, Goal(0.7)), written_gradients(other, x, y, Goal(0.7))
        for name, weight in one.moved.items():
            torch.testing.assert_close(other.moved[name].grad, weight.grad)


TOY = ToyActivations.drawn(n_features=24, d=12, probability=0.02, seed=0)
REVIVE = [None, Auxiliary(k=6), Resample(every=20, n_rows=256)]


@pytest.mark.parametrize("revive", REVIVE, ids=["none", "auxiliary", "resample"])
@pytest.mark.parametrize("kind", KINDS[:5], ids=NAMES[:5])
def test_weights_after_training_are_the_same(kind, revive):
    config = SaeConfig(
        d_sae=64,
        kind=kind,
        sparsity=6.0 if kind.has_penalty else 0.0,
        n_steps=70,
        batch_size=64,
        learning_rate=1e-2,
        warmup=5,
        sparsity_warmup=10,
        revive=revive,
        dead_after=100,
    )

    def chunk(i):
        return TOY.chunk(i, 640)

    readable = train_sae(chunk, config, gradients=autograd_gradients, progress=False)
    fast = train_sae(chunk, config, gradients=written_gradients, progress=False)
    if revive:
        assert max(record.dead for record in fast.history) > 0  # the example has dead latents
    for name, value in readable.sae.tensors().items():
        torch.testing.assert_close(getattr(fast.sae, name), value, rtol=1e-3, atol=1e-4)
    for a, b in zip(fast.history, readable.history, strict=True):
        torch.testing.assert_close(torch.tensor(a[1:]), torch.tensor(b[1:]), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
def test_nothing_given_is_changed(kind):
    sae, x, y, _ = problem(kind, 0, 8, 4, 6, 4, True)
    weights = Weights.of(sae)
    before = {name: value.detach().clone() for name, value in weights.moved.items()}
    kept = x.clone()
    written_gradients(weights, x, y, Goal(0.5 if kind.has_penalty else 0.0))
    assert x.equal(kept) and all(weights.moved[name].equal(value) for name, value in before.items())


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
def test_a_decoder_row_of_zeros_has_no_direction_to_grow_in(kind):
    sae, x, y, _ = problem(kind, 1, 8, 4, 6, 4, True)
    sae.W_dec[2] = 0
    one, other = Weights.of(sae), Weights.of(sae)
    goal = Goal(0.7 if kind.has_penalty else 0.0)
    autograd_gradients(one, x, y, goal), written_gradients(other, x, y, goal)
    for name, weight in one.moved.items():
        torch.testing.assert_close(other.moved[name].grad, weight.grad)


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
def test_gradients_are_the_same_when_the_history_is_not_wanted(kind):
    sae, x, y, _ = problem(kind, 2, 8, 4, 6, 4, True)
    one, other = Weights.of(sae), Weights.of(sae)
    sparsity = 0.7 if kind.has_penalty else 0.0
    seen = [
        written_gradients(weights, x, y, Goal(sparsity, count=count))
        for weights, count in ((one, True), (other, False))
    ]
    assert seen[0].fired.equal(seen[1].fired) and seen[0].smallest.equal(seen[1].smallest)
    assert all(other.moved[name].grad.equal(weight.grad) for name, weight in one.moved.items())
