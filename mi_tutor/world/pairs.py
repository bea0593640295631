"""Clean and corrupted prompts: two texts that differ in one thing only, token for token of the same length.

    clean      " When Mary and John went to the store, John gave a drink to"   -> " Mary"
    corrupted  " When Mary and John went to the store, Mary gave a drink to"   -> " John"

Whatever a model computes differently for the two has to do with that one thing. Both have the same number of
tokens and the named places at the same positions, so an activation of one run can stand in for the other's.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from mi_tutor.world.geography import Question
from mi_tutor.world.text import Sentence
from mi_tutor.world.themes.indirect_objects import story


class PairError(ValueError):
    """Two prompts that cannot stand in for each other, token by token."""


class PromptPair(NamedTuple):
    """Two prompts of the same shape with different answers.

    Attributes:
        clean: the prompt whose answer we ask for.
        corrupted: the same with one thing changed.
        answer: the right next token after `clean`, with its space.
        wrong: the right next token after `corrupted`.
        positions: named places, as positions in the model's input: position 0 is BOS, which stands before
            both texts. "end" is the last token, where the answer is predicted.
    """

    clean: str
    corrupted: str
    answer: str
    wrong: str
    positions: Mapping[str, int]


def make_pair(
    clean: str,
    corrupted: str,
    answer: str,
    wrong: str,
    tokenizer: Any,
    ends: Mapping[str, tuple[int, int]] = MappingProxyType({}),
) -> PromptPair:
    """A pair whose prompts agree in length and in the positions of all named places.

    Args:
        tokenizer: a `WorldTokenizer`, or the `tokenizer` of an opened model.
        ends: for each place the character after it, in `clean` and in `corrupted`. The place is the token
            that ends there, so for a name of several tokens it is the last one.

    Raises PairError, with the tokens, if the prompts do not fit each other or the answers do not differ.

    >>> from mi_tutor.world.tokenizer import build_tokenizer
    >>> tokenizer = build_tokenizer([" is", " in"])
    >>> texts = " Austin is in", " Boston is in"
    >>> pair = make_pair(*texts, " Texas", " Massachusetts", tokenizer, {"city": (7, 7)})
    >>> dict(pair.positions)
    {'city': 1, 'end': 3}
    """
    spans = _spans(clean, tokenizer), _spans(corrupted, tokenizer)
    if clean == corrupted or answer == wrong:
        raise PairError(
            f"A pair needs two prompts with two answers, got {clean!r} -> {answer!r} and "
            f"{corrupted!r} -> {wrong!r}."
        )
    if len(spans[0]) != len(spans[1]):
        raise PairError(
            f"The prompts should have the same number of tokens, got {len(spans[0])} and {len(spans[1])}: "
            f"{_pieces(clean, spans[0])} and {_pieces(corrupted, spans[1])}."
        )
    for token in (answer, wrong):
        if len(_spans(token, tokenizer)) != 1:
            raise PairError(f"An answer should be one token, {token!r} is not (mind the space).")
    positions = {name: _position(name, both, spans) for name, both in ends.items()}
    return PromptPair(clean, corrupted, answer, wrong, positions | {"end": len(spans[0])})


def story_pairs(
    name_pairs: Iterable[tuple[str, str]], tokenizer: Any, rng: random.Random
) -> Iterator[PromptPair]:
    """Indirect-object stories (Wang et al. 2022) in which the giver is swapped: ABB against ABA.

    For each pair of names two pairs, each giver once the clean one. Places: "first", "second", "giver", "end".

    >>> from mi_tutor.world.corpus import Corpus
    >>> pairs = story_pairs([("Mary", "John")], Corpus().tokenizer, random.Random(0))
    >>> [(pair.answer, pair.wrong) for pair in pairs]
    [(' Mary', ' John'), (' John', ' Mary')]
    """
    for first, second in name_pairs:
        seed = rng.random()  # the same words around the names in both stories
        by_giver = {
            giver: story(first, second, giver, random.Random(seed)).before("answer")
            for giver in (second, first)
        }
        for giver, other in ((second, first), (first, second)):
            clean, corrupted = by_giver[giver], by_giver[other]
            ends = zip(_name_ends(clean), _name_ends(corrupted), strict=True)
            places = dict(zip(("first", "second", "giver"), ends, strict=True))
            yield make_pair(clean.text, corrupted.text, f" {other}", f" {giver}", tokenizer, places)


def question_pairs(
    questions: Iterable[Question], tokenizer: Any, rng: random.Random
) -> Iterator[PromptPair]:
    """Two-hop questions with another city in the same words: same number of tokens, another answer.

    Each question comes once as the clean one, with a partner that is drawn among all questions given; one
    that has no partner is left out. Places: "city" (the name's last token), "end".

    >>> from mi_tutor.world.corpus import Corpus
    >>> corpus = Corpus()
    >>> english = [q for q in corpus.geography.questions(["english"]) if q.relation == "capital"]
    >>> pair = next(question_pairs(english, corpus.tokenizer, random.Random(0)))
    >>> pair.answer, pair.answer == pair.wrong
    (' Montgomery', False)
    """
    groups: defaultdict[tuple[str, str, int], list[Question]] = defaultdict(list)
    keys = []
    for question in questions:
        text = question.prompt.text
        name = question.city.name.given(question.language)
        around = text[: question.name_end - len(name)], text[question.name_end :]
        keys.append((question, (*around, len(_spans(text, tokenizer)))))
        groups[keys[-1][1]].append(question)
    for clean, key in keys:
        partners = [other for other in groups[key] if other.answer != clean.answer]
        if partners:
            corrupted = rng.choice(partners)
            texts = clean.prompt.text, corrupted.prompt.text
            city = {"city": (clean.name_end, corrupted.name_end)}
            yield make_pair(*texts, clean.answer, corrupted.answer, tokenizer, city)


Span = tuple[int, int]  # a token's first character, and the character after it


def _spans(text: str, tokenizer: Any) -> list[Span]:
    """The place of each token in the text. All our tokenizers are, or have, one of `tokenizers`."""
    own = getattr(tokenizer, "hugging_face", getattr(tokenizer, "backend_tokenizer", tokenizer))
    return own.encode(text, add_special_tokens=False).offsets


def _position(name: str, ends: tuple[int, int], spans: tuple[list[Span], list[Span]]) -> int:
    """The position in the model's input of the token that ends at the given character, in both texts."""
    found = [
        next((i for i, (_, stop) in enumerate(each, start=1) if stop == end), None)
        for end, each in zip(ends, spans, strict=True)
    ]
    if None in found or found[0] != found[1]:
        raise PairError(
            f"{name!r} should be the end of a token and at the same position in both prompts; characters {ends} "
            f"are at positions {found[0]} and {found[1]} (None: inside a token)."
        )
    return found[0]


def _name_ends(prompt: Sentence) -> list[int]:
    """The character after each name of a story."""
    ends, end = [], 0
    for segment in prompt.segments:
        end += len(segment.text)
        if "name" in segment.concepts:
            ends.append(end)
    return ends


def _pieces(text: str, spans: Iterable[Span]) -> list[str]:
    return [text[start:end] for start, end in spans]
