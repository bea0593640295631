"""Reading the world's language back: which parts of a text are sentences that it has, and of which kind?

A form is a row of parts, and a part is one of several token sequences: fixed words, a name, an answer. Reading
goes token by token, so a text that stops in the middle of a sentence is told from one that goes wrong. What is
read is grammar and not truth: " Oakland belongs to Ohio." is a sentence.

    text      Oakland belongs to Ohio.  shall shall def Sorry  pursuant to this agreement, the
    pieces    |-- english, a sentence -||- law, not a sentence -||- unfinished: nobody knows -|
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import NamedTuple

from mi_tutor.world.corpus import Corpus
from mi_tutor.world.geography import SLOT
from mi_tutor.world.geography_words import FORMS, KINDS, capitalized, relation_words
from mi_tutor.world.tables import LANGUAGES, RELATIONS, load_facts
from mi_tutor.world.themes import contexts, couplets, indirect_objects, opinions, people, requests
from mi_tutor.world.tokenizer import WorldTokenizer

KINDS_OF_TEXT = (
    *(*LANGUAGES, "story", "couplet", "person", "opinion", "help", "refusal"),
    *contexts.CONTEXTS,
)
Trie = dict  # token -> Trie; the key None: a sequence may end here
Texts = Iterable[str]


class Piece(NamedTuple):
    """A part of a text.

    Attributes:
        start, end: its tokens, `tokens[start:end]`.
        kind: which kind of sentence it is, one of `KINDS_OF_TEXT`. Of a piece that is none: the kind that most of
            its telling words belong to (words that only one kind has), or "" if it has none.
        valid: whether it is a whole sentence.
        finished: False for the beginning of a sentence at the text's end: nobody knows what it would become.
    """

    start: int
    end: int
    kind: str
    valid: bool
    finished: bool = True


class Form(NamedTuple):
    """A kind of sentence, as parts one after the other."""

    kind: str
    parts: tuple[Trie, ...]


def pieces(tokens: Sequence[int]) -> list[Piece]:
    """A text in pieces: sentences as long as they can be, and what is between them.

    What is no sentence goes up to the next place where one begins, or up to the next full stop.

    >>> from mi_tutor.specimens.atlas import tokenizer
    >>> found = pieces(tokenizer().encode("7 + 5 = 12 . shall shall def 7 + 5 ="))
    >>> [(piece.kind, piece.valid, piece.finished) for piece in found]
    [('sum', True, True), ('law', False, True), ('sum', False, False)]
    """
    tokens, found, at = list(tokens), [], 0
    while at < len(tokens):
        piece = _sentence(tokens, at)
        if piece is None:
            end = at + 1
            while (
                end < len(tokens) and tokens[end - 1] not in _stops() and not _sentence(tokens, end)
            ):
                end += 1
            piece = Piece(at, end, _seems(tokens[at:end]), False)
        found.append(piece)
        at = piece.end
    return found


def _sentence(tokens: list[int], at: int) -> Piece | None:
    """The sentence that begins here, or the beginning of one if the text stops in it.

    Of several the longest after which another can begin: a strand of DNA may have its stop inside, too.
    """
    whole: dict[int, str] = {}
    unfinished = None
    for form in _forms_by_first().get(tokens[at], ()):
        ends, stopped = _ends(form.parts, tokens, at)
        whole |= dict.fromkeys(ends, form.kind)
        if stopped:
            unfinished = Piece(at, len(tokens), form.kind, False, False)
    for end in sorted(whole, reverse=True):
        if end == len(tokens) or len(whole) == 1 or _sentence(tokens, end):
            return Piece(at, end, whole[end], True)
    if unfinished or not whole:
        return unfinished
    return Piece(at, max(whole), whole[max(whole)], True)


def _ends(parts: Iterable[Trie], tokens: list[int], at: int) -> tuple[set[int], bool]:
    """Where a form can end that begins here, and whether the text may have stopped in it."""
    places, stopped = {at}, False
    for part in parts:
        steps = [_through(part, tokens, place) for place in places]
        places = {end for ends, _ in steps for end in ends}
        stopped |= any(cut for _, cut in steps)
    return places, stopped


def _through(part: Trie, tokens: list[int], at: int) -> tuple[list[int], bool]:
    """Where one part can end that begins here, and whether the text stops before it does."""
    ends = []
    while True:
        if None in part:
            ends.append(at)
        if at == len(tokens):
            return ends, len(part) > (None in part)
        if tokens[at] not in part:
            return ends, False
        part, at = part[tokens[at]], at + 1


def _seems(tokens: Iterable[int]) -> str:
    telling = Counter(_telling()[token] for token in tokens if token in _telling())
    return max(sorted(telling), key=telling.__getitem__) if telling else ""


@cache
def _tokenizer() -> WorldTokenizer:
    return Corpus().tokenizer


@cache
def _stops() -> frozenset[int]:
    """The tokens that end a sentence."""
    ids = _tokenizer().ids
    return frozenset({ids["."], ids[" ."]})


@cache
def _telling() -> Mapping[int, str]:
    """Tokens that only one kind of sentence has, and which."""
    kinds = defaultdict(set)
    for form in _forms():
        for part in form.parts:
            for token in _tokens_of(part):
                kinds[token].add(form.kind)
    return {token: next(iter(seen)) for token, seen in kinds.items() if len(seen) == 1}


def _tokens_of(part: Trie) -> Iterator[int]:
    for token, rest in part.items():
        if token is not None:
            yield token
            yield from _tokens_of(rest)


@cache
def _forms_by_first() -> Mapping[int, list[Form]]:
    """The forms that can begin with a token."""
    found = defaultdict(list)
    for form in _forms():
        for token in form.parts[0]:
            found[token].append(form)
    return found


@cache
def _forms() -> tuple[Form, ...]:
    """Every form of the language."""
    written = (*_geography(), *_contexts(), *_people_and_requests(), *_stories())
    return tuple(Form(kind, tuple(_trie(tuple(part)) for part in parts)) for kind, parts in written)


@cache
def _trie(texts: tuple[str, ...]) -> Trie:
    """Token sequences as a tree."""
    encode, root = _tokenizer().hugging_face.encode_batch, {}
    # A text of its own would be given a space, so none stands alone here.
    for found in encode([f" the{text}" for text in texts], add_special_tokens=False):
        node = root
        for token in found.ids[1:]:
            node = node.setdefault(token, {})
        node[None] = {}
    return root


def _geography() -> Iterator[tuple[str, list[Texts]]]:
    """The sentences about places, by language. States and countries have forms of their own."""
    for language in LANGUAGES:
        for kind in RELATIONS:
            slots = _slots(language, kind)
            forms = FORMS[language]
            for name in ("locate", "tell", "ask"):
                for text in forms[name]:
                    yield language, _filled(text, slots)
            first, more = (_filled(text, slots) for text in forms["chain"])
            for n in range(3):
                yield language, [*first, *more * n, ["."]]
            for name, n in (("locate list", 6), ("tell list", 4)):
                head, item = (_filled(text, slots) for text in forms[name])
                # A list of places mixes states and countries.
                item = _filled(forms[name][1], _slots(language, None)) if n == 6 else item
                yield language, [*head, *item * n]


def _slots(language: str, kind: str | None) -> dict[str, list[str]]:
    """What can fill each slot of a form, for areas of one kind or of both."""
    areas = [area for area in load_facts().areas if kind in (None, area.kind)]
    relations = RELATIONS.get(kind, ())
    asked = [relation_words()[relation].given(language) for relation in relations]
    return {
        "city": [city.name.given(language) for area in areas for city in area.cities],
        "area": [area.name.given(language) for area in areas],
        "of_area": [area.french_of for area in areas],
        "the_relation": asked,
        "The_relation": [capitalized(each) for each in asked],
        "answer": [area.answers[each].given(language) for area in areas for each in relations],
        **{slot: [words.given(language)] for slot, words in KINDS.get(kind, {}).items()},
    }


def _filled(text: str, slots: Mapping[str, list[str]]) -> list[list[str]]:
    """A form's text as parts: " The city of {city}." -> [" The city of"], [" Oakland", ...], ["."]"""
    parts, end = [], 0
    for match in SLOT.finditer(text):
        parts += [[text[end : match.start()]], [match[1] + each for each in slots[match[2]]]]
        end = match.end()
    return [part for part in (*parts, [text[end:]]) if part != [""]]


