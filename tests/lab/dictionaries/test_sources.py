"""Samples from a model, against its cache; and what oversampling does to their mix."""

import pytest
import torch

from mi_tutor.lab.dictionaries import (
    ActivationSource,
    SaeConfig,
    Texts,
    TopK,
    oversample,
    train_sae,
)
from mi_tutor.lab.dictionaries.sources import mlp_pair
from mi_tutor.lab.ground.device import seeded

TOKENS = torch.randint(2, 188, (12, 9), generator=seeded(0))


@pytest.fixture(params=["primer", "tiny_gpt2"])
def model(request):
    return request.getfixturevalue(request.param)


def test_rows_are_the_cache_without_bos(model):
    name = "blocks.1.hook_resid_pre"
    source = ActivationSource(model=model, name=name, texts=lambda i: Texts(TOKENS), batch=5)
    with torch.no_grad():
        _, cache = model.run_with_cache(TOKENS)
    torch.testing.assert_close(source(0), cache[name][:, 1:].flatten(0, 1), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", ["primer", "tiny_gpt2", "tiny_llama"])
def test_an_mlps_pair_is_what_it_reads_and_writes(name, request):
    model = request.getfixturevalue(name)
    seen, expected = mlp_pair(model, TOKENS, 1)
    with torch.no_grad():
        _, cache = model.run_with_cache(TOKENS)
        torch.testing.assert_close(
            seen, cache["blocks.1.ln2.hook_normalized"], atol=1e-5, rtol=1e-4
        )
        torch.testing.assert_close(expected, cache["blocks.1.hook_mlp_out"], atol=1e-5, rtol=1e-4)
        if name != "tiny_llama":  # the pair is an MLP's: its own weights make one from the other
            mlp = model.blocks[1].mlp
            hidden = torch.nn.functional.gelu(seen @ mlp.W_in + mlp.b_in, approximate="tanh")
            torch.testing.assert_close(
                hidden @ mlp.W_out + mlp.b_out, expected, atol=1e-4, rtol=1e-3
            )


def test_pairs_stay_together(primer):
    chosen = torch.zeros(12, 9, dtype=torch.bool)
    chosen[:, 4] = True
    texts = Texts(TOKENS, chosen)
    plain = ActivationSource(model=primer, name="blocks.1.mlp", texts=lambda i: texts)
    often = ActivationSource(model=primer, name="blocks.1.mlp", texts=lambda i: texts, share=0.4)
    all_x, all_y = plain(0)
    x, y = often(0)
    assert len(x) == len(y) == 30  # 12 chosen tokens are 40 %
    where = torch.cdist(x, all_x).argmin(dim=1)
    torch.testing.assert_close(y, all_y[where])
    is_chosen = chosen[:, 1:].flatten()[where]
    assert is_chosen.sum() == 12 and len(where.unique()) == 30


@pytest.mark.parametrize("n_chosen", [5, 60, 95])
@pytest.mark.parametrize("share", [0.1, 0.4, 0.9])
def test_shares(n_chosen, share):
    chosen = torch.randperm(100, generator=seeded(0)) < n_chosen
    picked = oversample(chosen, share, seeded(1))
    assert len(picked.unique()) == len(picked)
    assert chosen[picked].float().mean().item() == pytest.approx(share, abs=1 / len(picked))
    # One side is used up: no larger selection has this share.
    n = chosen[picked].sum().item(), (~chosen[picked]).sum().item()
    assert n[0] == n_chosen or n[1] == 100 - n_chosen


def test_shares_that_cannot_be():
    some = torch.tensor([True, False])
    for share in (0.0, 1.0):
        with pytest.raises(ValueError, match=f"share should lie between 0 and 1.*got {share}"):
            oversample(some, share, seeded(0))
    for chosen, n in ((~some & some, 0), (some | ~some, 2)):
        with pytest.raises(ValueError, match=f"{n} of 2 are"):
            oversample(chosen, 0.5, seeded(0))


def test_a_share_needs_chosen_tokens(primer):
    source = ActivationSource(
        model=primer, name="blocks.1.hook_resid_pre", texts=lambda i: Texts(TOKENS), share=0.5
    )
    with pytest.raises(ValueError, match="which tokens should come more often"):
        source(0)


def test_a_dictionary_trains_on_a_source(primer):
    def texts(i):
        return Texts(torch.randint(2, 188, (64, 9), generator=seeded(i)))

    source = ActivationSource(model=primer, name="blocks.1.hook_resid_pre", texts=texts)
    config = SaeConfig(d_sae=96, kind=TopK(k=8), n_steps=60, batch_size=128, learning_rate=3e-3)
    trained = train_sae(source, config, progress=False)
    assert trained.sae.d_in == 64 and trained.history[-1].fvu < 0.7 * trained.history[0].fvu
