"""Chapter 07, `make-it-behave`: reading what is handed in, and the experiment."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from mi_tutor.specimens.atlas.prompts import tokenizer
from mi_tutor.specimens.atlas.talk import Prompts, conversation, opinion_prompts
from mi_tutor.teach.exercises.marks import ramp
from mi_tutor.teach.exercises.reading_hypotheses import entries, listed, number, share, whole
from mi_tutor.teach.exercises.steering.own_opinion import (
    EVERY,
    LIKE,
    Steering,
    d_model,
    intact,
    loss,
    mean_at,
    ordinary,
    other_tasks,
    random_vector,
    said,
    share_right,
)
from mi_tutor.teach.investigation import Findings, Line, Unreadable

BUDGET = 7.0  # the longest vector; the streams before layers 1 to 4 are about as long
N_LAYERS = 5
CONTROLS = {
    "reversed": "the vector subtracted",
    "half": "half of the vector",
    "later": "the vector one layer later",
    "everywhere": "the vector at every token",
}
MOST_TOKENS, MOST_NAMES = 12, 30
EFFECT, EACH, KEPT, DAMAGE = 0.6, 0.5, 0.9, 0.4  # without these nothing passes
# With eighty, draws differ by .03: where an opinion is shared, a vector that keeps .93 passed or failed by lot.
N_PROMPTS = {"against": 200, "with": 320, "none": 80}
CLOSE, FAR = 0.08, 0.25  # errors of predictions that count in full, and not at all


class Handed(NamedTuple):
    """A way of steering, and what is predicted of its controls."""

    steering: Steering
    predicted: dict[str, float]


# --- reading --------------------------------------------------------------------------------------


def read_handed(value: Any) -> Handed:
    found = entries(value, ["layer", "at", "vector", "predicted"])
    layer = whole(found["layer"], "layer", N_LAYERS + 1)
    steering = Steering(layer, read_at(found["at"]), read_vector(found["vector"], layer))
    given = entries(found["predicted"], list(CONTROLS))
    return Handed(steering, {name: share(given[name], name) for name in CONTROLS})


def read_at(value: Any) -> tuple[str, ...] | str:
    """ "every", one token, or a few."""
    if isinstance(value, str):
        if value.strip().lower() in (EVERY, "everywhere", "all"):
            return EVERY
        value = [value]
    if isinstance(value, list | tuple | set) and not 1 <= len(value) <= MOST_TOKENS:
        raise Unreadable(
            f"“at” has {len(value)} tokens; between 1 and {MOST_TOKENS} are asked for."
        )
    some = sorted(value) if isinstance(value, set) else listed(value, "at")
    return tuple(dict.fromkeys(token_of(each) for each in some))


def token_of(value: Any) -> str:
    """A word of the model's vocabulary, with or without the space before it."""
    if isinstance(value, str) and len(value) < 40:
        for token in (value, f" {value.strip()}", value.strip()):
            if token in tokenizer().ids:
                return token
    shown = f"“{value[:40]}”" if isinstance(value, str) else type(value).__name__
    raise Unreadable(f"{shown} is not one token of the model's vocabulary.")


def read_vector(value: Any, layer: int) -> Tensor:
    """Numbers, or a recipe of means; not longer than the budget."""
    vector = recipe(value, layer) if isinstance(value, dict) else numbers(value)
    length = vector.norm().item()
    if not length <= BUDGET * (1 + 1e-4):  # nor is infinity minus infinity
        raise Unreadable(f"The vector's norm is {length:.2f}; the budget is {BUDGET:g}.")
    return vector


def numbers(value: Any) -> Tensor:
    size = value.numel() if isinstance(value, Tensor) else None
    if isinstance(value, list | tuple):
        size = len(value)
    if size != d_model():
        said_ = "no list of numbers" if size is None else f"{size} numbers"
        raise Unreadable(f"“vector” is {d_model()} numbers, or a recipe of means; this is {said_}.")
    each = value.flatten().tolist() if isinstance(value, Tensor) else value
    return torch.tensor([number(one, "vector") for one in each], dtype=torch.float32)


def recipe(value: dict, layer: int) -> Tensor:
    """{token: coefficient}: the sum of coefficients times mean streams at those tokens."""
    if not 1 <= len(value) <= MOST_NAMES:
        raise Unreadable(f"A recipe has between 1 and {MOST_NAMES} means; this has {len(value)}.")
    total = torch.zeros(d_model())
    for name, coefficient in value.items():
        token = "mean" if name == "mean" else token_of(name)
        mean = mean_at(token, layer)
        if mean is None:
            raise Unreadable(f"“{token}” is not in the text of which means are made.")
        total = total + number(coefficient, str(token)) * mean
    return total


# --- the experiment -------------------------------------------------------------------------------


@functools.lru_cache(maxsize=8)
def drawn(kind: str, draw: int) -> Prompts:
    return opinion_prompts(kind, 9_000 + draw, N_PROMPTS[kind])


