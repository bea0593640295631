"""Chapter 08, known and unknown people: `told-apart`."""

from __future__ import annotations

import torch

from mi_tutor.lab.biology import area, told_apart
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style, Tolerance
from mi_tutor.teach.exercises.making import normal


def _cases(g: torch.Generator) -> list[Case]:
    """Half of the people are in no fold's majority; scores tie where activations are whole numbers."""
    settings = [
        ("two folds", 2, 12, 6, torch.float32, False),
        ("three folds of different sizes", 3, 9, 4, torch.float32, False),
        ("many ties", 2, 16, 2, torch.float32, True),
        ("twelve folds, numbered with gaps", 12, 5, 12, torch.float32, False),
        ("float64, one dimension", 2, 14, 1, torch.float64, True),
    ]
    cases = []
    for label, n_folds, each, d, dtype, whole in settings:
        sizes = [each + (i if n_folds == 3 else 0) for i in range(n_folds)]
        folds = torch.cat([torch.full((n,), 5 * i) for i, n in enumerate(sizes)])
        # A third is known, at least one in each fold, and not the same share in each.
        known = torch.cat([torch.arange(n) % (3 if i % 2 else 4) == 1 for i, n in enumerate(sizes)])
        x = normal(g, len(folds), d, dtype=dtype) + 0.6 * known[:, None].to(dtype)
        x = x + 2 * normal(g, n_folds, d, dtype=dtype)[folds // 5]  # folds differ in what all share
        if whole:
            x = x.round()
        order = torch.randperm(len(folds), generator=g)
        inputs = {"activations": x[order], "known": known[order], "folds": folds[order]}
        cases.append(Case(label=label, inputs=inputs))
    return cases


def _told(
    fit=lambda here: ~here,
    direction=lambda x, known: x[known].mean(dim=0) - x[~known].mean(dim=0),
    score=area,
    each=lambda areas, sizes: torch.stack(areas).mean(),
):
    """An answer with one thing done otherwise."""

    def answer(activations, known, folds):
        areas, sizes = [], []
        for fold in folds.unique():
            here = folds == fold
            some = fit(here)
            d = direction(activations[some], known[some])
            areas.append(score(activations[here] @ d, known[here]))
            sizes.append(int(here.sum()))
        return each(areas, sizes)

    return answer


def _by_ranks(activations, known, folds):
    """The area from ranks (Mann and Whitney), ties with their mean rank."""
    found = []
    for fold in folds.unique().tolist():
        here = folds == fold
        x, k = activations[~here], known[~here]
        scores = activations[here] @ (x[k].mean(0) - x[~k].mean(0))
        lower = (scores[None] < scores[:, None]).sum(dim=1)
        same = (scores[None] == scores[:, None]).sum(dim=1)
        ranks = lower + (same + 1) / 2
        n = int(known[here].sum())
        m = int(here.sum()) - n
        found.append((ranks[known[here]].sum() - n * (n + 1) / 2) / (n * m))
    return sum(found) / len(found)


def _by_loops(activations, known, folds):
    areas = []
    for fold in folds.unique():
        inside = [i for i in range(len(folds)) if folds[i] == fold]
        outside = [i for i in range(len(folds)) if folds[i] != fold]
        yes = torch.stack([activations[i] for i in outside if known[i]]).mean(dim=0)
        no = torch.stack([activations[i] for i in outside if not known[i]]).mean(dim=0)
        score = {i: float((activations[inside] @ (yes - no))[n]) for n, i in enumerate(inside)}
        wins, n = 0.0, 0
        for i in inside:
            for j in inside:
                if known[i] and not known[j]:
                    wins += 1.0 if score[i] > score[j] else 0.5 if score[i] == score[j] else 0.0
                    n += 1
        areas.append(wins / n)
    return torch.tensor(sum(areas) / len(areas))


def _pooled(activations, known, folds):
    scores = torch.zeros(len(folds), dtype=activations.dtype)
    for fold in folds.unique():
        here = folds == fold
        x, k = activations[~here], known[~here]
        scores[here] = activations[here] @ (x[k].mean(dim=0) - x[~k].mean(dim=0))
    return area(scores, known)


def _accuracy(scores, known):
    return ((scores > scores.mean()) == known).float().mean()


def _ties_lost(scores, known):
    return (scores[known][:, None] > scores[~known]).float().mean()


def _ties_won(scores, known):
    return (scores[known][:, None] >= scores[~known]).float().mean()


TOLD_APART = Exercise(
    slug="told-apart",
    title="Known or not, of people it has not seen",
    chapter="08",
    points=3,
    minutes=20,
    difficulty=3,
    objective="Ask whether a direction stands for “known”, of people that it was not made from.",
    cases=_cases,
    reference=told_apart,
    tolerance=Tolerance(rtol=1e-4, atol=1e-4),
    styles=(
        Style(name="by ranks", right=_by_ranks),
        Style(name="loops over pairs of people", right=_by_loops),
    ),
    mistakes=(
        Mistake(
            name="made from everybody",
            wrong=_told(fit=torch.ones_like),
            sentence="Your direction is made from everybody, also from those who are then told apart by it. In many dimensions that "
            "works for any two groups. The people of the fold have to be left out.",
        ),
        Mistake(
            name="made from the fold itself",
            wrong=_told(fit=lambda here: here),
            sentence="You make the direction from the very fold that you score. It is the other way round: made from the others, asked "
            "of the fold.",
        ),
        Mistake(
            name="scores of all folds compared",
            wrong=_pooled,
            sentence="You compare scores of different folds. They are along different directions, and their zeros differ. An area "
            "within each fold, then the mean.",
        ),
        Mistake(
            name="accuracy at a threshold",
            wrong=_told(score=_accuracy),
            sentence="You count who is on the right side of a threshold. Asked is how often a known person's score is above a "
            "stranger's, which needs no threshold.",
        ),
        Mistake(
            name="ties lost",
            wrong=_told(score=_ties_lost),
            sentence="A tie counts nothing with you. Where all scores are equal nothing is told apart, and that is 0.5: a tie is a half.",
        ),
        Mistake(
            name="ties won",
            wrong=_told(score=_ties_won),
            sentence="A tie counts as a success with you. Where all scores are equal you would say 1. A tie is a half.",
        ),
        Mistake(
            name="strangers above",
            wrong=_told(direction=lambda x, known: x[~known].mean(dim=0) - x[known].mean(dim=0)),
            sentence="Your direction leads from known people to strangers, so what is told apart well comes out near 0.",
        ),
        Mistake(
            name="weighted by size",
            wrong=_told(
                each=lambda areas, sizes: (
                    (torch.stack(areas) * torch.tensor(sizes)).sum() / sum(sizes)
                )
            ),
            sentence="You weight folds by their number of prompts. Each fold counts once.",
        ),
        Mistake(
            name="first fold only",
            wrong=_told(each=lambda areas, sizes: areas[0]),
            sentence="You return one fold's area. Everybody should be left out once; then the mean.",
        ),
        Mistake(
            name="the best fold",
            wrong=_told(each=lambda areas, sizes: torch.stack(areas).max()),
            sentence="You return the best fold's area. Chosen by its result, a fold is no longer a test; take the mean.",
        ),
    ),
    hints=(
        "One fold at a time: `here = folds == fold`. Two things happen to the others, and two to the fold.",
        "From the others comes a direction, mean(known) - mean(strangers). Along it everybody in the fold has a score.",
        "`scores[known][:, None] - scores[~known]` has every known person beside every stranger. Where it is 0 count a half.",
    ),
)
