"""Chapter 04, taking parts out: `ablations`."""

from __future__ import annotations

import torch

from mi_tutor.lab.patching.removing import ablate_head
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style
from mi_tutor.teach.exercises.making import and_near_zero, normal


def _cases(g: torch.Generator) -> list[Case]:
    # no prompt takes its own value, none simply its neighbour's, and "to" is not "of"
    others = {
        4: torch.tensor([2, 0, 3, 1]),
        5: torch.tensor([2, 4, 1, 0, 3]),
        12: torch.tensor([5, 2, 7, 0, 9, 11, 4, 10, 3, 1, 8, 6])[torch.arange(12).roll(1)],
    }
    settings = [
        ("zero", (4, 5, 3, 2), 1, "zero"),
        ("resample, the last of twelve heads", (12, 4, 12, 3), 11, "resample"),
        ("mean", (4, 12, 3, 2), 2, "mean"),
        ("resample", (4, 5, 3, 2), 0, "resample"),
        ("mean, as many prompts as positions", (4, 4, 4, 4), 3, "mean"),
        ("resample, as many prompts as heads", (5, 4, 5, 3), 1, "resample"),
    ]
    return [
        Case(
            label=label,
            inputs={
                "z": 2 + normal(g, *shape),
                "head": head,
                "how": how,
                "others": others[shape[0]],
            },
        )
        for label, shape, head, how in settings
    ]


def _made(zero=None, mean=None, resample=None):
    """The right function with another branch. Each branch: (z, head, others) -> what the head's z becomes."""
    branches = {
        "zero": zero or (lambda z, head, others: torch.zeros_like(z[:, :, head])),
        "mean": mean or (lambda z, head, others: z[:, :, head].mean(dim=0, keepdim=True)),
        "resample": resample or (lambda z, head, others: z[others, :, head]),
    }

    def answer(z, head, how, others):
        new = z.clone()
        new[:, :, head] = branches[how](z, head, others)
        return new

    return answer


def _by_mask(z, head, how, others):
    this = (torch.arange(z.shape[2]) == head)[:, None]
    if how == "zero":
        return z * ~this
    value = z.mean(dim=0).expand_as(z) if how == "mean" else z[others]
    return torch.where(this, value, z)


def _by_loop(z, head, how, others):
    new = z.detach().clone()
    mean = sum(z[i, :, head] for i in range(len(z))) / len(z)
    for i, other in enumerate(others.tolist()):
        value = {"zero": 0 * mean, "mean": mean, "resample": z[other, :, head]}[how]
        new[i, :, head] = value
    return new


def _in_place(z, head, how, others):
    z[:, :, head] = ablate_head(z, head, how, others)[:, :, head]
    return z


def _all_heads(z, head, how, others):
    return torch.stack([ablate_head(z, h, how, others)[:, :, h] for h in range(z.shape[2])], dim=2)


def _position_axis(z, head, how, others):
    new = z.clone()
    new[:, head] = {"zero": 0 * z, "mean": z.mean(dim=0, keepdim=True), "resample": z[others]}[how][
        :, head
    ]
    return new


def _whole_prompts(z, head, how, others):
    return z[others] if how == "resample" else ablate_head(z, head, how, others)


def _last_position(z, head, how, others):
    new = z.clone()
    new[:, -1, head] = ablate_head(z, head, how, others)[:, -1, head]
    return new


ABLATIONS = Exercise(
    slug="ablations",
    title="Three ways to take a head out",
    chapter="04",
    points=2,
    minutes=8,
    difficulty=2,
    objective="Replace one head's output by zero, by its mean, or by its value on another prompt: three different questions.",
    cases=and_near_zero(_cases, "z", zero_rows=("z",)),
    reference=ablate_head,
    styles=(
        Style(name="one branch each, on a clone", right=_made()),
        Style(name="a mask", right=_by_mask),
        Style(name="a loop over prompts", right=_by_loop),
    ),
    mistakes=(
        Mistake(
            name="mean over positions",
            wrong=_made(mean=lambda z, head, others: z[:, :, head].mean(dim=1, keepdim=True)),
            sentence="Your mean is over positions of the same prompt. It still knows this prompt. Take it over PROMPTS, position by position.",
        ),
        Mistake(
            name="one mean for all positions",
            wrong=_made(mean=lambda z, head, others: z[:, :, head].mean(dim=(0, 1))),
            sentence="Your mean is over prompts and positions together. What a head usually says depends on the place: one mean per position.",
        ),
        Mistake(
            name="mean over heads",
            wrong=_made(mean=lambda z, head, others: z.mean(dim=2)),
            sentence="Your mean is over heads. Take this head's mean over prompts.",
        ),
        Mistake(
            name="one mean for all coordinates",
            wrong=_made(mean=lambda z, head, others: z[:, :, head].mean(dim=-1, keepdim=True)),
            sentence="You averaged the coordinates of the head's vector. Its mean over prompts is a vector, too.",
        ),
        Mistake(
            name="resampled from itself",
            wrong=_made(resample=lambda z, head, others: z[:, :, head]),
            sentence="Your resampled head has its own value: nothing changed. Prompt i takes the value of prompt others[i].",
        ),
        Mistake(
            name="resampled the other way round",
            wrong=_made(resample=lambda z, head, others: z[others.argsort(), :, head]),
            sentence="You send each prompt's value TO others[i]. Prompt i takes the value OF prompt others[i].",
        ),
        Mistake(
            name="resampled over positions",
            wrong=_made(resample=lambda z, head, others: z[:, :, head].roll(1, dims=1)),
            sentence="You moved the head's values to other positions of the same prompt. They come from another PROMPT, at the same position.",
        ),
        Mistake(
            name="resampled from the prompt before",
            wrong=_made(resample=lambda z, head, others: z[:, :, head].roll(1, dims=0)),
            sentence="You take the value of the prompt before. Which prompt it comes from is said by `others`.",
        ),
        Mistake(
            name="whole prompts resampled",
            wrong=_whole_prompts,
            sentence="Your resampled prompts have the other prompt's value in ALL heads. Only the head asked for changes.",
        ),
        Mistake(
            name="the position axis",
            wrong=_position_axis,
            sentence="Your index falls on the position axis: `[:, head]` is one position of all heads. The axes are [prompt pos head d_head].",
        ),
        Mistake(
            name="mean subtracted",
            wrong=_made(
                mean=lambda z, head, others: z[:, :, head] - z[:, :, head].mean(dim=0, keepdim=True)
            ),
            sentence="You subtract the mean, which leaves just what is particular to this prompt. Put the mean in its place.",
        ),
        Mistake(
            name="changed in place",
            wrong=_in_place,
            sentence="The result is right, but you changed `z` itself: the next experiment would start from an ablated activation. Clone it first.",
        ),
        Mistake(
            name="all heads",
            wrong=_all_heads,
            sentence="You ablate every head. Only the one asked for changes.",
        ),
        Mistake(
            name="only at the last position",
            wrong=_last_position,
            sentence="You ablate the head at the last position only. Do it at all positions.",
        ),
    ),
    hints=(
        "Clone z, then set `new[:, :, head]`; it has the axes [prompt pos d_head].",
        "The mean over prompts keeps positions: `z[:, :, head].mean(dim=0)`. For resample, `z[others, :, head]`.",
    ),
)
