"""What the card of `echoes` says: whose opinion is told, where it is fetched, and how that is taken away."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mi_tutor.lab.ground.device import one_thread
from mi_tutor.specimens.biology.echoes_prompts import ASKED, opinion_talks, then_asked
from mi_tutor.specimens.cards import Measure
from mi_tutor.specimens.opening.models import open_specimen

if TYPE_CHECKING:
    from jaxtyping import Float, Int
    from torch import Tensor

    from mi_tutor.lab.ground.plain import PlainTransformer

SAID, NOT_SAID = tuple(ASKED)[:2]
N_RANDOM = 5


def measure(directory: Path) -> list[Measure]:
    """All measures of the card, on the CPU, without randomness that is not seeded."""
    import torch

    from mi_tutor.lab.ground.plain import plain_transformer

    plain = plain_transformer(open_specimen(directory, device="cpu"))
    with one_thread(), torch.no_grad():
        return [*measure_answers(plain), *measure_removal(plain)]


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


def fetching(plain: PlainTransformer) -> tuple[Measure, int]:
    """Attention from the reply's place to what the asker said, in the last layer; and the head that has most."""
    import torch

    last = len(plain.blocks) - 1
    value = []
    for asked in ASKED:
        some = opinion_talks(asked)
        pattern = plain.activations(last, some.tokens, "pattern")["pattern"][:, :, -1]
        there = pattern[torch.arange(len(some.place)), :, some.place]
        value.append([round(each, 4) for each in there.mean(dim=0).tolist()])
    found = Measure(
        name="attention",
        meaning=f"attention in layer {last} from where the answer is due to what the asker said (in the second "
        "row: cited) of the topic",
        value=value,
        tolerance=0.02,
        rows=tuple(ASKED),
        columns=tuple(f"{last}.{head}" for head in range(plain.n_heads)),
        rows_title="asked",
        columns_title="",
    )
    return found, value[0].index(max(value[0]))


def nothing_found(plain: PlainTransformer) -> Float[Tensor, "head d_head"]:
    """What the last layer's heads carry to the reply where the asker has said nothing: means, nothing held out."""
    some = opinion_talks(NOT_SAID, held_out=False, n=600, seed=1)
    z = plain.activations(len(plain.blocks) - 1, some.tokens, "z")["z"]
    return z[:, -1].mean(dim=0)


def measure_removal(plain: PlainTransformer) -> list[Measure]:
    """The head that fetches what the asker said, set at the reply's place to what it carries if there is none."""
    import torch

    from mi_tutor.lab.biology import answers_with_head
    from mi_tutor.lab.swaps import random_like

    attention, head = fetching(plain)
    mean, last = nothing_found(plain), len(plain.blocks) - 1
    said, not_said = opinion_talks(SAID), opinion_talks(NOT_SAID)
    later, reply = then_asked(said), said.tokens.shape[1] - 1

    def after(tokens: Tensor, which: int = head, z: Tensor | None = None) -> Tensor:
        return answers_with_head(plain, tokens, last, which, mean[which] if z is None else z, reply)

    carried = plain.activations(last, said.tokens, "z")["z"][:, -1, head]
    steps = mean[head] - carried
    lots = [carried + random_like(steps, torch.Generator().manual_seed(i)) for i in range(N_RANDOM)]
    others = [share(after(said.tokens, h), said.own) for h in range(plain.n_heads) if h != head]
    where = f"head {last}.{head} set, at the reply's place, to its mean where the asker has said nothing"
    own = "the assistant's own opinion"
    found = (
        (
            "removed",
            f"{where}: told {own}, to askers who have said theirs",
            share(after(said.tokens), said.own),
            0.9,
        ),
        (
            "own_kept",
            f"the same for askers who have not: told {own}",
            share(after(not_said.tokens), not_said.own),
            0.95,
        ),
        (
            "knowledge_kept",
            "and asked afterwards what the asker said: right",
            share(after(later), said.asker),
            0.95,
        ),
    )
    floors = (
        (
            "removed_random",
            f"{own}, after steps as long and anywhere ({N_RANDOM} for each talk)",
            round(sum(share(after(said.tokens, z=z), said.own) for z in lots) / N_RANDOM, 4),
        ),
        (
            "removed_other_heads",
            f"{own}, after the same with another head of the layer, the largest",
            max(others),
        ),
    )
    return [
        attention,
        *(
            Measure(name=n, meaning=m, value=v, tolerance=0.02, at_least=goal)
            for n, m, v, goal in found
        ),
        *(Measure(name=n, meaning=m, value=v, tolerance=0.02, at_most=0.2) for n, m, v in floors),
    ]
