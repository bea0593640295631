"""Chapter 06: `supernodes`."""

from __future__ import annotations

import torch
from torch import Tensor

from mi_tutor.lab.tracing import group_inputs, shares
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Property, Style, Tolerance
from mi_tutor.teach.exercises.making import normal, uniform


def _graph(g: torch.Generator, n: int, dense: float) -> Tensor:
    """Shares of a graph without a way back: each node has inputs from earlier ones only, the first three none."""
    edges = normal(g, n, n).tril(-1) * (uniform(g, n, n) < dense)
    edges[:3] = 0
    return shares(edges)


def _groups(g: torch.Generator, n: int, n_groups: int, nowhere: float) -> Tensor:
    """Each node in one group or in none; every group has one."""
    number = torch.randint(n_groups, (n,), generator=g)
    number[torch.randperm(n, generator=g)[:n_groups]] = torch.arange(n_groups)
    inside = uniform(g, n) > nowhere
    for group in range(n_groups):
        inside[(number == group).nonzero()[0]] = True
    return ((number == torch.arange(n_groups)[:, None]) & inside).float()


def _group_cases(g: torch.Generator) -> list[Case]:
    settings = [
        ("three groups, and nodes in none", 14, 3, 0.4, 0.7),
        ("every node in a group", 12, 4, 0.0, 0.8),
        ("few edges: a group without any input", 16, 5, 0.2, 0.25),
        ("two large groups", 30, 2, 0.3, 0.6),
    ]
    cases = []
    for label, n, n_groups, nowhere, dense in settings:
        member = _groups(g, n, n_groups, nowhere)
        if "without" in label:
            member[:, :3] = 0
            member[0] = 0
            member[0, :3] = 1  # three embeddings
            member[1:] *= 1 - member[0]
        counts = uniform(g, n, low=0.01) ** 2
        cases.append(
            Case(
                label=label,
                inputs={"shares": _graph(g, n, dense), "counts": counts, "member": member},
            )
        )
    one = torch.eye(9)[torch.tensor([8, 5, 1])]
    inputs = {"shares": _graph(g, 9, 0.9), "counts": uniform(g, 9, low=0.1), "member": one}
    return [*cases, Case(label="groups of one node", inputs=inputs)]


def _grouped(shares, counts, member, inside=False, among=False, weigh="target", mean=False):
    """The answer with other ideas of what counts."""
    rows = member * counts if weigh == "target" else member
    given = rows @ (shares * counts) if weigh == "source" else rows @ shares
    outside = given if inside else given * (1 - member)
    inputs = outside @ member.mT
    total = inputs.sum(dim=1, keepdim=True) if among else outside.sum(dim=1, keepdim=True)
    if mean:
        inputs = inputs / member.sum(dim=1)
    return inputs / total.clamp_min(1e-10)


def _inside_in_the_total(shares, counts, member):
    given = (member * counts) @ shares
    return ((given * (1 - member)) @ member.mT) / given.sum(dim=1, keepdim=True).clamp_min(1e-10)


def _by_loop(shares, counts, member):
    groups = [row.nonzero()[:, 0].tolist() for row in member]
    found = torch.zeros(len(groups), len(groups))
    for i, targets in enumerate(groups):
        total = 0.0
        for t in targets:
            for s in range(len(counts)):
                if s in targets:
                    continue
                amount = float(counts[t] * shares[t, s])
                total += amount
                for j, sources in enumerate(groups):
                    if s in sources:
                        found[i, j] += amount
        if total:
            found[i] /= total
    return found


def _by_einsum(shares, counts, member):
    given = torch.einsum("gt, t, ts -> gs", member, counts, shares)
    given = torch.where(member > 0, 0.0, given)
    total = given.sum(-1, keepdim=True)
    return torch.einsum("gs, hs -> gh", torch.where(total > 0, given / total, 0.0), member)


SUPERNODES = Exercise(
    slug="supernodes",
    title="Many nodes as one",
    chapter="06",
    points=2,
    minutes=15,
    difficulty=3,
    objective="Make a graph of groups of nodes, so that what comes from outside of a group adds up to one.",
    cases=_group_cases,
    reference=group_inputs,
    tolerance=Tolerance(rtol=1e-4, atol=1e-6),
    properties=(
        Property(
            name="at most 1",
            holds=lambda value, **_: bool((value.sum(dim=-1) <= 1 + 1e-4).all()),
            sentence="Some row adds up to more than 1, and a row has shares of what one group gets.",
        ),
    ),
    styles=(
        Style(name="loops", right=_by_loop),
        Style(name="einsum and where", right=_by_einsum),
        Style(
            name="numpy",
            right=lambda shares, counts, member: torch.from_numpy(
                _by_loop(*(torch.tensor(each.numpy()) for each in (shares, counts, member))).numpy()
            ),
        ),
    ),
    mistakes=(
        Mistake(
            name="edges inside",
            wrong=lambda *inputs: _grouped(*inputs, inside=True),
            sentence="You count edges between nodes of the same group. They say how you cut the group, and nothing about where "
            "its input comes from: leave them out before you make shares.",
        ),
        Mistake(
            name="inside in the total",
            wrong=_inside_in_the_total,
            sentence="Edges inside a group are gone from your result, but still in what you divide by: a row adds up to less than "
            "what comes from outside.",
        ),
        Mistake(
            name="only among groups",
            wrong=lambda *inputs: _grouped(*inputs, among=True),
            sentence="Your rows add up to 1 over the groups alone. Input from nodes in no group is input as well: without it "
            "every grouping looks complete.",
        ),
        Mistake(
            name="all nodes alike",
            wrong=lambda *inputs: _grouped(*inputs, weigh="none"),
            sentence="You let every node of a group speak with one voice. A node that hardly counts for the answer should hardly "
            "count here: weigh each TARGET with `counts`.",
        ),
        Mistake(
            name="sources weighed",
            wrong=lambda *inputs: _grouped(*inputs, weigh="source"),
            sentence="You weigh the sources with `counts`. What a source gives is in its share already; what has to be weighed is "
            "the target whose input it is.",
        ),
        Mistake(
            name="mean over sources",
            wrong=lambda *inputs: _grouped(*inputs, mean=True),
            sentence="You take the mean over a group's sources. A group of five gives what its five nodes give together.",
        ),
        Mistake(
            name="transposed",
            wrong=lambda *inputs: _grouped(*inputs).mT,
            sentence="Rows and columns are exchanged: rows are the groups that get, columns those that give.",
        ),
        Mistake(
            name="not shares yet",
            wrong=lambda shares, counts, member: (
                (((member * counts) @ shares) * (1 - member)) @ member.mT
            ),
            sentence="These are amounts. Divide each row by all that its group gets from outside.",
        ),
    ),
    hints=(
        "First what each single node gives to each group: [group node]. Each target counts `counts` times.",
        "Which entries of that matrix are from inside? `member` has them as ones.",
        "Divide each row by its sum over ALL nodes, then add up the columns that are one group. A row without any "
        "input stays 0.",
    ),
)
