"""What the card of `polyglot` says: what is right, what languages share, and what swapping one part does."""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING

from mi_tutor.lab.ground.device import one_thread
from mi_tutor.specimens.biology import lexicon
from mi_tutor.specimens.biology.polyglot_prompts import (
    Entries,
    city_entries,
    glossary,
    glossary_answers,
)
from mi_tutor.specimens.cards import Measure
from mi_tutor.specimens.opening.models import open_specimen

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from mi_tutor.lab.ground.plain import PlainTransformer

N_TARGETS = 4


def measure(directory: Path, shared: bool = True) -> list[Measure]:
    """All measures of the card, on the CPU, without randomness that is not seeded.

    shared: whether the swaps should work (`polyglot`) or should not (`polyglot-twin`).
    """
    import torch

    from mi_tutor.lab.ground.plain import plain_transformer
    from mi_tutor.lab.swaps import streams

    plain = plain_transformer(open_specimen(directory, device="cpu"))
    told, new = glossary(city_entries(held_out=False)), glossary(city_entries(held_out=True))
    with one_thread(), torch.no_grad():
        known = streams(plain, told.tokens)
        layer = best_layer(plain, told, known)
        return [
            *measure_answers(plain),
            *measure_swaps(plain, told, new, known, layer, shared),
            *measure_common(told, known),
            measure_reading(told, known),
        ]


def measure_answers(plain: PlainTransformer) -> list[Measure]:
    """How often the most likely next token is the answer."""
    every = lexicon.entries()
    kinds = {
        "one_hop": ("one hop", [e for e in every if not e.two_hops], 0.95),
        "two_hops_told": (
            "two hops, told",
            [e for e in every if e.two_hops and not e.held_out],
            0.95,
        ),
        "two_hops_held_out": ("two hops, held out", [e for e in every if e.held_out], None),
    }
    return [
        Measure(
            name=name,
            meaning=f"{what}: first guess right, {len(some)} entries",
            value=share_right(plain, glossary(some)),
            tolerance=0.02,
            at_least=goal,
        )
        for name, (what, some, goal) in kinds.items()
    ]


def share_right(plain: PlainTransformer, some: Entries) -> float:
    """The share of first guesses that are right."""
    guesses = plain.logits_after(-1, plain.embed(some.tokens), read=-1)[:, 0].argmax(dim=-1)
    return round((guesses == glossary_answers()[tuple(some.factors.T)]).float().mean().item(), 4)


def cells_at(
    told: Entries, known: Float[Tensor, "layer prompt pos d_model"], layer: int, position: int = -1
) -> Float[Tensor, "concept relation language d_model"]:
    """The means of told entries about cities."""
    from mi_tutor.lab.biology.languages import cell_means

    return cell_means(known[layer, :, position], told.factors)


def swap(
    plain,
    some: Entries,
    cells,
    layer: int,
    factor: str,
    seed: int = 0,
    random_step=False,
    given=None,
):
    """Swap a factor of some entries for others: the share of answers that became the wanted one, and of how many.

    A language's step is taken within the entry's relation, unless `given` says otherwise. A concept's step is
    taken in English, and asked only of French and Spanish entries. A swap counts where the answer should change.
    """
    import torch

    from mi_tutor.lab.biology.languages import FACTORS, swap_factor, swap_steps
    from mi_tutor.lab.swaps import random_like

    axis = FACTORS.index(factor)
    tokens, factors = some
    if factor == "concept":
        foreign = factors[:, 2] > 0
        tokens, factors = tokens[foreign], factors[foreign]
        cells = cells[:, :, :1].expand_as(cells)
    given = ("relation",) if given is None else given
    rng, generator = random.Random(seed), torch.Generator().manual_seed(seed)
    n_levels, passed, total = cells.shape[axis], 0.0, 0
    for _ in range(N_TARGETS if factor == "concept" else 2):
        targets = torch.tensor(
            [
                rng.choice([i for i in range(n_levels) if i != own])
                for own in factors[:, axis].tolist()
            ]
        )
        goal = factors.clone()
        goal[:, axis] = targets
        wanted, own = glossary_answers()[tuple(goal.T)], glossary_answers()[tuple(factors.T)]
        steps = swap_steps(cells, factors, targets, factor, given)
        if random_step:
            steps = random_like(steps, generator)
        asked = wanted != own
        done = swap_factor(plain, tokens[asked], layer, steps[asked], wanted[asked])
        passed += done.swapped.item() * int(asked.sum())
        total += int(asked.sum())
    return round(passed / total, 4), total


