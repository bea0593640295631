"""A circuit as a claim: exchange what it writes, and see what follows; exchange all the rest, and see what stays.

Two prompts of one length differ in what a circuit is said to carry. Parts of the model, heads ("2.3": head 3 of
layer 2) and MLPs ("mlp1"), write in the one prompt what they wrote in the other, at every position:

    head:  z[l, h] <- z_other[l, h]            MLP:  mlp_out[l] <- mlp_out_other[l]

and all that comes after is worked out from there. If the circuit is right, its parts exchanged make the answer
follow; all other parts exchanged and these kept, the answer stays.
"""

from collections.abc import Iterable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from mi_tutor.lab.ground.plain import PlainTransformer


def part_names(plain: PlainTransformer) -> tuple[str, ...]:
    """All parts: the heads of each layer, and its MLP.

    >>> from mi_tutor.lab.ground import plain_transformer
    >>> from mi_tutor.specimens import open_specimen
    >>> part_names(plain_transformer(open_specimen("atlas", device="cpu")))[:6]
    ('0.0', '0.1', '0.2', '0.3', 'mlp0', '1.0')
    """
    return tuple(
        name
        for layer in range(len(plain.blocks))
        for name in (*(f"{layer}.{head}" for head in range(plain.n_heads)), f"mlp{layer}")
    )


@torch.no_grad()
def exchanged(
    plain: PlainTransformer,
    tokens: Int[Tensor, "prompt pos"],
    others: Int[Tensor, "prompt pos"],
    parts: Iterable[str],
) -> Float[Tensor, "prompt d_model"]:
    """The stream at the prompts' end, after the last layer, with some parts writing what they write in `others`.

    ValueError for a part that there is not.
    """
    chosen = set(parts)
    unknown = chosen - set(part_names(plain))
    if unknown:
        raise ValueError(f"There is no part {min(unknown)!r}; parts are such as '2.3' and 'mlp1'.")
    x, source = plain.embed(tokens), plain.embed(others)
    for layer in range(len(plain.blocks)):
        there = plain.complete(layer, {"resid_pre": source})
        here = plain.complete(layer, {"resid_pre": x}, "z")
        z = here["z"].clone()
        for head in range(plain.n_heads):
            if f"{layer}.{head}" in chosen:
                z[:, :, head] = there["z"][:, :, head]
        here = plain.complete(layer, {"resid_pre": x, "z": z}, "mlp_out")
        mlp_out = there["mlp_out"] if f"mlp{layer}" in chosen else here["mlp_out"]
        x, source = here["resid_mid"] + mlp_out, there["resid_post"]
    return x[:, -1]
