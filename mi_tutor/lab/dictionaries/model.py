"""A sparse dictionary: encode an activation into few latents, decode it from them.

    f(x)  = ReLU((x - b_dec) W_enc + b_enc)        latents      (Bricken et al. 2023)
    x_hat = f(x) W_dec + b_dec                     reconstruction

A *feature* is in the data, a *latent* is a unit of the dictionary. Row i of W_dec is the direction that latent
i writes, column i of W_enc is what it looks for. Both look at x relative to b_dec, so that the latents explain
how x differs from what is typical.

A sparse autoencoder reconstructs its input. A transcoder (Dunefsky et al. 2024) is the same thing with another
target: it reads what goes into an MLP and reconstructs what comes out. There, b_dec belongs to the target and
is not subtracted from the input.
"""

from dataclasses import dataclass, field, fields, replace

import torch
from jaxtyping import Float
from torch import Tensor

from mi_tutor.lab.dictionaries.kinds import Kind, Relu


def sae_encode(
    x: Float[Tensor, "*batch d_in"],
    W_enc: Float[Tensor, "d_in latent"],
    b_enc: Float[Tensor, "latent"],
    b_dec: Float[Tensor, "d_in"],
) -> Float[Tensor, "*batch latent"]:
    """ReLU((x - b_dec) W_enc + b_enc): the latents of a ReLU dictionary.

    >>> sae_encode(torch.tensor([[3.0]]), torch.tensor([[1.0, -1.0]]), torch.zeros(2), torch.ones(1))
    tensor([[2., 0.]])
    """
    return torch.relu(pre_activations(x, W_enc, b_enc, b_dec))


def pre_activations(
    x: Float[Tensor, "*batch d_in"],
    W_enc: Float[Tensor, "d_in latent"],
    b_enc: Float[Tensor, "latent"],
    b_dec: Float[Tensor, "d_in"] | None,
) -> Float[Tensor, "*batch latent"]:
    """(x - b_dec) W_enc + b_enc, what the activation function decides on. b_dec None: nothing is subtracted.

    >>> pre_activations(torch.tensor([[3.0]]), torch.tensor([[1.0, -1.0]]), torch.zeros(2), None)
    tensor([[ 3., -3.]])
    """
    centred = x if b_dec is None else x - b_dec
    return centred @ W_enc + b_enc


def sae_decode(
    latents: Float[Tensor, "*batch latent"],
    W_dec: Float[Tensor, "latent d_out"],
    b_dec: Float[Tensor, "d_out"],
) -> Float[Tensor, "*batch d_out"]:
    """latents W_dec + b_dec: the reconstruction.

    >>> sae_decode(torch.tensor([[2.0, 0.0]]), torch.tensor([[1.0], [-1.0]]), torch.ones(1))
    tensor([[3.]])
    """
    return latents @ W_dec + b_dec


def unit_decoder(W_dec: Float[Tensor, "latent d_out"]) -> Float[Tensor, "latent d_out"]:
    """Every row scaled to norm 1: a latent's direction says what it writes, its value how much.

    A row of zeros has no direction and stays as it is.

    >>> unit_decoder(torch.tensor([[3.0, 4.0], [0.0, 2.0]]))
    tensor([[0.6000, 0.8000],
            [0.0000, 1.0000]])
    """
    norm = W_dec.norm(dim=-1, keepdim=True)
    return W_dec / torch.where(norm > 0, norm, 1.0)


def remove_parallel(
    gradient: Float[Tensor, "latent d_out"], W_dec: Float[Tensor, "latent d_out"]
) -> Float[Tensor, "latent d_out"]:
    """The gradient without its part along each row of W_dec: g_i - (g_i . w_i) w_i, where w_i is the row's
    unit vector.

    Rows are scaled back to norm 1 after each step, so a step along a row is undone at once. Left in the
    gradient, that part would still fill Adam's moments (Bricken et al. 2023).

    >>> remove_parallel(torch.tensor([[5.0, 7.0]]), torch.tensor([[0.0, 2.0]]))
    tensor([[5., 0.]])
    """
    unit = unit_decoder(W_dec)
    along = torch.linalg.vecdot(gradient, unit)[:, None]
    return torch.addcmul(gradient, along, unit, value=-1)


