"""Chapter 10: reading a report, plain data into what is marked, or one exact sentence about what it is not."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch

from mi_tutor.specimens.auditing import (
    CLEAN,
    FAMILIES,
    SUSPECTED,
    Cut,
    Report,
    Secret,
    kinds_of,
    read_secret,
)
from mi_tutor.teach.exercises.reading_hypotheses import whole
from mi_tutor.teach.investigation import Unreadable
from mi_tutor.teach.outcome import Odd, plain
from mi_tutor.teach.wording import describe_kind

N_LAYERS = 5
LONGEST_WORD, MOST = 60, 1e6
FORM = (
    "a dict with “family”, “parameters” (a dict of words), “removal” (a Cut, or a dict with “layer” (0 to 4) and “lacks” (one of "
    "`kinds_of` your secret)) and “lean” (nats); a clean report has None for the removal, and in place of “lean” “suspects” (a dict: "
    "a family to the parameters of one of its secrets and its “lean”)"
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
    removal = None if found["removal"] is None else read_cut(found["removal"], secret)
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


def read_cut(value: Any, secret: Secret) -> Cut:
    """A layer, and the name of what the other side's texts lack."""
    if isinstance(value, list | tuple) and len(value) == len(Cut._fields):
        # A named tuple is a plain one by the time that it is read.
        value = dict(zip(Cut._fields, value, strict=True))
    found = fields(value, "“removal”", Cut._fields)
    layer = whole(number(found["layer"], "layer"), "layer", N_LAYERS + 1)
    if layer == N_LAYERS:
        raise Unreadable(
            f"“layer” {N_LAYERS} is after all layers: what stands there is what will be said, and any answer can be set. "
            f"Show a place before one of the layers 0 to {N_LAYERS - 1}."
        )
    kinds = kinds_of(secret)
    if not isinstance(found["lacks"], str) or _word(found["lacks"]) not in kinds:
        raise Unreadable(
            f"“lacks” is one of {', '.join(kinds)} for a secret of family {secret.family}; this is {shown(found['lacks'])}."
        )
    return Cut(layer, _word(found["lacks"]))


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
