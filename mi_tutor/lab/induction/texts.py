"""Texts that only induction can predict, and what a model makes of them.

    BOS  w1 w2 ... wn  w1 w2 ... wn        random words, twice

In the first block nothing can be predicted. In the second everything can, by one rule: find the earlier copy of
the present token, and say what came after it (Olsson et al. 2022).
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor


def repeated_tokens(
    vocabulary: Int[Tensor, "word"],
    n_rows: int,
    n_block: int,
    bos: int,
    generator: torch.Generator,
) -> Int[Tensor, "row pos"]:
    """BOS, a block of random tokens, the same block again: [n_rows, 1 + 2 * n_block].

    The tokens of a block differ from each other, so that each has one earlier copy only.

    vocabulary: the ids to draw from.

    Raises ValueError if the vocabulary is smaller than the block.

    >>> from mi_tutor.lab.ground.device import seeded
    >>> tokens = repeated_tokens(torch.arange(10, 20), n_rows=2, n_block=3, bos=0, generator=seeded(0))
    >>> tokens.shape, bool((tokens[:, 1:4] == tokens[:, 4:7]).all())
    (torch.Size([2, 7]), True)
    """
    block = random_blocks(vocabulary, n_rows, n_block, generator)
    return torch.cat([block.new_full((n_rows, 1), bos), block, block], dim=1)


def rotated_tokens(
    vocabulary: Int[Tensor, "word"],
    n_rows: int,
    n_block: int,
    bos: int,
    generator: torch.Generator,
    shift: int = 1,
) -> Int[Tensor, "row pos"]:
    """As `repeated_tokens`, but the second block begins `shift` words later: w1 w2 w3 w4  w2 w3 w4 w1.

    In plain repetition two rules say the same: "what came after this token" and "what stood n - 1 positions
    ago". Here they differ, so a prediction tells which one is followed.
    """
    if shift % n_block == 0:
        raise ValueError(
            f"A block of {n_block} rotated by {shift} is the same block: choose another shift."
        )
    block = random_blocks(vocabulary, n_rows, n_block, generator)
    again = block.roll(-shift, dims=1)
    return torch.cat([block.new_full((n_rows, 1), bos), block, again], dim=1)


def induction_targets(tokens: Int[Tensor, "row pos"]) -> Int[Tensor, "row pos"]:
    """Where an induction head should look: the position after the latest earlier copy of each token; -1 if none.

    Works on any text. The query itself is never the target: a token that repeats at once ("a a") points at the
    second of the two, which is where the query stands, and counts as none.

    >>> induction_targets(torch.tensor([[7, 8, 9, 7, 8]])).tolist()
    [[-1, -1, -1, 1, 2]]
    """
    n_pos = tokens.shape[1]
    same = tokens[:, :, None] == tokens[:, None, :]  # [row query key]
    earlier = same & torch.ones(n_pos, n_pos, dtype=torch.bool, device=tokens.device).tril(-1)
    position = torch.arange(n_pos, device=tokens.device)
    latest = torch.where(earlier, position, -2).amax(dim=-1)
    target = latest + 1
    return torch.where(target < position, target, -1)


class CopyRule(NamedTuple):
    """The mean probability of what each rule predicts on rotated blocks."""

    by_token: Float[Tensor, ""]
    by_position: Float[Tensor, ""]


def fuzzy_copy(
    logits: Float[Tensor, "row pos vocab"], tokens: Int[Tensor, "row pos"], n_block: int
) -> CopyRule:
    """Does a model continue after the same token, or at the same distance? (on `rotated_tokens`)

    At the queries of the second block where the two rules differ:
    by_token: the probability of the token that followed the earlier copy.
    by_position: the probability of the token that stood n_block - 1 positions ago.

    Raises ValueError if the rows are not BOS, a block of two tokens or more, and the same tokens again.

    >>> from mi_tutor.lab.ground.device import seeded
    >>> tokens = rotated_tokens(torch.arange(1, 9), n_rows=2, n_block=4, bos=0, generator=seeded(0), shift=2)
    >>> fuzzy_copy(torch.zeros(2, 9, 10), tokens, n_block=4)  # a model that says nothing
    CopyRule(by_token=tensor(0.1000), by_position=tensor(0.1000))
    """
    # At the very last query both rules point at the second block's first word.
    queries = torch.arange(n_block + 1, 2 * n_block, device=tokens.device)
    after = after_first_copy(tokens, n_block)[:, :-1]
    p = logits[:, queries].softmax(dim=-1)

    def mean_probability(keys: Int[Tensor, "row query"]) -> Float[Tensor, ""]:
        predicted = tokens.gather(1, keys)
        return p.gather(-1, predicted[..., None]).mean()

    by_distance = (queries - (n_block - 1)).expand(len(tokens), -1)
    return CopyRule(mean_probability(after), mean_probability(by_distance))


def after_first_copy(tokens: Int[Tensor, "row pos"], n_block: int) -> Int[Tensor, "row n_block"]:
    """For each token of the second block, the position right after its copy in the first.

    Unlike `induction_targets` also where that is the token's own position (rotated by n_block - 1: a b c  c a b).
    """
    n_pos = tokens.shape[1]
    if n_block < 2 or n_pos != 1 + 2 * n_block:
        raise ValueError(
            f"Rows should be BOS and two blocks of n_block tokens, two or more: 1 + 2 * n_block positions. "
            f"Got n_block {n_block} and {n_pos} positions."
        )
    first, second = tokens[:, 1 : n_block + 1], tokens[:, n_block + 1 :]
    same = second[:, :, None] == first[:, None, :]  # [row second first]
    if not (same.sum(dim=-1) == 1).all():
        raise ValueError(
            "Each token of the second block should stand in the first block once. "
            "Make the rows with `rotated_tokens`."
        )
    return same.int().argmax(dim=-1) + 2  # 1 for BOS, 1 for the position after


class PhaseChange(NamedTuple):
    """The steepest part of a curve over training: between which steps, and its share of the whole change."""

    before: int
    after: int
    share: float


def phase_change(steps: Sequence[int], values: Float[Tensor, "step"]) -> PhaseChange:
    """Where a curve over training changes most between two neighbouring checkpoints.

    share: that change as a part of the whole, max - min. Near 1 the curve is a cliff, near 1 / (number of
        checkpoints - 1) a ramp. It depends on how densely checkpoints were kept, so say which you had.

    Raises ValueError unless there are two steps or more, in rising order, one per value, and the curve changes.

    >>> phase_change([0, 10, 20, 30], torch.tensor([0.0, 0.1, 0.9, 1.0]))
    PhaseChange(before=10, after=20, share=0.8)
    """
    if len(steps) != len(values) or len(steps) < 2 or sorted(set(steps)) != list(steps):
        raise ValueError(
            f"steps should rise and be as many as the values, two or more; got {len(steps)} steps "
            f"and {len(values)} values."
        )
    whole = (values.max() - values.min()).item()
    if whole == 0:
        raise ValueError("The curve is flat: there is no change to find.")
    jumps = values.diff().abs()
    steepest = int(jumps.argmax())
    return PhaseChange(
        steps[steepest], steps[steepest + 1], round(jumps[steepest].item() / whole, 4)
    )


def random_blocks(
    vocabulary: Int[Tensor, "word"], n_rows: int, n_block: int, generator: torch.Generator
) -> Int[Tensor, "row n_block"]:
    """Random tokens, different from each other within a row."""
    if not 1 <= n_block <= len(vocabulary):
        raise ValueError(
            f"n_block should be between 1 and the vocabulary's {len(vocabulary)} tokens, got {n_block}: "
            "the tokens of a block differ from each other."
        )
    draws = torch.rand(n_rows, len(vocabulary), generator=generator, device=generator.device)
    order = draws.argsort(dim=1)
    return vocabulary[order[:, :n_block].to(vocabulary.device)]
