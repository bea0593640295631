"""A crosscoder: one set of latents that reads the activations of two models at once, and writes both.

    f(x)     = ReLU(sum over m of  x^m W_enc^m  + b_enc)              (Lindsey et al. 2024)
    x_hat^m  = f(x) W_dec^m + b_dec^m                                 for each model m

    L = sum_m ||x^m - x_hat^m||^2  +  lambda * sum_i f_i * sum_m ||W_dec_i^m||

Latent i has one value and two directions: what it writes in the base (m = 0) and in the tuned model (m = 1). If
it writes in one of them only, it may be a concept that this one alone has.

The penalty adds up the NORMS of a latent's two directions. The norm of both together would make a shared latent
cheaper by a factor of up to sqrt(2). With the sum, two latents for one concept, one in each model, cost no more
than one for both, and a direction that is hardly worth its norm goes to 0: two artefacts (`scaling`, `twins`).

Shapes: activations are [*batch model d_model], W_enc is [model d_model latent], W_dec [latent model d_model].
"""

from dataclasses import dataclass, field, fields, replace
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from mi_tutor.lab.dictionaries import Relu, batch_top_k
from mi_tutor.lab.dictionaries.kinds import Kind


def crosscoder_pre_activations(
    x: Float[Tensor, "*batch model d_model"],
    W_enc: Float[Tensor, "model d_model latent"],
    b_enc: Float[Tensor, "latent"],
) -> Float[Tensor, "*batch latent"]:
    """Each latent reads all models.

    >>> crosscoder_pre_activations(torch.tensor([[[2.0], [3.0]]]), torch.ones(2, 1, 1), torch.zeros(1))
    tensor([[5.]])
    """
    return torch.einsum("...md,mdl->...l", x, W_enc) + b_enc


def crosscoder_decode(
    latents: Float[Tensor, "*batch latent"],
    W_dec: Float[Tensor, "latent model d_model"],
    b_dec: Float[Tensor, "model d_model"],
) -> Float[Tensor, "*batch model d_model"]:
    """The reconstruction of each model's activation.

    >>> W_dec = torch.tensor([[[1.0], [0.0]]])  # written in the first model only
    >>> crosscoder_decode(torch.tensor([[2.0]]), W_dec, torch.ones(2, 1)).flatten()
    tensor([3., 1.])
    """
    return torch.einsum("...l,lmd->...md", latents, W_dec) + b_dec


def summed_norm(W_dec: Float[Tensor, "latent model d_model"]) -> Float[Tensor, "latent"]:
    """sum_m ||W_dec_i^m||: the price of a latent.

    >>> summed_norm(torch.tensor([[[3.0, 4.0], [0.0, 1.0]]]))
    tensor([6.])
    """
    return W_dec.norm(dim=-1).sum(dim=-1)


def crosscoder_loss(
    x: Float[Tensor, "batch model d_model"],
    x_hat: Float[Tensor, "batch model d_model"],
    latents: Float[Tensor, "batch latent"],
    W_dec: Float[Tensor, "latent model d_model"],
    l1: float,
) -> Float[Tensor, ""]:
    """The loss: SUM over models, dimensions and latents, MEAN over the batch.

    >>> x, W_dec = torch.ones(1, 2, 1), torch.tensor([[[1.0], [2.0]]])
    >>> crosscoder_loss(x, torch.zeros_like(x), torch.tensor([[3.0]]), W_dec, l1=0.5)
    tensor(6.5000)
    """
    reconstruction = (x - x_hat).square().sum(dim=(-1, -2)).mean()
    return reconstruction + l1 * (latents * summed_norm(W_dec)).sum(dim=-1).mean()


