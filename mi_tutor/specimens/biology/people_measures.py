"""What the card of `people` says: who is known, where that can be read, and what lifts the default."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mi_tutor.lab.ground.device import one_thread
from mi_tutor.specimens.biology import acquaintances
from mi_tutor.specimens.biology.people_prompts import (
    PLACES,
    WORDS,
    Everyone,
    people_questions,
    questions,
)
from mi_tutor.specimens.cards import Measure
from mi_tutor.specimens.opening.models import open_specimen

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int
    from torch import Tensor

    from mi_tutor.lab.ground.plain import PlainTransformer

STRENGTHS = (1.0, 1.1, 1.2, 1.3, 1.5, 2.0, 3.0)
N_HALVES = 2


def measure(directory: Path) -> list[Measure]:
    """All measures of the card, on the CPU, without randomness that is not seeded."""
    import torch

    from mi_tutor.lab.ground.plain import plain_transformer

    plain = plain_transformer(open_specimen(directory, device="cpu"))
    with one_thread(), torch.no_grad():
        return [*measure_answers(plain), measure_reading(plain), *measure_lifting(plain)]


def replies(plain: PlainTransformer, tokens: Int[Tensor, "prompt pos"]) -> Int[Tensor, prompt]:
    """The most likely next tokens."""
    return plain.logits_after(-1, plain.embed(tokens), read=-1)[:, 0].argmax(dim=-1)


def measure_answers(plain: PlainTransformer) -> list[Measure]:
    """Who is known, and what of."""
    known = acquaintances.everyone(known=True)
    never = acquaintances.everyone(known=False, seen=False)
    groups = {
        "known_right": ("known people: first guess right", known, 0.95),
        "strangers_unknown": ("strangers never seen: unknown", never, 0.9),
    }
    found = []
    for name, (meaning, people, goal) in groups.items():
        some = questions(people)
        right = (replies(plain, some.tokens) == some.right).float().mean().item()
        found.append(
            Measure(
                name=name,
                meaning=f"{meaning}, {len(some.tokens)} questions",
                value=round(right, 4),
                tolerance=0.02,
                at_least=goal,
            )
        )
    return found


def rows(plain: PlainTransformer) -> tuple[str, ...]:
    """The streams' names in tables."""
    n = len(plain.blocks)
    return (*(f"before layer {layer}" for layer in range(n)), "after the last layer")


def measure_reading(plain: PlainTransformer) -> Measure:
    """Known people told from strangers, of people that the direction was not made from."""
    from mi_tutor.lab.biology import told_apart
    from mi_tutor.lab.swaps import streams

    some = people_questions(seen=True)
    x = streams(plain, some.asked.tokens)
    value = [
        [
            round(told_apart(each[:, position], some.asked.known, some.folds).item(), 4)
            for position in PLACES.values()
        ]
        for each in x
    ]
    return Measure(
        name="told_apart",
        meaning="known people told from strangers along the difference of means of OTHER people (two halves): "
        "area under the curve, chance 0.5",
        value=value,
        tolerance=0.03,
        rows=rows(plain),
        columns=tuple(PLACES),
        rows_title="stream",
        columns_title="",
    )


class Known(NamedTuple):
    """Where known people and strangers differ: the two means before a layer at one place."""

    layer: int
    place: str
    known: Float[Tensor, d_model]
    strangers: Float[Tensor, d_model]


class Set(NamedTuple):
    """What setting everybody along one direction does, as shares."""

    ascribed: float  # strangers of whom something is said
    kept: float  # known people of whom the right thing is said
    lost: float  # known people who are unknown


def known_at(plain: PlainTransformer, told: Everyone) -> dict[tuple[int, str], Known]:
    """The two means over some people, at each place before each layer but the first and after the last."""
    from mi_tutor.lab.swaps import streams

    x, is_known = streams(plain, told.asked.tokens), told.asked.known
    return {
        (layer, place): Known(
            layer,
            place,
            x[layer, is_known, position].mean(dim=0),
            x[layer, ~is_known, position].mean(dim=0),
        )
        for layer in range(1, len(plain.blocks) + 1)
        for place, position in PLACES.items()
    }


