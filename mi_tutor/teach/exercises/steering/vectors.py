"""Chapter 07: `steer-vector`."""

from __future__ import annotations

import torch

from mi_tutor.lab.steering import mean_difference
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style, Tolerance
from mi_tutor.teach.exercises.making import and_near_zero, normal, strided, uniform


def _case(g: torch.Generator, label: str, shape: tuple[int, int, int], rare: float = 0.4) -> Case:
    """Activations with a large common part, a concept, and chosen places; some places are in neither."""
    rows, pos, d_model = shape
    x = normal(g, rows, pos, d_model) + 5 * normal(g, d_model)
    concept, chosen = uniform(g, rows, pos) < rare, uniform(g, rows, pos) < 0.6
    concept[0, :4] = torch.tensor([True, False, True, False])
    chosen[0, :4] = torch.tensor([True, True, False, False])
    x[concept] += 2 * normal(g, d_model)
    return Case(label=label, inputs={"activations": x, "concept": concept, "chosen": chosen})


def _cases(g: torch.Generator) -> list[Case]:
    made = [
        _case(g, "three texts", (3, 12, 5)),
        _case(g, "one text", (1, 14, 6)),
        _case(g, "a concept that is rare", (12, 12, 11), rare=0.05),
        _case(g, "texts, tokens and dimensions of one number", (12, 12, 12)),
    ]
    double = {k: v.double() if v.is_floating_point() else v for k, v in made[0].inputs.items()}
    apart = made[2].inputs | {"activations": strided(made[2].inputs["activations"])}
    return [
        *made,
        Case(label="in double precision", inputs=double),
        Case(label="activations that are not contiguous", inputs=apart),
    ]


def _means(x, concept, chosen):
    return x[chosen & concept].mean(0), x[chosen & ~concept].mean(0)


def _by_loop(activations, concept, chosen):
    sides = {True: [], False: []}
    for row in range(activations.shape[0]):
        for p in range(activations.shape[1]):
            if chosen[row, p]:
                sides[bool(concept[row, p])].append(activations[row, p])
    return sum(sides[True]) / len(sides[True]) - sum(sides[False]) / len(sides[False])


def _by_einsum(activations, concept, chosen):
    weights = []
    for places in (chosen & concept, chosen & ~concept):
        weights.append(places.to(activations) / places.sum())
    return torch.einsum("rp, rpd -> d", weights[0] - weights[1], activations)


def _mean_of_texts(activations, concept, chosen):
    def mean(places):
        rows = [x[here].mean(0) for x, here in zip(activations, places, strict=True) if here.any()]
        return torch.stack(rows).mean(0)

    return mean(chosen & concept) - mean(chosen & ~concept)


def _normalised(*inputs):
    vector = mean_difference(*inputs)
    return vector / vector.norm()


STEER_VECTOR = Exercise(
    slug="steer-vector",
    title="A steering vector",
    chapter="07",
    points=2,
    minutes=10,
    difficulty=2,
    objective="Make a steering vector from labelled texts: what activations have where the concept is, and not elsewhere.",
    cases=and_near_zero(_cases, "activations"),
    reference=mean_difference,
    tolerance=Tolerance(rtol=1e-4, atol=1e-5),
    styles=(
        Style(name="loops", right=_by_loop),
        Style(name="weights and einsum", right=_by_einsum),
    ),
    mistakes=(
        Mistake(
            name="not centred",
            wrong=lambda x, concept, chosen: _means(x, concept, chosen)[0],
            sentence="This is the mean where the concept is. Most of it is what all activations have in common, so adding it pushes "
            "every text the same way. What is left when the others' mean is taken off?",
        ),
        Mistake(
            name="wrong sign",
            wrong=lambda x, concept, chosen: -mean_difference(x, concept, chosen),
            sentence="The sign is turned round: this vector leads away from the concept.",
        ),
        Mistake(
            name="normalised",
            wrong=_normalised,
            sentence="You scaled the vector to length 1. Its length is the unit of strength: added once, it leads from one mean to the "
            "other. Keep it.",
        ),
        Mistake(
            name="minus the mean of all",
            wrong=lambda x, concept, chosen: _means(x, concept, chosen)[0] - x[chosen].mean(0),
            sentence="You take off the mean of ALL chosen places, and those with the concept are among them: the vector is too short, the "
            "more so the more frequent the concept is.",
        ),
        Mistake(
            name="all places",
            wrong=lambda x, concept, chosen: x[concept].mean(0) - x[~concept].mean(0),
            sentence="You take all tokens. Only the chosen places count: elsewhere something else is being decided.",
        ),
        Mistake(
            name="others everywhere",
            wrong=lambda x, concept, chosen: (
                x[chosen & concept].mean(0) - x[~(chosen & concept)].mean(0)
            ),
            sentence="The first mean is over chosen places, the second over all the rest. So the difference also says what makes a place "
            "a chosen one: both means should be over chosen places.",
        ),
        Mistake(
            name="mean of texts' means",
            wrong=_mean_of_texts,
            sentence="You take a mean in each text first, and then the mean of those: a place counts more in a text that has few. Each "
            "place counts once.",
        ),
    ),
    hints=(
        "Two sets of places. Which tokens belong to each of them?",
        "`chosen & concept` and `chosen & ~concept` are masks [row pos]. What does `activations[mask]` look like?",
        "`activations[mask].mean(dim=0)` is [d_model]. Take the difference of two, in the right order.",
    ),
)
