"""The phase diagram: is a feature dropped, superposed, or given a dimension of its own?"""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike
from torch import Tensor

from mi_tutor.lab.superposition import DEDICATED, NOT_REPRESENTED, SUPERPOSED
from mi_tutor.show.drawing import theme
from mi_tutor.show.drawing.figure import Figure, go
from mi_tutor.show.drawing.inputs import array, plain
from mi_tutor.show.drawing.marks import log_ticks
from mi_tutor.show.drawing.panels import Margins, finish, panels, place
from mi_tutor.show.drawing.words import span

NOT_KNOWN = -1


class Fate(NamedTuple):
    """How one fate is drawn: its fill, its symbol and the symbol's name as a character."""

    code: int
    name: str
    fill: str
    symbol: str
    sign: str


FATES = (
    Fate(NOT_REPRESENTED, "not represented", "#e8eaee", "circle-open", "○"),
    Fate(SUPERPOSED, "superposed", "#f6b26b", "x-thin", "×"),
    Fate(DEDICATED, "dedicated", "#6aaad8", "square", "■"),
)
_UNKNOWN = Fate(NOT_KNOWN, "n/a", "#ffffff", "line-ns", "|")


def phase_diagram(
    fates: Int[Tensor, "importance density"] | ArrayLike,
    density: Float[Tensor, "density"] | ArrayLike,
    relative_importance: Float[Tensor, "importance"] | ArrayLike,
    theory: Int[Tensor, "importance density"] | ArrayLike | None = None,
    *,
    title: str = "What becomes of the extra feature?",
) -> Figure:
    """Three regions over density × relative importance: not represented, superposed, dedicated.

    As in Elhage et al. 2022, both axes are logarithmic and sparsity grows to the right. Each fate
    has a colour, a symbol and a name inside its region. With `theory` a second panel shows it, and
    its borders are drawn over the trained one.

    Args:
        fates: [importance density] with the codes 0, 1, 2 of `feature_fates`; −1 or NaN is "n/a".
        density: [density], 1 − S, in any order, all different and above 0.
        relative_importance: [importance], all different and above 0.
        theory: [importance density], the same codes.
        title: what it shows.

    Raises:
        ValueError: if a shape does not fit, a code is unknown, or an axis has values <= 0.

    >>> figure = phase_diagram([[0, 1], [2, 1]], [1.0, 0.1], [0.5, 2.0])
    >>> figure.data_table()["fate"].tolist()
    ['not represented', 'superposed', 'dedicated', 'superposed']
    """
    density = _axis_values("density", density)
    importance = _axis_values("relative_importance", relative_importance)
    grids = {"trained": _codes("fates", fates, len(importance), len(density))}
    if theory is not None:
        grids["theory"] = _codes("theory", theory, len(importance), len(density))
    by_density, by_importance = np.argsort(density), np.argsort(importance)
    x, y = density[by_density], importance[by_importance]
    sorted_grids = {name: g[np.ix_(by_importance, by_density)] for name, g in grids.items()}
    side = 320 if theory is not None else 420
    figure = panels(
        len(grids), 2, (side, side), list(grids) if theory is not None else (), gap=(26, 0),
        margins=Margins(left=76, right=40, bottom=122),
    )  # fmt: skip
    for panel, grid in enumerate(sorted_grids.values()):
        _region_fills(figure, panel, grid, x, y, side)
        _region_names(figure, panel, grid, x, y, side)
    if theory is not None:
        _border(figure, sorted_grids["theory"], x, y)
    _axes(figure, x, y, len(grids))
    _legend(figure, list(grids.values()), side)
    index = np.indices(grids["trained"].shape)
    table = {
        "density": density[index[1].ravel()],
        "relative_importance": importance[index[0].ravel()],
        "fate": _names(grids["trained"]),
    }
    if theory is not None:
        table["theory"] = _names(grids["theory"])
    subtitle = _agreement(grids)
    return finish(figure, title, subtitle, _words(grids, density, importance, subtitle), table)


def _axis_values(name: str, values: Any) -> np.ndarray:
    found = array(name, values, name)
    if found.min() <= 0 or len(np.unique(found)) != len(found):
        raise ValueError(
            f"{name} should hold different numbers above 0, one per column or row of the grid; "
            f"saw {span(found, 3)} with {len(np.unique(found))} different of {len(found)}."
        )
    return found


