"""Chapter 05, from one state to another: `state-direction`."""

from __future__ import annotations

import torch

from mi_tutor.lab.swaps import class_direction
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style, Tolerance
from mi_tutor.teach.exercises.making import and_near_zero, normal, strided


def _direction_cases(g: torch.Generator) -> list[Case]:
    settings = [
        ("two classes", 12, 5, 2, (0, 1)),
        ("the other way round", 15, 4, 2, (1, 0)),
        ("twelve classes of different sizes", 60, 6, 12, (11, 1)),
        ("one activation per class", 4, 3, 4, (0, 2)),
        ("columns next to each other in memory", 21, 7, 3, (2, 0)),
        ("thirteen classes and dimensions, double precision", 60, 13, 13, (1, 12)),
    ]
    cases = []
    for number, (label, n, d_model, n_classes, (source, target)) in enumerate(settings):
        more = torch.randint(n_classes, (n - n_classes,), generator=g)
        classes = torch.cat([torch.arange(n_classes), more])
        x = normal(g, n, d_model) + 2.0 + normal(g, n_classes, d_model)[classes]
        x = strided(x) if number == 4 else x.double() if number == 5 else x
        inputs = {"activations": x, "classes": classes, "source": source, "target": target}
        cases.append(Case(label=label, inputs=inputs))
    return cases


def _direction_by_loop(activations, classes, source, target):
    total = {each: torch.zeros_like(activations[0]) for each in (source, target)}
    count = dict.fromkeys(total, 0)
    for x, each in zip(activations, classes.tolist(), strict=True):
        if each in total:
            total[each] = total[each] + x
            count[each] += 1
    return total[target] / count[target] - total[source] / count[source]


def _direction_by_weights(activations, classes, source, target):
    is_target, is_source = ((classes == each).to(activations) for each in (target, source))
    weights = is_target / is_target.sum() - is_source / is_source.sum()
    return torch.einsum("p, p d -> d", weights, activations)


def _direction_by_numpy(activations, classes, source, target):
    x, c = activations.numpy(), classes.numpy()
    return torch.from_numpy(x[c == target].mean(axis=0) - x[c == source].mean(axis=0))


STATE_DIRECTION = Exercise(
    slug="state-direction",
    title="From one state to another",
    chapter="05",
    points=1,
    minutes=6,
    difficulty=1,
    objective="Make the direction from one state to another: a difference of means.",
    cases=and_near_zero(_direction_cases, "activations"),
    reference=class_direction,
    tolerance=Tolerance(rtol=1e-4, atol=1e-5),
    styles=(
        Style(name="a loop", right=_direction_by_loop),
        Style(name="weights and einsum", right=_direction_by_weights),
        Style(name="numpy", right=_direction_by_numpy),
    ),
    mistakes=(
        Mistake(
            name="the way back",
            wrong=lambda activations, classes, source, target: class_direction(
                activations, classes, target, source
            ),
            sentence="Your direction leads from the target to the source. What is added has to take the source away and bring the target in.",
        ),
        Mistake(
            name="only the target",
            wrong=lambda activations, classes, source, target: activations[classes == target].mean(
                dim=0
            ),
            sentence="This is the target's mean alone. Added to a question about the source it would leave the source in.",
        ),
        Mistake(
            name="sums for means",
            wrong=lambda activations, classes, source, target: (
                activations[classes == target].sum(dim=0)
                - activations[classes == source].sum(dim=0)
            ),
            sentence="You subtract sums. A class with more prompts then counts for more: take means.",
        ),
        Mistake(
            name="unit length",
            wrong=lambda activations, classes, source, target: torch.nn.functional.normalize(
                class_direction(activations, classes, source, target), dim=0
            ),
            sentence="You scaled the direction to length 1. Its own length is the distance between the two classes, and that is how far we "
            "want to go.",
        ),
        Mistake(
            name="against everything else",
            wrong=lambda activations, classes, source, target: (
                activations[classes == target].mean(dim=0)
                - activations[classes != target].mean(dim=0)
            ),
            sentence="You subtract the mean of all other classes. With two classes that is the source; with more it takes a bit of each away.",
        ),
        Mistake(
            name="one example each",
            wrong=lambda activations, classes, source, target: (
                activations[classes == target][0] - activations[classes == source][0]
            ),
            sentence="You subtract one example of each class. What is special about these two prompts stays in: average over all of them.",
        ),
        Mistake(
            name="divided by all prompts",
            wrong=lambda activations, classes, source, target: (
                (
                    activations[classes == target].sum(dim=0)
                    - activations[classes == source].sum(dim=0)
                )
                / len(activations)
            ),
            sentence="You divide both sums by the number of ALL prompts. Each mean has its own count.",
        ),
    ),
    hints=(
        "`activations[classes == target]` are the target's activations, [some d_model].",
        "Two means over prompts, and a minus. Which is taken away, which is brought in?",
    ),
)
