"""What of a fact is common to languages? Concept, relation and language as parts of one activation.

The capital of France in Spanish: a concept (France), a relation (capital), a language. If the stream at the
place of the answer were a sum of a part for each,

    x(c, r, l)  =  common + concept[c] + relation[r] + language[l] + what only two or three of them give together

each could be exchanged and the others kept (Lindsey et al. 2025 do so with features of Claude 3.5 Haiku). How
much of the variance each part has is an analysis of variance; whether the model reads it so is asked by swapping
it.
"""

from itertools import combinations
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from mi_tutor.lab.ground.plain import PlainTransformer
from mi_tutor.lab.swaps.making import answers_after

FACTORS = ("concept", "relation", "language")
Cells = Float[Tensor, "concept relation language d_model"]


def cell_means(
    activations: Float[Tensor, "prompt d_model"], factors: Int[Tensor, "prompt 3"]
) -> Cells:
    """The mean activation of each (concept, relation, language); ValueError if one of them does not occur.

    >>> both = torch.tensor([[0, 0, 0], [0, 0, 1], [0, 0, 1]])
    >>> cell_means(torch.tensor([[1.0], [2.0], [4.0]]), both).flatten()
    tensor([1., 3.])
    """
    sizes = (factors.max(dim=0).values + 1).tolist()
    _, n_relations, n_languages = sizes
    flat = (factors[:, 0] * n_relations + factors[:, 1]) * n_languages + factors[:, 2]
    n_cells = sizes[0] * n_relations * n_languages
    counts = torch.bincount(flat, minlength=n_cells)
    if (counts == 0).any():
        raise ValueError(f"{int((counts == 0).sum())} of {n_cells} cells have no activation.")
    sums = activations.new_zeros(n_cells, activations.shape[1]).index_add_(0, flat, activations)
    return (sums / counts[:, None]).view(*sizes, -1)


def parts(cells: Cells) -> dict[tuple[str, ...], Cells]:
    """The cells as a sum: each factor's part, each pair's, and that of all three, by the factors' names.

    part(S) = mean over the factors outside of S, minus the parts of all that is smaller. The key () has the common
    mean. All parts together are the cells; any two are orthogonal over the table.
    """
    found: dict[tuple[str, ...], Cells] = {}
    for size in range(len(FACTORS) + 1):
        for some in combinations(FACTORS, size):
            outside = [axis for axis, name in enumerate(FACTORS) if name not in some]
            mean = cells.mean(dim=outside, keepdim=True) if outside else cells
            smaller = [part for names, part in found.items() if set(names) < set(some)]
            found[some] = mean - sum(smaller) if smaller else mean
    return {names: part.expand_as(cells) for names, part in found.items()}


def variance_shares(cells: Cells) -> dict[tuple[str, ...], float]:
    """The share of the cells' variance around their common mean that each part has; they add up to one.

    >>> cells = torch.tensor([0.0, 1.0])[:, None, None, None] + torch.tensor([0.0, 2.0])[None, None, :, None]
    >>> {" ".join(names): share for names, share in variance_shares(cells).items() if share}
    {'concept': 0.2..., 'language': 0.8...}
    """
    taken_apart = parts(cells)
    common = taken_apart.pop(())
    total = (cells - common).square().sum()
    return {names: (part.square().sum() / total).item() for names, part in taken_apart.items()}


def common_share(tables: Float[Tensor, "language concept d_model"]) -> Float[Tensor, ""]:
    """How much of what tells the concepts apart is the same in all languages: a share of variance, from 0 to 1.

        d[l, c] = mean[l, c] - mean over concepts        what tells c from the others, in language l
        share   = n_languages * sum |mean over l of d[l, c]|^2  /  sum |d[l, c]|^2

    Tables that have nothing to do with each other give about one over the number of languages (`shuffled_share`).

    >>> one = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    >>> common_share(torch.stack([one, one + 5])), common_share(torch.stack([one, one.flip(0)]))
    (tensor(1.), tensor(0.))
    """
    own = tables - tables.mean(dim=1, keepdim=True)
    return len(tables) * own.mean(dim=0).square().sum() / own.square().sum()


def shuffled_share(
    tables: Float[Tensor, "language concept d_model"], generator: torch.Generator
) -> Float[Tensor, ""]:
    """The same when concepts are paired at random: the floor of `common_share` for these tables."""
    n = tables.shape[1]
    orders = [torch.randperm(n, generator=generator).to(tables.device) for _ in tables[1:]]
    shuffled = [table[order] for table, order in zip(tables[1:], orders, strict=True)]
    return common_share(torch.stack([tables[0], *shuffled]))


