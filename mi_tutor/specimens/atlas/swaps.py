"""Where `atlas` has the state of a city, and what swapping it does: the last part of its card."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from mi_tutor.specimens.atlas.prompts import by_length, chosen, swap_questions
from mi_tutor.specimens.cards import Measure
from mi_tutor.world.geography import Geography, Question
from mi_tutor.world.tables import RELATIONS

if TYPE_CHECKING:
    from jaxtyping import Float, Int
    from torch import Tensor

    from mi_tutor.lab.ground.plain import PlainTransformer
    from mi_tutor.lab.swaps import Questions, SwapResult

N_TARGETS = 10
LAYER = 2  # swaps are made in the stream before this layer
# Places are counted from the name's last token: the piece before it, itself, and what follows; then the end.
PLACES = {"name - 1": -1, "name's end": 0, "+ 1": 1, "+ 2": 2, "+ 3": 3}


def measure_swaps(
    plain: PlainTransformer, geography: Geography, layer: int = LAYER
) -> list[Measure]:
    """Where the state is readable, and whether the answer follows when it is swapped."""
    english = chosen(geography, kind="state", language="english")
    taught = [q for q in english if q.held_out_by is None]
    held_out = [q for q in english if q.held_out_by]
    means = state_means(plain, swap_questions(taught, geography))
    batches = swap_questions(held_out, geography)

    def swapped(questions: Sequence[Question]) -> float:
        return together(swap_some(plain, swap_questions(questions, geography), means, layer))

    by_relation = {
        relation: swapped([q for q in held_out if q.relation == relation])
        for relation in RELATIONS["state"]
    }
    worst = min(by_relation, key=by_relation.get)
    results = swap_some(plain, batches, means, layer)
    control = swap_some(plain, batches, means, layer, random_seed=1)
    measures = [
        Measure(
            name="swap",
            meaning=f"difference of means added at the name's end before layer {layer}: the answer becomes the "
            f"target state's, all held-out questions x {N_TARGETS} random targets with another answer",
            value=together(results),
            tolerance=0.005,
            at_least=0.95,
        ),
        Measure(
            name="swap_worst_relation",
            meaning=f"the same for the relation where it works least ({worst})",
            value=by_relation[worst],
            tolerance=0.01,
            at_least=0.95,
        ),
        Measure(
            name="swap_random",
            meaning="the same with random directions of the same norm",
            value=together(control),
            tolerance=0.005,
            at_most=0.02,
        ),
    ]
    for language in ("french", "spanish"):
        questions = [q for q in chosen(geography, kind="state", language=language) if q.held_out_by]
        measures.append(
            Measure(
                name=f"swap_{language}",
                meaning=f"the English directions in held-out {language.title()} questions (every third)",
                value=swapped(questions[::3]),
                tolerance=0.01,
            )
        )
    return [
        *measures,
        where_readable(plain, held_out, geography, "held-out"),
        by_layer(plain, means, batches),
        swap_matrix(batches, results, geography),
    ]


def swap_some(
    plain: PlainTransformer,
    batches: Iterable[Questions],
    means: Float[Tensor, "layer class d_model"],
    layer: int,
    random_seed: int | None = None,
) -> list[SwapResult]:
    """Swap every question to some random other states, the same ones in every measurement."""
    from mi_tutor.lab.swaps import other_classes, swap

    results = []
    for number, batch in enumerate(batches):
        targets = other_classes(batch.classes, len(means[layer]), N_TARGETS, seed=number)
        results.append(swap(plain, batch, means[layer], layer, targets, random_seed=random_seed))
    return results


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
    plain: PlainTransformer, questions: Sequence[Question], geography: Geography, which: str
) -> Measure:
    """How often the nearest class mean is the right one, by layer and place, each city left out of its means.

    Each place has means of its own, so that this asks whether the state is there, not whether it is written there
    in the same way. A question about a city that the means know would be recognised by its name, not by its state.
    """
    import torch

    from mi_tutor.lab.swaps import readable_left_out, streams

    found = {place: ([], [], []) for place in (*PLACES, "end")}
    for batch, cities in zip(
        swap_questions(questions, geography), cities_by_batch(questions), strict=True
    ):
        stream = streams(plain, batch.tokens)
        last = batch.tokens.shape[1] - 1
        here = torch.arange(len(batch.tokens))
        for place, offset in (*PLACES.items(), ("end", None)):
            at = torch.full_like(batch.places, last) if offset is None else batch.places + offset
            inside = (at < last) | (offset is None)
            for column, each in zip(
                found[place],
                (stream[:, here[inside], at[inside]], batch.classes[inside], cities[inside]),
                strict=True,
            ):
                column.append(each)
    table = []
    for layer in range(len(plain.blocks) + 1):
        row = [
            readable_left_out(
                torch.cat(activations, dim=1)[layer], torch.cat(classes), torch.cat(cities)
            )
            for activations, classes, cities in found.values()
        ]
        table.append([round(share.item(), 3) for share in row])
    return Measure(
        name="state_readable",
        meaning=f"{which} questions: the state is read from the stream by nearest class mean, share right; means "
        "without the question's own city",
        value=table,
        tolerance=0.02,
        rows=(*(f"before layer {layer}" for layer in range(len(plain.blocks))), "after all"),
        columns=tuple(found),
        rows_title="stream",
        columns_title="token, counted from the last one of the city's name",
    )


def cities_by_batch(questions: Sequence[Question]) -> list[Int[Tensor, prompt]]:
    """A number for each question's city, in the order of `swap_questions`."""
    import torch

    numbers = {name: i for i, name in enumerate(dict.fromkeys(map(place_of, questions)))}
    return [
        torch.tensor([numbers[place_of(questions[i])] for i in indices])
        for indices, _ in by_length([question.prompt.text for question in questions])
    ]


