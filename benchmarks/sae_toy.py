"""Does every kind of dictionary find all features of a toy, whatever the seeds?

    python benchmarks/sae_toy.py [--kinds NAME ...] [--toys SEED ...] [--seeds SEED ...] [--set NAME=VALUE ...]

Trains each kind with its recipe (`mi_tutor.lab.dictionaries.recipes`) on several toys from several starts. A
training is good if the mean over features of the largest cosine is above .95, the smallest of them above .8, FVU
below .2 and L0 below 4. --set changes a recipe, to see what it does: --set learning_rate=0.003, say.

The settings were chosen on other seeds than the default ones here.

CPU seconds are those of one thread; the wall clock of a busy machine says little.
"""

import argparse
import json
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import torch

from mi_tutor.lab.dictionaries import (
    SaeMetrics,
    match_features,
    sae_metrics,
    toy_features,
    toy_recipe,
    train_sae,
)
from mi_tutor.lab.dictionaries.recipes import TOY_KINDS


class Found(NamedTuple):
    """One training: the features' cosines, and how good the dictionary is."""

    toy: int
    seed: int
    mean: float
    least: float
    metrics: SaeMetrics
    seconds: float

    @property
    def good(self) -> bool:
        """Whether everything was found."""
        return (
            self.mean > 0.95 and self.least > 0.8 and self.metrics.fvu < 0.2 and self.metrics.l0 < 4
        )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kinds", nargs="+", default=list(TOY_KINDS), choices=list(TOY_KINDS))
    parser.add_argument("--toys", type=int, nargs="+", default=[21, 22, 23, 24, 25])
    parser.add_argument("--seeds", type=int, nargs="+", default=[3, 4, 5])
    parser.add_argument("--set", nargs="*", default=[], help="NAME=VALUE, a change of the recipe")
    parser.add_argument("--each", action="store_true", help="a line for every training")
    options = parser.parse_args()
    torch.set_num_threads(1)
    changes = {name: json.loads(value) for name, value in (s.split("=") for s in options.set)}
    columns = ("good", "mean cos", "worst", "least cos", "FVU", "L0", "silent", "CPU s")
    print(f"torch {torch.__version__}; {len(options.toys)} toys x {len(options.seeds)} starts")
    print(f"{'kind':<10}" + "".join(f"{column:>10}" for column in columns), flush=True)
    for kind in options.kinds:
        every = []
        for found in trainings(kind, options.toys, options.seeds, changes):
            every.append(found)
            if options.each:
                print_row(f"{found.toy}/{found.seed}", [found])
        print_row(kind, every)


def trainings(
    kind: str, toys: list[int], seeds: list[int], changes: dict[str, Any]
) -> Iterator[Found]:
    """Train on every toy from every start."""
    for toy_seed in toys:
        toy = toy_features(toy_seed)
        x = toy.chunk(10**6)
        for seed in seeds:
            began = time.process_time()
            config = toy_recipe(kind, seed=seed, **changes)
            sae = train_sae(toy.chunk, config, progress=False).sae
            seconds = time.process_time() - began
            cosine = match_features(sae.W_dec, toy.directions).cosine
            metrics = sae_metrics(sae, x)
            yield Found(toy_seed, seed, cosine.mean().item(), cosine.min().item(), metrics, seconds)


def print_row(name: str, every: list[Found]) -> None:
    """Means over the trainings; for the cosines also the worst training."""
    n = len(every)
    good = f"{sum(found.good for found in every)}/{n}"
    worst = min(found.mean for found in every), min(found.least for found in every)
    mean = sum(found.mean for found in every) / n
    rest = [sum(getattr(f.metrics, name) for f in every) / n for name in ("fvu", "l0", "dead")]
    seconds = sum(found.seconds for found in every) / n
    numbers = "".join(f"{number:>10.3f}" for number in (mean, *worst, *rest))
    print(f"{name:<10}{good:>10}{numbers}{seconds:>10.1f}", flush=True)


if __name__ == "__main__":
    main()
