"""Read a latent: where is it on, what does it do, how rare is it.

1. Top contexts: the tokens on which it is highest, each with some text around it. They show what the latent is
   at its clearest; look at weaker ones too, which often tell another story.
2. Logit effects: its row of the decoder, seen by the unembedding. This is the direct path only, exact in the
   last layer; in early ones most of what a latent does goes through later layers.
3. Density: the share of tokens on which it is on.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from mi_tutor.lab.dictionaries.finite import check_finite
from mi_tutor.lab.dictionaries.model import Sae


class Context(NamedTuple):
    """A token on which a latent is on, with its surroundings.

    Attributes:
        row, position: of the token.
        activation: the latent there.
        tokens, activations: the surroundings, the token among them.
        here: where in them the token stands.
    """

    row: int
    position: int
    activation: float
    tokens: list[int]
    activations: list[float]
    here: int


class LatentCard(NamedTuple):
    """What there is to see of one latent."""

    latent: int
    density: float
    contexts: list[Context]
    raised: list[tuple[int, float]]  # token, change of its logit per unit of the latent
    lowered: list[tuple[int, float]]


def read_a_latent(
    latent: int,
    activations: Float[Tensor, "row pos"],
    tokens: Int[Tensor, "row pos"],
    W_dec: Float[Tensor, "latent d_model"],
    W_U: Float[Tensor, "d_model vocab"],
    n: int = 10,
) -> LatentCard:
    """Top contexts, logit effects and density of one latent.

    activations: of this latent, on texts of some thousand tokens.

    >>> activations, tokens = torch.tensor([[0.0, 2.0, 0.0, 1.0]]), torch.tensor([[0, 7, 8, 9]])
    >>> card = read_a_latent(0, activations, tokens, torch.eye(2), torch.eye(2), n=1)
    >>> card.density, card.contexts[0].tokens, card.raised
    (0.5, [0, 7, 8, 9], [(0, 0.5)])
    """
    raised, lowered = logit_effects(W_dec[latent], W_U, n)
    return LatentCard(
        latent=latent,
        density=(activations > 0).float().mean().item(),
        contexts=top_contexts(activations, tokens, n),
        raised=raised,
        lowered=lowered,
    )


def top_contexts(
    activations: Float[Tensor, "row pos"],
    tokens: Int[Tensor, "row pos"],
    n: int,
    around: int = 10,
) -> list[Context]:
    """The n tokens on which a latent is highest, highest first, with `around` tokens on both sides.

    Fewer than n if the latent is on less often. Of equal values the earlier token comes first.

    >>> [found] = top_contexts(torch.tensor([[0.0, 3.0, 0.0]]), torch.tensor([[5, 6, 7]]), n=4, around=1)
    >>> found.activation, found.tokens, found.here
    (3.0, [5, 6, 7], 1)
    """
    check_finite(activations=activations)
    values, places = activations.flatten().sort(descending=True, stable=True)
    contexts = []
    for value, place in zip(values[:n].tolist(), places[:n].tolist(), strict=True):
        if value <= 0:
            break
        row, position = divmod(place, activations.shape[1])
        start = max(0, position - around)
        window = slice(start, position + around + 1)
        shown = tokens[row, window].tolist(), activations[row, window].tolist()
        contexts.append(Context(row, position, value, *shown, position - start))
    return contexts


def logit_effects(
    direction: Float[Tensor, "d_model"], W_U: Float[Tensor, "d_model vocab"], n: int
) -> tuple[list[tuple[int, float]], list[tuple[int, float]]]:
    """The tokens whose logits a direction raises most, and those it lowers most, by its direct path.

    Logits count relative to their mean, since adding the same to all of them changes no probability. The final
    LayerNorm divides all effects by the same number, which is left out.

    >>> logit_effects(torch.tensor([1.0]), torch.tensor([[4.0, 0.0, -1.0]]), n=1)
    ([(0, 3.0)], [(2, -2.0)])
    """
    effects = direction @ W_U
    effects = effects - effects.mean()
    raised, lowered = effects.topk(n), effects.topk(n, largest=False)
    return tuple(
        list(zip(found.indices.tolist(), found.values.tolist(), strict=True))
        for found in (raised, lowered)
    )


@torch.no_grad()
def encode_texts(
    sae: Sae, activations: Float[Tensor, "row pos d_in"]
) -> Float[Tensor, "row pos latent"]:
    """All latents on some texts, and 0 at position 0: BOS is no word, and its activation is like no other."""
    latents = sae.encode(activations)
    latents[:, 0] = 0.0
    return latents
