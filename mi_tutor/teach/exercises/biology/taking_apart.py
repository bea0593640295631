"""Chapter 08, tables of means taken apart: `ingredients` (planning) and `common-share` (languages)."""

from __future__ import annotations

import torch

from mi_tutor.lab.biology import common_share, ingredients
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Property, Style, Tolerance
from mi_tutor.teach.exercises.making import normal

# --- ingredients ----------------------------------------------------------------------------------


def _table_cases(g: torch.Generator) -> list[Case]:
    settings = [
        ("two by three", 2, 3, 4, torch.float32, False),
        ("as many topics as rhymes, in no order", 4, 4, 5, torch.float32, True),
        ("twelve by eleven, in no order", 12, 11, 12, torch.float32, True),
        ("one topic only", 1, 5, 3, torch.float32, False),
        ("float64", 3, 2, 4, torch.float64, True),
    ]
    cases = []
    for label, n_first, n_second, d, dtype, mixed in settings:
        pairs = torch.cartesian_prod(torch.arange(n_first), torch.arange(n_second))
        if mixed:
            pairs = pairs[torch.randperm(len(pairs), generator=g)]
        means = 5 + normal(g, len(pairs), d, dtype=dtype)
        means = means + 2 * normal(g, n_first, d, dtype=dtype)[pairs[:, 0]]
        means = means + 3 * normal(g, n_second, d, dtype=dtype)[pairs[:, 1]]
        inputs = {
            "means": means,
            "first": pairs[:, 0].contiguous(),
            "second": pairs[:, 1].contiguous(),
        }
        cases.append(Case(label=label, inputs=inputs))
    return cases


def _three(found) -> tuple[torch.Tensor, ...]:
    return tuple(found[1:])


def _reference(means, first, second):
    """`ingredients` without the common mean."""
    return _three(ingredients(means, first, second))


def _level_means(x, levels):
    """The mean of each level, at each plan of this level."""
    same = (levels[:, None] == levels).to(x)
    return same @ x / same.sum(dim=1, keepdim=True)


def _by_masks(means, first, second):
    rest = means - means.mean(dim=0)
    one, other = _level_means(rest, first), _level_means(rest, second)
    return one, other, rest - one - other


def _by_loops(means, first, second):
    common = means.mean(dim=0)
    one, other = torch.empty_like(means), torch.empty_like(means)
    for i in range(len(means)):
        one[i] = means[first == first[i]].mean(dim=0) - common
        other[i] = means[second == second[i]].mean(dim=0) - common
    return one, other, means - common - one - other


def _by_regression(means, first, second):
    """The same as a least-squares fit on one-hot codes of the two."""
    rest = (means - means.mean(dim=0)).double()
    codes = [torch.nn.functional.one_hot(each).double() for each in (first, second)]
    one, other = (code @ torch.linalg.pinv(code) @ rest for code in codes)
    return tuple(each.to(means) for each in (one, other, rest - one - other))


def _not_centred(means, first, second):
    one, other = _level_means(means, first), _level_means(means, second)
    return one, other, means - one - other


def _own_with_common(means, first, second):
    one, other, own = _by_masks(means, first, second)
    return one, other, own + means.mean(dim=0)


def _second_after_first_only(means, first, second):
    one, other, own = _by_masks(means, first, second)
    return one, other + own, torch.zeros_like(own)


def _own_without_second(means, first, second):
    one, other, own = _by_masks(means, first, second)
    return one, other, own + other


def _exchanged(means, first, second):
    one, other, own = _by_masks(means, first, second)
    return other, one, own


def _sums(means, first, second):
    rest = means - means.mean(dim=0)
    one, other = ((e[:, None] == e).to(rest) @ rest for e in (first, second))
    return one, other, rest - one - other


def _in_order(means, first, second):
    """Takes the plans to stand in a grid already."""
    n_first, n_second = int(first.max()) + 1, int(second.max()) + 1
    table = (means - means.mean(dim=0)).view(n_first, n_second, -1)
    one = table.mean(dim=1, keepdim=True).expand_as(table).flatten(0, 1)
    other = table.mean(dim=0, keepdim=True).expand_as(table).flatten(0, 1)
    return one, other, table.flatten(0, 1) - one - other


def _adds_up(value, means, first, second) -> bool:
    total = sum(part.double() for part in value) + means.double().mean(dim=0)
    return torch.allclose(total, means.double(), rtol=1e-4, atol=1e-3)


INGREDIENTS = Exercise(
    slug="ingredients",
    title="A plan and its ingredients",
    chapter="08",
    points=3,
    minutes=18,
    difficulty=3,
    objective="Tell a plan from its ingredients standing side by side: what of the means is topic, what rhyme, what the word's own?",
    cases=_table_cases,
    reference=_reference,
    tolerance=Tolerance(rtol=1e-4, atol=1e-4),
    properties=(
        Property(
            name="adds up",
            holds=_adds_up,
            sentence="Your three parts and the common mean do not add up to the means.",
        ),
    ),
    styles=(
        Style(name="matrices of who shares a level", right=_by_masks),
        Style(name="loops", right=_by_loops),
        Style(name="least squares on one-hot codes", right=_by_regression),
    ),
    mistakes=(
        Mistake(
            name="not centred",
            wrong=_not_centred,
            sentence="Topic's and rhyme's part each have the common mean in them, so it is taken away twice from the rest. First subtract it "
            "from all means.",
        ),
        Mistake(
            name="common mean left in the own part",
            wrong=_own_with_common,
            sentence="What you call the word's own has the common mean in it: it is the same for all words, so no word's own.",
        ),
        Mistake(
            name="nothing left as own",
            wrong=_second_after_first_only,
            sentence="You give the second part all that the first left over, so nothing can be the word's own. The second part is the mean "
            "over the plans that share it.",
        ),
        Mistake(
            name="second part left in the own one",
            wrong=_own_without_second,
            sentence="The second part is still in what you call the word's own. Both have to be taken away.",
        ),
        Mistake(
            name="parts exchanged",
            wrong=_exchanged,
            sentence="The first two parts are exchanged: the first is that of `first`, the same for all plans that share it.",
        ),
        Mistake(
            name="sums for means",
            wrong=_sums,
            sentence="You add up over the plans that share a level. A part is their mean.",
        ),
        Mistake(
            name="in the order of a grid",
            wrong=_in_order,
            sentence="Right if the plans stand in the order of a grid. They may stand in any: go by `first` and `second`.",
        ),
    ),
    hints=(
        "What is the same for all plans is nobody's part. Take the common mean away first.",
        "A topic's part: the mean of what is left over all plans of this topic. Each plan of the topic gets the same vector.",
        "`first[:, None] == first` says for every two plans whether they share a topic: as a matrix of numbers it can add.",
    ),
)

