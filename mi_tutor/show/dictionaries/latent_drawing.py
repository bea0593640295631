"""The dashboard's picture of one latent, as SVG: contexts, logit effects, and two histograms."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from mi_tutor.lab.dictionaries import Context, density_histogram
from mi_tutor.show.dictionaries.reading import Shown
from mi_tutor.show.drawing import svg, theme
from mi_tutor.show.drawing.words import number

WIDTH, EDGE = 820, 14
LINE = 36  # pixels per context: the text and the numbers below it
LETTER = 7.2  # width of a letter of the contexts
MIDDLE = 470  # where the token stands that a context is about; a model reads what is left of it
MONO = "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
SHADES = theme.DIVERGING[4:]  # white to blue
EFFECT_ROW, HISTOGRAM = 21, (250, 52)


def latent_drawing(shown: Shown, alt: str) -> str:
    """Everything about one latent in one picture."""
    contexts = [*shown.card.contexts, *shown.usual]
    carried = shown.carried or [[False] * len(each.tokens) for each in contexts]
    n_top = len(shown.card.contexts)
    parts, y = [], 14.0
    marks = "shade and number: activation"
    if shown.concept and shown.carried:
        marks += f"; underlined: {shown.concept}"
    for heading, chosen in (
        (f"Where it is highest ({marks})", slice(0, n_top)),
        ("Where it is at its median, of all tokens where it is on", slice(n_top, None)),
    ):
        parts.append(_heading(EDGE, y, heading))
        y += 24
        if not contexts[chosen]:
            parts.append(svg.text(EDGE, y, "It is never on in these texts.", text_anchor="start"))
            y += 24
        for context, there in zip(contexts[chosen], carried[chosen], strict=True):
            parts.append(_context(y, context, there, shown))
            y += LINE
        y += 8
    height = max(len(shown.card.raised) * EFFECT_ROW + 46, 220)
    parts += [_effects(y, shown), _densities(y, shown), _values(y + 112, shown.values)]
    return svg.drawing(WIDTH, round(y + height), alt, *parts)


def _heading(x: float, y: float, words: str) -> str:
    return svg.text(x, y, words, theme.PANEL_SIZE, text_anchor="start", font_weight="bold")


def _context(y: float, context: Context, there: Sequence[bool], shown: Shown) -> str:
    """One line of text, with its token at the same place in every line; what does not fit is left out."""
    names = [visible(shown.name(token)) for token in context.tokens]
    widths = [LETTER * len(name) for name in names]
    highest = max(float(shown.values.max()) if len(shown.values) else 0.0, 1e-9)
    start = MIDDLE - widths[context.here] / 2 - sum(widths[: context.here])
    lefts = [start + sum(widths[:i]) for i in range(len(widths))]
    fits = [x >= EDGE and x + w <= WIDTH - EDGE for x, w in zip(lefts, widths, strict=True)]
    parts: list[str] = []
    taken: list[tuple[float, float]] = []
    # The token that the line is about comes first: its number is never the one without room.
    for i in sorted(range(len(names)), key=lambda i: i != context.here):
        if fits[i]:
            value = context.activations[i]
            parts.append(_token(lefts[i], y, names[i], value, value / highest, there[i]))
            middle = lefts[i] + (widths[i] + LETTER * _spaces(names[i])) / 2
            parts.append(_number(middle, y + 18, value, taken))
    return "".join(parts)


def _spaces(name: str) -> int:
    """How many spaces a token begins with."""
    return len(name) - len(name.lstrip(" "))


def _number(x: float, y: float, value: float, taken: list[tuple[float, float]]) -> str:
    """An activation below its token, unless it would cover a neighbour's; pointing at the token tells it then."""
    words = number(value, 2)
    half = 3.3 * len(words) + 1
    if value <= 0 or any(x - half < right and left < x + half for left, right in taken):
        return ""
    taken.append((x - half, x + half))
    return svg.text(x, y, words, 11, fill=theme.MUTED)


def _token(x: float, y: float, name: str, value: float, share: float, marked: bool) -> str:
    left, inner = x + LETTER * _spaces(name), LETTER * (len(name) - _spaces(name))
    fill = theme.color_at(SHADES, share) if value > 0 else theme.PAPER
    parts = [svg.tag("title", f"{_escaped(name.strip())}: {number(value)}")]
    if value > 0:
        parts.append(
            svg.tag("rect", x=left - 1, y=y - 9, width=inner + 2, height=18, rx=2, fill=fill)
        )
    if name.strip():
        # The length is given, so that the words stand where they should whatever font there is.
        parts.append(
            svg.text(left, y, name.strip(), 12, text_anchor="start", textLength=float(inner),
                     lengthAdjust="spacingAndGlyphs", font_family=MONO, fill=theme.text_on(fill))
        )  # fmt: skip
    if marked:
        parts.append(svg.line(left, y + 10, left + inner, y + 10, theme.INK, stroke_width=2))
    return svg.tag("g", "".join(parts))


