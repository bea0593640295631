"""How training went: losses of several runs on one chart, or one small chart per quantity."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike
from torch import Tensor

from mi_tutor.show.charts import lines
from mi_tutor.show.drawing import theme
from mi_tutor.show.drawing.figure import Figure
from mi_tutor.show.drawing.inputs import array, plain, same_length
from mi_tutor.show.drawing.panels import Margins, finish, panels, place
from mi_tutor.show.drawing.words import number


def losses_against_steps(
    losses: Float[Tensor, "*run step"] | ArrayLike,
    steps: Float[Tensor, "step"] | ArrayLike | None = None,
    names: Sequence[str] | None = None,
    *,
    log_y: bool = True,
    title: str = "Loss during training",
    y_title: str = "loss (weighted squared error)",
) -> Figure:
    """One curve per run over the training steps, by default on a logarithmic loss axis.

    Args:
        losses: [run step] or [step].
        steps: [step], the step numbers (default: 0, 1, ...).
        names: one per run (default: "run 0", ...).
        log_y: a logarithmic loss axis; all losses must then be positive.
        title: what it shows.
        y_title: the loss's name with its unit.

    Raises:
        ValueError: if lengths differ, or a loss is NaN or (with log_y) not positive.

    >>> print(losses_against_steps([1.0, 0.5, 0.25]).alt)
    1 curve of loss (weighted squared error) over training step (from 0 to 2). loss goes from 1 to 0.25.
    """
    losses = array("losses", losses, "[run] step")
    if names is None:
        names = ["loss"] if len(losses) == 1 else [f"run {i}" for i in range(len(losses))]
    same_length("names", names, "runs of losses", len(losses))
    steps = np.arange(losses.shape[1]) if steps is None else array("steps", steps, "step")
    return lines(
        steps, dict(zip(names, losses, strict=True)), title=title, x_title="training step",
        y_title=y_title, log_y=log_y, markers=False,
    )  # fmt: skip


def training_curves(
    quantities: Mapping[str, Any], steps: Any = None, *, title: str = "Training at a glance"
) -> Figure:
    """One small panel per quantity over the training steps; each has its own y axis.

    Args:
        quantities: "name (unit)" -> [step].
        steps: [step] (default: 0, 1, ...).
        title: what it shows.

    Raises:
        ValueError: if there is nothing to draw, lengths differ, or a value is infinite.

    >>> print(training_curves({"loss (nats)": [2.0, 1.0], "accuracy (share)": [0.1, 0.9]}).alt)
    2 small charts over training steps 0 to 1. loss (nats) goes from 2 to 1. accuracy (share) goes \
from 0.1 to 0.9.
    """
    if not quantities:
        raise ValueError("training_curves needs at least one quantity: {'loss': losses}.")
    curves = {name: array(name, values, "step") for name, values in quantities.items()}
    n_steps = len(next(iter(curves.values())))
    at = np.arange(n_steps) if steps is None else array("steps", steps, "step")
    for name, values in curves.items():
        same_length(name, values, "steps", len(at))
    figure = panels(
        len(curves), 3, (190, 150), list(curves), gap=(66, 60), margins=Margins(left=64, bottom=60)
    )
    for panel, (name, values) in enumerate(curves.items()):
        where = place(figure, panel)
        line = {"color": theme.CATEGORICAL[0], "width": 2.2}
        figure.add_scatter(
            x=plain(at), y=plain(values), mode="lines", line=line, name=name, **where
        )
        figure.update_xaxes(title_text="training step", nticks=4, **where)
        figure.update_yaxes(title_text=_unit(name), nticks=5, **where)
    figure.update_layout(showlegend=False)
    alt = f"{len(curves)} small chart{'s' if len(curves) > 1 else ''} over training steps "
    alt += f"{number(at[0])} to {number(at[-1])}."
    for name, values in curves.items():
        alt += f" {name} goes from {number(values[0])} to {number(values[-1])}."
    table = {
        "quantity": np.repeat(list(curves), len(at)),
        "step": np.tile(at, len(curves)),
        "value": np.concatenate(list(curves.values())),
    }
    return finish(figure, title, "", alt, table)


def _unit(name: str) -> str:
    """The unit between the last brackets of a name, else "dimensionless"."""
    return name.rpartition("(")[2].rstrip(")") if name.endswith(")") else "dimensionless"
