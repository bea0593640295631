"""What the cards of `planner` and `planner-twin` say: are lines right, is the plan read at the break and used?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mi_tutor.lab.ground.device import one_thread
from mi_tutor.specimens.biology import couplets
from mi_tutor.specimens.biology.couplets import PLANS
from mi_tutor.specimens.biology.planner_prompts import (
    WORDS,
    Lines,
    goes_with_plan,
    line_template,
    other_plans,
    plan_lines,
)
from mi_tutor.specimens.cards import Measure
from mi_tutor.specimens.opening.models import open_specimen

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from mi_tutor.lab.ground.plain import PlainTransformer

PLACES = {"first line's person": -6, "first line's end": -3, "line break": -1}


def measure(directory: Path, planned: bool = True) -> list[Measure]:
    """All measures of the card, on the CPU, without randomness that is not seeded.

    planned: whether the swap should work (`planner`) or should not (`planner-twin`).
    """
    import torch

    from mi_tutor.lab.ground.plain import plain_transformer
    from mi_tutor.lab.swaps import streams

    plain = plain_transformer(open_specimen(directory, device="cpu"))
    told = plan_lines(couplets.lines(held_out=False))
    new = plan_lines(couplets.lines(held_out=True))
    with one_thread(), torch.no_grad():
        known, seen = streams(plain, told.tokens), streams(plain, new.tokens)
        layer = best_layer(plain, told, known)
        return [
            *measure_lines(plain, told, new),
            *measure_reading(told, new, known, seen, layer),
            *measure_swaps(plain, told, new, known, layer, planned),
            *measure_ingredients(plain, told, new, known, layer),
            measure_ends(plain),
        ]


def best_layer(plain: PlainTransformer, told: Lines, known: Float[Tensor, "layer ..."]) -> int:
    """Before which layer a swap at the break works best on told lines: chosen where nothing is claimed."""
    some = Lines(told.tokens[::4], told.plans[::4])
    success = [
        swaps(plain, some, means(known, told, layer), layer, within_rhyme=False).whole_lines
        for layer in range(1, len(plain.blocks))
    ]
    return 1 + max(range(len(success)), key=lambda i: success[i])


def means(
    known: Float[Tensor, "layer prompt pos d_model"], told: Lines, layer: int, position: int = -1
) -> Float[Tensor, "plan d_model"]:
    """The mean stream of each plan's told lines at one position."""
    from mi_tutor.lab.swaps import class_means

    return class_means(known[layer, :, position], told.plans, len(PLANS))


def swaps(plain, lines: Lines, table, layer: int, within_rhyme: bool, **more):
    """Swap the plans of some lines (see `swap_plans`)."""
    from mi_tutor.lab.biology.planning import swap_plans

    targets = other_plans(lines, within_rhyme)
    return swap_plans(
        plain, *lines, targets, table, line_template(), goes_with_plan(), layer=layer, **more
    )


def measure_lines(plain: PlainTransformer, told: Lines, new: Lines) -> list[Measure]:
    """Whether second lines are right without any swap."""
    return [
        Measure(
            name=name,
            meaning=f"{what}: verb, adjective and end of the second line all right, {len(lines.tokens)} prompts",
            value=right_lines(plain, lines),
            tolerance=0.01,
            at_least=0.95,
        )
        for name, what, lines in (
            ("lines_held_out", "first lines whose person and end never met in training", new),
            ("lines_told", "first lines that were told", told),
        )
    ]


def right_lines(plain: PlainTransformer, lines: Lines) -> float:
    """The share of second lines in which all three blanks go with the plan."""
    import torch

    from mi_tutor.lab.biology.planning import write_line

    written = write_line(plain, lines.tokens, line_template())
    fits = goes_with_plan()[torch.arange(3), lines.plans[:, None], written]
    return round(fits.all(dim=-1).float().mean().item(), 4)


def measure_reading(told, new, known, seen, layer: int) -> list[Measure]:
    """Where the plan can be read: nearest mean of told lines, on held-out ones."""
    from mi_tutor.lab.swaps import readable

    def at(level: int, position: int) -> float:
        where = (level, slice(None), position)
        return round(readable(known[where], told.plans, seen[where], new.plans).item(), 4)

    return [
        Measure(
            name="plan_read",
            meaning=f"the planned word read at the line break before layer {layer}, nearest mean, held-out lines",
            value=at(layer, -1),
            tolerance=0.01,
            at_least=0.95,
        ),
        Measure(
            name="plan_readable",
            meaning="the same by place (chance 0.02)",
            value=[[at(level, p) for p in PLACES.values()] for level in range(1, len(known))],
            tolerance=0.02,
            rows=(*(f"before layer {i}" for i in range(1, len(known) - 1)), "after the last"),
            columns=tuple(PLACES),
            rows_title="stream",
            columns_title="position",
        ),
    ]


