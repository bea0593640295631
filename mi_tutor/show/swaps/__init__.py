"""Figures and the widget of chapter 05: where a state is, what swapping it does, and what should do nothing."""

from mi_tutor.show.swaps.explorer import swap_explorer
from mi_tutor.show.swaps.figures import control_bars, dose_curves, state_places, swap_heatmap

__all__ = ["control_bars", "dose_curves", "state_places", "swap_explorer", "swap_heatmap"]
