"""Chapter 05, what should fail: `controls`."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mi_tutor.lab.swaps import random_like
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style, Tolerance
from mi_tutor.teach.exercises.making import (
    GOES_ON,
    fresh_generator,
    normal,
    run_with_generator,
    uniform,
)

N_ROWS = 4000


def _control_cases(g: torch.Generator) -> list[Case]:
    """Steps of very different norms; half of their coordinates are 0, as no random direction's are."""
    settings = [
        ("8 dimensions", 8, torch.float32),
        ("40 dimensions", 40, torch.float32),
        ("double precision", 12, torch.float64),
    ]
    cases = []
    for seed, (label, d_model, dtype) in enumerate(settings):
        steps = normal(g, N_ROWS, d_model, dtype=dtype)
        steps[:, d_model // 2 :] = 0.0
        steps *= uniform(g, N_ROWS, 1, low=0.2, high=6.0, dtype=dtype)
        cases.append(Case(label=label, inputs={"steps": steps, "generator": fresh_generator(seed)}))
    return cases


def _again(unit: Tensor) -> bool:
    """Whether any two rows are the same, or opposite."""
    turned = (unit * unit.sum(dim=1, keepdim=True).sign()).double().round(decimals=5)
    return len(turned.unique(dim=0)) < len(unit)


def _control_view(value: dict, steps: Tensor, generator: torch.Generator) -> dict[str, Any]:
    sample = value["sample"]
    if sample.shape != steps.shape:
        return {"sample": sample}
    norms = sample.norm(dim=-1)
    unit = sample / norms[:, None].clamp(min=1e-12)
    along = torch.nn.functional.cosine_similarity(sample, steps, dim=-1)
    return {
        "sample": torch.zeros_like(sample),  # its shape and dtype
        "the length of each direction": norms,
        "the mean of all directions": unit.mean(dim=0),
        "how alike two directions are (mean squared cosine)": float(
            (unit[1:] * unit[:-1]).sum(dim=-1).square().mean()
        ),
        "whether a direction comes up again, or its opposite": _again(unit),
        "the mean cosine with the step that is replaced": float(along.mean()),
        "the mean squared cosine with the step that is replaced": float(along.square().mean()),
        "how uneven the coordinates are (mean fourth power × d_model²)": float(
            unit.pow(4).mean() * unit.shape[-1] ** 2
        ),
        "how often a coordinate is 0": float((sample == 0).float().mean()),
        "whether every random number comes from `generator`": value["used"],
        GOES_ON: value["goes on"],
    }


def _per_row(rescale):
    """An answer that draws normal numbers and then rescales them."""

    def answer(steps, generator):
        draw = torch.randn(steps.shape, generator=generator, dtype=steps.dtype)
        return rescale(draw, steps)

    return answer


def _norm(x):
    return x.norm(dim=-1, keepdim=True)


def _by_loop(steps, generator):
    rows = []
    for step in steps:
        draw = torch.randn(len(step), generator=generator, dtype=step.dtype)
        rows.append(draw / draw.norm() * step.norm())
    return torch.stack(rows)


def _positive(steps, generator):
    draw = torch.rand(steps.shape, generator=generator, dtype=steps.dtype)
    return draw * _norm(steps) / _norm(draw)


def _uniform(steps, generator):
    draw = 2 * torch.rand(steps.shape, generator=generator, dtype=steps.dtype) - 1
    return draw * _norm(steps) / _norm(draw)


def _one_for_all(steps, generator):
    draw = torch.randn(steps.shape[-1], generator=generator, dtype=steps.dtype)
    return _norm(steps) * draw / draw.norm()


def _flipped(steps, generator):
    signs = torch.randint(2, steps.shape, generator=generator).to(steps) * 2 - 1
    return steps * signs


def _another_step(steps, generator):
    return steps[torch.randperm(len(steps), generator=generator)]


def _global_generator(steps, generator):
    draw = torch.randn(steps.shape, dtype=steps.dtype)
    return draw * _norm(steps) / _norm(draw)


CONTROL = Exercise(
    slug="controls",
    title="A direction that means nothing",
    chapter="05",
    points=2,
    minutes=8,
    difficulty=2,
    objective="Make the control that every steering experiment needs: a random direction of the same length.",
    cases=_control_cases,
    reference=random_like,
    run=run_with_generator,
    view=_control_view,
    tolerance={
        "the length of each direction": Tolerance(1e-4, 1e-5),
        "the mean of all directions": Tolerance(0.0, 0.06),
        "how alike two directions are (mean squared cosine)": Tolerance(0.0, 0.03),
        "the mean cosine with the step that is replaced": Tolerance(0.0, 0.05),
        "the mean squared cosine with the step that is replaced": Tolerance(0.0, 0.02),
        "how uneven the coordinates are (mean fourth power × d_model²)": Tolerance(0.0, 0.2),
        "how often a coordinate is 0": Tolerance(0.0, 0.01),
    },
    styles=(
        Style(name="a loop over rows", right=_by_loop),
        Style(
            name="normalize",
            right=_per_row(
                lambda draw, steps: torch.nn.functional.normalize(draw, dim=-1) * _norm(steps)
            ),
        ),
        Style(
            name="square sums",
            right=_per_row(
                lambda draw, steps: (
                    draw * (steps.square().sum(-1) / draw.square().sum(-1)).sqrt()[:, None]
                )
            ),
        ),
    ),
    mistakes=(
        Mistake(
            name="length not matched",
            wrong=_per_row(lambda draw, steps: draw),
            sentence="Your directions are random, but their length has nothing to do with the steps'. A shorter push would fail for being short, "
            "a longer one would wreck the model: match the length.",
        ),
        Mistake(
            name="length 1",
            wrong=_per_row(lambda draw, steps: draw / _norm(draw)),
            sentence="All your directions have length 1. Each should be as long as the step that it replaces.",
        ),
        Mistake(
            name="not divided by its own length",
            wrong=_per_row(lambda draw, steps: draw * _norm(steps)),
            sentence="You multiply by the step's length, but the random vector has a length of its own (about √d_model). Divide it away first.",
        ),
        Mistake(
            name="one length for all",
            wrong=_per_row(lambda draw, steps: draw * steps.norm() / draw.norm()),
            sentence="You match the norm of the whole matrix. Each ROW should be as long as its step: take norms along the last axis.",
        ),
        Mistake(
            name="only positive numbers",
            wrong=_positive,
            sentence="Your numbers are all positive, so all directions point to the same corner. `randn` has both signs, `rand` has not.",
        ),
        Mistake(
            name="uniform numbers of both signs",
            wrong=_uniform,
            sentence="Your coordinates are uniform numbers, so your vectors fill a cube, and more of them point to its corners than to its "
            "sides. Normal numbers (`randn`) point in every direction alike.",
        ),
        Mistake(
            name="one direction for all",
            wrong=_one_for_all,
            sentence="You draw one direction and use it for every row. Then the control rests on one draw: each row gets its own.",
        ),
        Mistake(
            name="signs flipped",
            wrong=_flipped,
            sentence="You keep the step's coordinates and flip signs. That is not a random direction: where the step is 0, yours is too.",
        ),
        Mistake(
            name="another question's step",
            wrong=_another_step,
            sentence="You hand out the steps in another order. Those are directions between states, with a meaning, and with the wrong lengths.",
        ),
        Mistake(
            name="the global generator",
            wrong=_global_generator,
            sentence="The directions are right, but they do not come from `generator`, so nobody can repeat your experiment. Pass it to `randn`.",
        ),
    ),
    hints=(
        "Normal numbers in every coordinate point in every direction alike: `torch.randn(..., generator=generator)`.",
        "Bring each row to length 1, then to the length of its step. Norms with `keepdim=True` are easy to multiply with.",
    ),
)
