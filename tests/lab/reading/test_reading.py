"""Reading a transformer, against plain transformers, brute force and torch. Shapes are checked by jaxtyping."""

import copy
import doctest

import pytest
import torch
from beartype import beartype
from jaxtyping import jaxtyped
from transformers import AutoModelForCausalLM

from mi_tutor.lab import reading
from mi_tutor.specimens import encode, open_specimen, specimen_path

STORY = "When Mary and John went to the store, John gave a drink to"


def checked(function):
    return jaxtyped(function, typechecker=beartype)


top_tokens, residual_at, residual_parts, residual_sum, zero_head, head_effects = map(
    checked,
    (
        reading.top_tokens,
        reading.residual_at,
        reading.residual_parts,
        reading.residual_sum,
        reading.zero_head,
        reading.head_effects,
    ),
)


@pytest.fixture(scope="module")
def model():
    return open_specimen("primer", device="cpu")


@pytest.fixture(scope="module")
def plain():
    return AutoModelForCausalLM.from_pretrained(specimen_path("primer")).eval()


@pytest.fixture
def tokens(model):
    return encode(model, STORY)


@pytest.fixture
def cache(model, tokens):
    with torch.no_grad():
        return model.run_with_cache(tokens)[1]


# ---- top_tokens ----


@pytest.mark.parametrize("k", [1, 3, 7])
def test_top_tokens_is_a_full_sort(k):
    logits = torch.randn(5, 7, generator=torch.Generator().manual_seed(k))
    expected = sorted(range(7), key=lambda token: -logits[-1, token].item())[:k]
    assert top_tokens(logits, k).tolist() == expected


def test_top_tokens_are_the_most_probable_of_the_plain_model(model, plain, tokens):
    with torch.no_grad():
        probabilities = plain(tokens).logits[0, -1].softmax(dim=-1)
        found = top_tokens(model(tokens)[0], 5)
    assert found.tolist() == probabilities.argsort(descending=True)[:5].tolist()
    assert model.to_string(found[:1]) == " Mary"


def test_top_tokens_takes_any_layout_and_leaves_its_input_alone():
    logits = torch.randn(7, 5, generator=torch.Generator().manual_seed(0)).T.double()
    before = logits.clone()
    assert top_tokens(logits, 2).tolist() == logits[-1].argsort(descending=True)[:2].tolist()
    assert torch.equal(logits, before)


@pytest.mark.parametrize("k", [0, -1, 8])
def test_top_tokens_with_an_impossible_k(k):
    with pytest.raises(ValueError, match=rf"k should be between 1 and .* 7 tokens, got {k}"):
        reading.top_tokens(torch.zeros(2, 7), k)


# ---- the residual stream ----


def test_residual_at_is_the_plain_model_s_hidden_state(plain, tokens):
    """transformers calls the residual stream before block l hidden_states[l]."""
    raw = AutoModelForCausalLM.from_pretrained(specimen_path("primer")).eval()
    with torch.no_grad():
        states = raw(tokens, output_hidden_states=True).hidden_states
    processed = open_specimen("primer", device="cpu")
    with torch.no_grad():
        _, cache = processed.run_with_cache(tokens)
    for layer in range(2):
        for position in (0, 4, -1):
            # Opened models write with mean 0 over d_model, so the stored state is centred first.
            expected = states[layer][0, position] - states[layer][0, position].mean()
            seen = residual_at(cache, layer, position)
            torch.testing.assert_close(seen, expected, atol=1e-4, rtol=1e-4)


def test_residual_at_layer_zero_is_token_plus_position(model, tokens, cache):
    expected = model.W_E[tokens[0, 6]] + model.W_pos[6]
    torch.testing.assert_close(residual_at(cache, 0, 6), expected.detach())


def test_the_residual_is_the_sum_of_its_parts(cache):
    torch.testing.assert_close(
        residual_sum(cache, 2), cache["blocks.1.hook_resid_post"][0], atol=1e-5, rtol=1e-5
    )


