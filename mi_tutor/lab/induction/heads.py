"""What kind of head is this? Scores read off attention patterns.

A pattern is [... query key]: row q says how query q divides its attention, 1 in all, over keys 0 ... q. Each kind
of head has its own diagonal (for repeated tokens with BOS at 0 and two blocks of n):

    current token     key q
    previous token    key q - 1
    duplicate token   key q - n            the earlier copy of the present token
    induction         key q - (n - 1)      the token AFTER the earlier copy
    first token       key 0                a resting place, for heads with nothing to do

All scores are means of attention over queries, from 0 to 1, for each leading axis (batch, layer, head). Queries
0 and 1 are left out: there the current, previous and first token are not three different ones.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from mi_tutor.lab.ground.runs import capture
from mi_tutor.lab.ground.sites import hook_name

FIRST_QUERY = 2  # the first one at which the kinds can be told apart


def current_token_score(pattern: Float[Tensor, "*axes query key"]) -> Float[Tensor, "*axes"]:
    """Mean attention to the query's own position.

    >>> current_token_score(torch.eye(4))
    tensor(1.)
    """
    return diagonal(pattern, 0)[..., FIRST_QUERY:].mean(dim=-1)


def previous_token_score(pattern: Float[Tensor, "*axes query key"]) -> Float[Tensor, "*axes"]:
    """Mean attention to the position before the query's.

    >>> previous_token_score(torch.eye(4).roll(1, dims=0))
    tensor(1.)
    """
    # Entry i of this diagonal belongs to query i + 1.
    return diagonal(pattern, 1)[..., FIRST_QUERY - 1 :].mean(dim=-1)


def first_token_score(pattern: Float[Tensor, "*axes query key"]) -> Float[Tensor, "*axes"]:
    """Mean attention to position 0.

    >>> first_token_score(torch.tensor([[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.2, 0.4, 0.4]]))
    tensor(0.2000)
    """
    return pattern[..., FIRST_QUERY:, 0].mean(dim=-1)


def duplicate_token_score(
    pattern: Float[Tensor, "*axes query key"], n_block: int
) -> Float[Tensor, "*axes"]:
    """Mean attention of the second block to the earlier copy of the same token."""
    return second_block(pattern, n_block, back=n_block)


def induction_score(
    pattern: Float[Tensor, "*axes query key"], n_block: int
) -> Float[Tensor, "*axes"]:
    """Mean attention of the second block to the token after the earlier copy (Olsson et al. 2022).

    pattern: on `repeated_tokens` with blocks of `n_block` tokens.

    Raises ValueError if the pattern is too small to hold BOS and two such blocks.

    >>> pattern = torch.zeros(5, 5)  # BOS a b a b
    >>> pattern[3, 2] = pattern[4, 3] = 1.0
    >>> induction_score(pattern, n_block=2)
    tensor(1.)
    """
    return second_block(pattern, n_block, back=n_block - 1)


def attention_to(
    pattern: Float[Tensor, "row *axes query key"], targets: Int[Tensor, "row query"]
) -> Float[Tensor, "*axes"]:
    """Mean attention to each query's target, over all rows and queries that have one (targets of -1 have none).

    With `induction_targets` an induction score for any text.
    """
    rows = targets.reshape(targets.shape[0], *(1,) * (pattern.ndim - 3), -1, 1)
    given = pattern.gather(-1, rows.clamp(min=0).expand(*pattern.shape[:-1], 1))[..., 0]
    has_target = (rows[..., 0] >= 0).expand_as(given)
    if not has_target.any():
        raise ValueError("No query has a target: is there no token that occurs twice?")
    summed = torch.where(has_target, given, 0.0).sum(dim=(0, -1))
    return summed / has_target.sum(dim=(0, -1))


class HeadScores(NamedTuple):
    """Every detector for every head of a model, each [layer head]."""

    previous: Float[Tensor, "layer head"]
    current: Float[Tensor, "layer head"]
    first: Float[Tensor, "layer head"]
    duplicate: Float[Tensor, "layer head"]
    induction: Float[Tensor, "layer head"]


def head_scores(model: nn.Module, tokens: Int[Tensor, "row pos"], n_block: int) -> HeadScores:
    """All scores of all heads on `repeated_tokens`, averaged over rows.

    >>> from mi_tutor.specimens import open_specimen
    >>> from mi_tutor.lab.ground.device import seeded
    >>> from mi_tutor.lab.induction.texts import repeated_tokens
    >>> model = open_specimen("primer", device="cpu")
    >>> tokens = repeated_tokens(torch.arange(20, 188), 8, n_block=10, bos=0, generator=seeded(0))
    >>> head_scores(model, tokens, n_block=10).induction.shape
    torch.Size([2, 4])
    """
    run = capture(model, tokens, ["pattern"])
    layers = [run[hook_name("pattern", layer)] for layer in range(model.cfg.n_layers)]
    patterns = torch.stack(layers, dim=1)  # [row layer head query key]
    return HeadScores(
        previous=previous_token_score(patterns).mean(dim=0),
        current=current_token_score(patterns).mean(dim=0),
        first=first_token_score(patterns).mean(dim=0),
        duplicate=duplicate_token_score(patterns, n_block).mean(dim=0),
        induction=induction_score(patterns, n_block).mean(dim=0),
    )


def diagonal(
    pattern: Float[Tensor, "*axes query key"], back: int
) -> Float[Tensor, "*axes some_query"]:
    """Each query's attention to the key `back` positions earlier, for queries from `back` on."""
    return pattern.diagonal(offset=-back, dim1=-2, dim2=-1)


def second_block(
    pattern: Float[Tensor, "*axes query key"], n_block: int, back: int
) -> Float[Tensor, "*axes"]:
    """Mean attention to the key `back` positions earlier, over the queries of the second block only."""
    if n_block < 1 or pattern.shape[-2] < 1 + 2 * n_block:
        raise ValueError(
            f"BOS and two blocks of {n_block} take {1 + 2 * n_block} positions, the pattern has "
            f"{pattern.shape[-2]}."
        )
    first = n_block + 1  # the second block's first query
    return diagonal(pattern, back)[..., first - back : first - back + n_block].mean(dim=-1)
