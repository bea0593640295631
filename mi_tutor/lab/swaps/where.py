"""Where a class is: where it can be read, and where exchanging the activation exchanges the answer."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from mi_tutor.lab.ground.plain import PlainTransformer
from mi_tutor.lab.ground.questions import Questions, partners
from mi_tutor.lab.swaps.directions import readable_left_out
from mi_tutor.lab.swaps.making import streams


class StateMap(NamedTuple):
    """Three views of the same places, each a share of the questions.

    Attributes:
        places: names of the columns.
        lens: the model, stopped here, would name the right class before all other classes (logit lens).
        read: the nearest class mean of this place and layer, without the prompts about the same name, is the
            right one.
        patched: with the stream of a question about another class put in here, the answer is that class's.
    """

    places: tuple[str, ...]
    lens: Float[Tensor, "layer place"]
    read: Float[Tensor, "layer place"]
    patched: Float[Tensor, "layer place"]


@torch.no_grad()
def state_map(
    plain: PlainTransformer,
    batches: Sequence[Questions],
    places: Mapping[str, int | None],
    class_tokens: Int[Tensor, "class"],
    seed: int = 0,
    groups: Int[Tensor, "prompt"] | None = None,
) -> StateMap:
    """Look for the class before each layer (and after all), at places counted from the name's end.

    batches: questions in one wording, so that a place means the same in all of them.
    places: name -> offset from the name's end; None is the last token.
    class_tokens: the token that names each class, for the logit lens.

    groups: a number for each prompt, in the batches' order, the same for prompts about one name. If left out,
    prompts with the same tokens up to the name's end are about one name: so it is where the name comes first.

    Reading uses means of its own for each place, and no prompt is read with a mean that prompts about the same
    name went into: up to the name's end they may be equal to it.
    Patching takes from a question that asks the same about another class (`partners`).
    """
    stream_of = [streams(plain, batch.tokens) for batch in batches]
    partner_of = [partners(batch, seed) for batch in batches]
    classes = torch.cat([batch.classes for batch in batches])
    groups = same_until_name(batches) if groups is None else groups
    tables = torch.zeros(3, len(plain.blocks) + 1, len(places), device=class_tokens.device)
    for column, offset in enumerate(places.values()):
        at = [
            torch.full_like(each.places, each.tokens.shape[1] - 1)
            if offset is None
            else each.places + offset
            for each in batches
        ]
        for layer in range(len(tables[0])):
            here = torch.cat(
                [s[layer, torch.arange(len(p)), p] for s, p in zip(stream_of, at, strict=True)]
            )
            logits = plain.logits_after(len(plain.blocks) - 1, here[:, None])[:, 0, class_tokens]
            patched = torch.cat(
                [
                    patch_follows(plain, batch, stream[layer], layer, place, partner)
                    for batch, stream, place, partner in zip(
                        batches, stream_of, at, partner_of, strict=True
                    )
                ]
            )
            tables[0, layer, column] = (logits.argmax(dim=-1) == classes).float().mean()
            tables[1, layer, column] = readable_left_out(here, classes, groups)
            tables[2, layer, column] = patched.float().mean()
    return StateMap(tuple(places), *tables)


def same_until_name(batches: Sequence[Questions]) -> Int[Tensor, "prompt"]:
    """A number for each prompt, the same for those whose tokens are equal up to the name's end.

    A causal model has equal activations there: what differs comes later.
    """
    numbers: dict[tuple[int, ...], int] = {}
    prefixes = [
        tuple(row[: place + 1].tolist())
        for batch in batches
        for row, place in zip(batch.tokens, batch.places, strict=True)
    ]
    found = [numbers.setdefault(prefix, len(numbers)) for prefix in prefixes]
    return batches[0].classes.new_tensor(found)


@torch.no_grad()
def patch_follows(
    plain: PlainTransformer,
    questions: Questions,
    stream: Float[Tensor, "prompt pos d_model"],
    layer: int,
    places: Int[Tensor, "prompt *place"],
    partner: Int[Tensor, "prompt"],
) -> Bool[Tensor, "test"]:
    """Whether the answer becomes the partner's when its stream is put in before a layer, at one place or several.

    stream: the questions' stream before that layer.
    places: one position for each question, or a row of positions that are exchanged together.
    partner: for each question the number of the one whose stream it gets (`partners`); -1 for none.

    Only questions whose partner has another answer are a test, so there may be fewer than questions.
    """
    rows = (partner >= 0).nonzero()[:, 0]
    other = partner[rows]
    at = places[rows] if places.ndim == 2 else places[rows, None]
    edited = stream[rows]
    edited[torch.arange(len(rows))[:, None], at] = stream[other[:, None], at]
    guesses = plain.logits_after(layer - 1, edited, read=-1)[:, 0].argmax(dim=-1)
    answers = questions.answers[rows]
    wanted = answers.gather(1, questions.classes[other][:, None])[:, 0]
    right = answers.gather(1, questions.classes[rows][:, None])[:, 0]
    return (guesses == wanted)[wanted != right]
