"""Chapter 04, reading is not using: `exchange-along` and `probe-is-not-cause`."""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch import Tensor

from mi_tutor.lab.ground.device import seeded
from mi_tutor.lab.patching.planted import PlantedProbe, planted_probe
from mi_tutor.lab.patching.probes import Probe, exchange_along, probe_accuracy
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style, ValueExercise, Variant
from mi_tutor.teach.exercises.making import and_near_zero, normal, ordered

# --- exchange-along -------------------------------------------------------------------------------


def _cases(g: torch.Generator) -> list[Case]:
    settings = [
        ("a batch of activations", (5, 8), torch.float32, 3.0),
        ("a larger batch", (12, 11), torch.float32, 1.5),
        ("one activation", (1, 6), torch.float32, 0.2),
        ("as many rows as dimensions", (4, 4), torch.float64, 2.0),
    ]
    return [
        Case(
            label=label,
            inputs={
                "x": normal(g, *shape, dtype=dtype),
                "source": 2 * normal(g, *shape, dtype=dtype),
                "direction": length * (1 + normal(g, shape[1], dtype=dtype).abs()),
            },
        )
        for label, shape, dtype, length in settings
    ]


def _unit(direction: Tensor) -> Tensor:
    return direction / direction.norm()


def _by_projector(x, source, direction):
    along = torch.outer(direction, direction) / (direction @ direction)
    return x @ (torch.eye(len(direction), dtype=x.dtype) - along) + source @ along


def _by_loop(x, source, direction):
    u = _unit(direction)
    return torch.stack(
        [row + ((other - row) @ u) * u for row, other in zip(x, source, strict=True)]
    )


EXCHANGE_ALONG = Exercise(
    slug="exchange-along",
    title="Exchange one direction",
    chapter="04",
    points=2,
    minutes=5,
    difficulty=1,
    objective="Make the smallest intervention on a direction: give an activation another one's part along it, and leave the rest.",
    cases=and_near_zero(_cases, "x", "source", "direction", zero_rows=("x",)),
    reference=exchange_along,
    styles=(
        Style(name="two projectors", right=_by_projector),
        Style(name="a loop over rows", right=_by_loop),
        Style(
            name="einsum",
            right=lambda x, source, direction: (
                x + torch.einsum("rd,d,e->re", source - x, _unit(direction), _unit(direction))
            ),
        ),
    ),
    mistakes=(
        Mistake(
            name="direction not normalised",
            wrong=lambda x, source, direction: x + ((source - x) @ direction)[:, None] * direction,
            sentence="Your direction is not of length 1, so the part along it comes out too long or too short by |direction|². Normalise it first.",
        ),
        Mistake(
            name="normalised once of two times",
            wrong=lambda x, source, direction: (
                x + ((source - x) @ direction)[:, None] * _unit(direction)
            ),
            sentence="The direction occurs twice in (x · u) u, and you normalised it only once. Make the unit vector u first and use it in both places.",
        ),
        Mistake(
            name="part added, own part kept",
            wrong=lambda x, source, direction: (
                x + (source @ _unit(direction))[:, None] * _unit(direction)
            ),
            sentence="You add the source's part without taking x's own part away, so that both are there afterwards.",
        ),
        Mistake(
            name="the difference the wrong way round",
            wrong=lambda x, source, direction: (
                x + ((x - source) @ _unit(direction))[:, None] * _unit(direction)
            ),
            sentence="Your step goes away from the source: you take x minus source. The way from x to the source is source minus x.",
        ),
        Mistake(
            name="the step alone",
            wrong=lambda x, source, direction: (
                ((source - x) @ _unit(direction))[:, None] * _unit(direction)
            ),
            sentence="This is the step that is added. Add it to x.",
        ),
        Mistake(
            name="part removed",
            wrong=lambda x, source, direction: (
                x - (x @ _unit(direction))[:, None] * _unit(direction)
            ),
            sentence="You remove x's part along the direction and put nothing in its place. Put the source's part there.",
        ),
        Mistake(
            name="the whole source",
            wrong=lambda x, source, direction: source.clone(),
            sentence="This is the whole source activation: a full patch. Only the part along the direction is to be exchanged.",
        ),
        Mistake(
            name="everything but the direction",
            wrong=lambda x, source, direction: exchange_along(source, x, direction),
            sentence="x and the source are exchanged: you keep x's part along the direction, and replace everything else.",
        ),
        Mistake(
            name="only the source's part",
            wrong=lambda x, source, direction: (
                (source @ _unit(direction))[:, None] * _unit(direction)
            ),
            sentence="You return the source's part along the direction alone. The rest of x stays as it was.",
        ),
        Mistake(
            name="one strength for all rows",
            wrong=lambda x, source, direction: (
                x + ((source - x) @ _unit(direction)).mean() * _unit(direction)
            ),
            sentence="You use one strength for all rows. Each row has its own part along the direction.",
        ),
    ),
    hints=(
        "Make a unit vector u. The part of x along it is (x · u) u.",
        "Take x's part away and add the source's: x + ((source - x) · u) u. Mind the axes: `[:, None]`.",
    ),
)