def controls(steering: Steering) -> dict[str, Steering]:
    """The same vector in other ways; one layer later than the last is one earlier."""
    later = steering.layer + 1 if steering.layer < N_LAYERS else steering.layer - 1
    return {
        "reversed": steering._replace(vector=-steering.vector),
        "half": steering._replace(vector=steering.vector / 2),
        "later": steering._replace(layer=later),
        "everywhere": steering._replace(at=EVERY),
    }


@torch.no_grad()
def experiment(handed: Handed, draw: int) -> Findings:
    steering, seed = handed.steering, 9_000 + draw
    facts = measured(steering, draw)
    norm = steering.vector.norm().item()
    floor = share_right(steering._replace(vector=random_vector(norm, seed)), drawn("against", draw))
    facts["floor"] = floor
    lines = _lines(facts)
    both = facts["effect"] >= EFFECT and min(facts["like"], facts["hate"]) >= EACH
    sure = both and facts["kept"] >= KEPT and facts["damage"] <= DAMAGE
    score = (
        0.4 * ramp(facts["effect"], max(0.3, floor), 0.8)
        + 0.15 * ramp(facts["kept"], 0.7, 0.96)
        + 0.15 * ramp(facts["damage"], DAMAGE, 0.05)
    )
    if not sure:
        return Findings(min(score, 0.6), tuple(lines), _bars(facts), False, facts)
    found = {
        name: share_right(one, drawn("against", draw)) for name, one in controls(steering).items()
    }
    right = {}
    for name, meaning in CONTROLS.items():
        error = abs(handed.predicted[name] - found[name])
        score += 0.3 / len(CONTROLS) * ramp(error, FAR, CLOSE)
        if error <= CLOSE:
            right[meaning] = (handed.predicted[name], found[name])
        lines.append(Line(f"{meaning}: predicted to {CLOSE}", error <= CLOSE))
    facts["foreseen"] = len(right)
    return Findings(score, tuple(lines), _predictions(right) or _bars(facts), sure, facts)


def measured(steering: Steering, draw: int) -> dict[str, float]:
    """What a way of steering does, and to what else."""
    seed = 9_000 + draw
    against, tokens = drawn("against", draw), tokenizer().ids
    hit = said(steering, against) == against.right
    is_like = against.right == tokens[LIKE]
    tasks, before = other_tasks(seed), intact(seed)
    opinions = {kind: share_right(steering, drawn(kind, draw)) for kind in ("with", "none")}
    others = {name: share_right(steering, some) / before[name] for name, some in tasks.items()}
    talk = loss(steering, conversation(seed, 40)) - before["conversation"]
    text = loss(steering, ordinary(seed)) - before["text"]
    return (
        {
            "effect": hit.float().mean().item(),
            "like": hit[is_like].float().mean().item(),
            "hate": hit[~is_like].float().mean().item(),
            "kept": min(*opinions.values(), *others.values()),
            "talk": talk,
            "text": text,
            "damage": max(talk, text),
        }
        | opinions
        | others
    )


def _lines(facts: dict[str, float]) -> list[Line]:
    effect = facts["effect"]
    return [
        Line(
            f"against what the user says, the assistant says its own opinion in {effect:.0%} of fresh prompts "
            f"(a random vector as long: {facts['floor']:.0%}; wanted: {EFFECT:.0%} at least)",
            effect >= EFFECT,
        ),
        Line(
            f"where its own opinion is “like” in {facts['like']:.0%}, where it is “hate” in {facts['hate']:.0%} "
            f"(wanted: {EACH:.0%} of each)",
            min(facts["like"], facts["hate"]) >= EACH,
        ),
        Line(
            f"it still does where the user agrees with it ({facts['with']:.0%}) and where nobody said anything "
            f"({facts['none']:.0%})",
            min(facts["with"], facts["none"]) >= KEPT,
        ),
        Line(
            f"of what was right before, right still: two hops {facts['two hops']:.0%}, requests {facts['requests']:.0%}",
            min(facts["two hops"], facts["requests"]) >= KEPT,
        ),
        Line(
            f"the loss grows by {facts['talk']:.3f} nats per token in other conversation and by {facts['text']:.3f} in "
            f"ordinary text (at most {DAMAGE})",
            facts["damage"] <= DAMAGE,
        ),
    ]


def _bars(facts: dict[str, float]) -> Callable[[], Any]:
    from mi_tutor.show.bars import bars

    shown = {
        "intact": 0.0,
        "random": facts["floor"],
        "yours": facts["effect"],
        "user agrees": facts["with"],
        "nothing said": facts["none"],
        "two hops": facts["two hops"],
        "requests": facts["requests"],
    }
    return lambda: bars(
        shown, title="Your vector", x_title="prompts", y_title="share that is right"
    )


def _predictions(right: dict[str, tuple[float, float]]) -> Callable[[], Any] | None:
    """Of the controls whose prediction came true; the others are for the learner to measure."""
    from mi_tutor.show import predictions

    if not right:
        return None
    predicted, found = zip(*right.values(), strict=True)
    return lambda: predictions(
        list(right),
        predicted,
        found,
        title="Controls that came out as predicted",
        value_title="share that says its own opinion",
    )
