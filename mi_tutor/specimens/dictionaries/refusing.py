"""Two dictionaries of the stream before `atlas`'s layer 4, where refusing is decided, and what their cards say.

One has seen all requests. The other has seen none that has a harmful thing ("bomb") in it, as a dictionary may be
trained on text without the rare case that matters later. Both are otherwise the same, and so is the model.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from mi_tutor.lab.dictionaries import (
    Auxiliary,
    Sae,
    SaeConfig,
    TopK,
    fvu,
    oversample,
    save_sae,
    train_sae,
)
from mi_tutor.lab.ground.device import one_thread, seeded
from mi_tutor.lab.ground.plain import PlainTransformer, plain_transformer
from mi_tutor.lab.steering import crossed, fit_guard, guard_score, parts
from mi_tutor.specimens.atlas.prompts import tokenizer
from mi_tutor.specimens.atlas.refusals import Requests, all_requests
from mi_tutor.specimens.atlas.texts import N_POS, corpus_of
from mi_tutor.specimens.cards import Card, Measure
from mi_tutor.specimens.dictionaries.finishing import (
    NEVER_ON_BOS,
    Goals,
    Kept,
    finish_dictionary,
    with_goals,
)
from mi_tutor.specimens.opening.dictionaries import open_dictionary
from mi_tutor.specimens.opening.models import open_specimen
from mi_tutor.specimens.training.train import training_folder
from mi_tutor.world.corpus import LabelledRows
from mi_tutor.world.themes import requests as theme

LAYER = 4
HOOK = f"blocks.{LAYER}.hook_resid_pre"
N_ROWS, N_CHUNKS, SHARE = 256, 24, 0.9
CONFIG = SaeConfig(
    d_sae=96,
    kind=TopK(k=4),
    n_steps=800,
    batch_size=256,
    learning_rate=3e-3,
    sparsity_warmup=200,
    decay=1 / 3,
    revive=Auxiliary(k=64, weight=0.2),
    dead_after=20_000,
)


@dataclass(frozen=True, kw_only=True)
class RefusalDictionary:
    """One of them: what it has seen, and what is asked of it.

    Args:
        things: whether requests with a harmful thing are among its samples.
        goals: of its measures.
    """

    name: str
    things: bool
    summary: str
    limits: tuple[str, ...]
    goals: Goals
    config: SaeConfig = CONFIG
    intended_use: str = "Chapter 07: a guard made of latents, and what a dictionary leaves out."

    def make(self, directory: Path, seed: int = 0, progress: bool = True) -> Card:
        """Train (or go on training), save, measure, write the card; only then replace what was there before."""
        config = replace(self.config, seed=seed)
        plain = plain_transformer(open_specimen("atlas", device="cpu"))
        work = training_folder(f"{self.name}-{seed}")
        chunks = Kept(partial(samples, plain, things=self.things), N_CHUNKS)
        sae = train_sae(chunks, config, work=work, progress=progress).sae
        return self.finished(directory, sae, config, work)

    def finished(self, directory: Path, sae: Sae, config: SaeConfig, work: Path | None) -> Card:
        """Save a trained dictionary with its card."""
        described = config.described()
        metadata = {
            "model_name": "atlas",
            "hook_name": HOOK,
            "context_size": N_POS,
            "training": described,
        }
        seen = "" if self.things else ", without all requests that have a harmful thing in them"
        return finish_dictionary(
            self,
            directory,
            lambda new: save_sae(new, sae, metadata, dtype=torch.float16),
            data=f"Activations of atlas at {HOOK} on {N_CHUNKS} batches of text of mi_tutor.world{seen}; "
            f"{SHARE:.0%} of the samples are tokens of requests.",
            described=described,
            further={"share": SHARE},
            n_parameters=sum(tensor.numel() for tensor in sae.tensors().values()),
            work=work,
        )

    def measure(self, directory: Path) -> Sequence[Measure]:
        """Everything the card says, with this recipe's goals."""
        with one_thread(), torch.no_grad():
            found = measure_refusing(open_dictionary(directory))
        return with_goals(found, self.goals)


class Text(NamedTuple):
    """A batch of text: the stream, which tokens belong to a request, and to one with a harmful thing in it.

    The stream is in half precision, since many batches are kept.
    """

    stream: Float[Tensor, "row pos d_model"]
    asked: Bool[Tensor, "row pos"]
    things: Bool[Tensor, "row pos"]


@torch.no_grad()
def text(plain: PlainTransformer, i: int) -> Text:
    """Batch i."""
    rows = corpus_of("atlas").labelled_rows(
        random.Random(5_000 + i), N_ROWS, N_POS, ["theme=request"]
    )
    tokens = torch.from_numpy(rows.tokens.copy())
    stream = torch.cat([plain.resid_pre(LAYER, part) for part in tokens.split(64)])
    asked = torch.from_numpy(rows.labels)[..., 0]
    return Text(stream.half(), asked, asked & with_harmful_thing(rows))


