"""What is changed while a model runs: a vector added, or a latent held at a value.

    add      x' = x + c v                             (Turner et al. 2023, Rimsky et al. 2024)
    clamp    x' = x + (value - f_i(x)) W_dec[i]       (Templeton et al. 2024)

The second is what is left when x = decode(f) + error is decoded again with one latent at `value`: the other
latents and the error, what the dictionary leaves out, stay as they are.

Each is done at a site, at the positions that `where` chooses. A choice looks at tokens and positions only, and a
change at one position only at that position, so that a text can be written token by token.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from mi_tutor.lab.swaps.latents import Dictionary

Where = Callable[[Tensor, Tensor], Tensor]


class Intervention(NamedTuple):
    """A change of one component of one layer.

    Attributes:
        layer, component: the site, such as layer 4's "resid_pre".
        change: from an activation [row pos d_model] to what stands in its place.
        where: from tokens [row pos] and their positions [pos] to the places that are changed, [row pos].
    """

    layer: int
    component: str
    change: Callable[[Tensor], Tensor]
    where: Where

    def apply(
        self,
        x: Float[Tensor, "row pos d_model"],
        tokens: Int[Tensor, "row pos"],
        positions: Int[Tensor, "pos"],
    ) -> Float[Tensor, "row pos d_model"]:
        """The activation with the change at the chosen places, as precise as it was: a vector may be more so."""
        changed = self.change(x).to(x.dtype)
        return torch.where(self.where(tokens, positions)[..., None], changed, x)


def everywhere(
    tokens: Int[Tensor, "row pos"], positions: Int[Tensor, "pos"]
) -> Bool[Tensor, "row pos"]:
    """All positions but 0, which is BOS: nothing is said there, and what it holds is unlike all else.

    >>> everywhere(torch.tensor([[7, 8, 9]]), torch.arange(3))
    tensor([[False,  True,  True]])
    """
    return (positions > 0).expand(tokens.shape)


def at_tokens(ids: Sequence[int]) -> Where:
    """Where one of these tokens stands, BOS's place left out: " .", say, the end of a sentence.

    >>> at_tokens([7])(torch.tensor([[7, 7, 9]]), torch.arange(3))
    tensor([[False,  True, False]])
    """
    wanted = torch.tensor(sorted(ids))

    def where(tokens: Tensor, positions: Tensor) -> Tensor:
        return torch.isin(tokens, wanted.to(tokens.device)) & everywhere(tokens, positions)

    return where


def at_positions(first: int, last: int | None = None) -> Where:
    """From one position on, up to and with another: what comes after a prompt, or a prompt's end.

    >>> at_positions(1, 2)(torch.tensor([[7, 8, 9, 9]]), torch.arange(4))
    tensor([[False,  True,  True, False]])
    """

    def where(tokens: Tensor, positions: Tensor) -> Tensor:
        end = positions if last is None else torch.full_like(positions, last)
        return ((positions >= first) & (positions <= end)).expand(tokens.shape)

    return where


def clamp_latent(
    x: Float[Tensor, "row pos d_model"],
    latents: Float[Tensor, "row pos latent"],
    W_dec: Float[Tensor, "latent d_model"],
    latent: int,
    value: float,
) -> Float[Tensor, "row pos d_model"]:
    """One latent held at a value, at all positions but 0; the rest of x, the error too, stays as it is.

    The decoder's bias is in the reconstruction before and after, so it falls out.

    >>> x, latents = torch.tensor([[[5.0], [5.0]]]), torch.tensor([[[1.0], [1.0]]])
    >>> clamp_latent(x, latents, torch.tensor([[2.0]]), 0, 4.0).flatten()
    tensor([ 5., 11.])
    """
    step = (value - latents[..., latent])[..., None] * W_dec[latent]
    step[:, 0] = 0
    return x + step


def clamp_many(
    x: Float[Tensor, "*batch d_model"],
    latents: Float[Tensor, "*batch latent"],
    W_dec: Float[Tensor, "latent d_model"],
    chosen: Int[Tensor, "chosen"],
    values: Float[Tensor, "chosen"],
    keep_norm: bool = False,
) -> Float[Tensor, "*batch d_model"]:
    """Several latents held at values, the error kept. keep_norm: scaled back to the length that x had.

    >>> x, latents = torch.tensor([[3.0, 4.0]]), torch.tensor([[3.0, 4.0]])
    >>> clamp_many(x, latents, torch.eye(2), torch.tensor([0]), torch.tensor([0.0]))
    tensor([[0., 4.]])
    >>> clamp_many(x, latents, torch.eye(2), torch.tensor([0]), torch.tensor([0.0]), keep_norm=True)
    tensor([[0., 5.]])
    """
    changed = x + (values - latents[..., chosen]) @ W_dec[chosen]
    return with_norm_of(x, changed) if keep_norm else changed


def with_norm_of(
    x: Float[Tensor, "*batch d_model"], changed: Float[Tensor, "*batch d_model"]
) -> Float[Tensor, "*batch d_model"]:
    """The changed vectors, each as long as it was. 0 stays 0."""
    norm = changed.norm(dim=-1, keepdim=True)
    return changed * x.norm(dim=-1, keepdim=True) / torch.where(norm > 0, norm, 1.0)


def clamp_latents(
    x: Float[Tensor, "*batch d_model"],
    dictionary: Dictionary,
    latents: Sequence[int],
    values: Float[Tensor, "chosen"] | float,
    keep_error: bool = True,
) -> Float[Tensor, "*batch d_model"]:
    """The activation when some latents of a dictionary are held at a value, whatever they would be.

    keep_error: whether what the dictionary leaves out is put back. Without it more than the latents changes.

    >>> from mi_tutor.lab.dictionaries import Sae
    >>> eye = torch.eye(2)
    >>> half = Sae(W_enc=eye, b_enc=torch.zeros(2), W_dec=eye / 2, b_dec=torch.zeros(2))
    >>> clamp_latents(torch.tensor([[2.0, 4.0]]), half, [0], 10.0)
    tensor([[6., 4.]])
    >>> clamp_latents(torch.tensor([[2.0, 4.0]]), half, [0], 10.0, keep_error=False)
    tensor([[5., 2.]])
    """
    before = dictionary.encode(x)
    after = before.clone()
    after[..., list(latents)] = torch.as_tensor(values, dtype=x.dtype, device=x.device)
    changed = dictionary.decode(after)
    return x + changed - dictionary.decode(before) if keep_error else changed


def added(
    vector: Float[Tensor, "*row d_model"],
    layer: int,
    strength: float = 1.0,
    where: Where = everywhere,
    component: str = "resid_pre",
) -> Intervention:
    """Add a vector to a component, at the chosen places: one for all, or [row 1 d_model], one for each text.

    >>> it = added(torch.ones(1), layer=0, strength=2.0)
    >>> it.apply(torch.zeros(1, 2, 1), torch.zeros(1, 2, dtype=torch.long), torch.arange(2)).flatten()
    tensor([0., 2.])
    """
    return Intervention(layer, component, lambda x: x + strength * vector, where)


def added_from_start(
    vectors: Float[Tensor, "pos d_model"], layer: int, strength: float = 1.0
) -> list[Intervention]:
    """Add a vector of its own to each of a text's first positions but BOS's, as ActAdd does.

    >>> [it] = added_from_start(torch.tensor([[9.0], [5.0]]), layer=0)
    >>> it.apply(torch.zeros(1, 3, 1), torch.zeros(1, 3, dtype=torch.long), torch.arange(3)).flatten()
    tensor([0., 5., 0.])
    """
    return [
        added(vector, layer, strength, at_positions(position, position))
        for position, vector in enumerate(vectors)
        if position > 0
    ]


def clamped(
    dictionary: Dictionary,
    latents: Sequence[int],
    values: Float[Tensor, "chosen"] | float,
    layer: int,
    component: str,
    where: Where = everywhere,
    keep_error: bool = True,
) -> Intervention:
    """Hold some latents of a component's dictionary at a value, at the chosen places."""
    return Intervention(
        layer,
        component,
        lambda x: clamp_latents(x, dictionary, latents, values, keep_error),
        where,
    )


def with_norm_kept(intervention: Intervention) -> Intervention:
    """The same change, after which each vector is as long as it was: its direction turns, and that is all."""

    return intervention._replace(change=lambda x: with_norm_of(x, intervention.change(x)))
