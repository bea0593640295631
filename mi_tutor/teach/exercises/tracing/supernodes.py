"""Chapter 06: `supernodes` and `swap-a-supernode`."""

from __future__ import annotations

import torch
from torch import Tensor

from mi_tutor.lab.tracing import group_inputs, shares, supernode_step
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Property, Style, Tolerance
from mi_tutor.teach.exercises.making import normal, uniform

# --- supernodes -----------------------------------------------------------------------------------


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

# --- swap-a-supernode -----------------------------------------------------------------------------


def _swap_cases(g: torch.Generator) -> list[Case]:
    settings = [
        ("no latent in both", 12, 3, 6, [0, 4], [2, 7, 8], 1.5),
        ("two latents in both", 10, 2, 5, [1, 3, 5], [3, 5, 6], 1.5),
        ("written to one layer only", 9, 1, 4, [0, 1], [2], 2.0),
        ("one latent off, none on", 7, 3, 4, [2], [], 1.5),
        ("none off, two on", 7, 2, 4, [], [1, 6], 0.5),
        ("factor 0", 8, 4, 3, [0, 1, 2], [2, 3], 0.0),
    ]
    cases = []
    for label, m, n_to, d, off, on, factor in settings:
        values, donor = (uniform(g, m, high=4.0) * (uniform(g, m) < 0.7) for _ in range(2))
        values[off[:1]] += 1
        values[on[-1:]] += 0.7  # on already in this prompt
        donor[on] += 0.5
        inputs = {
            "values": values,
            "donor": donor,
            "off": torch.tensor(off, dtype=torch.long),
            "on": torch.tensor(on, dtype=torch.long),
            "factor": factor,
            "W_dec": normal(g, m, n_to, d),
        }
        cases.append(Case(label=label, inputs=inputs))
    return cases


def _decoded(change, W_dec):
    return torch.einsum("l, l t d -> t d", change, W_dec)


def _swapped(values, donor, off, on, factor, W_dec, edit):
    new = values.clone()
    edit(new)
    return _decoded(new - values, W_dec)


def _put(index, value):
    def edit(new):
        new[index] = value

    return edit


def _off_last(values, donor, off, on, factor, W_dec):
    new = values.clone()
    new[on] = factor * donor[on]
    new[off] = 0
    return _decoded(new - values, W_dec)


def _added(values, donor, off, on, factor, W_dec):
    new = values.clone()
    new[off] = 0
    new[on] += factor * donor[on]
    return _decoded(new - values, W_dec)


def _one_by_one(values, donor, off, on, factor, W_dec):
    total = torch.zeros(W_dec.shape[1:])
    for i in range(len(values)):
        wanted = float(values[i])
        if i in off.tolist():
            wanted = 0.0
        if i in on.tolist():
            wanted = factor * float(donor[i])
        total = total + (wanted - float(values[i])) * W_dec[i]
    return total


def _with_masks(values, donor, off, on, factor, W_dec):
    comes = torch.zeros(len(values), dtype=torch.bool)
    goes = comes.clone()
    comes[on], goes[off] = True, True
    new = torch.where(comes, factor * donor, torch.where(goes, 0.0, values))
    return torch.tensordot(new - values, W_dec, dims=1)


def _first_layer(*inputs):
    step = supernode_step(*inputs)
    step[1:] = 0
    return step


def _factor_on_all(values, donor, off, on, factor, W_dec):
    return factor * supernode_step(values, donor, off, on, 1.0, W_dec)


SWAP_A_SUPERNODE = Exercise(
    slug="swap-a-supernode",
    title="Swap a supernode",
    chapter="06",
    points=2,
    minutes=15,
    difficulty=3,
    objective="Exchange one group of latents for another, read from a second prompt, wherever they write.",
    cases=_swap_cases,
    reference=supernode_step,
    tolerance=Tolerance(rtol=1e-4, atol=1e-5),
    styles=(
        Style(name="one latent after the other", right=_one_by_one),
        Style(name="masks and tensordot", right=_with_masks),
        Style(
            name="two decoded vectors",
            right=lambda values, donor, off, on, factor, W_dec: (
                _decoded(
                    values.index_fill(0, off, 0.0).index_copy(0, on, factor * donor[on]), W_dec
                )
                - _decoded(values, W_dec)
            ),
        ),
    ),
    mistakes=(
        Mistake(
            name="off at last",
            wrong=_off_last,
            sentence="A latent that belongs to both supernodes ends up off. The state that comes in needs it: switch off first, "
            "then on.",
        ),
        Mistake(
            name="added on top",
            wrong=_added,
            sentence="You add the donor's value to what a latent already has. Its new value IS `factor` times the donor's: some "
            "of these latents were on in this prompt.",
        ),
        Mistake(
            name="the own one stays",
            wrong=lambda values, donor, off, on, factor, W_dec: _swapped(
                values, donor, off, on, factor, W_dec, _put(on, factor * donor[on])
            ),
            sentence="The prompt's own supernode stays on beside the new one: two states at once. Latents of `off` get the value 0.",
        ),
        Mistake(
            name="only switched off",
            wrong=lambda values, donor, off, on, factor, W_dec: _swapped(
                values, donor, off, on, factor, W_dec, _put(off, 0.0)
            ),
            sentence="You switch off and put nothing in. Latents of `on` get `factor` times what they have in the donor.",
        ),
        Mistake(
            name="first layer only",
            wrong=_first_layer,
            sentence="Only the first layer's output changes. A cross-layer transcoder's latent writes to later ones too: without "
            "them the old state goes on being written.",
        ),
        Mistake(
            name="factor on everything",
            wrong=_factor_on_all,
            sentence="You multiply the whole step with the factor, so that what goes off is taken away `factor` times. Only the "
            "donor's values are scaled.",
        ),
        Mistake(
            name="without the factor",
            wrong=lambda values, donor, off, on, factor, W_dec: supernode_step(
                values, donor, off, on, 1.0, W_dec
            ),
            sentence="The factor is missing: latents of `on` get `factor` times the donor's value.",
        ),
        Mistake(
            name="all that is written",
            wrong=lambda values, donor, off, on, factor, W_dec: (
                supernode_step(values, donor, off, on, factor, W_dec) + _decoded(values, W_dec)
            ),
            sentence="You return everything that the latents write afterwards. Asked is what is ADDED to the MLPs' outputs: the "
            "difference of what they write after and before.",
        ),
        Mistake(
            name="the wrong way round",
            wrong=lambda *inputs: -supernode_step(*inputs),
            sentence="The sign is turned round: it is the new values less the old ones.",
        ),
    ),
    hints=(
        "Make the new values of all latents first: a copy of `values` in which two assignments are made. In which order?",
        "What is added is decoded from the CHANGE of the values: latents that keep theirs add nothing.",
        "One product of [latent] and [latent to d_model], summed over latents, gives all layers at once.",
    ),
)
