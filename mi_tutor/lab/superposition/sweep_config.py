"""What a sweep trains: sparsity x importance x seeds."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from torch import Tensor

Pairing = Literal["independent", "correlated", "anti-correlated"]


@dataclass(frozen=True, kw_only=True)
class ToySweep:
    """One ReLU toy model for each probability x importance x seed.

    Instances are numbered with the seed running fastest, then the importance, then the
    probability; `on_grid` undoes that numbering. An instance does not depend on which other
    settings the sweep has: the same seed means the same starting weights and the same random
    draws, so two neighbours on the grid differ by their setting alone.

    Args:
        n_features: features per model.
        n_hidden: dimensions they share.
        probabilities: how often a feature is on, each entry one number for all features or one
            number per feature, in (0, 1]. Sparsity is S = 1 - probability.
        importances: each entry the importances I_i of all features. Left out: all 1.
        n_seeds: models per setting.
        n_batch: fresh samples per step and model.
        n_steps: steps of Adam.
        learning_rate: step size at the start. It falls linearly to 0 over the run.
        features: "independent" (`sparse_features`), or features 2k and 2k+1 form a pair that is
            "correlated" or "anti-correlated" (`paired_features`).
        init_scale: factor on the Xavier-normal starting weights. Small ones let the data, rather
            than the start, decide which features end up side by side.
        hidden_relu: ReLU on the hidden layer, which makes its axes neurons (`neuron_forward`).
        output_relu: ReLU on the output, as in `toy_forward`. Without it the model is linear: x' = Wᵀ W x + b.
        seed: number of the first seed; the others count up from it.

    Raises:
        ValueError: for a setting that makes no sense; the message says which, and what would.

    >>> sweep = ToySweep(n_features=5, n_hidden=2, probabilities=[1.0, 0.1], n_seeds=3)
    >>> sweep.shape, sweep.n_instances
    ((2, 1, 3), 6)
    """

    n_features: int
    n_hidden: int
    probabilities: Sequence[float | Sequence[float] | Tensor] | Tensor
    importances: Sequence[Sequence[float] | Tensor] | Tensor = ()
    n_seeds: int = 1
    n_batch: int = 1024
    n_steps: int = 2000
    learning_rate: float = 1e-2
    features: Pairing = "independent"
    init_scale: float = 1.0
    hidden_relu: bool = False
    output_relu: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("n_features", "n_hidden", "n_seeds", "n_batch", "n_steps"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1; saw {getattr(self, name)}.")
        for name in ("learning_rate", "init_scale"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name} must be positive; saw {getattr(self, name)}.")
        if self.features not in get_args(Pairing):
            raise ValueError(f"features must be one of {get_args(Pairing)}; saw {self.features!r}.")
        self._normalise()
        self._check_probabilities()
        for importance in self.importances:
            if not all(0 <= value < math.inf for value in importance):
                raise ValueError(f"importances must be finite and at least 0; saw {importance}.")

    def _normalise(self) -> None:
        """Turn lists and tensors into tuples: a frozen config must not change under our feet."""
        probabilities = [
            [p] * self.n_features if isinstance(p, int | float) else p
            for p in _as_numbers(self.probabilities)
        ]
        importances = _as_numbers(self.importances) or [[1.0] * self.n_features]
        for name, entries in (("probabilities", probabilities), ("importances", importances)):
            if not entries:
                raise ValueError(f"{name} is empty; give at least one setting, such as [0.1].")
            for entry in entries:
                if isinstance(entry, int | float) or len(entry) != self.n_features:
                    raise ValueError(
                        f"each entry of {name} needs one number per feature, {self.n_features} of "
                        f"them; saw the entry {entry}. A single setting is written [[...]]."
                    )
            object.__setattr__(self, name, tuple(tuple(map(float, entry)) for entry in entries))

    def _check_probabilities(self) -> None:
        for p in self.probabilities:
            if not all(0 < p_i <= 1 for p_i in p):
                raise ValueError(
                    f"probabilities must lie in (0, 1]; saw {p}. A sparsity S is the probability "
                    "1 - S, and a feature that is never on teaches nothing."
                )
            if self.features == "independent":
                continue
            if self.n_features % 2:
                raise ValueError(f"pairs need an even n_features; saw {self.n_features}.")
            for first, second in zip(p[::2], p[1::2], strict=True):
                if self.features == "correlated" and first != second:
                    raise ValueError(
                        "correlated features are on together, so both of a pair need the same "
                        f"probability; saw {first} and {second}."
                    )
                if self.features == "anti-correlated" and first + second > 1:
                    raise ValueError(
                        "anti-correlated features are never on together, so the probabilities of "
                        f"a pair sum to at most 1; saw {first} and {second}."
                    )

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of probabilities, of importances, of seeds."""
        return len(self.probabilities), len(self.importances), self.n_seeds

    @property
    def n_instances(self) -> int:
        """How many models are trained."""
        return math.prod(self.shape)

    def on_grid(self, values: Tensor) -> Tensor:
        """[instance ...] -> [probability importance seed ...].

        >>> import torch
        >>> sweep = ToySweep(n_features=2, n_hidden=1, probabilities=[1.0, 0.1], n_seeds=3)
        >>> sweep.on_grid(torch.arange(6))[1, 0]  # the second probability's three seeds
        tensor([3, 4, 5])
        """
        return values.unflatten(0, self.shape)


def _as_numbers(values: Sequence | Tensor) -> list:
    """Plain lists of plain numbers, also from tensors and from lists of tensors."""
    if isinstance(values, Tensor):
        return values.tolist()
    return [value.tolist() if hasattr(value, "tolist") else value for value in values]
