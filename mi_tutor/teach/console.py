"""Words for consoles that cannot show every sign: `→` as `->`, `✓` as `ok`, `λ` as `lambda`.

Python stops with UnicodeEncodeError where a stream's encoding lacks a character: in a script whose output
goes to a file on Windows (cp1252), or in a bare container (ascii). Here such characters, and only those,
are put into letters. It is an error handler for Python's own encoders, so that `readable` and a stream with
`errors=READABLE` do the same.
"""

from __future__ import annotations

import codecs
import sys
from typing import Any

READABLE = "mi_tutor.readable"

_LETTERS = {
    "✓": "ok",
    "✗": "!!",
    "→": "->",
    "←": "<-",
    "↔": "<->",
    "⇒": "=>",
    "×": "x",
    "·": "*",
    "•": "*",
    "−": "-",
    "–": "-",
    "—": "-",
    "…": "...",
    "“": '"',
    "”": '"',
    "‘": "'",
    "’": "'",
    "≤": "<=",
    "≥": ">=",
    "≠": "!=",
    "≈": "~",
    "±": "+-",
    "√": "sqrt ",
    "∑": "sum",
    "∞": "inf",
    "‖": "||",
    "⁄": "/",
    "█": "#",
    "░": ".",
    "λ": "lambda",  # Unicode spells it LAMDA
    "Λ": "Lambda",
    "Ŵ": "W_hat",
    "\N{COMBINING CIRCUMFLEX ACCENT}": "_hat",
    "\N{COMBINING MACRON}": "_bar",
}


def tell(text: str) -> None:
    """Print, in letters where the console lacks a character."""
    print(readable(text, sys.stdout))


def readable(text: str, stream: Any) -> str:
    """The text as a stream can show it; unchanged where the stream does not say what it can.

    >>> from types import SimpleNamespace as Stream
    >>> readable("✓ λ ≥ 10⁻²", Stream(encoding="ascii"))
    'ok lambda >= 10^-2'
    >>> readable("✓ λ ≥ 10⁻²", Stream(encoding="utf-8"))
    '✓ λ ≥ 10⁻²'
    """
    encoding = getattr(stream, "encoding", None)
    if not isinstance(encoding, str):
        return text
    try:
        return text.encode(encoding, READABLE).decode(encoding)
    except (LookupError, UnicodeError):  # an encoding that Python does not know
        return text


def _in_letters(error: UnicodeError) -> tuple[str, int]:
    """What Python's encoders call with the characters that they cannot encode."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    found, raised = "", False
    for sign in error.object[error.start : error.end]:
        letters = _letters(sign)
        found += letters[1:] if raised and letters[0] == "^" else letters
        raised = letters[0] == "^"
    return found, error.end


def _letters(sign: str) -> str:
    """One character in ASCII, never empty: by the table, by its name (Greek), or what it is made of."""
    import unicodedata

    if sign in _LETTERS:
        return _LETTERS[sign]
    words = unicodedata.name(sign, "").split()
    if words[:1] == ["GREEK"] and words[2:3] == ["LETTER"]:
        return words[3].lower() if words[1] == "SMALL" else words[3].title()
    kind, *codes = unicodedata.decomposition(sign).split() or [""]
    mark = {"<super>": "^", "<sub>": "_"}.get(kind, "")
    apart = unicodedata.normalize("NFKD", sign)
    plain = "".join(
        part if part.isascii() else _LETTERS.get(part, "")
        for part in apart
        if not (codes and unicodedata.combining(part))
    )
    return mark + plain if plain else "?"


codecs.register_error(READABLE, _in_letters)
