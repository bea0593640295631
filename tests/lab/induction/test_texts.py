"""Repeated texts, and where induction should look, by loops over every position."""

import doctest

import pytest
import torch

from mi_tutor.lab.ground.device import seeded
from mi_tutor.lab.induction import texts as induction
from mi_tutor.lab.induction.texts import (
    fuzzy_copy,
    induction_targets,
    phase_change,
    repeated_tokens,
    rotated_tokens,
)

WORDS = torch.arange(5, 50)


def test_two_equal_blocks_of_different_words():
    tokens = repeated_tokens(WORDS, 200, 12, bos=3, generator=seeded(0))
    assert tokens.shape == (200, 25) and tokens.dtype == torch.long
    assert (tokens[:, 0] == 3).all()
    assert torch.equal(tokens[:, 1:13], tokens[:, 13:])
    assert all(len(set(row.tolist())) == 12 for row in tokens[:, 1:13])
    assert set(tokens[:, 1:].unique().tolist()) == set(WORDS.tolist())
    assert len({tuple(row.tolist()) for row in tokens}) == 200


def test_words_come_alike_often():
    tokens = repeated_tokens(WORDS, 3000, 9, bos=0, generator=seeded(1))
    share = torch.bincount(tokens[:, 1], minlength=50)[5:] / 3000
    assert share.min() > 0.5 / 45 and share.max() < 2 / 45


def test_the_seed_decides():
    one, same, other = (
        repeated_tokens(WORDS, 4, 5, bos=0, generator=seeded(seed)) for seed in (0, 0, 1)
    )
    assert torch.equal(one, same) and not torch.equal(one, other)


@pytest.mark.parametrize("shift", [1, 3, 11])
def test_rotation(shift):
    tokens = rotated_tokens(WORDS, 5, 12, bos=0, generator=seeded(0), shift=shift)
    for row in tokens.tolist():
        block = row[1:13]
        assert row[13:] == block[shift:] + block[:shift]


@pytest.mark.parametrize(("n_block", "shift"), [(4, 0), (4, 8)])
def test_no_rotation(n_block, shift):
    with pytest.raises(ValueError, match="is the same block"):
        rotated_tokens(WORDS, 1, n_block, bos=0, generator=seeded(0), shift=shift)


@pytest.mark.parametrize("n_block", [0, 46])
def test_blocks_longer_than_the_vocabulary(n_block):
    with pytest.raises(ValueError, match="between 1 and the vocabulary's 45"):
        repeated_tokens(WORDS, 1, n_block, bos=0, generator=seeded(0))


def test_targets_by_a_loop():
    tokens = torch.randint(4, (20, 11), generator=seeded(0))  # many repetitions, also "a a"
    targets = induction_targets(tokens)
    for row, found in zip(tokens.tolist(), targets.tolist(), strict=True):
        for query in range(11):
            earlier = [i for i in range(query) if row[i] == row[query]]
            expected = earlier[-1] + 1 if earlier and earlier[-1] + 1 < query else -1
            assert found[query] == expected


def test_targets_on_repeated_tokens_are_the_token_after_the_copy():
    tokens = repeated_tokens(WORDS, 3, 6, bos=0, generator=seeded(0))
    targets = induction_targets(tokens)
    assert (targets[:, :7] == -1).all()
    assert (targets[:, 7:] == torch.arange(2, 8)).all()


def test_fuzzy_copy_tells_the_two_rules_apart():
    n = 8
    tokens = rotated_tokens(WORDS, 30, n, bos=0, generator=seeded(0), shift=3)
    by_token, by_position = (torch.zeros(*tokens.shape, 50) for _ in range(2))
    for r, row in enumerate(tokens.tolist()):
        for q in range(n + 1, 2 * n + 1):
            by_token[r, q, row[row.index(row[q]) + 1]] = 20
            by_position[r, q, row[q - n + 1]] = 20
    seen = fuzzy_copy(by_token, tokens, n)
    assert seen.by_token > 0.999 and seen.by_position < 1e-3
    seen = fuzzy_copy(by_position, tokens, n)
    assert seen.by_token < 1e-3 and seen.by_position > 0.999


@pytest.mark.parametrize("n", [2, 3, 8])
def test_fuzzy_copy_of_a_block_rotated_by_all_but_one(n):
    """BOS a b c  c a b: after the copy of c stands the second c, the query itself."""
    tokens = rotated_tokens(WORDS, 20, n, bos=0, generator=seeded(0), shift=n - 1)
    p = torch.randn(20, 1 + 2 * n, 50, generator=seeded(1)).softmax(dim=-1)
    by_token, by_position = [], []
    for r, row in enumerate(tokens.tolist()):
        assert row[n] == row[n + 1]
        for q in range(n + 1, 2 * n):
            by_token.append(p[r, q, row[row.index(row[q]) + 1]].item())
            by_position.append(p[r, q, row[q - n + 1]].item())
    seen = fuzzy_copy(p.log(), tokens, n)
    assert seen.by_token.item() == pytest.approx(sum(by_token) / len(by_token), rel=1e-5)
    assert seen.by_position.item() == pytest.approx(sum(by_position) / len(by_position), rel=1e-5)


@pytest.mark.parametrize(
    ("rows", "n_block", "complaint"),
    [
        ([[0, 5, 6, 7, 6, 7, 8]], 3, "once"),  # 8 has no copy
        ([[0, 5, 5, 7, 7, 5, 5]], 3, "once"),  # 5 has two
        ([[0, 5, 6, 7, 6, 7, 5]], 2, "positions"),
        ([[0, 5, 5]], 1, "two or more"),
    ],
)
def test_fuzzy_copy_says_when_rows_are_no_rotated_blocks(rows, n_block, complaint):
    tokens = torch.tensor(rows)
    with pytest.raises(ValueError, match=complaint):
        fuzzy_copy(torch.zeros(*tokens.shape, 50), tokens, n_block)


def test_a_uniform_model_follows_neither_rule():
    tokens = rotated_tokens(WORDS, 30, 8, bos=0, generator=seeded(0))
    for probability in fuzzy_copy(torch.zeros(*tokens.shape, 50), tokens, 8):
        assert probability.item() == pytest.approx(1 / 50)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.0, 0.0, 1.0, 1.0], (20, 30, 1.0)),
        ([3.0, 0.0, 0.0, 0.0], (10, 20, 1.0)),
        ([0.0, 1.0, 2.0, 4.0], (30, 40, 0.5)),
        ([1.0, 0.0, 2.0, 1.5], (20, 30, 1.0)),
    ],
)
def test_the_steepest_part(values, expected):
    assert phase_change([10, 20, 30, 40], torch.tensor(values)) == expected


@pytest.mark.parametrize(
    ("steps", "values", "sentence"),
    [
        ([1, 2], [1.0, 1.0], "flat"),
        ([1], [1.0], "steps should rise"),
        ([1, 2, 3], [1.0, 2.0], "3 steps and 2 values"),
        ([2, 1], [1.0, 2.0], "steps should rise"),
        ([1, 1], [1.0, 2.0], "steps should rise"),
    ],
)
def test_no_phase_change(steps, values, sentence):
    with pytest.raises(ValueError, match=sentence):
        phase_change(steps, torch.tensor(values))


def test_examples():
    assert doctest.testmod(induction).failed == 0
