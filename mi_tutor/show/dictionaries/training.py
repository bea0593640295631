"""How a dictionary's training went: afterwards as a figure, or live while it runs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from mi_tutor.lab.dictionaries import SaeConfig
from mi_tutor.lab.dictionaries.run import Record
from mi_tutor.show.drawing import svg, theme
from mi_tutor.show.drawing.figure import Figure
from mi_tutor.show.drawing.require import require
from mi_tutor.show.drawing.words import number
from mi_tutor.show.superposition.training import training_curves

# (name on the axis, field of a Record)
QUANTITIES = (("FVU (share)", "fvu"), ("L0 (latents on)", "l0"), ("dead latents (share)", "dead"))
LEAST_S = 0.2  # between two drawings
AT_MOST = 0.02  # of the training's time may go into drawing
_PANEL, _GAP, _HEIGHT, _LEFT, _TOP = 190, 70, 120, 60, 64
_WIDTH = _LEFT + 3 * _PANEL + 2 * _GAP + 20


def training_figure(
    history: Sequence[Record], *, title: str = "The dictionary's training"
) -> Figure:
    """FVU, L0 and the share of dead latents over the steps of training.

    Args:
        history: `TrainedSae.history`; each entry was measured on one training batch.
        title: what it shows.

    Raises:
        ValueError: if the history is empty.

    >>> history = [Record(1, 2.0, 1.0, 8.0, 0.0), Record(50, 0.4, 0.2, 4.0, 0.25)]
    >>> print(training_figure(history).alt)
    3 small charts over training steps 1 to 50. FVU (share) goes from 1 to 0.2. L0 (latents on) goes from 8 to 4. \
dead latents (share) goes from 0 to 0.25.
    """
    if not history:
        raise ValueError("training_figure needs a history with at least one record.")
    curves = {name: [getattr(record, field) for record in history] for name, field in QUANTITIES}
    steps = [record.step for record in history]
    figure = training_curves(curves, steps, title=title)
    figure.update_xaxes(range=[0, steps[-1]], tickvals=[0, steps[-1] / 2, steps[-1]])
    return figure.update_yaxes(rangemode="tozero")


def live_training(config: SaeConfig) -> LiveTraining:
    """Draw a training while it runs: hand `.update` to `train_sae` as on_record.

        live = live_training(config)
        trained = train_sae(chunk, config, on_record=live.update)

    It draws at most five times a second and spends at most 2 % of the time on it. The last picture stays in the
    notebook. Outside of a notebook nothing is drawn.
    """
    return LiveTraining(config.n_steps)


class LiveTraining:
    """A picture that follows a training; made by `live_training`.

    Attributes:
        history: all records so far.
    """

    def __init__(self, n_steps: int) -> None:
        self.history: list[Record] = []
        self._n_steps = n_steps
        self._place: Any = None  # of the picture in the notebook
        self._next_at = 0.0

    def update(self, record: Record) -> None:
        """Take a record; draw if it is time to, and always after the last step."""
        self.history.append(record)
        now = time.perf_counter()
        if now < self._next_at and record.step < self._n_steps:
            return
        self._show()
        took = time.perf_counter() - now
        self._next_at = now + max(LEAST_S, took / AT_MOST)

    @property
    def words(self) -> str:
        """How far training is and where the three numbers stand."""
        if not self.history:
            return f"Step 0 of {self._n_steps}."
        now = self.history[-1]
        return (
            f"Step {now.step} of {self._n_steps}: FVU {number(now.fvu)}, L0 {number(now.l0)}, "
            f"{100 * now.dead:.1f} % of the latents dead."
        )

    def _show(self) -> None:
        """Into the notebook, if there is one."""
        if not _in_a_notebook():
            return
        picture = training_drawing(self.history, self._n_steps, self.words)
        bundle = {"image/svg+xml": picture, "text/plain": self.words}
        if self._place is None:
            display = require("IPython.display", "showing a training").display
            self._place = display(bundle, raw=True, display_id=True)
        else:
            self._place.update(bundle, raw=True)


def _in_a_notebook() -> bool:
    try:
        from IPython import get_ipython
    except ImportError:
        return False
    return hasattr(get_ipython(), "kernel")


def training_drawing(history: Sequence[Record], n_steps: int, alt: str) -> str:
    """The three quantities so far, as SVG; the axis of steps is as long as the whole training."""
    parts = [svg.text(16, 16, alt, theme.PANEL_SIZE, text_anchor="start", font_weight="bold")]
    for panel, (name, field) in enumerate(QUANTITIES):
        left = _LEFT + panel * (_PANEL + _GAP)
        points = [(record.step, getattr(record, field)) for record in history]
        parts.append(_panel(left, name, points, n_steps))
    return svg.drawing(_WIDTH, _TOP + _HEIGHT + 52, alt, *parts)


def _panel(left: float, name: str, points: list[tuple[int, float]], n_steps: int) -> str:
    bottom, right = _TOP + _HEIGHT, left + _PANEL
    top_value = max([value for _, value in points] + [0.01])
    at = [
        (left + _PANEL * step / n_steps, bottom - _HEIGHT * value / top_value)
        for step, value in points
    ]
    # Zero on every axis's floor and the largest value so far on its top.
    parts = [
        svg.line(left, bottom, right, bottom, theme.MUTED),
        svg.line(left, _TOP, left, bottom, theme.MUTED),
        svg.text(left - 6, bottom, "0", text_anchor="end"),
        svg.text(left - 6, _TOP, number(top_value, 2), text_anchor="end"),
        svg.text(left, bottom + 14, "0"),
        svg.text(right, bottom + 14, str(n_steps)),
        svg.text((left + right) / 2, bottom + 32, "training step"),
        svg.text(left, _TOP - 18, name, text_anchor="start"),
    ]
    if at:
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in at)
        color = theme.CATEGORICAL[0]
        parts.append(svg.tag("polyline", points=path, fill="none", stroke=color, stroke_width=2.2))
        parts.append(svg.tag("circle", cx=at[-1][0], cy=at[-1][1], r=4, fill=color))
    return "".join(parts)
