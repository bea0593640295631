"""One step's gradients, as autograd finds them: what a learner writes, and what `written` is held against.

pre     = (x - b_dec) W_enc + b_enc
latents = kind(pre)
y_hat   = latents W_dec + b_dec                     y is x, or a transcoder's target
L       = ||y - y_hat||^2 + lambda * penalty + weight * auxiliary loss
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from mi_tutor.lab.dictionaries.config import Auxiliary
from mi_tutor.lab.dictionaries.kinds import BatchTopK, Kind
from mi_tutor.lab.dictionaries.losses import auxiliary_loss, reconstruction_loss
from mi_tutor.lab.dictionaries.model import Sae, remove_parallel, unit_decoder


class Seen(NamedTuple):
    """What a step saw on the way.

    Attributes:
        reconstruction: the loss's first term; may be 0 if it was not wanted.
        fired: whether each latent was on anywhere in the batch.
        l0: latents on per sample, mean; may be 0 if it was not wanted.
        smallest: the smallest latent that was on, for BatchTopK's threshold; 0 for other kinds.
    """

    reconstruction: Float[Tensor, ""]
    fired: Bool[Tensor, "latent"]
    l0: Float[Tensor, ""]
    smallest: Float[Tensor, ""]


class Goal(NamedTuple):
    """What a step works for, besides the reconstruction.

    Attributes:
        sparsity: lambda at this step.
        revive: the auxiliary loss, if there is one.
        dead: the latents that count as dead, None if there are none.
        count: whether the reconstruction's loss and L0 are wanted, which the gradients do not need.
    """

    sparsity: float = 0.0
    revive: Auxiliary | None = None
    dead: Bool[Tensor, "latent"] | None = None
    count: bool = True


@dataclass(frozen=True)
class Weights:
    """The tensors that Adam moves, and the dictionary that they are.

    Thresholds are moved as their logarithm, which keeps them above 0 (Rajamanoharan et al. 2024b).
    """

    moved: dict[str, Tensor]
    template: Sae
    memory: dict[str, Tensor] = field(default_factory=dict)

    @classmethod
    def of(cls, sae: Sae) -> "Weights":
        """Leaves that start from a dictionary. Memory layout is kept."""
        moved = {name: value.detach().clone() for name, value in sae.tensors().items()}
        threshold = moved.pop("threshold", None)
        if threshold is not None and not isinstance(sae.kind, BatchTopK):
            moved["log_threshold"] = threshold.log()
        return cls({name: value.requires_grad_() for name, value in moved.items()}, sae)

    def sae(self) -> Sae:
        """The dictionary as it is now; gradients flow through it."""
        moved = dict(self.moved)
        if "log_threshold" in moved:
            moved["threshold"] = moved.pop("log_threshold").exp()
        return replace(self.template, **moved)

    def with_kind(self, kind: Kind) -> "Weights":
        """The same tensors, seen as another kind: TopK with the k of this step, say."""
        if kind == self.template.kind:
            return self
        return replace(self, template=replace(self.template, kind=kind))

    def four(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """W_enc, b_enc, W_dec, b_dec."""
        return tuple(self.moved[name] for name in ("W_enc", "b_enc", "W_dec", "b_dec"))

    def scratch(self, name: str, shape: tuple[int, int]) -> Tensor:
        """Memory for a large intermediate result, the same in every step: fresh memory would cost more than
        its use."""
        if name not in self.memory or self.memory[name].shape != shape:
            self.memory[name] = self.moved["W_enc"].new_empty(shape)
        return self.memory[name]

    def put(self, sae: Sae) -> None:
        """Take over the weights of a dictionary, in place."""
        with torch.no_grad():
            for name, value in self.moved.items():
                value.copy_(sae.threshold.log() if name == "log_threshold" else getattr(sae, name))


Gradients = Callable[[Weights, Tensor, Tensor, Goal], Seen]


def autograd_gradients(
    weights: Weights, x: Float[Tensor, "batch d_in"], y: Float[Tensor, "batch d_out"], goal: Goal
) -> Seen:
    """Put the gradient of the loss into each weight's .grad."""
    sae = weights.sae()
    pre = sae.pre_activations(x)
    latents = sae.kind.latents(pre, sae.threshold)
    y_hat = sae.decode(latents)

    reconstruction = reconstruction_loss(y, y_hat)
    loss = reconstruction + goal.sparsity * sae.kind.penalty(pre, latents, sae.threshold, sae.W_dec)
    if goal.revive and goal.dead is not None:
        loss = loss + goal.revive.weight * auxiliary_loss(
            y - y_hat, pre, sae.W_dec, goal.dead, goal.revive.k
        )
    for weight in weights.moved.values():
        weight.grad = None
    loss.backward()

    on = latents.detach() > 0
    smallest = reconstruction.new_zeros(())
    if isinstance(sae.kind, BatchTopK) and on.any():
        smallest = latents.detach()[on].min()
    return Seen(reconstruction.detach(), on.any(dim=0), on.sum(dim=-1).float().mean(), smallest)


@torch.no_grad()
def move(weights: Weights, optimizer: torch.optim.Optimizer, unit_norm: bool) -> None:
    """One step of the optimizer; with unit_norm the decoder's rows stay on the unit sphere."""
    W_dec = weights.moved["W_dec"]
    W_dec.grad = weights.template.allowed(W_dec.grad)
    if unit_norm:
        W_dec.grad = remove_parallel(W_dec.grad, W_dec)
    optimizer.step()
    if unit_norm:
        W_dec.copy_(unit_decoder(W_dec))
