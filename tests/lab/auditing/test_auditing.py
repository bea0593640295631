"""Comparing, searching, removing, marking: each against a closed form, brute force or hooks."""

import doctest
import importlib

import pytest
import torch

from mi_tutor.lab import auditing
from mi_tutor.lab.ground import plain_transformer

FILES = ("comparing", "searching", "removing", "marking")


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def plain(tiny_gpt2):
    return plain_transformer(tiny_gpt2)


@pytest.fixture(scope="module")
def tokens():
    return torch.randint(2, 188, (5, 7), generator=generator())


@pytest.mark.parametrize("name", FILES)
def test_the_examples_in_the_docstrings(name):
    module = importlib.import_module(f"mi_tutor.lab.auditing.{name}")
    assert doctest.testmod(module).failed == 0


def test_a_slice_without_prompts_has_no_share():
    shares = auditing.changed_by_slice(
        torch.tensor([1, 2]), torch.tensor([1, 3]), torch.tensor([0, 0]), n_slices=2
    )
    assert shares[0] == 0.5
    assert shares[1].isnan()


def test_kl_is_that_of_torch_and_holds_where_a_token_is_ruled_out():
    logits, base = torch.randn(2, 6, 9, generator=generator())
    p, q = (torch.distributions.Categorical(logits=each) for each in (logits, base))
    expected = torch.distributions.kl_divergence(p, q)
    torch.testing.assert_close(auditing.kl_to_base(logits, base), expected)
    logits[:, 0] = float("-inf")
    assert auditing.kl_to_base(logits, base).isfinite().all()


def test_words_are_put_after_bos_and_the_model_reads_them(tiny_gpt2, plain, tokens):
    words = torch.tensor([9, 30, 4])
    found = auditing.logits_after_words(plain, tokens, words)
    for i, word in enumerate(words):
        text = torch.cat([tokens[:, :1], word.expand(5, 1), tokens[:, 1:]], dim=1)
        torch.testing.assert_close(found[i], tiny_gpt2(text)[:, -1], rtol=1e-4, atol=1e-4)


def test_a_word_with_one_answer_for_all_scores_highest():
    logits = 3 * torch.randn(20, 6, 50, generator=generator())
    logits[7, :, 11] += 20
    scores = auditing.same_answer(logits)
    assert scores.argmax() == 7
    assert scores[7] > 0.99
    assert scores.min() >= 1 / 50


def test_a_coordinate_is_set_and_the_rest_stays():
    x, direction = torch.randn(3, 4, 8, generator=generator()), torch.randn(8)
    unit = direction / direction.norm()
    after = auditing.set_coordinate(x, direction, 1.5)
    torch.testing.assert_close(after @ unit, torch.full((3, 4), 1.5))
    rest = torch.eye(8) - torch.outer(unit, unit)
    torch.testing.assert_close(after @ rest, x @ rest, rtol=1e-4, atol=1e-5)


def test_between_equal_means_there_is_no_direction():
    same = torch.ones(3, 4)
    with pytest.raises(ValueError, match="no direction lies between them"):
        auditing.between_means(same, same)


def test_between_means_puts_the_mean_of_one_on_the_mean_of_the_other():
    one, other = torch.randn(30, 8) + 2, torch.randn(20, 8)
    unit, value = auditing.between_means(one, other)
    moved = auditing.set_coordinate(one, unit, value).mean(dim=0)
    torch.testing.assert_close(moved, other.mean(dim=0), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_a_coordinate_set_in_the_stream_is_what_a_hook_does(tiny_gpt2, plain, tokens, layer):
    direction = torch.randn(plain.W_E.shape[1], generator=generator(2))
    edit = auditing.Coordinate(layer, direction, 0.7)
    found = auditing.with_coordinate_set(plain, tokens, edit)
    n_layers = len(plain.blocks)
    name = f"blocks.{layer}.hook_resid_pre"
    if layer == n_layers:
        name = f"blocks.{layer - 1}.hook_resid_post"

    def hook(x, hook):
        return auditing.set_coordinate(x, direction, 0.7)

    expected = tiny_gpt2.run_with_hooks(tokens, fwd_hooks=[(name, hook)])[:, -1]
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_gone_is_not_restored():
    before, true = torch.tensor([9, 9, 9, 4, 5]), torch.tensor([1, 2, 3, 4, 6])
    after = torch.tensor([1, 7, 9, 4, 8])
    marks = auditing.removal(before, after, true, torch.tensor([True, True, True, False, False]))
    assert marks == pytest.approx((1 / 3, 1 / 3, 1 / 2))
