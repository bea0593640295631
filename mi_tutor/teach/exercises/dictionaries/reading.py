"""Chapter 02, reading and marking: `read-a-latent`."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from mi_tutor.lab import dictionaries as lab
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style
from mi_tutor.teach.exercises.making import and_near_zero, normal, uniform


def read_latent(
    activations: Tensor, direction: Tensor, W_U: Tensor, n: int
) -> tuple[float, Tensor, Tensor]:
    """Density, the places of the n highest activations, and the n tokens whose logits are raised most."""
    tokens = torch.zeros_like(activations, dtype=torch.long)
    contexts = lab.top_contexts(activations, tokens, n)
    places = torch.tensor([[each.row, each.position] for each in contexts])
    raised, _ = lab.logit_effects(direction, W_U, n)
    return (
        lab.density(activations.flatten()[:, None]).item(),
        places,
        torch.tensor([i for i, _ in raised]),
    )


def _view(value, activations: Tensor, direction: Tensor, W_U: Tensor, n: int) -> tuple:
    """Places and tokens may be lists, too, of numbers, pairs or tensors."""
    density, places, raised = value
    return density, *(_as_one(part).double() for part in (places, raised))


def _as_one(part) -> Tensor:
    if isinstance(part, list | tuple):
        return torch.stack([torch.as_tensor(each) for each in part])
    return torch.as_tensor(part)


def _read_cases(g: torch.Generator) -> list[Case]:
    def case(label, rows, positions, d, vocab, n, share=0.4):
        activations = uniform(g, rows, positions, low=0.2, high=9.0)
        activations = activations * (uniform(g, rows, positions) < share)
        activations[0, :3] = torch.tensor([7.1, 8.2, 9.3])  # several in one text
        activations[-1, -1] = 9.5
        inputs = {
            "activations": activations,
            "direction": normal(g, d),
            "W_U": normal(g, d, vocab) + 2.0 * normal(g, 1, vocab),
            "n": n,
        }
        return Case(label=label, inputs=inputs)

    return [
        case("12 texts of 13 tokens", 12, 13, 11, 30, 12),
        case("as many dimensions as tokens in the vocabulary", 5, 5, 8, 8, 3),
        case("a rare latent", 8, 12, 4, 20, 3, share=0.08),
        case("a dense latent, the highest token alone", 4, 6, 6, 15, 1, share=0.9),
    ]


def _places(activations: Tensor, n: int) -> Tensor:
    flat = activations.flatten().topk(n).indices
    return torch.stack([flat // activations.shape[1], flat % activations.shape[1]], dim=1)


def _density(activations: Tensor) -> Tensor:
    return (activations > 0).double().mean()


def _raised(direction: Tensor, W_U: Tensor, n: int) -> Tensor:
    return (direction @ W_U).topk(n).indices


def _reading(density=_density, places=_places, raised=_raised) -> Callable:
    return lambda activations, direction, W_U, n: (
        density(activations),
        places(activations, n),
        raised(direction, W_U, n),
    )


def _read_by_lists(activations, direction, W_U, n):
    flat = [
        (float(value), (row, position))
        for row, texts in enumerate(activations)
        for position, value in enumerate(texts)
    ]
    flat.sort(key=lambda pair: -pair[0])
    effects = sorted(range(W_U.shape[1]), key=lambda t: -float(direction @ W_U[:, t]))
    on = sum(value > 0 for value, _ in flat) / len(flat)
    return on, torch.tensor([place for _, place in flat[:n]]), effects[:n]


READ_A_LATENT = Exercise(
    slug="read-a-latent",
    title="Where is it on, and what does it do?",
    chapter="02",
    points=2,
    minutes=8,
    difficulty=2,
    objective="Read a latent: how often it is on, where it is highest, and which next tokens it argues for.",
    cases=and_near_zero(_read_cases, "activations", "direction", "W_U"),
    reference=read_latent,
    view=_view,
    styles=(
        Style(
            name="lists of pairs",
            right=lambda a, direction, W_U, n: (
                _density(a),
                [tuple(pair) for pair in _places(a, n).tolist()],
                _raised(direction, W_U, n).tolist(),
            ),
        ),
        Style(name="sorted lists", right=_read_by_lists),
        Style(
            name="unravel_index, centred effects",
            right=_reading(
                places=lambda a, n: torch.stack(
                    torch.unravel_index(a.flatten().argsort(descending=True)[:n], a.shape), dim=-1
                ),
                raised=lambda direction, W_U, n: (
                    ((W_U - W_U.mean(1, keepdim=True)).T @ direction)
                    .argsort(descending=True)[:n]
                    .to(torch.int32)
                ),
            ),
        ),
    ),
    mistakes=(
        Mistake(
            name="mean activation",
            wrong=_reading(density=lambda a: a.double().mean()),
            sentence="Your first number is the mean activation. Density asks how OFTEN the latent is on, not how strongly.",
        ),
        Mistake(
            name="share of texts",
            wrong=_reading(density=lambda a: (a > 0).any(dim=1).double().mean()),
            sentence="Your density is the share of TEXTS in which the latent is on somewhere. It is counted over tokens.",
        ),
        Mistake(
            name="on per text",
            wrong=_reading(density=lambda a: (a > 0).sum(dim=1).double().mean()),
            sentence="Your density is a count per text. It is a share of all tokens, from 0 to 1.",
        ),
        Mistake(
            name="percent",
            wrong=_reading(density=lambda a: 100 * _density(a)),
            sentence="Your density is in percent. It is a share, from 0 to 1.",
        ),
        Mistake(
            name="at least 0",
            wrong=_reading(density=lambda a: (a >= 0).double().mean()),
            sentence="Your density is 1: an activation of exactly 0 is OFF. On means above 0.",
        ),
        Mistake(
            name="lowest first",
            wrong=_reading(places=lambda a, n: _places(a, n).flip(0)),
            sentence="Your places are right and in the wrong order: highest first.",
        ),
        Mistake(
            name="true division",
            wrong=_reading(
                places=lambda a, n: torch.stack(
                    [
                        a.flatten().topk(n).indices / a.shape[1],
                        (a.flatten().topk(n).indices % a.shape[1]).float(),
                    ],
                    dim=1,
                )
            ),
            sentence="Your rows are no whole numbers. The row is how often the number of positions goes into the place: //, not /.",
        ),
        Mistake(
            name="tokens lowest first",
            wrong=_reading(raised=lambda direction, W_U, n: (direction @ W_U).argsort()[-n:]),
            sentence="Your tokens are right and in the wrong order: the one that is raised most comes first.",
        ),
        Mistake(
            name="one place per text",
            wrong=_reading(
                places=lambda a, n: torch.stack(
                    [
                        a.amax(dim=1).topk(min(n, len(a))).indices,
                        a.argmax(dim=1)[a.amax(dim=1).topk(min(n, len(a))).indices],
                    ],
                    dim=1,
                )
            ),
            sentence="You take the highest token of each text only. The n highest TOKENS are asked for; several may stand in one text.",
        ),
        Mistake(
            name="places not split",
            wrong=_reading(places=lambda a, n: a.flatten().topk(n).indices),
            sentence="Your places count through all texts. Give [n 2]: the text (row), and the position in it.",
        ),
        Mistake(
            name="position before row",
            wrong=_reading(places=lambda a, n: _places(a, n).flip(1)),
            sentence="Your places have the position first. It is row (which text), then position.",
        ),
        Mistake(
            name="divided by the number of texts",
            wrong=_reading(
                places=lambda a, n: torch.stack(
                    [
                        a.flatten().topk(n).indices // a.shape[0],
                        a.flatten().topk(n).indices % a.shape[0],
                    ],
                    dim=1,
                )
            ),
            sentence="You split places by the number of texts. In a flattened [row pos] tensor a row is as long as a TEXT: divide by the number of "
            "positions.",
        ),
        Mistake(
            name="the lowest",
            wrong=_reading(places=lambda a, n: _places(-a, n)),
            sentence="These are the places where the latent is LOWEST, which is nearly everywhere.",
        ),
        Mistake(
            name="tokens that it lowers",
            wrong=_reading(raised=lambda direction, W_U, n: _raised(-direction, W_U, n)),
            sentence="Your tokens are those whose logits the latent LOWERS most.",
        ),
        Mistake(
            name="by absolute effect",
            wrong=_reading(
                raised=lambda direction, W_U, n: (direction @ W_U).abs().topk(n).indices
            ),
            sentence="You sort by the size of the effect, so tokens whose logits fall are among yours. Raised most means the largest value.",
        ),
        Mistake(
            name="cosines with the unembedding",
            wrong=_reading(
                raised=lambda direction, W_U, n: (
                    (direction @ torch.nn.functional.normalize(W_U, dim=0)).topk(n).indices
                )
            ),
            sentence="You take cosines with the unembedding's columns. A logit is the product itself, and tokens whose columns are longer are moved "
            "more.",
        ),
        Mistake(
            name="unembedding transposed",
            wrong=_reading(raised=lambda direction, W_U, n: (W_U @ direction).topk(n).indices),
            sentence="You multiply W_U from the wrong side: it is [d_model vocab]. (With as many dimensions as tokens the shapes do not complain.)",
        ),
        Mistake(
            name="values in place of tokens",
            wrong=_reading(raised=lambda direction, W_U, n: (direction @ W_U).topk(n).values),
            sentence="These are the sizes of the effects. Give the tokens' numbers.",
        ),
    ),
    hints=(
        "Three answers: a share of all tokens; the n highest places as [n 2]; n token numbers.",
        "`activations.flatten().topk(n).indices` counts through all texts. Row and position are what division by the length of a text leaves: // and %.",
        "The direct effect on the logits is direction @ W_U, one number per token of the vocabulary.",
    ),
)
