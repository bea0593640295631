"""Splicing against the bridge's own hooks, and at its landmarks."""

import pytest
import torch

from mi_tutor.lab.dictionaries import LossRecovered, Sae, loss_recovered
from mi_tutor.lab.ground.device import seeded

TOKENS = torch.randint(2, 188, (6, 9), generator=seeded(0))
HOOKS = {
    "resid_pre": "hook_resid_pre",
    "resid_post": "hook_resid_post",
    "mlp_out": "hook_mlp_out",
    "attn_out": "hook_attn_out",
}


@pytest.fixture(params=["primer", "tiny_gpt2"])
def model(request):
    return request.getfixturevalue(request.param)


def loss_with_hook(model, layer, component, edit) -> float:
    def replace(value, hook):
        return torch.cat([value[:, :1], edit(value)[:, 1:]], dim=1)

    hooks = [(f"blocks.{layer}.{HOOKS[component]}", replace)]
    with torch.no_grad():
        logits = model.run_with_hooks(TOKENS, fwd_hooks=hooks)
    return torch.nn.functional.cross_entropy(
        logits[:, :-1].flatten(0, 1), TOKENS[:, 1:].flatten()
    ).item()


@pytest.mark.parametrize("component", HOOKS)
@pytest.mark.parametrize("layer", [0, 1])
def test_losses_are_those_of_hooks(model, layer, component):
    def edit(value):
        return 0.7 * value + 0.1

    found = loss_recovered(model, TOKENS.split(4), layer, component, edit)
    assert found.clean == pytest.approx(
        loss_with_hook(model, layer, component, lambda v: v), abs=1e-4
    )
    assert found.spliced == pytest.approx(loss_with_hook(model, layer, component, edit), abs=1e-4)
    zero = loss_with_hook(model, layer, component, torch.zeros_like)
    assert found.ablated == pytest.approx(zero, abs=1e-4)


def test_landmarks(model):
    def recovered(reconstruct, **how):
        return loss_recovered(model, [TOKENS], 1, "resid_pre", reconstruct, **how).recovered

    assert recovered(lambda x: x) == pytest.approx(1)
    assert recovered(torch.zeros_like) == pytest.approx(0)
    assert recovered(lambda x: x, ablation="mean") == pytest.approx(1)
    with torch.no_grad():
        _, cache = model.run_with_cache(TOKENS)
    mean = cache["blocks.1.hook_resid_pre"][:, 1:].flatten(0, 1).mean(dim=0)
    assert recovered(lambda x: mean.expand_as(x), ablation="mean") == pytest.approx(0, abs=1e-3)


def test_the_first_position_is_left_alone(primer):
    def break_first(x):
        return torch.cat([x[:, :1] + 100, x[:, 1:]], dim=1)

    found = loss_recovered(primer, [TOKENS], 1, "resid_pre", break_first)
    assert found.spliced == pytest.approx(found.clean)


def test_a_transcoder_reads_what_the_mlp_reads(model):
    mlp = model.blocks[1].mlp

    def perfect(x):
        hidden = torch.nn.functional.gelu(x @ mlp.W_in + mlp.b_in, approximate="tanh")
        return hidden @ mlp.W_out + mlp.b_out

    found = loss_recovered(model, [TOKENS], 1, "mlp_out", perfect, source="mlp_in")
    assert found.recovered == pytest.approx(1, abs=1e-3)


def test_recovered_by_hand():
    assert LossRecovered(clean=1.0, spliced=1.5, ablated=3.0).recovered == 0.75
    with pytest.raises(ValueError, match="The loss is 2 with the activation and without it"):
        _ = LossRecovered(clean=2.0, spliced=2.0, ablated=2.0).recovered


def test_what_cannot_be_measured(primer):
    for broken in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="numbers in reconstruction are NaN or infinite"):
            loss_recovered(primer, [TOKENS], 1, "resid_pre", lambda x, broken=broken: x + broken)
    for texts in ([], [TOKENS[:, :1]]):
        with pytest.raises(ValueError, match="no token after position 0"):
            loss_recovered(primer, texts, 1, "resid_pre", lambda x: x)


def test_an_sae_can_be_spliced(primer):
    eye = torch.eye(64)
    sae = Sae(
        W_enc=torch.cat([eye, -eye], dim=1),
        b_enc=torch.zeros(128),
        W_dec=torch.cat([eye, -eye]),
        b_dec=torch.zeros(64),
    )
    found = loss_recovered(primer, [TOKENS], 1, "resid_pre", sae)
    assert found.recovered == pytest.approx(1, abs=1e-4)


def test_what_cannot_be_spliced(primer, tiny_llama):
    with pytest.raises(ValueError, match="component should be one of"):
        loss_recovered(primer, [TOKENS], 1, "pattern", lambda x: x)
    with pytest.raises(ValueError, match="takes a GPT-2"):
        loss_recovered(tiny_llama, [TOKENS], 1, "resid_pre", lambda x: x)
