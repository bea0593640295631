"""Chapter 02, how many latents does a concept need? `feature-splitting`."""

from __future__ import annotations

import functools
from collections.abc import Callable

import torch
from torch import Tensor

from mi_tutor.lab import dictionaries as lab
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style
from mi_tutor.teach.exercises.dictionaries.thresholds import f1_of
from mi_tutor.teach.exercises.making import uniform


def split(on: Tensor, there: Tensor, gain: float) -> tuple[list[int], list[float]]:
    """Latents added one by one while the next one raises F1 enough."""
    found = lab.feature_splitting(on, there, gain, most=on.shape[1])
    return found.latents, found.f1


def _three_ways(g: torch.Generator, n: int = 400) -> tuple[Tensor, Tensor]:
    there = uniform(g, n) < 0.3
    which = torch.where(uniform(g, n) < 0.5, 1, torch.where(uniform(g, n) < 0.6, 4, 6))
    on = uniform(g, n, 9) < 0.03
    for latent in (1, 4, 6):
        on[:, latent] = (there & (which == latent)) | (uniform(g, n) < 0.01)
    return on, there


def _one_is_enough(g: torch.Generator, n: int = 300) -> tuple[Tensor, Tensor]:
    there = uniform(g, n) < 0.3
    on = uniform(g, n, 8) < 0.1
    on[:, 5] = there ^ (uniform(g, n) < 0.02)
    return on, there


def _copies(g: torch.Generator, n: int = 300) -> tuple[Tensor, Tensor]:
    """The two best alone are nearly the same: the second adds nothing, a weaker one does."""
    there = uniform(g, n) < 0.4
    half = uniform(g, n) < 0.6
    on = uniform(g, n, 6) < 0.02
    on[:, 0] = on[:, 3] = there & half
    on[int(on[:, 3].nonzero()[0]), 3] = False  # or either could be the first
    on[:, 4] = there & ~half & (uniform(g, n) < 0.8)
    return on, there


def _everywhere(g: torch.Generator, n: int = 300) -> tuple[Tensor, Tensor]:
    """One that is always on has full recall and adds nothing but noise."""
    there = uniform(g, n) < 0.2
    on = uniform(g, n, 5) < 0.02
    on[:, 2] = True
    on[:, 1] = there & (uniform(g, n) < 0.8)
    return on, there


def _in_parts(
    g: torch.Generator, n_parts: int, false: float, n: int = 500
) -> tuple[Tensor, Tensor]:
    """A concept whose tokens are shared out among latents, and three latents more."""
    there = uniform(g, n) < 0.4
    which = torch.randint(n_parts, (n,), generator=g)
    on = uniform(g, n, n_parts + 3) < false
    parts = [6, 1, 3, 0, 4, *range(7, n_parts + 2)]
    on[:, parts] |= there[:, None] & (which[:, None] == torch.arange(n_parts))
    return on, there


def _counted(
    g: torch.Generator, n: int, n_there: int, n_latents: int, *spans: tuple[int, int, int]
) -> tuple[Tensor, Tensor]:
    """The concept is at the first `n_there` tokens, each latent on at its spans (latent, begin, end); then mixed."""
    there = torch.arange(n) < n_there
    on = torch.zeros(n, n_latents, dtype=torch.bool)
    for latent, begin, end in spans:
        on[begin:end, latent] = True
    order = torch.randperm(n, generator=g)
    return on[order], there[order]


def _split_cases(g: torch.Generator) -> list[Case]:
    # F1 goes from 2/3 by 0.23 to 0.90: a third more, and less than 0.28 more.
    two_parts = _counted(g, 200, 100, 4, (2, 0, 50), (0, 50, 82), (1, 82, 90))
    # The second best alone repeats most of the best one; the third one is what it lacks.
    a_better_partner = _counted(g, 400, 200, 4, (1, 0, 120), (3, 40, 140), (0, 130, 200))
    # F1 goes from exactly 1/2 to exactly 5/8, in whatever way it is computed.
    at_the_bar = _counted(g, 256, 64, 3, (2, 0, 24), (2, 64, 72), (0, 24, 40), (0, 72, 88))
    settings = [
        ("a concept in three parts", _three_ways(g), 0.03),
        ("one latent is enough", _one_is_enough(g), 0.03),
        ("two copies, and a part of its own", _copies(g), 0.05),
        ("one that is always on", _everywhere(g), 0.03),
        ("a high bar", two_parts, 0.28),
        ("the second best is not the best partner", a_better_partner, 0.05),
        ("the second helps by exactly as much as it has to", at_the_bar, 0.125),
        ("a concept in five parts", _in_parts(g, 5, 0.01), 0.03),
        ("a concept in twelve parts", _in_parts(g, 12, 0.0), 0.01),
    ]
    return [
        Case(label=label, inputs={"on": on, "there": there, "gain": gain})
        for label, (on, there), gain in settings
    ]


