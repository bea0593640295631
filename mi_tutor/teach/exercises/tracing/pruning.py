"""Chapter 06, what is left of a graph: `prune`."""

from __future__ import annotations

import torch

from mi_tutor.lab import tracing as lab
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style, Tolerance
from mi_tutor.teach.exercises.making import uniform

CLOSE = Tolerance(rtol=1e-4, atol=1e-6)


def _prune_cases(g: torch.Generator) -> list[Case]:
    def random(label, n, n_always, share, dtype=torch.float32):
        found = uniform(g, n, high=1.0, dtype=dtype).pow(3)
        always = torch.zeros(n, dtype=torch.bool)
        always[torch.randperm(n, generator=g)[:n_always]] = True
        found[always] *= 0.3
        return Case(label=label, inputs={"influence": found, "always": always, "share": share})

    def exact(label, values, share, always=()):
        order = torch.randperm(len(values), generator=g)
        kept = torch.zeros(len(values), dtype=torch.bool)
        kept[list(always)] = True
        inputs = {"influence": torch.tensor(values)[order], "always": kept[order], "share": share}
        return Case(label=label, inputs=inputs)

    return [
        random("40 nodes", 40, 4, 0.8),
        random("half of the influence", 30, 3, 0.5),
        exact("the share is reached exactly", [4.0, 2.0, 1.0, 0.5, 0.5], 0.75, (3,)),
        exact("several with the same influence", [3.0, 1.0, 1.0, 1.0, 1.0, 0.5, 0.5], 0.7, (6,)),
        exact("one node has it all, some have nothing", [2.0, 0.0, 0.0, 0.0], 0.8, (2,)),
        random("all influence", 12, 2, 1.0),
        random("double precision", 25, 3, 0.9, torch.float64),
    ]


def _in_order(found, always, share, still=lambda before, share: before < share):
    """The fewest, from the largest on, with ties; `still`: whether more are needed."""
    total, bound, held = found.sum(), None, 0.0
    for value in found.sort(descending=True).values:
        if not still(held / total, share):
            break
        held, bound = held + value, value
    return (found >= bound) | always


def _before(found, always, share):
    """By what the larger ones hold: a node is needed while they hold too little."""
    larger = torch.stack([found[found > value].sum() for value in found])
    needed = larger / found.sum() < share - 1e-7
    return (needed & (found > 0)) | always if not bool((found == 0).all()) else always


def _strict_order(found, always, share):
    order = found.argsort(descending=True, stable=True)
    reached = found[order].cumsum(0) / found.sum()
    n = int(torch.searchsorted(reached, share)) + 1
    kept = always.clone()
    kept[order[:n]] = True
    return kept


def _one_less(found, always, share):
    order = found.sort(descending=True).values
    reached = order.cumsum(0) / order.sum()
    n = int((reached < share).sum())
    bound = order[n - 1] if n else torch.inf
    return (found >= bound) | always


def _number_of_nodes(found, always, share):
    n = max(1, round(share * len(found)))
    return (found >= found.sort(descending=True).values[n - 1]) | always


def _of_the_largest(found, always, share):
    return (found >= share * found.max()) | always


def _others_only(found, always, share):
    rest = torch.where(always, torch.zeros_like(found), found)
    return lab.kept_nodes(rest, torch.zeros_like(always), share) & ~always | always


PRUNE = Exercise(
    slug="prune",
    optional=True,
    title="Keep what counts",
    chapter="06",
    points=2,
    minutes=10,
    difficulty=2,
    objective="Prune a graph by influence: the fewest nodes that hold a given share of it.",
    cases=_prune_cases,
    reference=lab.kept_nodes,
    styles=(
        Style(name="a loop from the largest on", right=_in_order),
        Style(name="what larger ones hold", right=_before),
    ),
    mistakes=(
        Mistake(
            name="a share of the number",
            wrong=_number_of_nodes,
            sentence="You keep that share of the NODES. Asked is a share of the influence, which a few nodes may hold.",
        ),
        Mistake(
            name="a share of the largest",
            wrong=_of_the_largest,
            sentence="You keep what has that share of the LARGEST influence. Add influence up from the largest on, until the share of the whole is reached.",
        ),
        Mistake(
            name="one too few",
            wrong=_one_less,
            sentence="Your nodes hold less than the share: the one with which it is reached belongs to them.",
        ),
        Mistake(
            name="one too many",
            wrong=lambda found, always, share: _in_order(
                found, always, share, lambda before, share: before <= share
            ),
            sentence="Where the share is reached exactly, you take one more. It is enough.",
        ),
        Mistake(
            name="ties broken",
            wrong=_strict_order,
            sentence="Of nodes with the same influence you keep some and drop others, by their place in the list. Keep all of them.",
        ),
        Mistake(
            name="nothing stays",
            wrong=lambda found, always, share: lab.kept_nodes(
                found, torch.zeros_like(always), share
            ),
            sentence="Embeddings and logits (`always`) have to stay, whatever their influence.",
        ),
        Mistake(
            name="without those that stay",
            wrong=_others_only,
            sentence="You leave the nodes of `always` out when you add influence up. They have influence too, and count.",
        ),
        Mistake(
            name="the dropped ones",
            wrong=lambda *inputs: ~lab.kept_nodes(*inputs),
            sentence="This is the other way round: True for those that are dropped. Asked are those that stay.",
        ),
        Mistake(
            name="smallest first",
            wrong=lambda found, always, share: (
                (
                    found
                    <= found.sort().values[
                        int(
                            torch.searchsorted(
                                found.sort().values.cumsum(0) / found.sum(), share - 1e-6
                            )
                        )
                    ]
                )
                | always
            ),
            sentence="You begin with the SMALLEST. The fewest that hold the share are the largest.",
        ),
    ),
    hints=(
        "Sort from the largest on, add up, and find the place at which the share of the sum is reached.",
        "The influence at that place is a bound: who has at least as much stays. Ties then stay together.",
        "`sort(descending=True)`, `cumsum`, and the first place where it is at least the share; `|` for those that always stay.",
    ),
)
