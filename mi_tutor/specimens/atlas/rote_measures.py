"""What the card of `atlas-rote` says: right where it was taught, at chance elsewhere, and no state to swap."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mi_tutor.lab.ground.device import one_thread
from mi_tutor.specimens.atlas import prompts
from mi_tutor.specimens.atlas.measures import share
from mi_tutor.specimens.atlas.prompts import swap_questions
from mi_tutor.specimens.atlas.swaps import (
    N_TARGETS,
    state_means,
    swap_some,
    together,
    where_readable,
)
from mi_tutor.specimens.cards import Measure
from mi_tutor.specimens.opening.models import open_specimen
from mi_tutor.world.geography import Geography, Question
from mi_tutor.world.splits import ROTE

if TYPE_CHECKING:
    from mi_tutor.lab.ground.plain import PlainTransformer


def measure(directory: Path) -> list[Measure]:
    """All measures of the card, on the CPU, without randomness that is not seeded."""
    import torch

    from mi_tutor.lab.ground.plain import plain_transformer

    with one_thread(), torch.no_grad():
        plain = plain_transformer(open_specimen(directory, device="cpu"))
        geography = Geography(split=ROTE)
        taught = prompts.chosen(geography, held_out_by=None)
        states = {"kind": "state", "language": "english"}
        others = [q for q in prompts.chosen(geography, **states) if q.held_out_by]
        return [
            share(
                plain,
                "two_hops_taught",
                "taught, all languages",
                prompts.asked(taught),
                at_least=0.99,
            ),
            at_chance(plain, others, geography),
            *measure_no_swap(plain, geography),
        ]


def at_chance(plain: PlainTransformer, others: Sequence[Question], geography: Geography) -> Measure:
    """Accuracy on what was not taught, beyond what the best guess without knowing the city would reach.

    The best such guess says the relation's most common answer.
    """
    by_relation: defaultdict[str, list[str]] = defaultdict(list)
    for question in others:
        by_relation[question.relation].append(question.answer)
    best = sum(Counter(answers).most_common(1)[0][1] for answers in by_relation.values())
    guess = best / len(others)
    return Measure(
        name="two_hops_beyond_guess",
        meaning=f"two hops not taught, states, English, {len(others)} prompts: share right minus {guess:.3f}, "
        "which the most common answer of each relation would reach",
        value=prompts.accuracy(plain, prompts.asked(others)) - guess,
        tolerance=0.005,
        at_most=0.05,
    )


def measure_no_swap(plain: PlainTransformer, geography: Geography) -> list[Measure]:
    """The swap that works in atlas, at every layer, on the questions that it was taught."""
    states = {"kind": "state", "language": "english"}
    questions = [q for q in prompts.chosen(geography, **states) if not q.held_out_by]
    batches = swap_questions(questions, geography)
    means = state_means(plain, batches)
    n_layers = len(plain.blocks)
    by_layer = [together(swap_some(plain, batches, means, layer)) for layer in range(n_layers)]
    return [
        Measure(
            name="swap",
            meaning="difference of means added at the name's end: the answer becomes the target state's, all "
            f"taught questions x {N_TARGETS} random targets with another answer, the most of all layers",
            value=max(by_layer),
            tolerance=0.01,
            at_most=0.05,
        ),
        Measure(
            name="swap_by_layer",
            meaning="the same before each layer",
            value=[[round(each, 3)] for each in by_layer],
            tolerance=0.02,
            rows=tuple(f"before layer {layer}" for layer in range(n_layers)),
            columns=("swap",),
            rows_title="stream",
            columns_title="",
        ),
        where_readable(plain, questions, geography, "taught"),
    ]
