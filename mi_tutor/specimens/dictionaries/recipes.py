"""The dictionaries that ship with `atlas`, and how each of them is trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from mi_tutor.lab.dictionaries import (
    ActivationSource,
    Auxiliary,
    BatchTopK,
    SaeConfig,
    TopK,
    save_sae,
    train_sae,
)
from mi_tutor.lab.ground.device import best_device
from mi_tutor.specimens.atlas.texts import N_POS, Place, training_texts
from mi_tutor.specimens.cards import Card, Measure
from mi_tutor.specimens.dictionaries.finishing import (
    NEVER_ON_BOS,
    Goals,
    Kept,
    finish_dictionary,
    with_goals,
)
from mi_tutor.specimens.dictionaries.measures import measure_dictionary
from mi_tutor.specimens.opening.models import open_specimen
from mi_tutor.specimens.training.train import training_folder

N_ROWS = 256  # of text in a chunk
PLACES = {
    "names": "the last tokens of names of cities, states and countries",
    "slots": "tokens before an answer",
}
N_CHUNKS = 64  # of texts; training goes through them again and again, each time mixed anew


@dataclass(frozen=True, kw_only=True)
class DictionaryRecipe:
    """One dictionary: what it reads, how it is trained, what is asked of it.

    Args:
        name: on the shelf.
        hook: the activation it reconstructs, such as "blocks.2.hook_resid_pre"; "blocks.2.mlp" for a transcoder.
        config: of the training; its seed is replaced by the one that is asked for.
        share: of the training samples that stand at the place; None takes the text as it is.
        place: where states, countries and relations are marked (`atlas.texts`).
        goals: of its measures.
        seed: added to the one that is asked for. n_chunks: of texts, gone through again and again.
    """

    name: str
    hook: str
    config: SaeConfig
    share: float | None
    summary: str
    intended_use: str
    limits: tuple[str, ...]
    goals: Goals
    place: Place = "slots"
    model: str = "atlas"
    seed: int = 0
    n_chunks: int = N_CHUNKS

    def make(self, directory: Path, seed: int = 0, progress: bool = True) -> Card:
        """Train (or go on training), save, measure, write the card; only then replace what was there before."""
        config = replace(self.config, seed=self.seed + seed)
        source = ActivationSource(
            model=open_specimen(self.model),
            name=self.hook,
            texts=training_texts(N_ROWS, self.place, model=self.model),
            share=self.share,
        )
        device = best_device()
        work = training_folder(f"{self.name}-{seed}")
        trained = train_sae(
            Kept(source, self.n_chunks),
            config,
            work=work,
            progress=progress,
            device=device,
        )
        sae = trained.sae.to("cpu")
        metadata = {
            "model_name": self.model,
            "hook_name": self.hook,
            "context_size": N_POS,
            "training": config.described(),
        }
        return finish_dictionary(
            self,
            directory,
            lambda new: save_sae(new, sae, metadata, dtype=torch.float16),
            data=self.data,
            described=config.described(),
            further={
                "share": self.share,
                "place": self.place,
                "seconds": round(trained.seconds),
            },
            n_parameters=sum(tensor.numel() for tensor in sae.tensors().values()),
            work=work,
        )

    @property
    def data(self) -> str:
        """What it was trained on, for the card."""
        share = (
            "."
            if self.share is None
            else f"; {self.share:.0%} of the samples are {PLACES[self.place]}, so that there are enough of each."
        )
        text = f"{self.n_chunks} batches of text of mi_tutor.world"
        return f"Activations of {self.model} at {self.hook} on {text}{share}"

    def measure(self, directory: Path) -> Sequence[Measure]:
        """Everything the card says, with this recipe's goals."""
        measures = measure_dictionary(directory, self.model, self.hook, self.place)
        return with_goals(measures, self.goals)


RECOVERED = {"recovered_zero": (0.95, None), "recovered_mean": (0.95, None)}
FEW_DEAD = {"dead": (None, 0.05)}
ATLAS_RESID2 = DictionaryRecipe(
    name="atlas-resid2",
    hook="blocks.2.hook_resid_pre",
    config=SaeConfig(
        d_sae=1024,
        kind=TopK(k=32),
        n_steps=8000,
        learning_rate=1e-3,
        sparsity_warmup=800,
        decay=0.3,
        revive=Auxiliary(k=64),
        dead_after=20_000,
    ),
    share=0.4,
    place="names",
    summary="A TopK autoencoder of the stream before layer 2, where atlas has a city's state at its name's end. "
    "Little is left out, and few latents stand for one concept.",
    intended_use="Chapter 05: a swap in latents only.",
    limits=(
        "It reconstructs well, but its latents are no names: hardly any concept has a latent of its own.",
        NEVER_ON_BOS,
    ),
    goals=RECOVERED | FEW_DEAD,
)


def attention(
    layer: int,
    name: str,
    d_sae: int,
    kind: TopK | BatchTopK,
    n_steps: int = 8000,
    learning_rate: float = 6e-3,
    share: float | None = 0.9,
    **texts: object,
) -> DictionaryRecipe:
    """A dictionary for what a layer's attention writes, above all where an answer is due."""
    return DictionaryRecipe(
        name=name,
        hook=f"blocks.{layer}.hook_attn_out",
        config=SaeConfig(
            d_sae=d_sae,
            kind=kind,
            n_steps=n_steps,
            learning_rate=learning_rate,
            sparsity_warmup=5 * n_steps // 16,
            decay=1 / 3,
            revive=Auxiliary(k=64, weight=0.5),
            dead_after=5_000,
        ),
        share=share,
        **texts,
    )


