"""Random batches for all models of a sweep, from few random numbers.

Drawing random numbers is the dearest part of training small models, so one uniform draw per
feature and sample does the work of two, and of all settings at once:

- With u uniform in [0, 1), x = ReLU(1 - u/p) is what `sparse_features` describes: u < p happens
  with probability p, and given that, 1 - u/p is again uniform.
- Models of one seed share u. Each of them sees proper random data, and settings are compared on
  common random numbers. Different seeds draw their own.
- An anti-correlated twin uses 1 - u in place of u: for p ≤ 1/2 they are never both below p.
"""

from collections.abc import Iterator, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from mi_tutor.lab.superposition.sweep_config import ToySweep

# Numbers in one working tensor: few enough for a CPU's cache, enough to fill a GPU.
WORKING_SIZE = {"cpu": 2**18, "cuda": 2**26, "mps": 2**24}


class SweepBatches:
    """Batches for all models of a sweep, handed out in parts that fit into working memory.

    Args:
        sweep: what is trained.
        generators: one per seed, or a single one that all seeds share; all on one device.
    """

    def __init__(self, sweep: ToySweep, generators: Sequence[torch.Generator]) -> None:
        self._sweep, self._generators = sweep, generators
        device = generators[0].device
        n_importances, n_seeds = sweep.shape[1:]
        shape = (n_seeds, sweep.n_features, sweep.n_batch)
        self._draw = torch.empty(len(generators), *shape[1:], device=device)
        probability = torch.tensor(sweep.probabilities, device=device)
        per_setting = probability.repeat_interleave(n_importances, dim=0)
        self._minus_one_over_p = (-1 / per_setting)[:, None, :, None]
        fits = WORKING_SIZE.get(device.type, 2**18) // self._draw[0].numel() // n_seeds
        self._settings_per_part = min(len(per_setting), max(1, fits))
        self._x = torch.empty(self._settings_per_part, *shape, device=device)

    @property
    def max_part(self) -> int:
        """The largest number of instances in one part."""
        return self._settings_per_part * self._sweep.n_seeds

    def parts(self) -> Iterator[tuple[slice, Float[Tensor, "part feature sample"]]]:
        """One fresh batch for every instance: which instances, and their samples as columns.

        Each part is overwritten by the next.
        """
        for draw, generator in zip(self._draw, self._generators, strict=True):
            draw.uniform_(generator=generator)
        if self._sweep.features == "anti-correlated":
            torch.sub(1, self._draw[:, 0::2], out=self._draw[:, 1::2])
        n_settings, n_seeds = len(self._minus_one_over_p), self._sweep.n_seeds
        for start in range(0, n_settings, self._settings_per_part):
            stop = min(start + self._settings_per_part, n_settings)
            x = self._x[: stop - start]
            self._fill(x, self._minus_one_over_p[start:stop])
            yield slice(start * n_seeds, stop * n_seeds), x.flatten(end_dim=1)

    def _fill(
        self,
        x: Float[Tensor, "setting seed feature sample"],
        minus_one_over_p: Float[Tensor, "setting 1 feature 1"],
    ) -> None:
        draw = self._draw.expand(x.shape[1:])
        torch.mul(draw, minus_one_over_p, out=x)
        x.add_(1).clamp_min_(0)
        if self._sweep.features == "correlated":
            # The second of a pair is on when the first is, with a magnitude of its own.
            first_is_on = x[:, :, 0::2] > 0
            torch.mul(draw[:, 1::2], first_is_on, out=x[:, :, 1::2])
