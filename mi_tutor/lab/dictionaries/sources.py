"""Where the samples come from: a model reads texts, and its activations are kept for a moment.

    texts(i)  ->  activations of one place  ->  some tokens more often, if asked for  ->  samples number i

Nothing is stored on disk. The samples of one chunk are a few ten thousand tokens of hundreds of texts;
`train_sae` shuffles each chunk as a whole, so neighbours in a text do not end up in the same batch more often
than others.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from mi_tutor.lab.ground.device import seeded
from mi_tutor.lab.ground.plain import plain_transformer
from mi_tutor.lab.ground.streams import activation_stream, token_rows


class Texts(NamedTuple):
    """Token ids with BOS at position 0, and which tokens training should see more often (None: no choice)."""

    tokens: Int[Tensor, "row pos"]
    chosen: Bool[Tensor, "row pos"] | None = None


@dataclass(frozen=True, kw_only=True)
class ActivationSource:
    """Samples for `train_sae`: source(i) is chunk i, made from texts(i) alone.

    Args:
        model: an opened specimen, or any TransformerBridge.
        name: the hook whose activation is the sample, such as "blocks.2.hook_resid_pre"; "blocks.2.mlp" gives
            pairs for a transcoder: what the MLP reads, LN(resid_mid), and what it writes. "mlps" gives such pairs
            of all layers, side by side in rows of layer * d_model.
        texts: texts number i. The same i must give the same texts.
        share: the share of samples that are chosen tokens (`oversample`); None leaves the text as it is.
        batch: texts per forward pass.

    Metrics belong on the text as it is, so measure with share=None.
    """

    model: nn.Module
    name: str
    texts: Callable[[int], Texts]
    share: float | None = None
    batch: int = 64

    def __call__(self, i: int) -> Tensor | tuple[Tensor, Tensor]:
        """Chunk i: [row d], or a pair of such."""
        tokens, chosen = self.texts(i)
        rows = activation_rows(self.model, tokens, self.name, self.batch)
        if self.share is None:
            return rows
        if chosen is None:
            raise ValueError(
                "share is set, but texts(i).chosen is None: which tokens should come more often?"
            )
        picked = oversample(chosen[:, 1:].flatten(), self.share, seeded(i))
        return tuple(part[picked] for part in rows) if isinstance(rows, tuple) else rows[picked]


def oversample(
    chosen: Bool[Tensor, "token"], share: float, generator: torch.Generator
) -> Int[Tensor, "sample"]:
    """Which tokens to take so that a given share of them is chosen ones. Each token is taken at most once.

    All of the rarer side are taken, and as many of the other, drawn at random, as the share asks for.

    Raises ValueError for a share outside of (0, 1), or if all or no tokens are chosen.

    >>> from mi_tutor.lab.ground.device import seeded
    >>> picked = oversample(torch.tensor([True, False, False, False]), share=0.5, generator=seeded(0))
    >>> len(picked), 0 in picked
    (2, True)
    """
    if not 0 < share < 1:
        raise ValueError(
            f"share should lie between 0 and 1, and be neither, got {share}; with 0.9 nine of ten samples are "
            "chosen tokens."
        )
    if chosen.all() or not chosen.any():
        raise ValueError(
            f"Some tokens should be chosen, and some not, but {int(chosen.sum())} of {len(chosen)} are."
        )
    sides = [side.nonzero()[:, 0] for side in (chosen, ~chosen)]
    n_samples = min(len(sides[0]) / share, len(sides[1]) / (1 - share))
    n_chosen = round(n_samples * share)
    counts = n_chosen, round(n_samples) - n_chosen
    draw = {"generator": generator, "device": generator.device}
    drawn = [
        side[torch.randperm(len(side), **draw)[:n].to(side.device)]
        for side, n in zip(sides, counts, strict=True)
    ]
    return torch.cat(drawn)


def activation_rows(
    model: nn.Module, tokens: Int[Tensor, "row pos"], name: str, batch: int = 64
) -> Float[Tensor, "token d"] | tuple[Float[Tensor, "token d"], Float[Tensor, "token d"]]:
    """One activation of every token but BOS; for a name like "blocks.2.mlp" input and output of that MLP, for
    "mlps" those of all layers side by side.

    >>> from mi_tutor.specimens import open_specimen, encode
    >>> model = open_specimen("primer", device="cpu")
    >>> tokens = encode(model, ["The capital of France is"])
    >>> [part.shape for part in activation_rows(model, tokens, "blocks.1.mlp")]
    [torch.Size([5, 64]), torch.Size([5, 64])]
    """
    batches = tokens.split(batch)
    if name == "mlps":
        pairs = [[part.flatten(-2) for part in mlp_pairs(model, each)] for each in batches]
    elif name.endswith(".mlp"):
        pairs = [mlp_pair(model, each, int(name.split(".")[1])) for each in batches]
    else:
        return torch.cat(list(token_rows(activation_stream(model, batches, name))))
    inputs, outputs = (torch.cat(list(token_rows(part))) for part in zip(*pairs, strict=True))
    return inputs, outputs


@torch.no_grad()
def mlp_pair(
    model: nn.Module, tokens: Int[Tensor, "row pos"], layer: int
) -> tuple[Float[Tensor, "row pos d_model"], Float[Tensor, "row pos d_model"]]:
    """What an MLP reads, the normalised LN(resid_mid), and what it writes."""
    plain = plain_transformer(model)
    if plain is None:
        names = [f"blocks.{layer}.mlp.hook_in", f"blocks.{layer}.hook_mlp_out"]
        _, cache = model.run_with_cache(tokens, names_filter=names, stop_at_layer=layer + 1)
        read, written = (cache[name] for name in names)
        return read.reshape(*written.shape[:-1], -1), written  # OPT reads all rows as one
    at = plain.activations(layer, tokens, until="mlp_out")
    return plain.mlp_reads(plain.blocks[layer], at["resid_mid"]), at["mlp_out"]


@torch.no_grad()
def mlp_pairs(
    model: nn.Module, tokens: Int[Tensor, "row pos"]
) -> tuple[Float[Tensor, "row pos layer d_model"], Float[Tensor, "row pos layer d_model"]]:
    """`mlp_pair` of every layer, in one pass."""
    plain = plain_transformer(model)
    if plain is None:
        each = [mlp_pair(model, tokens, layer) for layer in range(model.cfg.n_layers)]
    else:
        each, x = [], plain.embed(tokens)
        for layer, block in enumerate(plain.blocks):
            at = plain.complete(layer, {"resid_pre": x})
            each.append((plain.mlp_reads(block, at["resid_mid"]), at["mlp_out"]))
            x = at["resid_post"]
    reads, writes = (torch.stack(part, dim=-2) for part in zip(*each, strict=True))
    return reads, writes
