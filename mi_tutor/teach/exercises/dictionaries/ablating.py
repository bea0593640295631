"""Chapter 02, an investigation: `ablate-a-latent`, what breaks when something is taken out, said beforehand."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from mi_tutor.lab import dictionaries as lab
from mi_tutor.lab.ground.device import seeded
from mi_tutor.lab.ground.plain import PlainTransformer, plain_transformer
from mi_tutor.lab.ground.questions import Questions
from mi_tutor.specimens.atlas.prompts import chosen, swap_questions
from mi_tutor.specimens.atlas.texts import labelled_texts
from mi_tutor.teach.exercises.dictionaries.atlas import DENSE, DICTIONARY, HOOK, atlas, shipped
from mi_tutor.teach.investigation import (
    Findings,
    Investigation,
    Levels,
    Line,
    Unreadable,
    Worked,
    WrongHypothesis,
)
from mi_tutor.world.geography import Geography

LAYER = 2
N_QUESTIONS = {"english": 240, "french": 120}
CASES = {
    "own": "the own state's best latent of `good`, where the answer is due",
    "french": "the same, asked in French",
    "name": "the same latent, where the name ends",
    "other": "another state's best latent",
    "random": "a random direction, as long as what “own” takes out",
    "dense": "the own state's best latent of `dense`",
    "all": "all latents of `good`",
    "error": "the error term of `good`",
}
ANOTHER = "another's"
QUESTIONS = (*CASES, ANOTHER)
NEAR = 0.1  # of a prediction that is told as one that held
BASE = 0.4  # the mean error of whoever says one half everywhere, rounded down


def read(value: Any) -> dict[str, float]:
    """A dict of nine shares."""
    if not isinstance(value, Mapping):
        raise Unreadable("This is no dict.")
    said = {
        " ".join(str(key).replace("’", "'").split()).casefold(): each for key, each in value.items()
    }
    if missing := [name for name in QUESTIONS if name not in said]:
        raise Unreadable(f"It says nothing of {missing[0]!r}.")
    return {name: _share(name, said[name]) for name in QUESTIONS}


def _share(name: str, value: Any) -> float:
    value = value.item() if isinstance(value, Tensor) and value.numel() == 1 else value
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Unreadable(f"{name!r} should be a share, such as 0.5.")
    if not 0 <= value <= 1:
        raise Unreadable(f"{name!r} is {value:g}, and a share lies between 0 and 1.")
    return float(value)


class Asked(NamedTuple):
    """A batch of questions, what attention writes there, and the stream it is added to."""

    batch: Questions
    written: Tensor  # [prompt pos d]
    stream: Tensor  # [prompt pos d]


@functools.cache
def _plain() -> PlainTransformer:
    return plain_transformer(atlas())


@functools.lru_cache(maxsize=4)
@torch.no_grad()
def _asked(draw: int, language: str) -> list[Asked]:
    geography = Geography()
    every = [q for q in chosen(geography, language=language, kind="state") if not q.held_out_by]
    drawn = torch.randperm(len(every), generator=seeded(draw))[: N_QUESTIONS[language]]
    found = []
    for batch in swap_questions([every[i] for i in drawn.tolist()], geography):
        at = _plain().activations(LAYER, batch.tokens, until="attn_out")
        found.append(Asked(batch, at["attn_out"], at["resid_pre"]))
    return found


@functools.cache
@torch.no_grad()
def _best(name: str) -> Tensor:
    """Each state's best latent in a dictionary, on texts of our own."""
    pair = []
    for seed in (600_000, 600_001):
        texts = labelled_texts(seed=seed, n_rows=300)
        here = texts.asked("state")[:, 1:].flatten()
        rows = lab.activation_rows(atlas(), texts.tokens, HOOK)[here]
        labels = texts.labels[:, 1:].flatten(0, 1)[here][:, texts.columns("state")]
        pair.append((shipped(name).encode(rows), labels))
    return lab.match_concepts(*pair).unit


def _steps(case: str, asked: Asked, here: Tensor, draw: int) -> Tensor:
    """What is added to attention's output at one token of each prompt, to take something out."""
    name = DENSE if case == "dense" else DICTIONARY
    sae, classes = shipped(name), asked.batch.classes
    if case == "all":
        return sae.b_dec - sae(here)
    if case == "error":
        return sae(here) - here
    if case == "other":  # each prompt another one of the 49
        classes = (classes + torch.randint(1, 50, classes.shape, generator=seeded(draw))) % 50
    latent = _best(name)[classes]
    step = -sae.encode(here).gather(1, latent[:, None]) * sae.W_dec[latent]
    if case == "random":
        noise = torch.randn(step.shape, generator=seeded(draw))
        step = lab.unit_decoder(noise) * step.norm(dim=1, keepdim=True)
    return step


