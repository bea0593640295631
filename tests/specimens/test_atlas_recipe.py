"""The recipe of `atlas`: its loss against a sum by hand, its rows, its optimizers, and a training in small."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from mi_tutor.specimens import card
from mi_tutor.specimens.atlas_recipe import (
    ATLAS,
    AtlasConfig,
    PenalisedLoss,
    make_variant,
    new_network,
    new_optimizers,
    training_rows,
)
from mi_tutor.specimens.atlas_rote_recipe import ROTE_VARIANT
from mi_tutor.specimens.training import next_token_loss
from mi_tutor.world.tokenizer import BOS

SMALL = AtlasConfig(d_model=16, n_heads=2, n_ctx=24, batch_size=8, n_steps=2, n_warmup=1)


@pytest.fixture(scope="module")
def network():
    return new_network(SMALL, vocabulary_size=60)


@pytest.fixture(scope="module")
def tokens():
    return torch.randint(2, 60, (8, 24), generator=torch.Generator().manual_seed(0))


def test_the_penalty_is_the_far_attention_of_the_early_layers(network, tokens):
    """Summed entry by entry from the patterns that transformers itself computes."""
    network.set_attn_implementation("eager")
    patterns = network(tokens[:2], output_attentions=True).attentions
    total = 0.0
    for layer in range(SMALL.near_layers):
        far = [
            sum(patterns[layer][row, head, query, key].item() for key in range(query - SMALL.near))
            for row in range(2)
            for head in range(SMALL.n_heads)
            for query in range(24)
        ]
        total += sum(far) / len(far)
    loss = PenalisedLoss(SMALL)
    assert loss.far_attention(network, tokens).item() == pytest.approx(total, abs=1e-5)
    expected = next_token_loss(network, tokens).item() + SMALL.near_penalty * total
    assert loss(network, tokens, 0).item() == pytest.approx(expected, abs=1e-4)


def test_no_penalty_is_the_plain_loss(network, tokens):
    loss = PenalisedLoss(replace(SMALL, near_penalty=0.0))
    assert loss(network, tokens, 0).item() == next_token_loss(network, tokens).item()


def test_every_parameter_has_one_optimizer(network):
    optimizers = new_optimizers(network, SMALL)
    trained = [p for o in optimizers for group in o.param_groups for p in group["params"]]
    assert sorted(map(id, trained)) == sorted(map(id, network.parameters()))


def test_rows_come_from_seed_and_chunk_alone():
    first = training_rows(ATLAS, 3, n_batches=1)
    assert first.shape == (16, 96)
    np.testing.assert_array_equal(first, training_rows(ATLAS, 3, n_batches=1))
    assert (first != training_rows(ATLAS, 4, n_batches=1)).any()
    assert (first[:, 0] == ATLAS.corpus.tokenizer.ids[BOS]).all()


def test_rote_reads_two_hop_questions_only():
    tokenizer = ROTE_VARIANT.corpus.tokenizer
    for row in training_rows(ROTE_VARIANT, 0, n_batches=1):
        text = tokenizer.decode(row)
        assert not any(word in text for word in (" belongs to", ": ", " gave ", "User"))


def test_a_training_in_small(tmp_path):
    """It misses its goals and says so on its card."""
    variant = replace(ATLAS, config=SMALL, measure=lambda directory: [])
    made = make_variant(tmp_path / "small", variant, progress=False)
    assert made.seed == 0 and "seed" not in made.recipe
    assert card(tmp_path / "small") == made
    assert (tmp_path / "small" / "model.safetensors").stat().st_size < 200_000


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [({"n_layers": 0}, "at least 1, got 0"), ({"n_heads": 5}, "a multiple of n_heads")],
)
def test_configs_that_make_no_sense(wrong, sentence):
    with pytest.raises(ValueError, match=sentence):
        AtlasConfig(**wrong)
