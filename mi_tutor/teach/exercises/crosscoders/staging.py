"""Chapter 09: `stage-diff`: when did training change what? Difference in differences between stages."""

from __future__ import annotations

import torch
from torch import Tensor

from mi_tutor.lab.crosscoders import stage_diff
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style
from mi_tutor.teach.exercises.making import normal


def _cases(g: torch.Generator) -> list[Case]:
    settings = [
        ("several stages, many more controls", 5, 4, 9, 3, torch.float32),
        ("before and after", 2, 3, 5, 2, torch.float32),
        ("one changed prompt, one quantity", 4, 1, 6, 1, torch.float32),
        ("one control", 3, 7, 1, 2, torch.float32),
        ("more than ten of each, double precision", 12, 14, 11, 11, torch.float64),
    ]
    cases = []
    for label, n_stages, n_changed, n_control, n_quantities, dtype in settings:
        n = n_changed + n_control
        changed = torch.zeros(n, dtype=torch.bool)
        changed[torch.randperm(n, generator=g)[:n_changed]] = True
        y = 0.5 * normal(g, n_stages, n, n_quantities, dtype=dtype)
        drift = normal(g, n_stages, 1, n_quantities, dtype=dtype)
        rise = normal(g, n_stages, n_quantities, dtype=dtype)
        rise[-1] = rise[0] + 4  # there is a whole to take shares of, not over in one direction
        y = y + 3 * drift + changed[None, :, None] * rise[:, None]
        cases.append(Case(label=label, inputs={"y": y, "changed": changed}))
    falls = dict(cases[0].inputs)
    falls["y"] = -1.5 * falls["y"].transpose(0, 1).contiguous().transpose(0, 1)
    small = dict(cases[0].inputs)
    small["y"] = 3e-4 * small["y"]
    return [
        *cases,
        Case(label="quantities that fall, not contiguous", inputs=falls),
        Case(label="small quantities", inputs=small),
    ]


def _groups(y: Tensor, changed: Tensor) -> tuple[Tensor, Tensor]:
    return y[:, changed].mean(dim=1), y[:, ~changed].mean(dim=1)


def _of(apart=lambda taught, control: taught - control, groups=_groups):
    """With another gap between the two kinds."""

    def wrong(y, changed):
        gap = apart(*groups(y, changed))
        since = gap - gap[0]
        return gap.diff(dim=0), since / since[-1]

    return wrong


def _shares(reached):
    """With other shares of the right steps."""

    def wrong(y, changed):
        taught, control = _groups(y, changed)
        steps = (taught - control).diff(dim=0)
        return steps, reached(steps, taught - control)

    return wrong


def _step_by_step(y, changed):
    steps = []
    for s in range(len(y) - 1):
        moved = y[s + 1] - y[s]
        steps.append(moved[changed].mean(dim=0) - moved[~changed].mean(dim=0))
    steps = torch.stack(steps)
    behind = torch.cat([torch.zeros_like(steps[:1]), steps.cumsum(dim=0)])
    return steps, behind / steps.sum(dim=0)


def _by_weights(y, changed):
    w = changed.to(y) / changed.sum() - (~changed).to(y) / (~changed).sum()
    gap = torch.einsum("spq,p->sq", y, w)
    return gap[1:] - gap[:-1], (gap - gap[0]) / (gap[-1] - gap[0])


def _since_the_start(y, changed):
    taught, control = _groups(y, changed)
    gap = taught - control
    since = gap - gap[0]
    return since[1:], since / since[-1]


STAGE_DIFF = Exercise(
    slug="stage-diff",
    title="When did it change?",
    chapter="09",
    points=3,
    minutes=20,
    difficulty=3,
    optional=True,
    objective="Take the drift of control prompts off what changed between stages, and say how much of the way each stage has come.",
    cases=_cases,
    reference=lambda y, changed: tuple(stage_diff(y, changed)),
    styles=(
        Style(name="step by step", right=_step_by_step),
        Style(name="one weight for each prompt", right=_by_weights),
    ),
    mistakes=(
        Mistake(
            name="no control",
            wrong=_of(lambda taught, control: taught),
            sentence="This is how the changed prompts moved. Other prompts moved as well while the copy was trained: take their movement off.",
        ),
        Mistake(
            name="control added",
            wrong=_of(lambda taught, control: taught + control),
            sentence="You add the drift of the control prompts where it has to come off.",
        ),
        Mistake(
            name="against all prompts",
            wrong=_of(groups=lambda y, changed: (y[:, changed].mean(dim=1), y.mean(dim=1))),
            sentence="You compare with the mean of all prompts, the changed ones among them: a part of the change is taken off itself.",
        ),
        Mistake(
            name="sums",
            wrong=_of(groups=lambda y, changed: (y[:, changed].sum(dim=1), y[:, ~changed].sum(dim=1))),
            sentence="You add up over prompts, and there are more of one kind than of the other. Compare means.",
        ),
        Mistake(
            name="the other way round",
            wrong=_of(lambda taught, control: control - taught),
            sentence="Your sign is the other way round: what changed prompts do more than control prompts is positive.",
        ),
        Mistake(
            name="since the start",
            wrong=_since_the_start,
            sentence="Your steps are all counted from the first stage. Each is between one stage and the next.",
        ),
        Mistake(
            name="medians",
            wrong=_of(groups=lambda y, changed: (y[:, changed].median(dim=1).values, y[:, ~changed].median(dim=1).values)),
            sentence="You take medians over prompts. The text asks for means.",
        ),
        Mistake(
            name="of the largest",
            wrong=_shares(lambda steps, gap: (gap - gap[0]) / (gap - gap[0]).abs().max(dim=0).values),
            sentence="Your shares are of the largest difference on the way. They are of the whole, so that the last stage has 1, whatever came between.",
        ),
        Mistake(
            name="the gap at the start left in",
            wrong=_shares(lambda steps, gap: gap / gap[-1]),
            sentence="In your shares the two kinds' difference at the first stage is still there. It was there before training: the first stage has 0.",
        ),
        Mistake(
            name="of the sizes of the steps",
            wrong=_shares(
                lambda steps, gap: torch.cat([torch.zeros_like(steps[:1]), steps.abs().cumsum(dim=0)]) / steps.abs().sum(dim=0)
            ),
            sentence="You add up the steps' sizes. A step back takes something off what was reached.",
        ),
    ),
    hints=(
        "At each stage one number for each quantity: mean over changed prompts minus mean over control prompts.",
        "A step is how that number moves from one stage to the next: `.diff(dim=0)`.",
        "The steps up to a stage add up to its number minus the first stage's. Divide by the last stage's.",
    ),
)  # fmt: skip