def _greedy(score: Callable, enough: Callable | None = None) -> Callable:
    """One by one, the one that makes `score` of all together largest; with F1 of all together reported."""
    enough = enough or (lambda new, old, gain: new >= old + gain)

    def answer(on, there, gain):
        chosen, scores, covered = [], [], None
        while len(chosen) < on.shape[1]:
            together = [column if covered is None else covered | column for column in on.T]
            best = max(range(len(together)), key=lambda i: score(together[i], on[:, i], there))
            new = f1_of(together[best], there)
            if chosen and not enough(new, scores[-1], gain):
                break
            chosen.append(best)
            scores.append(new)
            covered = together[best]
        return chosen, scores

    return answer


def _ranked_alone(on, there, gain, skip=False):
    """The latents by their own F1; at one that helps too little it ends, or goes on with the next (`skip`)."""
    order = sorted(range(on.shape[1]), key=lambda i: -f1_of(on[:, i], there))
    chosen, scores, covered = [], [], torch.zeros_like(there)
    for i in order:
        new = f1_of(covered | on[:, i], there)
        if not chosen or new >= scores[-1] + gain:
            chosen, scores, covered = [*chosen, i], [*scores, new], covered | on[:, i]
        elif not skip:
            break
    return chosen, scores


def _own_scores(on, there, gain):
    chosen, _ = split(on, there, gain)
    return chosen, [f1_of(on[:, i], there) for i in chosen]


def _together(said, alone, there):
    return f1_of(said, there)


FEATURE_SPLITTING = Exercise(
    slug="feature-splitting",
    title="One concept, several latents",
    chapter="02",
    points=3,
    minutes=10,
    difficulty=3,
    objective="See whether a concept is split: add latents one by one, as long as the next one helps.",
    cases=_split_cases,
    reference=split,
    styles=(
        Style(name="a function for the score", right=_greedy(_together)),
        Style(
            name="all sums at once",
            right=lambda on, there, gain: _greedy(
                lambda said, alone, t: 2 * int((said & t).sum()) / (int(said.sum()) + int(t.sum()))
            )(on, there, gain),
        ),
    ),
    mistakes=(
        Mistake(
            name="ranked alone",
            wrong=_ranked_alone,
            sentence="You go through the latents by their OWN F1. The next one should be the one that helps most together with those chosen: a copy of "
            "the first helps nothing.",
        ),
        Mistake(
            name="ranked alone, some skipped",
            wrong=functools.partial(_ranked_alone, skip=True),
            sentence="You try the latents in the order of their OWN F1 and skip those that help too little. In each round look at all of them, and take the "
            "one that helps most together with those chosen.",
        ),
        Mistake(
            name="scores of their own",
            wrong=_own_scores,
            sentence="Your latents are right, and your scores are those of each latent alone. Give the F1 of “at least one of these is on” after each.",
        ),
        Mistake(
            name="no end",
            wrong=_greedy(_together, enough=lambda new, old, gain: new > old),
            sentence="You go on as long as F1 rises at all. Stop when the next latent raises it by less than `gain`.",
        ),
        Mistake(
            name="a share in place of a difference",
            wrong=_greedy(_together, enough=lambda new, old, gain: new >= old * (1 + gain)),
            sentence="You compare a ratio: F1 has to rise BY gain, not by that share of itself.",
        ),
        Mistake(
            name="more than gain",
            wrong=_greedy(_together, enough=lambda new, old, gain: new > old + gain),
            sentence="You stop where the next latent raises F1 by exactly `gain`. At least `gain` is enough.",
        ),
        Mistake(
            name="exchanged",
            wrong=lambda on, there, gain: split(on, there, gain)[::-1],
            sentence="Your two lists are exchanged: first the latents, then the F1 after each.",
        ),
        Mistake(
            name="one too many",
            wrong=lambda on, there, gain: (lambda every, n: (every[0][: n + 1], every[1][: n + 1]))(
                _greedy(_together, enough=lambda new, old, gain: True)(on, there, gain),
                len(split(on, there, gain)[0]),
            ),
            sentence="You have one latent too many: the last one raises F1 by less than `gain`. Look before you add it.",
        ),
        Mistake(
            name="by recall",
            wrong=_greedy(lambda said, alone, there: lab.score_a_label(said, there).recall),
            sentence="You add what raises RECALL most, and so a latent that is nearly always on. F1 asks for precision, too.",
        ),
        Mistake(
            name="only the first",
            wrong=lambda on, there, gain: tuple(part[:1] for part in split(on, there, gain)),
            sentence="Only one latent comes back where several share the concept. Its parts are on at different tokens, so ONE of the chosen latents "
            "being on is enough; if all of them had to be, no second one would ever help.",
        ),
        Mistake(
            name="F1 of each addition",
            wrong=lambda on, there, gain: (
                lambda latents, f1: (latents, [b - a for a, b in zip([0.0, *f1], f1, strict=False)])
            )(*split(on, there, gain)),
            sentence="Your scores are how much each latent adds. Give the F1 that is reached after each.",
        ),
    ),
    hints=(
        "Keep a mask of the tokens where at least one chosen latent is on. At first it is empty.",
        "Each round: for every latent the F1 of (mask or this latent). Take the best; stop if there are chosen ones already and it adds less than "
        "`gain`.",
        "The first one is added whatever its F1 is. Return two lists: the latents in order, and the F1 after each.",
    ),
)
