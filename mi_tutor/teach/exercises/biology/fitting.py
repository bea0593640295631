"""Chapter 08, planning: `what-fits`."""

from __future__ import annotations

import torch

from mi_tutor.lab.biology import fitting
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style


def _fit_cases(g: torch.Generator) -> list[Case]:
    settings = [
        ("one prompt, one target, one blank", 1, 1, 1, 2, 5),
        ("three blanks", 4, 2, 3, 3, 6),
        ("words that go with several plans", 8, 3, 3, 4, 4),
        ("twelve plans, eleven targets", 12, 11, 2, 12, 20),
        ("as many blanks as plans", 6, 3, 3, 3, 8),
    ]
    cases = []
    for label, n, n_targets, n_blanks, n_plans, vocab in settings:
        plans = torch.randint(n_plans, (n,), generator=g)
        draw = torch.rand(n, n_plans, generator=g).scatter(1, plans[:, None], 2.0)
        cases.append(
            Case(
                label=label,
                inputs={
                    "written": torch.randint(vocab, (n, n_targets, n_blanks), generator=g),
                    "plans": plans,
                    "targets": draw.argsort(dim=1)[:, :n_targets],
                    "goes_with": torch.rand(n_blanks, n_plans, vocab, generator=g) < 0.5,
                },
            )
        )
    return cases


def _lookup(written, which, goes_with):
    """goes_with[blank, which plan, written], by broadcasting. which: [prompt target], or [prompt 1]."""
    return goes_with[torch.arange(written.shape[-1]), which[..., None], written]


def _fits_by_loops(written, plans, targets, goes_with):
    found = torch.zeros_like(written, dtype=torch.bool)
    for i, t, b in torch.cartesian_prod(*map(torch.arange, written.shape)).view(-1, 3).tolist():
        word = written[i, t, b]
        found[i, t, b] = goes_with[b, targets[i, t], word] and not goes_with[b, plans[i], word]
    return found


def _fits_by_gather(written, plans, targets, goes_with):
    def look(which):  # [prompt target]
        rows = goes_with.permute(1, 0, 2)[which]  # [prompt target blank vocab]
        return rows.gather(-1, written[..., None]).squeeze(-1)

    return look(targets) & ~look(plans[:, None].expand_as(targets))


WHAT_FITS = Exercise(
    slug="what-fits",
    title="What fits",
    chapter="08",
    points=2,
    minutes=12,
    difficulty=3,
    objective="Count a word as followed only where it tells the new plan from the old one.",
    cases=_fit_cases,
    reference=fitting,
    styles=(
        Style(name="loops", right=_fits_by_loops),
        Style(name="gather", right=_fits_by_gather),
    ),
    mistakes=(
        Mistake(
            name="own plan not asked",
            wrong=lambda written, plans, targets, goes_with: _lookup(written, targets, goes_with),
            sentence="A word that goes with the prompt's own plan as well would have been right without any swap. It shows nothing, so it "
            "does not count.",
        ),
        Mistake(
            name="target not asked",
            wrong=lambda written, plans, targets, goes_with: (
                ~_lookup(written, plans[:, None].expand_as(targets), goes_with)
            ),
            sentence="You count every word that the own plan would not have. A broken line has many of those: it also has to go with "
            "the target.",
        ),
        Mistake(
            name="own and target exchanged",
            wrong=lambda written, plans, targets, goes_with: (
                _lookup(written, plans[:, None].expand_as(targets), goes_with)
                & ~_lookup(written, targets, goes_with)
            ),
            sentence="You count words of the prompt's own plan that the target does not have: what stayed, not what followed.",
        ),
        Mistake(
            name="either",
            wrong=lambda written, plans, targets, goes_with: (
                _lookup(written, targets, goes_with)
                | ~_lookup(written, plans[:, None].expand_as(targets), goes_with)
            ),
            sentence="Both have to hold at once: it goes with the target, and it does not go with the own plan.",
        ),
        Mistake(
            name="one table for all blanks",
            wrong=lambda written, plans, targets, goes_with: _fits_by_gather(
                written, plans, targets, goes_with[:1].expand_as(goes_with)
            ),
            sentence="You look every blank up in the first one's table. A verb and a noun have tables of their own.",
        ),
        Mistake(
            name="any blank's table",
            wrong=lambda written, plans, targets, goes_with: _fits_by_gather(
                written, plans, targets, goes_with.any(dim=0, keepdim=True).expand_as(goes_with)
            ),
            sentence="A word counts for you if it goes with a plan in ANY blank. Blank b has to be looked up in `goes_with[b]`.",
        ),
        Mistake(
            name="whole lines",
            wrong=lambda written, plans, targets, goes_with: fitting(
                written, plans, targets, goes_with
            ).all(dim=-1),
            sentence="You put the blanks of a line together. Asked is each blank for itself, [prompt target blank]: we want to see whether "
            "the middle of a line follows as well as its end.",
        ),
    ),
    hints=(
        "Two questions for each written word: does it go with the target's plan in this blank, and does it with the own plan?",
        "`goes_with[b, plan, word]` is one look-up. Index tensors that broadcast to [prompt target blank] make all of them at once.",
        "`torch.arange(n_blanks)` is [blank], `targets[..., None]` is [prompt target 1], `plans[:, None, None]` is [prompt 1 1].",
    ),
)
