"""Where `atlas` has the state of a city, and what swapping it does: the last part of its card."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from mi_tutor.specimens.atlas_prompts import swap_questions
from mi_tutor.specimens.cards import Measure
from mi_tutor.world.geography import Geography, Question
from mi_tutor.world.tables import RELATIONS

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from mi_tutor.lab.plain import PlainTransformer
    from mi_tutor.lab.swaps import Questions

LAYER = 2  # swaps are made in the stream before this layer
# Places are counted from the name's last token: the piece before it, itself, and what follows; then the end.
PLACES = {"name - 1": -1, "name's end": 0, "+ 1": 1, "+ 2": 2, "+ 3": 3}


def measure_swaps(
    plain: PlainTransformer, geography: Geography, layer: int = LAYER
) -> list[Measure]:
    """Where the state is readable, and whether the answer follows when it is swapped."""

    from mi_tutor.lab.swaps import swap_all

    every = list(geography.questions())
    taught = questions_about(every, geography, "state", "english", held_out=False)
    held_out = questions_about(every, geography, "state", "english", held_out=True)
    means = state_means(plain, swap_questions(taught, geography))
    by_relation = {
        relation: [
            swap_all(plain, batch, means[layer], layer)
            for batch in swap_questions([q for q in held_out if q.relation == relation], geography)
        ]
        for relation in RELATIONS["state"]
    }
    success = {relation: together(results) for relation, results in by_relation.items()}
    batches = swap_questions(held_out, geography)
    control = together(
        [swap_all(plain, batch, means[layer], layer, random_seed=0) for batch in batches]
    )
    worst = min(success, key=success.get)
    measures = [
        Measure(
            name="swap",
            meaning=f"difference of means added at the name's end before layer {layer}: the answer becomes the "
            "target state's, all held-out questions x all targets with another answer",
            value=together([r for results in by_relation.values() for r in results]),
            tolerance=0.005,
            at_least=0.95,
        ),
        Measure(
            name="swap_worst_relation",
            meaning=f"the same for the relation where it works least ({worst})",
            value=success[worst],
            tolerance=0.01,
            at_least=0.95,
        ),
        Measure(
            name="swap_random",
            meaning="the same with random directions of the same norm",
            value=control,
            tolerance=0.005,
            at_most=0.02,
        ),
    ]
    for language in ("french", "spanish"):
        asked = swap_questions(
            questions_about(every, geography, "state", language, held_out=True), geography
        )
        results = [swap_all(plain, batch, means[layer], layer) for batch in asked]
        measures.append(
            Measure(
                name=f"swap_{language}",
                meaning=f"the same English directions in {language.title()} questions",
                value=together(results),
                tolerance=0.005,
            )
        )
    return [*measures, *where_readable(plain, means, batches), by_layer(plain, means, batches)]


def questions_about(
    questions: Iterable[Question], geography: Geography, kind: str, language: str, held_out: bool
) -> list[Question]:
    """The two-hop questions about one kind of area in one language."""
    return [
        q
        for q in questions
        if q.language == language
        and (q.held_out_by is not None) == held_out
        and geography.area_of(q.city).kind == kind
    ]


def state_means(
    plain: PlainTransformer, batches: Sequence[Questions]
) -> Float[Tensor, "layer class d_model"]:
    """The mean stream of each class at the name's end, before each layer and after the last."""
    import torch

    from mi_tutor.lab.swaps import class_means, streams

    at_name = [
        streams(plain, batch.tokens)[:, torch.arange(len(batch.tokens)), batch.places]
        for batch in batches
    ]
    classes = torch.cat([batch.classes for batch in batches])
    n_classes = batches[0].answers.shape[1]
    return torch.stack(
        [class_means(stream, classes, n_classes) for stream in torch.cat(at_name, dim=1)]
    )


def together(results: Iterable) -> float:
    """The success of several swaps together."""
    passed = asked = 0
    for result in results:
        passed += result.follows[result.asked].sum().item()
        asked += result.asked.sum().item()
    return passed / asked


def where_readable(
    plain: PlainTransformer,
    means: Float[Tensor, "layer class d_model"],
    batches: Sequence[Questions],
) -> list[Measure]:
    """How often the nearest class mean is the right one, by layer and place.

    Each place has means of its own, from half of the prompts, and is read on the other half, so that this asks
    whether the state is there, not whether it is written there in the same way.
    """
    import torch

    from mi_tutor.lab.swaps import class_means, nearest_mean, streams

    n_layers, n_classes = means.shape[:2]
    found = {place: ([], []) for place in (*PLACES, "end")}
    for batch in batches:
        stream = streams(plain, batch.tokens)
        last = batch.tokens.shape[1] - 1
        here = torch.arange(len(batch.tokens))
        for place, offset in (*PLACES.items(), ("end", None)):
            at = torch.full_like(batch.places, last) if offset is None else batch.places + offset
            inside = (at < last) | (offset is None)
            found[place][0].append(stream[:, here[inside], at[inside]])
            found[place][1].append(batch.classes[inside])
    table = [[0.0] * len(found) for _ in range(n_layers)]
    for column, (activations, classes) in enumerate(found.values()):
        stream, labels = torch.cat(activations, dim=1), torch.cat(classes)
        fit = torch.randperm(len(labels), generator=torch.Generator().manual_seed(0)) % 2 == 0
        for layer in range(n_layers):
            own = class_means(stream[layer, fit], labels[fit], n_classes)
            right = nearest_mean(stream[layer, ~fit], own) == labels[~fit]
            table[layer][column] = round(right.float().mean().item(), 3)
    return [
        Measure(
            name="state_readable",
            meaning="held-out questions: the state is read from the stream by nearest class mean, share right",
            value=table,
            tolerance=0.02,
            rows=(*(f"before layer {layer}" for layer in range(n_layers - 1)), "after all"),
            columns=tuple(found),
        ),
    ]


def by_layer(
    plain: PlainTransformer,
    means: Float[Tensor, "layer class d_model"],
    batches: Sequence[Questions],
) -> Measure:
    """Swap success before each layer, on every eighth question."""

    from mi_tutor.lab.swaps import Questions, swap_all

    some = [Questions(*(each[::8] for each in batch)) for batch in batches]
    values = [
        [
            round(
                together([swap_all(plain, b, means[layer], layer) for b in some if len(b.tokens)]),
                3,
            )
        ]
        for layer in range(len(plain.blocks))
    ]
    return Measure(
        name="swap_by_layer",
        meaning="the swap made before each layer, every eighth held-out question",
        value=values,
        tolerance=0.02,
        rows=tuple(f"before layer {layer}" for layer in range(len(plain.blocks))),
        columns=("swap",),
    )