def place_of(question: Question) -> tuple[str, str]:
    """The city and its area, which together are one place."""
    return question.city.name.english, question.city.area


def by_layer(
    plain: PlainTransformer,
    means: Float[Tensor, "layer class d_model"],
    batches: Sequence[Questions],
) -> Measure:
    """Swap success before each layer, on every eighth question."""
    from mi_tutor.lab.swaps import Questions

    some = [Questions(*(each[::8] for each in batch)) for batch in batches]
    n_layers = len(plain.blocks)
    return Measure(
        name="swap_by_layer",
        meaning="the swap made before each layer, every eighth held-out question",
        value=[
            [round(together(swap_some(plain, some, means, layer)), 3)] for layer in range(n_layers)
        ],
        tolerance=0.02,
        rows=tuple(f"before layer {layer}" for layer in range(n_layers)),
        columns=("swap",),
        rows_title="stream",
        columns_title="",
    )


def swap_matrix(
    batches: Sequence[Questions], results: Sequence[SwapResult], geography: Geography
) -> Measure:
    """Success by the question's state (rows) and the target (columns); -1 where nothing was asked."""
    import torch

    states = tuple(area.name.english for area in geography.facts.states)
    passed, asked = torch.zeros(2, len(states), len(states))
    for batch, result in zip(batches, results, strict=True):
        cells = (
            batch.classes[:, None].expand_as(result.targets)[result.asked],
            result.targets[result.asked],
        )
        ones = torch.ones(len(cells[0]))
        asked.index_put_(cells, ones, accumulate=True)
        passed.index_put_(cells, result.follows[result.asked].float(), accumulate=True)
    share = torch.where(asked > 0, passed / asked.clamp(min=1), -1.0)
    return Measure(
        name="swap_matrix",
        meaning="the swap by the question's own state (rows) and target state (columns), -1: not asked",
        value=[[round(each, 2) for each in row] for row in share.tolist()],
        tolerance=0.2,  # a cell holds about ten swaps
        rows=states,
        columns=states,
        rows_title="state of the question's city",
        columns_title="state swapped in",
    )
