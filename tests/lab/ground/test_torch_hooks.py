"""Hooks of torch itself have an effect on all that the plain twin would compute without them, or are refused."""

import pytest
import torch

from mi_tutor.lab.dictionaries import loss_recovered
from mi_tutor.lab.dictionaries.sources import mlp_pair
from mi_tutor.lab.ground.metrics import prefers
from mi_tutor.lab.ground.plain import has_hooks, plain_transformer
from mi_tutor.lab.ground.runs import capture, evaluate, observe
from mi_tutor.lab.ground.sites import Site
from mi_tutor.lab.ground.streams import activation_stream
from mi_tutor.lab.induction.heads import head_scores
from mi_tutor.lab.patching import attribution_patching, batched_sweep, denoise

TOKENS = torch.randint(2, 188, (2, 9), generator=torch.Generator().manual_seed(0))
OTHERS = TOKENS.flip(0)
METRIC = prefers(torch.tensor([5, 60]), torch.tensor([9, 11]))
PLACES = {
    "a block": lambda model: model.blocks[0],
    "an MLP": lambda model: model.blocks[0].mlp,
    "a linear map inside": lambda model: model.blocks[0].mlp.original_component.c_fc,
    "a hook point": lambda model: model.blocks[0].attn.v.hook_out,
    "the embedding": lambda model: model.embed,
    "Hugging Face's stack": lambda model: model.original_model.transformer.drop,
}


def double(value):
    if isinstance(value, tuple):
        return (double(value[0]), *value[1:])
    return 2 * value if torch.is_tensor(value) and value.is_floating_point() else value


def put(module, kind):
    """A hook that doubles what goes in or what comes out."""
    if kind == "before":
        return module.register_forward_pre_hook(lambda module, inputs: double(inputs))
    return module.register_forward_hook(lambda module, inputs, output: double(output))


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", ["before", "after"])
def test_evaluate_sees_what_the_model_itself_sees(tiny_gpt2, place, kind):
    clean = evaluate(tiny_gpt2, TOKENS, METRIC)
    handle = put(PLACES[place](tiny_gpt2), kind)
    try:
        assert has_hooks(tiny_gpt2)
        with torch.no_grad():
            expected = METRIC(tiny_gpt2(TOKENS))
        assert torch.equal(evaluate(tiny_gpt2, TOKENS, METRIC), expected)
        ids_go_in = place == "the embedding" and kind == "before"
        assert ids_go_in or (expected - clean).abs().max() > 1e-3
    finally:
        handle.remove()
    assert not has_hooks(tiny_gpt2)
    torch.testing.assert_close(evaluate(tiny_gpt2, TOKENS, METRIC), clean)


USES = {
    "capture": lambda m: capture(m, TOKENS, ["resid_post"])["blocks.1.hook_resid_post"],
    "observe": lambda m: observe(m, TOKENS, METRIC, ["z"])[1],
    "head_scores": lambda m: head_scores(m, TOKENS, n_block=4).first,
    "streams": lambda m: next(iter(activation_stream(m, [TOKENS], "blocks.1.hook_resid_pre"))),
    "what an MLP reads": lambda m: mlp_pair(m, TOKENS, 1)[0],
    "denoise": lambda m: denoise(m, TOKENS, OTHERS, METRIC, "z").per_pair,
    "batched_sweep": lambda m: batched_sweep(
        m, TOKENS, capture(m, OTHERS, ["mlp_out"]), METRIC, [Site("mlp_out", 2)]
    ),
    "attribution": lambda m: attribution_patching(m, TOKENS, OTHERS, METRIC, "mlp_out").per_pair,
}


@pytest.mark.parametrize("use", USES)
def test_everything_else_does_too(tiny_gpt2, use):
    """A torch hook does what the same edit of TransformerLens's does, and not nothing."""
    clean = USES[use](tiny_gpt2)
    handle = put(tiny_gpt2.blocks[0].mlp, "after")
    try:
        seen = USES[use](tiny_gpt2)
    finally:
        handle.remove()
    edit = [("blocks.0.hook_mlp_out", lambda value, hook: 2 * value)]
    with tiny_gpt2.hooks(fwd_hooks=edit):
        expected = USES[use](tiny_gpt2)
    torch.testing.assert_close(seen, expected, atol=1e-5, rtol=1e-4)
    assert (seen - clean).abs().max() > 1e-4


def test_what_needs_the_twin_refuses(tiny_gpt2):
    handle = put(tiny_gpt2.blocks[0].mlp, "after")
    try:
        with pytest.raises(ValueError, match="without hooks in place; remove them"):
            loss_recovered(tiny_gpt2, [TOKENS], 1, "resid_pre", lambda x: x)
    finally:
        handle.remove()


@pytest.mark.parametrize("kind", ["register_full_backward_hook", "register_full_backward_pre_hook"])
def test_backward_hooks_count(tiny_gpt2, kind):
    handle = getattr(tiny_gpt2.blocks[1], kind)(lambda *_: None)
    try:
        assert plain_transformer(tiny_gpt2) is None
    finally:
        handle.remove()


def test_the_libraries_own_observers_do_not(tiny_gpt2):
    """TransformerLens and transformers put hooks in for good when a model first runs; they edit nothing."""
    with torch.no_grad():
        tiny_gpt2.run_with_cache(TOKENS)
        tiny_gpt2.original_model(TOKENS, output_attentions=True)
    own = [
        m for m in tiny_gpt2.original_model.modules() if m._forward_hooks or m._forward_pre_hooks
    ]
    assert own
    assert not has_hooks(tiny_gpt2)


def test_every_part_of_the_bridge_is_looked_at(tiny_gpt2):
    inside = set(tiny_gpt2.original_model.modules()) | {tiny_gpt2}
    assert set(tiny_gpt2.modules()) <= inside
    assert set(tiny_gpt2.hook_dict.values()) <= inside