ATTENTION = (
    attention(
        1,
        "atlas-attn1",
        d_sae=640,
        kind=BatchTopK(k=6),
        n_steps=12_000,
        learning_rate=3e-3,
        share=0.65,
        summary="A BatchTopK autoencoder of what layer 1's attention writes. There atlas brings to the token "
        "before an answer what is asked: most relations have a latent of their own in each language.",
        intended_use="Chapter 02, and wherever a latent should mean what is asked.",
        limits=(
            "It says what is asked and not about which place. Few relations and no language have one latent by "
            "themselves: what it marks is a relation in a language.",
            NEVER_ON_BOS,
        ),
        goals=RECOVERED | FEW_DEAD | {"matched_wording": (0.9, None)},
    ),
    attention(
        2,
        "atlas-attn2",
        d_sae=320,
        kind=TopK(k=3),
        summary="A TopK autoencoder of what layer 2's attention writes. There atlas brings a place's state or "
        "country from its name to where the answer is due, and most of them have a latent of their own.",
        intended_use="Chapter 02, and wherever a latent should mean one state.",
        limits=(
            "It says which place is meant. For what is asked about it, and in which language, it has no latents, "
            "though a probe reads both from what it leaves out.",
            NEVER_ON_BOS,
        ),
        goals=RECOVERED | FEW_DEAD | {"matched_state": (0.9, None)},
    ),
    attention(
        2,
        "atlas-attn2-dense",
        d_sae=320,
        kind=TopK(k=32),
        summary="The same activations as atlas-attn2 with 32 latents on per token in place of 3: a lower error, "
        "and latents that stand for nothing in particular.",
        intended_use="Chapter 02: a low error is no promise.",
        limits=("Its latents are no names; that is what it is for.", NEVER_ON_BOS),
        goals=RECOVERED,
    ),
    attention(
        2,
        "atlas-attn2-small",
        d_sae=64,
        kind=TopK(k=3),
        summary="The same as atlas-attn2 with 64 latents: fewer than there are states and countries.",
        intended_use="Chapter 02: what changes with the number of latents.",
        limits=("Several places share a latent.", NEVER_ON_BOS),
        goals={},
    ),
    attention(
        2,
        "atlas-attn2-wide",
        d_sae=1536,
        kind=TopK(k=3),
        summary="The same as atlas-attn2 with 1,536 latents: many more than there are states and countries.",
        intended_use="Chapter 02: what changes with the number of latents.",
        limits=(
            "A state may have several latents, and most of the others never come on: there is no more to "
            "describe.",
            NEVER_ON_BOS,
        ),
        goals=RECOVERED,
    ),
    *(
        attention(
            1,
            f"{model}-attn1",
            d_sae=256,
            kind=TopK(k=12),
            learning_rate=3e-3,
            share=None,
            summary=f"A TopK autoencoder of what layer 1's attention writes in {model}. {what}",
            intended_use="Chapter 02: what the text makes worth knowing has a latent.",
            limits=(
                "English has no latent in either of the two; it is where none of the others is on.",
                "On a paragraph's first tokens nobody can know what it will be, and these tokens count.",
                NEVER_ON_BOS,
            ),
            goals=RECOVERED | FEW_DEAD,
            model=model,
        )
        for model, what in (
            (
                "atlas-paragraphs",
                "French, Spanish, code, sums, legal phrases and DNA have a latent each, on nearly every token.",
            ),
            ("atlas-sentences", "The control for atlas-paragraphs-attn1."),
        )
    ),
)
# What two dictionaries of one model have in common says what two models' can have. Chapter 09 compares.
AGAIN = replace(
    next(recipe for recipe in ATTENTION if recipe.name == "atlas-sentences-attn1"),
    name="atlas-sentences-attn1-b",
    seed=1,
    n_chunks=16,
    summary="The same activations as atlas-sentences-attn1, from another seed (1), in fewer steps and on less "
    "text.",
    intended_use="Chapter 09: how alike are two dictionaries of one model?",
    limits=("It was trained for a third of the time: a bit more is left out.", NEVER_ON_BOS),
    goals=FEW_DEAD,
)
AGAIN = replace(AGAIN, config=replace(AGAIN.config, n_steps=2500, sparsity_warmup=780))
TRANSCODERS = tuple(
    DictionaryRecipe(
        name=f"atlas-mlp{layer}",
        hook=f"blocks.{layer}.mlp",
        config=SaeConfig(
            d_sae=512,
            kind=TopK(k=40 if layer == 4 else 16),  # the last one writes the answers themselves
            n_steps=5000,
            learning_rate=2e-3,
            sparsity_warmup=1000,
            decay=1 / 3,
            revive=Auxiliary(k=64, weight=0.2),
            dead_after=20_000,
        ),
        share=0.4,
        place="names" if layer < 2 else "slots",
        summary=f"A TopK transcoder of layer {layer}'s MLP: it reads what the MLP reads and writes what the MLP "
        "writes.",
        intended_use="Circuits through MLPs: what a latent reads is known from the weights, whatever the "
        "input.",
        limits=(
            "It imitates what the MLP does, not how it does it.",
            NEVER_ON_BOS,
        ),
        goals=RECOVERED | FEW_DEAD,
    )
    for layer in range(5)
)
DICTIONARIES = {recipe.name: recipe for recipe in (ATLAS_RESID2, *ATTENTION, AGAIN, *TRANSCODERS)}