def best_layer(plain: PlainTransformer, told: Entries, known) -> int:
    """Before which layer both swaps together work best on told entries: chosen where nothing is claimed."""
    some = Entries(told.tokens[::3], told.factors[::3])

    def worth(layer: int) -> float:
        cells = cells_at(told, known, layer)
        return min(swap(plain, some, cells, layer, factor)[0] for factor in ("concept", "language"))

    return max(range(1, len(plain.blocks)), key=worth)


def measure_swaps(
    plain, told: Entries, new: Entries, known, layer: int, shared: bool
) -> list[Measure]:
    """One part exchanged, the others kept, on held-out entries; and random directions of the same norm."""
    cells = cells_at(told, known, layer)
    goal = {"at_least": 0.9} if shared else {"at_most": 0.2}
    what = {
        "language": "the language exchanged (difference of means within the relation), concept and relation kept",
        "concept": "the country exchanged by English directions in French and Spanish entries, language kept",
    }
    found = []
    for factor, meaning in what.items():
        done, total = swap(plain, new, cells, layer, factor)
        floor, _ = swap(plain, new, cells, layer, factor, random_step=True)
        found += [
            Measure(
                name=f"swap_{factor}",
                meaning=f"{meaning}: at the name before layer {layer}, held-out entries, {total} swaps",
                value=done,
                tolerance=0.02,
                **goal,
            ),
            Measure(
                name=f"swap_{factor}_random",
                meaning="a random direction of the same norm there",
                value=floor,
                tolerance=0.02,
                at_most=0.05,
            ),
        ]
    layers = range(len(plain.blocks))
    by_layer = [
        [swap(plain, new, cells_at(told, known, each), each, factor)[0] for factor in what]
        + [swap(plain, new, cells_at(told, known, each), each, "language", given=())[0]]
        for each in layers
    ]
    return [
        *found,
        Measure(
            name="swaps_by_layer",
            meaning="the same before each layer; and the language with one direction for all relations",
            value=by_layer,
            tolerance=0.03,
            rows=tuple(f"before layer {each}" for each in layers),
            columns=("language", "concept", "language, one direction"),
            rows_title="stream",
            columns_title="exchanged",
        ),
    ]


def measure_common(told: Entries, known) -> list[Measure]:
    """What is common to the languages, and the parts of the variance."""
    import torch

    from mi_tutor.lab.biology.languages import common_share, shuffled_share, variance_shares

    common, shares, names = [], [], ()
    for layer in range(len(known)):
        cells = cells_at(told, known, layer)
        tables = cells.mean(dim=1).transpose(0, 1)
        floors = [
            shuffled_share(tables, torch.Generator().manual_seed(seed)).item() for seed in range(20)
        ]
        floor = sum(floors) / len(floors)
        common.append([round(common_share(tables).item(), 4), round(floor, 4)])
        parts = variance_shares(cells)
        names = tuple(" x ".join(part) for part in parts)
        shares.append([round(share, 4) for share in parts.values()])
    return [
        Measure(
            name="common_share",
            meaning="how much of what tells countries apart at the name is common to the three languages (share "
            "of variance of the means), and the mean over 20 shuffled pairings",
            value=common,
            tolerance=0.02,
            rows=rows_of(known),
            columns=("languages as they are", "shuffled"),
            rows_title="stream",
            columns_title="pairing",
        ),
        Measure(
            name="variance_shares",
            meaning="the stream at the name taken apart: shares of the variance of the means",
            value=shares,
            tolerance=0.02,
            rows=rows_of(known),
            columns=names,
            rows_title="stream",
            columns_title="part",
        ),
    ]


def rows_of(known) -> tuple[str, ...]:
    """A name for each stream."""
    return (*(f"before layer {i}" for i in range(len(known) - 1)), "after the last")


def measure_reading(told: Entries, known) -> Measure:
    """The country of French and Spanish entries read with means of English ones."""
    from mi_tutor.lab.swaps import readable

    language, countries = told.factors[:, 2], told.factors[:, 0]
    english = language == 0
    rows = []
    for stream in known[:, :, -1]:
        one = stream[english], countries[english]
        others = [language == number for number in (1, 2)]
        found = [readable(*one, stream[other], countries[other]) for other in others]
        rows.append([round(share.item(), 4) for share in found])
    return Measure(
        name="country_read_across",
        meaning="the country of French and Spanish entries, read at the name as the nearest mean of English ones "
        "(chance 0.06)",
        value=rows,
        tolerance=0.03,
        rows=rows_of(known),
        columns=("French", "Spanish"),
        rows_title="stream",
        columns_title="language",
    )
