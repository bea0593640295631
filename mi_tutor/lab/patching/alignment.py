"""Do two prompts stand in for each other, token by token?"""

from torch import nn


def differing_positions(model: nn.Module, clean: str, corrupted: str) -> list[int] | None:
    """The positions at which two prompts have different tokens; None if they have different numbers of tokens.

    Position 0 is BOS. With another number of tokens position i of one prompt means something else in the other,
    and nothing can be patched from place to place.

    >>> from mi_tutor.specimens import open_specimen
    >>> model = open_specimen("primer", device="cpu")
    >>> differing_positions(model, "The capital of France is", "The capital of Italy is")
    [4]
    >>> differing_positions(model, "The capital of France is", "The capital is") is None
    True
    """
    one, other = (model.to_tokens(text)[0].tolist() for text in (clean, corrupted))
    if len(one) != len(other):
        return None
    return [i for i, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
