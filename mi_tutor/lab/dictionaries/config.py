"""What a training is: one frozen config, and two ways to bring dead latents back."""

import json
import math
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar

from mi_tutor.lab.dictionaries.kinds import Kind

K_AT_FIRST = 8  # times k, where k falls while sparsity builds up


@dataclass(frozen=True, kw_only=True)
class Auxiliary:
    """Dead latents learn to explain what the living ones leave: `auxiliary_loss` (Gao et al. 2024).

    Args:
        weight: of that loss.
        k: how many dead latents work on a sample. Gao et al. take about half of the input's dimensions.
    """

    name: ClassVar[str] = "auxiliary"
    k: int = 64
    weight: float = 1 / 32

    def __post_init__(self) -> None:
        if self.k < 1 or not 0 < self.weight < math.inf:
            raise ValueError(
                f"k should be at least 1 and weight above 0, got {self.k} and {self.weight}."
            )


@dataclass(frozen=True, kw_only=True)
class Resample:
    """Dead latents start again at inputs that are reconstructed badly: `resample` (Bricken et al. 2023).

    Args:
        every: steps between two looks for dead latents.
        until: the share of the training after which no latent is touched any more: a new one needs time.
        n_rows: how many inputs are looked at.
        encoder_scale: how long a new encoder column is, as a share of the living ones' mean. Small ones start
            softly; for TopK take about 1, or the new latents are never among the largest.
    """

    name: ClassVar[str] = "resample"
    every: int
    until: float = 0.6
    n_rows: int = 8192
    encoder_scale: float = 0.2

    def __post_init__(self) -> None:
        if self.every < 1 or self.n_rows < 1 or not 0 < self.until <= 1 or self.encoder_scale <= 0:
            raise ValueError(
                "every and n_rows should be at least 1, until in (0, 1], encoder_scale above 0; got "
                f"{self.every}, {self.n_rows}, {self.until}, {self.encoder_scale}."
            )


@dataclass(frozen=True, kw_only=True)
class SaeConfig:
    """How a dictionary is trained.

    Args:
        d_sae: number of latents.
        kind: Relu(), TopK(k=...), BatchTopK(k=...) or JumpRelu().
        sparsity: lambda, the weight of the kind's penalty; 0 for TopK and BatchTopK, which have none. It
            counts in units of the scaled activations (`train`), so the same number means the same for any
            layer of any model.
        n_steps, batch_size: steps of Adam, and samples per step.
        learning_rate: Adam's. It rises over `warmup` steps and falls to 0 over the last `decay` of the
            training.
        sparsity_warmup: steps over which lambda rises from 0. Full strength from the start kills latents. For
            TopK and BatchTopK: steps over which k falls to its value (`kind_at`).
        revive: Auxiliary(...) or Resample(...) for dead latents; None leaves them dead.
        dead_after: a latent that was silent for so many samples counts as dead.
        unit_norm: hold the decoder's rows at norm 1.
        seed: of the starting weights and of resampling.

    Raises ValueError for a setting that makes no sense; the message says which, and what would.

    >>> from mi_tutor.lab.dictionaries.kinds import TopK
    >>> SaeConfig(d_sae=16, kind=TopK(k=2), n_steps=10).sparsity
    0.0
    """

    d_sae: int
    kind: Kind
    n_steps: int
    sparsity: float = 0.0
    batch_size: int = 1024
    learning_rate: float = 1e-3
    warmup: int = 100
    decay: float = 0.2
    sparsity_warmup: int = 0
    revive: Auxiliary | Resample | None = None
    dead_after: int = 100_000
    unit_norm: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("d_sae", "n_steps", "batch_size", "dead_after"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} should be at least 1, got {getattr(self, name)}.")
        if self.warmup < 0 or self.sparsity_warmup < 0 or not 0 <= self.decay <= 1:
            raise ValueError(
                "warmup and sparsity_warmup are numbers of steps from 0, decay is a share from 0 to 1; got "
                f"{self.warmup}, {self.sparsity_warmup}, {self.decay}."
            )
        if not 0 < self.learning_rate < math.inf:
            raise ValueError(f"learning_rate should be above 0, got {self.learning_rate}.")
        if not 0 <= self.sparsity < math.inf or (self.sparsity > 0) != self.kind.has_penalty:
            raise ValueError(
                f"{type(self.kind).__name__} "
                + (
                    "is as sparse as its penalty makes it, so sparsity should be above 0"
                    if self.kind.has_penalty
                    else "has no penalty (its k says how sparse it is), so sparsity should be 0"
                )
                + f"; got {self.sparsity}."
            )
        if getattr(self.kind, "k", 1) > self.d_sae:
            raise ValueError(f"k = {self.kind.k} of {self.d_sae} latents cannot be on.")

    def rate_at(self, step: int) -> float:
        """The learning rate at a step: a linear rise, a plateau, a linear fall to 0."""
        rise = min(1.0, (step + 1) / (self.warmup + 1))
        n_falling = self.decay * self.n_steps
        fall = min(1.0, (self.n_steps - step) / n_falling) if n_falling else 1.0
        return self.learning_rate * min(rise, fall)

    def sparsity_at(self, step: int) -> float:
        """lambda at a step: a linear rise, then a plateau."""
        return self.sparsity * min(1.0, (step + 1) / (self.sparsity_warmup + 1))

    def kind_at(self, step: int) -> Kind:
        """The kind at a step. While sparsity builds up, TopK and BatchTopK keep more latents than k.

        Their k falls linearly, from 8 k (or all latents, if these are fewer). So every latent is used at first,
        and two features that share one latent can still part; He et al. 2024 (Llama Scope) anneal k in the
        same way. The other kinds do not change: their lambda rises instead (`sparsity_at`).

        >>> from mi_tutor.lab.dictionaries.kinds import TopK
        >>> config = SaeConfig(d_sae=32, kind=TopK(k=2), n_steps=20, sparsity_warmup=13)
        >>> [config.kind_at(step).k for step in (0, 6, 13, 19)]
        [15, 9, 2, 2]
        """
        if self.kind.has_penalty or step >= self.sparsity_warmup:
            return self.kind
        first = min(K_AT_FIRST * self.kind.k, self.d_sae)
        share = (step + 1) / (self.sparsity_warmup + 1)
        return replace(self.kind, k=round(first + share * (self.kind.k - first)))

    def resamples_at(self, step: int) -> bool:
        """Whether dead latents are resampled before this step."""
        return (
            isinstance(self.revive, Resample)
            and step > 0
            and step % self.revive.every == 0
            and step <= self.revive.until * self.n_steps
        )

    def to_json(self) -> str:
        """All settings as JSON, to be kept beside the weights.

        >>> from mi_tutor.lab.dictionaries.kinds import Relu
        >>> '"kind": {"name": "relu"}' in SaeConfig(d_sae=2, kind=Relu(), n_steps=1, sparsity=1.0).to_json()
        True
        """
        return json.dumps(self.described())

    def described(self) -> dict[str, Any]:
        """The same as a dict of plain values."""
        found = asdict(self)
        for name in ("kind", "revive"):
            part = getattr(self, name)
            found[name] = part if part is None else {"name": part.name} | found[name]
        return found