def _codes(name: str, values: Any, rows: int, columns: int) -> np.ndarray:
    grid = array(name, values, "importance density", finite=False)
    if grid.shape != (rows, columns):
        raise ValueError(
            f"{name} should have one row per importance ({rows}) and one column per density "
            f"({columns}); saw shape {grid.shape}."
        )
    codes = np.where(np.isnan(grid), NOT_KNOWN, grid)
    known = [NOT_KNOWN, *(fate.code for fate in FATES)]
    if not np.isin(codes, known).all():
        raise ValueError(
            f"{name} should hold only the codes 0 (not represented), 1 (superposed), 2 (dedicated) "
            f"and −1 (n/a); saw {sorted(set(codes.ravel()) - set(known))}."
        )
    return codes.astype(int)


def _edges(values: np.ndarray) -> np.ndarray:
    """Cell borders on a log axis: half-way between neighbours, as far outside at the ends."""
    logs = np.log10(values)
    if len(logs) == 1:
        return 10 ** np.array([logs[0] - 0.15, logs[0] + 0.15])
    middle = (logs[1:] + logs[:-1]) / 2
    return 10 ** np.concatenate([[2 * logs[0] - middle[0]], middle, [2 * logs[-1] - middle[-1]]])


def _region_fills(
    figure: Figure, panel: int, grid: np.ndarray, x: np.ndarray, y: np.ndarray, side: int
) -> None:
    """Flat colours, and a symbol on every so many cells (about 26 pixels apart)."""
    at = place(figure, panel)
    kinds = (_UNKNOWN, *FATES)
    scale = [[(k + end) / len(kinds), kind.fill] for k, kind in enumerate(kinds) for end in (0, 1)]
    figure.add_trace(
        go.Heatmap(
            z=plain(grid), x=plain(_edges(x)), y=plain(_edges(y)), zmin=-1.5, zmax=2.5,
            colorscale=scale, showscale=False, customdata=_names(grid).reshape(grid.shape).tolist(),
            hovertemplate="density %{x:.3g}, importance %{y:.3g}: %{customdata}<extra></extra>",
        ),
        **at,
    )  # fmt: skip
    step = [max(1, round(26 * n / side)) for n in grid.shape]
    rows, columns = (np.arange(s // 2, n, s) for s, n in zip(step, grid.shape, strict=True))
    for kind in kinds:
        spots = [(r, c) for r in rows for c in columns if grid[r, c] == kind.code]
        if spots:
            r, c = np.array(spots).T
            marker = {"symbol": kind.symbol, "size": 6, "color": theme.INK, "opacity": 0.6}
            marker["line"] = {"width": 1.4, "color": theme.INK}
            figure.add_scatter(
                x=plain(x[c]), y=plain(y[r]), mode="markers", marker=marker, name=kind.name,
                showlegend=False, hoverinfo="skip", **at,
            )  # fmt: skip


def _region_names(
    figure: Figure, panel: int, grid: np.ndarray, x: np.ndarray, y: np.ndarray, side: int
) -> None:
    """Each fate's name where its region is widest, if it is wide enough to hold a name."""
    for kind in (_UNKNOWN, *FATES):
        depth = _depth(grid == kind.code)
        if depth.max() < max(2, 0.1 * min(grid.shape)):
            continue
        middle = np.argwhere(depth == depth.max()).mean(axis=0)
        inside = np.argwhere(depth >= 0.75 * depth.max())
        r, c = inside[np.abs(inside - middle).sum(axis=1).argmin()]
        room = 44 / side * len(x)  # half of a name's width, in columns
        c = int(np.clip(c, np.ceil(room), np.floor(len(x) - 1 - room)))
        figure.add_annotation(
            text=kind.name.replace(" ", "<br>"), showarrow=False,
            x=plain(np.log10(x[c])), y=plain(np.log10(y[r])),
            bgcolor="rgba(255,255,255,0.9)", borderpad=3,
            font={"size": theme.TEXT_SIZE, "color": theme.INK}, **place(figure, panel),
        )  # fmt: skip


def _depth(inside: np.ndarray) -> np.ndarray:
    """Cells' distance to the outside of a region, by peeling it: 0 outside, 1 on its edge."""
    depth = np.zeros(inside.shape, dtype=int)
    core = inside.copy()
    while core.any():
        depth += core
        padded = np.pad(core, 1)
        core = core & padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return depth


def _border(figure: Figure, grid: np.ndarray, x: np.ndarray, y: np.ndarray) -> None:
    """Theory's borders over the trained panel: a segment wherever two neighbouring cells differ."""
    ex, ey = _edges(x), _edges(y)
    xs: list[float | None] = []
    ys: list[float | None] = []
    for r, c in np.argwhere(grid[:, 1:] != grid[:, :-1]):
        xs += [ex[c + 1], ex[c + 1], None]
        ys += [ey[r], ey[r + 1], None]
    for r, c in np.argwhere(grid[1:] != grid[:-1]):
        xs += [ex[c], ex[c + 1], None]
        ys += [ey[r + 1], ey[r + 1], None]
    for color, width, name in ((theme.PAPER, 5, ""), (theme.INK, 2.4, "border by theory")):
        figure.add_scatter(
            x=plain(xs), y=plain(ys), mode="lines", line={"color": color, "width": width},
            name=name, showlegend=bool(name), hoverinfo="skip", **place(figure, 0),
        )  # fmt: skip


def _axes(figure: Figure, x: np.ndarray, y: np.ndarray, n_panels: int) -> None:
    ex, ey = np.log10(_edges(x)), np.log10(_edges(y))
    figure.update_xaxes(
        type="log", range=[float(ex[-1]), float(ex[0])], showgrid=False,
        title_text="density 1 − S (probability),<br>more sparse →", **log_ticks(x.min(), x.max()),
    )  # fmt: skip
    figure.update_yaxes(
        type="log", range=[float(ey[0]), float(ey[-1])], showgrid=False,
        **log_ticks(y.min(), y.max()),
    )  # fmt: skip
    figure.update_yaxes(title_text="relative importance (ratio)", **place(figure, 0))
    for panel in range(1, n_panels):
        figure.update_yaxes(showticklabels=False, **place(figure, panel))


def _legend(figure: Figure, grids: list[np.ndarray], side: int) -> None:
    seen = set(np.concatenate([grid.ravel() for grid in grids]).tolist())
    for kind in (*FATES, _UNKNOWN):
        if kind.code in seen:
            figure.add_scatter(
                x=[None], y=[None], mode="markers", name=f"{kind.sign} {kind.name}",
                marker={"symbol": "square", "size": 15, "color": kind.fill,
                        "line": {"width": 1, "color": theme.MUTED}},
            )  # fmt: skip
    figure.update_layout(
        legend={
            "orientation": "h",
            "x": 0,
            "y": -76 / side,
            "yanchor": "top",
            "traceorder": "normal",
        }
    )


def _names(grid: np.ndarray) -> np.ndarray:
    known = {kind.code: kind.name for kind in (_UNKNOWN, *FATES)}
    return np.array([known[int(code)] for code in grid.ravel()])


def _agreement(grids: dict[str, np.ndarray]) -> str:
    if "theory" not in grids:
        return ""
    known = (grids["trained"] != NOT_KNOWN) & (grids["theory"] != NOT_KNOWN)
    if not known.any():
        return "No cell has both a trained and a theoretical fate."
    same = (grids["trained"] == grids["theory"])[known]
    return f"Trained models and theory agree in {same.sum()} of {known.sum()} cells ({same.mean():.0%})."


def _words(
    grids: dict[str, np.ndarray], density: np.ndarray, importance: np.ndarray, subtitle: str
) -> str:
    text = (
        f"Phase diagram over density {span(density)} and relative importance {span(importance)}, "
    )
    text += f"{len(importance)} by {len(density)} cells. "
    for name, grid in grids.items():
        shares = [
            f"{kind.name} {np.mean(grid == kind.code):.0%}"
            for kind in (*FATES, _UNKNOWN)
            if (grid == kind.code).any()
        ]
        text += f"{name.capitalize()}: {', '.join(shares)} of the cells"
        text += "".join(_where(kind, grid, density, importance) for kind in FATES) + ". "
    return (text + subtitle).strip()


def _where(kind: Fate, grid: np.ndarray, density: np.ndarray, importance: np.ndarray) -> str:
    rows, columns = np.nonzero(grid == kind.code)
    if not len(rows):
        return ""
    return f"; {kind.name} at density {span(density[columns])}, importance {span(importance[rows])}"
