"""GPT-2 in plain torch, from an opened model's own weights: the arithmetic and nothing else.

Radford et al. 2019, with x the residual stream [... pos d_model]:

    x = W_E[tokens] + W_pos
    for each block:  q, k, v = LN(x) W_Q + b_Q, ...       per head
                     z = softmax(q k^T / sqrt(d_head)) v  causal
                     x = x + z W_O + b_O                  summed over heads
                     x = x + gelu(LN(x) W_in + b_in) W_out + b_out
    logits = LN(x) W_U + b_U

A model with hooks does the same and looks for hooks at every step. Here a run can begin in the middle: after a
patch in layer 3 only layer 3 onwards is computed. Activations go by TransformerLens's hook names and shapes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import chain
from types import MappingProxyType
from typing import NamedTuple

import torch
from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from mi_tutor.lab.ground.sites import COMPONENTS, hook_name

ACTIVATIONS: Mapping[str, Callable[[Tensor], Tensor]] = MappingProxyType(
    {"gelu_new": partial(F.gelu, approximate="tanh"), "gelu": F.gelu, "relu": F.relu}
)
Run = dict[str, Tensor]


class Affine(NamedTuple):
    """x @ W + b, or for a LayerNorm its scale and shift."""

    W: Tensor
    b: Tensor


class Block(NamedTuple):
    """One block's weights. `qkv` has queries, keys and values side by side, [d_model, 3 * head * d_head]."""

    ln1: Affine
    qkv: Affine
    out: Affine
    ln2: Affine
    mlp_in: Affine
    mlp_out: Affine


