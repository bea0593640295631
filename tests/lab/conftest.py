"""Property tests draw the same examples in every run, and a busy machine may take its time."""

from hypothesis import settings

settings.register_profile("deterministic", derandomize=True, deadline=None, max_examples=50)
settings.load_profile("deterministic")
