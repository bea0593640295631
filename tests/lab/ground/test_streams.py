"""Streams against whole caches, and that they do no more than they say."""

import doctest

import pytest
import torch

from mi_tutor.lab.ground import streams
from mi_tutor.lab.ground.device import seeded
from mi_tutor.lab.ground.sites import COMPONENTS, hook_name
from mi_tutor.lab.ground.streams import activation_stream, shuffled_rows, token_rows

TOKENS = torch.randint(2, 188, (5, 8), generator=seeded(0))
NAMES = [hook_name(c, layer) for c in COMPONENTS for layer in range(2)]


@pytest.fixture(params=["primer", "tiny_gpt2", "tiny_llama"])
def model(request):
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("name", [*NAMES, "blocks.1.mlp.hook_post"])
def test_a_stream_is_the_cache_batch_by_batch(model, name):
    with torch.no_grad():
        _, cache = model.run_with_cache(TOKENS)
    seen = list(activation_stream(model, TOKENS.split(2), name))
    assert [len(batch) for batch in seen] == [2, 2, 1]
    torch.testing.assert_close(torch.cat(seen), cache[name], atol=1e-5, rtol=1e-4)
    assert not any(batch.requires_grad for batch in seen)


def test_hooks_in_place_count(primer):
    def zero(mlp_out, hook):
        return 0 * mlp_out

    name = "blocks.1.hook_resid_pre"
    with torch.no_grad(), primer.hooks(fwd_hooks=[("blocks.0.hook_mlp_out", zero)]):
        [seen] = activation_stream(primer, [TOKENS], name)
        _, cache = primer.run_with_cache(TOKENS)
        torch.testing.assert_close(seen, cache[name])


def test_batches_are_computed_when_asked_for(primer):
    asked = []

    def batches():
        for i in range(3):
            asked.append(i)
            yield TOKENS

    stream = activation_stream(primer, batches(), "blocks.0.hook_mlp_out")
    assert asked == []
    next(stream)
    assert asked == [0]
    assert torch.is_grad_enabled()  # the stream's no_grad is its own


def test_later_blocks_are_not_run(tiny_llama):
    ran = []
    hooks = [(f"blocks.{i}.hook_resid_post", lambda x, hook, i=i: ran.append(i)) for i in range(2)]
    with tiny_llama.hooks(fwd_hooks=hooks):
        next(activation_stream(tiny_llama, [TOKENS], "blocks.0.hook_mlp_out"))
    assert ran == [0]


@pytest.mark.parametrize("name", ["hook_resid_pre", "blocks.9.hook_resid_pre", "blocks.0.hook_x"])
def test_a_hook_that_is_not_there(primer, name):
    with pytest.raises(ValueError, match="is not a hook of a block"):
        activation_stream(primer, [TOKENS], name)


def test_rows_leave_bos_out():
    x = torch.arange(24.0).reshape(2, 4, 3)
    [rows] = token_rows([x])
    assert torch.equal(rows, torch.cat([x[0, 1:], x[1, 1:]]))
    [all_rows] = token_rows([x], skip=0)
    assert len(all_rows) == 8


def numbered(n, size):
    return torch.arange(float(n)).reshape(n, 1).split(size)


@pytest.mark.parametrize(
    ("n", "size", "batch", "buffer"), [(103, 7, 4, 20), (50, 50, 5, 10), (9, 3, 2, 40)]
)
def test_every_row_leaves_once(n, size, batch, buffer):
    out = list(shuffled_rows(numbered(n, size), batch, buffer, seeded(0)))
    assert all(len(b) == batch for b in out)
    rows = torch.cat(out).flatten().tolist()
    assert len(set(rows)) == len(rows) >= n - batch + 1


def test_texts_are_mixed_and_the_seed_decides():
    one, same, other = (
        torch.cat(list(shuffled_rows(numbered(1000, 10), 10, 400, seeded(seed)))).flatten()
        for seed in (0, 0, 1)
    )
    assert torch.equal(one, same) and not torch.equal(one, other)
    origin = one.reshape(-1, 10) // 10  # which text each row of a batch is from
    different = [len(set(batch.tolist())) for batch in origin]
    assert sum(different) / len(different) > 7


def test_the_buffer_stays_small():
    drawn = 0

    def rows():
        nonlocal drawn
        for part in numbered(1000, 10):
            drawn += len(part)
            yield part

    left = 0
    for batch in shuffled_rows(rows(), 10, 100, seeded(0)):
        left += len(batch)
        assert drawn - left <= 100


@pytest.mark.parametrize("batch", [0, 11])
def test_a_batch_larger_than_half_of_the_buffer(batch):
    with pytest.raises(ValueError, match="between 1 and half of buffer_size"):
        next(shuffled_rows(numbered(10, 5), batch, 20, seeded(0)))


def test_examples():
    assert doctest.testmod(streams).failed == 0
