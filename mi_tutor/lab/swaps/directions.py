"""The simplest tools for a class in activations: means, their differences, and the nearest mean."""

import torch
from jaxtyping import Float, Int
from torch import Tensor


def class_means(
    activations: Float[Tensor, "prompt d_model"], classes: Int[Tensor, "prompt"], n_classes: int
) -> Float[Tensor, "class d_model"]:
    """The mean activation of each class.

    Raises ValueError if a class does not occur.

    >>> class_means(torch.tensor([[0.0], [2.0], [7.0]]), torch.tensor([0, 0, 1]), 2).flatten()
    tensor([1., 7.])
    """
    counts = torch.bincount(classes, minlength=n_classes)
    if len(counts) > n_classes or (counts == 0).any():
        raise ValueError(
            f"Each of the {n_classes} classes should occur, and no other; the classes seen are "
            f"{sorted(set(classes.tolist()))}."
        )
    sums = torch.zeros(n_classes, activations.shape[1], dtype=activations.dtype)
    return sums.to(activations.device).index_add_(0, classes, activations) / counts[:, None]


def class_direction(
    activations: Float[Tensor, "prompt d_model"],
    classes: Int[Tensor, "prompt"],
    source: int,
    target: int,
) -> Float[Tensor, "d_model"]:
    """mean(activations of the target) - mean(activations of the source): from one class to another.

    Raises ValueError if one of the two does not occur.

    >>> class_direction(torch.tensor([[0.0], [2.0], [7.0]]), torch.tensor([0, 0, 1]), source=0, target=1)
    tensor([6.])
    """
    for each in (source, target):
        if not (classes == each).any():
            raise ValueError(f"No activation is of class {each}, so it has no mean.")
    return activations[classes == target].mean(dim=0) - activations[classes == source].mean(dim=0)


def nearest_mean(
    activations: Float[Tensor, "prompt d_model"], means: Float[Tensor, "class d_model"]
) -> Int[Tensor, "prompt"]:
    """The class whose mean is nearest: the simplest way to read a class from an activation.

    >>> nearest_mean(torch.tensor([[0.9], [6.0]]), torch.tensor([[1.0], [7.0]]))
    tensor([0, 1])
    """
    return torch.cdist(activations, means).argmin(dim=-1)


def readable(
    known: Float[Tensor, "known d_model"],
    known_classes: Int[Tensor, "known"],
    new: Float[Tensor, "new d_model"],
    new_classes: Int[Tensor, "new"],
) -> Float[Tensor, ""]:
    """The share of new activations whose nearest class mean, of the known ones, is their own class's.

    >>> known, classes = torch.tensor([[0.0], [2.0], [7.0]]), torch.tensor([0, 0, 1])
    >>> readable(known, classes, torch.tensor([[1.5], [6.0], [3.0]]), torch.tensor([0, 1, 1]))
    tensor(0.6667)
    """
    names, numbers = known_classes.unique(return_inverse=True)
    means = class_means(known, numbers, len(names))
    return (names[nearest_mean(new, means)] == new_classes).to(new.dtype).mean()


def readable_left_out(
    activations: Float[Tensor, "prompt d_model"],
    classes: Int[Tensor, "prompt"],
    groups: Int[Tensor, "prompt"],
) -> Float[Tensor, ""]:
    """The share of activations whose nearest class mean is their own class's, each read without its own group.

    groups: a number for each activation. Prompts about the same name have much in common, up to equal
    activations, so a mean that one of them went into says little about the others. Here it is the mean of the
    class's other groups. A class with no other group has no mean to offer, and is not found.

    Raises ValueError if a group is in two classes.

    >>> x, classes = torch.tensor([[0.0], [0.0], [9.0], [8.0], [7.0]]), torch.tensor([0, 0, 0, 1, 1])
    >>> readable_left_out(x, classes, torch.tensor([0, 0, 1, 2, 3]))  # the 0s and the 9 are not found
    tensor(0.4000)
    """
    _, groups = groups.unique(return_inverse=True)
    for each in groups.unique():
        found = classes[groups == each].unique().tolist()
        if len(found) > 1:
            raise ValueError(
                f"A group of {int((groups == each).sum())} prompts is in the classes {found}; "
                "a group (a name, say) should be of one class."
            )
    sums, group_sums = (_sums(activations, labels) for labels in (classes, groups))
    counts, group_counts = torch.bincount(classes), torch.bincount(groups)
    others = counts[classes] - group_counts[groups]
    # 0 / 0 where there is no other group.
    left = (sums[classes] - group_sums[groups]) / others[:, None]
    own_distance = (activations - left).norm(dim=-1).masked_fill(others == 0, torch.inf)

    distances = torch.cdist(activations, sums / counts[:, None])
    distances[:, counts == 0] = torch.inf
    distances[torch.arange(len(classes)), classes] = own_distance
    return (distances.argmin(dim=-1) == classes).to(activations.dtype).mean()


def _sums(
    activations: Float[Tensor, "prompt d_model"], labels: Int[Tensor, "prompt"]
) -> Float[Tensor, "label d_model"]:
    empty = torch.zeros(int(labels.max()) + 1, activations.shape[1]).to(activations)
    return empty.index_add_(0, labels, activations)


def random_like(
    steps: Float[Tensor, "prompt d_model"], generator: torch.Generator
) -> Float[Tensor, "prompt d_model"]:
    """Random directions, each with the norm of the step that it replaces.

    >>> random_like(torch.tensor([[3.0, 4.0]]), torch.Generator().manual_seed(0)).norm()
    tensor(5.)
    """
    other = torch.randn(steps.shape, generator=generator, device=generator.device).to(steps)
    return other * steps.norm(dim=-1, keepdim=True) / other.norm(dim=-1, keepdim=True)


def direction_agreement(
    first: Float[Tensor, "class d_model"], second: Float[Tensor, "class d_model"]
) -> Float[Tensor, ""]:
    """The mean cosine between the directions of one table of class means and the same ones of another.

    Over all ordered pairs of two different classes a, b: cos(first_b - first_a, second_b - second_a). What all
    means have in common (a large part, usually) is in no difference, so it does not count.

    >>> means = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    >>> direction_agreement(means, 2 * means + 100.0)
    tensor(1.)
    """
    n = len(first)
    other = ~torch.eye(n, dtype=torch.bool, device=first.device)
    from_to = [(means[None] - means[:, None])[other] for means in (first, second)]
    return torch.cosine_similarity(*from_to, dim=-1).mean()
