"""Chapter 05, finding the state: `find-the-state` and `where-it-acts`."""

from __future__ import annotations

import functools

import numpy as np
import torch
from torch import Tensor

from mi_tutor.lab.swaps import class_means, nearest_mean, readable, swap_batches
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style, Tolerance, ValueExercise
from mi_tutor.teach.exercises.making import normal
from mi_tutor.teach.exercises.swaps.atlas import atlas, plain_atlas, some_batches, state_means

# --- find-the-state -------------------------------------------------------------------------------


def _clouds(g: torch.Generator, centres: Tensor, counts: list[int]) -> tuple[Tensor, Tensor]:
    """Points around each class's centre, and their classes, in random order."""
    classes = torch.cat([torch.full((count,), each) for each, count in enumerate(counts)])
    classes = classes[torch.randperm(len(classes), generator=g)]
    return centres[classes] + normal(g, len(classes), centres.shape[1]).to(centres), classes


def _read_cases(g: torch.Generator) -> list[Case]:
    settings = [
        ("three classes", 6, [9, 5, 12], [20, 31, 11], torch.float32),
        ("classes of very different sizes", 4, [40, 3, 9, 5], [15, 40, 22, 9], torch.float32),
        ("a class that is not among the new ones", 5, [6, 8, 4], [33, 0, 26], torch.float32),
        (
            "twelve classes, one new activation each",
            8,
            [4, 7, 5, 6, 3, 4, 5, 4, 3, 6, 5, 4],
            [1] * 12,
            torch.float32,
        ),
        ("double precision", 5, [8, 6, 11], [13, 28, 24], torch.float64),
    ]
    cases = []
    for label, d_model, known, new, dtype in settings:
        centres = (normal(g, len(known), d_model) + 2.0).to(dtype)
        x, x_classes = _clouds(g, centres, known)
        y, y_classes = _clouds(g, centres, new)
        inputs = {"known": x, "known_classes": x_classes, "new": y, "new_classes": y_classes}
        cases.append(Case(label=label, inputs=inputs))
    return cases


def _share(guesses: Tensor, classes: Tensor, like: Tensor) -> Tensor:
    return (guesses == classes).to(like.dtype).mean()


def _means(x: Tensor, classes: Tensor) -> Tensor:
    return class_means(x, classes, int(classes.max()) + 1)


def _read_by_loop(known, known_classes, new, new_classes):
    means = {int(c): known[known_classes == c].mean(dim=0) for c in known_classes}
    right = 0
    for x, own in zip(new, new_classes.tolist(), strict=True):
        right += min(means, key=lambda c: float((x - means[c]).norm())) == own
    return right / len(new)


def _read_by_numpy(known, known_classes, new, new_classes):
    x, c, y = (each.numpy() for each in (known, known_classes, new))
    means = np.stack([x[c == each].mean(axis=0) for each in range(c.max() + 1)])
    guesses = ((y[:, None] - means) ** 2).sum(axis=-1).argmin(axis=-1)
    return float((guesses == new_classes.numpy()).mean())


def _read_by_dot_product(known, known_classes, new, new_classes):
    means = _means(known, known_classes)
    # ‖x - m‖² = ‖x‖² - 2 x·m + ‖m‖²: the first term is the same for all classes.
    return _share((new @ means.T - means.square().sum(-1) / 2).argmax(-1), new_classes, new)


def _means_of_the_new(known, known_classes, new, new_classes):
    distance = torch.full((len(new), int(known_classes.max()) + 1), torch.inf, dtype=new.dtype)
    for each in new_classes.unique():
        distance[:, each] = (new - new[new_classes == each].mean(dim=0)).norm(dim=-1)
    return _share(distance.argmin(-1), new_classes, new)


def _sums(known, known_classes):
    return torch.stack(
        [known[known_classes == c].sum(0) for c in range(int(known_classes.max()) + 1)]
    )


