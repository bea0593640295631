"""Where a class is: where it can be read, and where exchanging the activation exchanges the answer."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from mi_tutor.lab.ground.plain import PlainTransformer
from mi_tutor.lab.ground.questions import Questions, partners
from mi_tutor.lab.swaps.directions import readable
from mi_tutor.lab.swaps.making import streams


class StateMap(NamedTuple):
    """Three views of the same places, each a share of the questions.

    Attributes:
        places: names of the columns.
        lens: the model, stopped here, would name the right class before all other classes (logit lens).
        read: the nearest class mean of this place and layer is the right one.
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
) -> StateMap:
    """Look for the class before each layer (and after all), at places counted from the name's end.

    batches: questions in one wording, so that a place means the same in all of them.
    places: name -> offset from the name's end; None is the last token.
    class_tokens: the token that names each class, for the logit lens.

    Reading uses means of its own for each place, of one random half of the prompts, and reads the other half.
    Patching takes from a question that asks the same about another class (`partners`).
    """
    stream_of = [streams(plain, batch.tokens) for batch in batches]
    partner_of = [partners(batch, seed) for batch in batches]
    tables = torch.zeros(3, len(plain.blocks) + 1, len(places), device=class_tokens.device)
    for column, offset in enumerate(places.values()):
        at = [
            torch.full_like(each.places, each.tokens.shape[1] - 1)
            if offset is None
            else each.places + offset
            for each in batches
        ]
        classes = torch.cat([batch.classes for batch in batches])
        is_known = torch.rand(len(classes), generator=torch.Generator().manual_seed(seed)) < 0.5
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
            tables[1, layer, column] = readable(
                here[is_known], classes[is_known], here[~is_known], classes[~is_known]
            )
            tables[2, layer, column] = patched.float().mean()
    return StateMap(tuple(places), *tables)


def patch_follows(
    plain: PlainTransformer,
    questions: Questions,
    stream: Float[Tensor, "prompt pos d_model"],
    layer: int,
    places: Int[Tensor, "prompt"],
    partner: Int[Tensor, "prompt"],
) -> Tensor:
    """Whether the answer is the partner's when its stream is put in; of those where the two answers differ."""
    rows = (partner >= 0).nonzero()[:, 0]
    other = partner[rows]
    edited = stream[rows].clone()
    edited[torch.arange(len(rows)), places[rows]] = stream[other, places[rows]]
    guesses = plain.logits_after(layer - 1, edited, read=-1)[:, 0].argmax(dim=-1)
    answers = questions.answers[rows]
    wanted = answers.gather(1, questions.classes[other][:, None])[:, 0]
    right = answers.gather(1, questions.classes[rows][:, None])[:, 0]
    return (guesses == wanted)[wanted != right]
