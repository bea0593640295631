"""Circuits against whole matrices, TransformerLens, and heads that are built to be of a certain kind."""

import doctest

import pytest
import torch

from mi_tutor.lab.ground.device import seeded
from mi_tutor.lab.ground.runs import capture
from mi_tutor.lab.induction import circuits
from mi_tutor.lab.induction.circuits import (
    composition_score,
    composition_scores,
    copying_score,
    diagonal_wins,
    effective_embedding,
    embedding_norm,
    full_induction_circuit,
    induction_circuit_score,
    k_composition,
    ov_circuit,
    ov_eigenvalues,
    previous_token_circuit,
    qk_circuit,
    random_composition,
)
from mi_tutor.lab.induction.heads import previous_token_score

G = seeded(0)


def randn(*shape):
    return torch.randn(*shape, generator=G)


# ---- OV ----


def test_the_ov_circuit_says_what_attending_does(primer):
    """A head that attends to one token adds its OV row to the logits, but for LayerNorm and biases."""
    weights = primer.W_E, primer.W_V[1, 2], primer.W_O[1, 2], primer.W_U
    circuit = ov_circuit(*weights)
    for token in (5, 100):
        expected = primer.W_E[token] @ primer.W_V[1, 2] @ primer.W_O[1, 2] @ primer.W_U
        torch.testing.assert_close(circuit[token], expected, atol=1e-4, rtol=1e-4)


def test_the_same_numbers_from_transformer_lens(primer):
    theirs = primer.W_E @ primer.OV[1, 2] @ primer.W_U
    ours = ov_circuit(primer.W_E, primer.W_V[1, 2], primer.W_O[1, 2], primer.W_U)
    torch.testing.assert_close(ours, theirs.AB, atol=1e-4, rtol=1e-4)


def test_eigenvalues_are_those_of_the_whole_matrix():
    weights = [W.double() for W in (randn(20, 8), randn(8, 3), randn(3, 8), randn(8, 20))]
    whole = torch.linalg.eigvals(ov_circuit(*weights))
    largest = whole[whole.abs().argsort(descending=True)[:3]]
    assert whole.abs().sort().values[:-3].max() < 1e-10  # the rest are zeros
    found = ov_eigenvalues(*weights)
    torch.testing.assert_close(
        torch.stack([found.real.sort().values, found.imag.sort().values]),
        torch.stack([largest.real.sort().values, largest.imag.sort().values]),
    )


def test_copying_scores_of_built_heads():
    W_E = randn(30, 16)
    W_V = torch.linalg.qr(randn(16, 16))[0][:, :8]  # orthonormal columns
    W_U = W_E.T / W_E.norm(dim=1)
    copies = copying_score(
        W_E, W_V, W_V.T, W_U
    )  # W_V W_O is a projection: tokens keep their direction
    assert copies.eigenvalues == pytest.approx(1, abs=1e-4)
    assert copying_score(W_E, W_V, -W_V.T, W_U).eigenvalues == pytest.approx(-1, abs=1e-4)
    assert copying_score(W_E, torch.eye(16), torch.eye(16), W_U).top_1 == 1
    assert copying_score(W_E, torch.eye(16), -torch.eye(16), W_U).top_1 == 0


def test_random_heads_hardly_copy():
    scores = [
        copying_score(randn(60, 16), randn(16, 4), randn(4, 16), randn(16, 60)) for _ in range(50)
    ]
    assert sum(s.top_1 for s in scores) / 50 == pytest.approx(1 / 60, abs=0.01)
    assert abs(sum(s.eigenvalues for s in scores) / 50) < 0.25


def test_top_1_by_the_whole_matrix():
    weights = randn(300, 16), randn(16, 12), randn(12, 16), randn(16, 300)
    weights = weights[0], weights[1], weights[2] + 3 * weights[1].T, weights[0].T + weights[3]
    expected = (ov_circuit(*weights).argmax(dim=1) == torch.arange(300)).float().mean().item()
    assert 0.05 < expected < 0.95
    assert copying_score(*weights).top_1 == pytest.approx(expected)


@pytest.mark.parametrize("n_rows", [1, 7, 100, 1000])
def test_in_parts_or_at_once(n_rows):
    left, right = randn(100, 5), randn(100, 5)
    expected = ((left @ right.T).argmax(1) == torch.arange(100)).float().mean().item()
    assert diagonal_wins(left + right, right, n_rows) > expected
    assert diagonal_wins(left, right, n_rows) == pytest.approx(expected)


# ---- QK ----


def test_scores_are_those_of_the_model_without_biases(tiny_gpt2):
    """The model's own scores at layer 0, from its normalised streams, minus what the biases add."""
    tokens = torch.randint(188, (1, 6), generator=seeded(1))
    run = capture(tiny_gpt2, tokens, ["q", "k", "resid_pre"])
    x = run["blocks.0.hook_resid_pre"][0]
    x = x / (x.var(dim=-1, correction=0, keepdim=True) + 1e-5).sqrt()
    head = 1
    q = run["blocks.0.attn.hook_q"][0, :, head] - tiny_gpt2.b_Q[0, head]
    k = run["blocks.0.attn.hook_k"][0, :, head] - tiny_gpt2.b_K[0, head]
    seen = qk_circuit(x, tiny_gpt2.W_Q[0, head], tiny_gpt2.W_K[0, head], x)
    torch.testing.assert_close(seen, q @ k.T / 8**0.5, atol=1e-4, rtol=1e-4)


