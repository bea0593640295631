"""By which route does a request reach its refusal, and which form of it slips past?

Two prompts of one length, one refused and one granted, that differ in one word (the deed, or the thing). For
each place of the one, the stream there is exchanged for the other's: where that turns the reply, the difference
passes by.

    turned[layer, pos] = share of prompts whose reply becomes the other prompt's, x[layer, pos] exchanged

A form that slips past is compared with one that does not: at which place is the difference lost?
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from mi_tutor.lab.ground.plain import PlainTransformer


@torch.no_grad()
def turned(
    plain: PlainTransformer,
    tokens: Int[Tensor, "prompt pos"],
    others: Int[Tensor, "prompt pos"],
) -> Float[Tensor, "layer pos"]:
    """Where exchanging the stream turns a reply into the other prompt's: before each layer, at each position.

    Only prompts whose two replies differ count (ValueError if there is none).
    """
    own, wanted = (reply(plain, each) for each in (tokens, others))
    asked = own != wanted
    if not asked.any():
        raise ValueError("Each prompt has the same reply as its other one: nothing can turn.")
    tokens, others, wanted = tokens[asked], others[asked], wanted[asked]
    rows = []
    for layer in range(len(plain.blocks)):
        stream, source = (plain.resid_pre(layer, each) for each in (tokens, others))
        row = []
        for position in range(tokens.shape[1]):
            edited = stream.clone()
            edited[:, position] = source[:, position]
            replies = plain.logits_after(layer - 1, edited, read=-1)[:, 0].argmax(dim=-1)
            row.append((replies == wanted).float().mean())
        rows.append(torch.stack(row))
    return torch.stack(rows)


def reply(plain: PlainTransformer, tokens: Int[Tensor, "prompt pos"]) -> Int[Tensor, "prompt"]:
    """The most likely next tokens."""
    return plain.logits_after(-1, plain.embed(tokens), read=-1)[:, 0].argmax(dim=-1)


@torch.no_grad()
def looks_at(
    plain: PlainTransformer, tokens: Int[Tensor, "prompt pos"], query: int = -1
) -> Float[Tensor, "layer head pos"]:
    """The mean attention of every head from one position to each, over some prompts of one length."""
    x, found = plain.embed(tokens), []
    for layer in range(len(plain.blocks)):
        at = plain.complete(layer, {"resid_pre": x})
        found.append(at["pattern"][:, :, range(tokens.shape[1])[query]].mean(dim=0))
        x = at["resid_post"]
    return torch.stack(found)
