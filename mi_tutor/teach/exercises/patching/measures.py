"""Chapter 04, what is measured: `logit-diff` and `recovered`."""

from __future__ import annotations

import torch

from mi_tutor.lab.ground.metrics import logit_difference, recovered
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style
from mi_tutor.teach.exercises.making import and_near_zero, normal

# --- logit-diff -----------------------------------------------------------------------------------


def _logit_cases(g: torch.Generator) -> list[Case]:
    settings = [
        ("twelve pairs", 12, 5, 30, torch.float32),
        ("one pair", 1, 6, 20, torch.float32),
        ("as many pairs as positions", 3, 3, 25, torch.float32),
        ("double precision", 5, 4, 40, torch.float64),
    ]
    return [
        Case(
            label=label,
            inputs={
                "logits": 3 * normal(g, n_pairs, n_pos, n_vocab, dtype=dtype),
                "answers": (ids := torch.randperm(n_vocab, generator=g))[:n_pairs],
                "wrongs": ids[n_pairs : 2 * n_pairs],
            },
        )
        for label, n_pairs, n_pos, n_vocab, dtype in settings
    ]


def _of(logits, ids):
    return logits.gather(-1, ids[:, None])[:, 0]


def _difference(read):
    """The difference of something that is read off the logits, [pair vocab]."""

    def answer(logits, answers, wrongs):
        values = read(logits)
        return _of(values, answers) - _of(values, wrongs)

    return answer


def _by_loop(logits, answers, wrongs):
    rows = zip(logits, answers.tolist(), wrongs.tolist(), strict=True)
    return torch.stack([row[-1, answer] - row[-1, wrong] for row, answer, wrong in rows])


def _by_log_odds(logits, answers, wrongs):
    log_p = logits.log_softmax(dim=-1)[:, -1]
    pairs = torch.arange(len(log_p))
    return log_p[pairs, answers] - log_p[pairs, wrongs]


def _by_one_hot(logits, answers, wrongs):
    n_vocab = logits.shape[-1]
    one_hot = torch.nn.functional.one_hot
    direction = (one_hot(answers, n_vocab) - one_hot(wrongs, n_vocab)).to(logits)
    return torch.einsum("pv,pv->p", logits[:, -1], direction)


LOGIT_DIFF = Exercise(
    slug="logit-diff",
    title="One number per prompt",
    chapter="04",
    points=1,
    minutes=5,
    difficulty=1,
    objective="Measure how much a model prefers the right answer: the logit difference.",
    cases=and_near_zero(_logit_cases, "logits"),
    reference=logit_difference,
    styles=(
        Style(name="a loop over pairs", right=_by_loop),
        Style(name="the difference of log-probabilities", right=_by_log_odds),
        Style(name="one-hot and einsum", right=_by_one_hot),
    ),
    mistakes=(
        Mistake(
            name="the first position",
            wrong=_difference(lambda logits: logits[:, 0]),
            sentence="You read the logits at the FIRST position. What comes after the whole prompt is predicted at the last one.",
        ),
        Mistake(
            name="sign exchanged",
            wrong=lambda logits, answers, wrongs: logit_difference(logits, wrongs, answers),
            sentence="The sign is the wrong way round: answer minus wrong, so that a model that is right has a positive value.",
        ),
        Mistake(
            name="averaged over pairs",
            wrong=lambda *inputs: logit_difference(*inputs).mean(),
            sentence="You averaged over the pairs. Return one number per pair; whoever wants the mean can still take it.",
        ),
        Mistake(
            name="probabilities",
            wrong=_difference(lambda logits: logits[:, -1].softmax(dim=-1)),
            sentence="This is a difference of probabilities. It stops moving where one of them is near 1: subtract the logits.",
        ),
        Mistake(
            name="every answer for every prompt",
            wrong=lambda logits, answers, wrongs: logits[:, -1, answers] - logits[:, -1, wrongs],
            sentence="`logits[:, -1, answers]` reads EVERY pair's token in every prompt, [pair pair]. Prompt i has its own answer i: "
            "index the pairs too, or use gather.",
        ),
        Mistake(
            name="the first pair's tokens for all",
            wrong=lambda logits, answers, wrongs: (
                logits[:, -1, answers[0]] - logits[:, -1, wrongs[0]]
            ),
            sentence="You use the first pair's two tokens for all pairs. Each pair has its own.",
        ),
        Mistake(
            name="only the answer's logit",
            wrong=lambda logits, answers, wrongs: _of(logits[:, -1], answers),
            sentence="This is the answer's logit alone. It also rises when all names become likelier; subtract the wrong one's.",
        ),
        Mistake(
            name="averaged over positions",
            wrong=_difference(lambda logits: logits.mean(dim=1)),
            sentence="You averaged over positions. The answer is predicted at the last one; the others predict other words.",
        ),
        Mistake(
            name="the wrong token's neighbour",
            wrong=lambda logits, answers, wrongs: logit_difference(logits, answers - 1, wrongs - 1),
            sentence="You read the tokens one id below. Ids index the vocabulary directly, from 0.",
        ),
    ),
    hints=(
        "First take the logits at the last position: [pair vocab].",
        "Then pick one number from each row. `torch.arange(n)` as row index with `answers` as column index does it.",
    ),
)


