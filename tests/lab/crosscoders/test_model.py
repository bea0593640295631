"""The crosscoder's arithmetic against loops, closed forms, and the training loop's own unit."""

import pytest
import torch
from jaxtyping import TypeCheckError

from mi_tutor.lab.crosscoders import (
    Crosscoder,
    batch_top_k_latents,
    crosscoder_loss,
    decoder_cosine,
    paired,
    parted,
    relative_norm,
    sides,
    summed_norm,
)
from mi_tutor.lab.dictionaries import JumpRelu, l1_penalty
from mi_tutor.lab.ground.device import seeded


def drawn(n_models=2, d=5, n=7, seed=0, **more):
    g = seeded(seed)
    return Crosscoder(
        W_enc=torch.randn(n_models, d, n, generator=g),
        b_enc=torch.randn(n, generator=g),
        W_dec=torch.randn(n, n_models, d, generator=g),
        b_dec=torch.randn(n_models, d, generator=g),
        **more,
    )


def test_forward_against_loops():
    one, x = drawn(), torch.randn(4, 2, 5, generator=seeded(1))
    for row in range(4):
        f = torch.relu(sum(x[row, m] @ one.W_enc[m] for m in range(2)) + one.b_enc)
        assert torch.allclose(one.encode(x)[row], f, atol=1e-5)
        for m in range(2):
            x_hat = sum(f[i] * one.W_dec[i, m] for i in range(7)) + one.b_dec[m]
            assert torch.allclose(one(x)[row, m], x_hat, atol=1e-4)


def test_loss_against_loops():
    one, x = drawn(), torch.randn(3, 2, 5, generator=seeded(1))
    f = one.encode(x)
    total = 0.0
    for row in range(3):
        total += sum(float((x[row, m] - one(x)[row, m]).square().sum()) for m in range(2))
        for i in range(7):
            total += 0.3 * float(f[row, i] * sum(one.W_dec[i, m].norm() for m in range(2)))
    assert crosscoder_loss(x, one(x), f, one.W_dec, 0.3).item() == pytest.approx(
        total / 3, rel=1e-5
    )


def test_the_penalty_of_a_shared_latent_is_that_of_two_of_one_model_each():
    both = torch.tensor([[[3.0, 0.0], [0.0, 4.0]]])
    apart = torch.tensor([[[3.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 4.0]]])
    assert summed_norm(both).sum() == summed_norm(apart).sum() == 7
    assert l1_penalty(torch.ones(1, 1), both.flatten(1)) == 5  # the joint norm would favour sharing


def test_batch_top_k_does_not_change_with_a_latents_unit():
    one, x = drawn(n=30), torch.randn(6, 2, 5, generator=seeded(2))
    pre = one.pre_activations(x)
    kept = batch_top_k_latents(pre, one.W_dec, 4)
    unit = torch.rand(30, generator=seeded(3)) + 0.5
    again = batch_top_k_latents(pre * unit, one.W_dec / unit[:, None, None], 4)
    assert torch.allclose(kept * unit, again, atol=1e-5)
    assert (kept > 0).sum() == 4 * 6
    price = (pre * summed_norm(one.W_dec)).flatten()
    assert (kept.flatten() > 0).equal(price >= price.topk(24).values[-1])


@pytest.mark.parametrize("n_models", [2, 3])
def test_as_rows_and_back_it_computes_the_same(n_models):
    threshold = torch.rand(7, generator=seeded(4))
    one = drawn(n_models, kind=JumpRelu(), threshold=threshold)
    x = torch.randn(9, n_models, 5, generator=seeded(5))
    rows = paired(one)
    assert torch.allclose(rows(x.flatten(1)), one(x).flatten(1), atol=1e-4)
    again = parted(rows)
    assert torch.allclose(again(x), one(x), atol=1e-4)
    assert torch.allclose(summed_norm(again.W_dec), torch.ones(7))
    # In this unit the loop's plain sum of latents is the paper's penalty.
    price = (one.encode(x) * summed_norm(one.W_dec)).sum(dim=-1)
    assert torch.allclose(again.encode(x).sum(dim=-1), price, rtol=1e-4)


def test_wrong_shapes_are_told():
    with pytest.raises((ValueError, TypeCheckError), match="W_dec"):
        Crosscoder(
            W_enc=torch.zeros(2, 3, 4), b_enc=torch.zeros(4), W_dec=torch.zeros(2, 4, 3),
            b_dec=torch.zeros(2, 3),
        )  # fmt: skip


def test_relative_norm_and_cosine():
    W_dec = torch.tensor(
        [[[3.0, 4.0], [0.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]], [[0.0, 0.0], [0.0, 2.0]]]
    )
    assert relative_norm(W_dec).tolist() == [0, 0.5, 1]
    assert decoder_cosine(W_dec).tolist() == [0, 0, 0]
    assert [each.nonzero().flatten().tolist() for each in sides(relative_norm(W_dec))] == [
        [0],
        [1],
        [2],
    ]
