"""Chapter 05, how much it takes: `dose-response`."""

from __future__ import annotations

import numpy as np
import torch

from mi_tutor.lab.swaps import answer_fates
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style
from mi_tutor.teach.exercises.making import normal


def _dose_cases(g: torch.Generator) -> list[Case]:
    settings = [
        ("four strengths, many prompts", 4, 30, 7, torch.float32),
        ("one strength", 1, 12, 5, torch.float32),
        ("as many strengths as prompts", 12, 12, 12, torch.float32),
        ("double precision", 3, 17, 9, torch.float64),
    ]
    cases = []
    for label, n_strengths, n, vocab, dtype in settings:
        own = torch.randint(vocab, (n,), generator=g)
        wanted = (own + torch.randint(1, vocab, (n,), generator=g)) % vocab
        logits = normal(g, n_strengths, n, vocab, dtype=dtype)
        rows = torch.arange(n)
        for i in range(n_strengths):  # from the own answer to the wanted one
            logits[i, rows, own] += 2.5 - 2.5 * i / n_strengths
            logits[i, rows, wanted] += 0.4 + 2.0 * i / n_strengths
        cases.append(Case(label=label, inputs={"logits": logits, "own": own, "wanted": wanted}))
    return cases


def _dose_by_loop(logits, own, wanted):
    rows = []
    for at_strength in logits:
        counts = [0, 0, 0]
        for scores, a, b in zip(at_strength, own.tolist(), wanted.tolist(), strict=True):
            best = int(scores.argmax())
            counts[0 if best == a else 1 if best == b else 2] += 1
        rows.append([count / len(own) for count in counts])
    return torch.tensor(rows, dtype=logits.dtype)


def _dose_by_topk(logits, own, wanted):
    best = logits.topk(1, dim=-1).indices[..., 0]
    stays = torch.eq(best, own[None]).to(logits).mean(dim=1)
    follows = torch.eq(best, wanted[None]).to(logits).mean(dim=1)
    return torch.stack([stays, follows, 1 - stays - follows], dim=1)


def _dose_by_numpy(logits, own, wanted):
    best = logits.numpy().argmax(axis=-1)
    stays, follows = best == own.numpy(), best == wanted.numpy()
    fates = [stays.mean(axis=1), follows.mean(axis=1), (~(stays | follows)).mean(axis=1)]
    return torch.from_numpy(np.stack(fates, axis=-1))


def _between_two(logits, own, wanted):
    rows = torch.arange(len(own))
    follows = (logits[:, rows, wanted] > logits[:, rows, own]).to(logits).mean(dim=1)
    return torch.stack([1 - follows, follows, torch.zeros_like(follows)], dim=-1)


def _fates(change):
    return lambda logits, own, wanted: change(answer_fates(logits, own, wanted))


def _neither_is_not_following(fates):
    return torch.stack([fates[:, 0], fates[:, 1], 1 - fates[:, 1]], dim=-1)


DOSE_RESPONSE = Exercise(
    slug="dose-response",
    title="Dose and response",
    chapter="05",
    points=1,
    minutes=8,
    difficulty=2,
    objective="Say how the answer depends on the strength of an intervention, and keep “something else” apart from “the target's”.",
    cases=_dose_cases,
    reference=answer_fates,
    dtype="any",
    styles=(
        Style(name="a loop", right=_dose_by_loop),
        Style(name="topk", right=_dose_by_topk),
        Style(name="numpy", right=_dose_by_numpy),
    ),
    mistakes=(
        Mistake(
            name="only these two compared",
            wrong=_between_two,
            sentence="You only ask which of the two answers has the larger logit, so “neither” never happens. Compare each with the model's FIRST "
            "guess among all tokens.",
        ),
        Mistake(
            name="columns exchanged",
            wrong=_fates(lambda fates: fates[:, [1, 0, 2]]),
            sentence="The first two columns are exchanged: first the share that keeps its own answer, then the share that follows.",
        ),
        Mistake(
            name="neither is all that does not follow",
            wrong=_fates(_neither_is_not_following),
            sentence="Your third column contains the answers that stayed, too. The three shares should add up to 1.",
        ),
        Mistake(
            name="counts",
            wrong=lambda logits, own, wanted: answer_fates(logits, own, wanted) * len(own),
            sentence="These are counts. Shares are counts divided by the number of prompts.",
        ),
        Mistake(
            name="fates first",
            wrong=_fates(lambda fates: fates.T),
            sentence="Your axes are [fate strength]. Asked is [strength fate]: one row per strength.",
        ),
        Mistake(
            name="all strengths together",
            wrong=_fates(lambda fates: fates.mean(dim=0)),
            sentence="You average over strengths as well. How the answer depends on the strength is what we want to see: one row for each.",
        ),
        Mistake(
            name="among the first three guesses",
            wrong=lambda logits, own, wanted: torch.stack(
                [
                    (logits.topk(3, dim=-1).indices == token[:, None]).any(-1).to(logits).mean(1)
                    for token in (own, wanted)
                ]
                + [
                    (
                        ~(logits.topk(3, dim=-1).indices == own[:, None]).any(-1)
                        & ~(logits.topk(3, dim=-1).indices == wanted[:, None]).any(-1)
                    )
                    .to(logits)
                    .mean(1)
                ],
                dim=-1,
            ),
            sentence="You look among several best guesses, so one prompt can count twice. The answer is the single most likely token.",
        ),
    ),
    hints=(
        "`logits.argmax(dim=-1)` is [strength prompt]: the answers.",
        "Two comparisons make two truth tables. The third is where neither holds: `~a & ~b`.",
        "Mean over prompts, then `torch.stack` with the three fates as the last axis.",
    ),
)