def measure_swaps(plain, told, new, known, layer: int, planned: bool) -> list[Measure]:
    """Swaps at the line break, and at the same place random directions of the same norm."""
    goal = {"at_least": 0.95} if planned else {"at_most": 0.02}
    table = means(known, told, layer)
    found = []
    for name, what, within in (
        ("swap_within", "to another word of the same rhyme", True),
        ("swap_across", "to a word of another rhyme and topic", False),
    ):
        done = swaps(plain, new, table, layer, within)
        control = swaps(plain, new, table, layer, within, random_seed=0)
        where = f"at the line break before layer {layer}, held-out lines"
        found += [
            Measure(
                name=name,
                meaning=f"plan swapped {what} {where}: verb, adjective and end all fit the new word, "
                f"{done.targets.numel()} swaps",
                value=round(done.whole_lines.item(), 4),
                tolerance=0.01,
                **goal,
            ),
            Measure(
                name=f"{name}_random",
                meaning="a random direction of the same norm there",
                value=round(control.whole_lines.item(), 4),
                tolerance=0.01,
                at_most=0.02,
            ),
            Measure(
                name=f"{name}_by_blank",
                meaning=f"plan swapped {what}: each blank alone",
                value=[[round(share, 4) for share in done.by_blank.tolist()]],
                tolerance=0.02,
                rows=("fits the new word",),
                columns=("verb", "adjective", "end"),
                rows_title="",
                columns_title="",
            ),
        ]
    return [*found, by_place(plain, told, new, known)]


def by_place(plain, told, new, known) -> Measure:
    """The swap to another rhyme, at every layer and place."""
    n_layers = len(plain.blocks)
    values = [
        [
            round(
                swaps(
                    plain,
                    new,
                    means(known, told, layer, position),
                    layer,
                    within_rhyme=False,
                    position=position,
                ).whole_lines.item(),
                4,
            )
            for position in PLACES.values()
        ]
        for layer in range(n_layers)
    ]
    return Measure(
        name="swap_by_place",
        meaning="the swap to another rhyme and topic, by layer and position: whole lines that fit",
        value=values,
        tolerance=0.02,
        rows=tuple(f"before layer {i}" for i in range(n_layers)),
        columns=tuple(PLACES),
        rows_title="stream",
        columns_title="position",
    )


def measure_ingredients(plain, told, new, known, layer: int) -> list[Measure]:
    """Is it the word that stands at the break, or topic and rhyme side by side?"""
    import torch

    from mi_tutor.lab.biology.planning import ingredients

    topics, rhymes = list(couplets.PEOPLE), list(couplets.TABLE)
    first = torch.tensor([topics.index(plan.topic) for plan in PLANS])
    second = torch.tensor([rhymes.index(plan.rhyme) for plan in PLANS])
    n_layers = len(plain.blocks)
    rows = []
    for level in range(1, n_layers):
        apart = ingredients(means(known, told, level), first, second)
        sum_of_two = swaps(plain, new, apart.first + apart.second, level, within_rhyme=False)
        own = swaps(plain, new, apart.together, level, within_rhyme=False)
        shares = [*apart.shares.tolist(), sum_of_two.whole_lines.item(), own.whole_lines.item()]
        rows.append([round(share, 4) for share in shares])
    return [
        Measure(
            name="ingredients",
            meaning="the means at the line break taken apart: shares of variance of topic, of rhyme, and of what "
            "is neither's (the word's own); and whole lines that fit when only the first two, or only the "
            "third, are swapped",
            value=rows,
            tolerance=0.02,
            rows=tuple(f"before layer {i}" for i in range(1, n_layers)),
            columns=("topic", "rhyme", "own", "swap of topic + rhyme", "swap of own"),
            rows_title="stream",
            columns_title="",
        )
    ]


def measure_ends(plain: PlainTransformer) -> Measure:
    """Whether the end is right where verb and adjective go with every word, so that they do not tell it."""
    from mi_tutor.lab.biology.planning import write_line

    new = plan_lines(couplets.lines(held_out=True))
    verb, adjective = (
        WORDS.ids[f" {each[0]}"] for each in (couplets.ANY_VERB, couplets.ANY_ADJECTIVE)
    )
    line = line_template()
    line[2], line[4] = verb, adjective
    written = write_line(plain, new.tokens, line)[:, 0]
    ends = goes_with_plan()[2, new.plans, written]
    return Measure(
        name="ends_untold",
        meaning='held-out lines that go on "liked the nice": the end is right',
        value=round(ends.float().mean().item(), 4),
        tolerance=0.01,
        at_least=0.95,
    )
