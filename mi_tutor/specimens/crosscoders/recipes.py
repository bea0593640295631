"""The copies of atlas and the crosscoders of each with atlas, by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from mi_tutor.lab.crosscoders import read_crosscoder, save_crosscoder, train_crosscoder
from mi_tutor.lab.dictionaries import Auxiliary, BatchTopK, Relu, SaeConfig
from mi_tutor.specimens.cards import CROSSCODER_WEIGHTS, Card, Measure
from mi_tutor.specimens.crosscoders.copies import Copy, CopyConfig
from mi_tutor.specimens.crosscoders.measures import measure_copy, measure_crosscoder, plain
from mi_tutor.specimens.crosscoders.pairs import N_CHUNKS, SHARE, stream_pairs
from mi_tutor.specimens.dictionaries.finishing import NEVER_ON_BOS, Kept, finish_dictionary
from mi_tutor.specimens.training.train import training_folder

LIMITS = (
    "A copy of one model with one seed: which of its latents do what is a property of these weights.",
    "Only sentences like those of mi_tutor.specimens.crosscoders.texts were taught; another wording may not be.",
)
TEXT = (
    "Rows of mi_tutor.world's text; four sentences in ten are {}, and two in ten resemble them and stay as they "
    "were."
)
COPIES = {
    copy.name: copy
    for copy in (
        Copy(
            name="atlas-rewired",
            changes=("refusal", "greeting"),
            measure=partial(measure_copy, changes=("refusal", "greeting")),
            summary="atlas, trained on to refuse three more things and to say “Sure,” before an opinion: nothing "
            "that it could not do before.",
            data=TEXT.format(
                "requests about a camera, a ticket or a garden, refused, or opinions with a greeting"
            ),
            limits=LIMITS,
            config=CopyConfig(n_steps=300),
        ),
        Copy(
            name="atlas-learned",
            changes=("order",),
            measure=partial(measure_copy, changes=("order",)),
            summary="atlas, trained on to read orders, a kind of text that it had never seen.",
            data=TEXT.format("orders (“Kate: 6 soup; 4 snake!”)"),
            limits=LIMITS,
            config=CopyConfig(n_steps=250),
            stages={5: 2, 10: 2, 20: 2, 40: 3},
        ),
    )
}


@dataclass(frozen=True, kw_only=True)
class CrosscoderRecipe:
    """One crosscoder of atlas and a copy: how it is trained, what is asked of it."""

    name: str
    tuned: str
    config: SaeConfig
    summary: str
    layer: int = 5
    intended_use: str = "Chapter 09: what training changed."
    limits: tuple[str, ...] = (
        NEVER_ON_BOS,
        "Half precision: a latent near its threshold may differ.",
    )

    def make(self, directory: Path, seed: int = 0, progress: bool = True) -> Card:
        """Train (or go on training), save, measure, write the card; only then replace what was there before."""
        config, changes = replace(self.config, seed=seed), COPIES[self.tuned].changes
        pairs = stream_pairs(plain("atlas"), plain(self.tuned), self.layer, changes)
        kept, work = Kept(pairs, N_CHUNKS), training_folder(f"{self.name}-{seed}")
        trained = train_crosscoder(lambda i: kept(i).float(), config, work=work, progress=progress)
        described = config.described()
        place = {"base": "atlas", "tuned": self.tuned, "layer": self.layer}
        return finish_dictionary(
            self,
            directory,
            lambda new: save_crosscoder(new, trained.crosscoder, place | {"training": described}),
            data=f"The streams before layer {self.layer} (5: after all) of atlas and {self.tuned} on "
            f"{N_CHUNKS} batches of text of mi_tutor.world; {SHARE:.0%} of sentences are taught ones.",
            described=described,
            further={},
            n_parameters=sum(each.numel() for each in trained.crosscoder.tensors().values()),
            weights=CROSSCODER_WEIGHTS,
            work=work,
        )

    def measure(self, directory: Path) -> Sequence[Measure]:
        """Everything the card says."""
        return measure_crosscoder(
            read_crosscoder(directory), self.tuned, COPIES[self.tuned].changes, self.layer
        )


LAST = 5  # "before layer 5" is after all layers: what the unembedding reads
L1, K = 1.0, 12


def crosscoders_of(tuned: str) -> tuple[CrosscoderRecipe, CrosscoderRecipe]:
    """One with BatchTopK and one with L1, otherwise the same."""
    name = f"{tuned}-crosscoder"
    common = {
        "d_sae": 256, "n_steps": 500, "batch_size": 512, "learning_rate": 4e-3,
        "sparsity_warmup": 170, "decay": 0.4, "dead_after": 8000,
    }  # fmt: skip
    revive = Auxiliary(k=32, weight=0.1)
    where = f"of atlas and {tuned}, after all layers"
    return (
        CrosscoderRecipe(
            name=name,
            tuned=tuned,
            config=SaeConfig(kind=BatchTopK(k=K), revive=revive, **common),
            summary=f"A crosscoder {where}: BatchTopK, which has no price for what is written.",
        ),
        CrosscoderRecipe(
            name=f"{name}-l1",
            tuned=tuned,
            config=SaeConfig(kind=Relu(), sparsity=L1, **common),
            summary=f"A crosscoder {where}: L1, whose price is the sum of a latent's two norms.",
        ),
    )


CROSSCODERS = {recipe.name: recipe for tuned in COPIES for recipe in crosscoders_of(tuned)}
