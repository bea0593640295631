"""Oracles: loops in plain Python, torch.nn.functional.normalize, projections, and folding against scaling by
hand."""

import pytest
import torch

from mi_tutor.lab.dictionaries import (
    BatchTopK,
    JumpRelu,
    Relu,
    Sae,
    TopK,
    folded,
    remove_parallel,
    sae_decode,
    sae_encode,
    unit_decoder,
)
from mi_tutor.lab.ground.device import seeded

F64 = torch.float64


def random_sae(d_in=5, d_sae=8, d_out=5, kind=None, centred=True, seed=0) -> Sae:
    g = {"generator": seeded(seed), "dtype": F64}
    threshold = torch.rand(d_sae, **g) if isinstance(kind, JumpRelu) else None
    return Sae(
        W_enc=torch.randn(d_in, d_sae, **g),
        b_enc=torch.randn(d_sae, **g),
        W_dec=torch.randn(d_sae, d_out, **g),
        b_dec=torch.randn(d_out, **g),
        kind=kind or Relu(),
        threshold=threshold,
        centred=centred,
    )


def test_encode_and_decode_by_hand():
    sae, x = random_sae(), torch.randn(3, 5, generator=seeded(1), dtype=F64)
    for row in range(3):
        latents = [
            max(
                0.0,
                sum((x[row, d] - sae.b_dec[d]) * sae.W_enc[d, i] for d in range(5)).item()
                + sae.b_enc[i].item(),
            )
            for i in range(8)
        ]
        x_hat = [
            sum(latents[i] * sae.W_dec[i, d].item() for i in range(8)) + sae.b_dec[d].item()
            for d in range(5)
        ]
        torch.testing.assert_close(sae.encode(x)[row], torch.tensor(latents, dtype=F64))
        torch.testing.assert_close(sae(x)[row], torch.tensor(x_hat, dtype=F64))
    assert sae_encode(x, sae.W_enc, sae.b_enc, sae.b_dec).equal(sae.encode(x))
    assert sae_decode(sae.encode(x), sae.W_dec, sae.b_dec).equal(sae(x))


def test_any_leading_axes():
    sae, x = random_sae(), torch.randn(2, 3, 5, generator=seeded(1), dtype=F64)
    torch.testing.assert_close(sae(x)[1, 2], sae(x[1, 2]))


def test_a_transcoder_does_not_subtract_what_belongs_to_its_target():
    sae = random_sae(d_out=3, centred=False)
    x = torch.randn(4, 5, generator=seeded(1), dtype=F64)
    expected = torch.relu(x @ sae.W_enc + sae.b_enc) @ sae.W_dec + sae.b_dec
    torch.testing.assert_close(sae(x), expected)


def test_shapes_that_do_not_belong_together_are_refused():
    with pytest.raises(ValueError, match="set centred=False"):
        random_sae(d_out=3)


def test_unit_decoder_is_torchs_normalize():
    W = torch.randn(6, 4, generator=seeded(0), dtype=F64)
    W[2] = 0
    torch.testing.assert_close(unit_decoder(W), torch.nn.functional.normalize(W, dim=1))


def test_the_remaining_gradient_is_orthogonal_and_the_nearest_that_is():
    W, gradient = torch.randn(2, 6, 4, generator=seeded(0), dtype=F64)
    left = remove_parallel(gradient, W)
    torch.testing.assert_close((left * W).sum(dim=1), torch.zeros(6, dtype=F64))
    # What was taken away lies along the rows.
    taken = gradient - left
    torch.testing.assert_close(taken.norm(dim=1) * W.norm(dim=1), (taken * W).sum(dim=1).abs())


@pytest.mark.parametrize("kind", [Relu(), TopK(k=2), JumpRelu()])
@pytest.mark.parametrize("transcoder", [False, True])
def test_folding_is_scaling_by_hand(kind, transcoder):
    scale_out = 0.3 if transcoder else 2.5
    sae = random_sae(d_out=3 if transcoder else 5, kind=kind, centred=not transcoder)
    x = torch.randn(50, 5, generator=seeded(1), dtype=F64)
    inside = folded(sae, 2.5, scale_out)
    torch.testing.assert_close(inside(x), sae(2.5 * x) / scale_out)
    torch.testing.assert_close(inside.encode(x), sae.encode(2.5 * x) / scale_out)
    assert inside.W_dec.equal(sae.W_dec)


def test_kinds_refuse_nonsense():
    for make in (lambda: TopK(k=0), lambda: BatchTopK(k=0), lambda: JumpRelu(bandwidth=0.0)):
        with pytest.raises(ValueError, match="above 0, got 0"):
            make()


def test_other_precision_keeps_the_rest():
    sae = random_sae(kind=JumpRelu()).to(torch.float32)
    assert {value.dtype for value in sae.tensors().values()} == {torch.float32}
    assert sae.kind == JumpRelu() and len(sae.tensors()) == 5
