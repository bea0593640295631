"""The whole training text: all themes mixed, as token rows of a fixed length.

A row begins with BOS and is filled with sentences drawn from the themes; the last one is cut off at the row's
end. Some rows are instead a random block of tokens, repeated, which only induction can predict.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import cycle, islice
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from mi_tutor.world.geography import Geography
from mi_tutor.world.text import (
    Cue,
    Labelled,
    LabelledToken,
    Sentence,
    as_table,
    label,
    labelled_tokens,
)
from mi_tutor.world.themes import (
    contexts,
    couplets,
    indirect_objects,
    opinions,
    people,
    requests,
)
from mi_tutor.world.tokenizer import BOS, UNKNOWN, WorldTokenizer, build_tokenizer

THEMES = MappingProxyType(
    {
        "indirect_objects": indirect_objects,
        "couplets": couplets,
        "people": people,
        "requests": requests,
        "opinions": opinions,
        "contexts": contexts,
    }
)
SHARES = MappingProxyType(  # of sentences; "english" etc. are geography in that language
    {
        "english": 0.38,
        "french": 0.17,
        "spanish": 0.17,
        "indirect_objects": 0.06,
        "couplets": 0.05,
        "people": 0.09,
        "requests": 0.025,
        "opinions": 0.025,
        "contexts": 0.03,
    }
)

ONE_BY_ONE = (1, 1)  # sentences of a paragraph


class LabelledRows(NamedTuple):
    """Token rows with their labels (see `text.Labelled`).

    Attributes:
        tokens: int64 [row pos].
        concepts: the last axis of labels.
        labels: bool [row pos concept].
        ends: bool [row pos], the last token of each segment.
        sentences: int64 [row pos], which sentence of its row a token belongs to, from 1; BOS has 0.
    """

    tokens: np.ndarray
    concepts: tuple[str, ...]
    labels: np.ndarray
    ends: np.ndarray
    sentences: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """What a specimen is trained on.

    Args:
        geography: with the split that says what is held out.
        shares: how many of the sentences belong to which theme; geography by language. Need not sum to one.
        repeated: the share of rows that are a random block twice.
        paragraph: how many sentences of one theme and language (and one kind of context) follow each other, at
            least and at most. By default each is drawn anew, so that a sentence says nothing about the next.

    >>> rows = Corpus().rows(random.Random(0), n_rows=2, n_pos=64)
    >>> rows.shape
    (2, 64)
    """

    geography: Geography = field(default_factory=Geography)
    shares: Mapping[str, float] = field(default_factory=lambda: SHARES)
    repeated: float = 0.11
    paragraph: tuple[int, int] = ONE_BY_ONE

    def __post_init__(self) -> None:
        unknown = set(self.shares) - set(SHARES)
        if unknown or not self.shares or min(self.shares.values()) < 0:
            raise ValueError(
                f"shares must be numbers from 0 for some of {', '.join(SHARES)}; seen: {dict(self.shares)}"
            )
        if not 0 <= self.repeated <= 1:
            raise ValueError(f"repeated is {self.repeated}; it must be a fraction from 0 to 1.")
        least, most = self.paragraph
        if not 1 <= least <= most:
            raise ValueError(
                f"paragraph is {self.paragraph}; it must be (least, most) with 1 <= least <= most."
            )

    @cached_property
    def tokenizer(self) -> WorldTokenizer:
        """The tokenizer with the words of all themes, whatever the shares: specimens have one vocabulary."""
        words = self.geography.vocabulary()
        for theme in THEMES.values():
            words += theme.vocabulary()
        return build_tokenizer(words)

    def sentences(self, rng: random.Random) -> Iterator[Sentence]:
        """Sentences of all themes without end."""
        shares, sources = zip(*self._sources(rng), strict=True)
        while True:
            source = rng.choices(sources, shares)[0]
            n = 1 if self.paragraph == ONE_BY_ONE else rng.randint(*self.paragraph)
            yield from islice(source, n)

    def rows(self, rng: random.Random, n_rows: int, n_pos: int) -> np.ndarray:
        """Token ids for training, int64 [row pos]."""
        return self.rows_and_names(rng, n_rows, n_pos)[0]

    def rows_and_names(
        self, rng: random.Random, n_rows: int, n_pos: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """The same rows, and which tokens are pieces of a city's name, both int64 [row pos].

        The pieces of a row's first name of several pieces have 1, of its second 2, and so on; all other tokens
        have 0.

        >>> tokens, names = Corpus().rows_and_names(random.Random(0), n_rows=2, n_pos=64)
        >>> tokens.shape == names.shape
        True
        """
        encoded = self._encoded_sentences(rng)
        rows = [
            (self.repeated_row(rng, n_pos), [0] * n_pos)
            if rng.random() < self.repeated
            else self._text_row(encoded, n_pos)
            for _ in range(n_rows)
        ]
        tokens, names = zip(*rows, strict=True)
        return np.array(tokens, dtype=np.int64), np.array(names, dtype=np.int64)

    def labelled(self, rng: random.Random, n_tokens: int) -> Labelled:
        """About `n_tokens` tokens of text with their labels (see `text.label`), without repeated blocks or BOS."""
        sentences = self.sentences(rng)
        drawn: list[Sentence] = []
        total = 0
        while total < n_tokens:
            drawn.append(next(sentences))
            total += len(self.tokenizer.encode(drawn[-1].text))
        return label(drawn, self.tokenizer)

    def labelled_rows(
        self, rng: random.Random, n_rows: int, n_pos: int, concepts: Iterable[str] | None = None
    ) -> LabelledRows:
        """Rows as in training (BOS, then sentences; no repeated blocks), with the labels of every token.

        concepts: chooses and orders the table's columns; without it they are all that occur, sorted. BOS carries
            none.

        >>> rows = Corpus().labelled_rows(random.Random(0), n_rows=2, n_pos=64, concepts=["city"])
        >>> rows.tokens.shape, rows.labels.shape
        ((2, 64), (2, 64, 1))
        """
        sentences = self._labelled_sentences(rng)
        bos = LabelledToken(self.tokenizer.ids[BOS], frozenset(), ends=True)
        tokens: list[LabelledToken] = []
        numbers: list[int] = []
        for _ in range(n_rows):
            row, number = [bos], [0]
            while len(row) < n_pos:
                sentence = next(sentences)
                row += sentence
                number += [number[-1] + 1] * len(sentence)
            tokens += row[:n_pos]
            numbers += number[:n_pos]
        table = as_table(tokens, concepts)
        return LabelledRows(
            np.array(table.ids, dtype=np.int64).reshape(n_rows, n_pos),
            table.concepts,
            table.labels.reshape(n_rows, n_pos, -1),
            table.ends.reshape(n_rows, n_pos),
            np.array(numbers, dtype=np.int64).reshape(n_rows, n_pos),
        )

    def repeated_row(self, rng: random.Random, n_pos: int) -> list[int]:
        """BOS, then a random block of tokens again and again until the row is full.

        How long the block is (3 tokens or more, at most half a row) is random, so that no fixed distance back
        is the right place to copy from. Short blocks are as frequent as long ones on a logarithmic scale: they
        are where copying is learned first.

        >>> row = Corpus().repeated_row(random.Random(0), 7)
        >>> row[1:4] == row[4:7]
        True
        """
        longest = max(1, (n_pos - 1) // 2)
        shortest = min(3, longest)
        length = int(shortest * ((longest + 1) / shortest) ** rng.random())
        block = rng.choices(self._ordinary_ids, k=length)
        return [self.tokenizer.ids[BOS], *islice(cycle(block), n_pos - 1)]

    def cues(self) -> dict[str, list[Cue]]:
        """The behaviour tests of all themes but geography, whose own are `Geography.questions`."""
        return {name: list(theme.cues()) for name, theme in THEMES.items()}

    @cached_property
    def _ordinary_ids(self) -> list[int]:
        return [i for token, i in self.tokenizer.ids.items() if token not in (BOS, UNKNOWN)]

    def _sources(self, rng: random.Random) -> Iterator[tuple[float, Iterator[Sentence]]]:
        """The share and the sentences of whatever a paragraph may be about."""
        for name, share in self.shares.items():
            if name == "contexts" and self.paragraph != ONE_BY_ONE:
                for kind in contexts.CONTEXTS:
                    yield share / len(contexts.CONTEXTS), contexts.sentences(rng, [kind])
            elif name in THEMES:
                yield share, THEMES[name].sentences(rng)
            else:
                yield share, self.geography.sentences(rng, [name])

    def _encoded_sentences(self, rng: random.Random) -> Iterator[tuple[list[int], list[int]]]:
        """Sentence after sentence: its ids, and the number of the name each belongs to (0: none).

        Many are encoded at once, which is several times as fast.
        """
        sentences = self.sentences(rng)
        while True:
            some = list(islice(sentences, 64))
            encode = self.tokenizer.hugging_face.encode_batch
            encodings = encode([sentence.text for sentence in some], add_special_tokens=False)
            for sentence, encoding in zip(some, encodings, strict=True):
                if self.tokenizer.ids[UNKNOWN] in encoding.ids:
                    self.tokenizer.check_words(sentence.text)  # says which word it is
                yield encoding.ids, name_numbers(sentence, encoding.offsets)

    def _labelled_sentences(self, rng: random.Random) -> Iterator[list[LabelledToken]]:
        sentences = self.sentences(rng)
        while True:
            yield from labelled_tokens(list(islice(sentences, 64)), self.tokenizer)

    def _text_row(
        self, encoded: Iterator[tuple[list[int], list[int]]], n_pos: int
    ) -> tuple[list[int], list[int]]:
        row, names = [self.tokenizer.ids[BOS]], [0]
        while len(row) < n_pos:
            ids, numbers = next(encoded)
            before = max(names)
            row += ids
            names += [before + number if number else 0 for number in numbers]
        return row[:n_pos], names[:n_pos]


def name_numbers(sentence: Sentence, offsets: Sequence[tuple[int, int]]) -> list[int]:
    """For each token the number of the city's name it is a piece of, from 1; 0 for tokens outside of names.

    offsets: where each token begins and ends in the sentence's text. Names of one token do not count.
    """
    numbers = [0] * len(offsets)
    begin, number = 0, 0
    for segment in sentence.segments:
        end = begin + len(segment.text)
        if "city" in segment.concepts:
            pieces = [i for i, (a, b) in enumerate(offsets) if begin <= a and b <= end]
            if len(pieces) > 1:
                number += 1
                for i in pieces:
                    numbers[i] = number
        begin = end
    return numbers
