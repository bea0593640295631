"""What the cards of dictionaries say: how well they reconstruct, and which concepts one latent stands for."""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from mi_tutor.lab.device import one_thread
from mi_tutor.lab.sae import activation_rows, loss_recovered, match_concepts, sae_metrics
from mi_tutor.specimens.atlas_texts import N_POS, LabelledTexts, labelled_texts
from mi_tutor.specimens.cards import Measure
from mi_tutor.specimens.dictionaries import open_dictionary
from mi_tutor.specimens.opening import open_specimen
from mi_tutor.world.corpus import Corpus

if TYPE_CHECKING:
    from jaxtyping import Bool, Float
    from torch import Tensor
    from transformer_lens.model_bridge import TransformerBridge

    from mi_tutor.lab.sae import Sae

FAMILIES = ("state", "country", "relation", "language", "context")
N_ROWS = 1000  # of text, for choosing latents, and as many for marking them
CHOOSING, MARKING = 11, 12  # seeds of these texts
GOOD_F1 = 0.9


@torch.no_grad()
def measure_dictionary(directory: Path, model_name: str, hook: str) -> list[Measure]:
    """All measures of a card, on the CPU, without randomness that is not seeded."""
    with one_thread():
        sae = open_dictionary(directory)
        model = open_specimen(model_name, device="cpu")
        found = activation_rows(model, labelled_texts(MARKING, N_ROWS).tokens, hook)
        x, y = found if isinstance(found, tuple) else (found, found)
        seen = sae_metrics(sae, x, y)
        measures = [
            number("l0", "latents on per token", seen.l0, 0.2),
            number("fvu", "fraction of variance unexplained", seen.fvu, 0.005),
            number("cosine", "cosine of activation and reconstruction", seen.cosine, 0.005),
            number("dead", f"share of latents never on in {len(x):,} tokens", seen.dead, 0.01),
            number("dense", "share of latents on in more than a tenth of tokens", seen.dense, 0.01),
            *measure_recovered(model, sae, hook),
        ]
        return [*measures, *measure_concepts(model, sae, hook)]


def number(name: str, meaning: str, value: float, tolerance: float) -> Measure:
    """A measure that is one number."""
    return Measure(name=name, meaning=meaning, value=value, tolerance=tolerance)


def measure_recovered(model: TransformerBridge, sae: Sae, hook: str) -> list[Measure]:
    """How much of the model's loss the reconstruction keeps, on the text that the model was trained on."""
    rows = Corpus().rows(random.Random("dictionary recovered"), 256, N_POS)
    layer, component, source = site_of(hook)
    measures = []
    for ablation, against in (("zero", "zeros"), ("mean", "the mean activation")):
        seen = loss_recovered(
            model,
            torch.from_numpy(rows).split(64),
            layer,
            component,
            sae,
            source=source,
            ablation=ablation,
        )
        meaning = f"share of the loss recovered, against {against} in its place"
        measures.append(number(f"recovered_{ablation}", meaning, seen.recovered, 0.005))
    return measures


def site_of(hook: str) -> tuple[int, str, str | None]:
    """Layer, component and, for a transcoder, what is read in its place.

    >>> site_of("blocks.2.hook_resid_pre"), site_of("blocks.2.mlp")
    ((2, 'resid_pre', None), (2, 'mlp_out', 'mlp_in'))
    """
    _, layer, name = hook.split(".", 2)
    if name == "mlp":
        return int(layer), "mlp_out", "mlp_in"
    return int(layer), name.removeprefix("hook_"), None


def measure_concepts(model: TransformerBridge, sae: Sae, hook: str) -> list[Measure]:
    """For each family the share of concepts that one latent marks with an F1 of .9, and all marks as a table."""
    texts = labelled_texts(CHOOSING, N_ROWS), labelled_texts(MARKING, N_ROWS)
    wanted = [i for i, c in enumerate(texts[0].concepts) if family_of(c) in FAMILIES]
    concepts = tuple(texts[0].concepts[i] for i in wanted)
    matches = match_concepts(*(marked_latents(model, sae, hook, each, wanted) for each in texts))
    measures = []
    good = matches.f1 >= GOOD_F1
    for family in FAMILIES:
        of_family = torch.tensor([family_of(concept) == family for concept in concepts])
        n, share = int(of_family.sum()), good[of_family].float().mean().item()
        meaning = f"{family}: share of {n} concepts that one latent marks with F1 {GOOD_F1} or more"
        measures.append(number(f"matched_{family}", meaning, share, 2 / n))
    everything = good.float().mean().item()
    measures.append(number("matched", "the same for all concepts together", everything, 0.03))
    columns = {"F1": matches.f1, "precision": matches.precision, "recall": matches.recall}
    table = torch.stack([*columns.values(), matches.unit.float()], dim=1)
    measures.append(
        Measure(
            name="concepts",
            meaning="the latent that was chosen for each concept on some texts, marked on others",
            value=[[round(each, 3) for each in row] for row in table.tolist()],
            tolerance=0.05,
            rows=concepts,
            columns=(*columns, "latent"),
            rows_title="concept",
            columns_title="",
        )
    )
    return measures


def family_of(concept: str) -> str:
    """The part before the =.

    >>> family_of("state=Texas")
    'state'
    """
    return concept.split("=")[0]


def marked_latents(
    model: TransformerBridge, sae: Sae, hook: str, texts: LabelledTexts, wanted: list[int]
) -> tuple[Float[Tensor, "token latent"], Bool[Tensor, "token concept"]]:
    """The latents of all tokens that are asked about, and their labels for the wanted concepts."""
    found = activation_rows(model, texts.tokens, hook)
    x = found[0] if isinstance(found, tuple) else found
    asked = texts.asked[:, 1:].flatten()
    latents = torch.cat([sae.encode(part) for part in x[asked].split(8192)])
    return latents, texts.labels[:, 1:].flatten(0, 1)[asked][:, wanted]
