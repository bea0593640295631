"""Chapter 01, the phase diagram: `phase-losses` and `phase-diagram`."""

from __future__ import annotations

import torch

from mi_tutor.lab.superposition import phase_losses, phase_theory
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style
from mi_tutor.teach.exercises.making import and_near_zero, uniform


def _cases(g: torch.Generator) -> list[Case]:
    grid_p, grid_r = torch.logspace(-2, 0, 12)[None, :], torch.logspace(-1, 1, 8)[:, None]
    return [
        Case(
            label="a grid of densities and importances",
            inputs={
                "density": grid_p.expand(8, 12).clone(),
                "relative_importance": grid_r.expand(8, 12).clone(),
            },
        ),
        Case(
            label="features that are always on",
            inputs={
                "density": torch.ones(4),
                "relative_importance": torch.tensor([0.1, 0.5, 2.0, 10.0]),
            },
        ),
        Case(
            label="rare features",
            inputs={
                "density": torch.full((5,), 0.01),
                "relative_importance": uniform(g, 5, low=0.2, high=5.0),
            },
        ),
        Case(
            label="random points",
            inputs={
                "density": uniform(g, 40, low=0.02),
                "relative_importance": uniform(g, 40, low=0.1, high=4.0),
            },
        ),
    ]


def _losses(p, r):
    variance = p / 3 - p**2 / 4
    return r * variance, (1 + r) * p**2 / 6, variance


def _losses_by_moments(density, relative_importance):
    mean, mean_square, variance = density / 2, density / 3, torch.zeros(())
    variance = mean_square - mean.square()
    return (
        relative_importance * variance,
        (1 + relative_importance) * density**2 * (1 / 3 - 1 / 6),
        variance,
    )


def _losses_by_quadrature(density, relative_importance):
    """E[min²] over a fine grid in place of the integral by hand."""
    t = (torch.arange(400, dtype=torch.float64) + 0.5) / 400
    smaller = torch.minimum(t[:, None], t[None, :]).square().mean().to(density.dtype)
    variance = density / 3 - density**2 / 4
    return (
        relative_importance * variance,
        (1 + relative_importance) * density**2 * smaller,
        variance,
    )


PHASE_LOSSES = Exercise(
    slug="phase-losses",
    title="What does each fate cost?",
    chapter="01",
    points=3,
    minutes=15,
    difficulty=3,
    objective="Work out the expected loss of dropping, superposing and dedicating, for two features in one dimension.",
    cases=and_near_zero(_cases, positive=("density", "relative_importance")),
    reference=phase_losses,
    view=lambda value, density, relative_importance: {
        f"the loss of the {fate} model": loss
        for fate, loss in zip(("dropped", "superposed", "dedicated"), value, strict=True)
    },
    styles=(
        Style(name="a plain tuple from moments", right=_losses_by_moments),
        Style(name="numerical integration", right=_losses_by_quadrature),
        Style(
            name="a list",
            right=lambda density, relative_importance: list(_losses(density, relative_importance)),
        ),
    ),
    mistakes=(
        Mistake(
            name="a dropped feature is predicted as zero",
            wrong=lambda p, r: (r * p / 3, (1 + r) * p**2 / 6, p / 3),
            sentence="Your cost of losing a feature is E[x²], as if the model answered 0. It can do better with its bias: the "
            "best constant is the mean, which leaves the variance.",
        ),
        Mistake(
            name="variance while on",
            wrong=lambda p, r: (r * p / 12, (1 + r) * p**2 / 6, p / 12),
            sentence="Your variance is p/12, that of the magnitude while the feature is on. Being on or off is part of the "
            "uncertainty, and the mean is squared together with its p.",
        ),
        Mistake(
            name="collision with probability p",
            wrong=lambda p, r: (r * (p / 3 - p**2 / 4), (1 + r) * p / 6, p / 3 - p**2 / 4),
            sentence="Superposition costs something only while BOTH features are on, and that has probability p², not p.",
        ),
        Mistake(
            name="only one feature suffers",
            wrong=lambda p, r: (r * (p / 3 - p**2 / 4), p**2 / 6, p / 3 - p**2 / 4),
            sentence="In a collision both answers are off by the smaller value: the importances of both features count, 1 + r.",
        ),
        Mistake(
            name="the importance on the wrong feature",
            wrong=lambda p, r: (p / 3 - p**2 / 4, (1 + r) * p**2 / 6, r * (p / 3 - p**2 / 4)),
            sentence="`dropped` means that the EXTRA feature is lost, which costs r times its variance; `dedicated` means the "
            "first one is lost. Yours are exchanged.",
        ),
        Mistake(
            name="mean of the smaller, squared",
            wrong=lambda p, r: (r * (p / 3 - p**2 / 4), (1 + r) * p**2 / 9, p / 3 - p**2 / 4),
            sentence="You square the mean of the smaller value (1/3 squared is 1/9). The loss has the mean of its square.",
        ),
        Mistake(
            name="mean square of one value",
            wrong=lambda p, r: (r * (p / 3 - p**2 / 4), (1 + r) * p**2 / 3, p / 3 - p**2 / 4),
            sentence="In a collision each answer is off by the SMALLER of the two values, not by a whole value: E[min²] is "
            "less than E[x²] = 1/3.",
        ),
        Mistake(
            name="importance squared",
            wrong=lambda p, r: (r**2 * (p / 3 - p**2 / 4), (1 + r**2) * p**2 / 6, p / 3 - p**2 / 4),
            sentence="The importance multiplies the squared error; it is not squared itself.",
        ),
    ),
    hints=(
        "A feature that the model cannot see is best answered by a constant. Which constant has the smallest squared error?",
        "x is 0 with probability 1 - p and uniform otherwise: E[x] = p/2 and E[x²] = p/3.",
        "W = (1, -1): with both on, the larger comes out as the difference and the smaller as 0. Both errors equal the "
        "smaller value.",
        "The smaller of two uniform numbers has density 2(1 - t): integrate t² against it.",
    ),
)


