"""Figures of chapter 04: patch maps, estimates against exact effects, and the logit lens as a table."""

from mi_tutor.show.patching.circuits import circuit_map
from mi_tutor.show.patching.figures import estimate_scatter, lens_table, parts_bars, patch_map

__all__ = ["circuit_map", "estimate_scatter", "lens_table", "parts_bars", "patch_map"]
