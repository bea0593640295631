"""The specimens `induction-1l` and `induction-2l`: their language, how they are made, what their cards say.

A chapter trains one live with `InductionConfig`, `new_network` and `chunk`.
"""

from mi_tutor.specimens.induction.recipe import InductionConfig, chunk, new_network

__all__ = ["InductionConfig", "chunk", "new_network"]
