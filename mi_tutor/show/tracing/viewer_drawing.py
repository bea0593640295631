"""The viewer's picture as SVG, and the rules that lay a control on each of its nodes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mi_tutor.lab.tracing import PrunedGraph
from mi_tutor.show.drawing import svg, theme
from mi_tutor.show.tracing.graphs import N_EDGES, SIGNS, node_sizes
from mi_tutor.show.tracing.places import LOOKS, Drawn
from mi_tutor.show.tracing.telling import Told

LEFT, RIGHT, TOP, BOTTOM = 96, 54, 40, 84
TARGET = 16  # side of what can be clicked on each node


def size_of(drawn: Drawn) -> tuple[int, int]:
    """Width and height of the picture."""
    return LEFT + int(drawn.size[0]) + RIGHT, TOP + int(drawn.size[1]) + BOTTOM


def at(drawn: Drawn, i: int) -> tuple[float, float]:
    """A node's middle, from the upper left corner."""
    return LEFT + float(drawn.x[i]), TOP + drawn.size[1] - float(drawn.y[i])


def viewer_drawing(
    pruned: PrunedGraph,
    drawn: Drawn,
    edges: Sequence[tuple[int, int, float, float]],
    chosen: int,
    groups: Sequence[str],
    told: Told,
) -> str:
    """The graph with one node chosen: its own edges in colour, the others faint; pinned nodes ringed.

    edges: all of them, from `strongest_edges`.
    """
    width, height = size_of(drawn)
    parts = [*_frame(drawn), *_edges(edges, drawn, chosen)]
    kinds = np.array(drawn.kind)
    counts = pruned.influence.cpu().numpy().copy()
    counts[kinds == "logit"] = pruned.nodes.value.cpu().numpy()[kinds == "logit"]
    sizes = node_sizes(counts)
    near = {i for i, _ in (*told.inputs, *told.outputs)}
    for i, kind in enumerate(drawn.kind):
        x, y = at(drawn, i)
        if groups[i]:
            parts.append(_ring(x, y, sizes[i] / 2 + 4, theme.INK, stroke_dasharray="3 2"))
        if i == chosen:
            parts.append(_ring(x, y, sizes[i] / 2 + 6, theme.CATEGORICAL[1], stroke_width=3))
        faint = i != chosen and i not in near and not groups[i]
        parts.append(_mark(kind, x, y, float(sizes[i]) / 2, 0.5 if faint else 1.0))
    parts.append(_name(drawn, chosen))
    return svg.drawing(width, height, f"A prompt's graph. {told.words}", *parts)


def _frame(drawn: Drawn) -> list[str]:
    """Rows and columns with their names, and what marks and lines mean."""
    right, bottom = LEFT + drawn.size[0], TOP + drawn.size[1]
    parts = [
        svg.line(LEFT, TOP + drawn.size[1] - y, right, TOP + drawn.size[1] - y, theme.GRID)
        for y in drawn.lines
    ]
    for name, y in drawn.rows:
        parts.append(svg.text(LEFT - 8, bottom - y, name, 12, text_anchor="end"))
    for name, x in drawn.columns:
        turned = f"rotate(-45 {LEFT + x:.0f} {bottom + 12:.0f})"
        parts.append(svg.text(LEFT + x, bottom + 12, name, 12, text_anchor="end", transform=turned))
    x = float(LEFT)
    for kind in LOOKS:
        if kind in drawn.kind:
            parts += [
                _mark(kind, x + 6, 18, 6, 1.0),
                svg.text(x + 18, 18, kind, 12, text_anchor="start"),
            ]
            x += 34 + 6.6 * len(kind)
    for sign, (name, _, _) in enumerate(SIGNS):
        parts += [
            _edge((x, 18, x + 24, 18), sign, width=3),
            svg.text(x + 30, 18, name, 12, text_anchor="start"),
        ]
        x += 46 + 6.6 * len(name)
    middle = bottom - drawn.size[1] / 2
    parts.append(svg.text((LEFT + right) / 2, bottom + BOTTOM - 10, "token", 12))
    parts.append(svg.text(10, middle, "component", 12, transform=f"rotate(-90 10 {middle:.0f})"))
    return parts