def set_known(
    plain: PlainTransformer,
    some: Everyone,
    at: Known,
    strength: float = 1.0,
    lot: int | None = None,
) -> Set:
    """Everybody set along one direction.

    strength: how far from strangers' mean; 0 is their own, 1 known people's. lot: a random direction instead.
    """
    import torch

    from mi_tutor.lab.biology import answers_centred
    from mi_tutor.lab.swaps import random_like

    step = (at.known - at.strangers)[None]
    centre = at.strangers + strength * step[0]
    if lot is not None:
        step = random_like(step, torch.Generator().manual_seed(lot))
    asked = some.asked
    guesses = answers_centred(plain, asked.tokens, at.layer, step, centre, PLACES[at.place])
    ascribed = torch.isin(guesses, torch.tensor(some.answers))[~asked.known]
    kept = (guesses == asked.right)[asked.known]
    lost = (guesses == WORDS.ids[f" {acquaintances.DEFAULT}"])[asked.known]
    return Set(*(each.float().mean().item() for each in (ascribed, kept, lost)))


def best_strength(plain: PlainTransformer, told: Everyone, at: Known) -> float:
    """The strength that is best for the smaller of both shares, of the people the direction was made from."""
    return max(STRENGTHS, key=lambda each: min(set_known(plain, told, at, each)[:2]))


def lifted(plain: PlainTransformer) -> dict[tuple[int, str], dict[str, list[float]]]:
    """What setting does at each place, to people from whom neither the direction nor its strength was made.

    Known people in two halves: made from one of them (and strangers that training had), asked of the other (and
    strangers never seen); the mean of both ways.
    """
    import torch

    told, new = people_questions(seen=True, every=4), people_questions(seen=False)
    ways = []
    for half in range(N_HALVES):
        fit = some_of(told, ~told.asked.known | (told.folds != half))
        ask = some_of(new, ~new.asked.known | (new.folds == half))
        way = {}
        for key, at in known_at(plain, fit).items():
            strength = best_strength(plain, fit, at)
            way[key] = {
                "strength": [strength],
                "known": set_known(plain, ask, at, strength),
                "strangers": set_known(plain, ask, at, 0.0),
                "random": set_known(plain, ask, at, strength, lot=half),
            }
        ways.append(way)
    return {
        key: {
            name: torch.tensor([way[key][name] for way in ways]).mean(dim=0).tolist()
            for name in ways[0][key]
        }
        for key in ways[0]
    }


def some_of(everyone: Everyone, which: Bool[Tensor, prompt]) -> Everyone:
    """Some of the questions."""
    asked = type(everyone.asked)(*(each[which] for each in everyone.asked))
    return Everyone(asked, everyone.people[which], everyone.folds[which], everyone.answers)


def measure_lifting(plain: PlainTransformer) -> list[Measure]:
    """Everybody set to "known" or "stranger" along one direction, before the last layer; other places beside."""
    every, before_last = lifted(plain), len(plain.blocks) - 1
    at = every[before_last, "answer's place"]
    where = f"before layer {before_last}, the last, at the answer's place, set along mean(known) - mean(strangers)"
    goals = [
        ("hallucinated", "known", 0, "to known: something is said of strangers never seen", 0.9),
        ("known_kept", "known", 1, "to known: known people whose answer is still right", 0.9),
        ("forgotten", "strangers", 2, "to strangers' mean: known people who are unknown", 0.9),
    ]
    made = [
        Measure(
            name=name,
            meaning=f"{where}, {meaning}",
            value=round(at[what][which], 4),
            tolerance=0.03,
            at_least=goal,
        )
        for name, what, which, meaning, goal in goals
    ]
    floor = Measure(
        name="hallucinated_random",
        meaning="set there along random directions (two): something is said of strangers never seen",
        value=round(at["random"][0], 4),
        tolerance=0.03,
        at_most=0.15,
    )
    return [*made, floor, by_place(plain, every)]


def by_place(
    plain: PlainTransformer, every: dict[tuple[int, str], dict[str, list[float]]]
) -> Measure:
    """The table of `lifted`."""
    table = [
        [
            round(value, 4)
            for place in PLACES
            for value in (
                *every[layer, place]["strength"],
                *every[layer, place]["known"][:2],
                every[layer, place]["strangers"][2],
            )
        ]
        for layer in range(1, len(plain.blocks) + 1)
    ]
    said = ("how far", "strangers ascribed", "known right", "known forgotten")
    return Measure(
        name="set_by_place",
        meaning="the same at other places. Direction and strength (how far, in units of the means' distance) "
        "are made from half of the known people and asked of the others, both ways",
        value=table,
        tolerance=0.05,
        rows=rows(plain)[1:],
        columns=tuple(f"{place}: {what}" for place in PLACES for what in said),
        rows_title="stream",
        columns_title="",
    )
