"""Oracles: torch.topk, and dense matrix products."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mi_tutor.lab.dictionaries import BatchTopK, TopK, batch_top_k, top_k
from mi_tutor.lab.dictionaries.sparse import code_of, dots, times, top_places, transposed
from mi_tutor.lab.ground.device import seeded

F64 = torch.float64


@given(
    seed=st.integers(0, 10**6),
    n_rows=st.integers(1, 6),
    n=st.integers(1, 70),
    k=st.integers(1, 9),
    shift=st.sampled_from([-2.0, 0.0, 2.0]),
)
def test_the_largest_are_those_of_topk(seed, n_rows, n, k, shift):
    k = min(k, n)
    values = torch.randn(n_rows, n, generator=seeded(seed), dtype=F64) + shift
    dense = torch.zeros(n_rows * n, dtype=F64)
    place = top_places(values, k)
    dense[place] = values.flatten()[place]
    assert dense.view(n_rows, n).equal(top_k(values, k))
    assert place.equal(place.sort().values)


@pytest.mark.parametrize("n", [16, 64, 67])
def test_equal_values_are_not_kept_more_often_than_asked_for(n):
    values = torch.ones(3, n)
    values[1] = 0
    place = top_places(values, 2)
    assert (place // n).tolist() == [0, 0, 2, 2]


def test_all_large_values_in_one_group():
    """The bound is poor then, and the result the same."""
    values = torch.rand(2, 64, generator=seeded(0))
    values[:, ::8] += 10  # groups take every eighth column of 64 if k is 2
    assert top_places(values, 2).tolist() == sorted(
        (values.topk(2).indices + torch.tensor([[0], [64]])).flatten().tolist()
    )


@pytest.mark.parametrize("kind", [TopK(k=3), BatchTopK(k=3)])
def test_products_are_the_dense_ones(kind):
    g = {"generator": seeded(0), "dtype": F64}
    pre = torch.randn(6, 20, **g) - 0.5
    pre[4] = -1.0  # a sample with nothing on
    W, e = torch.randn(20, 4, **g), torch.randn(6, 4, **g)
    dense = top_k(pre, 3) if isinstance(kind, TopK) else batch_top_k(pre, 3)
    code = code_of(pre, kind)
    torch.testing.assert_close(times(code, torch.eye(20, dtype=F64)), dense)
    torch.testing.assert_close(times(code, W), dense @ W)
    torch.testing.assert_close(dots(code, e, W), (e @ W.T)[dense > 0])
    code_t, order = transposed(code, 20)
    torch.testing.assert_close(times(code_t, e), dense.T @ e)
    assert code_t.value.equal(code.value[order])


def test_nothing_is_on():
    code = code_of(-torch.ones(3, 5), TopK(k=2))
    assert len(code.value) == 0
    assert times(code, torch.ones(5, 2)).eq(0).all()
    assert times(transposed(code, 5)[0], torch.ones(3, 2)).eq(0).all()
    assert len(dots(code, torch.ones(3, 2), torch.ones(5, 2))) == 0
