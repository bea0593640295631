"""Chapter 02, an investigation: `like-for-like`, two comparisons that the learner designs and the check runs.

Whether a comparison is fair is not read off its words. Its rules are run with nothing to find on either side (a
placebo), and what it marked is marked again on texts that took part in nothing (a replication).
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

from mi_tutor.specimens.atlas.sides import Marks, Side, marks, placebo
from mi_tutor.teach.exercises.dictionaries.designs import Comparison, Design, read
from mi_tutor.teach.exercises.marks import ramp
from mi_tutor.teach.investigation import (
    Findings,
    Investigation,
    Levels,
    Line,
    Worked,
    WrongHypothesis,
)

FAIR = 0.03  # of F1, by which one side of a placebo may win
LOST = 0.03  # of F1, which the two sides may lose on average when they are marked again
NEAR, FAR = 0.08, 0.2  # of a prediction that counts wholly, and not at all


class Run(NamedTuple):
    """What came of one comparison."""

    latents: Marks
    others: Marks
    won: float  # by the latents' side of the placebo
    lost: float  # when marked again, mean of both sides
    off: float  # of the prediction
    blanks: tuple[float, float]

    @property
    def difference(self) -> float:
        """Mean F1 of the latents, minus that of the others."""
        return self.latents.f1 - self.others.f1

    @property
    def fair(self) -> bool:
        """Whether it is like for like."""
        return abs(self.won) <= FAIR and self.lost <= LOST

    @property
    def mark(self) -> float:
        """A third for each test; a prediction only counts where the other two hold."""
        near = ramp(self.off, FAR, NEAR)
        return ((abs(self.won) <= FAIR) + (self.lost <= LOST) + self.fair * near) / 3


@functools.lru_cache(maxsize=64)
def run(comparison: Comparison, draw: int) -> Run:
    """Run one comparison, its placebo and its replication."""
    sides = comparison.latents, comparison.others
    rules = draw, comparison.choose, comparison.mark
    found = [marks(side, *rules) for side in sides]
    blanks = tuple(placebo(side, *rules) for side in sides)
    lost = sum(each.f1 - each.again for each in found) / 2
    off = abs(found[0].f1 - found[1].f1 - comparison.difference)
    return Run(*found, won=blanks[0] - blanks[1], lost=lost, off=off, blanks=blanks)


def experiment(design: Design, draw: int) -> Findings:
    """Both comparisons on the texts of one draw."""
    runs = {name: run(comparison, draw) for name, comparison in design.items()}
    lines = [line for name in runs for line in _lines(name, design[name], runs[name])]

    def figure() -> Any:
        from mi_tutor.show.dictionaries import marks_figure

        names, values, held = [], [], []
        for name, found in runs.items():
            both = (found.latents.f1, found.others.f1)
            for side, mark, blank in zip(("latents", "others"), both, found.blanks, strict=True):
                units = getattr(design[name], side).units
                names += [f"{name}: {units}", f"placebo of the {side}"]
                values += [mark, blank]
                held += [found.fair, abs(found.won) <= FAIR]
        return marks_figure(
            names,
            values,
            held,
            axis="mean F1 over states",
            title="Two comparisons, and their placebos",
        )

    score = sum(found.mark for found in runs.values()) / len(runs)
    return Findings(score, tuple(lines), figure, sure=all(found.fair for found in runs.values()))


def _lines(name: str, comparison: Comparison, found: Run) -> list[Line]:
    won = "neither side wins" if abs(found.won) <= FAIR else f"the {_winner(found)} win"
    return [
        Line(
            f"{name}, placebo: random directions in place of both sides have {found.blanks[0]:.2f} and "
            f"{found.blanks[1]:.2f}: {won} (wanted: at most {FAIR} apart)",
            abs(found.won) <= FAIR,
        ),
        Line(
            f"{name}, replication: marked again, {comparison.latents.units} have {found.latents.again:.2f} for "
            f"{found.latents.f1:.2f}, {comparison.others.units} {found.others.again:.2f} for "
            f"{found.others.f1:.2f} (wanted: a loss of at most {LOST} on average)",
            found.lost <= LOST,
        ),
        Line(
            f"{name}, prediction: a difference of {found.difference:.2f}, and you said {comparison.difference:.2f}"
            + ("" if found.fair else "; it does not count, since this is not like for like"),
            found.fair and found.off <= NEAR,
        ),
    ]


def _winner(found: Run) -> str:
    return "latents' blanks" if found.won > 0 else "others' blanks"


def ours(others: str = "both signs of attn_out", n: int = 256) -> dict[str, Any]:
    """Our own design. The differences were measured on other texts than any draw's."""
    return {
        "attention": _designed(320, others, n, 0.68),
        "mlp": _designed(512, "neurons", 512, 0.1),
    }


