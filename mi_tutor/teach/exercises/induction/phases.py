"""Chapter 03, while it is learned: `in-context-score` and `phase-change`."""

from __future__ import annotations

import torch
from torch import Tensor

from mi_tutor.lab.ground.metrics import in_context_score
from mi_tutor.lab.induction.texts import phase_change
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style, Tolerance
from mi_tutor.teach.exercises.making import uniform

# --- in-context-score -----------------------------------------------------------------------------


def _score_cases(g: torch.Generator) -> list[Case]:
    settings = [
        ("a falling loss", 12, 14, 2, 12, -0.3),
        ("one row", 1, 14, 11, 13, -0.2),
        ("a loss that rises", 4, 7, 1, 5, 0.4),
    ]
    return [
        Case(
            label=label,
            inputs={
                "loss": 5 + slope * torch.arange(n_pos) + uniform(g, n_rows, n_pos),
                "early": early,
                "late": late,
            },
        )
        for label, n_rows, n_pos, early, late, slope in settings
    ]


IN_CONTEXT_SCORE = Exercise(
    slug="in-context-score",
    title="How much does the context help?",
    chapter="03",
    points=1,
    minutes=3,
    difficulty=1,
    objective="Put a model's use of its context into one number: loss late minus loss early.",
    cases=_score_cases,
    reference=in_context_score,
    tolerance=Tolerance(rtol=1e-4, atol=1e-5),
    styles=(
        Style(
            name="the means first",
            right=lambda loss, early, late: loss[:, late].mean() - loss[:, early].mean(),
        ),
        Style(
            name="a loop and a Python number",
            right=lambda loss, early, late: (
                sum(float(row[late] - row[early]) for row in loss) / len(loss)
            ),
        ),
    ),
    mistakes=(
        Mistake(
            name="early minus late",
            wrong=lambda loss, early, late: -in_context_score(loss, early, late),
            sentence="Your sign is turned round: late minus early, so that a context which helps gives a NEGATIVE score.",
        ),
        Mistake(
            name="ratio",
            wrong=lambda loss, early, late: (loss[:, late] / loss[:, early]).mean(),
            sentence="You divide. The score is a difference, in nats.",
        ),
        Mistake(
            name="mean of a range",
            wrong=lambda loss, early, late: loss[:, late:].mean() - loss[:, : early + 1].mean(),
            sentence="You average over ranges of positions. The score compares two single positions.",
        ),
        Mistake(
            name="one position further",
            wrong=lambda loss, early, late: in_context_score(loss.roll(-1, 1), early, late),
            sentence="You are one position too far on both sides. `early` and `late` are entries of `loss` as they stand.",
        ),
        Mistake(
            name="one score per row",
            wrong=lambda loss, early, late: loss[:, late] - loss[:, early],
            sentence="You keep one score per row. Average over rows: one number.",
        ),
    ),
    hints=("`loss` is [row pos]: take the column `late` and the column `early`.",),
)

# --- phase-change ---------------------------------------------------------------------------------


def _phase_cases(g: torch.Generator) -> list[Case]:
    def case(label: str, steps: list[int], values: Tensor) -> Case:
        return Case(label=label, inputs={"steps": steps, "values": values})

    steps = [0, 10, 30, 100, 300, 700, 1000, 1400, 2000]
    fall = torch.tensor([5.6, 5.5, 5.3, 4.9, 4.6, 4.4, 1.2, 0.4, 0.3])
    rise = torch.tensor([0.0, 0.02, 0.05, 0.1, 0.75, 0.9, 0.93, 0.97, 0.98])
    dip = torch.tensor([1.0, 1.1, 1.5, 1.3, 3.1, 2.9, 3.0, 2.1, 1.8])
    noise = 0.02 * uniform(g, len(steps))
    early, late = list(range(0, 120, 10)), torch.arange(12) * 0.05 + 2.0 * (torch.arange(12) == 11)
    return [
        case("a loss that falls", steps, fall + noise),
        case("a score that rises", steps, rise + noise),
        case("up and down again", steps, dip + noise),
        case("other steps", [5, 6, 9, 50, 60], torch.tensor([0.3, 0.2, 2.2, 2.9, 2.8]) + noise[:5]),
        case("twelve checkpoints, the first jump is the largest", early, late.flip(0)),
        case("negative values, the last jump is the largest", early, late - 3),
        case("from below 0 to above", early, 4 * (late > 2.2) + late - 5),
    ]


