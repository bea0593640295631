"""Figures and the widget of chapter 07: effect against coherence, up against down, and the dashboard."""

__all__: list[str] = []
