"""Projecting out, while the model runs and in its weights; guards; what a dictionary leaves out; alarms."""

import pytest
import torch

from mi_tutor.lab.dictionaries import Sae, TopK
from mi_tutor.lab.ground.plain import plain_transformer
from mi_tutor.lab.steering import (
    ablated_logits,
    ablated_stream,
    ablated_weights,
    alarm,
    clamp_on,
    crossed,
    error_norm,
    fit_guard,
    guard_score,
    latents_in_use,
    learned_direction,
    orthonormal,
    parts,
    project_out,
    search_unseen,
    two_causes,
    unseen,
)
from mi_tutor.specimens import encode, open_specimen


@pytest.fixture(scope="module")
def primer():
    model = open_specimen("primer", device="cpu")
    return model, encode(model, ["The capital of France is", "The capital of Italy is"])


def drawn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def a_dictionary(d=8, d_sae=12, k=3):
    return Sae(
        W_enc=drawn(d, d_sae, seed=1),
        b_enc=0.1 * drawn(d_sae, seed=2),
        W_dec=torch.nn.functional.normalize(drawn(d_sae, d, seed=3), dim=-1),
        b_dec=drawn(d, seed=4),
        kind=TopK(k=k),
    )


def test_projecting_out_is_what_least_squares_leaves():
    x, directions = drawn(5, 8), drawn(3, 8, seed=1)
    fitted = torch.linalg.lstsq(directions.double().mT, x.double().mT).solution
    left = x.double() - (directions.double().mT @ fitted).mT
    torch.testing.assert_close(project_out(x, directions).double(), left, atol=1e-5, rtol=0)


def test_directions_of_any_length_and_number():
    x, one = drawn(2, 3, 8), drawn(8, seed=1)
    torch.testing.assert_close(project_out(x, one), project_out(x, -7 * one[None]))
    torch.testing.assert_close(project_out(x, one), project_out(x, torch.stack([one, 3 * one])))
    assert orthonormal(torch.eye(8)[:3]).shape == (3, 8)


def test_the_weights_do_what_the_hooks_do(primer):
    model, tokens = primer
    plain, direction = plain_transformer(model), drawn(2, 64)
    basis = orthonormal(direction)
    hooks = [
        (f"blocks.{layer}.{name}", lambda x, hook: x - (x @ basis.mT) @ basis)
        for layer in range(model.cfg.n_layers)
        for name in ("hook_resid_pre", "hook_attn_out", "hook_mlp_out")
    ]
    with torch.no_grad():
        expected = model.run_with_hooks(tokens, fwd_hooks=hooks)[:, -1]
        for found in (
            ablated_logits(plain, tokens, direction),
            ablated_weights(plain, direction).logits_after(
                -1, ablated_weights(plain, direction).embed(tokens), read=-1
            )[:, 0],
        ):
            torch.testing.assert_close(found, expected, atol=1e-3, rtol=1e-3)
        assert (ablated_stream(plain, tokens, direction) @ basis.mT).abs().max() < 1e-4


def test_from_a_layer_on_leaves_what_is_before(primer):
    model, tokens = primer
    plain, direction = plain_transformer(model), drawn(64)
    with torch.no_grad():
        late = ablated_logits(plain, tokens, direction, first_layer=len(plain.blocks), read=None)
        stream = plain.resid_pre(len(plain.blocks), tokens)
    expected = plain.logits_after(len(plain.blocks) - 1, project_out(stream, direction))
    torch.testing.assert_close(late, expected)


def test_a_direction_is_found_by_gradient(primer):
    model, tokens = primer
    plain = plain_transformer(model)
    paris, rome = (model.to_single_token(each) for each in (" Paris", " Rome"))
    found = learned_direction(plain, tokens[:1], paris, rome, [tokens], 0, n_steps=30, keep=0.1)
    assert found.norm().item() == pytest.approx(1)
    before = plain.logits_after(-1, plain.embed(tokens[:1]), read=-1)[0, 0]
    after = ablated_logits(plain, tokens[:1], found)[0]
    assert after[paris] - after[rome] < before[paris] - before[rome]


def test_two_causes_are_those_of_a_regression_where_they_add_up():
    deed, thing = torch.tensor([0, 0, 1, 1, 0]).bool(), torch.tensor([0, 1, 0, 1, 0]).bool()
    effects = drawn(2, 4)
    x = torch.stack([deed, thing], dim=1).float() @ effects + 3
    torch.testing.assert_close(two_causes(x, deed, thing), effects)