@dataclass(frozen=True, kw_only=True)
class Sae:
    """A dictionary's weights, and what it computes with them. A transcoder too.

    Args:
        W_enc, b_enc: the encoder.
        W_dec, b_dec: the decoder.
        kind: how pre-activations become latents.
        threshold: of each latent, for JumpRelu.
        centred: whether b_dec is subtracted from the input. False for transcoders.

    Raises ValueError if the shapes do not belong together.

    >>> sae = Sae(W_enc=torch.eye(2), b_enc=torch.zeros(2), W_dec=torch.eye(2), b_dec=torch.zeros(2))
    >>> sae(torch.tensor([[1.0, -1.0]]))
    tensor([[1., 0.]])
    """

    W_enc: Float[Tensor, "d_in latent"]
    b_enc: Float[Tensor, "latent"]
    W_dec: Float[Tensor, "latent d_out"]
    b_dec: Float[Tensor, "d_out"]
    kind: Kind = field(default_factory=Relu)
    threshold: Float[Tensor, "latent"] | None = None
    centred: bool = True

    def __post_init__(self) -> None:
        if self.centred and self.d_in != self.d_out:
            raise ValueError(
                f"The input has {self.d_in} dimensions and b_dec has {self.d_out}, so b_dec cannot be subtracted "
                "from the input. For a transcoder set centred=False."
            )
        if (self.b_enc.shape, self.b_dec.shape) != ((self.d_sae,), (self.d_out,)) or (
            self.W_dec.shape[0] != self.d_sae
        ):
            seen = {name: tuple(value.shape) for name, value in self.tensors().items()}
            raise ValueError(
                "Shapes should be W_enc [d_in d_sae], b_enc [d_sae], W_dec [d_sae d_out], b_dec [d_out]; got "
                f"{seen}."
            )

    def pre_activations(self, x: Float[Tensor, "*batch d_in"]) -> Float[Tensor, "*batch latent"]:
        """What the kind decides on."""
        return pre_activations(x, self.W_enc, self.b_enc, self.b_dec if self.centred else None)

    def encode(self, x: Float[Tensor, "*batch d_in"]) -> Float[Tensor, "*batch latent"]:
        """The latents."""
        return self.kind.latents(self.pre_activations(x), self.threshold)

    def decode(self, latents: Float[Tensor, "*batch latent"]) -> Float[Tensor, "*batch d_out"]:
        """The reconstruction from latents."""
        return sae_decode(latents, self.W_dec, self.b_dec)

    def __call__(self, x: Float[Tensor, "*batch d_in"]) -> Float[Tensor, "*batch d_out"]:
        """The reconstruction."""
        return self.decode(self.encode(x))

    def allowed(self, gradient: Float[Tensor, "latent d_out"]) -> Float[Tensor, "latent d_out"]:
        """The part of W_dec's gradient that may move it: all. A family may hold some weights at 0."""
        return gradient

    @property
    def d_in(self) -> int:
        """Dimensions of the input."""
        return self.W_enc.shape[0]

    @property
    def d_sae(self) -> int:
        """Number of latents."""
        return self.W_enc.shape[1]

    @property
    def d_out(self) -> int:
        """Dimensions of what is reconstructed."""
        return self.W_dec.shape[1]

    def tensors(self) -> dict[str, Tensor]:
        """The weights by name, thresholds included if there are any."""
        found = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: value for name, value in found.items() if isinstance(value, Tensor)}

    def to(self, target: torch.device | str | torch.dtype) -> "Sae":
        """The same on another device, or in another precision."""
        return replace(self, **{name: value.to(target) for name, value in self.tensors().items()})


def folded(sae: Sae, scale_in: float, scale_out: float) -> Sae:
    """A dictionary trained on scale_in * x to give scale_out * y, rewritten for x and y themselves.

    W_dec keeps its norms; the latents are divided by scale_out. ReLU, TopK and JumpReLU allow this because they
    commute with a positive factor (the thresholds are scaled too).

    >>> sae = Sae(W_enc=torch.eye(1), b_enc=torch.ones(1), W_dec=torch.eye(1), b_dec=torch.zeros(1))
    >>> folded(sae, 2.0, 2.0)(torch.tensor([[3.0]])), sae(torch.tensor([[6.0]])) / 2
    (tensor([[3.5000]]), tensor([[3.5000]]))
    """
    return replace(
        sae,
        W_enc=sae.W_enc * (scale_in / scale_out),
        b_enc=sae.b_enc / scale_out,
        b_dec=sae.b_dec / scale_out,
        threshold=None if sae.threshold is None else sae.threshold / scale_out,
    )
