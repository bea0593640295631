"""Attribution against finite differences of exact patches, TransformerLens's tool, and sums that are exact."""

import doctest

import pandas
import pytest
import torch
from transformer_lens.tools.analysis import attribution_patch

from mi_tutor.lab.ground.metrics import loss_from, prefers
from mi_tutor.lab.ground.runs import capture
from mi_tutor.lab.ground.sites import COMPONENTS, HEAD_COMPONENTS, site_grid
from mi_tutor.lab.patching import attribution
from mi_tutor.lab.patching.attribution import (
    agreement,
    attribution_patching,
    false_negatives,
    integrated_gradients,
    pearson,
    ranks,
)
from mi_tutor.lab.patching.batched import batched_sweep
from mi_tutor.lab.patching.sweeps import SweepResult, denoise

G = torch.Generator().manual_seed(1)
CLEAN = torch.randint(2, 188, (2, 7), generator=G)
CORRUPTED = torch.randint(2, 188, (2, 7), generator=G)
METRIC = prefers(torch.tensor([3, 100]), torch.tensor([50, 20]))


@pytest.fixture(params=["tiny_gpt2", "tiny_llama"])
def model(request):
    return request.getfixturevalue(request.param)


def all_axes(component):
    split = component in HEAD_COMPONENTS
    return ("layer", "position", "head") if split else ("layer", "position")


@pytest.mark.parametrize("component", COMPONENTS)
def test_the_estimate_is_the_slope_of_an_exact_patch(model, component):
    """Patch a small part of the way, forwards and backwards: (m(+e) - m(-e)) / 2e."""
    clean, base = (capture(model, tokens, [component]) for tokens in (CLEAN, CORRUPTED))
    axes, step = all_axes(component), 0.02
    result = attribution_patching(model, CLEAN, CORRUPTED, METRIC, component, axes)
    *sizes, _ = result.per_pair.shape
    sites = site_grid(component, axes, dict(zip(axes, sizes, strict=True)))

    def exact(share):
        source = {name: base[name] + share * (clean[name] - base[name]) for name in base}
        return batched_sweep(model, CORRUPTED, source, METRIC, sites)

    slope = (exact(step) - exact(-step)) / (2 * step)
    estimate = (result.per_pair - result.unpatched).flatten(0, -2)
    assert estimate.std() > 1e-3
    torch.testing.assert_close(estimate, slope, atol=3e-3, rtol=3e-2)


def test_hooks_and_plain_arithmetic_agree(tiny_gpt2):
    for component in COMPONENTS:
        for method in (attribution_patching, integrated_gradients):
            axes = all_axes(component)
            plain = method(tiny_gpt2, CLEAN, CORRUPTED, METRIC, component, axes)
            with tiny_gpt2.hooks(fwd_hooks=[("hook_embed", lambda x, hook: x)]):
                hooked = method(tiny_gpt2, CLEAN, CORRUPTED, METRIC, component, axes)
            torch.testing.assert_close(hooked.per_pair, plain.per_pair, atol=1e-4, rtol=1e-4)


def test_transformer_lens_s_node_scores(tiny_gpt2):
    one = prefers(torch.tensor([3]), torch.tensor([50]))  # theirs takes one pair at a time
    prompts = CLEAN[:1], CORRUPTED[:1]
    theirs = attribution_patch(tiny_gpt2, *prompts, lambda logits: one(logits).mean()).node_scores
    heads = attribution_patching(
        tiny_gpt2, *prompts, one, "z", ("layer", "position", "head")
    ).effect
    mlps = attribution_patching(tiny_gpt2, *prompts, one, "mlp_out").effect
    seen = 0
    for node, score in theirs.items():
        if node.kind == "attn_head_out":
            ours = heads[node.layer, node.position, node.head]
        elif node.kind == "mlp_out":
            ours = mlps[node.layer, node.position]
        else:
            continue
        assert ours.item() == pytest.approx(score, abs=1e-4)
        seen += 1
    assert seen == 3 * 7 * 3 + 3 * 7


def test_the_last_stream_is_nearly_linear(tiny_gpt2):
    """After the last block only LayerNorm stands before the logits; without it the estimate were exact."""
    exact = denoise(tiny_gpt2, CLEAN, CORRUPTED, METRIC, "resid_post")
    found = integrated_gradients(tiny_gpt2, CLEAN, CORRUPTED, METRIC, "resid_post", n_steps=100)
    torch.testing.assert_close(found.values[-1, -1], exact.values[-1, -1], atol=1e-3, rtol=0)
    assert (found.effect[-1, :-1] == 0).all()  # other positions do not reach the answer


@pytest.mark.parametrize("component", COMPONENTS)
def test_integrated_gradients_add_up_to_the_whole_layers_patch(model, component):
    exact = denoise(model, CLEAN, CORRUPTED, METRIC, component, ("layer",))
    axes = all_axes(component)
    found = integrated_gradients(model, CLEAN, CORRUPTED, METRIC, component, axes, n_steps=200)
    total = found.effect.flatten(1).sum(dim=1)
    torch.testing.assert_close(total, exact.effect, atol=2e-3, rtol=1e-2)
    one_step = attribution_patching(model, CLEAN, CORRUPTED, METRIC, component, ("layer",))
    assert not torch.allclose(one_step.effect, exact.effect, atol=2e-3, rtol=1e-2)


