"""What the card of `echoes` says: whose opinion is told, where it is fetched, and how that is taken away."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mi_tutor.lab.ground.device import one_thread
from mi_tutor.specimens.biology.echoes_prompts import ASKED, Talks, opinion_talks
from mi_tutor.specimens.cards import Measure
from mi_tutor.specimens.opening.models import open_specimen

if TYPE_CHECKING:
    from jaxtyping import Int
    from torch import Tensor

    from mi_tutor.lab.ground.plain import PlainTransformer

SAID, NOT_SAID = tuple(ASKED)[:2]


def measure(directory: Path) -> list[Measure]:
    """All measures of the card, on the CPU, without randomness that is not seeded."""
    import torch

    from mi_tutor.lab.ground.plain import plain_transformer

    plain = plain_transformer(open_specimen(directory, device="cpu"))
    with one_thread(), torch.no_grad():
        return [*measure_answers(plain), measure_attention(plain), *measure_removal(plain)]


def share(guesses: Int[Tensor, prompt], opinions: Int[Tensor, prompt]) -> float:
    """How often the one is the other."""
    return round((guesses == opinions).float().mean().item(), 4)


def replies(plain: PlainTransformer, tokens: Int[Tensor, "prompt pos"]) -> Int[Tensor, prompt]:
    """The most likely next tokens."""
    return plain.logits_after(-1, plain.embed(tokens), read=-1)[:, 0].argmax(dim=-1)


def measure_answers(plain: PlainTransformer) -> list[Measure]:
    """What is answered in held-out pairs, and what the asker is told instead of their own opinion."""
    found = []
    for number, asked in enumerate(ASKED):
        some = opinion_talks(asked)
        right = share(replies(plain, some.tokens), some.right)
        found.append(
            Measure(
                name=("echo", "own_opinion", "says_again", "others_again")[number],
                meaning=f"{asked}: first guess right, asker and topic held out, {len(some.tokens)} talks (any of "
                "six opinions: 0.17; any of the talk's: about 0.25)",
                value=right,
                tolerance=0.02,
                at_least=0.9 if number == 1 else 0.95,
            )
        )
    some = opinion_talks(SAID)
    told = replies(plain, some.tokens)
    others = {"other": some.other, "elsewhere": some.elsewhere, "cited": some.cited}
    meaning = {
        "other": "somebody else's opinion of the topic",
        "elsewhere": "the asker's of another topic",
        "cited": "what somebody cited of the topic",
    }
    return found + [
        Measure(
            name=f"echo_{name}",
            meaning=f"told instead of the asker's own opinion: {meaning[name]}",
            value=share(told, opinions),
            tolerance=0.02,
            at_most=0.05,
        )
        for name, opinions in others.items()
    ]
