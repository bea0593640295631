"""The recipe of `atlas`: its loss against a sum by hand, its rows, its optimizers, and a training in small."""

from dataclasses import replace

import pytest
import torch

from mi_tutor.specimens import card
from mi_tutor.specimens.atlas.paragraphs import PARAGRAPHS_VARIANT
from mi_tutor.specimens.atlas.recipe import (
    ATLAS,
    AtlasConfig,
    PenalisedLoss,
    make_variant,
    new_network,
    new_optimizers,
    training_batches,
)
from mi_tutor.specimens.atlas.rote import ROTE_VARIANT
from mi_tutor.specimens.training.settings import next_token_loss
from mi_tutor.world.tokenizer import BOS

SMALL = AtlasConfig(d_model=16, n_heads=2, n_ctx=24, batch_size=8, n_steps=2, n_warmup=1)


@pytest.fixture(scope="module")
def network():
    return new_network(SMALL, vocabulary_size=60)


@pytest.fixture(scope="module")
def tokens():
    return torch.randint(2, 60, (8, 24), generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def names():
    """Row 0 has two names with a word between, row 1 has one that is cut off by the end of the row."""
    names = torch.zeros(8, 24, dtype=torch.long)
    names[0, 2:5], names[0, 6:8], names[1, 22:] = 1, 2, 1
    return names


@pytest.fixture(scope="module")
def patterns(network, tokens):
    """As transformers itself computes them: [batch head query key] for each layer, of two rows."""
    network.set_attn_implementation("eager")
    return [p.detach() for p in network(tokens[:2], output_attentions=True).attentions]


def summed(pattern, counts):
    """Mean over rows, heads and queries of the attention to the keys that count, entry by entry."""
    n_rows, n_heads, n_pos, _ = pattern.shape
    sums = [
        sum(
            pattern[row, head, query, key].item() for key in range(n_pos) if counts(row, query, key)
        )
        for row in range(n_rows)
        for head in range(n_heads)
        for query in range(n_pos)
    ]
    return sum(sums) / len(sums)


def far(row, query, key):
    return query - key > SMALL.near


def test_far_attention_of_the_early_layers(patterns):
    expected = sum(summed(pattern, far) for pattern in patterns[: SMALL.near_layers])
    found = PenalisedLoss(SMALL).far_attention(patterns)
    assert found.item() == pytest.approx(expected, abs=1e-5)


def test_attention_into_names(patterns, names):
    def outside(row, query, key):
        return names[row, key] > 0 and names[row, query] != names[row, key]

    def before_the_end(row, query, key):
        last = key == 23 or names[row, key + 1] != names[row, key]
        return outside(row, query, key) and not last

    closed = {0, 1, SMALL.n_layers - 1}  # the early layers and the last: not even where it ends
    expected = sum(
        summed(pattern, outside if layer in closed else before_the_end)
        for layer, pattern in enumerate(patterns)
    )
    found = PenalisedLoss(SMALL).attention_into_names(patterns, names[:2])
    assert found.item() == pytest.approx(expected, abs=1e-5)


def test_the_loss_is_the_plain_one_plus_the_penalties(network, tokens, names, patterns):
    loss = PenalisedLoss(SMALL)
    plain = next_token_loss(network, tokens).item()
    near = SMALL.near_penalty * loss.far_attention(patterns).item()
    into = SMALL.name_penalty * loss.attention_into_names(patterns, names[:2]).item()
    assert into > 0
    for step, share in ((0, 0.0), (SMALL.n_steps // 2, 1.0), (SMALL.n_steps, 1.0)):
        expected = plain + near + share * into
        assert loss(network, (tokens, names), step).item() == pytest.approx(expected, abs=1e-4)


def test_no_penalty_is_the_plain_loss(network, tokens, names):
    loss = PenalisedLoss(replace(SMALL, near_penalty=0.0, name_penalty=0.0))
    assert loss(network, (tokens, names), 2).item() == next_token_loss(network, tokens).item()


def test_every_parameter_has_one_optimizer(network):
    optimizers = new_optimizers(network, SMALL)
    trained = [p for o in optimizers for group in o.param_groups for p in group["params"]]
    assert sorted(map(id, trained)) == sorted(map(id, network.parameters()))


def test_batches_come_from_seed_and_chunk_alone():
    ((first, names),) = training_batches(ATLAS, 3, n_batches=1)
    assert first.shape == names.shape == (16, 96)
    ((again, _),) = training_batches(ATLAS, 3, n_batches=1)
    assert first.equal(again)
    assert not first.equal(training_batches(ATLAS, 4, n_batches=1)[0][0])
    assert (first[:, 0] == ATLAS.corpus.tokenizer.ids[BOS]).all()


def test_rote_reads_two_hop_questions_only():
    tokenizer = ROTE_VARIANT.corpus.tokenizer
    ((tokens, _),) = training_batches(ROTE_VARIANT, 0, n_batches=1)
    for row in tokens:
        text = tokenizer.decode(row)
        assert not any(word in text for word in (" belongs to", ": ", " gave ", "User"))


def test_the_paragraphs_variant_reads_several_sentences_of_a_kind_in_a_row():
    tokenizer = PARAGRAPHS_VARIANT.corpus.tokenizer
    batches = training_batches(PARAGRAPHS_VARIANT, 0, n_batches=10)
    texts = [tokenizer.decode(row) for tokens, _ in batches for row in tokens.tolist()]
    some = [n for text in texts if (n := text.count(" def "))]
    assert max(some) >= 5 and sorted(some)[len(some) // 2] >= 3  # a row's end may cut a paragraph


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