@pytest.mark.parametrize(
    "axes", [("layer",), ("layer", "head"), ("head", "layer"), ("layer", "position")]
)
@pytest.mark.parametrize("component", ["z", "pattern"])
def test_an_axis_that_is_left_out_is_summed(tiny_gpt2, axes, component):
    every = ("layer", "position", "head")
    full = attribution_patching(tiny_gpt2, CLEAN, CORRUPTED, METRIC, component, every).effect
    seen = attribution_patching(tiny_gpt2, CLEAN, CORRUPTED, METRIC, component, axes).effect
    summed = full.sum(dim=[i for i, axis in enumerate(every) if axis not in axes] or None)
    torch.testing.assert_close(seen, summed.T if axes == ("head", "layer") else summed)


def test_any_metric_will_do(tiny_gpt2):
    metric = loss_from(CORRUPTED, first=3)
    plain = attribution_patching(tiny_gpt2, CLEAN, CORRUPTED, metric, "mlp_out")
    with tiny_gpt2.hooks(fwd_hooks=[("hook_embed", lambda x, hook: x)]):
        hooked = attribution_patching(tiny_gpt2, CLEAN, CORRUPTED, metric, "mlp_out")
    torch.testing.assert_close(hooked.per_pair, plain.per_pair, atol=1e-5, rtol=1e-4)


def test_frozen_weights_and_no_grad_do_not_matter(tiny_llama):
    expected = attribution_patching(tiny_llama, CLEAN, CORRUPTED, METRIC, "z").effect
    parameters = list(tiny_llama.parameters())
    for parameter in parameters:
        parameter.requires_grad_(False)
    try:
        with torch.no_grad():
            seen = attribution_patching(tiny_llama, CLEAN, CORRUPTED, METRIC, "z").effect
            integrated_gradients(tiny_llama, CLEAN, CORRUPTED, METRIC, "z", n_steps=2)
    finally:
        for parameter in parameters:
            parameter.requires_grad_(True)
    torch.testing.assert_close(seen, expected)
    assert all(parameter.grad is None for parameter in parameters)


def test_it_fails_on_the_primer_where_attention_saturates(primer):
    """What the chapter shows: queries and keys are estimated badly, and the way between the runs repairs it."""
    from mi_tutor.lab.ground.prompts import token_ids
    from mi_tutor.specimens import encode

    story = "When Mary and John went to the store, {} gave a drink to"
    clean, corrupted = encode(primer, [story.format("John"), story.format("Mary")])[:, None]
    metric = prefers(token_ids(primer, [" Mary"]), token_ids(primer, [" John"]))
    for component in ("q", "k"):
        axes = ("layer", "position", "head")
        exact = denoise(primer, clean, corrupted, metric, component, axes)
        rough = attribution_patching(primer, clean, corrupted, metric, component, axes)
        fine = integrated_gradients(primer, clean, corrupted, metric, component, axes)
        assert agreement(exact, fine).pearson > max(0.95, agreement(exact, rough).pearson)


def test_impossible_requests(tiny_gpt2):
    with pytest.raises(ValueError, match="n_steps should be at least 1, got 0"):
        integrated_gradients(tiny_gpt2, CLEAN, CORRUPTED, METRIC, "z", n_steps=0)
    with pytest.raises(ValueError, match="axes should be some of"):
        attribution_patching(tiny_gpt2, CLEAN, CORRUPTED, METRIC, "z", ("head",))


# ---- comparing ----


def result(values):
    values = torch.tensor(values)
    return SweepResult(
        per_pair=values[..., None] + 1,
        axes=("layer", "position"),
        component="mlp_out",
        metric="m",
        unpatched=torch.ones(1),
    )


def test_agreement_is_pandas_s():
    g = torch.Generator().manual_seed(0)
    for _ in range(5):
        x = torch.randint(5, (4, 6), generator=g).float()  # with many ties
        y = x + 2 * torch.randn(4, 6, generator=g)
        seen = agreement(result(x.tolist()), result(y.tolist()))
        table = pandas.DataFrame({"x": x.flatten().numpy(), "y": y.flatten().numpy()})
        for method in ("pearson", "spearman"):
            expected = table.corr(method=method).loc["x", "y"]
            assert getattr(seen, method) == pytest.approx(expected, abs=1e-5)


def test_rounding_is_no_rank():
    """Two of three sites do nothing. That they differ in the seventh digit is no disagreement."""
    exact, guess = result([[5.0, 1e-7, -1e-7]]), result([[4.0, -2e-7, 3e-7]])
    assert agreement(exact, guess).spearman == pytest.approx(1)
    assert agreement(exact, result([[4.0, 0.0, 3.0]])).spearman < 0.9


def test_ranks_by_counting():
    x = torch.tensor([3.0, -1.0, 3.0, 7.0, -1.0, 3.0])
    for i, rank in enumerate(ranks(x)):
        below, equal = (x < x[i]).sum(), (x == x[i]).sum()
        assert rank == below + (equal - 1) / 2


def test_pearson_of_a_constant_is_undefined():
    assert pearson(torch.ones(3), torch.tensor([1.0, 2.0, 3.0])) != pytest.approx(0)


def test_false_negatives_come_worst_first():
    exact = result([[5.0, -4.0, 0.0], [3.0, 1.0, 0.5]])
    guess = result([[4.0, 2.0, 9.0], [0.0, 1.0, 0.0]])
    worst = false_negatives(exact, guess, k=3)
    assert [(str(site), true, seen) for site, true, seen in worst] == [
        ("mlp_out 0 at 1", -4.0, 2.0),  # the wrong sign: all of it is missing
        ("mlp_out 1 at 0", 3.0, 0.0),
        ("mlp_out 0 at 0", 5.0, 4.0),
    ]


def test_examples():
    assert doctest.testmod(attribution).failed == 0