def crosscoder_forward(
    x: Float[Tensor, "batch model d_model"],
    W_enc: Float[Tensor, "model d_model latent"],
    b_enc: Float[Tensor, "latent"],
    W_dec: Float[Tensor, "latent model d_model"],
    b_dec: Float[Tensor, "model d_model"],
    l1: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """(latents, x_hat, loss) of a ReLU crosscoder: the whole of it on one screen."""
    latents = torch.relu(crosscoder_pre_activations(x, W_enc, b_enc))
    x_hat = crosscoder_decode(latents, W_dec, b_dec)
    return latents, x_hat, crosscoder_loss(x, x_hat, latents, W_dec, l1)


def batch_top_k_latents(
    pre: Float[Tensor, "batch latent"], W_dec: Float[Tensor, "latent model d_model"], k: int
) -> Float[Tensor, "batch latent"]:
    """BatchTopK for a crosscoder (Minder et al. 2025): kept are the k * batch largest  f_i * sum_m ||W_dec_i^m||.

    There is no penalty, so nothing pulls a direction to 0.

    >>> batch_top_k_latents(torch.tensor([[1.0, 2.0]]), torch.tensor([[[4.0], [0.0]], [[1.0], [0.0]]]), k=1)
    tensor([[1., 0.]])
    """
    norm = summed_norm(W_dec)
    kept = batch_top_k(pre * norm, k)
    return torch.where(kept > 0, pre, torch.zeros_like(pre))


@dataclass(frozen=True, kw_only=True)
class Crosscoder:
    """A crosscoder's weights, and what it computes with them.

    Args:
        kind, threshold: as in `Sae`. A trained BatchTopK is a JumpRelu with one threshold.

    Raises ValueError if the shapes do not belong together.

    >>> one = Crosscoder(W_enc=torch.ones(2, 1, 1), b_enc=torch.zeros(1), W_dec=torch.full((1, 2, 1), 0.5),
    ...     b_dec=torch.zeros(2, 1))
    >>> one(torch.tensor([[2.0], [3.0]])).flatten()
    tensor([2.5000, 2.5000])
    """

    W_enc: Float[Tensor, "model d_model latent"]
    b_enc: Float[Tensor, "latent"]
    W_dec: Float[Tensor, "latent model d_model"]
    b_dec: Float[Tensor, "model d_model"]
    threshold: Float[Tensor, "latent"] | None = None
    kind: Kind = field(default_factory=Relu)

    def __post_init__(self) -> None:
        n_models, d, n = self.W_enc.shape
        shapes = [tuple(each.shape) for each in self.tensors().values()]
        wanted = [(n_models, d, n), (n,), (n, n_models, d), (n_models, d)]
        if shapes[:4] != wanted or shapes[4:] not in ([], [(n,)]):
            raise ValueError(
                "Shapes should be W_enc [model d_model latent], b_enc [latent], W_dec [latent model d_model], "
                f"b_dec [model d_model], threshold [latent]; got {shapes}."
            )

    def pre_activations(
        self, x: Float[Tensor, "*batch model d_model"]
    ) -> Float[Tensor, "*batch latent"]:
        """`crosscoder_pre_activations` with its weights."""
        return crosscoder_pre_activations(x, self.W_enc, self.b_enc)

    def encode(self, x: Float[Tensor, "*batch model d_model"]) -> Float[Tensor, "*batch latent"]:
        """The latents."""
        return self.kind.latents(self.pre_activations(x), self.threshold)

    def decode(
        self, latents: Float[Tensor, "*batch latent"]
    ) -> Float[Tensor, "*batch model d_model"]:
        """`crosscoder_decode` with its weights."""
        return crosscoder_decode(latents, self.W_dec, self.b_dec)

    def __call__(
        self, x: Float[Tensor, "*batch model d_model"]
    ) -> Float[Tensor, "*batch model d_model"]:
        """The reconstruction of both activations."""
        return self.decode(self.encode(x))

    @property
    def d_sae(self) -> int:
        """Number of latents."""
        return len(self.b_enc)

    @cached_property
    def norms(self) -> Float[Tensor, "latent model"]:
        """The norm of what each latent writes in each model."""
        return self.W_dec.norm(dim=-1)

    def tensors(self) -> dict[str, Tensor]:
        """The weights by name, thresholds last if there are any."""
        found = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: value for name, value in found.items() if isinstance(value, Tensor)}

    def to(self, target: torch.device | str | torch.dtype) -> "Crosscoder":
        """The same on another device, or in another precision."""
        return replace(self, **{name: value.to(target) for name, value in self.tensors().items()})