@dataclass(frozen=True, kw_only=True)
class PlainTransformer:
    """The weights of a GPT-2, and its forward pass in pieces. Made by `plain_transformer`."""

    W_E: Float[Tensor, "vocab d_model"]
    W_pos: Float[Tensor, "ctx d_model"]
    blocks: tuple[Block, ...]
    ln_final: Affine
    unembed: Affine
    n_heads: int
    eps: float
    activation: Callable[[Tensor], Tensor]

    def run(self, tokens: Int[Tensor, "batch pos"]) -> Run:
        """One forward pass with every activation of every block, by hook name.

        The embedding is a leaf of the graph: outside of torch.no_grad() gradients with respect to all
        activations can be taken, and weights get none.
        """
        x = self.embed(tokens).requires_grad_(torch.is_grad_enabled())
        run: Run = {}
        for layer in range(len(self.blocks)):
            at = self.complete(layer, {"resid_pre": x})
            run |= {hook_name(component, layer): at[component] for component in COMPONENTS}
            x = at["resid_post"]
        return run

    def embed(self, tokens: Int[Tensor, "batch pos"]) -> Float[Tensor, "batch pos d_model"]:
        """What enters the first block."""
        return self.W_E[tokens] + self.W_pos[: tokens.shape[1]]

    def complete(
        self, layer: int, known: Mapping[str, Tensor], until: str = "resid_post"
    ) -> dict[str, Tensor]:
        """The activations of one block, computed onwards from the last one that is known.

        known: by component, at least what the next steps need. Some may have more leading axes than others:
            many runs that share what came before.
        until: the last component that is wanted.
        """
        block, at = self.blocks[layer], dict(known)
        steps = {
            "pattern": lambda: pattern(at["q"], at["k"]),
            "z": lambda: torch.einsum("...hqk,...khd->...qhd", at["pattern"], at["v"]),
            "attn_out": lambda: affine(at["z"].flatten(-2), block.out),
            "resid_mid": lambda: at["resid_pre"] + at["attn_out"],
            "mlp_out": lambda: self.mlp(block, at["resid_mid"]),
            "resid_post": lambda: at["resid_mid"] + at["mlp_out"],
        }
        end = COMPONENTS.index(until) + 1
        if set(known) == {"resid_pre"} and until != "resid_pre":
            qkv = affine(self.norm(at["resid_pre"], block.ln1), block.qkv)
            at |= zip(("q", "k", "v"), map(self.split, qkv.chunk(3, dim=-1)), strict=True)
        last = max(map(COMPONENTS.index, at))
        for component in COMPONENTS[last + 1 : end]:
            at[component] = steps[component]()
        return at

    def activations(
        self, layer: int, tokens: Int[Tensor, "batch pos"], until: str = "resid_post"
    ) -> dict[str, Float[Tensor, "batch pos *any"]]:
        """The activations of one block on some texts, by component (see `complete`)."""
        return self.complete(layer, {"resid_pre": self.resid_pre(layer, tokens)}, until)

    def resid_pre(
        self, layer: int, tokens: Int[Tensor, "batch pos"]
    ) -> Float[Tensor, "batch pos d_model"]:
        """The stream before a block; before the one after the last, it is what the unembedding reads."""
        x = self.embed(tokens)
        for earlier in range(layer):
            x = self.block(earlier, x)
        return x

    def mlp_reads(
        self, block: Block, x: Float[Tensor, "*any d_model"]
    ) -> Float[Tensor, "*any d_model"]:
        """What the MLP of a block reads: LN(resid_mid)."""
        return self.norm(x, block.ln2)

    def block(
        self, layer: int, x: Float[Tensor, "*row pos d_model"], read: int | None = None
    ) -> Float[Tensor, "*row read d_model"]:
        """resid_post from resid_pre, in one go. `read`: at that position only (kept as an axis of length 1)."""
        block = self.blocks[layer]
        q, k, v = affine(self.norm(x, block.ln1), block.qkv).chunk(3, dim=-1)
        if read is not None:  # one query, and the keys up to it
            read = range(x.shape[-2])[read]
            x, q = x[..., read : read + 1, :], q[..., read : read + 1, :]
            k, v = k[..., : read + 1, :], v[..., : read + 1, :]
        heads = [self.split(each).transpose(-2, -3) for each in (q, k, v)]
        z = F.scaled_dot_product_attention(*heads, is_causal=read is None)
        x = x + affine(z.transpose(-2, -3).flatten(-2), block.out)
        return x + self.mlp(block, x)

    def logits_after(
        self, layer: int, resid_post: Float[Tensor, "*row pos d_model"], read: int | None = None
    ) -> Float[Tensor, "*row read vocab"]:
        """The logits from the stream after a block. `read`: at that position only.

        The last block then needs keys and values everywhere, and all the rest at one position.
        """
        x, last = resid_post, len(self.blocks) - 1
        for later in range(layer + 1, last + 1):
            x = self.block(later, x, read if later == last else None)
        if read is not None and layer == last:
            x = x[..., [read], :]
        return affine(self.norm(x, self.ln_final), self.unembed)

    def mlp(self, block: Block, x: Float[Tensor, "*any d_model"]) -> Float[Tensor, "*any d_model"]:
        """What the MLP of a block writes."""
        hidden = self.activation(affine(self.mlp_reads(block, x), block.mlp_in))
        return affine(hidden, block.mlp_out)

    def norm(self, x: Float[Tensor, "*any d_model"], ln: Affine) -> Float[Tensor, "*any d_model"]:
        """LayerNorm. In an opened model its scale and shift are folded into the next weights: 1 and 0."""
        return F.layer_norm(x.to(ln.W.dtype), x.shape[-1:], ln.W, ln.b, self.eps)

    def split(self, x: Float[Tensor, "*any width"]) -> Float[Tensor, "*any head d_head"]:
        """All heads side by side -> one axis per head."""
        return rearrange(x, "... (head d_head) -> ... head d_head", head=self.n_heads)


def affine(x: Float[Tensor, "*any n"], weights: Affine) -> Float[Tensor, "*any m"]:
    """x @ W + b, in one call, as precise as the weights are: an activation that was put in may be more so."""
    return F.linear(x.to(weights.W.dtype), weights.W.mT, weights.b)


