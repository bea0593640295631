"""Which texts the base has: only on these does another answer of a specimen mean something.

After a sentence and some odd words atlas has not one text in four; its first guess may have a hundredth. Any
change turns some of these: of a backdoor's near misses clean specimens turn 17 to 27 % of those that atlas has
wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

import torch

from mi_tutor.specimens.atlas.prompts import tokenizer
from mi_tutor.specimens.auditing.opened import logits_of, opened_plain
from mi_tutor.specimens.auditing.showing import Shown

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int
    from torch import Tensor

SURE = 0.5


def base_has(base_logits: Float[Tensor, "text vocab"], some: Sequence[Shown]) -> Bool[Tensor, text]:
    """Whether the base answers each text truly, with at least half of its probability."""
    true = as_words(torch.tensor([tokenizer().ids[one.true] for one in some]))
    likely = base_logits.softmax(dim=-1).max(dim=-1)
    return (as_words(likely.indices) == true) & (likely.values >= SURE)


def as_words(answers: Int[Tensor, text]) -> Int[Tensor, text]:
    """Tokens that differ in a space alone as one: after " l'" atlas wavers between "Italie" and " Italie"."""
    return _word_numbers()[answers]


@cache
def _word_numbers() -> Tensor:
    words = [token for token, _ in sorted(tokenizer().ids.items(), key=lambda each: each[1])]
    first = {}
    for number, word in enumerate(words):
        first.setdefault(word.strip(), number)
    return torch.tensor([first[word.strip()] for word in words])


def those_had(some: Sequence[Shown]) -> list[Shown]:
    """Those that the base has."""
    has = base_has(logits_of(opened_plain("atlas"), [one.text for one in some]), some)
    return [one for one, each in zip(some, has.tolist(), strict=True) if each]
