"""Chapter 09, the investigation `what-did-tuning-change`: three latents that carry what a copy was taught."""

from __future__ import annotations

import functools
import itertools
import math
from typing import Any, NamedTuple

import torch
from torch import Tensor

from mi_tutor.lab.crosscoders import both_streams, put_back, recovered_share, relative_norm
from mi_tutor.lab.dictionaries import best_f1
from mi_tutor.specimens import open_crosscoder
from mi_tutor.specimens.crosscoders import changed_texts, concepts
from mi_tutor.specimens.crosscoders.measures import plain
from mi_tutor.teach.exercises.reading_hypotheses import entries, listed, share, whole
from mi_tutor.teach.investigation import (
    Findings,
    Investigation,
    Levels,
    Line,
    Unreadable,
    Worked,
    WrongHypothesis,
)

TUNED, CROSSCODER = "atlas-rewired", "atlas-rewired-crosscoder"
LAYER, N_ROWS, MOST = 5, 160, 3
DUE = ("refusal due", "greeting due")
OFF = 0.5  # a prediction that is off by this is worth nothing


class Carriers(NamedTuple):
    """Latents, and the share that is said to come back with them, for each of the two changes."""

    latents: tuple[int, ...]
    refusal: float
    greeting: float


def read(value: Any) -> Carriers:
    """A dict with "latents", "refusal" and "greeting"."""
    found = entries(value, ("latents", "refusal", "greeting"))
    numbers = listed(found["latents"], "latents")
    if not 1 <= len(numbers) <= MOST:
        raise Unreadable(f"“latents” has {len(numbers)} entries; one to {MOST} are asked for.")
    latents = tuple(whole(each, "latents", crosscoder().d_sae) for each in numbers)
    if len(set(latents)) < len(latents):
        raise Unreadable("“latents” has the same latent twice.")
    return Carriers(
        latents, share(found["refusal"], "refusal"), share(found["greeting"], "greeting")
    )


@functools.cache
def crosscoder():
    """The crosscoder that is asked about."""
    return open_crosscoder(CROSSCODER)


class Draw(NamedTuple):
    """Fresh text, at the tokens where a change is due, and latents of all its tokens for our own searches.

    Attributes:
        streams, latents: [token model d_model] and [token latent], where either change is due.
        copy, base: what either model predicts there, [token vocab].
        due: which of these tokens belong to which change.
        everywhere: the latents of all tokens but BOS; there: where which change is due among them.
    """

    streams: Tensor
    latents: Tensor
    copy: Tensor
    base: Tensor
    due: dict[str, Tensor]
    everywhere: Tensor
    there: dict[str, Tensor]


@functools.lru_cache(maxsize=4)
@torch.no_grad()
def drawn(draw: int) -> Draw:
    """The texts of a draw."""
    texts = changed_texts(f"investigated/{draw}", N_ROWS, ("refusal", "greeting"))
    both = both_streams(plain("atlas"), plain(TUNED), texts.tokens, LAYER)[:, 1:].flatten(0, 1)
    there = {name: concepts(texts)[name][:, 1:].flatten() for name in DUE}
    where = torch.stack(list(there.values())).any(dim=0)
    latents, streams = crosscoder().encode(both), both[where]
    copy, base = (says(streams[:, m]) for m in (1, 0))
    due = {name: each[where] for name, each in there.items()}
    return Draw(streams, latents[where], copy, base, due, latents, there)


def says(stream: Tensor) -> Tensor:
    """What the unembedding makes of a last stream; it is the same in both models."""
    return plain("atlas").logits_after(LAYER - 1, stream)


@torch.no_grad()
def comes_back(latents: tuple[int, ...], draw: int) -> dict[str, float]:
    """The share of each change that comes back with these latents."""
    some = drawn(draw)
    chosen = torch.tensor(latents, dtype=torch.long)
    logits = says(put_back(some.streams, some.latents, crosscoder().W_dec, chosen))
    return {n: recovered_share(some.copy, some.base, logits, w) for n, w in some.due.items()}


def experiment(said: Carriers, draw: int) -> Findings:
    """Put the latents back on fresh text, and hold the predictions against what comes back."""
    back = comes_back(said.latents, draw)
    predicted = dict(zip(DUE, (said.refusal, said.greeting), strict=True))
    worth, lines = [], []
    for name in DUE:
        off = abs(predicted[name] - max(0.0, back[name]))
        worth.append(max(0.0, back[name]) * max(0.0, 1 - off / OFF))
        lines.append(
            Line(
                f"{name}: with these latents more than half of what was taught comes back",
                back[name] > 0.5,
            )
        )
        close = off < 0.1
        seen = f"{back[name]:.2f}" if close else "another number"
        lines.append(Line(f"{name}: you said {predicted[name]:.2f}, and it is {seen}", close))
    return Findings(
        score=min(worth) / 2 + sum(worth) / 4,
        lines=tuple(lines),
        figure=functools.partial(figure, back, predicted),
        facts={"back": back, "off": max(abs(predicted[n] - back[n]) for n in DUE)},
    )


