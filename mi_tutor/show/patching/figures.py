"""Pictures of patching: effects over layers and tokens, exact against estimated, and what the lens reads."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike
from torch import Tensor

from mi_tutor.show import charts
from mi_tutor.show.drawing import theme
from mi_tutor.show.drawing.figure import Figure
from mi_tutor.show.drawing.inputs import array, plain, same_length
from mi_tutor.show.drawing.marks import cells, color_axis, ticks
from mi_tutor.show.drawing.panels import Margins, finish, panels
from mi_tutor.show.drawing.words import listing, number

OFFSETS = ((-46, -30), (46, 30), (-46, 34), (36, -36))  # of names beside their points, in pixels


def patch_map(
    values: Float[Tensor, "layer column"] | ArrayLike,
    columns: Sequence[str],
    *,
    title: str,
    value_title: str = "recovered (share)",
    x_title: str = "token",
    y_title: str = "stream before layer",
    subtitle: str = "",
) -> Figure:
    """Effects by layer (rows) and token or head (columns), every column with its name.

    Raises ValueError unless there is one name per column.

    >>> figure = patch_map([[0.0, 1.0]], [" Mary", " to"], title="Patched")
    >>> figure.data_table()["column"].tolist()
    ['0:  Mary', '1:  to']
    """
    table = array("values", values, "layer column")
    same_length("columns", columns, "columns of values", table.shape[1])
    names = [f"{i}: {_shown(name)}" for i, name in enumerate(columns)]
    figure = charts.heatmap(
        table, x=names, title=title, x_title=x_title, y_title=y_title,
        value_title=value_title, subtitle=subtitle,
    )  # fmt: skip
    figure.update_xaxes(
        tickmode="array", tickvals=list(range(len(names))), ticktext=names, tickangle=-45
    )
    figure.layout.margin.b = max(figure.layout.margin.b or 0, 118)
    figure.layout.height = (figure.layout.height or 300) + 48
    return figure


def estimate_scatter(
    exact: Float[Tensor, "site"] | ArrayLike,
    estimates: Mapping[str, Any],
    labels: Sequence[str],
    *,
    title: str = "Exact patches and their estimates",
    n_named: int = 4,
    subtitle: str = "",
) -> Figure:
    """Each site's exact effect and its estimate, with y = x and the sites that differ most named.

    Args:
        exact: [site].
        estimates: name -> [site]; one or two kinds of estimate of the same sites.
        labels: a name per site.
        n_named: how many sites to name in the picture: those where the first estimate is furthest off.

    >>> figure = estimate_scatter([0.0, 2.0], {"slope": [0.0, 0.1]}, ["0.0", "3.1"], n_named=1)
    >>> [note.text for note in figure.layout.annotations]
    ['3.1']
    """
    true = array("exact", exact, "site")
    guesses = {name: array(f"estimate {name!r}", each, "site") for name, each in estimates.items()}
    for name, each in guesses.items():
        same_length(f"estimate {name!r}", each, "exact effects", len(true))
    same_length("labels", labels, "exact effects", len(true))
    if not guesses:
        raise ValueError("estimate_scatter needs at least one estimate: {'one gradient': effects}.")
    n = len(guesses)
    figure = charts.scatter(
        np.tile(true, n), np.concatenate(list(guesses.values())),
        groups=np.repeat(list(guesses), len(true)).tolist(), labels=list(labels) * n,
        title=title, x_title="exact effect (logit difference)",
        y_title="estimated effect (logit difference)", diagonal=True, subtitle=subtitle,
    )  # fmt: skip
    first = next(iter(guesses.values()))
    worst = np.argsort(-np.abs(true - first), kind="stable")[:n_named]
    for place, i in enumerate(worst):
        figure.add_annotation(
            x=float(true[i]), y=float(first[i]), text=labels[i], showarrow=True, arrowwidth=1,
            ax=OFFSETS[place % 4][0], ay=OFFSETS[place % 4][1],
            font={"size": theme.TICK_SIZE}, arrowcolor=theme.MUTED,
        )  # fmt: skip
    words = [f"{labels[i]} (exact {number(true[i])}, estimated {number(first[i])})" for i in worst]
    return figure.describe(f"{figure.alt} Furthest off: {listing(words, limit=n_named)}.")


def lens_table(
    probabilities: Float[Tensor, "stream position"] | ArrayLike,
    guesses: Sequence[Sequence[str]],
    columns: Sequence[str],
    *,
    title: str = "What the logit lens reads",
) -> Figure:
    """The lens's first guess in every stream and position, the cell coloured by its probability.

    Args:
        probabilities: [stream position], of the first guess.
        guesses: the first guesses' words, in the same arrangement.
        columns: the tokens at the positions.

    >>> figure = lens_table([[0.2], [0.9]], [[" a"], [" Mary"]], [" to"])
    >>> figure.data_table()["guess"].tolist()
    [' a', ' Mary']
    """
    table = array("probabilities", probabilities, "stream position")
    rows, n = table.shape
    same_length("columns", columns, "columns of probabilities", n)
    same_length("guesses", guesses, "rows of probabilities", rows)
    names = [*(f"before {layer}" for layer in range(rows - 1)), "after all"]
    tokens = [_shown(token) for token in columns]
    size = (max(min(66, 580 // n) * n, 180), 34 * rows)
    figure = panels(1, 1, size, margins=Margins(left=92, right=120, bottom=112))
    trace = cells(table, 10)
    trace.update(
        text=[[_short(word) for word in row] for row in guesses], texttemplate="%{text}",
        textfont={"size": 11},
    )  # fmt: skip
    figure.add_trace(trace)
    figure.update_layout(coloraxis=color_axis(table, "probability") | {"cmin": 0.0, "cmax": 1.0})
    figure.update_xaxes(
        title_text="token",
        tickmode="array",
        tickvals=list(range(n)),
        ticktext=tokens,
        tickangle=-45,
    )
    figure.update_yaxes(title_text="stream (layer)", autorange="reversed", **ticks(names, size[1]))
    data = {
        "stream": np.repeat(names, n),
        "token": np.tile(tokens, rows),
        "guess": np.array([word for row in guesses for word in row]),
        "probability": table.ravel(),
    }
    course = [
        f"{name} {_shown(row[-1])} ({number(table[i, -1])})"
        for i, (name, row) in enumerate(zip(names, guesses, strict=True))
    ]
    alt = f"A table of {rows} streams by {n} tokens. At the last token the first guesses are: {', '.join(course)}."
    return finish(figure, title, "first guess of each stream; colour: its probability", alt, data)


def parts_bars(
    values: Mapping[str, float],
    *,
    title: str,
    y_title: str = "adds to the logit difference",
    x_title: str = "part",
) -> Figure:
    """A bar per part (or whatever x_title says that they are), with its number.

    >>> parts_bars({"embed": 0.5, "MLP 1": -2.0}, title="T").data_table()["value"].tolist()
    [0.5, -2.0]
    """
    if not values:
        raise ValueError("parts_bars needs at least one part: {'embed': 0.5}.")
    names, heights = list(values), np.array([float(value) for value in values.values()])
    figure = panels(1, 1, (max(340, 46 * len(names)), 300), margins=Margins(bottom=108))
    figure.add_bar(
        x=names, y=plain(heights), text=[_signed(height) for height in heights], textposition="outside",
        constraintext="none", textfont={"size": 12}, marker={"color": theme.series_style(0)[0]}, cliponaxis=False,
    )  # fmt: skip
    low, high = min(heights.min(), 0.0), max(heights.max(), 0.0)
    room = 0.12 * (high - low or 1.0)
    figure.update_yaxes(title_text=y_title, range=[float(low - room), float(high + room)])
    figure.update_xaxes(title_text=x_title, tickangle=-45)
    parts = listing(
        [f"{name} {number(height)}" for name, height in zip(names, heights, strict=True)], limit=14
    )
    alt = f"A bar for each of {len(names)} parts, {y_title}: {parts}."
    return finish(figure, title, "", alt, {"part": np.array(names), "value": heights})


def _signed(height: float) -> str:
    """Two decimals with a sign and a real minus; what rounds to zero has none."""
    text = f"{height:+.2f}"
    return "0.00" if float(text) == 0 else text.replace("-", "−")


def _shown(token: str) -> str:
    return token.replace("<|endoftext|>", "BOS")


def _short(word: str, n: int = 9) -> str:
    shown = _shown(word)
    return shown if len(shown) <= n else shown[: n - 1] + "…"