def test_a_built_previous_token_head_is_found():
    positions = torch.eye(10)
    W_K = torch.eye(10).roll(
        -1, dims=0
    )  # row k is the unit vector k + 1: the query that looks here
    for sharpness, expected in ((100.0, 1.0), (0.0, None)):
        pattern = previous_token_circuit(positions, sharpness * torch.eye(10), W_K)
        torch.testing.assert_close(pattern.sum(dim=1), torch.ones(10))
        assert (pattern.triu(1) == 0).all()
        score = previous_token_score(pattern).item()
        uniform = sum(1 / (q + 1) for q in range(2, 10)) / 8
        assert score == pytest.approx(expected or uniform, abs=1e-4)


def test_the_norm_divides_queries_and_keys():
    W_pos, W_Q, W_K = randn(7, 8), randn(8, 4), randn(8, 4)
    seen = previous_token_circuit(W_pos, W_Q, W_K, norm=2.0)
    torch.testing.assert_close(seen, previous_token_circuit(W_pos, W_Q / 2, W_K / 2))


def test_embedding_norm_over_all_tokens_and_positions():
    W_E, W_pos = randn(20, 8) + 1.5, randn(5, 8) * torch.arange(8.0)
    both = W_E[:, None] + W_pos
    expected = (both.var(dim=-1, correction=0).mean() + 1e-5).sqrt()
    assert embedding_norm(W_E, W_pos) == pytest.approx(expected.item(), rel=1e-5)


# ---- composition ----


@pytest.mark.parametrize("kind", ["Q", "K", "V"])
def test_composition_scores_are_transformer_lens_s(tiny_gpt2, kind):
    theirs = tiny_gpt2.all_composition_scores(kind).scores
    torch.testing.assert_close(composition_scores(tiny_gpt2, kind), theirs, atol=1e-5, rtol=1e-5)


def test_k_composition_of_one_pair_of_heads(tiny_gpt2):
    W_OV = tiny_gpt2.W_V[0, 1] @ tiny_gpt2.W_O[0, 1]
    W_QK = tiny_gpt2.W_Q[2, 0] @ tiny_gpt2.W_K[2, 0].T
    seen = k_composition(W_OV, W_QK).detach()
    torch.testing.assert_close(seen, composition_scores(tiny_gpt2, "K")[0, 1, 2, 0])


def test_the_three_kinds_differ(tiny_gpt2):
    one, two, three = (composition_scores(tiny_gpt2, kind) for kind in ("Q", "K", "V"))
    assert not torch.allclose(one, two, atol=1e-3) and not torch.allclose(two, three, atol=1e-3)


def test_a_later_head_that_reads_what_an_earlier_one_wrote():
    d, d_head = 32, 4
    basis = torch.linalg.qr(randn(d, d))[0]
    mine, other = basis[:, :d_head], basis[:, d_head : 2 * d_head]
    W_OV = randn(d, d_head) @ mine.T  # writes into `mine`
    reads_it = other @ mine.T  # W_QK: keys read `mine`, queries read `other`
    assert composition_score(W_OV, reads_it.T) > 0.3  # K
    assert composition_score(W_OV, reads_it) < 1e-5  # Q


@pytest.mark.parametrize("d_model", [64, 256])
def test_unrelated_heads_score_about_one_over_the_root_of_d_model(d_model):
    scores = random_composition(d_model, 16, 50, seeded(0))
    assert scores.mean().item() == pytest.approx(d_model**-0.5, rel=0.05)
    assert scores.std() < 0.1 * scores.mean()


# ---- the induction circuit ----


def test_a_built_induction_circuit_is_found():
    """The previous-token head writes the token into other dimensions; the induction head's keys read them."""
    n, d = 12, 24
    W_E = torch.cat([torch.eye(n), torch.zeros(n, n)], dim=1)
    moves = torch.zeros(d, d)
    moves[:n, n:] = torch.eye(n)
    reads_token, reads_moved = torch.eye(d)[:, :n], torch.eye(d)[:, n:]
    circuit = full_induction_circuit(W_E, moves, 5 * reads_token, reads_moved)
    torch.testing.assert_close(circuit, 5 * torch.eye(n) / n**0.5)
    assert induction_circuit_score(W_E, moves, 5 * reads_token, reads_moved) == 1
    # Q-composition instead: keys read the token, queries what was moved there. Nothing is found.
    assert (full_induction_circuit(W_E, moves, reads_moved, reads_token) == 0).all()


def test_the_score_is_the_share_of_the_circuits_diagonal():
    W_E, OV, W_Q, W_K = randn(80, 16), randn(16, 16), randn(16, 8), randn(16, 8)
    OV = OV + 3 * W_Q @ torch.linalg.pinv(W_K)
    circuit = full_induction_circuit(W_E, OV, W_Q, W_K)
    expected = (circuit.argmax(dim=1) == torch.arange(80)).float().mean().item()
    assert induction_circuit_score(W_E, OV, W_Q, W_K) == pytest.approx(expected)


def test_effective_embedding_is_what_the_model_does_without_attention(tiny_gpt2):
    """At a position whose embedding is zero, with attention's output zero, resid_post is the embedding."""

    def zero(activation, hook):
        return 0 * activation

    tokens = torch.arange(188)[:, None]
    hooks = [("hook_pos_embed", zero), ("blocks.0.hook_attn_out", zero)]
    with torch.no_grad(), tiny_gpt2.hooks(fwd_hooks=hooks):
        _, cache = tiny_gpt2.run_with_cache(tokens)
    seen = effective_embedding(tiny_gpt2)
    torch.testing.assert_close(seen, cache["blocks.0.hook_resid_post"][:, 0], atol=1e-5, rtol=1e-4)


def test_examples():
    assert doctest.testmod(circuits).failed == 0
