"""A dictionary that says more: the latents of one that is there, and further ones for what these leave out.

`atlas-attn2` gives nearly every state a latent, and three latents per token cannot say which of a state's cities
it was. Trained at once, a dictionary that says more has no latent per state (docs/log.md). So it is trained in two
stages, each for its own error:

    first     atlas-attn2 as it is, with a threshold for each latent in place of "the three largest"
    further   a transcoder from the activation to what the first stage leaves out, x -> x - first(x)

and the two are written as one JumpReLU autoencoder, whose first latents are atlas-attn2's, under the same numbers.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from mi_tutor.lab.dictionaries import (
    ActivationSource,
    Auxiliary,
    BatchTopK,
    JumpRelu,
    Sae,
    SaeConfig,
    best_f1,
    save_sae,
    train_sae,
)
from mi_tutor.lab.ground.device import one_thread, seeded
from mi_tutor.lab.ground.plain import PlainTransformer, plain_transformer
from mi_tutor.specimens.atlas.prompts import by_length, up_to
from mi_tutor.specimens.atlas.texts import N_POS, training_texts
from mi_tutor.specimens.cards import Card, Measure
from mi_tutor.specimens.dictionaries.finishing import (
    NEVER_ON_BOS,
    Goals,
    Kept,
    finish_dictionary,
    with_goals,
)
from mi_tutor.specimens.dictionaries.further_measures import measure_traced
from mi_tutor.specimens.dictionaries.measures import kept_model, measure_dictionary
from mi_tutor.specimens.opening.dictionaries import open_dictionary
from mi_tutor.specimens.training.train import training_folder
from mi_tutor.world.geography import Geography
from mi_tutor.world.geography_words import FORMS
from mi_tutor.world.tables import LANGUAGES

N_ROWS, N_CHUNKS, SHARE = 256, 8, 0.9
N_ENDS = 3000  # of each kind beside a chunk of text
N_FOR_THRESHOLDS = 4  # chunks


@dataclass(frozen=True)
class FurtherRecipe:
    """One such dictionary.

    Args:
        name: on the shelf.
        first: the dictionary whose latents it begins with.
        layer: whose attention they describe.
        config: of the further latents' training.
        goals: of its measures.
    """

    name: str
    first: str
    layer: int
    config: SaeConfig
    summary: str
    intended_use: str
    limits: tuple[str, ...]
    goals: Goals = field(default_factory=dict)

    @property
    def hook(self) -> str:
        """The activation that it reconstructs."""
        return f"blocks.{self.layer}.hook_attn_out"

    def make(self, directory: Path, seed: int = 0, progress: bool = True) -> Card:
        """Train (or go on training), save, measure, write the card; only then replace what was there before."""
        config, began = replace(self.config, seed=seed), time.process_time()
        work = training_folder(f"{self.name}-{seed}")
        with one_thread():
            sae = self.trained(config, work, progress)
        described = config.described()
        metadata = {"model_name": "atlas", "hook_name": self.hook, "context_size": N_POS}
        return finish_dictionary(
            self,
            directory,
            lambda new: save_sae(new, sae, metadata | {"training": described}, dtype=torch.float16),
            data=f"Activations of atlas at {self.hook} on {N_CHUNKS} batches of text of mi_tutor.world, "
            f"{SHARE:.0%} of them tokens before an answer; beside each batch {N_ENDS:,} ends of two-hop questions "
            "and as many of statements about cities, by lot out of those that training has.",
            described=described,
            further={
                "first": self.first,
                "share": SHARE,
                "ends": N_ENDS,
                "cpu_seconds": round(time.process_time() - began),
            },
            n_parameters=sum(tensor.numel() for tensor in sae.tensors().values()),
            work=work,
        )

    @torch.no_grad()
    def trained(self, config: SaeConfig, work: Path | None, progress: bool) -> Sae:
        """Both stages, as one dictionary."""
        samples = Samples(self.hook, self.layer)
        some = torch.cat([samples.text(i) for i in range(min(N_FOR_THRESHOLDS, N_CHUNKS))])
        first = with_thresholds(open_dictionary(self.first), some)

        def left_out(i: int) -> tuple[Tensor, Tensor]:
            x = samples(i)
            return x, x - first(x)

        return joined(first, train_sae(left_out, config, work=work, progress=progress).sae)

    def measure(self, directory: Path) -> Sequence[Measure]:
        """Everything the card says, with this recipe's goals."""
        found = [
            *measure_dictionary(directory, "atlas", self.hook, "slots"),
            *measure_traced(directory, self.layer),
        ]
        return with_goals(found, self.goals)


