"""What the card of a dictionary made for graphs also says: the scores of graphs with its latents as nodes."""

from __future__ import annotations

from pathlib import Path

import torch

from mi_tutor.lab.dictionaries import Sae
from mi_tutor.lab.ground.device import one_thread
from mi_tutor.lab.ground.plain import plain_transformer
from mi_tutor.lab.tracing import Transcoders, attribution_graph, graph_scores, local_replacement
from mi_tutor.specimens.atlas.prompts import by_length
from mi_tutor.specimens.cards import Measure
from mi_tutor.specimens.dictionaries.cross_layer_measures import two_hop_texts
from mi_tutor.specimens.dictionaries.measures import kept_model, number
from mi_tutor.specimens.opening.dictionaries import open_dictionary
from mi_tutor.specimens.opening.transcoders import open_transcoders

EVERY = 8  # two-hop prompt is traced
SETS = {"": ("atlas-mlp", "transcoders per layer"), "_across": ("atlas-clt", "atlas-clt")}


@torch.no_grad()
def measure_traced(directory: Path, layer: int) -> list[Measure]:
    """The scores of graphs of held-out two-hop prompts with a layer's attention in latents."""
    with one_thread():
        sae, found = open_dictionary(directory), []
        for suffix, (name, words) in SETS.items():
            scores = scores_of_graphs(open_transcoders(name), sae, layer)
            for score, value in zip(("replacement", "completeness"), scores, strict=True):
                meaning = (
                    f"{score} score of the graphs of held-out two-hop prompts, with {words}, median"
                )
                found.append(number(score + suffix, meaning, value, 0.005))
        return found


def scores_of_graphs(transcoders: Transcoders, sae: Sae, layer: int) -> list[float]:
    """Replacement and completeness, the median of each."""
    plain = plain_transformer(kept_model("atlas", device="cpu"))
    found = []
    for _, tokens in by_length(two_hop_texts()[::EVERY]):
        for prompt in tokens:
            local = local_replacement(plain, transcoders, prompt, {layer: sae})
            found.append(graph_scores(attribution_graph(local, prompt)))
    return torch.tensor(found).median(dim=0).values.tolist()
