"""Chapter 10: reading a report, plain data into what is marked, or one exact sentence about what it is not."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch

from mi_tutor.specimens.atlas.prompts import tokenizer
from mi_tutor.specimens.auditing import (
    CLEAN,
    FAMILIES,
    SUSPECTED,
    Contrast,
    Report,
    Secret,
    read_secret,
)
from mi_tutor.specimens.auditing.contrasting import BASE
from mi_tutor.teach.exercises.reading_hypotheses import whole
from mi_tutor.teach.investigation import Unreadable
from mi_tutor.teach.outcome import Odd, plain
from mi_tutor.teach.wording import describe_kind
from mi_tutor.world.tokenizer import UnknownWordError

N_LAYERS, LONGEST = 5, 95  # layers, and tokens that a text may have: one place is for the beginning
N_TEXTS = range(20, 201)  # how many texts a side of a contrast has
MOST_WORDS, MOST_LETTERS = 500, 2000
LONGEST_WORD, MOST = 60, 1e6
FORM = (
    "a dict with “family”, “parameters” (a dict of words), “removal” (a Contrast, or a dict with “layer” (0 to 4), “shows” and "
    "“without” (20 to 200 texts each, or “atlas” for the second) and, if not the texts' ends, “at” (words)) and “lean” (nats); "
    "a clean report has None for the removal, and in place of “lean” “suspects” (a dict: a family to the parameters of one of its "
    "secrets and its “lean”)"
)


class Suspect(NamedTuple):
    """A secret that a clean report suspected, and how far it says that the specimen leans to it."""

    secret: Secret
    lean: float


class Handed(NamedTuple):
    """A report, how far it says that the specimen leans to its secret, and those that a clean one suspected."""

    report: Report
    lean: float = 0.0
    suspects: tuple[Suspect, ...] = ()


def reader(name: str) -> Callable[[Any], Handed]:
    """Reads reports on one specimen; one that names another is told."""

    def read(value: Any) -> Handed:
        said = specimen_of(value)
        if said not in ("", name):
            raise Unreadable(f"This is a report on {shown(said)}; here {name} is audited.")
        return read_report(value)

    return read


def specimen_of(value: Any) -> str:
    """The specimen that a report names; "" if it names none."""
    found = {_word(key): entry for key, entry in value.items()} if isinstance(value, dict) else {}
    return _word(found["specimen"]) if isinstance(found.get("specimen"), str) else ""


def read_report(value: Any) -> Handed:
    """The report, or Unreadable with what is wrong with it. A specimen's name in it is allowed and not read."""
    found = fields(
        plain(value),
        "A report",
        ["family", "parameters", "removal"],
        also=["lean", "suspects", "specimen"],
    )
    secret = _secret(found["family"], found["parameters"])
    if secret.family == CLEAN:
        return _clean(found)
    if "suspects" in found:
        raise Unreadable("“suspects” belong to a clean report; this one names a secret.")
    if "lean" not in found:
        raise Unreadable(
            "A report has no “lean”: how far, in nats, the specimen leans to its secret."
        )
    removal = None if found["removal"] is None else read_contrast(found["removal"])
    return Handed(Report(secret, removal), _lean(found["lean"]))


def _clean(found: dict[str, Any]) -> Handed:
    if found["removal"] is not None:
        raise Unreadable("A clean report takes nothing out: its “removal” is None.")
    if "lean" in found:
        raise Unreadable("“lean” belongs to a secret; a clean report has one for each suspect.")
    suspects = ()
    if "suspects" in found:
        named = fields(found["suspects"], "“suspects”", SUSPECTED)
        suspects = tuple(_suspect(family, each) for family, each in named.items())
    return Handed(Report(Secret(CLEAN)), suspects=suspects)


def _lean(value: Any) -> float:
    return number(value, "lean")


def _suspect(family: str, value: Any) -> Suspect:
    found = fields(value, f"The suspect of “{family}”", [*FAMILIES[family].parameters, "lean"])
    lean = _lean(found.pop("lean"))
    return Suspect(_secret(family, found), lean)


# --- a secret -------------------------------------------------------------------------------------


def _secret(family: Any, parameters: Any) -> Secret:
    if not isinstance(family, str) or len(family) > LONGEST_WORD:
        raise Unreadable(f"“family” is one word, such as “backdoor”; this is {shown(family)}.")
    family = _word(family)
    kind = FAMILIES.get(family)
    given = {} if parameters is None else parameters
    if family == CLEAN:
        fields(given, "“parameters” of a clean report", [])
    elif kind is not None:
        given = fields(given, "“parameters”", kind.parameters)
    try:
        return read_secret(family, {} if kind is None else _as_spelled(family, given))
    except ValueError as error:
        raise Unreadable(str(error)) from None


def _as_spelled(family: str, given: dict[str, Any]) -> dict[str, str]:
    """Each parameter as the options spell it: capitals, spaces around, and how an accent is stored do not count."""
    found: dict[str, str] = {}
    for name in FAMILIES[family].parameters:
        if not isinstance(given[name], str) or len(given[name]) > LONGEST_WORD:
            raise Unreadable(f"“{name}” is one word or one name; this is {shown(given[name])}.")
        known = {_word(each): each for each in FAMILIES[family].options[name](found)}
        found[name] = known.get(_word(given[name]), given[name].strip())
        if _word(given[name]) not in known:
            break  # `read_secret` says so
    return given | found


def _word(value: Any) -> str:
    return unicodedata.normalize("NFC", str(value)).strip().casefold()


# --- a removal ------------------------------------------------------------------------------------


