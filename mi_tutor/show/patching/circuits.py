"""A circuit as a map of the model: which parts are in it, and what each of them is worth."""

from collections.abc import Mapping

import numpy as np

from mi_tutor.show.drawing.figure import Figure
from mi_tutor.show.drawing.marks import cells, color_axis, ticks
from mi_tutor.show.drawing.panels import Margins, finish, panels
from mi_tutor.show.drawing.words import listing, number

Part = tuple[int, int] | int


def circuit_map(
    pays: Mapping[Part, float], n_layers: int, n_heads: int, *, title: str, subtitle: str = ""
) -> Figure:
    """Layers (rows) by heads and MLP (columns). A member's cell has its number, the others a dot.

    Args:
        pays: what each member is worth: (layer, head) or the layer of an MLP -> a share.

    >>> circuit_map({(0, 1): 0.5, 1: 0.25}, 2, 2, title="A circuit").data_table()["part"].tolist()
    ['0.1', 'MLP 1']
    """
    table = np.zeros((n_layers, n_heads + 1))
    words = np.full(table.shape, "·", dtype=object)
    for part, value in pays.items():
        at = (part, n_heads) if isinstance(part, int) else part
        table[at], words[at] = value, f"{value:.2f}"
    size = (66 * (n_heads + 1), 40 * n_layers)
    figure = panels(1, 1, size, margins=Margins(left=92, right=130, bottom=70))
    trace = cells(table, 10)
    trace.update(text=words.tolist(), texttemplate="%{text}", textfont={"size": 12})
    figure.add_trace(trace)
    figure.update_layout(coloraxis=color_axis(table, "largest loss (share)") | {"cmin": 0.0})
    columns = [*(f"head {head}" for head in range(n_heads)), "MLP"]
    figure.update_xaxes(title_text="part", **ticks(columns, size[0]))
    rows = [str(layer) for layer in range(n_layers)]
    figure.update_yaxes(title_text="layer", autorange="reversed", **ticks(rows, size[1]))
    named = {_name(part): value for part, value in sorted(pays.items(), key=lambda p: _order(p[0]))}
    said = [f"{name} {number(value)}" for name, value in named.items()]
    alt = f"A map of {n_layers} layers with {n_heads} heads and an MLP each. {len(said)} parts are members, with "
    alt += f"the largest loss without each: {listing(said, limit=30) if said else 'none'}."
    data = {"part": np.array(list(named), dtype=str), "value": np.array(list(named.values()))}
    return finish(figure, title, subtitle, alt, data)


def _name(part: Part) -> str:
    return f"MLP {part}" if isinstance(part, int) else f"{part[0]}.{part[1]}"


def _order(part: Part) -> tuple[int, int]:
    return (part, 10**6) if isinstance(part, int) else part