def figure(back: dict[str, float], predicted: dict[str, float]) -> Any:
    """What comes back with these latents where the prediction was near; elsewhere what was predicted alone."""
    from mi_tutor.show import predictions

    return predictions(
        list(DUE),
        [predicted[name] for name in DUE],
        [back[n] if abs(back[n] - predicted[n]) < 0.1 else math.nan for n in DUE],
        title="What comes back",
        value_title="share that comes back",
    )


# --- our own answers and typical wrong ones --------------------------------------------------------


@functools.cache
@torch.no_grad()
def ranked(order: str) -> tuple[int, ...]:
    """The first three latents by relative norm, by F1 for either change, or by a greedy search, on text of our own."""
    some, cross = drawn(-1), crosscoder()
    f = some.everywhere
    if order == "relative norm":
        alive = (f > 0).any(dim=0)
        return tuple(torch.where(alive, relative_norm(cross.W_dec), 0).topk(MOST).indices.tolist())
    if order == "F1":
        labels = torch.stack(list(some.there.values()), dim=1)
        return tuple(dict.fromkeys(best_f1(f, labels)[0].argmax(dim=0).tolist()))
    if order == "activity":
        return tuple(f.mean(dim=0).topk(MOST).indices.tolist())
    gap = (cross.W_dec[:, 1] - cross.W_dec[:, 0]).norm(dim=-1)
    # By what is written differently where EITHER change is due: one of both is the rarer.
    sizes = torch.stack([some.latents[w].mean(dim=0) * gap for w in some.due.values()])
    candidates = sizes.amax(dim=0).topk(16).indices.tolist()
    triples = itertools.combinations(candidates, MOST)
    return max(triples, key=lambda each: sum_and_least(comes_back(each, -1)))


def sum_and_least(back: dict[str, float]) -> float:
    """What the search makes large: both changes, and the worse one twice."""
    return min(back.values()) / 2 + sum(back.values()) / 4


def handed_in(order: str, predict: float | None = None) -> dict[str, Any]:
    """A hypothesis with latents by some order; predicted what comes back on our own text, or one number."""
    latents = ranked(order)
    back = comes_back(latents, -1)
    values = [max(0.0, min(1.0, back[name])) if predict is None else predict for name in DUE]
    return {"latents": list(latents), "refusal": values[0], "greeting": values[1]}


def _is(order: str):
    return lambda said, found: set(said.latents) == set(ranked(order))


WHAT_DID_TUNING_CHANGE = Investigation(
    slug="what-did-tuning-change",
    title="What did tuning change?",
    chapter="09",
    points=5,
    minutes=40,
    difficulty=4,
    objective="Find the few latents that carry what a copy was taught, and say how much comes back with them.",
    question="Which three latents carry what atlas-rewired was taught, and what share of either change comes back with them?",
    form='a dict: "latents" one to three numbers, "refusal" and "greeting" the shares that come back, between 0 and 1',
    read=read,
    experiment=experiment,
    levels=Levels(passed=0.6, good=0.74, excellent=0.78),
    mistakes=(
        WrongHypothesis(
            name="by relative norm",
            example=lambda: handed_in("relative norm"),
            fits=_is("relative norm"),
            sentence="These are the latents that lean most to the copy. Leaning says in which model something is written, not how much "
            "of it is written where it matters.",
        ),
        WrongHypothesis(
            name="by activity",
            example=lambda: handed_in("activity", predict=1.0),
            fits=_is("activity"),
            sentence="These are the latents that are on most, on any text. They write much, and the same in both models: nothing is "
            "exchanged when they are put back.",
        ),
    ),
    styles=(
        Worked(name="a search", hypothesis=lambda: handed_in("search"), level="excellent"),
        Worked(
            name="the best by F1 for either", hypothesis=lambda: handed_in("F1"), level="passed"
        ),
    ),
    hints=(
        "What is put back is f times the DIFFERENCE of the two directions. A latent with two long, unlike directions exchanges much.",
        "Two changes, at two kinds of tokens: a latent for one may do nothing for the other. Measure both.",
        "Latents that are put back together do not add up: try them together, on text of your own, and measure what you predict.",
    ),
)
