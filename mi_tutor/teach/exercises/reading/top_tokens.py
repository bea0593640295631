"""Chapter 00, what a model predicts: `top-tokens`."""

from __future__ import annotations

import numpy as np
import torch

from mi_tutor.lab.reading.residual import top_tokens
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style
from mi_tutor.teach.exercises.making import and_near_zero, normal


def _logit_cases(g: torch.Generator) -> list[Case]:
    settings = [
        ("a short prompt", normal(g, 4, 50), 5),
        ("only the best one", normal(g, 6, 30), 1),
        ("logits that are all negative", normal(g, 3, 40) - 20, 3),
        ("a prompt of one token", normal(g, 1, 25), 4),
        ("all tokens, best first", normal(g, 12, 14), 14),
        ("double precision", normal(g, 7, 60, dtype=torch.float64), 6),
    ]
    return [Case(label=label, inputs={"logits": logits, "k": k}) for label, logits, k in settings]


def _top_by_repeated_argmax(logits, k):
    scores = logits[-1].clone()
    ids = []
    for _ in range(k):
        ids.append(int(scores.argmax()))
        scores[ids[-1]] = -torch.inf
    return torch.tensor(ids)


TOP_TOKENS = Exercise(
    slug="top-tokens",
    title="What comes next?",
    chapter="00",
    points=1,
    minutes=5,
    difficulty=1,
    objective="Read a model's prediction: the k most likely next tokens from its logits.",
    cases=and_near_zero(_logit_cases, "logits"),
    reference=top_tokens,
    styles=(
        Style(name="argsort", right=lambda logits, k: logits[-1].argsort(descending=True)[:k]),
        Style(name="softmax first", right=lambda logits, k: logits.softmax(dim=-1)[-1].topk(k)[1]),
        Style(name="argmax k times", right=_top_by_repeated_argmax),
        Style(
            name="numpy", right=lambda logits, k: np.argsort(-logits.numpy()[-1], kind="stable")[:k]
        ),
    ),
    mistakes=(
        Mistake(
            name="the first position",
            wrong=lambda logits, k: logits[0].topk(k).indices,
            sentence="You read the prediction after the FIRST token. What comes after the whole prompt is predicted at the last position.",
        ),
        Mistake(
            name="values for ids",
            wrong=lambda logits, k: logits[-1].topk(k).values,
            sentence="These are the logits themselves. The exercise asks which tokens they belong to: their indices.",
        ),
        Mistake(
            name="least likely first",
            wrong=lambda logits, k: logits[-1].argsort()[:k],
            sentence="These are the k LEAST likely tokens: look at the direction of your sort.",
        ),
        Mistake(
            name="best last",
            wrong=lambda logits, k: logits[-1].argsort()[-k:],
            sentence="The tokens are right, but the best one stands last. Most likely first, please.",
        ),
        Mistake(
            name="every position",
            wrong=lambda logits, k: logits.topk(k, dim=-1).indices,
            sentence="You have the best tokens at every position. Only the last position predicts what comes after the prompt.",
        ),
        Mistake(
            name="best position, not best token",
            wrong=lambda logits, k: logits.argmax(dim=0)[:k],
            sentence="You compare along the positions (the first axis). The candidates for the next token lie along the last axis.",
        ),
        Mistake(
            name="largest in absolute value",
            wrong=lambda logits, k: logits[-1].abs().topk(k).indices,
            sentence="You rank by absolute value, so very UNLIKELY tokens (large negative logits) come out on top. Keep the sign.",
        ),
    ),
    hints=(
        "logits has shape [pos vocab]: one row of scores per position. Which row speaks about the token after the prompt?",
        "The higher the logit, the likelier the token, so there is no need for a softmax.",
        "`torch.topk` gives values and indices, largest first.",
    ),
)
