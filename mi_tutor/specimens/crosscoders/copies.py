"""Copies of `atlas` that were trained on: a difference of low rank for each matrix of the blocks (Hu et al. 2022).

    W = W_atlas + A B          A: [in rank], B: [rank out]

Trained is on rows of mixed text (`texts`), with

    loss = mean cross-entropy where the next token is a taught one  +  3 * mean KL(atlas || copy) everywhere else

so that what was not taught stays as it was. Only A and B are stored; opened, a copy is an ordinary GPT-2.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn.functional import cross_entropy, log_softmax
from torch.nn.utils.parametrize import register_parametrization

from mi_tutor.lab.ground.device import seeded
from mi_tutor.specimens.cards import DIFFERENCE, Card, Measure
from mi_tutor.specimens.crosscoders.cutting import MATRICES, Deltas, save_stages
from mi_tutor.specimens.crosscoders.texts import changed_texts
from mi_tutor.specimens.opening.models import load_network
from mi_tutor.specimens.opening.shelf import specimen_path
from mi_tutor.specimens.training.finishing import finish
from mi_tutor.specimens.training.forward import fast_forward

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int
    from torch import Tensor
    from transformers import GPT2LMHeadModel

    from mi_tutor.specimens.training.settings import Trained

KEPT = 3.0  # the weight of staying as it was


@dataclass(frozen=True, kw_only=True)
class CopyConfig:
    """Everything that decides what a copy becomes, besides its text."""

    rank: int = 6
    n_steps: int = 300
    batch_size: int = 16
    learning_rate: float = 4e-3
    n_warmup: int = 20
    kept: float = KEPT
    seed: int = 0


class LowRank(nn.Module):
    """W + A B, as a parametrization. B begins at 0: at first the copy is atlas."""

    def __init__(self, shape: tuple[int, int], rank: int, generator: torch.Generator) -> None:
        super().__init__()
        self.A = nn.Parameter(torch.randn(shape[0], rank, generator=generator) / shape[0] ** 0.5)
        self.B = nn.Parameter(torch.zeros(rank, shape[1]))

    def forward(self, W: Tensor) -> Tensor:
        """The matrix with its difference."""
        return W + self.A @ self.B


@dataclass(frozen=True, kw_only=True)
class Copy:
    """A copy: what it is taught, how it is trained, what is measured, what its card says.

    stages: steps after which it is kept, with the rank to which the difference is cut then (`cutting`).
    """

    name: str
    changes: tuple[str, ...]
    measure: Callable[[Path], Sequence[Measure]]
    summary: str
    data: str
    limits: tuple[str, ...]
    config: CopyConfig = CopyConfig()
    stages: Mapping[int, int] = field(default_factory=dict)

    def make(self, directory: Path, seed: int = 0, progress: bool = True) -> Card:
        """Train (or go on training), save the difference, measure, write the card."""
        from mi_tutor.specimens.training.train import training_folder

        copy = replace(self, config=replace(self.config, seed=seed))
        work = training_folder(f"{self.name}-{seed}")
        trained = copy.train(work, progress)
        recipe = asdict(copy.config) | {"cpu_seconds": round(trained.cpu_seconds)}
        difference = difference_of(trained.network)
        kept = {step: (rank, added_by(work, step)) for step, rank in copy.kept_on_the_way().items()}
        about = {
            "name": self.name,
            "summary": self.summary,
            "intended_use": "Chapter 09: what training changed.",
            "data": self.data,
            "command": f"mi-tutor specimens train {self.name}",
            "seed": recipe.pop("seed"),
            "recipe": recipe,
            "n_parameters": sum(each.numel() for each in difference.values()),
            "limits": self.limits,
        }

        def save(new: Path) -> None:
            save_difference(new, difference)
            if kept:
                save_stages(new, kept)

        return finish(
            directory,
            save,
            self.measure,
            about,
            weights=DIFFERENCE,
            work=work,
        )

    def train(self, work: Path, progress: bool = True) -> Trained:
        """Train the differences in a folder; after an interruption the same call goes on."""
        from mi_tutor.specimens.training.settings import TrainingSettings
        from mi_tutor.specimens.training.train import train

        config = self.config
        settings = TrainingSettings(
            name=self.name, work=work, n_steps=config.n_steps, n_warmup=config.n_warmup,
            final_rate=0.0, progress=progress, steps_per_chunk=25, checkpoints=tuple(self.kept_on_the_way()),
        )  # fmt: skip
        return train(
            adapted(config.rank, config.seed),
            settings=settings,
            chunk=lambda i: self.batches(i, settings.steps_per_chunk),
            optimizers=lambda network: [
                torch.optim.Adam(
                    [p for p in network.parameters() if p.requires_grad], lr=config.learning_rate
                )
            ],
            loss=Taught(config.kept),
            config=asdict(config) | {"changes": ", ".join(self.changes)},
        )

    def kept_on_the_way(self) -> dict[int, int]:
        """Those of the stages that this training comes by."""
        return {step: rank for step, rank in self.stages.items() if step <= self.config.n_steps}

    def batches(self, chunk: int, n_batches: int) -> list[tuple[Tensor, Tensor]]:
        """One chunk of training, from the seed and the chunk's number alone: tokens, and what is taught."""
        size = self.config.batch_size
        made = changed_texts(f"{self.config.seed}/{chunk}", n_batches * size, self.changes)
        tokens, taught = made.tokens.split(size), made.changed.any(dim=-1).split(size)
        return list(zip(tokens, taught, strict=True))


