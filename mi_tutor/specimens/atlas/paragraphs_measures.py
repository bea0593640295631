"""What the cards of `atlas-paragraphs` and `atlas-sentences` say: what they know of a sentence that is to come."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from mi_tutor.lab.ground.device import one_thread
from mi_tutor.specimens.atlas import prompts
from mi_tutor.specimens.atlas.measures import STATES, share
from mi_tutor.specimens.atlas.texts import N_POS, corpus_of
from mi_tutor.specimens.cards import Measure
from mi_tutor.specimens.opening.models import open_specimen
from mi_tutor.world.geography import Geography

if TYPE_CHECKING:
    from mi_tutor.lab.ground.plain import PlainTransformer

N_ROWS = 400


def measure(directory: Path) -> list[Measure]:
    """All measures of the card, on the CPU, without randomness that is not seeded."""
    import torch

    from mi_tutor.lab.ground.plain import plain_transformer

    with one_thread(), torch.no_grad():
        plain = plain_transformer(open_specimen(directory, device="cpu"))
        questions = prompts.chosen(Geography(), held_out_by="pair", **STATES)
        pairs = prompts.asked(questions)
        return [
            *measure_losses(plain),
            share(plain, "two_hops_pairs", "two hops, (city, relation) held out, states", pairs),
        ]


def measure_losses(plain: PlainTransformer) -> Iterator[Measure]:
    """The loss on all tokens and on the first ones of sentences, in paragraphs and one by one."""
    import torch

    from mi_tutor.lab.ground.metrics import per_position_loss

    for name, meaning in (("paragraphs", "in paragraphs"), ("sentences", "drawn one by one")):
        corpus = corpus_of(f"atlas-{name}")
        rows = corpus.labelled_rows(random.Random("atlas-paragraphs"), N_ROWS, N_POS, [])
        tokens, number = torch.from_numpy(rows.tokens), torch.from_numpy(rows.sentences)
        loss = torch.cat(
            [
                per_position_loss(plain.logits_after(-1, plain.embed(some)), some)
                for some in tokens.split(64)
            ]
        )
        begins = number[:, 1:] > number[:, :-1]
        begins[:, 0] = False  # nothing comes before a row's first sentence
        for part, which, some in (
            ("loss", "all tokens", torch.ones_like(begins)),
            ("first", "the first token of each sentence but a row's first", begins),
        ):
            yield Measure(
                name=f"{part}_{name}",
                meaning=f"nats per token, {which}, sentences {meaning}",
                value=loss[some].mean().item(),
                tolerance=0.01,
            )
