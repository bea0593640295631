"""How much of a prompt a graph explains, beside its floors; and whether the model agrees with its graph."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from mi_tutor.lab.tracing import Scores, Validation
from mi_tutor.show import charts
from mi_tutor.show.drawing import theme
from mi_tutor.show.drawing.figure import Figure
from mi_tutor.show.drawing.inputs import plain
from mi_tutor.show.drawing.panels import Margins, finish, panels, place
from mi_tutor.show.drawing.words import number

SMALLEST = 1e-7  # on logarithmic axes; less is drawn there
SOLID = {"color": theme.CATEGORICAL[0]}
HATCHED = {
    "color": theme.PAPER,
    "line": {"color": theme.MUTED, "width": 1.5},
    "pattern": {"shape": "/", "fgcolor": theme.MUTED, "bgcolor": theme.PAPER, "size": 7},
}


def scores_bars(
    scores: Mapping[str, Scores],
    floors: Mapping[str, Scores],
    *,
    title: str = "What a graph explains, and what nothing would",
    subtitle: str = "",
) -> Figure:
    """Replacement and completeness score of some graphs, side by side, above the floors that they have to pass.

    Args:
        scores: name -> its two scores.
        floors: the same of what explains nothing: no dictionary, shuffled decoders. Hatched.

    Raises ValueError if there is nothing to draw.

    >>> figure = scores_bars({"per layer": Scores(0.9, 0.97)}, {"shuffled decoders": Scores(0.4, 0.77)})
    >>> print(figure.alt)
    Two scores from 0 to 1. per layer: replacement 0.9, completeness 0.97. Floor, shuffled decoders: replacement \
0.4, completeness 0.77.
    """
    if not scores:
        raise ValueError("scores_bars needs at least one graph's scores: {'per layer': Scores}.")
    every = {**scores, **floors}
    if len(every) < len(scores) + len(floors):
        raise ValueError("A name is both among the scores and among the floors.")
    names = list(every)
    left = 40 + 8 * max(map(len, names))
    width = max(180, (theme.WIDTH - left - 60) // 2)
    figure = panels(
        2, 2, (width, 44 * len(names)), titles=["replacement", "completeness"], gap=(30, 24),
        margins=Margins(left=left, right=30),
    )  # fmt: skip
    for panel, part in enumerate(("replacement", "completeness")):
        for group, marker in ((scores, SOLID), (floors, HATCHED)):
            values = np.array([float(getattr(each, part)) for each in group.values()])
            figure.add_bar(
                x=plain(values), y=list(group), orientation="h", showlegend=False, width=0.66,
                text=[f"{value:.3f}" for value in values], textposition="outside", cliponaxis=False,
                marker=marker, hovertemplate="%{y}: %{x:.4f}<extra></extra>", **place(figure, panel),
            )  # fmt: skip
        figure.update_xaxes(
            title_text=f"{part} score",
            range=[0, 1.18],
            tickvals=[0, 0.25, 0.5, 0.75, 1],
            **place(figure, panel),
        )
        figure.update_yaxes(
            autorange="reversed",
            categoryorder="array",
            categoryarray=names,
            showticklabels=panel == 0,
            showgrid=False,
            **place(figure, panel),
        )
    figure.update_yaxes(title_text="graph", title_standoff=4, row=1, col=1)
    said = [_score_words(name, each) for name, each in scores.items()]
    said += [f"Floor, {_score_words(name, each)}" for name, each in floors.items()]
    table = {
        "name": np.array(names),
        "replacement": np.array([float(each.replacement) for each in every.values()]),
        "completeness": np.array([float(each.completeness) for each in every.values()]),
        "floor": np.array([name in floors for name in names]),
    }
    subtitle = subtitle or "hatched: floors"
    return finish(figure, title, subtitle, " ".join(["Two scores from 0 to 1.", *said]), table)


def _score_words(name: str, scores: Scores) -> str:
    return (
        f"{name}: replacement {number(float(scores.replacement))}, completeness "
        f"{number(float(scores.completeness))}."
    )


def influence_against_effect(
    validations: Mapping[str, Validation],
    labels: Mapping[str, Sequence[str]] | None = None,
    *,
    title: str = "What the graph says, and what switching off does",
    subtitle: str = "",
) -> Figure:
    """Each latent's influence and what happens without it, with a symbol for each sample and its correlation.

    Both axes are logarithmic; what is smaller than 1e-7 is drawn there.

    Args:
        validations: name of a sample -> from `validate`.
        labels: name of a sample -> a label per latent, told when pointed at.

    Raises ValueError if there is no sample, or not one label per latent.

    >>> import torch
    >>> one = Validation(torch.tensor([0.1, 0.2, 0.0]), torch.tensor([0.01, 0.5, 0.0]), 1.0)
    >>> influence_against_effect({"all": one}).data_table()["group"].tolist()[:1]
    ['all (Spearman 1.00)']
    """
    if not validations:
        raise ValueError("influence_against_effect needs at least one sample: {'random': found}.")
    groups, texts, x, y = [], [], [], []
    for name, found in validations.items():
        n = len(found.predicted)
        mine = list((labels or {}).get(name, [""] * n))
        if len(mine) != n:
            raise ValueError(f"labels of {name!r} should be one per latent: {n}; saw {len(mine)}.")
        groups += [f"{name} (Spearman {found.spearman:.2f})".replace("-", "−")] * n
        texts += mine
        x.append(found.predicted.cpu().double().numpy().clip(SMALLEST))
        y.append(found.measured.cpu().double().numpy().clip(SMALLEST))
    figure = charts.scatter(
        np.concatenate(x), np.concatenate(y), groups=groups, labels=texts, log_x=True, log_y=True,
        title=title, subtitle=subtitle or _marks(validations.values()), x_title="influence on the logits (share)",
        y_title="KL of the next token when it is switched off (nats)",
    )  # fmt: skip
    said = [f"{name}: {found.spearman:.2f}" for name, found in validations.items()]
    return figure.describe(
        f"{figure.alt} Spearman's correlation, {', '.join(said)}.".replace("-0", "−0")
    )


def _marks(validations: Iterable[Validation]) -> str:
    """What a mark is, and where those stand that are too small for the axes."""
    small = any(
        float(values.min()) < SMALLEST
        for found in validations
        for values in (found.predicted, found.measured)
        if len(values)
    )
    return f"one mark per latent{f'; what is below {SMALLEST:.0e} stands there' if small else ''}"