def _steepest(
    steps, values, change=lambda d, s: d.abs(), whole=lambda v: v.max() - v.min(), shift=0
):
    jumps = values.diff()
    i = int(change(jumps, torch.tensor(steps).diff()).argmax())
    return steps[i + shift], steps[i + 1 + shift], float(jumps[i].abs() / whole(values))


def _phase_by_loop(steps, values):
    numbers = values.tolist()
    best = max(range(len(numbers) - 1), key=lambda i: abs(numbers[i + 1] - numbers[i]))
    share = abs(numbers[best + 1] - numbers[best]) / (max(numbers) - min(numbers))
    return steps[best], steps[best + 1], share


PHASE_CHANGE = Exercise(
    slug="phase-change",
    title="Find the phase change",
    chapter="03",
    points=2,
    minutes=6,
    difficulty=2,
    objective="Find in the checkpoints where a curve changes most, and how much of the whole change lies there.",
    cases=_phase_cases,
    reference=phase_change,
    view=lambda value, steps, values: {
        "the step before": int(value[0]),
        "the step after": int(value[1]),
        "the share": float(value[2]),
    },
    tolerance=Tolerance(rtol=1e-3, atol=2e-4),
    styles=(
        Style(name="a loop", right=_phase_by_loop),
        Style(name="diff and argmax, a list", right=lambda *given: list(_steepest(*given))),
        Style(
            name="tensors",
            right=lambda steps, values: tuple(torch.tensor(x) for x in _steepest(steps, values)),
        ),
    ),
    mistakes=(
        Mistake(
            name="numbers of checkpoints",
            wrong=lambda steps, values: _steepest(list(range(len(steps))), values),
            sentence="You return the NUMBERS of the checkpoints (0, 1, 2, ...). Asked for are their training steps.",
        ),
        Mistake(
            name="only falls",
            wrong=lambda steps, values: _steepest(steps, values, lambda d, s: -d),
            sentence="You look for the largest fall. A score rises: take the size of the change, whichever way it goes.",
        ),
        Mistake(
            name="only rises",
            wrong=lambda steps, values: _steepest(steps, values, lambda d, s: d),
            sentence="You look for the largest rise. A loss falls: take the size of the change, whichever way it goes.",
        ),
        Mistake(
            name="per step",
            wrong=lambda steps, values: _steepest(steps, values, lambda d, s: d.abs() / s),
            sentence="You divide by the number of steps in between. Checkpoints lie ever further apart on purpose; here it is the change from one "
            "to the next that counts.",
        ),
        Mistake(
            name="one checkpoint late",
            wrong=lambda steps, values: _steepest([*steps, steps[-1] + 1], values, shift=1),
            sentence="You are one checkpoint late: entry i of the differences lies between checkpoint i and checkpoint i + 1.",
        ),
        Mistake(
            name="share of first minus last",
            wrong=lambda steps, values: _steepest(
                steps, values, whole=lambda v: (v[-1] - v[0]).abs()
            ),
            sentence="You divide by the difference of the first and the last value. The whole change is from the lowest to the highest: a curve "
            "can come back.",
        ),
        Mistake(
            name="share of the highest value",
            wrong=lambda steps, values: _steepest(steps, values, whole=lambda v: v.max()),
            sentence="You divide by the highest value. The whole change is the highest minus the lowest.",
        ),
        Mistake(
            name="the change itself",
            wrong=lambda steps, values: _steepest(steps, values, whole=lambda v: 1.0),
            sentence="Your third number is the change itself. Its share of the whole change has no unit and lies between 0 and 1.",
        ),
    ),
    hints=(
        "`values.diff()` has one entry less than `values`. Between which two checkpoints does entry i lie?",
        "Take the sizes, `.abs()`, then `argmax`. Then look the steps up.",
    ),
)
