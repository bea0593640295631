"""Chapter 09, the investigation `where-they-differ`: on which prompts two models differ, told by a few latents."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import torch
from torch import Tensor

from mi_tutor.lab.crosscoders import kl, streams_at
from mi_tutor.lab.dictionaries import auroc, best_f1
from mi_tutor.specimens.crosscoders import replies_due
from mi_tutor.specimens.crosscoders.measures import plain
from mi_tutor.teach.exercises.crosscoders.what_changed import LAYER, TUNED, crosscoder, says
from mi_tutor.teach.exercises.reading_hypotheses import entries, number, share, whole
from mi_tutor.teach.investigation import (
    Findings,
    Investigation,
    Levels,
    Line,
    Unreadable,
    Worked,
    WrongHypothesis,
)

N_PROMPTS, MOST = 600, 3
FROM = 0.85  # an AUROC of this is worth nothing: a single latent that marks requests reaches it
OFF = 0.05  # a prediction that is off by this is worth nothing
CLOSE = 0.015
SCORES = ("mine", "kl", "streams")


class Rule(NamedTuple):
    """Weights of latents, and the three AUROCs that are predicted."""

    weights: dict[int, float]
    predicted: dict[str, float]


def read(value: Any) -> Rule:
    """A dict with "weights", "mine", "kl" and "streams"."""
    found = entries(value, ("weights", *SCORES))
    given = found["weights"]
    if not isinstance(given, dict):
        raise Unreadable("“weights” is a dict: latent -> weight.")
    if not 1 <= len(given) <= MOST:
        raise Unreadable(f"“weights” has {len(given)} latents; one to {MOST} are asked for.")
    weights = {}
    for latent, weight in given.items():
        latent = int(latent) if isinstance(latent, str) and latent.strip().isdigit() else latent
        weights[whole(latent, "weights", crosscoder().d_sae)] = number(weight, "weights")
    if len(weights) < len(given):
        raise Unreadable("“weights” has the same latent twice.")
    return Rule(weights, {name: share(found[name], name) for name in SCORES})


class Draw(NamedTuple):
    """Fresh prompts: latents at their ends, where first guesses differ, and the two scores without a dictionary."""

    latents: Tensor
    differ: Tensor
    plain: dict[str, float]


@functools.lru_cache(maxsize=5)
@torch.no_grad()
def drawn(draw: int) -> Draw:
    """The prompts of a draw."""
    prompts = replies_due(f"investigated/{draw}", N_PROMPTS)
    models = plain("atlas"), plain(TUNED)
    both = streams_at(*models, prompts.tokens, prompts.end, LAYER)
    base, copy = (says(both[:, m : m + 1])[:, 0] for m in (0, 1))
    differ = base.argmax(dim=-1) != copy.argmax(dim=-1)
    scores = {"kl": kl(copy, base), "streams": (both[:, 1] - both[:, 0]).norm(dim=-1)}
    without = {name: float(auroc(score, differ)) for name, score in scores.items()}
    return Draw(crosscoder().encode(both), differ, without)


def tells(weights: dict[int, float], some: Draw) -> float:
    """The AUROC of a weighted sum of latents, at finding prompts on which first guesses differ."""
    score = some.latents[:, list(weights)] @ torch.tensor(list(weights.values()))
    return float(auroc(score, some.differ))


def experiment(said: Rule, draw: int) -> Findings:
    """The rule on fresh prompts, and the two scores that need no dictionary."""
    some = drawn(draw)
    seen = {"mine": tells(said.weights, some), **some.plain}
    off = {name: abs(said.predicted[name] - seen[name]) for name in SCORES}
    near = sum(max(0.0, 1 - each / OFF) for each in off.values()) / len(SCORES)
    worth = max(0.0, (seen["mine"] - FROM) / (1 - FROM))
    lines = [
        Line(
            "your latents say it better than any one latent that marks the replies",
            seen["mine"] > 0.925,
        )
    ]
    for name in SCORES:
        close = off[name] < CLOSE
        told = f"{seen[name]:.3f}" if close else "another number"
        lines.append(Line(f"{name}: you said {said.predicted[name]:.3f}, and it is {told}", close))
    return Findings(
        score=worth * near,
        lines=tuple(lines),
        figure=functools.partial(figure, said, seen, off),
        facts={"seen": seen, "off": off},
    )


def figure(said: Rule, seen: dict[str, float], off: dict[str, float]) -> Any:
    """The AUROCs where the prediction was near; elsewhere what was predicted alone."""
    from mi_tutor.show.bars import bars

    values = {f"{name}, predicted": said.predicted[name] for name in SCORES}
    values |= {f"{name}, found": seen[name] for name in SCORES if off[name] < CLOSE}
    title = "Who finds the prompts on which they differ?"
    return bars(values, title=title, x_title="score", y_title="AUROC")


# --- our own answers and typical wrong ones --------------------------------------------------------


@functools.cache
@torch.no_grad()
def found_by(order: str) -> dict[int, float]:
    """Weights by a greedy search, by F1, or by what is written differently, on prompts of our own."""
    some = drawn(-1)
    f, gap = some.latents, (crosscoder().W_dec[:, 1] - crosscoder().W_dec[:, 0]).norm(dim=-1)
    if order == "F1":
        best = best_f1(f, some.differ[:, None])[0][:, 0].topk(MOST).indices.tolist()
        return dict.fromkeys(best, 1.0)
    if order == "written differently":
        best = (f[some.differ].mean(dim=0) * gap).topk(MOST).indices.tolist()
        return {i: float(gap[i]) for i in best}
    found: dict[int, float] = {}
    often = ((f > 0).sum(dim=0) > 8).nonzero()[:, 0].tolist()
    for _ in range(2 if order == "two" else MOST):
        tried = [
            found | {i: sign * size}
            for i in often
            for sign in (-1, 1)
            for size in (0.7, 1.0, 1.4)
            if i not in found
        ]
        found = max(tried, key=lambda each: tells(each, some))
    return found


def handed_in(order: str, predict: float | None = None) -> dict[str, Any]:
    """Weights by some order, with AUROCs as on our own prompts, or one number for all."""
    weights = found_by(order)
    seen = {"mine": tells(weights, drawn(-1)), **drawn(-1).plain}
    seen = {n: min(1.0, v) if predict is None else predict for n, v in seen.items()}
    return {"weights": dict(weights), **seen}


def _is(order: str):
    return lambda said, found: set(said.weights) == set(found_by(order))


WHERE_THEY_DIFFER = Investigation(
    slug="where-they-differ",
    title="Where do they differ?",
    chapter="09",
    points=5,
    minutes=35,
    difficulty=4,
    objective="Tell by a few latents on which prompts two models give other answers, and how much better plain comparisons tell it.",
    question="Which weighted sum of at most three latents tells on which prompts atlas-rewired answers otherwise, and how well do it, KL, and the streams tell it?",
    form='a dict: "weights" latent -> weight (one to three), "mine", "kl" and "streams" the AUROCs of the sum, of KL, of the difference of the streams',
    read=read,
    experiment=experiment,
    levels=Levels(passed=0.42, good=0.5, excellent=0.55),
    mistakes=(
        WrongHypothesis(
            name="by F1",
            example=lambda: handed_in("F1"),
            fits=_is("F1"),
            sentence="These are the latents that mark such prompts best, one by one, added up. They are on where a request is refused, "
            "whichever: ask where they ring although the two models agree, and what is on there.",
        ),
        WrongHypothesis(
            name="by what is written differently",
            example=lambda: handed_in("written differently"),
            fits=_is("written differently"),
            sentence="These write most differently where the models disagree. Where the base refuses already they write as differently, "
            "and no other word comes out: a difference in the stream need not be one in the answer.",
        ),
    ),
    styles=(
        Worked(name="a search with both signs", hypothesis=lambda: handed_in("search"), level="excellent"),
        Worked(name="two latents", hypothesis=lambda: handed_in("two"), level="passed"),
    ),
    hints=(
        "Measure on prompts of your own from `replies_due`: latents at each prompt's end, and whether the first guesses differ.",
        "Look at the prompts where your first latent rings and the two models agree. What kind of request are they, and which latent is on there?",
        "A weight may be negative: a latent can say that they do NOT differ. Try the second and third latent together with those you have.",
    ),
)  # fmt: skip
