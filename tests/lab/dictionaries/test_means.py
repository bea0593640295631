"""Means tell of a dictionary that was trained on other activations, and are silent about the right one."""

import warnings

import pytest
import torch

from mi_tutor.lab.dictionaries import Sae, activation_rows, check_means, loss_recovered, mean_shift
from mi_tutor.lab.ground.device import seeded

TOKENS = torch.randint(2, 188, (40, 12), generator=seeded(0))
HOOK = "blocks.2.hook_resid_pre"


@pytest.fixture(scope="module")
def leaning(tiny_gpt2_path, tmp_path_factory):
    """A model whose embeddings have a large mean over dimensions, and the activations of its unprocessed weights.

    LayerNorm takes that mean away, so the model says the same as without; centring takes it out of the stream.
    """
    from transformers import GPT2LMHeadModel

    from mi_tutor.specimens import open_specimen

    path = tmp_path_factory.mktemp("leaning")
    network = GPT2LMHeadModel.from_pretrained(tiny_gpt2_path).eval()
    with torch.no_grad():
        network.transformer.wpe.weight += 1.0
    network.save_pretrained(path)
    for file in tiny_gpt2_path.glob("tokenizer*"):
        (path / file.name).write_bytes(file.read_bytes())
    with torch.no_grad():
        hidden = network(TOKENS, output_hidden_states=True).hidden_states[2]
    return open_specimen(path, device="cpu"), hidden[:, 1:].flatten(0, 1)


def trained_on(x) -> Sae:
    """What training would come to with latents for the ten main directions of x, each with two signs."""
    mean = x.mean(dim=0)
    rows = torch.linalg.svd(x - mean, full_matrices=False).Vh[:10]
    W_dec = torch.cat([rows, -rows])
    return Sae(W_enc=W_dec.mT, b_enc=torch.zeros(20), W_dec=W_dec, b_dec=mean)


def test_unprocessed_activations_are_told(leaning):
    model, unprocessed = leaning
    processed = activation_rows(model, TOKENS, HOOK)
    apart = unprocessed - processed
    torch.testing.assert_close(
        apart, apart.mean(-1, keepdim=True).expand_as(apart), atol=1e-4, rtol=0
    )
    sae = trained_on(unprocessed)
    assert check_means(sae, unprocessed).of_all < 1e-6
    with pytest.warns(UserWarning, match="whose weights were not processed"):
        assert abs(check_means(sae, processed).shared) > 0.5
    with pytest.warns(UserWarning, match="whose weights were not processed") as told:
        loss_recovered(model, TOKENS.split(20), 2, "resid_pre", sae)
    assert len(told) == 1  # not once per batch


def test_the_right_activations_are_silent(leaning):
    model, _ = leaning
    sae = trained_on(activation_rows(model, TOKENS, HOOK))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_means(sae, activation_rows(model, TOKENS, HOOK))
        loss_recovered(model, [TOKENS], 2, "resid_pre", sae)
        # On a handful of tokens means say nothing; and a function is no dictionary.
        loss_recovered(model, [TOKENS[:1]], 2, "resid_pre", trained_on(leaning[1]))
        loss_recovered(model, [TOKENS], 2, "resid_pre", lambda x: 0 * x)


def test_the_shift_by_hand():
    x = torch.randn(60, 5, generator=seeded(1)).double() + 4
    shift = torch.tensor([0.3, 0.0, -0.1, 0.4, 0.0]).double()
    noise = torch.randn(60, 5, generator=seeded(2)).double()
    found = mean_shift(x, x + shift + noise - noise.mean(dim=0))
    variance = ((x - x.mean(dim=0)) ** 2).sum(dim=1).mean()
    assert found.of_all == pytest.approx((shift @ shift / variance).item())
    assert found.shared == pytest.approx((shift.sum() / 5**0.5 / (variance / 5) ** 0.5).item())


def test_a_transcoder_is_held_against_its_target():
    x, y = torch.randn(2, 60, 4, generator=seeded(3))
    zeros = torch.zeros(4)
    sae = Sae(
        W_enc=torch.zeros(4, 2),
        b_enc=zeros[:2],
        W_dec=torch.zeros(2, 4),
        b_dec=y.mean(0),
        centred=False,
    )
    assert check_means(sae, x, target=y).of_all == pytest.approx(0, abs=1e-9)
    with pytest.warns(UserWarning, match="hardly trained"):
        check_means(sae, x, target=y + 2)


def test_nothing_to_compare():
    with pytest.raises(ValueError, match="All 3 activations are the same"):
        mean_shift(torch.ones(3, 2), torch.zeros(3, 2))
    with pytest.raises(ValueError, match=r"1 of 4 numbers in x_hat is NaN"):
        mean_shift(torch.eye(2), torch.tensor([[0.0, float("nan")], [0.0, 1.0]]))