def _fates(order, strict=None):
    def fate(density, relative_importance):
        losses = torch.stack(torch.broadcast_tensors(*_losses(density, relative_importance)))
        return order(losses, density, relative_importance)

    return fate


def _diagram_loop(density, relative_importance):
    result = torch.zeros(density.shape, dtype=torch.long)
    for index in range(density.numel()):
        p, r = float(density.flatten()[index]), float(relative_importance.flatten()[index])
        costs = _losses(p, r)
        result.view(-1)[index] = min(range(3), key=lambda fate: costs[fate])
    return result


def _diagram_by_border(density, relative_importance):
    """Compare superposition with the cheaper of the other two."""
    dropped, superposed, dedicated = _losses(density, relative_importance)
    alone = torch.where(relative_importance > 1, 2, 0)
    return torch.where(superposed < torch.minimum(dropped, dedicated), 1, alone)


PHASE_DIAGRAM = Exercise(
    slug="phase-diagram",
    title="The phase diagram, by theory",
    chapter="01",
    points=2,
    minutes=4,
    difficulty=1,
    objective="Predict the extra feature's fate from its density and relative importance.",
    cases=and_near_zero(_cases, positive=("density", "relative_importance")),
    reference=phase_theory,
    styles=(
        Style(name="argmin over a stack", right=_fates(lambda losses, p, r: losses.argmin(0))),
        Style(name="a loop over the grid", right=_diagram_loop),
        Style(name="the two borders", right=_diagram_by_border),
    ),
    mistakes=(
        Mistake(
            name="the dearest model",
            wrong=_fates(lambda losses, p, r: losses.argmax(0)),
            sentence="You pick the model with the highest loss; training finds the lowest.",
        ),
        Mistake(
            name="two regions",
            wrong=_fates(lambda losses, p, r: losses[:2].argmin(0)),
            sentence="Your diagram has two regions. When the extra feature matters more than the first, it gets the "
            "dimension and the first is dropped: dedicated is the third fate.",
        ),
        Mistake(
            name="superposition or nothing",
            wrong=_fates(lambda losses, p, r: torch.where(losses[1] < losses[2], 1, 2)),
            sentence="You never drop the extra feature. Compare all three losses.",
        ),
        Mistake(
            name="by importance alone",
            wrong=_fates(lambda losses, p, r: torch.where(r > 1, 2, 0)),
            sentence="In your diagram superposition never wins. Check its loss where features are rare: it should beat both.",
        ),
        Mistake(
            name="codes turned round",
            wrong=_fates(lambda losses, p, r: 2 - losses.argmin(0)),
            sentence="0 means not represented and 2 means dedicated; yours are the other way round.",
        ),
        Mistake(
            name="density and importance exchanged",
            wrong=_fates(
                lambda losses, p, r: torch.stack(
                    torch.broadcast_tensors(*_losses(r.clamp(max=1), p))
                ).argmin(0)
            ),
            sentence="Density and relative importance have changed places on the way to the losses.",
        ),
        Mistake(
            name="counted from one",
            wrong=_fates(lambda losses, p, r: losses.argmin(0) + 1),
            sentence="Your fates are 1, 2, 3; they are numbered 0, 1, 2.",
        ),
    ),
    hints=(
        "You have the three losses. Training finds the lowest one.",
        "Stack them in the order of the fates and ask for the position of the smallest.",
    ),
)