@torch.no_grad()
def _answered(case: str, asked: Asked, draw: int) -> tuple[Tensor, Tensor]:
    """Which answers are right, and which are another state's."""
    batch, written = asked.batch, asked.written.clone()
    prompts = torch.arange(len(batch.tokens))
    end = torch.full_like(batch.places, batch.tokens.shape[1] - 1)
    places = batch.places if case == "name" else end
    written[prompts, places] += _steps(case, asked, written[prompts, places], draw)
    stream = asked.stream + written
    stream = stream + _plain().mlp(_plain().blocks[LAYER], stream)
    said = _plain().logits_after(LAYER, stream, read=-1)[:, 0].argmax(dim=-1)
    right = said == batch.answers.gather(1, batch.classes[:, None])[:, 0]
    return right, (batch.answers == said[:, None]).any(dim=1) & ~right


@functools.lru_cache(maxsize=8)
def measured(draw: int) -> dict[str, float]:
    """The share of answers that stay right in each case, and of another state's answers in the first."""
    found = {}
    for case in CASES:
        batches = _asked(draw, "french" if case == "french" else "english")
        pairs = [_answered(case, asked, draw) for asked in batches]
        right, another = (
            torch.cat(part).float().mean().item() for part in zip(*pairs, strict=True)
        )
        found[case] = right
        if case == "own":
            found[ANOTHER] = another
    return found


def experiment(said: dict[str, float], draw: int) -> Findings:
    """Everything is taken out in turn, on the questions of one draw."""
    found = measured(draw)
    off = {name: abs(said[name] - found[name]) for name in QUESTIONS}
    what = CASES | {ANOTHER: "in “own”, answers that are another state's"}
    lines = [
        Line(
            f"{name} ({what[name]}): {found[name]:.2f}, and you said {said[name]:.2f}",
            off[name] <= NEAR,
        )
        for name in QUESTIONS
    ]

    def figure() -> Any:
        from mi_tutor.show.dictionaries import marks_figure

        names = [f"{name} (you said {said[name]:.2f})" for name in QUESTIONS]
        shares = [found[name] for name in QUESTIONS]
        axis = "share of answers that stay right (last bar: another state's)"
        return marks_figure(
            names, shares, [line.held for line in lines], axis=axis, title="What breaks"
        )

    score = max(0.0, 1 - sum(off.values()) / len(off) / BASE)
    return Findings(score, tuple(lines), figure)


def _ours() -> dict[str, float]:
    return measured(1_000_000)


ABLATE_A_LATENT = Investigation(
    slug="ablate-a-latent",
    optional=True,
    title="Take it out",
    chapter="02",
    points=5,
    minutes=30,
    difficulty=4,
    objective="Predict what breaks when a latent is taken out, measure it with controls, and say what it stands for in the model.",
    question="What breaks when a state's latent is taken out, and what does not?",
    form=f"a dict with a share between 0 and 1 for each of {', '.join(map(repr, QUESTIONS))}",
    read=read,
    experiment=experiment,
    levels=Levels(passed=0.75, good=0.85, excellent=0.89),
    mistakes=(
        WrongHypothesis(
            name="a latent is not missed",
            example=lambda: dict.fromkeys(CASES, 0.9) | {ANOTHER: 0.05, "all": 0.1},
            fits=lambda said, findings: said["own"] > 0.5,
            sentence="You expect that most answers survive without their state's latent. It is one of three that are on: how much of what "
            "attention writes there is it? Take it out and look.",
        ),
        WrongHypothesis(
            name="without its state the model is at a loss",
            example=lambda: dict.fromkeys(CASES, 1.0)
            | {"own": 0.0, "french": 0.0, "name": 0.0, "dense": 0.0, "all": 0.0, "error": 0.6, ANOTHER: 0.0},
            fits=lambda said, findings: said[ANOTHER] < 0.4,
            sentence="You expect that without its state the model says something else altogether. What is asked is not in that latent: read "
            "the wrong answers one by one.",
        ),
        WrongHypothesis(
            name="the best latent is the state, in every dictionary",
            example=lambda: dict.fromkeys(CASES, 1.0)
            | {"own": 0.0, "french": 0.0, "name": 0.0, "dense": 0.0, "all": 0.0, "error": 0.5, ANOTHER: 0.8},
            fits=lambda said, findings: said["dense"] < 0.35,
            sentence="You expect the best latent of `dense` to be missed like that of `good`. Its F1 says how far it stands for the state: see "
            "the table above.",
        ),
    ),
    styles=(
        Worked(name="measured on other questions", hypothesis=_ours, level="excellent"),
        Worked(
            name="in round numbers",
            hypothesis=lambda: {name: round(share, 1) for name, share in _ours().items()},
            level="excellent",
        ),
    ),
    hints=(
        "`swap_one_latent` is nearly what you need: leave the new state's value as it is, and set the own one's to 0.",
        "Count three things in each case: answers that are right, answers that another state would have (any other column of "
        "`batch.answers`), and the rest.",
        "Where the name ends is `batch.places`. For `all` add `made.b_dec - made(a)`, for `error` add `made(a) - a`, where a is what attention writes. "
        "A control has the same length: `step.norm(dim=-1, keepdim=True)` times a random unit vector.",
    ),
)  # fmt: skip
