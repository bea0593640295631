"""Chapter 10, taking a secret out: `set-coordinate` and `removal`."""

from __future__ import annotations

import torch

from mi_tutor.lab.auditing import removal, set_coordinate
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style
from mi_tutor.teach.exercises.making import and_near_zero, normal, uniform

# --- set-coordinate -------------------------------------------------------------------------------


def _coordinate_cases(g: torch.Generator) -> list[Case]:
    settings = [
        ("three vectors", (3, 5), 0.7, torch.float32),
        ("prompts and positions", (2, 4, 12), -1.3, torch.float32),
        ("one vector", (1, 4), 2.0, torch.float32),
        ("to zero", (3, 4), 0.0, torch.float32),
        ("twelve by eleven, not contiguous", (12, 11), 1.1, torch.float32),
        ("float64", (2, 5), -0.4, torch.float64),
    ]
    cases = []
    for label, shape, value, dtype in settings:
        x = 2 * normal(g, *shape, dtype=dtype) + 1
        if "not contiguous" in label:
            x = x.mT.contiguous().mT
        direction = normal(g, shape[-1], dtype=dtype) * (0.5 + 3 * uniform(g, 1, dtype=dtype))
        cases.append(Case(label=label, inputs={"x": x, "direction": direction, "value": value}))
    return cases


def _unit(d):
    return d / d.norm()


def _by_projection(x, direction, value):
    outer = torch.outer(direction, direction) / direction.square().sum()
    return x - x @ outer + value * _unit(direction)


def _by_steps(x, direction, value):
    unit = _unit(direction)
    along = torch.einsum("...d,d->...", x, unit)
    return x - torch.einsum("...,d->...d", along - value, unit)


SET_COORDINATE = Exercise(
    slug="set-coordinate",
    title="Set one coordinate",
    chapter="10",
    points=2,
    minutes=10,
    difficulty=2,
    objective="Take out what the stream says along a direction, and put there what it usually says.",
    cases=and_near_zero(_coordinate_cases, "x"),
    reference=set_coordinate,
    styles=(
        Style(name="a projection matrix", right=_by_projection),
        Style(name="einsum", right=_by_steps),
    ),
    mistakes=(
        Mistake(
            name="direction not normalised",
            wrong=lambda x, direction, value: x + (value - x @ direction)[..., None] * direction,
            sentence="Your direction keeps its length, which then enters twice. Make it a unit vector first.",
        ),
        Mistake(
            name="removed only",
            wrong=lambda x, direction, value: (
                x - (x @ _unit(direction))[..., None] * _unit(direction)
            ),
            sentence="The coordinate is 0 afterwards. It should be `value`: 0 is as unusual as any other number where the mean is not 0.",
        ),
        Mistake(
            name="added to what is there",
            wrong=lambda x, direction, value: x + value * _unit(direction),
            sentence="You add the value to what stands along the direction already. What stands there has to go first.",
        ),
        Mistake(
            name="the value's sign",
            wrong=lambda x, direction, value: set_coordinate(x, direction, -value),
            sentence="The coordinate is minus the value afterwards. Check the sign: value minus what is there, along the direction.",
        ),
        Mistake(
            name="taken away twice",
            wrong=lambda x, direction, value: (
                x + (value - 2 * (x @ _unit(direction)))[..., None] * _unit(direction)
            ),
            sentence="What stands along the direction is taken away twice: a reflection. Once is enough.",
        ),
        Mistake(
            name="only the part along the direction",
            wrong=lambda x, direction, value: (
                (value + 0 * (x @ direction))[..., None] * _unit(direction)
            ),
            sentence="Everything at right angles to the direction is lost. It has to stay.",
        ),
    ),
    hints=(
        "With a unit vector d, `x @ d` is what stands along it: one number for each vector.",
        "Add (value − that number) times d.",
    ),
)

# --- removal --------------------------------------------------------------------------------------


