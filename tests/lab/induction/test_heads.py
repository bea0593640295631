"""Detectors against patterns made by hand, loops, and TransformerLens's detector."""

import doctest

import pytest
import torch
from transformer_lens.head_detector import detect_head

from mi_tutor.lab.ground.device import seeded
from mi_tutor.lab.induction import heads
from mi_tutor.lab.induction.heads import (
    attention_to,
    current_token_score,
    duplicate_token_score,
    first_token_score,
    head_scores,
    induction_score,
    previous_token_score,
)
from mi_tutor.lab.induction.texts import induction_targets, repeated_tokens

N = 6  # words per block
SIZE = 1 + 2 * N
KINDS = {
    "current": (current_token_score, lambda q: q),
    "previous": (previous_token_score, lambda q: q - 1),
    "first": (first_token_score, lambda q: 0),
    "duplicate": (lambda p: duplicate_token_score(p, N), lambda q: q - N),
    "induction": (lambda p: induction_score(p, N), lambda q: q - N + 1),
}


def looking_at(key_of) -> torch.Tensor:
    """A head that puts all of its attention on one key; on BOS where that one does not exist."""
    pattern = torch.zeros(SIZE, SIZE)
    for query in range(SIZE):
        pattern[query, max(key_of(query), 0)] = 1
    return pattern


def random_patterns(*axes):
    scores = torch.randn(*axes, SIZE, SIZE, generator=seeded(0))
    future = torch.ones(SIZE, SIZE, dtype=torch.bool).triu(1)
    return scores.masked_fill(future, float("-inf")).softmax(-1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("head", KINDS)
def test_each_detector_finds_its_own_head_only(kind, head):
    score = KINDS[kind][0](looking_at(KINDS[head][1]))
    if kind == head:
        assert score == 1
    elif kind == "first" and head in ("duplicate", "induction"):
        assert 0 < score < 1  # in the first block such heads rest on BOS
    else:
        assert score == 0


@pytest.mark.parametrize("kind", KINDS)
def test_scores_by_a_loop(kind):
    pattern = random_patterns(3, 2)
    score, key_of = KINDS[kind]
    queries = range(N + 1, SIZE) if kind in ("duplicate", "induction") else range(2, SIZE)
    for i in range(3):
        for j in range(2):
            given = [pattern[i, j, q, key_of(q)].item() for q in queries]
            assert score(pattern)[i, j].item() == pytest.approx(sum(given) / len(given))


def test_longer_texts_than_two_blocks():
    pattern = looking_at(lambda q: q - 4 + 1)  # blocks of 4, and more text behind them
    assert induction_score(pattern, 4) == 1


@pytest.mark.parametrize("n_block", [0, N + 1])
def test_a_pattern_that_does_not_hold_two_blocks(n_block):
    with pytest.raises(ValueError, match="positions, the pattern has 13"):
        induction_score(random_patterns(), n_block)


def test_attention_to_targets_by_a_loop():
    tokens = torch.randint(3, (4, SIZE), generator=seeded(0))
    targets = induction_targets(tokens)
    pattern = random_patterns(4, 2, 3)
    given = [
        pattern[row, :, :, query, targets[row, query]]
        for row in range(4)
        for query in range(SIZE)
        if targets[row, query] >= 0
    ]
    torch.testing.assert_close(attention_to(pattern, targets), torch.stack(given).mean(dim=0))


def test_attention_to_targets_is_the_induction_score_on_repeated_tokens():
    tokens = repeated_tokens(torch.arange(50), 5, N, bos=60, generator=seeded(0))
    pattern = random_patterns(5, 3)
    seen = attention_to(pattern, induction_targets(tokens))
    torch.testing.assert_close(seen, induction_score(pattern, N).mean(dim=0))


def test_no_targets():
    with pytest.raises(ValueError, match="No query has a target"):
        attention_to(random_patterns(1, 2), torch.full((1, SIZE), -1))


def test_heads_of_a_model_are_transformer_lens_s(primer):
    """Their score is the sum over all queries, ours the mean over those that the detector is about."""
    words = " door river cake lamp hat coin"
    tokens = primer.to_tokens(words + words)
    assert tokens.shape == (1, SIZE)
    ours = head_scores(primer, tokens, N)
    theirs = {
        name: detect_head(primer, words + words, f"{name}_head") * SIZE
        for name in ("induction", "duplicate_token", "previous_token")
    }
    torch.testing.assert_close(ours.induction * N, theirs["induction"])
    torch.testing.assert_close(ours.duplicate * N, theirs["duplicate_token"])
    with torch.no_grad():
        _, cache = primer.run_with_cache(tokens)
    at_query_1 = torch.stack([cache["pattern", layer][0, :, 1, 0] for layer in range(2)])
    torch.testing.assert_close(ours.previous * (SIZE - 2) + at_query_1, theirs["previous_token"])


def test_rows_are_averaged(tiny_llama):
    tokens = repeated_tokens(torch.arange(20, 60), 3, N, bos=0, generator=seeded(0))
    together = head_scores(tiny_llama, tokens, N)
    each = [head_scores(tiny_llama, row[None], N) for row in tokens]
    for name in together._fields:
        mean = torch.stack([getattr(one, name) for one in each]).mean(dim=0)
        torch.testing.assert_close(getattr(together, name), mean, atol=1e-5, rtol=1e-4)


def test_examples():
    assert doctest.testmod(heads).failed == 0