def _edges(every: Sequence[tuple[int, int, float, float]], drawn: Drawn, chosen: int) -> list[str]:
    """All of the strongest edges faintly, those of the chosen node over them."""
    own = [edge for edge in every if chosen in edge[:2]]
    largest = max((edge[2] for edge in own), default=1.0)
    parts = []
    for target, source, _, _ in every[-N_EDGES:]:
        ends = (*at(drawn, source), *at(drawn, target))
        parts.append(svg.line(*ends, theme.MUTED, opacity=0.12))
    for target, source, counts, weight in own:
        ends = (*at(drawn, source), *at(drawn, target))
        parts.append(_edge(ends, int(weight < 0), width=0.7 + 4.3 * counts / largest))
    return parts


def _edge(ends: tuple[float, float, float, float], sign: int, width: float) -> str:
    _, color, dash = SIGNS[sign]
    dashed = {} if dash == "solid" else {"stroke_dasharray": "2 3"}
    return svg.line(*ends, color, stroke_width=float(width), opacity=0.75, **dashed)


def _mark(kind: str, x: float, y: float, r: float, opacity: float) -> str:
    """The same shapes as plotly's."""
    symbol, color = LOOKS[kind]
    fill, style = theme.CATEGORICAL[color], {"opacity": opacity, "stroke": theme.PAPER}
    if symbol == "circle":
        return svg.tag("circle", cx=x, cy=y, r=r, fill=fill, **style)
    if symbol == "x-thin-open":
        d = f"M{x - r:.1f},{y - r:.1f}L{x + r:.1f},{y + r:.1f}M{x - r:.1f},{y + r:.1f}L{x + r:.1f},{y - r:.1f}"
        return svg.tag("path", d=d, stroke=fill, stroke_width=2, opacity=opacity)
    corners = {
        "square": ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)),
        "diamond": ((0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)),
        "triangle-up": ((0, -1.2), (1.1, 0.8), (-1.1, 0.8)),
    }[symbol]
    points = " ".join(f"{x + r * a:.1f},{y + r * b:.1f}" for a, b in corners)
    return svg.tag("polygon", points=points, fill=fill, **style)


def _ring(x: float, y: float, r: float, color: str, **style: object) -> str:
    return svg.tag("circle", cx=x, cy=y, r=float(r), fill="none", stroke=color, **style)


def _name(drawn: Drawn, i: int) -> str:
    """The chosen node's name above it, within the picture."""
    name = drawn.name[i] if len(drawn.name[i]) <= 40 else f"{drawn.name[i][:39]}…"
    (x, y), half = at(drawn, i), 3.7 * len(name) + 6
    x, y = min(max(x, half + 2), size_of(drawn)[0] - half - 2), y - 22
    back = svg.tag(
        "rect", x=x - half, y=y - 9, width=2 * half, height=18, rx=3, fill=theme.PAPER, opacity=0.75
    )
    return back + svg.text(x, y, name, 12, font_weight="bold")


def over_nodes(name: str, drawn: Drawn) -> str:
    """Style rules that lay the labels of radio buttons over the picture's nodes; a label shows when pointed at."""
    width, height = size_of(drawn)
    box = f".{name}"
    label = f"{box} .widget-radio-box label"
    rules = [
        f"{box}{{position:relative;width:{width}px;height:{height + 8}px;flex:none;overflow:visible}}",
        f"{box} .widget-radio,{box} .widget-radio-box{{position:absolute;left:0;top:0;width:{width}px;"
        "height:0;margin:0!important;padding:0;overflow:visible}",
        f"{box} svg{{max-width:none!important}}",
        f"{box} .widget-html,{box} .widget-html-content{{margin:0;overflow:visible}}",
        f"{label}{{position:absolute;width:{TARGET}px;height:{TARGET}px;padding:0;margin:0;overflow:hidden;"
        "color:transparent;cursor:pointer;white-space:nowrap;line-height:16px;font-size:12px;border-radius:8px}",
        f"{label}:hover{{overflow:visible;text-indent:20px;color:{theme.INK};z-index:9;"
        f"outline:2px solid {theme.INK};text-shadow:0 0 3px #fff,0 0 3px #fff,0 0 3px #fff,0 0 3px #fff}}",
        f"{label} input{{display:none}}",
    ]
    for i in range(len(drawn.kind)):
        x, y = at(drawn, i)
        place = f"left:{x - TARGET / 2:.0f}px;top:{y - TARGET / 2:.0f}px"
        rules.append(f"{label}:nth-child({i + 1}){{{place}}}")
    return f"<style>{''.join(rules)}</style>"
