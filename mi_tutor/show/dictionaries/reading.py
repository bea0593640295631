"""What the dashboard shows of one latent, collected: contexts, effects, how often, and which concept."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from mi_tutor.lab.dictionaries import ConceptMatches, Context, LatentCard, top_contexts
from mi_tutor.show.drawing.words import listing, number


class Shown(NamedTuple):
    """One latent, ready to be drawn. The token under a context's `here` is the one it stands for.

    Attributes:
        card: from `read_a_latent`.
        usual: contexts around the median of where it is on.
        carried: for each context, the top ones first, which of its tokens carry `concept`; empty without labels.
        values: all activations above 0.
        densities: of all latents.
        concept: the one that is underlined, or "".
        name: a token's text.
    """

    card: LatentCard
    usual: list[Context]
    carried: list[list[bool]]
    values: Float[Tensor, "entry"]
    densities: Float[Tensor, "latent"]
    concept: str
    name: Callable[[int], str]


def usual_contexts(
    activations: Float[Tensor, "row pos"], tokens: Int[Tensor, "row pos"], n: int
) -> list[Context]:
    """Contexts of tokens on which a latent is about as high as its median where it is on.

    Its strongest contexts alone often tell too simple a story (Bricken et al. 2023 look at every level).

    >>> one = torch.tensor([[1.0, 0.0, 2.0, 9.0]])
    >>> [found] = usual_contexts(one, torch.tensor([[5, 6, 7, 8]]), n=1)
    >>> found.activation, found.activations
    (2.0, [1.0, 0.0, 2.0, 9.0])
    """
    on = activations[activations > 0]
    if not len(on):
        return []
    below = torch.where(activations <= on.median(), activations, 0.0)
    return [
        found._replace(activations=activations[found.row, window(found)].tolist())
        for found in top_contexts(below, tokens, n)
    ]


def window(context: Context) -> slice:
    """The positions that a context shows."""
    start = context.position - context.here
    return slice(start, start + len(context.tokens))


def carried_by(contexts: Sequence[Context], there: Bool[Tensor, "row pos"]) -> list[list[bool]]:
    """Which tokens of each context carry a concept."""
    return [there[context.row, window(context)].tolist() for context in contexts]


def concepts_of(latent: int, matches: ConceptMatches) -> list[int]:
    """The concepts that chose this latent, the best F1 first; without those that never occurred."""
    mine = ((matches.unit == latent) & (matches.n_there > 0)).nonzero()[:, 0]
    return mine[matches.f1[mine].argsort(descending=True, stable=True)].tolist()


def find_concept(query: str, concepts: Sequence[str], f1: Float[Tensor, "concept"]) -> list[int]:
    """The concepts that a search means, the best F1 first: the whole name, else its value, else a part of it.

    >>> find_concept("Texas", ["state=Texas", "city", "planned=texas-hold"], torch.tensor([0.9, 0.5, 0.1]))
    [0]
    """
    wanted = query.strip().casefold()
    names = [concept.casefold() for concept in concepts]
    ways = (
        [i for i, name in enumerate(names) if name == wanted],
        [i for i, name in enumerate(names) if name.rpartition("=")[2] == wanted],
        [i for i, name in enumerate(names) if wanted and wanted in name],
    )
    found = next((way for way in ways if way), [])
    return sorted(found, key=lambda i: -float(f1[i]))


def match_words(found: Sequence[int], matches: ConceptMatches, concepts: Sequence[str]) -> str:
    """Which concepts chose a latent (`concepts_of`), with the marks of the first of them."""
    i = found[0]
    f1, precision, recall = (
        number(float(getattr(matches, name)[i]), 2) for name in ("f1", "precision", "recall")
    )
    text = (
        f"Of all latents it fits {concepts[i]} best: F1 {f1}, precision {precision}, recall {recall} on the texts "
        f"for marking, where it counts as on above {number(float(matches.threshold[i]), 2)}."
    )
    if len(found) > 1:
        text += f" Also chosen for {listing([concepts[i] for i in found[1:]], limit=3)}."
    return text


def context_words(context: Context, name: Callable[[int], str], around: int = 6) -> str:
    """A context as text, its token in brackets with the activation."""
    start = max(0, context.here - around)
    parts = [name(token) for token in context.tokens[start : context.here + around + 1]]
    at = context.here - start
    parts[at] = f" [{parts[at].strip()} {number(context.activation, 2)}]"
    return "".join(parts).strip()
