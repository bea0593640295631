"""Ablations by hand: heads without their weights, means and draws by loops."""

import copy
import doctest

import pytest
import torch
from transformers import AutoModelForCausalLM

from mi_tutor.lab.ground.device import seeded
from mi_tutor.lab.ground.metrics import loss_from, prefers
from mi_tutor.lab.ground.runs import capture, evaluate
from mi_tutor.lab.ground.sites import Site
from mi_tutor.lab.patching import ablation
from mi_tutor.lab.patching.ablation import (
    ablate,
    ablation_sweep,
    ablation_values,
    mean_activation,
    other_prompts,
)
from mi_tutor.lab.patching.activation import run_patched
from mi_tutor.lab.reading.heads import head_effects

G = seeded(0)
TOKENS = torch.randint(2, 188, (4, 7), generator=G)
REFERENCE = torch.randint(2, 188, (9, 7), generator=G)
METRIC = prefers(torch.tensor([5, 60, 7, 8]), torch.tensor([9, 11, 100, 20]))
HOWS = ("zero", "mean", "resample")


def test_zero_is_the_model_without_the_heads_weights(tiny_gpt2, tiny_gpt2_path):
    network = AutoModelForCausalLM.from_pretrained(tiny_gpt2_path).eval()
    sweep = ablation_sweep(tiny_gpt2, TOKENS, METRIC, "z", ("layer", "head"), "zero")
    for layer in range(3):
        for head in range(3):
            cut = copy.deepcopy(network)
            with torch.no_grad():
                cut.transformer.h[layer].attn.c_proj.weight[8 * head : 8 * head + 8] = 0
                expected = METRIC(cut(TOKENS).logits)
            torch.testing.assert_close(sweep.per_pair[layer, head], expected, atol=1e-4, rtol=1e-4)


def test_zero_is_chapter_00s_effect(primer):
    tokens = torch.randint(2, 188, (2, 7), generator=seeded(2))
    metric = prefers(torch.tensor([5, 5]), torch.tensor([9, 9]))
    sweep = ablation_sweep(primer, tokens, metric, "z", ("layer", "head"), "zero")
    expected = head_effects(primer, tokens, answer=5, instead=9)
    torch.testing.assert_close(sweep.effect, expected, atol=1e-4, rtol=1e-4)


def test_mean_by_a_loop(tiny_llama):
    given = capture(tiny_llama, REFERENCE, ["z", "mlp_out"])
    for reference, n in ((REFERENCE, 4), (None, 4)):
        prompts = TOKENS if reference is None else reference
        each = [capture(tiny_llama, row[None], ["z", "mlp_out"]) for row in prompts]
        values = ablation_values(tiny_llama, TOKENS, ["z", "mlp_out"], "mean", reference)
        for name in given:
            expected = sum(one[name] for one in each) / len(each)
            assert len(values[name]) == n
            torch.testing.assert_close(
                values[name], expected.expand_as(values[name]), atol=1e-5, rtol=1e-4
            )


def test_mean_of_equal_prompts_changes_nothing(tiny_gpt2):
    same = TOKENS[:1].repeat(4, 1)
    with torch.no_grad():
        expected = tiny_gpt2(same)
    seen = ablate(tiny_gpt2, same, [Site("z", 1), Site("mlp_out", 2)], "mean")
    torch.testing.assert_close(seen, expected, atol=1e-5, rtol=1e-4)


def test_resampling_among_the_prompts_is_patching_from_another(tiny_gpt2):
    values = ablation_values(tiny_gpt2, TOKENS, ["z"], "resample", generator=seeded(3))
    others = other_prompts(4, seeded(3))
    expected = capture(tiny_gpt2, TOKENS[others], ["z"])
    for name, value in values.items():
        torch.testing.assert_close(value, expected[name], atol=1e-6, rtol=1e-4)
    site = Site("z", 0, head=2)
    seen = ablate(tiny_gpt2, TOKENS, site, "resample", generator=seeded(3))
    torch.testing.assert_close(seen, run_patched(tiny_gpt2, TOKENS, expected, site))


def test_resampling_from_a_reference_draws_whole_prompts(tiny_gpt2):
    given = capture(tiny_gpt2, REFERENCE, ["z"])
    values = ablation_values(tiny_gpt2, TOKENS, ["z"], "resample", REFERENCE, seeded(0))
    rows = [
        next(i for i in range(9) if torch.equal(given["blocks.0.attn.hook_z"][i], row))
        for row in values["blocks.0.attn.hook_z"]
    ]
    for name, value in values.items():
        assert torch.equal(value, given[name][rows])


@pytest.mark.parametrize("n", [2, 3, 10])
def test_other_prompts_are_others(n):
    seen = set()
    for seed in range(30):
        drawn = other_prompts(n, seeded(seed))
        assert sorted(drawn.tolist()) == list(range(n))
        assert (drawn != torch.arange(n)).all()
        seen.add(tuple(drawn.tolist()))
    assert len(seen) > 1 or n == 2


@pytest.mark.parametrize("how", HOWS)
def test_a_sweep_is_one_ablation_per_site(tiny_gpt2, how):
    draw = {"generator": seeded(1)} if how == "resample" else {}
    sweep = ablation_sweep(
        tiny_gpt2, TOKENS, METRIC, "mlp_out", ("layer", "position"), how, REFERENCE, **draw
    )
    torch.testing.assert_close(sweep.unpatched, evaluate(tiny_gpt2, TOKENS, METRIC))
    for layer, position in ((0, 3), (2, 6)):
        draw = {"generator": seeded(1)} if how == "resample" else {}
        one = ablate(tiny_gpt2, TOKENS, Site("mlp_out", layer, position), how, REFERENCE, **draw)
        torch.testing.assert_close(
            sweep.per_pair[layer, position], METRIC(one), atol=1e-5, rtol=1e-4
        )
    with pytest.raises(ValueError, match="The values came from no run"):
        _ = sweep.share


def test_the_three_differ(tiny_gpt2):
    axes = ("layer", "head")
    effects = [
        ablation_sweep(tiny_gpt2, TOKENS, METRIC, "z", axes, how, generator=seeded(0)).effect
        for how in HOWS
    ]
    assert not torch.allclose(effects[0], effects[1], atol=1e-3)
    assert not torch.allclose(effects[1], effects[2], atol=1e-3)


def test_heads_that_carry_the_loss(tiny_gpt2):
    """Chapter 03 asks which heads the loss on a second copy depends on: any metric will do."""
    metric = loss_from(TOKENS, first=4)
    sweep = ablation_sweep(tiny_gpt2, TOKENS, metric, "z", ("layer", "head"), "mean")
    one = metric(ablate(tiny_gpt2, TOKENS, Site("z", 2, head=1), "mean"))
    torch.testing.assert_close(sweep.per_pair[2, 1], one, atol=1e-5, rtol=1e-4)


def test_mean_activation_of_one():
    assert torch.equal(mean_activation(torch.ones(1, 2), 3), torch.ones(3, 2))


def test_impossible_requests(tiny_gpt2):
    with pytest.raises(ValueError, match='"zero", "mean" or "resample", got \'median\''):
        ablation.ablation_values.__wrapped__(tiny_gpt2, TOKENS, ["z"], "median")
    with pytest.raises(ValueError, match="give it a generator"):
        ablate(tiny_gpt2, TOKENS, Site("z", 0), "resample")
    with pytest.raises(ValueError, match="two or more"):
        ablate(tiny_gpt2, TOKENS[:1], Site("z", 0), "resample", generator=seeded(0))


def test_examples():
    assert doctest.testmod(ablation).failed == 0
