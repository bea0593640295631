"""The rows on which `induction-1l` and `induction-2l` are measured, and the losses and scores on them.

Repeats: 64 rows of BOS, a block of 30 different random words, and the same block again. "The second copy" is
counted from its second word on: its first word only begins the copying.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from mi_tutor.lab.ground.device import seeded
from mi_tutor.specimens.cards import Table
from mi_tutor.specimens.induction import language

if TYPE_CHECKING:
    from jaxtyping import Float, Int
    from torch import Tensor
    from transformer_lens.model_bridge import TransformerBridge

    from mi_tutor.lab.induction.heads import HeadScores

N_ROWS, N_BLOCK, N_TEXT = 64, 30, 63


def repeated_rows() -> Int[Tensor, "row pos"]:
    """The rows with two copies of a block."""
    import torch

    from mi_tutor.lab.induction.texts import repeated_tokens

    words = torch.arange(1, len(language.vocabulary()))
    return repeated_tokens(words, N_ROWS, N_BLOCK, bos=0, generator=seeded(0))


def text_rows() -> tuple[Int[Tensor, "row pos"], float]:
    """Rows of text, and the mean entropy of their words given the word before."""
    import torch

    rng = random.Random(0)
    ids = {word: i for i, word in enumerate(language.vocabulary())}
    rows = [language.text(N_TEXT, rng) for _ in range(N_ROWS)]
    entropies = [language.next_word_entropy(word) for row in rows for word in row[:-1]]
    tokens = torch.tensor([[0, *(ids[word] for word in row)] for row in rows])
    return tokens, sum(entropies) / len(entropies)


def token_losses(
    model: TransformerBridge, tokens: Int[Tensor, "row pos"]
) -> Float[Tensor, "row pos-1"]:
    """The loss of each token but the first, in nats."""
    import torch

    with torch.no_grad():
        log_probs = model(tokens)[:, :-1].log_softmax(dim=-1)
    return -log_probs.gather(-1, tokens[:, 1:, None])[..., 0]


def first_and_second(losses: Float[Tensor, "row pos-1"]) -> tuple[float, float]:
    """The mean loss on the first copy, and on the second from its second word on.

    losses[:, i] is about token i + 1.
    """
    first, second = losses[:, :N_BLOCK], losses[:, N_BLOCK + 1 :]
    return first.mean().item(), second.mean().item()


def scores(model: TransformerBridge, tokens: Int[Tensor, "row pos"]) -> HeadScores:
    """The detectors of `lab.induction.heads` on the repeats."""
    from mi_tutor.lab.induction.heads import head_scores

    return head_scores(model, tokens, N_BLOCK)


def table(values: Float[Tensor, "layer head"]) -> Table:
    """A tensor of two dimensions as a table, to four decimals."""
    return [[round(float(value), 4) for value in row] for row in values]