# --- probe-is-not-cause ---------------------------------------------------------------------------

Pairs = tuple[tuple[bool, bool], ...]


@functools.cache
def planted() -> tuple[PlantedProbe, dict[str, Tensor]]:
    """A hidden layer, and four directions in it: a, b, c, d."""
    made = planted_probe(400, 16, seeded(4))
    random = torch.randn(16, generator=seeded(5))
    random = random - (random @ made.used) * made.used - (random @ made.unused) * made.unused
    directions = {
        "a": made.unused,
        "b": random / random.norm(),
        "c": made.used,
        "d": (made.used + made.unused) / 2**0.5,
    }
    return made, directions


def readable_and_used() -> Pairs:
    """For each direction: does a probe read the label along it, and does the output follow when it is exchanged?"""
    made, directions = planted()
    opposite = made.hidden[_partners(made.labels)]
    return tuple(_verdict(made, opposite, direction) for direction in directions.values())


def _partners(labels: Tensor) -> Tensor:
    """For each row one with the other label."""
    with_label, without = labels.nonzero().flatten(), (~labels).nonzero().flatten()
    n = len(labels)
    return torch.where(
        labels,
        without[torch.arange(n) % len(without)],
        with_label[torch.arange(n) % len(with_label)],
    )


def _verdict(made: PlantedProbe, opposite: Tensor, direction: Tensor) -> tuple[bool, bool]:
    accuracy = probe_accuracy(Probe(direction, torch.tensor(0.0)), made.hidden, made.labels)
    before = made.output(made.hidden)
    moved = made.output(exchange_along(made.hidden, opposite, direction)) - before
    return accuracy > 0.95, bool(moved.abs().mean() > 0.25 * before.abs().mean())


def _columns(change: Any) -> Any:
    return lambda: tuple(change(readable, used) for readable, used in readable_and_used())


def _another_order(number: int) -> Variant:
    order = ordered("abcd", number)
    return Variant(
        asked=f"Give your four pairs in the order {', '.join(order)}, not from a to d.",
        expected=lambda: tuple(readable_and_used()["abcd".index(letter)] for letter in order),
    )


PROBE_IS_NOT_CAUSE = ValueExercise(
    slug="probe-is-not-cause",
    title="What is read, and what is used",
    chapter="04",
    points=2,
    minutes=8,
    difficulty=3,
    objective="Tell a direction that a probe reads from one that the model uses, by intervening along it.",
    expected=readable_and_used,
    form="four pairs (readable, used) of True and False, for a, b, c and d",
    accepts=lambda value: (
        len(value) == 4
        and all(len(pair) == 2 and all(type(word) is bool for word in pair) for pair in value)
    ),
    styles=(Style(name="lists", right=lambda: [list(pair) for pair in readable_and_used()]),),
    variant=_another_order,
    mistakes=(
        Mistake(
            name="readable is used",
            wrong=_columns(lambda readable, used: (readable, readable)),
            sentence="You take what can be read for what is used. Exchange each direction and look at the output: one of the readable ones moves nothing.",
        ),
        Mistake(
            name="unused is unreadable",
            wrong=_columns(lambda readable, used: (used, used)),
            sentence="You take what is not used for unreadable. The probe's accuracy is a question of its own: print it for all four.",
        ),
        Mistake(
            name="a mixture is not used",
            wrong=lambda: (*readable_and_used()[:3], (True, False)),
            sentence="One of the directions is a mixture. It is not the one that is read, but it has a part along it: look at what the output does.",
        ),
        Mistake(
            name="the pairs the other way round",
            wrong=_columns(lambda readable, used: (used, readable)),
            sentence="The two words of your pairs are exchanged: first readable, then used.",
        ),
    ),
    hints=(
        "Two columns, two measurements: the probe's accuracy along the direction, and how far the output moves when the direction is exchanged.",
        "A mixture of a used and an unused direction has a part along the used one.",
    ),
)
