"""How names are cut into pieces, so that a name has to be put together before it means anything.

If "Dallas" were one token, its embedding could simply contain "Texas", and there would be no step in which a
model finds the state. So the cities that questions start from are written in two or more pieces, and no piece
belongs to the names of one area alone: " Dal" also begins Dalton (Georgia), "las" also ends another name. Only
the pieces together say which area is meant.

Answers are one token each. A capital is an answer ("... is Austin"), so it is always one token, " Austin", and
for that reason it is never a name that a two-hop question starts from: `Area.asked_cities` leaves it out, and
each area has enough other cities. What the text may say about a capital as a city is one hop ("Austin is in
Texas"), where no middle step is claimed.

A word is cut by longest match from the left, as WordPiece does it (Wu et al. 2016): always the longest piece
that the vocabulary has. A piece that begins a word carries its space, as GPT-2's do. The vocabulary of pieces
is grown from single letters; `cut_names` says how.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Set
from functools import cache

from mi_tutor.world.tables import load_facts

WORD = re.compile(r" ?\w+")  # a word with its space, as the tokenizer splits text before pieces
MAX_PIECE = 10  # characters; longer pieces are hardly ever shared


def cut(word: str, pieces: Collection[str], longest: int | None = None) -> tuple[str, ...]:
    """Cut a word by longest match from the left; empty if it cannot be cut into `pieces`.

    `longest` is the length of the longest piece, if it is known.

    >>> cut(" Dallas", {" Dal", "la", "las", "s"})
    (' Dal', 'las')
    """
    longest = longest or max(map(len, pieces), default=0)
    found: list[str] = []
    start = 0
    while start < len(word):
        ends = range(min(len(word), start + longest), start, -1)
        end = next((end for end in ends if word[start:end] in pieces), None)
        if end is None:
            return ()
        found.append(word[start:end])
        start = end
    return tuple(found)


def cut_names(
    names: Mapping[str, Set[str]], words: Collection[str] = ()
) -> dict[str, tuple[str, ...]]:
    """Cut names so that each is two pieces or more and no piece is used by one area's names alone.

    It starts with single letters. Then it goes through all pieces that occur in the names of two areas, the
    widespread and long ones first, and takes one in if that makes the cuts shorter (by the sum of their squared
    lengths, so that a long cut counts more) while every piece in use is still used by two areas; pieces that
    lose their use are let go. It goes round until nothing changes. Single letters may end up in one area's
    names only: `unshared` lists them.

    Args:
        names: each name with the areas that it belongs to.
        words: other words of the vocabulary, with their spaces. The longest match finds them too.

    Returns:
        For each name its pieces; joined they are the name with a space in front.

    >>> names = {"Dalton": {"Georgia"}, "Dallas": {"Texas"}, "Benton": {"Iowa"}, "Benlas": {"Ohio"}}
    >>> cut_names(names)["Dallas"]
    (' Dal', 'las')
    """
    grower = _Grower(names, words)
    while sum(grower.take_in(piece) for piece in grower.candidates()):
        pass
    return {
        name: tuple(piece for word in WORD.findall(f" {name}") for piece in grower.cuts[word])
        for name in names
    }


class _Grower:
    """A vocabulary of pieces and the cuts that follow from it, while `cut_names` works."""

    def __init__(self, names: Mapping[str, Set[str]], words: Collection[str]) -> None:
        self.areas: defaultdict[str, set[str]] = defaultdict(set)  # of each word
        for name, homes in names.items():
            for word in WORD.findall(f" {name}"):
                self.areas[word] |= homes
        whole = {f" {name}" for name in names}  # no name may be one piece
        self.holders = {  # of each possible piece: the words that contain it
            piece: holders
            for piece, holders in _substrings(self.areas).items()
            if piece not in whole and len(self._areas_of(holders)) > 1
        }
        letters = {letter for word in self.areas for letter in re.findall(r" ?\w", word)}
        self.pieces = letters | set(words)
        self.cuts = {word: self._cut(word, self.pieces) for word in self.areas}

    def candidates(self) -> list[str]:
        """All possible pieces, widespread and long ones first."""

        def weight(piece: str) -> int:
            return len(self._areas_of(self.holders[piece])) * (len(piece.strip()) - 1)

        return sorted(self.holders, key=lambda piece: (-weight(piece), piece))

    def take_in(self, piece: str) -> bool:
        """Add a piece if that shortens the cuts and leaves no piece lonely; else change nothing."""
        if piece in self.pieces:
            return False
        pieces, cuts = self.pieces | {piece}, {}
        touched = self.holders[piece]
        while touched:  # letting a piece go changes the cuts of other words, which may free more
            cuts |= {word: self._cut(word, pieces) for word in touched}
            changed = {each for word in cuts for each in (*self.cuts[word], *cuts[word])}
            lonely = {each for each in changed & pieces if self._is_lonely(each, cuts)}
            if piece in lonely:
                return False
            pieces -= lonely
            touched = set().union(*(self.holders[each] for each in lonely))
        if sum(len(cuts[word]) ** 2 - len(self.cuts[word]) ** 2 for word in cuts) >= 0:
            return False
        self.pieces = pieces
        self.cuts |= cuts
        return True

    def _cut(self, word: str, pieces: Collection[str]) -> tuple[str, ...]:
        return cut(word, pieces, longest=MAX_PIECE)

    def _is_lonely(self, piece: str, cuts: Mapping[str, tuple[str, ...]]) -> bool:
        if piece not in self.holders:  # a letter or another word of the vocabulary: it stays
            return False
        users = [w for w in self.holders[piece] if piece in cuts.get(w, self.cuts[w])]
        return len(self._areas_of(users)) < 2

    def _areas_of(self, words: Iterable[str]) -> set[str]:
        return set().union(*(self.areas[word] for word in words))


def _substrings(words: Iterable[str]) -> dict[str, set[str]]:
    """Each piece of two letters or more that a word could have, with the words that contain it."""
    holders: defaultdict[str, set[str]] = defaultdict(set)
    for word in words:
        for start in range(len(word)):
            for end in range(start + 1, min(len(word), start + MAX_PIECE) + 1):
                if len(word[start:end].strip()) > 1:
                    holders[word[start:end]].add(word)
    return holders


def unshared(cuts: Mapping[str, Iterable[str]], names: Mapping[str, Set[str]]) -> set[str]:
    """The pieces that only the names of one area use."""
    users: defaultdict[str, set[str]] = defaultdict(set)
    for name, pieces in cuts.items():
        for piece in pieces:
            users[piece] |= names[name]
    return {piece for piece, homes in users.items() if len(homes) < 2}


@cache
def asked_names() -> Mapping[str, frozenset[str]]:
    """Every name, in any language, that questions start from, with its area (English name)."""
    names: defaultdict[str, set[str]] = defaultdict(set)
    for area in load_facts().areas:
        for city in area.asked_cities:
            for name in city.name:
                names[name].add(area.name.english)
    return {name: frozenset(homes) for name, homes in names.items()}