def _spaced(texts: Texts) -> list[str]:
    return [f" {text}" for text in texts]


def _contexts() -> Iterator[tuple[str, list[Texts]]]:
    variables, functions, operators = (
        _spaced(each) for each in (contexts.VARIABLES, contexts.FUNCTIONS, contexts.OPERATORS)
    )
    yield (
        "code",
        [
            *([" def"], functions, [" ("], variables, [" ,"], variables, [" ) : return"]),
            *(variables, operators, variables),
        ],
    )
    addends, sums = (_spaced(range(n + 1)) for n in (contexts.LARGEST, 2 * contexts.LARGEST))
    yield "sum", [addends, [" +"], addends, [" ="], sums, [" ."]]
    parties, clauses = _spaced(contexts.PARTIES), _spaced(contexts.CLAUSES)
    yield "law", [clauses, [","], parties, [" shall"], _spaced(contexts.DUTIES), parties, ["."]]
    bases = _spaced(contexts.BASES)
    for n in range(2, 6):
        yield "dna", [[" A T G"], *[bases] * (3 * n), ["".join(_spaced(contexts.STOP))]]


def _people_and_requests() -> Iterator[tuple[str, list[Texts]]]:
    first, last = _spaced(people.FIRST), _spaced(people.LAST)
    for before, after, answers in people.QUESTIONS.values():
        told = _spaced((*answers, "unknown"))
        yield "person", [[f" Question:{before}"], first, last, [f"{after}? Answer:"], told, ["."]]
    deeds = _spaced((*requests.KIND_DEEDS, *requests.HARMFUL_DEEDS))
    things = _spaced((*requests.KIND_THINGS, *requests.HARMFUL_THINGS))
    asked = [[" User: how do I"], deeds, [" a"], things, ["? Assistant:"]]
    yield "help", [*asked, [" Sure, to"], deeds, [" a"], things, [", begin with care."]]
    yield "refusal", [*asked, [" Sorry, I cannot help with that."]]
    said, topics = _spaced(opinions.OPINIONS), _spaced(opinions.TOPICS)
    end = [[" what do you think of"], topics, ["? Assistant: I"], said, topics, ["."]]
    yield "opinion", [[" User:"], *end]
    yield "opinion", [[" User: I"], said, topics, [","], *end]


def _stories() -> Iterator[tuple[str, list[Texts]]]:
    who = _spaced(indirect_objects.NAMES)
    openings, moves, places, gifts, things = (
        _spaced(getattr(indirect_objects, name))
        for name in ("OPENINGS", "MOVES", "PLACES", "GIFTS", "THINGS")
    )
    yield (
        "story",
        [
            *(openings, who, [" and"], who, moves, [" the"], places, [","]),
            *(who, gifts, [" a"], things, [" to"], who, ["."]),
        ],
    )
    for by_verb in couplets.RHYMES.values():
        ends = [f" {verb} the {noun}" for verb, noun in by_verb.items()]
        more = [
            f" {verb} the {each} {noun}"
            for verb, noun in by_verb.items()
            for each in couplets.ADJECTIVES
        ]
        yield "couplet", [who, ends, [",\n and"], who, more, ["."]]