def test_scores_are_those_of_counting():
    activations, harmful = drawn(60, 4).relu(), drawn(60, seed=1) > 0.3
    latents, thresholds = torch.tensor([2, 0]), torch.tensor([0.9, 0.4])
    said = (activations[:, 2] > 0.9) | (activations[:, 0] > 0.4)
    flagged, bad = (set(each.nonzero()[:, 0].tolist()) for each in (said, harmful))
    expected = (
        len(flagged & bad) / len(flagged),
        len(flagged & bad) / len(bad),
        2 * len(flagged & bad) / (len(flagged) + len(bad)),
    )
    assert guard_score(activations, latents, thresholds, harmful) == pytest.approx(expected)


def test_a_guard_of_nothing_has_no_score():
    nothing = torch.zeros(3, 1)
    score = guard_score(nothing, torch.tensor([0]), torch.tensor([0.5]), torch.ones(3) > 0)
    assert score == (0, 0, 0)


def test_the_best_single_latent_is_found_by_trying_all():
    activations, harmful = drawn(40, 5).relu(), drawn(40, seed=1) > 0
    best = max(
        guard_score(activations, torch.tensor([i]), level[None], harmful).f1
        for i in range(5)
        for level in [*activations[:, i], torch.tensor(0.0)]
    )
    guard = fit_guard(activations, harmful, n_latents=1)
    assert guard_score(activations, *guard, harmful).f1 == pytest.approx(best)


def test_clamping_moves_the_reconstruction_and_not_the_error():
    sae, x = a_dictionary(), drawn(20, 8)
    latents, values = torch.tensor([1, 4]), torch.tensor([2.0, 0.5])
    before = sae.encode(x)
    raised = before.clone()
    raised[:, latents] = torch.maximum(before[:, latents], values)
    expected = sae.decode(raised) + (x - sae(x))
    torch.testing.assert_close(clamp_on(x, sae, latents, values), expected, atol=1e-5, rtol=1e-5)


def test_crossing_sums_to_the_two_streams():
    sae, x, other = a_dictionary(), drawn(6, 8), drawn(6, 8, seed=9)
    first, second = crossed(x, other, sae)
    torch.testing.assert_close(first + second, x + other)
    torch.testing.assert_close(first - parts(x, sae).said, other - sae(other))


def test_what_is_unseen_changes_no_latent():
    sae, x = a_dictionary(d=24, k=3), drawn(4, 24, seed=7)
    active = latents_in_use(sae.encode(x))
    vector = unseen(drawn(24, seed=8), sae, active, longest=0.5)
    assert vector.norm().item() == pytest.approx(0.5)
    same = (sae.pre_activations(x + vector) - sae.pre_activations(x))[:, active]
    assert same.abs().max() < 1e-4
    assert (sae.W_dec[active] @ vector).abs().max() < 1e-4
    short = unseen(1e-3 * vector, sae, active, longest=0.5)
    torch.testing.assert_close(short, 1e-3 * vector)


def test_a_vector_is_found_that_the_latents_do_not_see(primer):
    model, tokens = primer
    plain = plain_transformer(model)
    paris, rome = (model.to_single_token(each) for each in (" Paris", " Rome"))
    sae = a_dictionary(d=64, d_sae=8, k=2)
    stream = plain.resid_pre(1, tokens[:1]).detach()
    found = search_unseen(plain, stream, 1, sae, None, paris, rome, longest=20.0, n_steps=40)
    edited = stream.clone()
    edited[:, -1] += found
    before, after = (plain.logits_after(0, each, read=-1)[0, 0] for each in (stream, edited))
    assert after[paris] - after[rome] < before[paris] - before[rome]
    latents = sae.encode(stream[:, -1]), sae.encode(edited[:, -1])
    active = latents_in_use(latents[0])
    assert (sae.W_dec[active] @ found).abs().max() < 1e-3


@pytest.mark.parametrize("share", [0.0, 0.05, 0.25, 0.5])
def test_an_alarm_rings_for_no_more_clean_ones_than_allowed(share):
    clean = torch.arange(40.0)[torch.randperm(40, generator=torch.Generator().manual_seed(0))]
    found = alarm(clean, clean, share)
    assert found.rings.float().mean().item() == pytest.approx(share)


def test_equal_values_do_not_ring():
    clean = torch.tensor([1.0, 2.0, 2.0, 2.0])
    assert not alarm(clean, clean, 0.25).rings.any()


def test_the_errors_length():
    sae, x = a_dictionary(), drawn(3, 8)
    torch.testing.assert_close(error_norm(x, sae) ** 2, (x - sae(x)).pow(2).sum(-1))
