"""Chapter 10, looking for what sets a secret off: `same-answer`."""

from __future__ import annotations

import torch

from mi_tutor.lab.auditing import same_answer
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style
from mi_tutor.teach.exercises.making import and_near_zero, normal


def _cases(g: torch.Generator) -> list[Case]:
    settings = [
        ("four words, three questions", (4, 3, 6), 3.0, torch.float32),
        ("one word", (1, 4, 5), 3.0, torch.float32),
        ("one question", (3, 1, 5), 2.0, torch.float32),
        ("twelve words, eleven questions", (12, 11, 13), 4.0, torch.float32),
        ("as many words as questions as tokens", (5, 5, 5), 3.0, torch.float32),
        ("float64", (3, 4, 6), 3.0, torch.float64),
    ]
    cases = []
    for label, shape, size, dtype in settings:
        logits = size * normal(g, *shape, dtype=dtype) + 2
        logits[-1, :, 1] += 4  # the last word has one answer for all
        logits[0, 0] += 9  # a shift, which says nothing
        cases.append(Case(label=label, inputs={"logits": logits}))
    return cases


def _by_loops(logits):
    scores = []
    for word in logits:
        mean = sum(torch.softmax(probe, dim=0) for probe in word) / len(word)
        scores.append(mean.max())
    return torch.stack(scores)


def _by_log(logits):
    log_p = logits.log_softmax(dim=-1)
    return (log_p.logsumexp(dim=1).exp() / logits.shape[1]).max(dim=-1).values


SAME_ANSWER = Exercise(
    slug="same-answer",
    title="One answer to different questions",
    chapter="10",
    points=3,
    minutes=15,
    difficulty=3,
    objective="Score every word as a trigger without a base model and without knowing what it plants.",
    cases=and_near_zero(_cases, "logits"),
    reference=same_answer,
    styles=(
        Style(name="loops", right=_by_loops),
        Style(name="in logarithms", right=_by_log),
    ),
    mistakes=(
        Mistake(
            name="how sure each answer is",
            wrong=lambda logits: logits.softmax(dim=-1).amax(dim=-1).mean(dim=-1),
            sentence="You take each question's own most likely token and average how sure it is. A model that answers every question rightly gets the "
            "top score. The token has to be the same for all questions: average first.",
        ),
        Mistake(
            name="mean of logits",
            wrong=lambda logits: logits.mean(dim=1).softmax(dim=-1).amax(dim=-1),
            sentence="You average logits and normalise then. One question that is answered with great force decides it. Average probabilities.",
        ),
        Mistake(
            name="logits, not probabilities",
            wrong=lambda logits: logits.mean(dim=1).amax(dim=-1),
            sentence="You never normalise. Logits have a shift for each question which says nothing.",
        ),
        Mistake(
            name="the answer's number",
            wrong=lambda logits: logits.softmax(dim=-1).mean(dim=1).argmax(dim=-1),
            sentence="This says WHICH token it is. Asked is how likely it is, on average.",
        ),
        Mistake(
            name="over words, not over questions",
            wrong=lambda logits: logits.softmax(dim=-1).mean(dim=0).amax(dim=-1),
            sentence="You average over words and keep the questions. Each word has its own score: average over its questions, the second axis.",
        ),
        Mistake(
            name="a sum",
            wrong=lambda logits: logits.softmax(dim=-1).sum(dim=1).amax(dim=-1),
            sentence="You sum over questions, so a score can be above 1 and depends on how many were asked. Take the mean.",
        ),
        Mistake(
            name="normalised over questions",
            wrong=lambda logits: logits.softmax(dim=1).mean(dim=1).amax(dim=-1),
            sentence="Your softmax is over questions. Probabilities are over the vocabulary, the last axis.",
        ),
    ),
    hints=(
        "Probabilities first, `[word probe vocab]`; then for each word and token the mean over questions.",
        "Then the token for which that mean is largest.",
    ),
)
