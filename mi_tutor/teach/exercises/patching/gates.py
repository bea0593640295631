"""Chapter 04, two directions of patching: `denoise-or-noise` and `read-the-gates`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from mi_tutor.lab.patching.gates import MYSTERIES, part_effects
from mi_tutor.lab.patching.planted import and_gate, or_gate, patch_parts
from mi_tutor.teach.exercise import Case, Exercise, Handle, Mistake, Style, ValueExercise, Variant
from mi_tutor.teach.exercises.making import ordered, uniform

# --- denoise-or-noise -----------------------------------------------------------------------------


def _weighted(weights: Tensor) -> Callable[[Tensor], Tensor]:
    return lambda parts: torch.tanh(parts @ weights)


def _large(parts: Tensor) -> Tensor:
    return 3 * parts[..., 0] + 2 * parts[..., 1] + parts[..., 2] * parts[..., 3]


def _with_brakes(parts: Tensor) -> Tensor:
    """Parts 1 and 3 lower the number."""
    return 2 * parts[..., 0] - parts[..., 1] + parts[..., 0] * parts[..., 2] - 3 * parts[..., 3]


def _cases(g: torch.Generator) -> list[Case]:
    weights = uniform(g, 4, low=0.3, high=1.5)
    one, other = uniform(g, 4), 1 + uniform(g, 4)
    signs = 0.1 * torch.tensor([1.0, -1.0]).repeat(6)
    settings = [
        ("an AND of two parts", lambda: and_gate, torch.ones(2), torch.zeros(2)),
        ("an OR of three parts", lambda: or_gate, torch.ones(3), torch.zeros(3)),
        ("a smooth function of four parts", lambda: _weighted(weights), other, one),
        ("effects above 1", lambda: _large, 3 + other, one),
        ("parts that lower the number", lambda: _with_brakes, 1 + other, one),
        (
            "twelve parts, half of which hold back",
            lambda: _weighted(signs),
            1 + torch.arange(12) / 12,
            torch.arange(12) / 24,
        ),
    ]
    return [
        Case(
            label=label,
            inputs={"circuit": Handle(label, made), "clean": clean, "corrupted": corrupted},
        )
        for label, made, clean, corrupted in settings
    ]


def _by_loop(circuit, clean, corrupted):
    sides = []
    for base, source in ((corrupted, clean), (clean, corrupted)):
        moved = []
        for i in range(len(base)):
            patched = base.clone()
            patched[i] = source[i]
            moved.append(circuit(patched) - circuit(base))
        sides.append(torch.stack(moved))
    return sides[0], -sides[1]


def _signed(circuit, clean, corrupted):
    """Gained when denoising, lost when noising: a part that lowers the number has a negative entry in both."""
    gained = patch_parts(circuit, corrupted, clean) - circuit(corrupted)
    return gained, circuit(clean) - patch_parts(circuit, clean, corrupted)


def _all_but_one(circuit, clean, corrupted):
    n = len(clean)
    keep = torch.eye(n, dtype=torch.bool)
    gained = circuit(torch.where(keep, corrupted, clean.expand(n, n))) - circuit(corrupted)
    lost = circuit(clean) - circuit(torch.where(keep, clean, corrupted.expand(n, n)))
    return gained, lost


def _piling_up(circuit, clean, corrupted):
    n = len(clean)
    upto = torch.ones(n, n).tril().bool()
    gained = circuit(torch.where(upto, clean, corrupted.expand(n, n))) - circuit(corrupted)
    lost = circuit(clean) - circuit(torch.where(upto, corrupted, clean.expand(n, n)))
    return gained, lost


DENOISE_OR_NOISE = Exercise(
    slug="denoise-or-noise",
    title="Enough, or needed?",
    chapter="04",
    points=2,
    minutes=8,
    difficulty=2,
    objective="Patch in both directions: which part is enough to bring the answer back, and which is needed to keep it.",
    cases=_cases,
    reference=part_effects,
    styles=(
        Style(name="a loop over parts", right=_by_loop),
        Style(name="where and an identity matrix", right=_signed),
    ),
    mistakes=(
        Mistake(
            name="sizes without signs",
            wrong=lambda circuit, clean, corrupted: tuple(
                side.abs() for side in _signed(circuit, clean, corrupted)
            ),
            sentence="You take absolute values. A part that holds the circuit back gains less than nothing: keep the sign.",
        ),
        Mistake(
            name="the two directions exchanged",
            wrong=lambda circuit, clean, corrupted: _signed(circuit, clean, corrupted)[::-1],
            sentence="The two results are exchanged. First denoising (start corrupted, put one clean part in), then noising (start clean, put one "
            "corrupted part in).",
        ),
        Mistake(
            name="denoising twice",
            wrong=lambda *inputs: (_signed(*inputs)[0], _signed(*inputs)[0]),
            sentence="Both of your results are denoising. For noising start from the CLEAN parts and make one of them corrupted.",
        ),
        Mistake(
            name="values instead of changes",
            wrong=lambda circuit, clean, corrupted: (
                patch_parts(circuit, corrupted, clean),
                patch_parts(circuit, clean, corrupted),
            ),
            sentence="These are the outputs of the patched circuits. Compare each with the output without a patch: what was gained, what was lost.",
        ),
        Mistake(
            name="the loss with a minus sign",
            wrong=lambda *inputs: (_signed(*inputs)[0], -_signed(*inputs)[1]),
            sentence="Your noising result is negative where the output falls. Asked is what was LOST: clean minus patched.",
        ),
        Mistake(
            name="all parts but one",
            wrong=_all_but_one,
            sentence="You patch all parts except one. Patch one and leave the others as they are.",
        ),
        Mistake(
            name="patches pile up",
            wrong=_piling_up,
            sentence="Entry i has parts 0 to i patched. Either your patches pile up (start from an unpatched copy for each part), or your index is a slice.",
        ),
        Mistake(
            name="as if the circuit were linear",
            wrong=lambda circuit, clean, corrupted: (
                ((circuit(clean) - circuit(corrupted)) / len(clean)).expand(len(clean)),
                ((circuit(clean) - circuit(corrupted)) / len(clean)).expand(len(clean)),
            ),
            sentence="You share the whole difference out evenly. What each part does has to be measured, by patching it alone.",
        ),
    ),
    hints=(
        "`circuit` takes a tensor of parts and gives one number. Clone the parts, change one entry, run.",
        "gained[i] = circuit(corrupted with part i clean) - circuit(corrupted); lost[i] = circuit(clean) - circuit(clean with part i corrupted).",
    ),
)


# --- read-the-gates -------------------------------------------------------------------------------


def gate_words() -> tuple[str, ...]:
    """For each mystery: and, or, one (a single part does it), found from the effects of the parts."""
    return tuple(_word(mystery) for mystery in MYSTERIES)


def _word(circuit: Callable[[Tensor], Tensor]) -> str:
    gained, lost = part_effects(circuit, torch.ones(2), torch.zeros(2))
    if (gained > 0.5).all():
        return "or"
    return "and" if (lost > 0.5).all() else "one"


def _exchanged() -> tuple[str, ...]:
    other = {"and": "or", "or": "and", "one": "one"}
    return tuple(other[word] for word in gate_words())


def _from_noising(enough: Any) -> Callable[[], tuple[str, ...]]:
    def wrong() -> tuple[str, ...]:
        return tuple(enough(word) for word in gate_words())

    return wrong


def _another_order(number: int) -> Variant:
    order = ordered(range(len(MYSTERIES)), number)
    return Variant(
        asked=f"Give your words in this order: `[lab.MYSTERIES[i] for i in {order}]`.",
        expected=lambda: tuple(gate_words()[i] for i in order),
    )


READ_THE_GATES = ValueExercise(
    slug="read-the-gates",
    title="Three closed boxes",
    chapter="04",
    points=1,
    minutes=5,
    difficulty=2,
    objective="Tell an AND from an OR from a part that does nothing, by patching in both directions.",
    expected=gate_words,
    form='three words, each "and", "or" or "one" (only one of the two parts matters)',
    accepts=lambda value: len(value) == 3 and all(word in ("and", "or", "one") for word in value),
    styles=(Style(name="a list", right=lambda: list(gate_words())),),
    variant=_another_order,
    mistakes=(
        Mistake(
            name="AND and OR exchanged",
            wrong=_exchanged,
            sentence="AND and OR are exchanged. In an OR each part is enough by itself (denoising shows it) and none is needed.",
        ),
        Mistake(
            name="all one kind: and",
            wrong=("and", "and", "and"),
            sentence="Not all of them need both parts. Look at what denoising says: where a single clean part brings the output back, it is no AND.",
        ),
        Mistake(
            name="all one kind: or",
            wrong=("or", "or", "or"),
            sentence="Not in all of them any part will do. Look at what noising says: where a single corrupted part kills the output, it is no OR.",
        ),
        Mistake(
            name="what does not show is not there",
            wrong=_from_noising(lambda word: "one" if word == "and" else word),
            sentence="In the AND no part shows when DENOISING, but both show when noising. A part that one direction does not see may still matter.",
        ),
    ),
    hints=(
        "Run your `part_effects` on each box with clean = ones and corrupted = zeros.",
        "Both enough: OR. Both needed: AND. One both enough and needed, the other neither: one.",
    ),
)
