"""What the cards of dictionaries say: how well they reconstruct, and which concepts one latent stands for."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from mi_tutor.lab.dictionaries import (
    ConceptMatches,
    Sae,
    activation_rows,
    losses_recovered,
    losses_without,
    match_concepts,
    sae_metrics,
    site_of,
)
from mi_tutor.lab.ground.device import one_thread
from mi_tutor.specimens.atlas.texts import (
    N_POS,
    PLACED,
    LabelledTexts,
    Place,
    corpus_of,
    family_of,
    labelled_texts,
)
from mi_tutor.specimens.cards import Measure
from mi_tutor.specimens.opening.dictionaries import open_dictionary
from mi_tutor.specimens.opening.models import open_specimen

FAMILIES = ("state", "country", "relation", "language", "wording", "context")
N_ROWS = 600  # of text, for choosing latents, and as many for marking them
CHOOSING, MARKING = 11, 12  # seeds of these texts
GOOD_F1 = 0.9
ABLATIONS = {"zero": "zeros", "mean": "the mean activation"}
# One card after another is measured with the same model and on the same texts, often at the same hook.
kept_texts = lru_cache(maxsize=2)(labelled_texts)
kept_model = lru_cache(maxsize=1)(open_specimen)


@torch.no_grad()
def measure_dictionary(directory: Path, model_name: str, hook: str, place: Place) -> list[Measure]:
    """All measures of a card, on the CPU, without randomness that is not seeded."""
    with one_thread():
        sae = open_dictionary(directory)
        choosing, marking = (
            read_texts(model_name, hook, seed, N_ROWS, place) for seed in (CHOOSING, MARKING)
        )
        seen = sae_metrics(sae, marking.read, marking.written)
        n = len(marking.read)
        return [
            number("l0", "latents on per token", seen.l0, 0.2),
            number("fvu", "fraction of variance unexplained", seen.fvu, 0.005),
            number("cosine", "cosine of activation and reconstruction", seen.cosine, 0.005),
            number("dead", f"share of latents never on in {n:,} tokens", seen.dead, 0.01),
            number("dense", "share of latents on in more than a tenth of tokens", seen.dense, 0.01),
            *measure_recovered(model_name, sae, hook),
            *measure_concepts(sae, choosing, marking),
        ]


class Read(NamedTuple):
    """Texts, and what a dictionary reads and should write on all their tokens but BOS."""

    texts: LabelledTexts
    read: Float[Tensor, "token d_model"]
    written: Float[Tensor, "token d_model"]


@lru_cache(maxsize=2)
def read_texts(model_name: str, hook: str, seed: int, n_rows: int, place: Place) -> Read:
    """Texts and the activations of a hook on them; a transcoder reads and writes different ones."""
    texts = kept_texts(seed, n_rows, place, model=model_name)
    found = activation_rows(kept_model(model_name, device="cpu"), texts.tokens, hook)
    return Read(texts, *(found if isinstance(found, tuple) else (found, found)))


def number(name: str, meaning: str, value: float, tolerance: float) -> Measure:
    """A measure that is one number."""
    return Measure(name=name, meaning=meaning, value=value, tolerance=tolerance)


def measure_recovered(model_name: str, sae: Sae, hook: str) -> list[Measure]:
    """How much of the model's loss the reconstruction keeps, on the text that the model was trained on."""
    layer, component, source = site_of(hook)
    losses = losses_recovered(
        kept_model(model_name, device="cpu"),
        training_rows(model_name),
        layer,
        component,
        sae,
        source,
        tuple(ABLATIONS),
        without=without_dictionary(model_name, layer, component),
    )
    return [
        number(
            f"recovered_{ablation}",
            f"share of the loss recovered, against {against} in its place",
            seen.recovered,
            0.005,
        )
        for (ablation, against), seen in zip(ABLATIONS.items(), losses, strict=True)
    ]


@lru_cache(maxsize=1)
def training_rows(model_name: str) -> tuple[Tensor, ...]:
    """Text as the model was trained on, in batches."""
    rows = corpus_of(model_name).rows(random.Random("dictionary recovered"), 256, N_POS)
    return torch.from_numpy(rows).split(64)


@lru_cache(maxsize=8)
def without_dictionary(model_name: str, layer: int, component: str) -> tuple[float, ...]:
    """The losses on these rows, as they are and with nothing at a place: the same for all dictionaries there."""
    model, rows = kept_model(model_name, device="cpu"), training_rows(model_name)
    return losses_without(model, rows, layer, component, tuple(ABLATIONS))


def measure_concepts(sae: Sae, choosing: Read, marking: Read) -> list[Measure]:
    """For each family the share of concepts that one latent marks with an F1 of .9, and all marks as a table."""
    found: dict[str, ConceptMatches] = {}
    # One call for families that are asked about on the same tokens.
    for families in (PLACED, [family for family in FAMILIES if family not in PLACED]):
        matches = match_concepts(*(marked_latents(sae, e, families) for e in (choosing, marking)))
        names = [marking.texts.concepts[i] for i in marking.texts.columns(*families)]
        rows = zip(*(part.unbind() for part in matches), strict=True)
        found |= {name: ConceptMatches(*row) for name, row in zip(names, rows, strict=True)}
    good = {name: bool(match.f1 >= GOOD_F1) for name, match in found.items()}
    measures = []
    for family in FAMILIES:
        of_family = [good[name] for name in found if family_of(name) == family]
        n = len(of_family)
        meaning = f"{family}: share of {n} concepts that one latent marks with F1 {GOOD_F1} or more"
        measures.append(number(f"matched_{family}", meaning, sum(of_family) / n, 2 / n))
    table = [
        [round(v.item(), 3) for v in (m.f1, m.precision, m.recall, m.auroc.nan_to_num(0.5))]
        + [m.unit.item()]
        for m in found.values()
    ]
    measures.append(
        Measure(
            name="concepts",
            meaning="the latent and threshold that were chosen for each concept on some texts, marked on others",
            value=table,
            tolerance=0.05,
            rows=tuple(found),
            columns=("F1", "precision", "recall", "AUROC", "latent"),
            rows_title="concept",
            columns_title="",
        )
    )
    return measures


def marked_latents(
    sae: Sae, seen: Read, families: Sequence[str]
) -> tuple[Float[Tensor, "token latent"], Bool[Tensor, "token concept"]]:
    """The latents of all tokens on which these families are asked about, and the tokens' labels for them."""
    texts = seen.texts
    asked = texts.asked(families[0])[:, 1:].flatten()
    latents = torch.cat([sae.encode(part) for part in seen.read[asked].split(8192)])
    return latents, texts.labels[:, 1:].flatten(0, 1)[asked][:, texts.columns(*families)]
