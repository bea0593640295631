"""Experiments on heads against weights that were changed by hand, and against torch's own loss."""

import copy

import pytest
import torch
from torch.nn import functional as F

from mi_tutor.lab.ground.device import seeded
from mi_tutor.lab.ground.metrics import per_position_loss
from mi_tutor.lab.ground.plain import has_hooks
from mi_tutor.lab.induction.experiments import (
    key_change,
    loss_without_heads,
    second_copy_loss,
    train_next_token,
)
from mi_tutor.lab.induction.texts import repeated_tokens
from mi_tutor.specimens import open_specimen
from mi_tutor.specimens.induction.recipe import InductionConfig, new_network

WORDS = torch.arange(1, 181)


@pytest.fixture(scope="module")
def model():
    return open_specimen("induction-2l", device="cpu")


@pytest.fixture(scope="module")
def tokens():
    return repeated_tokens(WORDS, 4, n_block=6, bos=0, generator=seeded(3))


def test_second_copy_loss_is_the_mean_over_words_that_can_be_known():
    loss = torch.arange(12.0).reshape(2, 6)  # BOS a b c a b c
    assert second_copy_loss(loss, n_block=3) == torch.tensor([4.0, 5.0, 10.0, 11.0]).mean()


def test_without_heads_is_the_model_whose_output_weights_of_those_heads_are_zero(model, tokens):
    """z is multiplied by W_O only, so a W_O of zero does the same."""
    by_hand = copy.deepcopy(model)
    with torch.no_grad():
        for layer, head in [(0, 2), (1, 0)]:
            by_hand.blocks[layer].attn.W_O[head] = 0
        expected = per_position_loss(by_hand(tokens), tokens)
    if torch.allclose(expected, per_position_loss(model(tokens), tokens).detach()):
        pytest.skip("W_O is a copy in this version: nothing was changed by hand")
    torch.testing.assert_close(loss_without_heads(model, tokens, [(0, 2), (1, 0)]), expected)


def test_without_heads_is_the_stream_without_their_part(model, tokens):
    """Their results are taken from the stream after the block: z W_O, head by head."""
    layer, head = 1, 3
    with torch.no_grad():
        _, cache = model.run_with_cache(tokens)
        part = cache[f"blocks.{layer}.attn.hook_z"][:, :, head] @ model.W_O[layer, head]
        stream = cache[f"blocks.{layer}.hook_resid_post"] - part
        logits = torch.nn.functional.layer_norm(stream, stream.shape[-1:], eps=model.cfg.eps)
        expected = per_position_loss(logits @ model.W_U + model.b_U, tokens)
    seen = loss_without_heads(model, tokens, [(layer, head)])
    torch.testing.assert_close(seen, expected, rtol=1e-3, atol=1e-4)


def test_no_heads_is_the_model_itself_and_no_hook_stays(model, tokens):
    with torch.no_grad():
        expected = per_position_loss(model(tokens), tokens)
    torch.testing.assert_close(loss_without_heads(model, tokens, []), expected)
    loss_without_heads(model, tokens, [(0, 0), (1, 1)])
    assert not has_hooks(model)


def test_keys_of_the_first_layer_know_nothing_of_the_token_before(model, tokens):
    change = key_change(model, tokens, torch.tensor([7, 8, 9, 10]), position=4)
    assert torch.equal(change[0], torch.zeros(4))
    assert (change[1] > 0.1).all()


def test_key_change_against_two_runs(model, tokens):
    other, position = torch.tensor([50, 51, 52, 53]), 5
    changed = tokens.clone()
    changed[:, 4] = other
    with torch.no_grad():
        _, before = model.run_with_cache(tokens)
        _, after = model.run_with_cache(changed)
    k, new = (cache["blocks.1.attn.hook_k"][:, position, 2] for cache in (before, after))
    expected = sum(
        ((new - k)[row].square().sum() / k[row].square().sum()).sqrt() for row in range(4)
    )
    seen = key_change(model, tokens, other, position)[1, 2]
    torch.testing.assert_close(seen, expected / 4, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("position", [0, -1, 13])
def test_a_position_without_a_token_before_it_is_refused(model, tokens, position):
    with pytest.raises(ValueError, match="position should be between 1 and 12"):
        key_change(model, tokens, tokens[:, 1], position)


def test_training_is_adam_on_the_mean_loss_of_the_next_token():
    batches = repeated_tokens(WORDS, 12, n_block=4, bos=0, generator=seeded(1)).split(4)
    seen, by_hand = (new_network(InductionConfig(n_layers=1, n_ctx=16)) for _ in range(2))
    losses = train_next_token(seen, batches, learning_rate=1e-2)
    optimizer = torch.optim.Adam([p for p in by_hand.parameters() if p.requires_grad], lr=1e-2)
    expected = []
    for tokens in batches:
        logits = by_hand(tokens).logits
        loss = F.cross_entropy(logits[:, :-1].flatten(0, 1), tokens[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        expected.append(loss.item())
    assert losses == pytest.approx(expected, rel=1e-4)
    for left, right in zip(seen.parameters(), by_hand.parameters(), strict=True):
        torch.testing.assert_close(left, right, rtol=1e-3, atol=1e-4)
