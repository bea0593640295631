"""Text with ground truth: a sentence in segments, each of which says which concepts it stands for.

A concept is a short string such as "language=french", "relation=capital", "state=Texas" or "city". The labels of a
text are a boolean table, token × concept: what a probe, a neuron or a dictionary's latent can be marked against.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from mi_tutor.world.tokenizer import WorldTokenizer


class Segment(NamedTuple):
    """A part of a text (with the space before it) and the concepts that it stands for."""

    text: str
    concepts: frozenset[str] = frozenset()


class Sentence(NamedTuple):
    """Segments in order, and concepts that hold for the whole sentence."""

    segments: tuple[Segment, ...]
    concepts: frozenset[str] = frozenset()

    @property
    def text(self) -> str:
        """The plain text.

        >>> Sentence((Segment(" Austin", frozenset({"city"})), Segment("."))).text
        ' Austin.'
        """
        return "".join(segment.text for segment in self.segments)

    def before(self, concept: str) -> Sentence:
        """The sentence up to the first segment that carries `concept`: a prompt that waits for it.

        >>> Sentence((Segment(" It is"), Segment(" Austin", frozenset({"answer"})))).before("answer").text
        ' It is'
        """
        for i, segment in enumerate(self.segments):
            if concept in segment.concepts:
                return Sentence(self.segments[:i], self.concepts)
        raise ValueError(f"No segment of {self.text!r} carries the concept {concept!r}.")


class Cue(NamedTuple):
    """A prompt that tests one behaviour.

    Attributes:
        prompt: a sentence up to where the tested token belongs.
        right: tokens (with their space) that count as right.
        wrong: the likeliest wrong ones, for a logit difference.
        held_out: whether the text was kept out of training.
    """

    prompt: Sentence
    right: tuple[str, ...]
    wrong: tuple[str, ...]
    held_out: bool


def part(text: str, *concepts: str) -> Segment:
    """A segment, shorter to write.

    >>> part(" Austin", "city").concepts
    frozenset({'city'})
    """
    return Segment(text, frozenset(concepts))


def words(text: str) -> tuple[str, ...]:
    """The words of a text, to write long lists of them briefly.

    >>> words("red green")
    ('red', 'green')
    """
    return tuple(text.split())


class Labelled(NamedTuple):
    """A text as token ids, and for each token which of the concepts it carries."""

    ids: list[int]
    concepts: tuple[str, ...]
    labels: np.ndarray  # bool [pos concept]


def label(
    sentences: Sequence[Sentence],
    tokenizer: WorldTokenizer,
    concepts: Iterable[str] | None = None,
) -> Labelled:
    """Tokenize sentences as one text and label each token.

    A token carries the concepts of its segment and of its sentence. `concepts` chooses and orders the columns;
    without it they are all that occur, sorted.

    >>> from mi_tutor.world.tokenizer import build_tokenizer
    >>> text = Sentence((Segment(" Austin", frozenset({"city"})), Segment(".")))
    >>> label([text], build_tokenizer()).labels.tolist()
    [[True], [False]]
    """
    ids: list[int] = []
    found: list[frozenset[str]] = []
    for sentence in sentences:
        for token_id, carried in _tokens(sentence, tokenizer):
            ids.append(token_id)
            found.append(carried | sentence.concepts)
    columns = tuple(sorted(frozenset().union(*found)) if concepts is None else concepts)
    table = np.array([[c in carried for c in columns] for carried in found], dtype=bool)
    return Labelled(ids, columns, table.reshape(len(ids), len(columns)))


def _tokens(sentence: Sentence, tokenizer: WorldTokenizer) -> list[tuple[int, frozenset[str]]]:
    """Each token's id with the concepts of the segments that it overlaps."""
    text = sentence.text
    if not text.startswith(" "):
        raise ValueError(f"A sentence begins with a space, this one does not: {text!r}")
    tokenizer.check_words(text)
    encoding = tokenizer.hugging_face.encode(text, add_special_tokens=False)
    carried_at = [s.concepts for s in sentence.segments for _ in s.text]
    return [
        (token_id, frozenset().union(*carried_at[start:end]))
        for token_id, (start, end) in zip(encoding.ids, encoding.offsets, strict=True)
    ]