class Samples:
    """Chunk i: tokens of text, and beside them ends of taught questions and statements, by lot."""

    def __init__(self, hook: str, layer: int) -> None:
        self.layer = layer
        self.text: Callable[[int], Tensor] = Kept(
            ActivationSource(
                model=kept_model("atlas", device="cpu"),
                name=hook,
                texts=training_texts(N_ROWS, "slots"),
                share=SHARE,
            ),
            N_CHUNKS,
        )

    @cached_property
    def ends(self) -> tuple[Tensor, Tensor]:
        """What attention writes at the ends of taught two-hop questions (every other one), and of statements."""
        plain = plain_transformer(kept_model("atlas", device="cpu"))
        return tuple(
            torch.cat(list(at_ends(plain, self.layer, texts)))
            for texts in (taught_questions()[::2], taught_statements())
        )

    def __call__(self, i: int) -> Float[Tensor, "sample d_model"]:
        lot = seeded(i)
        drawn = [ends[torch.randperm(len(ends), generator=lot)[:N_ENDS]] for ends in self.ends]
        return torch.cat([self.text(i), *drawn])


def taught_questions() -> list[str]:
    """All two-hop questions that training has, without their answers."""
    return [each.prompt.text for each in Geography().questions() if not each.held_out_by]


def taught_statements() -> list[str]:
    """All statements about where a city is that training has, up to what they say."""
    geography = Geography()
    return [
        up_to(geography.locate(city, language, wording), "area").text
        for language in LANGUAGES
        for wording in range(len(FORMS[language]["locate"]))
        for city in geography.facts.cities
        if geography.says_locate(city, language, wording)
    ]


@torch.no_grad()
def at_ends(
    plain: PlainTransformer, layer: int, texts: Sequence[str]
) -> Iterator[Float[Tensor, "text d_model"]]:
    """What a layer's attention writes at the last token of each text."""
    for _, tokens in by_length(texts):
        for part in tokens.split(512):
            yield plain.activations(layer, part, until="attn_out")["attn_out"][:, -1]


@torch.no_grad()
def with_thresholds(sae: Sae, x: Float[Tensor, "row d"]) -> Sae:
    """A TopK dictionary as a JumpReLU: each latent's threshold tells best when it is among the k largest.

    Of all thresholds the one with the highest F1 on these rows. A latent that is never among them gets its largest
    value there.

    >>> from mi_tutor.lab.dictionaries import TopK
    >>> one, zero = torch.eye(2), torch.zeros(2)
    >>> sae = Sae(W_enc=one, b_enc=zero, W_dec=one, b_dec=zero, kind=TopK(k=1))
    >>> with_thresholds(sae, torch.tensor([[3.0, 2.0], [1.0, 4.0], [5.0, 1.0]])).threshold
    tensor([1., 2.])
    """
    pre, on = torch.relu(sae.pre_activations(x)), sae.encode(x) > 0
    cuts = torch.stack(
        [
            best_f1(values[:, None], among[:, None])[1][0, 0] if among.any() else values.max()
            for values, among in zip(pre.mT.contiguous(), on.mT, strict=True)
        ]
    )
    return replace(sae, kind=JumpRelu(), threshold=cuts)


def joined(first: Sae, further: Sae) -> Sae:
    """An autoencoder, and a transcoder from x to what that leaves out, as one autoencoder: first(x) + further(x).

    The first's b_enc grows by what moving the centre from its b_dec to the sum of both takes away, and the further
    one's, which reads x as it is, by what it reads of the centre.
    """
    centre = first.b_dec + further.b_dec
    return Sae(
        W_enc=torch.cat([first.W_enc, further.W_enc], dim=1),
        b_enc=torch.cat(
            [first.b_enc + further.b_dec @ first.W_enc, further.b_enc + centre @ further.W_enc]
        ),
        W_dec=torch.cat([first.W_dec, further.W_dec]),
        b_dec=centre,
        kind=JumpRelu(),
        threshold=torch.cat([first.threshold, further.threshold]),
    )


FURTHER = {
    recipe.name: recipe
    for recipe in (
        FurtherRecipe(
            name="atlas-attn2-graph",
            first="atlas-attn2",
            layer=2,
            config=SaeConfig(
                d_sae=640,
                kind=BatchTopK(k=14),
                n_steps=3000,
                batch_size=512,
                learning_rate=1e-2,
                sparsity_warmup=900,
                decay=1 / 3,
                revive=Auxiliary(k=64, weight=0.5),
                dead_after=5_000,
            ),
            summary="The 320 latents of atlas-attn2, each with a threshold, and 640 that were trained on what "
            "these leave out: nearly every state has a latent of its own, and graphs lose less.",
            intended_use="Chapter 06: attention 2 as nodes of a graph.",
            limits=(
                "Its further latents are no names: most are on for several cities, and say a part of which one it "
                "was.",
                "It is for tokens before an answer. On other text it leaves out much: in attention 2's place it "
                "recovers less of the loss than atlas-attn2.",
                "A state's own latent says the state; what others hold of it stays when that one is exchanged.",
                NEVER_ON_BOS,
            ),
            goals={
                "matched_state": (0.9, None),
                "replacement": (0.88, None),
                "completeness": (0.96, None),
                "replacement_across": (0.88, None),
                "completeness_across": (0.96, None),
            },
        ),
    )
}
"""The dictionaries in two stages, by name."""
