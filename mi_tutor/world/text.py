"""Text with ground truth: a sentence in segments, each of which says which concepts it stands for.

A concept is a short string such as "language=french", "relation=capital", "state=Texas" or "city". The labels of a
text are a boolean table, token × concept: what a probe, a neuron or a dictionary's latent can be marked against.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mi_tutor.world.tokenizer import UNKNOWN, WorldTokenizer

if TYPE_CHECKING:
    from tokenizers import Encoding


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
    """A text as token ids, and for each token which of the concepts it carries.

    Attributes:
        ids: token ids.
        concepts: the columns of the table.
        labels: bool [pos concept].
        ends: bool [pos], the last token of each segment. A name is known where it ends: "Fort" alone could still
            become several cities.
    """

    ids: list[int]
    concepts: tuple[str, ...]
    labels: np.ndarray
    ends: np.ndarray


class LabelledToken(NamedTuple):
    """A token's id, the concepts of its segment and sentence, and whether its segment ends here."""

    id: int
    concepts: frozenset[str]
    ends: bool


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
    tokens = [token for each in labelled_tokens(sentences, tokenizer) for token in each]
    return as_table(tokens, concepts)


def as_table(tokens: Sequence[LabelledToken], concepts: Iterable[str] | None = None) -> Labelled:
    """Tokens one after the other as one table. `concepts` as in `label`."""
    if concepts is None:
        concepts = sorted(frozenset().union(*(token.concepts for token in tokens)))
    column = {concept: i for i, concept in enumerate(concepts)}
    cells = [
        (i, column[concept])
        for i, token in enumerate(tokens)
        for concept in token.concepts
        if concept in column
    ]
    table = np.zeros((len(tokens), len(column)), dtype=bool)
    if cells:
        table[tuple(np.array(cells).T)] = True
    ends = np.array([token.ends for token in tokens], dtype=bool)
    return Labelled([token.id for token in tokens], tuple(column), table, ends)


def labelled_tokens(
    sentences: Sequence[Sentence], tokenizer: WorldTokenizer
) -> list[list[LabelledToken]]:
    """Each sentence token by token. A token that overlaps two segments carries the concepts of both."""
    texts = [sentence.text for sentence in sentences]
    for text in texts:
        if not text.startswith(" "):
            raise ValueError(f"A sentence begins with a space, this one does not: {text!r}")
    encodings = tokenizer.hugging_face.encode_batch(texts, add_special_tokens=False)
    return [
        _labelled(sentence, encoding, tokenizer)
        for sentence, encoding in zip(sentences, encodings, strict=True)
    ]


def _labelled(
    sentence: Sentence, encoding: Encoding, tokenizer: WorldTokenizer
) -> list[LabelledToken]:
    if tokenizer.ids[UNKNOWN] in encoding.ids:
        tokenizer.check_words(sentence.text)  # says which word it is
    segment_at = [i for i, segment in enumerate(sentence.segments) for _ in segment.text]
    spans = [segment_at[start:end] for start, end in encoding.offsets]
    carried = [
        sentence.concepts.union(*(sentence.segments[i].concepts for i in set(span)))
        for span in spans
    ]
    ends = [a[-1] != b[-1] for a, b in zip(spans, [*spans[1:], [-1]], strict=True)]
    return [LabelledToken(*each) for each in zip(encoding.ids, carried, ends, strict=True)]
