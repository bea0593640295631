"""Products with a matrix of which few entries are not 0, by looking at these only.

A code F, [batch latent], is kept row by row: which latents a sample has on, and their values. Its products
with a dense matrix M are weighted sums of a few rows, which is what an embedding bag computes:

    F M      row b is the sum over the latents i that are on in b of   F[b, i] M[i]
    F^T M    row i is the sum over the samples b that have i on of     F[b, i] M[b]

Finding the k largest of each row would take longer than all of these together. It is faster in two steps
(`top_places`): the k-th largest of some maxima bounds the k-th largest value from below, and few values reach
it.
"""

import warnings
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from mi_tutor.lab.dictionaries.kinds import BatchTopK, TopK


class Code(NamedTuple):
    """The entries of a sparse matrix, row by row.

    Attributes:
        column, value: of each entry.
        start: where each row's entries begin.
    """

    column: Int[Tensor, "entry"]
    value: Float[Tensor, "entry"]
    start: Int[Tensor, "row"]


def code_of(pre: Float[Tensor, "batch latent"], kind: TopK | BatchTopK) -> Code:
    """The latents of TopK or BatchTopK that are on, from pre-activations on the CPU."""
    n, n_latents = pre.shape
    one_row = isinstance(kind, BatchTopK)
    place = top_places(pre.view(1, -1), kind.k * n) if one_row else top_places(pre, kind.k)
    starts = torch.arange(0, n * n_latents, n_latents)
    return Code(place % n_latents, pre.view(-1)[place], torch.searchsorted(place, starts))


def top_places(values: Float[Tensor, "row column"], k: int) -> Int[Tensor, "place"]:
    """Where the k largest values of each row are that are above 0, as sorted places in the flattened matrix.

    1. The maxima of about 4 k groups of columns. The k-th largest of them is a bound that k values at least
    reach.
    2. Everything that reaches it: a few more than k values per row, as a group rarely has two.
    3. The k largest of these.

    >>> top_places(torch.tensor([[3.0, 1.0, 2.0], [-1.0, 4.0, -2.0]]), k=2)
    tensor([0, 2, 4])
    """
    n_rows, n = values.shape
    group = max(1, n // (4 * k))
    even = n // group * group
    maxima = values[:, :even].unflatten(1, (group, -1)).amax(dim=1)
    maxima = torch.cat([maxima, values[:, even:]], dim=1)
    bound = maxima.topk(k, dim=1, sorted=False).values.amin(dim=1, keepdim=True)
    above_0 = torch.finfo(values.dtype).tiny
    # numpy's is several times as fast as torch's on the CPU.
    place = torch.from_numpy(np.flatnonzero((values >= bound.clamp_min(above_0)).numpy()))

    row = place // n
    count = torch.bincount(row, minlength=n_rows)
    within = torch.arange(len(place)) - (count.cumsum(0) - count)[row]
    found = values.new_full((n_rows, max(k, int(count.max()))), -torch.inf)
    found[row, within] = values.reshape(-1)[place]
    largest = found.topk(k, dim=1, sorted=False).indices
    kept = torch.zeros_like(found, dtype=torch.bool).scatter_(1, largest, True)
    return place[kept[row, within]]


def times(code: Code, matrix: Float[Tensor, "column d"]) -> Float[Tensor, "row d"]:
    """F M.

    >>> code = Code(*map(torch.tensor, ([1, 0], [2.0, 3.0], [0, 1])))  # [[0, 2], [3, 0]]
    >>> times(code, torch.eye(2))
    tensor([[0., 2.],
            [3., 0.]])
    """
    return F.embedding_bag(
        code.column, matrix, code.start, per_sample_weights=code.value, mode="sum"
    )


def dots(
    code: Code, rows: Float[Tensor, "row d"], columns: Float[Tensor, "column d"]
) -> Float[Tensor, "entry"]:
    """rows columns^T, at the code's entries only."""
    shape = len(rows), len(columns)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sparse (CSR|invariant)")
        ends = torch.cat([code.start, code.start.new_tensor([len(code.column)])])
        pattern = torch.sparse_csr_tensor(ends, code.column, code.value, shape)
        return torch.sparse.sampled_addmm(pattern, rows, columns.mT, beta=0.0).values()


def transposed(code: Code, n_columns: int) -> tuple[Code, Int[Tensor, "entry"]]:
    """F^T, and in which order it has the entries of F.

    >>> code = Code(*map(torch.tensor, ([1, 0], [2.0, 3.0], [0, 1])))
    >>> transposed(code, n_columns=2)[0].value
    tensor([3., 2.])
    """
    ends = torch.cat([code.start[1:], code.start.new_tensor([len(code.column)])])
    row = torch.arange(len(code.start)).repeat_interleave(ends - code.start)
    column, order = code.column.sort()
    start = torch.searchsorted(column, torch.arange(n_columns))
    return Code(row[order], code.value[order], start), order