def _designed(
    n_latents: int, others: str, n: int, difference: float, **changed: Any
) -> dict[str, Any]:
    threshold = changed.get("threshold", "chosen")
    return {
        "latents": {"how many": n_latents, "threshold": changed.get("latents", threshold)},
        "others": {"units": others, "how many": n, "threshold": threshold},
        "choose on": "A",
        "mark on": changed.get("mark", "B"),
        "difference": difference,
    }


def _sides(design: Design) -> list[Side]:
    return [side for each in design.values() for side in (each.latents, each.others)]


LIKE_FOR_LIKE = Investigation(
    slug="like-for-like",
    title="Like for like",
    chapter="02",
    points=6,
    minutes=35,
    difficulty=4,
    objective="Design comparisons whose sides differ in one thing, test that with a placebo and a replication, and predict what they show.",
    question="Was a dictionary worth its training, where attention writes and at an MLP?",
    form="a dict with the comparisons 'attention' and 'mlp', each a dict with 'latents', 'others', 'choose on', 'mark on' and 'difference'",
    read=read,
    experiment=experiment,
    levels=Levels(passed=0.8, good=0.9, excellent=0.97),
    mistakes=(
        WrongHypothesis(
            name="marked where it was chosen",
            example=lambda: {
                "attention": _designed(320, "both signs of attn_out", 256, 0.57, mark="A"),
                "mlp": _designed(512, "neurons", 512, 0.06, mark="A"),
            },
            fits=lambda design, findings: any(each.choose == each.mark for each in design.values()),
            sentence="You mark units on the very texts on which they were chosen. The best of many is lucky there, and the worse the units the "
            "more of their mark is luck: look at what they lose on texts that took part in nothing.",
        ),
        WrongHypothesis(
            name="a threshold fitted to the test",
            example=lambda: {
                "attention": _designed(320, "both signs of attn_out", 256, 0.61, threshold="best"),
                "mlp": _designed(512, "neurons", 512, 0.09, threshold="best"),
            },
            fits=lambda design, findings: any(side.threshold == "best" for side in _sides(design)),
            sentence="A threshold that is the best where it is marked was fitted to the test. Look at what is left of it on texts that took "
            "part in nothing.",
        ),
        WrongHypothesis(
            name="a threshold for one side only",
            example=lambda: {
                "attention": _designed(320, "both signs of attn_out", 256, 0.58, latents="zero"),
                "mlp": _designed(512, "neurons", 512, -0.08, latents="zero"),
            },
            fits=lambda design, findings: any(
                each.latents.threshold != each.others.threshold for each in design.values()
            ),
            sentence="One side may choose its thresholds, the other has to take what it gets. Give blank units those two rules: which side wins?",
        ),
        WrongHypothesis(
            name="latents of one place, units of another",
            example=lambda: ours("neurons", 512),
            fits=lambda design, findings: any(
                each.latents.reads != each.others.reads for each in design.values()
            ),
            sentence="The two sides of a comparison read different activations. Where more of what is written is the state, even random "
            "directions say states better: so which of the two do you measure, the units or the place?",
        ),
        WrongHypothesis(
            name="more to choose from",
            example=lambda: ours("axes of attn_out", 128),
            fits=lambda design, findings: any(
                each.latents.how_many > 1.5 * each.others.how_many
                or each.others.how_many > 1.5 * each.latents.how_many
                for each in design.values()
            ),
            sentence="One side has many more units to choose the best from. The best of 320 is better than the best of 128 even where there is "
            "nothing to find. A direction has two ends, and there are as many random directions as you like.",
        ),
    ),
    styles=(
        Worked(name="the activation's own axes, both signs; the MLP's own neurons", hypothesis=ours, level="excellent"),
        Worked(
            name="random directions, as many",
            hypothesis=lambda: ours("random directions of attn_out", 320),
            level="excellent",
        ),
    ),
    hints=(
        "List in what the two sides of the table above differ: what they read, how many they are, their thresholds. Which of these could make one "
        "side win without any dictionary?",
        "Make a placebo yourself: `torch.randn(128, n)` on what attention writes, and on what the MLP reads, each marked with `lab.match_concepts`. "
        "Then with other numbers n, and with `thresholds=False`.",
        "Both sides should read one activation, choose thresholds by the same rule on set A, be marked on set B, and be about as many. At the MLP "
        "the transcoder and the neurons read the same. For `difference` run each comparison on `texts` and `other_texts`.",
    ),
)  # fmt: skip
