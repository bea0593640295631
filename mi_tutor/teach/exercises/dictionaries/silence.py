"""Chapter 02, dead latents: `dead-latents`."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from mi_tutor.lab import dictionaries as lab
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style
from mi_tutor.teach.exercises.making import and_near_zero, uniform


def _silence_cases(g: torch.Generator) -> list[Case]:
    def case(label, batch, n_latents, share, highest=5000):
        latents = uniform(g, batch, n_latents) * (uniform(g, batch, n_latents) < share)
        latents[:, 0] = 0  # one that is silent, one that is always on
        latents[:, 1] = 0.5 + uniform(g, batch)
        silent = torch.randint(1, highest, (n_latents,), generator=g)
        return Case(label=label, inputs={"silent": silent, "latents": latents})

    return [
        case("16 samples, rare latents", 16, 12, 0.05),
        case("a batch of 1", 1, 8, 0.3),
        case("as many samples as latents", 10, 10, 0.1),
        case("dense latents", 6, 9, 0.6),
    ]


def _silence(fired: Callable, then: Callable) -> Callable:
    return lambda silent, latents: torch.where(fired(latents), *then(silent, latents))


def _fired(latents: Tensor) -> Tensor:
    return (latents > 0).any(dim=0)


def _silence_loop(silent, latents):
    counts = []
    for i in range(latents.shape[1]):
        on = any(float(value) > 0 for value in latents[:, i])
        counts.append(0 if on else int(silent[i]) + latents.shape[0])
    return torch.tensor(counts)


def _in_place(silent, latents):
    silent += len(latents)
    silent[_fired(latents)] = 0
    return silent


def _trailing(silent, latents):
    """Samples since the last one in which it was on."""
    counts = silent.clone()
    for row in latents:
        counts = torch.where(row > 0, 0, counts + 1)
    return counts


DEAD_LATENTS = Exercise(
    slug="dead-latents",
    title="How long has it been silent?",
    chapter="02",
    points=2,
    minutes=5,
    difficulty=2,
    objective="Count for how many samples each latent has been silent, so that dead ones can be told from rare ones.",
    cases=and_near_zero(_silence_cases, positive=("latents",), zero_rows=("latents",)),
    reference=lab.count_silence,
    styles=(
        Style(name="a loop over latents", right=_silence_loop),
        Style(
            name="multiplied by 0 or 1",
            right=lambda silent, latents: (silent + len(latents)) * (latents.amax(dim=0) <= 0),
        ),
        Style(
            name="masked_fill, int32",
            right=lambda silent, latents: (
                (silent + latents.shape[0])
                .masked_fill(latents.count_nonzero(dim=0) > 0, 0)
                .to(torch.int32)
            ),
        ),
    ),
    mistakes=(
        Mistake(
            name="latents in place of samples",
            wrong=lambda silent, latents: torch.where(
                _fired(latents), 0, silent + latents.shape[1]
            ),
            sentence="A silent latent's count grows by the number of latents in yours. It counts samples: `latents` is [sample latent].",
        ),
        Mistake(
            name="over one batch",
            wrong=_silence(_fired, lambda s, f: (torch.zeros_like(s), torch.full_like(s, len(f)))),
            sentence="You forget what was before this batch: `silent` does not come in. Over one batch almost every rare latent looks dead.",
        ),
        Mistake(
            name="silent or not",
            wrong=lambda silent, latents: ~_fired(latents),
            sentence="You say which latents were silent in this batch. The exercise asks for HOW LONG: samples in a row, over all batches.",
        ),
        Mistake(
            name="counts batches",
            wrong=_silence(_fired, lambda s, f: (torch.zeros_like(s), s + 1)),
            sentence="You count batches. Count samples, or the window would mean something else for every batch size.",
        ),
        Mistake(
            name="never starts again",
            wrong=lambda silent, latents: silent + len(latents),
            sentence="Your count rises for latents that were on, too. One that is on anywhere in the batch starts again at 0.",
        ),
        Mistake(
            name="a rest that stays",
            wrong=_silence(_fired, lambda s, f: (s, s + len(f))),
            sentence="A latent that was on keeps its old count in yours. It starts again at 0.",
        ),
        Mistake(
            name="on in every sample",
            wrong=_silence(
                lambda f: (f > 0).all(dim=0), lambda s, f: (torch.zeros_like(s), s + len(f))
            ),
            sentence="You start again at 0 only if the latent is on in EVERY sample of the batch. Once is enough.",
        ),
        Mistake(
            name="silent samples added up",
            wrong=lambda silent, latents: silent + (latents <= 0).sum(dim=0),
            sentence="You add up all silent samples ever. A latent that is on now and then would be dead in the end: start again at 0 when it is on.",
        ),
        Mistake(
            name="since the last time",
            wrong=_trailing,
            sentence="You count from the last sample in which it was on, within the batch. That is finer than needed, and a batch has no order "
            "anyway: on anywhere in the batch means 0.",
        ),
        Mistake(
            name="samples in place of latents",
            wrong=lambda silent, latents: torch.where(
                (latents > 0).any(dim=1), 0, silent + len(latents)
            ),
            sentence="You ask of each SAMPLE whether any latent was on. Ask of each latent: the batch is the first axis. (With as many samples as "
            "latents the shapes do not complain.)",
        ),
        Mistake(
            name="counts how often it is on",
            wrong=lambda silent, latents: silent + (latents > 0).sum(dim=0),
            sentence="You count in how many samples it was ON. The question is for how long it has been off.",
        ),
        Mistake(
            name="in place",
            wrong=_in_place,
            sentence="The counts are right, but the tensor that you were given has changed too. Here return a new one.",
        ),
    ),
    hints=(
        "For each latent: was it on anywhere in the batch? The batch is the first axis.",
        "If so 0, otherwise its old count plus the number of samples: `torch.where`.",
    ),
)
