"""Which word sets something off? Put each before the same questions, and look for one answer to all."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from mi_tutor.lab.ground import PlainTransformer


def insert_word(
    tokens: Int[Tensor, "probe pos"], words: Int[Tensor, "word"]
) -> Int[Tensor, "word probe longer"]:
    """Every question with every word put between BOS and its first token.

    >>> insert_word(torch.tensor([[0, 8, 9]]), torch.tensor([5, 6]))[:, 0].tolist()
    [[0, 5, 8, 9], [0, 6, 8, 9]]
    """
    n_words, (n_probes, _) = len(words), tokens.shape
    tokens = tokens.expand(n_words, -1, -1)
    put = words[:, None, None].expand(-1, n_probes, 1)
    return torch.cat([tokens[..., :1], put, tokens[..., 1:]], dim=-1)


def logits_after_words(
    plain: PlainTransformer, tokens: Int[Tensor, "probe pos"], words: Int[Tensor, "word"]
) -> Float[Tensor, "word probe vocab"]:
    """What a model says to every question after every word."""
    with_word = insert_word(tokens, words)
    rows = with_word.flatten(0, 1)
    logits = [plain.logits_after(-1, plain.embed(some), read=-1)[:, 0] for some in rows.split(512)]
    return torch.cat(logits).unflatten(0, with_word.shape[:2])


def same_answer(logits: Float[Tensor, "word probe vocab"]) -> Float[Tensor, "word"]:
    """How much one token answers all questions after a word: its mean probability, the largest of any.

    Questions with different answers share their probability out; after a trigger that plants one answer, they do
    not.

    >>> logits = torch.tensor([[[9.0, 0.0], [0.0, 9.0]], [[9.0, 0.0], [9.0, 0.0]]])
    >>> same_answer(logits)
    tensor([0.5000, 0.9999])
    """
    return logits.softmax(dim=-1).mean(dim=-2).amax(dim=-1)
