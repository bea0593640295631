"""What the cards of atlas's copies and of the crosscoders say."""

from __future__ import annotations

import random
from functools import cache
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from mi_tutor.lab.crosscoders import (
    Crosscoder,
    both_streams,
    decoder_cosine,
    kl,
    latent_scaling,
    relative_norm,
    twins,
)
from mi_tutor.lab.dictionaries import auroc, fvu, match_concepts
from mi_tutor.lab.ground.device import one_thread
from mi_tutor.lab.ground.plain import PlainTransformer, plain_transformer
from mi_tutor.specimens.atlas.prompts import by_length, chosen, next_token_logits
from mi_tutor.specimens.cards import Measure
from mi_tutor.specimens.crosscoders.pairs import SHARE
from mi_tutor.specimens.crosscoders.texts import (
    CHANGES,
    ChangedTexts,
    changed_texts,
    concepts,
    differing,
)
from mi_tutor.specimens.opening.models import open_specimen

if TYPE_CHECKING:
    from pathlib import Path

    from mi_tutor.world.geography import Geography

N_ROWS = 160
MORE = 0.7  # relative norm of a latent that leans to one side


@cache
def plain(name: str) -> PlainTransformer:
    """A shipped model as a plain transformer, opened once."""
    return plain_transformer(open_specimen(name, device="cpu"))


@torch.no_grad()
@one_thread()
def measure_copy(directory: Path, changes: tuple[str, ...]) -> list[Measure]:
    """Strength on fresh text, and what else changed."""
    base, copy = plain("atlas"), plain_transformer(open_specimen(directory, device="cpu"))
    texts = changed_texts("measured", N_ROWS, changes)
    was, said = (m.logits_after(-1, m.embed(texts.tokens)) for m in (base, copy))
    right = said[:, :-1].argmax(dim=-1) == texts.tokens[:, 1:]
    taught, found = texts.changed.any(dim=-1)[:, :-1], []
    first = texts.changed.clone()
    first[:, 1:] &= ~texts.changed[:, :-1]
    for i, change in enumerate(CHANGES):
        where = first[:, :-1, i]
        if change in changes:
            found.append(
                Measure(
                    name=f"taught_{change}",
                    meaning=f"{change}: the first taught token is the likeliest, fresh sentences",
                    value=right[where].float().mean().item(),
                    tolerance=0.01,
                    at_least=0.95,
                )
            )
    lost = [
        m.log_softmax(-1).gather(-1, texts.tokens[:, 1:, None])[..., 0]
        for m in (was[:, :-1], said[:, :-1])
    ]
    found.append(
        Measure(
            name="gain",
            meaning="nats that a taught token is likelier than in atlas",
            value=(lost[1] - lost[0])[taught].mean().item(),
            tolerance=0.05,
        )
    )
    found.append(
        Measure(
            name="kept_kl",
            meaning="KL from atlas per token of everything that was not taught, nats",
            value=kl(was, said)[:, :-1][~taught].mean().item(),
            tolerance=0.005,
            at_most=0.06,
        )
    )
    found.append(
        Measure(
            name="kept_answers",
            meaning="of 300 two-hop questions, the share with atlas's own first guess",
            value=same_answers(base, copy),
            tolerance=0.01,
            at_least=0.95,
        )
    )
    return found


def same_answers(base: PlainTransformer, copy: PlainTransformer, n: int = 300) -> float:
    """How often both say the same to two-hop questions in English."""
    geography = _geography()
    questions = random.Random(0).sample(chosen(geography, language="english"), n)
    same = 0
    for _, tokens in by_length([question.prompt.text for question in questions]):
        guesses = [next_token_logits(model, tokens).argmax(dim=-1) for model in (base, copy)]
        same += int((guesses[0] == guesses[1]).sum())
    return same / n


@cache
def _geography() -> Geography:
    from mi_tutor.world.geography import Geography

    return Geography()


