"""What came of an edit: did it take, did it carry on, and what else did it change? (Meng et al. 2022, section 3.2)

    efficacy      the prompt that was edited                          new above right
    paraphrase    the same fact in other words                        new above right
    consequence   what follows from it in two steps                   new above right
    neighbours    the same relation of other subjects                 right above new
    same subject  other relations of this subject                     right above new

A score is the share of prompts where the right one of the two is ABOVE the other; their harmonic mean is small as
soon as one of them is small.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

KINDS = ("efficacy", "paraphrase", "consequence", "neighbours", "same subject")
FOLLOWS = (True, True, True, False, False)


def edit_marks(
    logits: Float[Tensor, "prompt vocab"],
    new: Int[Tensor, "prompt"],
    right: Int[Tensor, "prompt"],
    kind: Int[Tensor, "prompt"],
    follows: Bool[Tensor, "kind"],
) -> tuple[Float[Tensor, "kind"], Float[Tensor, ""]]:
    """The score of each kind of prompt, and their harmonic mean (0 if one of them is 0).

    new, right: what the edit wants said, and what was right before. follows: kinds in which new is wanted.

    >>> logits = torch.tensor([[2.0, 1.0], [2.0, 1.0], [0.0, 1.0]])
    >>> new, right, kind = torch.tensor([0, 0, 0]), torch.tensor([1, 1, 1]), torch.tensor([0, 1, 1])
    >>> edit_marks(logits, new, right, kind, torch.tensor([True, False]))
    (tensor([1.0000, 0.5000]), tensor(0.6667))
    """
    rows = torch.arange(len(new), device=new.device)
    ahead = logits[rows, new] - logits[rows, right]
    held = torch.where(follows[kind], ahead > 0, ahead < 0).to(logits)
    scores = torch.stack([held[kind == i].mean() for i in range(len(follows))])
    return scores, len(follows) / (1 / scores).sum()
