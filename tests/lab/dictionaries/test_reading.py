"""Oracles: sorting by hand, and the unembedding itself."""

import pytest
import torch

from mi_tutor.lab.dictionaries import Sae, encode_texts, logit_effects, read_a_latent, top_contexts
from mi_tutor.lab.ground.device import seeded

ACTIVATIONS = torch.relu(torch.randn(6, 9, generator=seeded(0)))
TOKENS = torch.arange(54).reshape(6, 9)


def test_contexts_by_hand():
    places = [(r, p) for r in range(6) for p in range(9)]
    expected = sorted(places, key=lambda place: -ACTIVATIONS[place].item())[:5]
    contexts = top_contexts(ACTIVATIONS, TOKENS, n=5, around=2)
    assert [(c.row, c.position) for c in contexts] == expected
    for c in contexts:
        assert c.activation == pytest.approx(ACTIVATIONS[c.row, c.position].item())
        assert c.tokens[c.here] == TOKENS[c.row, c.position]
        assert c.activations[c.here] == c.activation
        start, end = max(0, c.position - 2), min(9, c.position + 3)
        assert c.tokens == TOKENS[c.row, start:end].tolist()
        assert c.activations == ACTIVATIONS[c.row, start:end].tolist()


def test_a_latent_that_is_rarely_on_has_few_contexts():
    activations = torch.zeros(2, 4)
    activations[1, 2] = 3.0
    assert [(c.row, c.position) for c in top_contexts(activations, TOKENS[:2, :4], 10)] == [(1, 2)]
    assert top_contexts(torch.zeros(2, 4), TOKENS[:2, :4], 10) == []


def test_effects_are_changes_of_centred_logits():
    direction, W_U = torch.randn(5, generator=seeded(1)), torch.randn(5, 12, generator=seeded(2))
    stream = torch.randn(5, generator=seeded(3))
    change = (stream + direction) @ W_U - stream @ W_U
    change = change - change.mean()
    raised, lowered = logit_effects(direction, W_U, 3)
    order = change.argsort().tolist()
    assert [token for token, _ in lowered] == order[:3]
    assert [token for token, _ in raised] == order[::-1][:3]
    for token, effect in raised + lowered:
        assert effect == pytest.approx(change[token].item(), abs=1e-4)


def test_adding_one_number_to_all_logits_is_no_effect():
    W_U = torch.randn(5, 12, generator=seeded(2))
    shifted = W_U + torch.ones(12)
    direction = torch.randn(5, generator=seeded(1))
    one, other = (logit_effects(direction, W, 3)[0] for W in (W_U, shifted))
    assert [token for token, _ in one] == [token for token, _ in other]
    assert [e for _, e in one] == pytest.approx([e for _, e in other], abs=1e-4)


def test_a_card_is_about_its_latent():
    W_dec, W_U = torch.randn(4, 5, generator=seeded(1)), torch.randn(5, 12, generator=seeded(2))
    card = read_a_latent(2, ACTIVATIONS, TOKENS, W_dec, W_U, n=3)
    assert card.latent == 2 and card.density == pytest.approx(
        (ACTIVATIONS > 0).float().mean().item()
    )
    assert card.contexts == top_contexts(ACTIVATIONS, TOKENS, 3)
    assert (card.raised, card.lowered) == logit_effects(W_dec[2], W_U, 3)


def test_bos_is_no_context():
    sae = Sae(W_enc=torch.eye(2), b_enc=torch.ones(2), W_dec=torch.eye(2), b_dec=torch.zeros(2))
    latents = encode_texts(sae, torch.rand(3, 4, 2, generator=seeded(0)))
    assert latents[:, 0].eq(0).all() and (latents[:, 1:] > 0).all()