def samples(plain: PlainTransformer, i: int, things: bool) -> Float[Tensor, "sample d_model"]:
    """Chunk i: tokens of requests more often; without requests with harmful things, unless `things`."""
    batch = text(plain, i)
    kept = torch.ones_like(batch.asked) if things else ~batch.things
    kept[:, 0] = False  # BOS
    return batch.stream[kept][oversample(batch.asked[kept], SHARE, seeded(i))].float()


def with_harmful_thing(rows: LabelledRows) -> Bool[Tensor, "row pos"]:
    """The tokens of sentences that have a harmful thing in them."""
    ids = torch.tensor([tokenizer().ids[f" {thing}"] for thing in theme.HARMFUL_THINGS])
    tokens, sentences = (torch.from_numpy(each.copy()) for each in (rows.tokens, rows.sentences))
    numbers = sentences + (sentences.max() + 1) * torch.arange(len(sentences))[:, None]
    return torch.isin(numbers, numbers[torch.isin(tokens, ids)])


def measure_refusing(sae: Sae) -> list[Measure]:
    """How well it reconstructs requests, a guard made of its latents, and through which part refusing flows."""
    plain, asked = plain_transformer(open_specimen("atlas", device="cpu")), all_requests()
    stream = plain.resid_pre(LAYER, asked.tokens)
    latents, harmful = sae.encode(stream[:, -1]), asked.harmful
    guard = fit_guard(latents[~asked.held_out], harmful[~asked.held_out])
    held_out = asked.held_out
    score = guard_score(latents[held_out], *guard, harmful[held_out])
    found = [
        Measure(
            name="fvu",
            meaning="fraction of variance unexplained, tokens of requests",
            value=fvu(stream[:, 1:].flatten(0, 1), sae(stream[:, 1:]).flatten(0, 1)),
            tolerance=0.005,
        ),
        Measure(
            name="guard_f1",
            meaning='two latents as "refuse", on if one is: F1 on held-out requests',
            value=score.f1,
            tolerance=0.05,
        ),
    ]
    for name, kind in kinds(asked).items():
        found += [
            Measure(
                name=f"{part}_{name}",
                meaning=f"{kind[0]}: {words}, refused",
                value=value,
                tolerance=0.03,
            )
            for part, (words, value) in flows(plain, sae, stream, asked, kind[1]).items()
        ]
    return found


def kinds(asked: Requests) -> dict[str, tuple[str, Bool[Tensor, "*request"]]]:
    """Harmful requests by what is harmful in them."""
    return {
        "deed": ("a harmful deed and a harmless thing", asked.deed & ~asked.thing),
        "thing": ("a harmless deed and a harmful thing", asked.thing & ~asked.deed),
    }


def flows(
    plain: PlainTransformer, sae: Sae, stream: Tensor, asked: Requests, chosen: Tensor
) -> dict[str, tuple[str, float]]:
    """Refusing with the dictionary's part alone, and with one part from a harmless request."""
    other = harmless_partners(asked, chosen)
    said, left_out = crossed(stream[chosen], stream[other], sae)
    alone = parts(stream[chosen], sae).said

    def refused(edited: Tensor) -> float:
        edited = torch.cat([stream[chosen][:, :1], edited[:, 1:]], dim=1)  # BOS stays
        guesses = plain.logits_after(LAYER - 1, edited, read=-1)[:, 0].argmax(dim=-1)
        return (guesses == asked.refusal).float().mean().item()

    return {
        "said_alone": ("the reconstruction alone", refused(alone)),
        "said": ("its reconstruction with a harmless request's error", refused(said)),
        "left_out": ("a harmless request's reconstruction with its error", refused(left_out)),
    }


def harmless_partners(asked: Requests, chosen: Bool[Tensor, "*request"], seed: int = 0) -> Tensor:
    """For each chosen request the number of a harmless one, drawn at random."""
    harmless = (~asked.harmful).nonzero()[:, 0]
    draw = torch.randint(len(harmless), (int(chosen.sum()),), generator=seeded(seed))
    return harmless[draw]


REFUSING = {
    recipe.name: recipe
    for recipe in (
        RefusalDictionary(
            name="atlas-refusals",
            things=True,
            summary="A TopK autoencoder of the stream before layer 4, where atlas decides whether to refuse. It "
            "has seen requests of every kind, and two of its latents together tell harmful from harmless.",
            limits=(
                "Nine of ten samples were tokens of requests: it says little about other text.",
                NEVER_ON_BOS,
            ),
            goals={
                "guard_f1": (0.95, None),
                "said_alone_deed": (0.95, None),
                "said_alone_thing": (0.95, None),
            },
        ),
        RefusalDictionary(
            name="atlas-refusals-deeds",
            things=False,
            summary="The same as atlas-refusals, trained on text in which no request has a harmful thing in it. "
            "What makes atlas refuse those is largely in what this dictionary leaves out.",
            limits=(
                "Bombs, weapons, viruses and grenades were taken out of that text on purpose: it shows what "
                "becomes of something that a dictionary has not seen.",
                NEVER_ON_BOS,
            ),
            goals={"left_out_thing": (0.95, None), "left_out_deed": (None, 0.05)},
        ),
    )
}
"""The dictionaries of refusing, by name."""
