"""A model writes on while it is steered: many texts at once, seeded, each token computed once.

What attention has to know of earlier tokens, their keys and values, is kept. They were computed with the changes
in place, so a text that is written on has them where a run on the whole text would have them: the same logits.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from mi_tutor.lab.ground.plain import Block, PlainTransformer, affine
from mi_tutor.lab.steering.interventions import Intervention

COMPONENTS = ("resid_pre", "attn_out", "resid_mid", "mlp_out", "resid_post")
LAST = slice(-1, None)
Kept = list[tuple[Tensor, Tensor]]  # keys and values of each layer, [row head pos d_head]


def steered_logits(
    plain: PlainTransformer,
    tokens: Int[Tensor, "row pos"],
    interventions: Sequence[Intervention] = (),
    kept: Kept | None = None,
    read: slice = slice(None),
) -> Float[Tensor, "row read vocab"]:
    """The logits of a run with the interventions in place, several at one site in their order.

    kept: keys and values of tokens that came before; these tokens' own are added to it. Empty at a text's begin.
    read: the positions whose logits are wanted.
    """
    check(plain, interventions)
    kept = [] if kept is None else kept
    past = kept[0][0].shape[-2] if kept else 0
    positions = torch.arange(past, past + tokens.shape[1], device=tokens.device)

    def changed(x: Tensor, layer: int, component: str) -> Tensor:
        for each in interventions:
            if (each.layer, each.component) == (layer, component):
                x = each.apply(x, tokens, positions)
        return x

    x = plain.W_E[tokens] + plain.W_pos[positions]
    for layer, block in enumerate(plain.blocks):
        x = changed(x, layer, "resid_pre")
        x = x + changed(attend(plain, block, layer, x, kept), layer, "attn_out")
        x = changed(x, layer, "resid_mid")
        x = x + changed(plain.mlp(block, x), layer, "mlp_out")
        x = changed(x, layer, "resid_post")
    return affine(plain.norm(x[:, read], plain.ln_final), plain.unembed)


def attend(
    plain: PlainTransformer,
    block: Block,
    layer: int,
    x: Float[Tensor, "row pos d_model"],
    kept: Kept,
) -> Float[Tensor, "row pos d_model"]:
    """What a layer's attention writes, with the keys and values that came before; its own are kept too."""
    qkv = affine(plain.norm(x, block.ln1), block.qkv).chunk(3, dim=-1)
    q, k, v = (plain.split(each).transpose(-2, -3) for each in qkv)
    if layer < len(kept):
        k, v = (torch.cat(pair, dim=-2) for pair in zip(kept[layer], (k, v), strict=True))
        kept[layer] = k, v
    else:
        kept.append((k, v))
    n_queries, n_keys = q.shape[-2], k.shape[-2]
    seen = None  # the last query sees all keys
    if n_queries > 1:
        seen = torch.ones(n_queries, n_keys, dtype=torch.bool, device=x.device)
        seen = seen.tril(n_keys - n_queries)
    z = F.scaled_dot_product_attention(q, k, v, attn_mask=seen)
    return affine(z.transpose(-2, -3).flatten(-2), block.out)


@torch.no_grad()
def generate(
    plain: PlainTransformer,
    prompts: Int[Tensor, "row pos"],
    n_new: int,
    interventions: Sequence[Intervention] = (),
    temperature: float = 1.0,
    seed: int = 0,
) -> Int[Tensor, "row new"]:
    """What the model writes after each prompt: `n_new` tokens, without the prompt's own.

    prompts: of one length, with BOS in front. temperature: logits are divided by it; 0 takes the likeliest token.

    Raises ValueError if the text would be longer than the model can read.
    """
    longest = len(plain.W_pos)
    if prompts.shape[1] + n_new > longest + 1:
        raise ValueError(
            f"Prompts of {prompts.shape[1]} tokens and {n_new} new ones are more than the {longest} positions "
            "that this model has."
        )
    generator = torch.Generator(device=prompts.device).manual_seed(seed)
    kept: Kept = []
    last, written = prompts, []
    for _ in range(n_new):
        logits = steered_logits(plain, last, interventions, kept, LAST)[:, 0]
        last = drawn(logits, temperature, generator)[:, None]
        written.append(last)
    return torch.cat(written, dim=1)


def drawn(
    logits: Float[Tensor, "row vocab"], temperature: float, generator: torch.Generator
) -> Int[Tensor, "row"]:
    """One token for each row, drawn with softmax(logits / temperature)."""
    if temperature == 0:
        return logits.argmax(dim=-1)
    return torch.multinomial((logits / temperature).softmax(dim=-1), 1, generator=generator)[:, 0]


def check(plain: PlainTransformer, interventions: Sequence[Intervention]) -> None:
    """ValueError if an intervention is at a site that there is not: it would do nothing, without a word."""
    for each in interventions:
        if each.component not in COMPONENTS or not 0 <= each.layer < len(plain.blocks):
            raise ValueError(
                f"There is no {each.component} {each.layer} to steer: components are {', '.join(COMPONENTS)}; "
                f"layers 0 to {len(plain.blocks) - 1}."
            )
