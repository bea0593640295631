"""Copies of specimens: the same model, and nothing of it in common with the next copy."""

from __future__ import annotations

import copy
import gc
from types import BuiltinFunctionType, CodeType, FunctionType, GetSetDescriptorType, ModuleType

import pytest
import torch

from mi_tutor.specimens import open_specimen
from mi_tutor.teach.exercises.copies import EDITED, Mould, a_cache, clean_copy, opened, spoilt

NAMES = ("primer", "induction-2l", "atlas")
TOKENS = torch.arange(1, 9)[None]
FOR_ALL = (str, int, float, type(None), type, FunctionType, BuiltinFunctionType, ModuleType, CodeType,
           torch.dtype, torch.device, GetSetDescriptorType, property)  # fmt: skip


def parts(model) -> dict[int, object]:
    """Every object that can be reached from a model and could be changed, by id."""
    found, left = {}, [model]
    while left:
        each = left.pop()
        if id(each) in found or isinstance(each, FOR_ALL) or (isinstance(each, tuple) and not each):
            continue
        found[id(each)] = each
        left += gc.get_referents(each)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_a_copy_is_the_same_model_as_a_deep_copy(name):
    made, deep = clean_copy(name), copy.deepcopy(open_specimen(name, device="cpu"))  # has not run
    for left, right in zip(made.named_modules(), deep.named_modules(), strict=True):
        assert left[0] == right[0] and type(left[1]) is type(right[1])
        assert vars(left[1]).keys() == vars(right[1]).keys()
    for left, right in zip(made.parameters(), deep.parameters(), strict=True):
        assert torch.equal(left, right) and left.stride() == right.stride()
        assert (type(left), left.requires_grad) == (type(right), right.requires_grad)
    assert vars(made.cfg) == vars(deep.cfg)
    with torch.no_grad():
        assert torch.equal(made(TOKENS), deep(TOKENS))


@pytest.mark.parametrize("name", NAMES)
def test_two_copies_have_nothing_in_common_that_could_be_changed(name):
    first, second = parts(clean_copy(name)), parts(clean_copy(name))
    assert [each for where, each in first.items() if where in second] == []


def test_what_is_done_to_a_copy_is_not_seen_in_the_next():
    spoilt = clean_copy("primer")
    with torch.no_grad():
        before = spoilt(TOKENS)
        for weights in spoilt.parameters():
            weights.zero_()
        spoilt.add_hook("blocks.0.hook_resid_pre", lambda value, hook: value + 1)
        spoilt.cfg.use_attn_result = True
        for model in (clean_copy("primer"), opened("primer")):
            assert torch.equal(model(TOKENS), before)
            assert not model.cfg.use_attn_result


def test_what_is_shared_within_an_object_is_shared_within_its_copy():
    weights = torch.nn.Parameter(torch.ones(2))
    left, right, act = Mould([weights, {"tied": weights}, lambda x: x + 1]).cast()
    assert left is right["tied"] and left is not weights
    assert act(1) == 2


@pytest.mark.parametrize("name", NAMES)
def test_it_is_told_what_was_done_to_a_copy(name):
    assert spoilt(clean_copy(name)) == spoilt(clean_copy(name + EDITED)) == ""
    hooked, overwritten = clean_copy(name), clean_copy(name + EDITED)
    hooked.add_hook("blocks.0.hook_resid_pre", lambda value, hook: None)
    with torch.no_grad():
        overwritten.blocks[0].attn.W_O[0] = 0
    assert "hook" in spoilt(hooked) and "weight" in spoilt(overwritten)


def test_the_cache_of_a_run_is_told_when_it_was_overwritten():
    handle = a_cache("primer", TOKENS)
    cache = handle.open()
    assert handle.spoilt(cache) == ""
    cache["hook_embed"].add_(1)
    assert "overwritten" in handle.spoilt(cache)
    assert handle.spoilt(handle.open()) == ""


@pytest.mark.parametrize("name", NAMES)
def test_other_weights_make_another_model(name):
    with torch.no_grad():
        assert (clean_copy(name)(TOKENS) - clean_copy(name + EDITED)(TOKENS)).abs().max() > 1