FIND_THE_STATE = Exercise(
    slug="find-the-state",
    title="Read a class from activations",
    chapter="05",
    points=2,
    minutes=10,
    difficulty=2,
    objective="Say when and where the state appears: read it from activations with the simplest probe, on prompts it was not made from.",
    cases=_read_cases,
    reference=readable,
    dtype="any",
    styles=(
        Style(name="a loop", right=_read_by_loop),
        Style(name="numpy", right=_read_by_numpy),
        Style(name="dot products, with the means' norms", right=_read_by_dot_product),
    ),
    mistakes=(
        Mistake(
            name="read where it was made",
            wrong=lambda known, known_classes, new, new_classes: readable(
                known, known_classes, known, known_classes
            ),
            sentence="You read the same activations that the means were made from. That says how well the means remember, not whether the "
            "class is there: read the NEW ones.",
        ),
        Mistake(
            name="means of the new ones",
            wrong=_means_of_the_new,
            sentence="Your means are made from the new activations, with their own classes: the answers went into the reading. Make them "
            "from the known ones.",
        ),
        Mistake(
            name="farthest",
            wrong=lambda known, known_classes, new, new_classes: _share(
                torch.cdist(new, _means(known, known_classes)).argmax(-1), new_classes, new
            ),
            sentence="You take the mean that is FARTHEST away. Small distances are good ones.",
        ),
        Mistake(
            name="largest dot product",
            wrong=lambda known, known_classes, new, new_classes: _share(
                (new @ _means(known, known_classes).T).argmax(-1), new_classes, new
            ),
            sentence="You take the mean with the largest dot product. A long mean then wins without being near: use the distance.",
        ),
        Mistake(
            name="largest cosine",
            wrong=lambda known, known_classes, new, new_classes: _share(
                torch.cosine_similarity(
                    new[:, None], _means(known, known_classes)[None], dim=-1
                ).argmax(-1),
                new_classes,
                new,
            ),
            sentence="You take the mean with the largest cosine, which ignores how long the vectors are. Asked is the Euclidean distance.",
        ),
        Mistake(
            name="sums for means",
            wrong=lambda known, known_classes, new, new_classes: _share(
                nearest_mean(new, _sums(known, known_classes)), new_classes, new
            ),
            sentence="You added the activations of each class up and did not divide by how many they are.",
        ),
        Mistake(
            name="nearest neighbour",
            wrong=lambda known, known_classes, new, new_classes: _share(
                known_classes[torch.cdist(new, known).argmin(-1)], new_classes, new
            ),
            sentence="You look for the nearest single activation. Asked is the nearest class MEAN: one point per class.",
        ),
        Mistake(
            name="a count",
            wrong=lambda known, known_classes, new, new_classes: (
                readable(known, known_classes, new, new_classes) * len(new)
            ),
            sentence="This is how MANY are right. A share is between 0 and 1: divide by how many there are.",
        ),
        Mistake(
            name="share that is wrong",
            wrong=lambda known, known_classes, new, new_classes: (
                1 - readable(known, known_classes, new, new_classes)
            ),
            sentence="This is the share that is read WRONGLY. Asked is the share that is right.",
        ),
    ),
    hints=(
        "Three steps: a mean per class from the known activations, the nearest mean for each new one, a share.",
        "`known[known_classes == c].mean(dim=0)` for each class c, stacked, gives [class d_model].",
        "`torch.cdist(new, means)` is [new class]: the distance of each to each. Which argmin do you need?",
    ),
)

# --- where-it-acts --------------------------------------------------------------------------------


HALF = 0.5


@functools.cache
def _success_by_layer() -> list[float]:
    """The success of swaps at the name's end, before each layer, on a part of the held-out questions."""
    batches = some_batches(held_out=True, step=31)
    return [
        swap_batches(plain_atlas(), batches, means, layer, n_targets=3).success
        for layer, means in enumerate(state_means()[:-1])
    ]


def where_it_acts() -> int:
    """The last layer before which exchanging the state at the name's end still changes most answers."""
    return max(layer for layer, success in enumerate(_success_by_layer()) if success > HALF)


WHERE_IT_ACTS = ValueExercise(
    slug="where-it-acts",
    title="Until when does it matter?",
    chapter="05",
    points=1,
    minutes=4,
    difficulty=2,
    objective="Tell where the state is used from where it can merely be read.",
    expected=where_it_acts,
    form="the number of a layer, counted from 0",
    accepts=lambda value: type(value) is int,
    tolerance=Tolerance(0.0, 0.0),
    styles=(Style(name="a tensor", right=lambda: torch.tensor(where_it_acts())),),
    mistakes=(
        Mistake(
            name="where it can be read",
            wrong=lambda: atlas().cfg.n_layers - 1,
            sentence="Before this layer the state can still be READ at the name's end, but patching it there exchanges hardly any answer. Look "
            "at the panel of what patching does.",
        ),
        Mistake(
            name="the first one",
            wrong=lambda: min(i for i, s in enumerate(_success_by_layer()) if s > HALF),
            sentence="This is the FIRST layer before which patching the name's end works. Asked is the last one.",
        ),
    ),
    hints=(
        "Use the panel “patched” and its column “name's end”.",
        "Go down that column: what is the last row in which more than half of the answers follow?",
    ),
)