def test_every_prefix_of_the_parts_is_a_residual_on_the_way(cache):
    parts = residual_parts(cache, 2)
    assert parts.shape == (6, 15, 64)
    for n_parts, name in [(2, "blocks.0.hook_resid_pre"), (4, "blocks.1.hook_resid_pre")]:
        torch.testing.assert_close(parts[:n_parts].sum(dim=0), cache[name][0], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(parts[:3].sum(dim=0), cache["blocks.0.hook_resid_mid"][0])


def test_parts_of_a_plain_mapping_keep_their_order():
    names = reading.residual_part_names(3)
    cache = {name: torch.full((1, 2, 4), float(i)) for i, name in enumerate(names)}
    assert residual_parts(cache, 3)[:, 0, 0].tolist() == [0, 1, 2, 3, 4, 5, 6, 7]
    assert residual_sum(cache, 3)[0, 0].item() == 28


def test_a_cache_of_several_prompts_is_refused():
    cache = {"blocks.0.hook_resid_pre": torch.zeros(2, 3, 4)}
    with pytest.raises(ValueError, match=r"one prompt in the batch, got \[2, 3, 4\]"):
        residual_at(cache, 0, 0)


def test_a_layer_that_is_not_in_the_cache(cache):
    for each in (cache, dict(cache.items())):
        with pytest.raises(KeyError, match=r"no 'blocks\.5\.hook_resid_pre'"):
            residual_at(each, 5, 0)


def test_a_position_that_is_not_in_the_prompt(cache):
    with pytest.raises(IndexError):
        residual_at(cache, 0, 15)


# ---- ablating heads ----


def without_rows(plain, layer: int, head: int, d_head: int = 16):
    """Outside oracle: a copy of the plain model with the head's rows of W_O set to zero."""
    cut = copy.deepcopy(plain)
    with torch.no_grad():
        rows = slice(head * d_head, (head + 1) * d_head)
        cut.transformer.h[layer].attn.c_proj.weight[rows] = 0
    return cut


@pytest.mark.parametrize("layer", [0, 1])
@pytest.mark.parametrize("head", [0, 1, 2, 3])
def test_zero_head_is_the_plain_model_without_these_rows(model, plain, layer, head):
    tokens = encode(model, [STORY, STORY.replace("John", "Kate")])
    with torch.no_grad():
        expected = without_rows(plain, layer, head)(tokens).logits.log_softmax(dim=-1)
    seen = zero_head(model, tokens, layer, head).log_softmax(dim=-1)
    torch.testing.assert_close(seen, expected, atol=1e-3, rtol=1e-4)


def test_zero_head_leaves_no_hook_and_no_trace(model, tokens):
    with torch.no_grad():
        before = model(tokens)
        weights = {name: value.clone() for name, value in model.state_dict().items()}
        ablated = zero_head(model, tokens, 1, 0)
        assert not torch.allclose(ablated, before)
        assert torch.equal(model(tokens), before)
    assert all(torch.equal(weights[name], value) for name, value in model.state_dict().items())
    assert n_hooks(model) == 0


def test_zero_head_leaves_no_hook_after_an_error(model):
    with pytest.raises(IndexError):
        reading.zero_head(model, torch.full((1, 3), 10_000), 1, 0)
    assert n_hooks(model) == 0


def n_hooks(model) -> int:
    return sum(len(point.fwd_hooks) + len(point.bwd_hooks) for point in model.hook_dict.values())


def test_zero_head_works_inside_other_hooks(model, tokens):
    """A learner's own hooks stay in place."""
    seen = []
    with model.hooks(fwd_hooks=[("blocks.0.hook_resid_pre", lambda x, hook: seen.append(1))]):
        zero_head(model, tokens, 0, 0)
        model(tokens)
    assert len(seen) == 2


@pytest.mark.parametrize(("layer", "head"), [(2, 0), (0, 4), (-1, 0), (0, -1)])
def test_a_head_that_does_not_exist(model, tokens, layer, head):
    with pytest.raises(IndexError, match=r"2 layers with 4 heads each, counted from 0"):
        zero_head(model, tokens, layer, head)


def test_head_effects_are_the_plain_model_s_by_brute_force(model, plain, tokens):
    answer = model.to_single_token(" Mary")

    def logit(network) -> float:
        with torch.no_grad():
            logits = network(tokens).logits[0, -1]
        return (logits[answer] - logits.mean()).item()  # opened models have centred logits

    effects = head_effects(model, tokens, answer)
    assert effects.shape == (2, 4)
    for layer in range(2):
        for head in range(4):
            expected = logit(without_rows(plain, layer, head)) - logit(plain)
            assert effects[layer, head].item() == pytest.approx(expected, abs=2e-3)


def test_head_effects_on_a_logit_difference(model, plain, tokens):
    answer, instead = model.to_single_token(" Mary"), model.to_single_token(" John")

    def difference(network) -> float:
        with torch.no_grad():
            logits = network(tokens).logits[0, -1]
        return (logits[answer] - logits[instead]).item()

    effects = head_effects(model, tokens, answer, instead=instead)
    for layer in range(2):
        for head in range(4):
            expected = difference(without_rows(plain, layer, head)) - difference(plain)
            assert effects[layer, head].item() == pytest.approx(expected, abs=2e-3)
    both = head_effects(model, tokens, answer) - head_effects(model, tokens, instead)
    torch.testing.assert_close(effects, both, atol=1e-4, rtol=1e-4)


def test_head_effects_at_another_position_and_over_a_batch(model):
    texts = [STORY, STORY.replace("John", "Kate")]
    batch = encode(model, texts)
    answer = model.to_single_token(" Mary")
    mean = head_effects(model, batch, answer, position=9)
    each = [head_effects(model, encode(model, text), answer, position=9) for text in texts]
    torch.testing.assert_close(mean, torch.stack(each).mean(dim=0), atol=1e-4, rtol=1e-4)


def test_the_story_depends_on_few_heads(model, tokens):
    """What chapter 00 shows: heads that decide the answer, and heads that hardly matter."""
    mary, john = model.to_single_token(" Mary"), model.to_single_token(" John")
    for effects in (
        head_effects(model, tokens, mary),
        head_effects(model, tokens, mary, instead=john),
    ):
        assert effects.min() < -5
        assert effects.abs().min() < 0.5


def test_examples_in_docstrings():
    assert doctest.testmod(reading).failed == 0