def _effects(y: float, shown: Shown) -> str:
    """The tokens whose logits it raises and lowers most, in two columns on one scale."""
    card = shown.card
    largest = max([abs(effect) for _, effect in [*card.raised, *card.lowered]] + [1e-9])
    parts = []
    for left, heading, tokens, color in (
        (EDGE, "Raises the logits of", card.raised, theme.CATEGORICAL[0]),
        (EDGE + 256, "Lowers the logits of", card.lowered, theme.CATEGORICAL[1]),
    ):
        parts.append(_heading(left, y + 6, heading))
        for row, (token, effect) in enumerate(tokens):
            middle = y + 30 + EFFECT_ROW * row
            start, length = left + 118, 78 * abs(effect) / largest
            name = _short(quoted(shown.name(token)))
            parts += [
                svg.text(start - 6, middle, name, text_anchor="end"),
                svg.tag("rect", x=start, y=middle - 8, width=float(length), height=16, fill=color),
                svg.text(start + length + 5, middle, number(effect, 2), 12, text_anchor="start"),
            ]
    words = "change per unit of the latent, by the direct path alone"
    at = y + 34 + EFFECT_ROW * len(card.raised)
    return "".join([*parts, svg.text(EDGE, at, words, text_anchor="start", fill=theme.MUTED)])


def _densities(y: float, shown: Shown) -> str:
    """All latents by how often they are on, with a mark at this one."""
    histogram = density_histogram(shown.densities)
    low = float(histogram.edges[0])
    left = WIDTH - EDGE - HISTOGRAM[0]
    parts = [
        _heading(left, y + 6, "How often latents are on"),
        _bars(left, y + 26, histogram.counts.tolist(), "latents"),
        *_axis(left, y + 26, number(10**low, 2), "1", "share of tokens (log)"),
    ]
    if shown.card.density > 0:
        share = 1 - np.log10(shown.card.density) / low
        x = left + HISTOGRAM[0] * float(np.clip(share, 0, 1))
        parts.append(svg.line(x, y + 20, x, y + 26 + HISTOGRAM[1], theme.CATEGORICAL[1],
                              stroke_width=2.5))  # fmt: skip
        parts.append(_pointer(x, y + 22))
    return "".join(parts)


def _values(y: float, values: Tensor) -> str:
    """How high it is where it is on."""
    left = WIDTH - EDGE - HISTOGRAM[0]
    parts = [_heading(left, y + 6, "How high it is where it is on")]
    if not len(values):
        return "".join([*parts, svg.text(left, y + 30, "never on", text_anchor="start")])
    highest = float(values.max())
    counts = np.histogram(values.numpy(), bins=25, range=(0.0, highest))[0]
    parts.append(_bars(left, y + 26, counts.tolist(), "tokens"))
    return "".join([*parts, *_axis(left, y + 26, "0", number(highest, 2), "activation")])


def _bars(left: float, top: float, counts: Sequence[int], things: str) -> str:
    width, height = HISTOGRAM
    most, step = max(1, *counts), width / len(counts)
    parts = [
        svg.tag("rect", x=float(left + i * step), y=float(top + height * (1 - count / most)),
                width=float(step - 1), height=float(height * count / most), fill=theme.MUTED)
        for i, count in enumerate(counts) if count
    ]  # fmt: skip
    for words, down in ((str(max(counts)), 4), (things, 18)):
        parts.append(svg.text(left - 5, top + down, words, 11, text_anchor="end", fill=theme.MUTED))
    return "".join(parts)


def _axis(left: float, top: float, low: str, high: str, name: str) -> list[str]:
    bottom, right = top + HISTOGRAM[1], left + HISTOGRAM[0]
    return [
        svg.line(left, bottom, right, bottom, theme.MUTED),
        svg.text(left, bottom + 12, low, 12, text_anchor="start"),
        svg.text(right, bottom + 12, high, 12, text_anchor="end"),
        svg.text((left + right) / 2, bottom + 12, name, 12),
    ]


def _pointer(x: float, y: float) -> str:
    points = f"{x - 5:.1f},{y - 6:.1f} {x + 5:.1f},{y - 6:.1f} {x:.1f},{y + 2:.1f}"
    return svg.tag("polygon", points=points, fill=theme.CATEGORICAL[1])


def visible(token: str) -> str:
    """A token's text on one line: ends of lines and tabs as signs, an empty token as a gap sign.

    >>> visible(" Austin"), visible("a\\n"), visible("")
    (' Austin', 'a↵', '∅')
    """
    return token.replace("\n", "↵").replace("\t", "→").replace("\r", "↵") or "∅"


def quoted(token: str) -> str:
    """A token in quotation marks: whether it begins with a space is a part of it.

    >>> quoted(" Austin")
    '“ Austin”'
    """
    return f"“{visible(token)}”"


def _escaped(words: str) -> str:
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _short(name: str, n: int = 15) -> str:
    return name if len(name) <= n else f"{name[: n - 2]}…”"
