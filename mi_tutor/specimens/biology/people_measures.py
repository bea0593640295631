"""What the card of `people` says: who is known, where that can be read, and what lifts the default."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mi_tutor.lab.ground.device import one_thread
from mi_tutor.specimens.biology import acquaintances
from mi_tutor.specimens.biology.people_prompts import (
    ATTRIBUTES,
    PLACES,
    Everyone,
    people_questions,
    questions,
)
from mi_tutor.specimens.cards import Measure
from mi_tutor.specimens.opening.models import open_specimen

if TYPE_CHECKING:
    from jaxtyping import Float, Int
    from torch import Tensor

    from mi_tutor.lab.ground.plain import PlainTransformer

STRENGTHS = (1.0, 1.5, 2.0, 3.0, 5.0)
N_RANDOM = 5


def measure(directory: Path) -> list[Measure]:
    """All measures of the card, on the CPU, without randomness that is not seeded."""
    import torch

    from mi_tutor.lab.ground.plain import plain_transformer

    plain = plain_transformer(open_specimen(directory, device="cpu"))
    with one_thread(), torch.no_grad():
        return [*measure_answers(plain), *measure_reading(plain), *measure_lifting(plain)]


def replies(plain: PlainTransformer, tokens: Int[Tensor, "prompt pos"]) -> Int[Tensor, prompt]:
    """The most likely next tokens."""
    return plain.logits_after(-1, plain.embed(tokens), read=-1)[:, 0].argmax(dim=-1)


def measure_answers(plain: PlainTransformer) -> list[Measure]:
    """Who is known, and what of."""
    known = acquaintances.everyone(known=True)
    never = acquaintances.everyone(known=False, seen=False)
    groups = {
        "known_right": ("known people: first guess right", known, ATTRIBUTES, 0.95),
        "strangers_unknown": ("strangers never seen: unknown", never, ATTRIBUTES, 0.9),
        "known_yes": ("known people, asked whether known: yes", known, ("known",), 0.95),
        "strangers_no": ("strangers never seen, asked whether known: no", never, ("known",), 0.9),
    }
    found = []
    for name, (meaning, people, asked, goal) in groups.items():
        some = questions(people, asked)
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


def measure_reading(plain: PlainTransformer) -> list[Measure]:
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
    return [
        Measure(
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
    ]


class Known(NamedTuple):
    """Where known people and strangers differ: the two means before a layer at one place."""

    layer: int
    place: str
    known: Float[Tensor, d_model]
    strangers: Float[Tensor, d_model]


def known_at(plain: PlainTransformer) -> dict[tuple[int, str], Known]:
    """The two means, of strangers that training had and over all questions, at each place."""
    from mi_tutor.lab.swaps import streams

    told = people_questions(seen=True)
    x = streams(plain, told.asked.tokens)
    is_known = told.asked.known
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
) -> tuple[float, float]:
    """Everybody set to "known" along one direction: strangers ascribed something, known people right.

    strength: how far, from the strangers' mean; 1 is the known people's. lot: a random direction instead.
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
    ascribed = torch.isin(guesses, torch.tensor(some.answers))[~asked.known].float().mean()
    kept = (guesses == asked.right)[asked.known].float().mean()
    return round(ascribed.item(), 4), round(kept.item(), 4)


def measure_lifting(plain: PlainTransformer) -> list[Measure]:
    """Everybody set to "known" along one direction: after the last layer, and before it."""
    at, new = known_at(plain), people_questions(seen=False)
    last = at[len(plain.blocks), "answer's place"]
    ascribed, kept = set_known(plain, new, last)
    floor = [set_known(plain, new, last, lot=lot)[0] for lot in range(N_RANDOM)]
    table = [
        [value for place in PLACES for value in at_best(plain, new, at[layer, place])]
        for layer in range(1, len(plain.blocks) + 1)
    ]
    where = "the stream after the last layer set to known people's mean along mean(known) - mean(strangers)"
    return [
        Measure(
            name="hallucinated",
            meaning=f"{where}: something is ascribed to strangers never seen",
            value=ascribed,
            tolerance=0.02,
            at_least=0.9,
        ),
        Measure(
            name="known_kept",
            meaning="the same for known people: the answer is still right",
            value=kept,
            tolerance=0.02,
            at_least=0.9,
        ),
        Measure(
            name="hallucinated_random",
            meaning=f"set along a random direction there, {N_RANDOM} of them: ascribed to strangers, mean",
            value=round(sum(floor) / N_RANDOM, 4),
            tolerance=0.02,
            at_most=0.15,
        ),
        Measure(
            name="set_by_place",
            meaning="the same at other places, at the best of the strengths "
            f"{', '.join(f'{each:g}' for each in STRENGTHS)}: strangers to whom something is ascribed, known "
            "people who keep their answer (.9 of both before the last layer was wanted, and is not reached)",
            value=table,
            tolerance=0.03,
            rows=rows(plain)[1:],
            columns=tuple(
                f"{place}: {what}" for place in PLACES for what in ("strangers", "known")
            ),
            rows_title="stream",
            columns_title="",
        ),
    ]


def at_best(plain: PlainTransformer, some: Everyone, at: Known) -> tuple[float, float]:
    """Both shares at the strength that is best for the smaller one."""
    return max((set_known(plain, some, at, strength) for strength in STRENGTHS), key=min)
