"""Figures of chapter 09: whose latents are they?"""

from mi_tutor.show.crosscoders.norms import norm_histogram

__all__ = ["norm_histogram"]