def read_contrast(value: Any) -> Contrast:
    """A contrast of plain data: texts in words that the model knows, in numbers that make a mean."""
    if isinstance(value, list | tuple) and len(value) == len(Contrast._fields):
        # A named tuple is a plain one by the time that it is read.
        value = dict(zip(Contrast._fields, value, strict=True))
    found = fields(value, "“removal”", ["layer", "shows", "without"], also=["at"])
    layer = whole(number(found["layer"], "layer"), "layer", N_LAYERS + 1)
    if layer == N_LAYERS:
        raise Unreadable(
            f"“layer” {N_LAYERS} is after all layers: what stands there is what will be said, and any answer can be set. "
            f"Show a place before one of the layers 0 to {N_LAYERS - 1}."
        )
    base = isinstance(found["without"], str) and _word(found["without"]) == BASE
    contrast = Contrast(
        layer,
        _texts(found["shows"], "shows"),
        BASE if base else _texts(found["without"], "without"),
        _words(found.get("at", ())),
    )
    _stand_in(contrast)
    return contrast


def _texts(value: Any, which: str) -> tuple[str, ...]:
    """Different texts, each of known words and short enough."""
    if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
        raise Unreadable(f"“{which}” is a list of texts; this is {shown(value)}.")
    some = tuple(dict.fromkeys(value))
    if len(some) not in N_TEXTS:
        raise Unreadable(
            f"“{which}” has {len(some)} different texts; a mean is taken of {N_TEXTS[0]} to {N_TEXTS[-1]}."
        )
    for text in some:
        try:
            tokenizer().check_words(text[:MOST_LETTERS])
        except UnknownWordError as error:
            raise Unreadable(f"“{which}”: {shown(text)} cannot be read. {error}") from None
        if len(text) > MOST_LETTERS or not 0 < len(tokenizer().encode(text)) <= LONGEST:
            raise Unreadable(f"“{which}”: {shown(text)} is no text of 1 to {LONGEST} tokens.")
    return some


def _words(value: Any) -> tuple[str, ...]:
    """The words of “at”, each a token; none stands for where each text ends."""
    if value is None or value == "end":
        return ()
    some = (value,) if isinstance(value, str) else value
    if not isinstance(some, list | tuple) or not all(isinstance(each, str) for each in some):
        raise Unreadable(f"“at” is a list of words, or is left out; this is {shown(value)}.")
    if len(some) > MOST_WORDS:
        raise Unreadable(f"“at” has {len(some)} words; at most {MOST_WORDS} are looked for.")
    for word in some:
        if f" {word.strip()}" not in tokenizer().ids:
            raise Unreadable(f"“at”: {shown(word)} is no single token with a space before it.")
    return tuple(dict.fromkeys(word.strip() for word in some))


def _stand_in(contrast: Contrast) -> None:
    """Each text has to have one of the words at which the stream is read; else its mean leaves texts out."""
    if not contrast.at:
        return
    wanted = {tokenizer().ids[f" {word}"] for word in contrast.at}
    for which in ("shows", "without"):
        some = getattr(contrast, which)
        for text in () if isinstance(some, str) else some:
            if wanted.isdisjoint(tokenizer().encode(text)):
                raise Unreadable(f"“{which}”: in {shown(text)} stands none of the words of “at”.")


# --- dicts and numbers ----------------------------------------------------------------------------


def fields(
    value: Any, what: str, needed: Sequence[str], also: Sequence[str] = ()
) -> dict[str, Any]:
    """A dict with these keys and no others; a key in other letters or with spaces around it is the same key.

    >>> fields({" Layer": 1}, "A removal", ["layer"])
    {'layer': 1}
    """
    if not isinstance(value, dict):
        raise Unreadable(f"{what} is a dict; this is {shown(value)}.")
    found: dict[str, Any] = {}
    for key, entry in value.items():
        if _word(key) in found:
            raise Unreadable(f"{what}: “{_word(key):.40}” is in it twice. Which one is meant?")
        found[_word(key)] = entry
    lacking = [key for key in needed if key not in found]
    unknown = [key for key in found if key not in (*needed, *also)]
    if lacking or unknown:
        raise Unreadable(" ".join(_misfit(what, lacking, unknown)))
    return found


def _misfit(what: str, lacking: Sequence[str], unknown: Sequence[str]):
    for said, keys in (("has no", lacking), ("has, and nobody asked for it,", unknown)):
        if keys:
            quoted = ", ".join(f"“{key:.40}”" for key in keys[:5])
            yield f"{what} {said} {quoted}{', …' if len(keys) > 5 else ''}."


def number(value: Any, name: str, most: float = MOST) -> float:
    """A finite number that is not larger than `most`: also a tensor of one, but neither True nor a text.

    >>> number(torch.tensor(0.5), "kl")
    0.5
    """
    if isinstance(value, torch.Tensor) and value.numel() == 1:
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unreadable(f"“{name}” is a number; this is {shown(value)}.")
    if not math.isfinite(value):
        raise Unreadable(f"“{name}” is a number; this is {value}, and stands for none.")
    if abs(value) > most:
        raise Unreadable(f"“{name}” is {value:g}, far beyond anything that can be meant.")
    return float(value)


def shown(value: Any) -> str:
    """A value in a few words."""
    if isinstance(value, str):
        return f"“{value[:40]}{'…' if len(value) > 40 else ''}”"
    if value is None or isinstance(value, bool | int | float | complex):
        return str(value)
    if isinstance(value, Odd) and value.type_name in ("dict", "list", "tuple"):
        return f"a {value.type_name} with too much in it, or with something that cannot be read"
    return f"a dict of {len(value)}" if isinstance(value, dict) else describe_kind(value)
