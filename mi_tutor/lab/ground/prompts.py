"""Pairs of prompts as batches of tokens, ready for two runs that can be compared position by position.

A pair (see `mi_tutor.world.pairs`) has a clean and a corrupted prompt of the same number of tokens, the right next
token of each, and named positions. In one batch all pairs have the same length and the same named positions.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from jaxtyping import Int
from torch import Tensor, nn


@runtime_checkable
class Pair(Protocol):
    """What a pair of prompts has. `mi_tutor.world.pairs.PromptPair` is one."""

    clean: str
    corrupted: str
    answer: str
    wrong: str
    positions: Mapping[str, int]


class PairBatch(NamedTuple):
    """Pairs as token ids. Position 0 is BOS.

    Attributes:
        clean, corrupted: the prompts.
        answers: the right next token after each clean prompt.
        wrongs: the right next token after each corrupted prompt.
        positions: named places, the same in all prompts.
    """

    clean: Int[Tensor, "pair pos"]
    corrupted: Int[Tensor, "pair pos"]
    answers: Int[Tensor, "pair"]
    wrongs: Int[Tensor, "pair"]
    positions: Mapping[str, int]


def pair_batch(model: nn.Module, pairs: Sequence[Pair]) -> PairBatch:
    """Pairs of one shape as one batch, on the model's device.

    Raises ValueError if there are none, if the prompts have different lengths or the pairs different positions
    (`pair_batches` sorts them), or if an answer is not a single token.

    >>> from mi_tutor.specimens import open_specimen
    >>> from mi_tutor.world.pairs import make_pair
    >>> model = open_specimen("primer", device="cpu")
    >>> texts = "The capital of France is", "The capital of Italy is"
    >>> pair = make_pair(*texts, " Paris", " Rome", model.tokenizer, {"country": (21, 20)})
    >>> batch = pair_batch(model, [pair])
    >>> batch.clean.shape, batch.positions["country"]
    (torch.Size([1, 6]), 4)
    """
    if not pairs:
        raise ValueError("There are no pairs to make a batch of.")
    clean = [model.to_tokens(pair.clean) for pair in pairs]
    corrupted = [model.to_tokens(pair.corrupted) for pair in pairs]
    lengths = sorted({row.shape[1] for row in (*clean, *corrupted)})
    if len(lengths) > 1:
        raise ValueError(
            f"The prompts have {', '.join(map(str, lengths[:6]))} tokens. In one batch a position should mean "
            "the same in all of them: sort them with pair_batches."
        )
    positions = dict(pairs[0].positions)
    if any(dict(pair.positions) != positions for pair in pairs):
        raise ValueError(
            f"Not all pairs have the positions {positions} of the first one: sort them with pair_batches."
        )
    return PairBatch(
        torch.cat(clean),
        torch.cat(corrupted),
        token_ids(model, [pair.answer for pair in pairs]),
        token_ids(model, [pair.wrong for pair in pairs]),
        positions,
    )


def pair_batches(model: nn.Module, pairs: Iterable[Pair], batch_size: int = 64) -> list[PairBatch]:
    """Pairs of many shapes, sorted into batches of one shape and at most `batch_size` pairs each.

    Batches come in the order in which their shapes first occur, pairs keep their order within a shape.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size should be at least 1, got {batch_size}.")
    by_shape: defaultdict[tuple, list[Pair]] = defaultdict(list)
    for pair in pairs:
        length = model.to_tokens(pair.clean).shape[1]
        by_shape[length, tuple(sorted(pair.positions.items()))].append(pair)
    return [
        pair_batch(model, alike[start : start + batch_size])
        for alike in by_shape.values()
        for start in range(0, len(alike), batch_size)
    ]


def token_ids(model: nn.Module, words: Sequence[str]) -> Int[Tensor, "word"]:
    """The ids of words that are one token each. Mind the space: " Paris".

    Raises ValueError, with its pieces, for a word that is not.

    >>> from mi_tutor.specimens import open_specimen
    >>> model = open_specimen("primer", device="cpu")
    >>> model.to_string(token_ids(model, [" Paris", " Rome"]))
    ' Paris Rome'
    """
    rows = [model.to_tokens(word, prepend_bos=False)[0] for word in words]
    for word, row in zip(words, rows, strict=True):
        if len(row) != 1:
            raise ValueError(
                f"{word!r} should be one token, it is {len(row)}: {model.to_str_tokens(row)}."
            )
    return torch.cat(rows)
