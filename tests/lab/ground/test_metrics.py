"""Metrics against torch's own losses, TransformerLens's and loops."""

import doctest

import pytest
import torch
from torch.nn.functional import cross_entropy

from mi_tutor.lab.ground import metrics
from mi_tutor.lab.ground.metrics import (
    Metric,
    in_context_score,
    kl,
    logit_difference,
    loss_from,
    per_position_loss,
    prefers,
    recovered,
)

G = torch.Generator().manual_seed(0)
LOGITS = torch.randn(4, 6, 11, generator=G)
TOKENS = torch.randint(11, (4, 6), generator=G)
ANSWERS, WRONGS = torch.tensor([3, 1, 4, 1]), torch.tensor([5, 9, 2, 6])


@pytest.mark.parametrize("position", [0, 2, -1])
def test_logit_difference_pair_by_pair(position):
    seen = logit_difference(LOGITS, ANSWERS, WRONGS, position)
    for pair in range(4):
        row = LOGITS[pair, position]
        assert seen[pair] == row[ANSWERS[pair]] - row[WRONGS[pair]]


def test_logit_difference_is_a_ratio_of_probabilities():
    p = LOGITS.softmax(-1)[:, -1]
    expected = torch.stack([(p[i, ANSWERS[i]] / p[i, WRONGS[i]]).log() for i in range(4)])
    torch.testing.assert_close(logit_difference(LOGITS, ANSWERS, WRONGS), expected)


def test_kl_is_torchs():
    p, q = LOGITS, LOGITS.flip(0) * 2
    expected = torch.distributions.kl_divergence(
        torch.distributions.Categorical(logits=p), torch.distributions.Categorical(logits=q)
    )
    torch.testing.assert_close(kl(p, q), expected)
    assert kl(p, p + 3).abs().max() < 1e-6


def test_kl_of_what_the_first_rules_out():
    """0 log 0 is 0, also where the other rules it out too."""
    p = torch.tensor([0.0, 0.0, -torch.inf])
    assert kl(p, torch.tensor([0.0, 0.0, -torch.inf])) == 0
    torch.testing.assert_close(kl(p, torch.zeros(3)), torch.tensor(3 / 2).log())
    assert kl(torch.zeros(3), p) == torch.inf


def test_leading_axes_are_runs_on_the_same_prompts():
    runs = torch.stack([LOGITS, 2 * LOGITS, -LOGITS])
    seen = logit_difference(runs, ANSWERS, WRONGS)
    one = logit_difference(LOGITS, ANSWERS, WRONGS)
    torch.testing.assert_close(seen, torch.stack([one, 2 * one, -one]))
    assert torch.equal(prefers(ANSWERS, WRONGS)(runs), seen)


@pytest.mark.parametrize("n", [1, 3, 5])
def test_one_answer_per_prompt(n):
    tokens = torch.ones(n, dtype=torch.long)
    with pytest.raises(ValueError, match=f"got {n} and {n} for 4 prompts"):
        metrics._difference.__wrapped__(LOGITS[:, 0], tokens, tokens)


def test_a_metric_reads_at_its_position():
    for position in (1, -1):
        seen = prefers(ANSWERS, WRONGS, position)(LOGITS)
        assert torch.equal(seen, logit_difference(LOGITS, ANSWERS, WRONGS, position))
    top = Metric(name="largest logit", measure=lambda logits: logits.amax(-1), position=2)
    assert torch.equal(top(LOGITS), LOGITS[:, 2].amax(-1))


def test_recovered_is_linear_between_the_two_runs():
    clean, corrupted = torch.tensor([3.0, -1.0]), torch.tensor([-2.0, 1.0])
    for share in (-0.5, 0.0, 0.25, 1.0, 1.5):
        value = corrupted + share * (clean - corrupted)
        torch.testing.assert_close(recovered(value, clean, corrupted), torch.full((2,), share))


def test_nothing_to_recover():
    with pytest.raises(ValueError, match="same value, so nothing can be recovered"):
        recovered(torch.zeros(2), torch.tensor([1.0, 2.0]), torch.tensor([1.0, 3.0]))


def test_loss_is_torchs():
    seen = per_position_loss(LOGITS, TOKENS)
    assert seen.shape == (4, 5)
    for row in range(4):
        expected = cross_entropy(LOGITS[row, :-1], TOKENS[row, 1:], reduction="none")
        torch.testing.assert_close(seen[row], expected)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_loss_of_logits_in_half_precision(dtype):
    logits = (10 * LOGITS).to(dtype)
    expected = per_position_loss(logits.double(), TOKENS)
    torch.testing.assert_close(per_position_loss(logits, TOKENS), expected.float())


def test_loss_is_the_bridges(primer):
    tokens = primer.to_tokens("The capital of France is Paris.")
    with torch.no_grad():
        expected = primer(tokens, return_type="loss", loss_per_token=True)
        torch.testing.assert_close(per_position_loss(primer(tokens), tokens), expected)


def test_loss_from_a_token_on():
    seen = loss_from(TOKENS, first=3)(torch.stack([LOGITS, LOGITS + 1]))
    expected = [
        cross_entropy(LOGITS[row, 2:5], TOKENS[row, 3:6]) for row in range(4)
    ]  # tokens 3, 4, 5 are predicted at 2, 3, 4
    torch.testing.assert_close(seen, torch.stack(expected).expand(2, 4))


def test_in_context_score_is_late_minus_early():
    loss = torch.tensor([[5.0, 4.0, 1.0], [5.0, 2.0, 1.0]])
    assert in_context_score(loss, early=0, late=2).item() == -4
    assert in_context_score(loss, early=1, late=-1).item() == -2


def test_examples():
    assert doctest.testmod(metrics).failed == 0
