"""Make `induction-2l-b`, `-c` and `-d`: `induction-2l` again, from other seeds, without checkpoints.

Which head does what is another matter in each of them, and their cards do not tell: a learner finds out.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from mi_tutor.specimens.cards import Card, Measure
from mi_tutor.specimens.induction import recipe as induction_recipe
from mi_tutor.specimens.induction.measures import measure_sibling
from mi_tutor.specimens.induction.recipe import InductionConfig

LIMITS = (
    "As those of induction-2l. The roles of its heads, and what each is worth, are left out on purpose: chapter "
    "03 asks for them.",
)


@dataclass(frozen=True, kw_only=True)
class Sibling:
    """A model with the recipe of `induction-2l` and a seed of its own.

    first_seed: the seed of the one that ships. `make` adds to it what it is asked for.
    """

    name: str
    first_seed: int

    def make(self, directory: Path, seed: int = 0, progress: bool = True) -> Card:
        """Train, save, measure and write the card."""
        from mi_tutor.specimens.training.finishing import finish, save_network
        from mi_tutor.specimens.training.train import training_folder

        config = InductionConfig(n_layers=2, seed=self.first_seed + seed)
        work = training_folder(f"induction-2l-{config.seed}")
        trained = induction_recipe.train_network(config, work, progress)
        recipe = asdict(config) | {"n_threads": 1, "cpu_seconds": round(trained.cpu_seconds)}
        about = {
            "name": self.name,
            "command": f"mi-tutor specimens train {self.name}",
            "seed": recipe.pop("seed"),
            "recipe": recipe,
            "n_parameters": trained.network.num_parameters(),
            "summary": f"induction-2l from another seed ({config.seed}): it learned the same, with other heads.",
            "intended_use": "Chapter 03: what is each head of a model for that nobody has explained to you?",
            "data": induction_recipe.DATA,
            "limits": LIMITS,
        }
        return finish(
            directory,
            lambda new: save_network(trained.network, induction_recipe.InductionTokenizer(), new),
            self.measure,
            about,
            work=work,
        )

    def measure(self, directory: Path) -> list[Measure]:
        """What its card says."""
        return measure_sibling(directory)


SIBLINGS = {
    sibling.name: sibling
    for sibling in (
        Sibling(name="induction-2l-b", first_seed=1),
        Sibling(name="induction-2l-c", first_seed=2),
        Sibling(name="induction-2l-d", first_seed=3),
    )
}
