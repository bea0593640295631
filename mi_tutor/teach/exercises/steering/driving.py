"""Sections 1 to 5: vectors, latents, how much they do and what they cost."""

DRIVING = ()