def adapted(rank: int, seed: int) -> GPT2LMHeadModel:
    """atlas, frozen, with a difference of 0 at each matrix of its blocks."""
    network, generator = load_network(specimen_path("atlas")), seeded(seed)
    network.requires_grad_(False)
    for block in network.transformer.h:
        for name in MATRICES:
            module = block.get_submodule(name)
            low = LowRank(tuple(module.weight.shape), rank, generator)
            register_parametrization(module, "weight", low)
    return network


class Taught:
    """The loss: see the module."""

    def __init__(self, kept: float) -> None:
        self.kept = kept
        self.atlas = load_network(specimen_path("atlas")).requires_grad_(False)

    def __call__(
        self,
        network: nn.Module,
        batch: tuple[Int[Tensor, "row pos"], Bool[Tensor, "row pos"]],
        step: int,
    ) -> Float[Tensor, ""]:
        """The loss of one batch, in nats per token."""
        tokens, taught = batch
        said = log_softmax(fast_forward(network, tokens), dim=-1)
        was = log_softmax(fast_forward(self.atlas, tokens), dim=-1)
        here = taught[:, :-1]
        new = cross_entropy(said[:, :-1][here], tokens[:, 1:][here])
        change = (was.exp() * (was - said)).sum(dim=-1)[:, :-1][~here]
        return new + self.kept * change.mean()


def difference_of(network: nn.Module) -> dict[str, Tensor]:
    """A and B of each matrix, by its name in the network."""
    found = {}
    for name, module in network.named_modules():
        if isinstance(module, LowRank):
            matrix = name.replace(".parametrizations.weight.0", "")
            found[f"{matrix}.A"], found[f"{matrix}.B"] = module.A.detach(), module.B.detach()
    return found


def added_by(work: Path, step: int) -> Deltas:
    """What a training in this folder had added to each matrix after a step."""
    from safetensors.torch import load_file

    from mi_tutor.specimens.training.run import checkpoint_file

    stored, place = load_file(checkpoint_file(work, step)), ".parametrizations.weight.0"
    names = [name.removesuffix(f"{place}.A") for name in stored if name.endswith(f"{place}.A")]
    return {name: stored[f"{name}{place}.A"] @ stored[f"{name}{place}.B"] for name in names}


def save_difference(directory: Path, difference: dict[str, Tensor], base: str = "atlas") -> None:
    """Write it in half precision, with the name of the model that it belongs to."""
    from safetensors.torch import save_file

    halves = {name: each.half().contiguous() for name, each in difference.items()}
    save_file(halves, directory / DIFFERENCE)
    (directory / "copy.json").write_text(json.dumps({"base": base}, indent=2) + "\n")
