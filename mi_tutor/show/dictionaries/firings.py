"""Where every latent of a dictionary is on in some texts, kept so that one latent can be looked up at once.

Nearly all latents are 0 on nearly all tokens: what is kept is the values above 0, sorted by latent.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from tqdm.auto import tqdm

from mi_tutor.lab.dictionaries import Sae, activation_rows

TEXTS = 16  # that are read together
TOKENS = 1024  # that are encoded together


class Firings(NamedTuple):
    """The values above 0, sorted by latent and, for one latent, by place.

    Attributes:
        start: where each latent's values begin in the other two; one more than latents.
        place: which token, counted over all rows, without BOS.
        value: the latent there.
        shape: rows, and positions without BOS.
    """

    start: Int[Tensor, "latent+1"]
    place: Int[Tensor, "entry"]
    value: Float[Tensor, "entry"]
    shape: tuple[int, int]

    def of(self, latent: int) -> Float[Tensor, "row pos"]:
        """One latent on all tokens, without BOS."""
        found = torch.zeros(self.shape[0] * self.shape[1])
        mine = slice(self.start[latent], self.start[latent + 1])
        found[self.place[mine]] = self.value[mine]
        return found.reshape(self.shape)

    @property
    def density(self) -> Float[Tensor, "latent"]:
        """For each latent the share of tokens on which it is on."""
        return self.start.diff() / (self.shape[0] * self.shape[1])


@torch.no_grad()
def firings(sae: Sae, model: nn.Module, name: str, tokens: Int[Tensor, "row pos"]) -> Firings:
    """All latents on some texts (BOS first in each row). name: the hook that the dictionary reads.

    For a transcoder "blocks.1.mlp", whose input is what counts.

    >>> from mi_tutor.specimens import open_specimen, encode
    >>> model = open_specimen("primer", device="cpu")
    >>> sae = Sae(W_enc=torch.eye(64), b_enc=torch.zeros(64), W_dec=torch.eye(64), b_dec=torch.zeros(64))
    >>> found = firings(sae, model, "blocks.1.hook_resid_pre", encode(model, ["The capital of France is"]))
    >>> found.of(3).shape
    torch.Size([1, 5])
    """
    latents, places, values, done = [], [], [], 0
    for part in tqdm(tokens.split(TEXTS), desc="reading", delay=2, leave=False):
        rows = activation_rows(model, part, name)
        for x in (rows[0] if isinstance(rows, tuple) else rows).split(TOKENS):
            on = sae.encode(x.to(sae.W_enc)).cpu()
            token, latent = (on > 0).nonzero(as_tuple=True)
            latents.append(latent)
            places.append(token + done)
            values.append(on[token, latent])
            done += len(x)
    latent = torch.cat(latents)
    order = latent.argsort(stable=True)
    counts = torch.bincount(latent, minlength=sae.d_sae)
    start = torch.cat([counts.new_zeros(1), counts.cumsum(dim=0)])
    shape = len(tokens), tokens.shape[1] - 1
    return Firings(start, torch.cat(places)[order], torch.cat(values)[order], shape)