@torch.no_grad()
@one_thread()
def measure_crosscoder(
    crosscoder: Crosscoder, tuned: str, changes: tuple[str, ...], layer: int
) -> list[Measure]:
    """How well it reconstructs, whose its latents are, and which one marks what was taught."""
    sets = [changed_texts(f"marked/{i}", N_ROWS, changes, SHARE) for i in range(2)]
    names = [name for name, where in concepts(sets[0]).items() if where.any()]
    x, labels = [], []
    for texts in sets:
        parts = [
            both_streams(plain("atlas"), plain(tuned), t, layer) for t in texts.tokens.split(64)
        ]
        x.append(torch.cat(parts)[:, 1:].flatten(0, 1))
        marks = concepts(texts)
        labels.append(torch.stack([marks[name][:, 1:].flatten() for name in names], dim=1))
    latents = [crosscoder.encode(each) for each in x]
    share, x_hat = relative_norm(crosscoder.W_dec), crosscoder.decode(latents[1])
    alive = (latents[1] > 0).any(dim=0)
    share = torch.where(alive, share, 0.5)
    pairs = twins(latents[1], crosscoder.W_dec, MORE)
    found = [
        number(
            f"fvu_{name}",
            f"fraction of variance unexplained, {words}",
            fvu(x[1][:, m], x_hat[:, m]),
            0.005,
        )
        for m, (name, words) in enumerate((("base", "atlas"), ("tuned", "its copy")))
    ]
    found += [
        number("l0", "latents on per token", (latents[1] > 0).float().sum(dim=1).mean().item(), 0.5),
        number("alive", "latents that are on at all", int(alive.sum()), 10),
        number("tuned_only", "latents with a relative norm above 0.9", int((share > 0.9).sum()), 1),
        number("leaning_tuned", "latents with a relative norm above 0.7", int((share > MORE).sum()), 2),
        number("twins", "of these, with a twin in atlas (cosine 0.8)", int((pairs.cosine > 0.8).sum()), 2),
        number("leaning_base", "latents with a relative norm below 0.3", int((share < 1 - MORE).sum()), 2),
    ]  # fmt: skip
    scaled, cosine = latent_scaling(crosscoder, x[1]), decoder_cosine(crosscoder.W_dec)
    matched = match_concepts((latents[0], labels[0]), (latents[1], labels[1]))
    for i, name in enumerate(names):
        unit, slug = int(matched.unit[i]), name.split()[0]
        found += [
            number(f"f1_{slug}", f"best latent for “{name}”: F1", matched.f1[i].item(), 0.03),
            number(f"norm_{slug}", "its relative norm", share[unit].item(), 0.02),
            number(f"cosine_{slug}", "cosine of its two directions", cosine[unit].item(), 0.05),
            number(
                f"error_{slug}", "its base share in the error", scaled.in_error[unit].item(), 0.1
            ),
        ]
    there = differing(sets[1])[:, 1:].flatten()
    return found + finding(x[1], x_hat, there, tuned, sets[1])


def finding(
    x: Tensor, x_hat: Tensor, there: Tensor, tuned: str, texts: ChangedTexts
) -> list[Measure]:
    """At which tokens do the models differ? Three scores against where something was taught."""
    base, copy = plain("atlas"), plain(tuned)
    said = [m.logits_after(-1, m.embed(texts.tokens))[:, 1:].flatten(0, 1) for m in (copy, base)]
    scores = {
        "kl": ("KL of the two predictions", kl(*said)),
        "stream": ("norm of the difference of the streams", (x[:, 1] - x[:, 0]).norm(dim=-1)),
        "latents": (
            "norm of the difference that latents write",
            (x_hat[:, 1] - x_hat[:, 0]).norm(dim=-1),
        ),
    }
    return [
        number(
            f"auroc_{name}",
            f"finds where they say other things: {words}, AUROC",
            auroc(score, there),
            0.01,
        )
        for name, (words, score) in scores.items()
    ]


def number(name: str, meaning: str, value: float, tolerance: float) -> Measure:
    """A measure without a goal."""
    return Measure(name=name, meaning=meaning, value=value, tolerance=tolerance)
