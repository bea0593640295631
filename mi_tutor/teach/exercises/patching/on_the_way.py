"""Chapter 04, the slope averaged on a straight line: `integrated-gradients`."""

from __future__ import annotations

import torch

from mi_tutor.lab.patching.straight_line import integrated_gradients
from mi_tutor.teach.exercise import Case, Exercise, Handle, Mistake, Style
from mi_tutor.teach.exercises.making import and_near_zero, normal


def _line_cases(g: torch.Generator) -> list[Case]:
    weights = normal(g, 5)

    def saturated():
        return lambda x: torch.sigmoid(4 * (x @ weights)).sum()

    def cubic():
        return lambda x: (x**3).sum() - x[0] * x[1]

    def attention():
        return lambda x: x.flatten().softmax(dim=0)[0] * 3

    settings = [
        ("a sigmoid that saturates", saturated, (5,), 8, 2.0),
        ("a cubic with a product", cubic, (12,), 11, 1.0),
        ("a softmax of a matrix", attention, (2, 12), 6, 2.0),
        ("a single step", cubic, (3,), 1, 1.0),
    ]
    return [
        Case(
            label=label,
            inputs={
                "f": Handle(label, made),
                "start": normal(g, *shape),
                "end": scale * normal(g, *shape),
                "n_steps": n_steps,
            },
        )
        for label, made, shape, n_steps, scale in settings
    ]


def _slope(f, x):
    x = x.detach().requires_grad_()
    return torch.autograd.grad(f(x), x)[0]


def _on_the_way(shares, times=lambda start, end: end - start, mean=True):
    def answer(f, start, end, n_steps):
        slopes = [_slope(f, start + t * (end - start)) for t in shares(n_steps)]
        total = torch.stack(slopes).sum(dim=0)
        return times(start, end) * (total / n_steps if mean else total)

    return answer


def _middles(n_steps):
    return [(step + 0.5) / n_steps for step in range(n_steps)]


def _by_backward(f, start, end, n_steps):
    total = torch.zeros_like(start)
    for t in torch.linspace(0.5 / n_steps, 1 - 0.5 / n_steps, n_steps):
        x = torch.lerp(start, end, t).requires_grad_(True)
        f(x).backward()
        total += x.grad
    return total.div(n_steps).mul(end - start)


INTEGRATED_GRADIENTS = Exercise(
    slug="integrated-gradients",
    title="Take the slope on the way",
    chapter="04",
    points=2,
    minutes=8,
    difficulty=2,
    objective="Repair an estimate: average the gradient on the straight line between the two runs.",
    cases=and_near_zero(_line_cases, "start", "end"),
    reference=integrated_gradients,
    styles=(
        Style(name="a list of slopes", right=_on_the_way(_middles)),
        Style(name="lerp and backward", right=_by_backward),
        Style(
            name="torch.func",
            right=lambda f, start, end, n_steps: (
                (end - start)
                * torch.stack(
                    [torch.func.grad(f)(start + t * (end - start)) for t in _middles(n_steps)]
                ).mean(dim=0)
            ),
        ),
    ),
    mistakes=(
        Mistake(
            name="the slope at the start",
            wrong=lambda f, start, end, n_steps: (end - start) * _slope(f, start),
            sentence="You use the slope at the start only: that is attribution patching again. Average it on the way.",
        ),
        Mistake(
            name="the slope at the end",
            wrong=lambda f, start, end, n_steps: (end - start) * _slope(f, end),
            sentence="You use the slope at the end only. Average it on the way.",
        ),
        Mistake(
            name="left ends of the steps",
            wrong=_on_the_way(lambda n: [step / n for step in range(n)]),
            sentence="Your points begin at the start of the line: they are the left ends of the steps. Take the midpoints, (step + 0.5) / n_steps; "
            "with few steps that is much more exact.",
        ),
        Mistake(
            name="right ends of the steps",
            wrong=_on_the_way(lambda n: [(step + 1) / n for step in range(n)]),
            sentence="Your points are the right ends of the steps. Take the midpoints, (step + 0.5) / n_steps.",
        ),
        Mistake(
            name="not averaged",
            wrong=lambda f, start, end, n_steps: (
                integrated_gradients(f, start, end, n_steps) * n_steps
            ),
            sentence="You added the slopes up without dividing by the number of steps.",
        ),
        Mistake(
            name="not times the way",
            wrong=_on_the_way(_middles, times=lambda start, end: torch.ones_like(start)),
            sentence="This is the mean slope. Multiply it with the way, end minus start: a share is slope times distance.",
        ),
        Mistake(
            name="one point in the middle",
            wrong=lambda f, start, end, n_steps: (end - start) * _slope(f, (start + end) / 2),
            sentence="You take one slope, in the middle of the whole way. Cut the way into n_steps pieces and take one in the middle of each.",
        ),
        Mistake(
            name="points from end to end",
            wrong=_on_the_way(lambda n: torch.linspace(0, 1, n)),
            sentence="Your points run from the start to the very end (as `linspace(0, 1, n)` does). Take the middle of each step, (step + 0.5) / n_steps.",
        ),
        Mistake(
            name="times the end point",
            wrong=_on_the_way(_middles, times=lambda start, end: end),
            sentence="You multiply the mean slope with the end point. The way is end minus start.",
        ),
        Mistake(
            name="sign flipped",
            wrong=_on_the_way(_middles, times=lambda start, end: start - end),
            sentence="The sign is flipped: the way is end minus start.",
        ),
        Mistake(
            name="summed to one number",
            wrong=lambda *inputs: integrated_gradients(*inputs).sum(),
            sentence="You added everything up: that is about f(end) - f(start). Return a tensor of the inputs' shape, one share per entry.",
        ),
    ),
    hints=(
        "At step s the point is start + (s + 0.5) / n_steps * (end - start).",
        "Each point needs its own leaf: `.detach().requires_grad_()`, then `torch.autograd.grad(f(point), point)`.",
        "At the end: (end - start) times the mean of the gradients, entry by entry.",
    ),
)
