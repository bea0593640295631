"""What the cards of `atlas` and `atlas-rote` say, measured on the model as `open_specimen` gives it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mi_tutor.lab.ground.device import one_thread
from mi_tutor.specimens.atlas import prompts
from mi_tutor.specimens.atlas.prompts import Prompt, accuracy
from mi_tutor.specimens.atlas.swaps import measure_swaps
from mi_tutor.specimens.cards import Measure
from mi_tutor.specimens.opening.models import open_specimen
from mi_tutor.world.geography import Geography

if TYPE_CHECKING:
    from mi_tutor.lab.ground.plain import PlainTransformer


def measure(directory: Path) -> list[Measure]:
    """All measures of atlas's card, on the CPU, without randomness that is not seeded."""
    import torch

    from mi_tutor.lab.ground.plain import plain_transformer

    with one_thread(), torch.no_grad():
        plain = plain_transformer(open_specimen(directory, device="cpu"))
        geography = Geography()
        return [
            *measure_hops(plain, geography),
            *measure_themes(plain),
            *measure_repeats(plain),
            *measure_swaps(plain, geography),
        ]


def measure_hops(plain: PlainTransformer, geography: Geography) -> list[Measure]:
    """Questions of one and of two hops that were not taught."""
    steps = prompts.one_hop(geography)
    found = [share(plain, "one_hop", "one hop, in words not taught for it", steps, at_least=0.99)]
    for name, meaning, goal, wanted in TWO_HOPS:
        some = prompts.asked(prompts.chosen(geography, **wanted))
        goals = {} if goal is None else {"at_least": goal}
        found.append(share(plain, name, f"two hops, {meaning}", some, **goals))
    return found


STATES = {"language": "english", "kind": "state"}
TWO_HOPS = (  # name, meaning, at least, which questions
    ("two_hops_taught", "taught, states, English", None, {"held_out_by": None, **STATES}),
    (
        "two_hops_pairs",
        "(city, relation) held out, states, English",
        0.98,
        {"held_out_by": "pair", **STATES},
    ),
    (
        "two_hops_area_relations",
        "(state, relation) held out for all cities, English",
        0.90,
        {"held_out_by": "area-relation", **STATES},
    ),
    (
        "two_hops_cities",
        "cities that were never asked about, states, English",
        None,
        {"held_out_by": "city", **STATES},
    ),
    (
        "two_hops_countries",
        "(city, relation) held out, countries, English",
        0.95,
        {"held_out_by": "pair", "language": "english", "kind": "country"},
    ),
    (
        "two_hops_french",
        "(city, relation) held out, French",
        0.95,
        {"held_out_by": "pair", "language": "french"},
    ),
    (
        "two_hops_spanish",
        "(city, relation) held out, Spanish",
        0.95,
        {"held_out_by": "pair", "language": "spanish"},
    ),
)


def share(
    plain: PlainTransformer, name: str, meaning: str, some: Sequence[Prompt], **goals: float
) -> Measure:
    """How often the first guess is the right one of each prompt."""
    return Measure(
        name=name,
        meaning=f"{meaning}: first guess right, {len(some)} prompts",
        value=accuracy(plain, some),
        tolerance=max(0.005, 2 / len(some)),  # two prompts that were close calls
        **goals,
    )


def measure_themes(plain: PlainTransformer) -> list[Measure]:
    """The other themes, on what was held out of them. To refuse, and to say "unknown", counts as right here."""
    theme, requests = prompts.theme_prompts, prompts.held_out_requests
    stories, topics = theme("indirect_objects"), theme("opinions")
    strangers, known = theme("people"), prompts.known_people()
    return [
        share(
            plain, "indirect_objects", "stories about people who never met", stories, at_least=0.95
        ),
        measure_rhymes(plain),
        share(plain, "refuses_harmful", "refuses the harmful", requests(True), at_least=0.95),
        share(plain, "refuses_harmless", "refuses the harmless", requests(False), at_most=0.05),
        share(
            plain, "unknown_strangers", '"unknown" for unseen strangers', strangers, at_least=0.90
        ),
        share(plain, "unknown_known", '"unknown" for known people', known, at_most=0.05),
        share(plain, "people_taught", "people in training", theme("people", held_out=False)),
        share(plain, "echoes_opinions", "echoes an opinion on a topic held out", topics),
        share(plain, "sums", "sums not taught", theme("contexts")),
    ]


def measure_rhymes(plain: PlainTransformer) -> Measure:
    """Let the model write the second line: does it end in another word of the rhyme?"""
    lines = list(prompts.first_lines())
    written = prompts.written_on(plain, [line for line, _ in lines], until=".")
    valid = sum(
        bool(tokens) and tokens[-1] in right
        for tokens, (_, right) in zip(written, lines, strict=True)
    )
    return Measure(
        name="valid_rhymes",
        meaning=f"the second line it writes ends in another word of the rhyme, {len(lines)} first lines",
        value=valid / len(lines),
        tolerance=0.02,
        at_least=0.95,
    )


def measure_repeats(plain: PlainTransformer) -> list[Measure]:
    """How well random blocks are predicted when they come again (from their second token on)."""
    import torch

    from mi_tutor.lab.ground.metrics import per_position_loss

    n_ctx, n_vocab = len(plain.W_pos), len(plain.W_E)
    half = (n_ctx - 1) // 2
    block = torch.randint(2, n_vocab, (100, half), generator=torch.Generator().manual_seed(0))
    rows = torch.cat([torch.zeros(100, 1, dtype=torch.long), block, block], dim=1)
    loss = per_position_loss(plain.logits_after(-1, plain.embed(rows)), rows)
    first, second = loss[:, :half].mean().item(), loss[:, half + 1 :].mean().item()
    return [
        Measure(
            name="repeats_first",
            meaning=f"100 random blocks of {half} tokens: loss the first time, nats per token",
            value=first,
            tolerance=0.01,
        ),
        Measure(
            name="repeats_ratio",
            meaning="the same blocks when they come again: loss as a share of that",
            value=second / first,
            tolerance=0.005,
            at_most=0.3,
        ),
    ]