class FactorSwap(NamedTuple):
    """What one factor's swap did.

    Attributes:
        swapped: the share of answers that became the wanted one: the factor exchanged, the others as they were.
        unchanged: the share that stayed what it would have been.
        guesses: the answers.
    """

    swapped: Float[Tensor, ""]
    unchanged: Float[Tensor, ""]
    guesses: Int[Tensor, "prompt"]


def swap_steps(
    cells: Cells,
    factors: Int[Tensor, "prompt 3"],
    targets: Int[Tensor, "prompt"],
    factor: str,
    given: tuple[str, ...] = (),
) -> Float[Tensor, "prompt d_model"]:
    """The step from each prompt's own level of a factor to a target: a difference of two means.

    given: factors whose level is held at the prompt's own; the mean is taken over all levels of the others. With
        ("relation",) the step is of this relation alone, with () it is one for all.
    """
    if factor in given:
        raise ValueError(f"{factor!r} is what is swapped, so it cannot be held.")
    axis = FACTORS.index(factor)
    others = [FACTORS.index(name) for name in FACTORS if name != factor and name not in given]
    table = cells.mean(dim=others, keepdim=True) if others else cells
    table = table.expand_as(cells)
    goal = factors.clone()
    goal[:, axis] = targets
    return table[tuple(goal.T)] - table[tuple(factors.T)]


def language_steps(
    cells: Cells, factors: Int[Tensor, "prompt 3"], targets: Int[Tensor, "prompt"]
) -> Float[Tensor, "prompt d_model"]:
    """The step from each prompt's language to a target, as it is in the prompt's relation, over all concepts.

    >>> cells = torch.tensor([[[[0.0], [1.0]], [[0.0], [5.0]]]])  # one concept, two relations, two languages
    >>> language_steps(cells, torch.tensor([[0, 1, 0]]), torch.tensor([1]))
    tensor([[5.]])
    """
    return swap_steps(cells, factors, targets, "language", given=("relation",))


def borrowed_steps(
    cells: Cells, factors: Int[Tensor, "prompt 3"], targets: Int[Tensor, "prompt"], source: int
) -> Float[Tensor, "prompt d_model"]:
    """The step from each prompt's concept to a target within its relation, as one language (`source`) has it.

    Put into a prompt of another language, it says whether the two have the concept in common.

    >>> cells = torch.tensor([[[[0.0], [7.0]]], [[[3.0], [9.0]]]])  # two concepts, one relation, two languages
    >>> borrowed_steps(cells, torch.tensor([[0, 0, 1]]), torch.tensor([1]), source=0)
    tensor([[3.]])
    """
    there = factors.clone()
    there[:, FACTORS.index("language")] = source
    return swap_steps(cells, there, targets, "concept", given=("relation", "language"))


def parts_right(
    guesses: Int[Tensor, "prompt"],
    answers: Int[Tensor, "concept relation language"],
    wanted: Int[Tensor, "prompt 3"],
) -> Bool[Tensor, "prompt 3"]:
    """Of each guess: is it an answer about the wanted concept, to the wanted relation, in the wanted language?

    A word can be the answer of several cells (two countries speak Dutch); a part is right if one of them has it.

    >>> answers = torch.tensor([[[10, 11]], [[20, 21]]])  # two concepts, one relation, two languages
    >>> parts_right(torch.tensor([21, 99]), answers, torch.tensor([[0, 0, 1], [0, 0, 1]]))
    tensor([[False,  True,  True],
            [False, False, False]])
    """
    is_it = answers == guesses[:, None, None, None]  # [prompt concept relation language]
    found = []
    for axis in range(len(FACTORS)):
        others = [1 + each for each in range(len(FACTORS)) if each != axis]
        has = is_it.sum(dim=others) > 0  # [prompt level]
        found.append(has.gather(1, wanted[:, axis : axis + 1]))
    return torch.cat(found, dim=1)


@torch.no_grad()
def swap_factor(
    plain: PlainTransformer,
    tokens: Int[Tensor, "prompt pos"],
    layer: int,
    steps: Float[Tensor, "prompt d_model"],
    wanted: Int[Tensor, "prompt"],
    position: int = -1,
) -> FactorSwap:
    """Add a step to the stream before a layer at one position of each prompt, and compare the answers."""
    stream = plain.resid_pre(layer, tokens)
    places = torch.full((len(tokens),), range(tokens.shape[1])[position], device=tokens.device)
    before = answers_after(plain, stream, layer, places, torch.zeros_like(steps))
    after = answers_after(plain, stream, layer, places, steps)
    return FactorSwap((after == wanted).float().mean(), (after == before).float().mean(), after)
