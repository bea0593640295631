"""Chapter 02, neurons or latents? `neurons-vs-latents`."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from mi_tutor.lab import dictionaries as lab
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style
from mi_tutor.teach.exercises.making import and_near_zero, normal, uniform


def best_threshold(activation: Tensor, there: Tensor) -> tuple[float, float]:
    """The threshold above which a unit says a concept best, and its F1 there."""
    f1, threshold = lab.best_f1(activation[:, None], there[:, None])
    return threshold.item(), f1.item()


def f1_of(said: Tensor, there: Tensor) -> float:
    return lab.score_a_label(said, there).f1


def _threshold_cases(g: torch.Generator) -> list[Case]:
    def neuron(n, gap, p_there=0.15):
        there = uniform(g, n) < p_there
        there[0], there[1] = True, False
        return normal(g, n) + gap * there, there

    def common(n=90):
        """A concept on most tokens, and a unit that knows nothing of it: saying it everywhere would win."""
        there = uniform(g, n) < 0.7
        unit = normal(g, n)
        there[unit.argmin()] = True
        return unit, there

    def upside_down(n=120):
        """A unit that is low where the concept is."""
        unit, there = neuron(n, 2.5, p_there=0.3)
        return -unit, there

    def one_token(n=80):
        """A concept on one token, where the unit is highest."""
        unit = normal(g, n)
        return unit, torch.arange(n) == int(unit.argmax())

    def heavy_tail(n=200):
        """A few values are so large that evenly spaced thresholds miss all the others."""
        unit, there = neuron(n, 1.5, p_there=0.4)
        return torch.exp(3 * unit), there

    below, there_below = neuron(120, 2.5)
    latent, there_latent = neuron(150, 3.0)
    steps, there_steps = neuron(200, 1.5)
    settings = [
        ("a neuron that tells them apart", *neuron(90, 8.0)),
        ("a neuron that overlaps", *neuron(150, 1.5)),
        ("a neuron that is negative throughout", below - 12.0, there_below),
        ("a latent: mostly 0", torch.relu(latent - 0.8), there_latent),
        ("values that occur many times", (2 * steps).round() / 2, there_steps),
        ("a rare concept", *neuron(300, 2.0, p_there=0.02)),
        ("a common concept, and a unit that does not know it", *common()),
        ("a unit that is low where the concept is", *upside_down()),
        ("a concept on one token", *one_token()),
        ("a unit with a few very large values", *heavy_tail()),
        ("a unit with very small values", 2e-4 * latent, there_latent),
        ("a dead unit", torch.zeros(40), torch.arange(40) % 3 == 0),
    ]
    return [Case(label=label, inputs={"activation": a, "there": t}) for label, a, t in settings]


def _threshold_view(value, activation: Tensor, there: Tensor) -> dict[str, float]:
    """Many thresholds part the tokens in the same way, so the F1 that yours gives is compared."""
    threshold, f1 = value
    return {"the F1": f1, "the F1 with your threshold": f1_of(activation > float(threshold), there)}


def _try_all(tried: Callable, score: Callable = f1_of, over: Callable = torch.gt) -> Callable:
    """The best of some thresholds."""

    def answer(activation, there):
        candidates = [t for t in tried(activation).tolist() if not over(activation, t).all()]
        best = max(candidates, key=lambda t: score(over(activation, t), there))
        return best, f1_of(over(activation, best), there)

    return answer


def _at(choose: Callable) -> Callable:
    def answer(activation, there):
        threshold = float(choose(activation, there))
        return threshold, f1_of(activation > threshold, there)

    return answer


def _by_counts(activation, there, nowhere=0.0):
    """nowhere: the F1 where values are equal, so that there is no threshold."""
    order = activation.argsort(descending=True)
    right = there[order].cumsum(0)
    said = torch.arange(1, len(order) + 1)
    f1 = 2 * right / (said + there.sum())
    values = activation[order]
    last_of_its_value = torch.cat([values[1:] < values[:-1], torch.tensor([False])])
    f1 = torch.where(last_of_its_value, f1, nowhere)
    best = f1.argmax()
    next_lower = values[min(int(best) + 1, len(values) - 1)]
    return (values[best] + next_lower) / 2, f1[best]


def _dead_unit_wrong(activation, there):
    """As it should be, but for a unit whose values are all equal."""
    if activation.min() < activation.max():
        return best_threshold(activation, there)
    return activation[0], f1_of(torch.arange(len(there)) < 1, there)


def _everywhere_too(activation, there):
    """A threshold below all values counts as well."""
    best = best_threshold(activation, there)
    below = float(activation.min()) - 1.0
    return max(best, (below, f1_of(activation > below, there)), key=lambda pair: pair[1])


def _both_ways(activation, there):
    """The unit and its negative."""
    return max((best_threshold(a, there) for a in (activation, -activation)), key=lambda b: b[1])


def _last_said(activation, there):
    """The lowest value that is said, as a threshold for >=."""
    threshold, f1 = best_threshold(activation, there)
    return activation[activation > threshold].min().item(), f1


def _ties_parted(activation, there):
    """As if equal values could be told apart, the concept's first."""
    order = sorted(range(len(there)), key=lambda i: (-float(activation[i]), not bool(there[i])))
    best, at, right = 0.0, 0, 0
    for n_said, i in enumerate(order, start=1):
        right += bool(there[i])
        f1 = 2 * right / (n_said + int(there.sum()))
        if f1 > best:
            best, at = f1, i
    return float(activation[at]) - 1e-4, best