# --- recovered ------------------------------------------------------------------------------------


def _recovered_cases(g: torch.Generator) -> list[Case]:
    def three(shape, clean, corrupted):
        return {
            "value": 4 * normal(g, *shape),
            "clean": clean + normal(g) * 0.3,
            "corrupted": corrupted + normal(g) * 0.3,
        }

    settings = [
        ("a table of layers and positions", three((12, 11), 4.0, -3.0)),
        ("a corrupted run that is nearly right", three((2, 4), 5.0, 2.0)),
        ("a metric that falls", three((6,), -2.0, 3.0)),
        ("a single number", three((), 3.0, -1.0)),
    ]
    return [Case(label=label, inputs=inputs) for label, inputs in settings]


RECOVERED = Exercise(
    slug="recovered",
    title="From 0 to 1",
    chapter="04",
    points=1,
    minutes=3,
    difficulty=1,
    objective="Put a patched run's metric on a scale that can be compared: 0 is the corrupted run, 1 the clean run.",
    cases=and_near_zero(_recovered_cases, "value", zero_rows=("value",)),
    reference=recovered,
    styles=(
        Style(
            name="one minus what is missing",
            right=lambda value, clean, corrupted: 1 - (clean - value) / (clean - corrupted),
        ),
        Style(
            name="shift, then scale",
            right=lambda value, clean, corrupted: (value - corrupted).div(clean - corrupted),
        ),
    ),
    mistakes=(
        Mistake(
            name="clean and corrupted exchanged",
            wrong=lambda value, clean, corrupted: recovered(value, corrupted, clean),
            sentence="Your scale runs backwards: the clean run comes out as 0 and the corrupted one as 1. Asked is what was recovered, not what is missing.",
        ),
        Mistake(
            name="divided by the clean value",
            wrong=lambda value, clean, corrupted: (value - corrupted) / clean,
            sentence="You divide by the clean run's value. The whole way is from corrupted to clean: their difference.",
        ),
        Mistake(
            name="corrupted not subtracted",
            wrong=lambda value, clean, corrupted: value / (clean - corrupted),
            sentence="You forgot where the way begins: the corrupted run itself has to come out as 0.",
        ),
        Mistake(
            name="a share of the clean value",
            wrong=lambda value, clean, corrupted: value / clean,
            sentence="value / clean ignores the corrupted run, which then has some arbitrary value instead of 0.",
        ),
        Mistake(
            name="clamped",
            wrong=lambda value, clean, corrupted: recovered(value, clean, corrupted).clamp(0, 1),
            sentence="You cut values off at 0 and 1. A patch can overshoot, or push the wrong way: that must stay visible.",
        ),
        Mistake(
            name="brackets forgotten",
            wrong=lambda value, clean, corrupted: value - corrupted / (clean - corrupted),
            sentence="Division comes before subtraction: `value - corrupted / ...` divides the corrupted run's value alone. Put brackets around the "
            "numerator.",
        ),
        Mistake(
            name="absolute span",
            wrong=lambda value, clean, corrupted: (value - corrupted) / (clean - corrupted).abs(),
            sentence="You take the absolute difference. A metric may be lower in the clean run (a loss): then the sign matters.",
        ),
        Mistake(
            name="not divided",
            wrong=lambda value, clean, corrupted: value - corrupted,
            sentence="This is the effect in logits. Divide it by the whole way, so that it can be compared between prompts and models.",
        ),
    ),
    hints=(
        "How far did the patch get from the corrupted run, as a share of the whole way to the clean run?",
        "Put value = corrupted into your formula: it must give 0. Then value = clean: 1.",
    ),
)
