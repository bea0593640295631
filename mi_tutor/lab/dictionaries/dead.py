"""Dead latents: how they are counted, and how one starts again.

A latent that never fires gets no gradient, so it never learns to fire. Whether it is dead can only be said
over many samples: a good latent may be on once in ten thousand tokens, and over one batch almost every latent
looks dead.
"""

from dataclasses import replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from mi_tutor.lab.dictionaries.kinds import JumpRelu
from mi_tutor.lab.dictionaries.model import Sae, unit_decoder


def count_silence(
    silent: Int[Tensor, "latent"], latents: Float[Tensor, "batch latent"]
) -> Int[Tensor, "latent"]:
    """For how many samples each latent has been silent, after one more batch.

    A latent that fires anywhere in the batch starts again at 0, the others grow by the batch's size.

    >>> count_silence(torch.tensor([10, 10]), torch.tensor([[0.0, 1.5], [0.0, 0.0]]))
    tensor([12,  0])
    """
    fired = (latents > 0).any(dim=0)
    return torch.where(fired, 0, silent + len(latents))


def dead_latents(silent: Int[Tensor, "latent"], window: int) -> Bool[Tensor, "latent"]:
    """The latents that did not fire within the last `window` samples.

    >>> dead_latents(torch.tensor([0, 999, 1000]), window=1000)
    tensor([False, False,  True])
    """
    if window < 1:
        raise ValueError(f"window is a number of samples from 1, got {window}.")
    return silent >= window


def resample(
    sae: Sae,
    x: Float[Tensor, "row d_in"],
    dead: Bool[Tensor, "latent"],
    generator: torch.Generator,
    target: Float[Tensor, "row d_out"] | None = None,
    encoder_scale: float = 0.2,
) -> Sae:
    """Dead latents start again at what is reconstructed badly; the living ones stay as they are.

    After Bricken et al. 2023. For each dead latent one input is drawn, with a probability that is proportional
    to its SQUARED loss, (||x - x_hat||^2)^2, and no input twice while there are enough. The latent then

        writes   the direction of x - x_hat, what is missing there, with norm 1
        reads    the same direction, with `encoder_scale` times the mean norm of the living encoder columns
        b_enc    0
        starts   a JumpRelu's threshold at the kind's `start`, as before training

    Without the last, a latent that died because its threshold had grown would stay dead. Bricken et al. take the
    direction of x itself. The difference x - x_hat leaves out what other latents explain already. A transcoder
    reads where the input differs from the mean input.

    x: inputs to look at, some thousands. target: what should be reconstructed, if not x.

    Returns the same dictionary if no latent is dead, or everything is reconstructed perfectly.
    """
    error = (x if target is None else target) - sae(x)
    chance = error.square().sum(dim=-1).square()
    n_dead = int(dead.sum())
    if n_dead == 0 or not chance.sum() > 0:
        return sae
    n_possible = int((chance > 0).sum())
    drawn = torch.multinomial(chance, n_dead, replacement=n_dead > n_possible, generator=generator)
    writes = unit_decoder(error[drawn])
    reads = writes if target is None else unit_decoder((x - x.mean(dim=0))[drawn])
    living = sae.W_enc[:, ~dead].norm(dim=0)
    norm = encoder_scale * (living.mean() if len(living) else 1.0)

    W_enc, b_enc, W_dec = sae.W_enc.clone(), sae.b_enc.clone(), sae.W_dec.clone()
    W_enc[:, dead] = norm * reads.mT
    b_enc[dead] = 0
    W_dec[dead] = writes
    threshold = sae.threshold
    if threshold is not None and isinstance(sae.kind, JumpRelu):
        threshold = torch.where(dead, sae.kind.start, threshold)
    return replace(sae, W_enc=W_enc, b_enc=b_enc, W_dec=W_dec, threshold=threshold)
