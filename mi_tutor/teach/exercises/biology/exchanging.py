"""Chapter 08, languages: `swap-the-language` and `borrowed-step`."""

from __future__ import annotations

import torch

from mi_tutor.lab.biology import borrowed_steps, language_steps
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style, Tolerance
from mi_tutor.teach.exercises.making import and_near_zero, normal

# --- swap-the-language, borrowed-step -------------------------------------------------------------

SETTINGS = (
    ("one entry, two languages", (4, 3, 2), 1, torch.float32),
    ("three languages", (5, 3, 3), 6, torch.float32),
    ("as many concepts as relations as languages", (4, 4, 4), 9, torch.float32),
    ("twelve languages, eleven relations", (13, 11, 12), 12, torch.float32),
    ("one relation", (5, 1, 3), 4, torch.float32),
    ("float64", (4, 3, 3), 5, torch.float64),
)


def _other(own: torch.Tensor, n: int, g: torch.Generator) -> torch.Tensor:
    """For each a level that is not its own."""
    return (own + torch.randint(1, n, own.shape, generator=g)) % n


def _tables(g: torch.Generator, axis: int) -> list[dict]:
    made = []
    for label, sizes, n, dtype in SETTINGS:
        d_model = 12 if n > 10 else 4
        cells = 3 + normal(g, *sizes, d_model, dtype=dtype)
        for kept in range(3):  # each factor has a part of its own
            shape = [size if i == kept else 1 for i, size in enumerate(sizes)]
            cells = cells + 2 * normal(g, *shape, d_model, dtype=dtype)
        factors = torch.stack([torch.randint(size, (n,), generator=g) for size in sizes], dim=1)
        inputs = {
            "cells": cells,
            "factors": factors,
            "targets": _other(factors[:, axis], sizes[axis], g),
        }
        made.append({"label": label, "inputs": inputs})
    return made


def _language_cases(g: torch.Generator) -> list[Case]:
    return [Case(**each) for each in _tables(g, axis=2)]


def _borrowed_cases(g: torch.Generator) -> list[Case]:
    cases = []
    for number, each in enumerate(_tables(g, axis=0)):
        n_languages = each["inputs"]["cells"].shape[2]
        source = (0, n_languages - 1, 1, n_languages - 1)[number % 4]
        cases.append(Case(label=each["label"], inputs=each["inputs"] | {"source": source}))
    own = _tables(g, axis=0)[1]["inputs"]
    own["factors"][:, 2] = 1
    label = "entries of the source itself"
    return [*cases, Case(label=label, inputs=own | {"source": 1})]


def _language_by_loops(cells, factors, targets):
    steps = []
    for (_, relation, own), target in zip(factors.tolist(), targets.tolist(), strict=True):
        here = cells[:, relation]
        steps.append(here[:, target].mean(dim=0) - here[:, own].mean(dim=0))
    return torch.stack(steps)


def _language_by_one_hot(cells, factors, targets):
    n_relations, n_languages = cells.shape[1:3]
    relation = torch.nn.functional.one_hot(factors[:, 1], n_relations).to(cells)
    change = torch.nn.functional.one_hot(targets, n_languages) - torch.nn.functional.one_hot(
        factors[:, 2], n_languages
    )
    return torch.einsum("pr,pl,crld->pd", relation, change.to(cells), cells) / len(cells)


SWAP_THE_LANGUAGE = Exercise(
    slug="swap-the-language",
    title="Another language",
    chapter="08",
    points=3,
    minutes=15,
    difficulty=3,
    objective="Make a step that exchanges one part of an activation, and can carry no other part with it.",
    cases=and_near_zero(_language_cases, "cells"),
    reference=language_steps,
    tolerance=Tolerance(rtol=1e-4, atol=1e-4),
    styles=(
        Style(name="loops", right=_language_by_loops),
        Style(name="one-hot codes in an einsum", right=_language_by_one_hot),
        Style(
            name="a table over all concepts, indexed twice",
            right=lambda cells, factors, targets: (
                cells.mean(0)[factors[:, 1], targets] - cells.mean(0)[factors[:, 1], factors[:, 2]]
            ),
        ),
    ),
    mistakes=(
        Mistake(
            name="the entry's own concept",
            wrong=lambda cells, factors, targets: (
                cells[factors[:, 0], factors[:, 1], targets] - cells[tuple(factors.T)]
            ),
            sentence="You take the difference between two cells of the entry's own concept. It has in it what THIS country is in the "
            "target's language, so that the answer may simply be carried along. No one concept may have a say in the step.",
        ),
        Mistake(
            name="over all relations",
            wrong=lambda cells, factors, targets: (
                cells.mean(dim=(0, 1))[targets] - cells.mean(dim=(0, 1))[factors[:, 2]]
            ),
            sentence="Yours is one step for all relations. Asked is the language's step within the entry's own relation.",
        ),
        Mistake(
            name="the other way round",
            wrong=lambda cells, factors, targets: -language_steps(cells, factors, targets),
            sentence="Your step goes from the target to the entry's own language.",
        ),
        Mistake(
            name="the target's mean",
            wrong=lambda cells, factors, targets: cells.mean(0)[factors[:, 1], targets],
            sentence="You add the target's mean on top. The entry's own language is still there then: a step takes the old one out, too.",
        ),
        Mistake(
            name="from the mean of all languages",
            wrong=lambda cells, factors, targets: (
                cells.mean(0)[factors[:, 1], targets] - cells.mean(dim=(0, 2))[factors[:, 1]]
            ),
            sentence="Your step begins at the mean of all languages and not at the entry's own, so two languages are left in the sum.",
        ),
        Mistake(
            name="a sum over concepts",
            wrong=lambda cells, factors, targets: (
                language_steps(cells, factors, targets) * len(cells)
            ),
            sentence="Your step is as many times too long as there are concepts: you add over them where their mean is meant.",
        ),
        Mistake(
            name="concept and relation exchanged",
            wrong=lambda cells, factors, targets: (
                cells.mean(1)[factors[:, 0], targets] - cells.mean(1)[factors[:, 0], factors[:, 2]]
            ),
            sentence="You hold the concept and average over relations. The other way: hold the relation, average over concepts.",
        ),
    ),
    hints=(
        "Which of the three factors may differ between the two means? Which is to be the same in both? Over which do you average?",
        "Averaged over concepts, `cells` is a table [relation language d_model]. Two of its rows for each entry.",
        "A table is indexed with two tensors at once: `table[relations, languages]` is [prompt d_model].",
    ),
)