# --- common-share ---------------------------------------------------------------------------------


def _share_cases(g: torch.Generator) -> list[Case]:
    settings = [
        ("three languages", 3, 5, 6, torch.float32),
        ("two languages", 2, 4, 3, torch.float32),
        ("twelve languages, eleven concepts", 12, 11, 4, torch.float32),
        ("as many languages as concepts", 4, 4, 4, torch.float32),
        ("float64", 3, 6, 5, torch.float64),
    ]
    cases = []
    for label, n_languages, n, d, dtype in settings:
        shared = 2 * normal(g, n, d, dtype=dtype)
        tables = shared + normal(g, n_languages, n, d, dtype=dtype)
        tables = tables + 4 * normal(g, n_languages, 1, d, dtype=dtype) + 3
        cases.append(Case(label=label, inputs={"tables": tables}))
    same = normal(g, 6, 4).expand(3, 6, 4) + normal(g, 3, 1, 4)
    return [*cases, Case(label="the same concepts in all languages", inputs={"tables": same})]


def _share_by_loops(tables):
    own = [table - table.mean(0) for table in tables]
    common = sum(own) / len(own)
    return len(own) * (common**2).sum() / sum((each**2).sum() for each in own)


def _share_by_variance(tables):
    """By the law of total variance: what is left within a concept is not common."""
    own = tables - tables.mean(dim=1, keepdim=True)
    within = (own - own.mean(dim=0)).square().sum()
    return 1 - within / own.square().sum()


def _own(tables):
    return tables - tables.mean(dim=1, keepdim=True)


def _mean_cosine(tables):
    own = _own(tables)
    one, other = own[0], own[1:].mean(dim=0)
    return torch.cosine_similarity(one, other, dim=-1).mean()


COMMON_SHARE = Exercise(
    slug="common-share",
    title="What languages share",
    chapter="08",
    points=2,
    minutes=15,
    difficulty=3,
    objective="Measure how much of what tells concepts apart is the same in all languages.",
    cases=_share_cases,
    reference=common_share,
    tolerance=Tolerance(rtol=1e-4, atol=1e-5),
    styles=(
        Style(name="loops", right=_share_by_loops),
        Style(name="by what is not common", right=_share_by_variance),
    ),
    mistakes=(
        Mistake(
            name="not centred",
            wrong=lambda tables: (
                len(tables) * tables.mean(dim=0).square().sum() / tables.square().sum()
            ),
            sentence="What all concepts have in common counts as well: it is large, the same everywhere, and tells no concept from another. "
            "Subtract each language's mean over its concepts.",
        ),
        Mistake(
            name="one mean for all languages",
            wrong=lambda tables: (
                len(tables)
                * (tables - tables.mean(dim=(0, 1))).mean(dim=0).square().sum()
                / (tables - tables.mean(dim=(0, 1))).square().sum()
            ),
            sentence="You subtract one mean of all languages together. Then what tells the languages apart counts as not common. Each "
            "language has a mean of its own.",
        ),
        Mistake(
            name="mean over languages subtracted",
            wrong=lambda tables: (
                len(tables)
                * (tables - tables.mean(dim=0)).mean(dim=0).square().sum()
                / (tables - tables.mean(dim=0)).square().sum()
            ),
            sentence="You subtract the mean over the languages, so nothing common is left. The mean over the concepts, for each language, is "
            "meant.",
        ),
        Mistake(
            name="not times the number of languages",
            wrong=lambda tables: (
                _own(tables).mean(dim=0).square().sum() / _own(tables).square().sum()
            ),
            sentence="The common part stands in every language, so above the line it counts as often as there are languages. Copies should "
            "give 1.",
        ),
        Mistake(
            name="norms for squares",
            wrong=lambda tables: (
                len(tables)
                * _own(tables).mean(dim=0).norm(dim=-1).sum()
                / _own(tables).norm(dim=-1).sum()
            ),
            sentence="A share of variance is one of SQUARED lengths: only those of parts at right angles add up.",
        ),
        Mistake(
            name="a cosine",
            wrong=_mean_cosine,
            sentence="You average cosines, in which a concept that hardly differs from the mean counts as much as one that differs a lot. "
            "Asked is a share of variance.",
        ),
    ),
    hints=(
        "First what tells concepts apart within one language: each mean minus this language's mean over all concepts.",
        "The common part of a concept is the mean of that over the languages.",
        "In every language the common part is the same, so its squares count once for each.",
    ),
)
