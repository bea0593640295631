"""Three graphs of one prompt without their labels: one right, one with unfrozen denominators, one exchanged."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from mi_tutor.specimens.atlas.prompts import chosen, tokenizer
from mi_tutor.world.geography import Geography
from mi_tutor.world.tokenizer import BOS

if TYPE_CHECKING:
    from mi_tutor.lab.ground.plain import PlainTransformer
    from mi_tutor.lab.tracing import AttributionGraph, LocalReplacementModel, Transcoders

KINDS = ("right", "unfrozen", "exchanged")


class SuspectGraphs(NamedTuple):
    """Attributes: the prompt, its local replacement model, and the graphs by letter."""

    text: str
    local: LocalReplacementModel
    graphs: dict[str, AttributionGraph]


@cache
def two_hop_texts() -> tuple[str, ...]:
    """Held-out questions in English."""
    return tuple(q.prompt.text for q in chosen(Geography(), language="english") if q.held_out_by)


def three_graphs(
    plain: PlainTransformer, transcoders: Transcoders, draw: int
) -> tuple[str, LocalReplacementModel, dict[str, AttributionGraph]]:
    """A prompt by lot, its local replacement model, and its three graphs by kind."""
    import torch

    from mi_tutor.lab.tracing import (
        attribution_graph,
        exchanged_graph,
        local_replacement,
        unfrozen_graph,
    )

    lot = torch.Generator().manual_seed(draw)
    text = two_hop_texts()[int(torch.randint(len(two_hop_texts()), (), generator=lot))]
    tokens = torch.tensor([tokenizer().ids[BOS], *tokenizer().encode(text)])
    local = local_replacement(plain, transcoders, tokens)
    right = attribution_graph(local, tokens)
    graphs = (right, unfrozen_graph(local, right), exchanged_graph(right, lot))
    return text, local, dict(zip(KINDS, graphs, strict=True))


def suspect_graphs(
    plain: PlainTransformer, transcoders: Transcoders, draw: int = 500
) -> SuspectGraphs:
    """Three graphs of one prompt, "A", "B" and "C": which is which is not said. Another draw has other letters."""
    import torch

    text, local, graphs = three_graphs(plain, transcoders, draw)
    order = torch.randperm(3, generator=torch.Generator().manual_seed(31 * draw + 7)).tolist()
    kinds = list(graphs)
    return SuspectGraphs(
        text, local, {letter: graphs[kinds[i]] for letter, i in zip("ABC", order, strict=True)}
    )
