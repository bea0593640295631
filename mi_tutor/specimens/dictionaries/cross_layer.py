"""The cross-layer transcoders that ship with `atlas`, and how each of them is trained."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from mi_tutor.lab.dictionaries import (
    ActivationSource,
    Auxiliary,
    BatchTopK,
    SaeConfig,
    Texts,
    train_sae,
)
from mi_tutor.lab.tracing import CrossLayer, parted, save_clt
from mi_tutor.specimens.atlas.texts import N_POS, labelled_texts
from mi_tutor.specimens.cards import TRANSCODER_WEIGHTS, Card, Measure
from mi_tutor.specimens.dictionaries.cross_layer_measures import measure_cross_layer
from mi_tutor.specimens.dictionaries.finishing import (
    NEVER_ON_BOS,
    Goals,
    Kept,
    finish_dictionary,
    with_goals,
)
from mi_tutor.specimens.opening.models import open_specimen
from mi_tutor.specimens.training.train import training_folder

N_ROWS = 256  # of text in a chunk
N_CHUNKS = 20
N_LAYERS = 5


def names_and_slots(model: str, n_rows: int) -> Callable[[int], Texts]:
    """Texts number i; to be seen more often are names' ends, and tokens before an answer."""

    def texts(i: int) -> Texts:
        names, slots = (
            labelled_texts(1_000 + i, n_rows, place, model=model) for place in ("names", "slots")
        )
        return Texts(names.tokens, names.chosen | slots.chosen)

    return texts


@dataclass(frozen=True, kw_only=True)
class CrossLayerRecipe:
    """One cross-layer transcoder: how it is trained, what is asked of it.

    Args:
        config: of the training; d_sae counts the latents of all layers.
        share: of the training samples that are names' ends or stand before an answer.
    """

    name: str
    config: SaeConfig
    summary: str
    intended_use: str
    limits: tuple[str, ...]
    goals: Goals
    share: float = 0.5
    model: str = "atlas"

    def make(self, directory: Path, seed: int = 0, progress: bool = True) -> Card:
        """Train (or go on training), save, measure, write the card; only then replace what was there before."""
        config, began = replace(self.config, seed=seed), time.process_time()
        source = ActivationSource(
            model=open_specimen(self.model, device="cpu"),
            name="mlps",
            texts=names_and_slots(self.model, N_ROWS),
            share=self.share,
        )
        work = training_folder(f"{self.name}-{seed}")
        trained = train_sae(
            Kept(source, N_CHUNKS),
            config,
            work=work,
            progress=progress,
            family=CrossLayer(N_LAYERS),
        )
        clt = parted(trained.sae)
        metadata = {"model_name": self.model, "context_size": N_POS, "training": config.described()}
        return finish_dictionary(
            self,
            directory,
            lambda new: save_clt(new, clt, metadata, dtype=torch.int8),
            data=f"Inputs and outputs of all MLPs of {self.model} on {N_CHUNKS} batches of text of "
            f"mi_tutor.world; {self.share:.0%} of the samples are the last tokens of names and tokens before an "
            "answer.",
            described=config.described(),
            further={"share": self.share, "cpu_seconds": round(time.process_time() - began)},
            n_parameters=sum(tensor.count_nonzero().item() for tensor in clt.tensors().values()),
            weights=TRANSCODER_WEIGHTS,
            work=work,
        )

    def measure(self, directory: Path) -> Sequence[Measure]:
        """Everything the card says, with this recipe's goals."""
        return with_goals(measure_cross_layer(directory, self.model), self.goals)


def cross_layer(
    k: int,
    n_steps: int,
    falling: int,
    revive: float,
    dead_after: int,
    learning_rate: float = 1.2e-2,
    width: int = 512,
) -> SaeConfig:
    """BatchTopK over all layers together. The learning rate matters most: at a sixth of it, twice the error.

    falling: steps over which k falls to its value. Too few kill latents.
    revive, dead_after: the weight of the auxiliary loss, and when a latent counts as dead in it.
    width: latents of each layer. Of 512 a fifth died in layer 3, which has less to say than the early ones.
    """
    return SaeConfig(
        d_sae=width * N_LAYERS,
        kind=BatchTopK(k=k),
        n_steps=n_steps,
        learning_rate=learning_rate,
        sparsity_warmup=falling,
        decay=0.4,
        revive=Auxiliary(k=64, weight=revive),
        dead_after=dead_after,
    )


LIMITS = (
    "A latent's later writes belong to it: to switch it off, clamp it in all layers that it writes to.",
    NEVER_ON_BOS,
)
CROSS_LAYER = {
    recipe.name: recipe
    for recipe in (
        CrossLayerRecipe(
            name="atlas-clt",
            config=cross_layer(
                k=59, n_steps=2000, falling=300, revive=0.1, dead_after=20_000, width=448
            ),
            summary="A cross-layer transcoder of atlas: latents read the MLP input of their layer and write to "
            "the MLP outputs of this layer and all later ones.",
            intended_use="Chapter 06: circuit tracing.",
            limits=LIMITS,
            goals={
                "fvu": (None, 0.018),
                "l0": (None, 62.0),
                "dead": (None, 0.05),
                "replacement": (0.91, None),
                "completeness": (0.97, None),
            },
        ),
        CrossLayerRecipe(
            name="atlas-clt-sparse",
            config=cross_layer(
                k=34, n_steps=2400, falling=500, revive=0.1, dead_after=20_000, width=352
            ),
            summary="The same as atlas-clt with about half as many latents on: sparser, and a little less exact.",
            intended_use="Chapter 06: graphs that are easier to read.",
            limits=LIMITS,
            goals={"fvu": (None, 0.021), "l0": (None, 35.0), "dead": (None, 0.10)},
        ),
    )
}