def _accuracy(said: Tensor, there: Tensor) -> float:
    return (said == there).double().mean().item()


NEURONS_VS_LATENTS = Exercise(
    slug="neurons-vs-latents",
    title="A fair threshold",
    chapter="02",
    points=3,
    minutes=12,
    difficulty=3,
    objective="Give every unit its best chance: find the threshold above which it says a concept best, so that neurons and latents can be compared.",
    cases=and_near_zero(_threshold_cases, "activation"),
    reference=best_threshold,
    view=_threshold_view,
    styles=(
        Style(name="every value as a threshold", right=_try_all(lambda a: a)),
        Style(name="counts of what is above, threshold between two values", right=_by_counts),
    ),
    mistakes=(
        Mistake(
            name="above 0",
            wrong=_at(lambda a, t: 0.0),
            sentence="Your threshold is 0. That is right for a latent, which is off at 0; a neuron is hardly ever 0, and may be negative throughout.",
        ),
        Mistake(
            name="above its mean",
            wrong=_at(lambda a, t: a.mean()),
            sentence="Your threshold is the unit's mean. Which threshold is best depends on where the concept is: try all of its values.",
        ),
        Mistake(
            name="halfway between the two means",
            wrong=_at(lambda a, t: (a[t].mean() + a[~t].mean()) / 2),
            sentence="You cut halfway between the two means. For a rare concept the best cut lies higher: try all values.",
        ),
        Mistake(
            name="as many as carry the concept",
            wrong=_at(lambda a, t: a.sort(descending=True).values[int(t.sum())]),
            sentence="You say it as often as the concept is there. The best F1 may lie at a higher or a lower threshold: try all values.",
        ),
        Mistake(
            name="the best accuracy",
            wrong=_try_all(lambda a: a, score=_accuracy),
            sentence="You choose the threshold by accuracy, and where a concept is rare, saying nothing at all is nearly perfect. Choose by F1.",
        ),
        Mistake(
            name="a few thresholds",
            wrong=_try_all(lambda a: a.quantile(torch.linspace(0, 1, 11))),
            sentence="You try a few thresholds only, and for a rare concept the best one lies between them. Every value of the unit can be one.",
        ),
        Mistake(
            name="a dead unit that says something",
            wrong=_dead_unit_wrong,
            sentence="A unit whose values are all EQUAL, such as a dead one, says nothing above any of them: its F1 is 0.",
        ),
        Mistake(
            name="evenly spaced thresholds",
            wrong=_try_all(lambda a: torch.linspace(float(a.min()), float(a.max()), 200)[:-1]),
            sentence="Your thresholds are evenly spaced, and where a few values are very large all the others lie between two of them. Try the unit's own "
            "values.",
        ),
        Mistake(
            name="equal values parted",
            wrong=_ties_parted,
            sentence="Your F1 is not what your threshold gives: tokens with EQUAL values are all said or none of them. Count only where the next value is "
            "lower.",
        ),
        Mistake(
            name="the lowest that carries it",
            wrong=_at(lambda a, t: a[t].min() - 1e-4),
            sentence="You say it wherever the unit is as high as on ANY token of the concept: full recall, at the price of precision.",
        ),
        Mistake(
            name="the highest that does not carry it",
            wrong=_at(lambda a, t: a[~t].max()),
            sentence="You never say it where it is not: full precision, at the price of recall.",
        ),
        Mistake(
            name="everywhere counts",
            wrong=_everywhere_too,
            sentence="For a common concept your threshold lies below all values: it says the concept EVERYWHERE. That is no knowledge of the unit's, "
            "and does not count here.",
        ),
        Mistake(
            name="upside down too",
            wrong=_both_ways,
            sentence="You try the unit upside down as well. Asked is what it says where it is ABOVE a threshold; a unit that is low where the concept is "
            "marks it badly.",
        ),
        Mistake(
            name="at least the threshold",
            wrong=_last_said,
            sentence="Your threshold leaves out the tokens that have exactly this value: above means >, not >=. Any number between this value and the "
            "next lower one will do.",
        ),
        Mistake(
            name="order exchanged",
            wrong=lambda activation, there: best_threshold(activation, there)[::-1],
            sentence="Your pair is exchanged: first the threshold, then the F1.",
        ),
    ),
    hints=(
        "Only the unit's own values matter as thresholds: between two of them nothing changes. Say “here” where activation > threshold.",
        "The simple way tries every value and takes the best F1. The fast way sorts downwards: said is 1, 2, 3, …, and right is a cumulative sum.",
        "Equal values: all or none. And a threshold below all values says “here” everywhere, which does not count.",
    ),
)