def _borrowed_by_loops(cells, factors, targets, source):
    steps = []
    for (own, relation, _), target in zip(factors.tolist(), targets.tolist(), strict=True):
        steps.append(cells[target, relation, source] - cells[own, relation, source])
    return torch.stack(steps)


def _borrowed_from_parts(cells, factors, targets, source):
    """By the table of one language, its columns flattened."""
    flat = cells[:, :, source].flatten(0, 1)
    n_relations = cells.shape[1]
    rows = [c * n_relations + factors[:, 1] for c in (targets, factors[:, 0])]
    return flat.index_select(0, rows[0]) - flat.index_select(0, rows[1])


BORROWED_STEP = Exercise(
    slug="borrowed-step",
    title="A country by what another language says of it",
    chapter="08",
    points=3,
    minutes=15,
    difficulty=4,
    objective="Test whether two languages have a concept in common: exchange it in one by a step made in the other.",
    cases=and_near_zero(_borrowed_cases, "cells"),
    reference=borrowed_steps,
    tolerance=Tolerance(rtol=1e-4, atol=1e-4),
    styles=(
        Style(name="loops", right=_borrowed_by_loops),
        Style(name="rows of a flat table", right=_borrowed_from_parts),
    ),
    mistakes=(
        Mistake(
            name="in the entry's own language",
            wrong=lambda cells, factors, targets, source: (
                cells[targets, factors[:, 1], factors[:, 2]] - cells[tuple(factors.T)]
            ),
            sentence="You make the step in the entry's own language. It would work in a model whose languages have nothing in common, so "
            "it cannot tell whether they have.",
        ),
        Mistake(
            name="from the entry's own cell",
            wrong=lambda cells, factors, targets, source: (
                cells[targets, factors[:, 1], source] - cells[tuple(factors.T)]
            ),
            sentence="Your step ends in the source's language and begins in the entry's, so it carries the language along. Both ends are "
            "the source's.",
        ),
        Mistake(
            name="over all languages",
            wrong=lambda cells, factors, targets, source: (
                cells.mean(2)[targets, factors[:, 1]] - cells.mean(2)[factors[:, 0], factors[:, 1]]
            ),
            sentence="You average over all languages, the entry's own among them. One other language alone has to be enough.",
        ),
        Mistake(
            name="over all relations",
            wrong=lambda cells, factors, targets, source: (
                cells[targets, :, source].mean(1) - cells[factors[:, 0], :, source].mean(1)
            ),
            sentence="Yours is one step for all relations. Asked is the one within the entry's own relation.",
        ),
        Mistake(
            name="the other way round",
            wrong=lambda cells, factors, targets, source: (
                -borrowed_steps(cells, factors, targets, source)
            ),
            sentence="Your step goes from the target to the entry's own concept.",
        ),
        Mistake(
            name="the target's cell",
            wrong=lambda cells, factors, targets, source: cells[targets, factors[:, 1], source],
            sentence="You add the target's whole mean on top. The own concept is still there then, and the source's language comes too.",
        ),
        Mistake(
            name="always the first language",
            wrong=lambda cells, factors, targets, source: borrowed_steps(
                cells, factors, targets, 0
            ),
            sentence="You take the first language, whichever `source` is.",
        ),
    ),
    hints=(
        "If the two languages had nothing in common, which step should do nothing? That is the one to make.",
        "Everything in the step is the source's. The entry's own language does not come into it at all.",
        "`cells[:, :, source]` is a table [concept relation d_model]. Two of its rows for each entry.",
    ),
)
