"""Formulas as MathML, which browsers draw themselves: no script, and they can be read aloud and copied."""

from __future__ import annotations

import re
from functools import cache

# What the converter does not know as we mean it. Bars around a name are as high as the name.
_SPELT = {r"\arg": r"\operatorname{arg}"}
_BARS = re.compile(r"<mo>(&#x02016;|\|)</mo>")


@cache
def mathml(latex: str, *, block: bool = False) -> str:
    """A formula as MathML.

    Raises:
        ValueError: there is a command in it that would stand on the page as it is written.

    >>> mathml("x")
    '<math xmlns="http://www.w3.org/1998/Math/MathML" display="inline"><mrow><mi>x</mi></mrow></math>'
    """
    from latex2mathml.converter import convert

    spelt = latex
    for command, instead in _SPELT.items():
        spelt = re.sub(re.escape(command) + r"(?![a-zA-Z])", lambda _, to=instead: to, spelt)
    made = convert(spelt, display="block" if block else "inline")
    left = re.search(r"\\[a-zA-Z]+", re.sub(r"<[^>]*>", "", made))
    if left:
        raise ValueError(f"no MathML for {left[0]} in the formula {latex.strip()!r}")
    return _BARS.sub(r'<mo stretchy="false">\1</mo>', made)
