"""The plain forward pass, against the bridge's hooks and Hugging Face's own model."""

import doctest

import pytest
import torch
from transformers import AutoModelForCausalLM

from mi_tutor.lab.ground import plain
from mi_tutor.lab.ground.plain import plain_transformer
from mi_tutor.lab.ground.sites import COMPONENTS, hook_name
from mi_tutor.specimens import specimen_path

TOKENS = torch.randint(2, 188, (3, 9), generator=torch.Generator().manual_seed(0))


@pytest.fixture(params=["primer", "tiny_gpt2"])
def model(request):
    return request.getfixturevalue(request.param)


def test_every_activation_is_the_bridges(model):
    with torch.no_grad():
        _, cache = model.run_with_cache(TOKENS)
        run = plain_transformer(model).run(TOKENS)
    names = [hook_name(c, layer) for layer in range(model.cfg.n_layers) for c in COMPONENTS]
    assert list(run) == names
    for name in names:
        torch.testing.assert_close(run[name], cache[name], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("read", [None, 0, 4, -1])
def test_logits_from_every_layer_on(model, read):
    twin = plain_transformer(model)
    with torch.no_grad():
        logits = model(TOKENS)
        expected = logits if read is None else logits[:, [read]]
        run = twin.run(TOKENS)
        for layer in range(-1, model.cfg.n_layers):
            start = run[hook_name("resid_post", layer)] if layer >= 0 else twin.embed(TOKENS)
            seen = twin.logits_after(layer, start, read)
            torch.testing.assert_close(seen, expected, atol=2e-5, rtol=1e-4)


def test_probabilities_are_hugging_faces(primer):
    network = AutoModelForCausalLM.from_pretrained(specimen_path("primer")).eval()
    twin = plain_transformer(primer)
    with torch.no_grad():
        seen = twin.logits_after(-1, twin.embed(TOKENS)).log_softmax(-1)
        torch.testing.assert_close(
            seen, network(TOKENS).logits.log_softmax(-1), atol=1e-4, rtol=1e-4
        )


def test_gradients_reach_every_activation_and_no_weight(tiny_gpt2):
    twin = plain_transformer(tiny_gpt2)
    run = twin.run(TOKENS)
    logits = twin.logits_after(2, run[hook_name("resid_post", 2)])
    grads = torch.autograd.grad(logits[:, -1, 7].sum(), list(run.values()))
    assert all(grad.abs().max() > 0 for grad in grads)
    assert all(parameter.grad is None for parameter in tiny_gpt2.parameters())


def test_no_twin_while_hooks_are_in_place(primer):
    with primer.hooks(fwd_hooks=[("blocks.0.hook_mlp_out", lambda x, hook: 0 * x)]):
        assert plain_transformer(primer) is None
    assert plain_transformer(primer) is not None


def test_no_twin_of_another_architecture_or_in_training(tiny_llama, primer):
    assert plain_transformer(tiny_llama) is None
    primer.train()
    try:
        assert plain_transformer(primer) is None
    finally:
        primer.eval()


def test_the_twin_has_the_present_weights(primer):
    W, name = primer.blocks[1].mlp.W_out, hook_name("mlp_out", 1)
    kept = W.detach().clone()
    with torch.no_grad():
        before = plain_transformer(primer).run(TOKENS)[name]
        W.mul_(0.5)
        try:
            seen = plain_transformer(primer).run(TOKENS)[name]
            _, cache = primer.run_with_cache(TOKENS)
            torch.testing.assert_close(seen, cache[name], atol=1e-5, rtol=1e-4)
            assert not torch.allclose(seen, before, atol=0.1)
        finally:
            W.copy_(kept)


def test_examples():
    assert doctest.testmod(plain).failed == 0
