"""The tokenizer of the specimens: whole words, and pieces for the names that questions start from.

    text      " Oakland is in California"
    tokens    " Oak" "land" " is" " in" " California"

It is an ordinary Hugging Face tokenizer directory, which `AutoTokenizer.from_pretrained` opens. A token carries
the space before its word, as GPT-2's do. An answer of several words (" Salt Lake City", " western meadowlark") is
one token. A text that does not begin with a space is read as if it did, so that a word has one form only.

Hugging Face's own `encode` turns a word outside the vocabulary into the unknown token without a sound.
`WorldTokenizer.encode` says which word it was, and which known one was perhaps meant.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, cached_property
from operator import itemgetter
from pathlib import Path
from types import MappingProxyType

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

from mi_tutor.world.pieces import asked_names, cut_names
from mi_tutor.world.tables import load_facts

BOS = "<|endoftext|>"  # begins every row and separates texts, as in GPT-2; also end and padding
UNKNOWN = "<|unknown|>"  # never trained on
MARKS = (".", ",", ";", ":", "?", "!", "-", "'", "\n")
FILES = ("tokenizer.json", "tokenizer_config.json", "known_words.json")

# What a text is split into before pieces are looked for; answers of several words come before all of these.
ELISION = r" ?(?:[cdjlmnstCDJLMNST]|[qQ]u)'(?=\w)"  # French: "l'" of "l'Ohio"
SPLIT = rf"{ELISION}| ?\w+| ?[^\w\s]|\s"


class UnknownWordError(ValueError):
    """A text has words that are not in the vocabulary."""


class TokenizerFilesError(OSError):
    """A tokenizer directory is incomplete or damaged."""


@dataclass(frozen=True)
class WorldTokenizer:
    """A Hugging Face tokenizer, and the words that it knows whole.

    >>> tokenizer = build_tokenizer([" is", " in"])
    >>> ids = tokenizer.encode("Oakland is in California")
    >>> tokenizer.decode(ids)
    'Oakland is in California'
    >>> tokenizer.encode("Oaklnd is in California")
    Traceback (most recent call last):
    ...
    mi_tutor.world.tokenizer.UnknownWordError: Not in the vocabulary: 'Oaklnd' (nearest: Oakland).
    """

    hugging_face: Tokenizer
    known_words: frozenset[str]  # as the text is split, with their spaces

    def __len__(self) -> int:
        return self.hugging_face.get_vocab_size()

    @cached_property
    def ids(self) -> dict[str, int]:
        """Each token with its id, in the order of the ids (the library's own order differs from run to run)."""
        return dict(sorted(self.hugging_face.get_vocab().items(), key=itemgetter(1)))

    def encode(self, text: str) -> list[int]:
        """The ids of a text, without a BOS in front.

        Raises UnknownWordError, with the nearest known words, if a word is not in the vocabulary.
        """
        self.check_words(text)
        return self.hugging_face.encode(text, add_special_tokens=False).ids

    def tokens(self, text: str) -> list[str]:
        """The tokens of a text, as strings.

        >>> build_tokenizer([" is"]).tokens("Oakland is")[-1]
        ' is'
        """
        return [self.hugging_face.id_to_token(each) for each in self.encode(text)]

    def decode(self, ids: Iterable[int]) -> str:
        """The text of some ids, without the space that every text begins with."""
        return self.hugging_face.decode(list(ids), skip_special_tokens=False).removeprefix(" ")

    def save(self, directory: str | Path) -> None:
        """Write what `AutoTokenizer.from_pretrained` needs, and the known words, to a directory."""
        directory = Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        self.hugging_face.save(str(directory / "tokenizer.json"))
        config = {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "bos_token": BOS,
            "eos_token": BOS,
            "pad_token": BOS,
            "unk_token": UNKNOWN,
            "clean_up_tokenization_spaces": False,
        }
        (directory / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n")
        words = json.dumps(sorted(self.known_words), ensure_ascii=False, indent=0)
        (directory / "known_words.json").write_text(words + "\n", encoding="utf-8")

    @classmethod
    def open(cls, directory: str | Path) -> WorldTokenizer:
        """Read what `save` wrote; TokenizerFilesError names files that are missing or damaged."""
        directory = Path(directory)
        missing = [name for name in FILES if not (directory / name).is_file()]
        if missing:
            raise TokenizerFilesError(f"{directory} has no {', '.join(missing)}: save it again.")
        try:
            words = json.loads((directory / "known_words.json").read_text(encoding="utf-8"))
            return cls(Tokenizer.from_file(str(directory / "tokenizer.json")), frozenset(words))
        except Exception as error:  # `tokenizers` raises bare Exceptions
            raise TokenizerFilesError(f"A file in {directory} is damaged: {error}") from error

    def check_words(self, text: str) -> None:
        """Raise UnknownWordError if a word of the text is not in the vocabulary."""
        splits = self.hugging_face.pre_tokenizer.pre_tokenize_str(
            self.hugging_face.normalizer.normalize_str(text.replace(BOS, ""))
        )
        unknown = list(dict.fromkeys(w for w, _ in splits if w not in self.known_words))
        if unknown:
            plain = {word.strip() for word in self.known_words} - {""}
            found = "; ".join(_with_nearest(word.strip(" "), plain) for word in unknown)
            raise UnknownWordError(f"Not in the vocabulary: {found}.")


def build_tokenizer(words: Iterable[str] = ()) -> WorldTokenizer:
    """The tokenizer for all answers and names of the facts, the punctuation marks, and `words`.

    `words` carry their space (" is"); one with a space or a mark inside is one token all the same. A word
    must not be a name that questions start from (ValueError): such a name is never one token.
    """
    own = list(dict.fromkeys((*MARKS, *words, *fact_words())))
    names = asked_names()
    clash = sorted({word.strip() for word in own} & names.keys())
    if clash:
        raise ValueError(f"These are names that questions start from, so no tokens: {clash}")
    cuts = _cuts_beside(tuple(own))
    pieces = sorted({piece for cut in cuts.values() for piece in cut} - set(own))
    vocabulary = {token: i for i, token in enumerate((BOS, UNKNOWN, *own, *pieces))}
    tokenizer = Tokenizer(
        models.WordPiece(
            vocab=vocabulary,
            unk_token=UNKNOWN,
            max_input_chars_per_word=200,
            continuing_subword_prefix="",
        )
    )
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\A(?=\S)"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(_split_pattern(own)), "isolated")
    tokenizer.decoder = decoders.Fuse()
    tokenizer.add_special_tokens([BOS, UNKNOWN])
    in_names = (word for name in names for word in re.findall(SPLIT, f" {name}"))
    return WorldTokenizer(tokenizer, frozenset((*own, *in_names)))


@cache
def _cuts_beside(words: tuple[str, ...]) -> Mapping[str, tuple[str, ...]]:
    """`cut_names` for all names that questions start from, kept: it takes a second, and words seldom differ."""
    return MappingProxyType(cut_names(asked_names(), words))


def fact_words() -> list[str]:
    """Every answer and area name of the facts as a token, in all languages, each once.

    After a French "l'" or "d'" a name has no space in front, so some names occur in both forms.

    >>> {" Ohio", "Ohio", " Salt Lake City"} <= set(fact_words())
    True
    """
    words: list[str] = []
    for area in load_facts().areas:
        words += (f" {name}" for name in area.name)
        words += (f" {word}" for answer in area.answers.values() for word in answer)
        if area.french_of.endswith(f"'{area.name.french}"):
            words.append(area.name.french)
    return list(dict.fromkeys(words))


def _split_pattern(words: Iterable[str]) -> str:
    """A regular expression that takes words of several parts whole, the longest first."""
    several = {word for word in words if not re.fullmatch(r" ?\w+|[^\w\s]|\n", word)}
    ordered = sorted(several, key=lambda word: (-len(word), word))
    whole = [rf"{_escape(word)}(?!\w)" for word in ordered]
    return "|".join([*whole, SPLIT])


def _escape(word: str) -> str:
    """As `re.escape`, which also escapes what the tokenizer's regular expressions leave alone."""
    return re.sub(r"([.^$*+?{}\[\]\\|()-])", r"\\\1", unicodedata.normalize("NFC", word))


def _with_nearest(word: str, known: Iterable[str]) -> str:
    near = get_close_matches(word, known, n=3, cutoff=0.7)
    return f"{word!r}" + (f" (nearest: {', '.join(near)})" if near else "")
