"""Rows for a model, with ground truth: token ids in whole sentences, and what each token stands for.

`Corpus.rows` are what a model is trained on, without labels. These are the same rows with them, for whoever wants
to mark a probe, a neuron or a dictionary's latent.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np

from mi_tutor.world.corpus import Corpus
from mi_tutor.world.text import Sentence
from mi_tutor.world.tokenizer import BOS

AT_ONCE = 256  # sentences that are encoded together, which is several times as fast


class LabelledRows(NamedTuple):
    """Texts with a label for each token.

    Attributes:
        tokens: int64 [row pos], BOS at position 0.
        concepts: the columns of the labels.
        labels: bool [row pos concept]; BOS carries none.
        ends: bool [row pos], the last token of each segment that stands for something. A city's name is several
            tokens, and which city it is can be known at the last of them only.
    """

    tokens: np.ndarray
    concepts: tuple[str, ...]
    labels: np.ndarray
    ends: np.ndarray

    def of(self, concept: str) -> np.ndarray:
        """One concept's labels, bool [row pos]."""
        return self.labels[:, :, self.concepts.index(concept)]


class _Encoded(NamedTuple):
    """A sentence: ids, the concepts of each token, and whether a segment with concepts ends there."""

    ids: list[int]
    carried: list[frozenset[str]]
    ends: list[bool]


def labelled_rows(
    corpus: Corpus,
    rng: random.Random,
    n_rows: int,
    n_pos: int,
    concepts: Sequence[str],
) -> LabelledRows:
    """Rows of whole sentences of all themes, the last one cut off at the row's end, without repeated blocks.

    A token carries the concepts of its segment and of its sentence (`text.label`); `concepts` chooses and orders
    the columns.

    >>> rows = labelled_rows(Corpus(), random.Random(0), n_rows=2, n_pos=32, concepts=["city", "answer"])
    >>> rows.tokens.shape, rows.labels.shape, bool(rows.labels[:, 0].any())
    ((2, 32), (2, 32, 2), False)
    """
    column = {concept: i for i, concept in enumerate(concepts)}
    tokens = np.zeros((n_rows, n_pos), dtype=np.int64)
    labels = np.zeros((n_rows, n_pos, len(column)), dtype=bool)
    ends = np.zeros((n_rows, n_pos), dtype=bool)
    tokens[:, 0] = corpus.tokenizer.ids[BOS]
    sentences = _encoded(corpus, rng)
    for row in range(n_rows):
        position = 1
        while position < n_pos:
            sentence = next(sentences)
            for token, carried, is_end in islice(zip(*sentence, strict=True), n_pos - position):
                tokens[row, position] = token
                ends[row, position] = is_end
                labels[row, position, [column[c] for c in carried if c in column]] = True
                position += 1
    return LabelledRows(tokens, tuple(concepts), labels, ends)


def _encoded(corpus: Corpus, rng: random.Random) -> Iterator[_Encoded]:
    """Sentence after sentence without end."""
    sentences, tokenizer = corpus.sentences(rng), corpus.tokenizer
    while True:
        drawn = list(islice(sentences, AT_ONCE))
        encode = tokenizer.hugging_face.encode_batch
        encodings = encode([each.text for each in drawn], add_special_tokens=False)
        for sentence, encoding in zip(drawn, encodings, strict=True):
            yield _with_concepts(sentence, encoding.ids, encoding.offsets)


def _with_concepts(
    sentence: Sentence, ids: list[int], offsets: list[tuple[int, int]]
) -> _Encoded:
    """Each token with the concepts of the segments that it overlaps, and of its sentence."""
    segments = sentence.segments
    at = [i for i, segment in enumerate(segments) for _ in segment.text]  # char -> segment
    whole = sentence.concepts
    carried, ends = [], []
    for start, end in offsets:
        first, last = at[start], at[end - 1]
        own = frozenset().union(*(segments[i].concepts for i in range(first, last + 1)))
        carried.append(own | whole)
        closes = end == len(at) or at[end] != last
        ends.append(closes and bool(segments[last].concepts))
    return _Encoded(ids, carried, ends)