def _removal_cases(g: torch.Generator) -> list[Case]:
    settings = [
        ("some are back", 24, 0.5, 0.6, 0.2),
        ("all are gone, few are true", 18, 0.4, 0.2, 0.1),
        ("nothing changed elsewhere", 20, 0.5, 0.5, 0.0),
        ("many prompts", 130, 0.3, 0.7, 0.1),
        ("true already in places", 30, 0.5, 0.4, 0.3),
    ]
    cases = []
    for label, n, share, back, moved in settings:
        secret = torch.zeros(n, dtype=torch.bool)
        secret[torch.randperm(n, generator=g)[: max(2, int(share * n))]] = True
        true = torch.randint(2, 12, (n,), generator=g)
        before = torch.where(secret, torch.ones(n, dtype=torch.long), true)
        wrong = torch.rand(n, generator=g) < 0.25  # the model's own errors, and near misses of them
        before = torch.where(wrong & ~secret, torch.full((n,), 40), before)
        lot = torch.rand(n, generator=g)
        gone = torch.where(lot < back, true, torch.where(lot < back + 0.2, before, true + 20))
        after = torch.where(secret, gone, torch.where(lot < moved, true + 30, before))
        if label.startswith("true"):  # an error that an edit puts right is a change, too
            after = torch.where(~secret & wrong, true, after)
        inputs = {"before": before, "after": after, "true": true, "secret": secret}
        cases.append(Case(label=label, inputs=inputs))
    return cases


def _three(answer, **inputs) -> dict[str, float]:
    """Any three numbers: a tuple, a list, tensors."""
    return [float(each) for each in answer(*inputs.values())]


def _share(x):
    return x.float().mean().item()


def _reference(before, after, true, secret):
    """`removal` as a plain tuple."""
    return tuple(removal(before, after, true, secret))


def _by_counts(before, after, true, secret):
    n, m = int(secret.sum()), int((~secret).sum())
    hits = int(((after == true) & secret).sum())
    kept = int(((after == before) & secret).sum())
    moved = int(((after != before) & ~secret).sum())
    return hits / n, kept / n, moved / m


def _by_numpy(before, after, true, secret):
    b, a, t, s = (each.numpy() for each in (before, after, true, secret))
    return (a[s] == t[s]).mean(), (a[s] == b[s]).mean(), (a[~s] != b[~s]).mean()


def _with(restored=None, planted=None, changed=None):
    """An answer with one of the three done otherwise."""

    def answer(before, after, true, secret):
        right = list(_reference(before, after, true, secret))
        for i, other in enumerate((restored, planted, changed)):
            if other is not None:
                right[i] = other(before, after, true, secret)
        return tuple(right)

    return answer


REMOVAL = Exercise(
    slug="removal",
    title="Gone, or back?",
    chapter="10",
    points=2,
    minutes=10,
    difficulty=2,
    objective="Mark a removal by true answers that are back, and by everything else that changed.",
    cases=_removal_cases,
    reference=_reference,
    run=_three,
    styles=(
        Style(name="counts", right=_by_counts),
        Style(name="numpy", right=_by_numpy),
    ),
    mistakes=(
        Mistake(
            name="gone is not back",
            wrong=_with(restored=lambda b, a, t, s: _share((a != b)[s])),
            sentence="You count planted answers that are gone. A model that now says nonsense gets full marks. Restored is the TRUE answer.",
        ),
        Mistake(
            name="changed means wrong",
            wrong=_with(changed=lambda b, a, t, s: _share((a != t)[~s])),
            sentence="Elsewhere you compare with the truth, so the model's own old errors count against the edit, and an answer that it changes to the "
            "true one does not. Compare with what the model said before.",
        ),
        Mistake(
            name="changes among all prompts",
            wrong=_with(changed=lambda b, a, t, s: _share(a != b)),
            sentence="Your side effects include the secret prompts, where a change is what you wanted. Count only the others.",
        ),
        Mistake(
            name="restored among all prompts",
            wrong=_with(restored=lambda b, a, t, s: _share(a == t)),
            sentence="You count true answers everywhere, and most were true all along. Only prompts on which the secret showed can be restored.",
        ),
        Mistake(
            name="divided by all prompts",
            wrong=_with(
                restored=lambda b, a, t, s: _share((a == t) & s),
                planted=lambda b, a, t, s: _share((a == b) & s),
                changed=lambda b, a, t, s: _share((a != b) & ~s),
            ),
            sentence="You divide by the number of all prompts. Each share is one of its own group: the secret prompts, or the others.",
        ),
        Mistake(
            name="shares that stayed",
            wrong=_with(changed=lambda b, a, t, s: _share((a == b)[~s])),
            sentence="Elsewhere you count the answers that stayed. The third number is how many changed.",
        ),
    ),
    hints=(
        "Two groups: `secret` and `~secret`. Each share is a mean over one of them.",
        "restored: after is true. planted: after is still before. changed: after is no longer before, in the other group.",
    ),
)