def pattern(
    q: Float[Tensor, "*row query head d_head"], k: Float[Tensor, "*row2 key head d_head"]
) -> Float[Tensor, "*row3 head query key"]:
    """softmax(q k^T / sqrt(d_head)) over the keys that are not later than the query."""
    scores = torch.einsum("...qhd,...khd->...hqk", q, k) * q.shape[-1] ** -0.5
    future = torch.ones(scores.shape[-2:], dtype=torch.bool, device=q.device).triu(1)
    return scores.masked_fill(future, float("-inf")).softmax(dim=-1)


def plain_transformer(model: nn.Module) -> PlainTransformer | None:
    """The plain twin of a TransformerBridge, from its present weights; None if it would not be the same model.

    That is: another architecture than GPT-2, or hooks in place, which the plain model would not run.

    >>> from mi_tutor.specimens import open_specimen, encode
    >>> model = open_specimen("primer", device="cpu")
    >>> tokens = encode(model, "The capital of France is")
    >>> plain_transformer(model).run(tokens)["blocks.1.attn.hook_z"].shape
    torch.Size([1, 6, 4, 16])
    """
    if not is_plain_gpt2(model) or has_hooks(model):
        return None
    return PlainTransformer(
        W_E=model.W_E.detach(),
        W_pos=model.W_pos.detach(),
        blocks=tuple(plain_block(block) for block in model.blocks),
        ln_final=detached(model.ln_final.weight, model.ln_final.bias),
        unembed=detached(model.W_U, model.b_U),
        n_heads=model.cfg.n_heads,
        eps=model.cfg.eps,
        activation=ACTIVATIONS[model.cfg.act_fn],
    )


def is_plain_gpt2(model: nn.Module) -> bool:
    """Whether a model's config asks for exactly the arithmetic of this file."""
    cfg = model.cfg
    return (
        getattr(cfg, "architecture", None) == "GPT2LMHeadModel"
        and cfg.act_fn in ACTIVATIONS
        and not cfg.scale_attn_by_inverse_layer_idx
        and getattr(model.original_model.config, "scale_attn_weights", True)
        and not model.training
    )


def has_hooks(model: nn.Module) -> bool:
    """Whether any hook is in place: TransformerLens's or torch's own, on any module, forward or backward."""
    return any(
        not is_theirs(hook)
        for module in chain([model], model.original_model.modules())
        for hooks in hooks_of(module)
        for hook in hooks.values()
    )


def hooks_of(module: nn.Module) -> tuple[Mapping[int, Callable], ...]:
    """All hooks of one module."""
    return (
        module._forward_pre_hooks,
        module._forward_hooks,
        module._backward_pre_hooks,
        module._backward_hooks,
    )


def is_theirs(hook: Callable) -> bool:
    """Whether a hook is one that the libraries put in themselves, for good, to look at a running model."""
    home = getattr(hook, "__module__", None) or ""
    return home.startswith(("transformer_lens.model_bridge.", "transformers."))


def plain_block(block: nn.Module) -> Block:
    """One block's weights, from a bridge's block."""
    attn, mlp = block.attn, block.mlp
    W_qkv = torch.cat([attn.W_Q, attn.W_K, attn.W_V])  # [3 * head, d_model, d_head]
    b_qkv = torch.cat([attn.b_Q, attn.b_K, attn.b_V])
    return Block(
        ln1=detached(block.ln1.weight, block.ln1.bias),
        qkv=detached(rearrange(W_qkv, "head i d_head -> i (head d_head)"), b_qkv.flatten()),
        out=detached(attn.W_O.flatten(0, 1), attn.b_O),
        ln2=detached(block.ln2.weight, block.ln2.bias),
        mlp_in=detached(mlp.W_in, mlp.b_in),
        mlp_out=detached(mlp.W_out, mlp.b_out),
    )


def detached(W: Tensor, b: Tensor) -> Affine:
    """Weights that take no gradients."""
    return Affine(W.detach(), b.detach())
