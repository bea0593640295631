"""Chapter 03, how well each token is predicted: `per-position-loss`."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from mi_tutor.lab.ground.metrics import per_position_loss
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style, Tolerance
from mi_tutor.teach.exercises.making import and_near_zero, normal


def _loss_cases(g: torch.Generator) -> list[Case]:
    def case(label: str, n_rows: int, n_pos: int, vocab: int, scale: float = 2.0) -> Case:
        tokens = torch.randint(vocab, (n_rows, n_pos), generator=g)
        return Case(
            label=label,
            inputs={"logits": scale * normal(g, n_rows, n_pos, vocab), "tokens": tokens},
        )

    return [
        case("twelve rows", 12, 13, 11),
        case("one row", 1, 5, 6),
        case("as many positions as tokens in the vocabulary", 4, 8, 8),
        case("logits in the hundreds", 2, 6, 9, scale=300.0),
    ]


def _log_probs(logits):
    return logits.log_softmax(dim=-1)


def _picked(values, tokens):
    return values.gather(-1, tokens[..., None])[..., 0]


def _loss_by_cross_entropy(logits, tokens):
    return F.cross_entropy(logits[:, :-1].transpose(1, 2), tokens[:, 1:], reduction="none")


def _loss_by_loop(logits, tokens):
    n_rows, n_pos = tokens.shape
    loss = torch.zeros(n_rows, n_pos - 1)
    for row in range(n_rows):
        for pos in range(n_pos - 1):
            own = logits[row, pos, tokens[row, pos + 1]]
            loss[row, pos] = torch.logsumexp(logits[row, pos], dim=0) - own
    return loss


def _loss_one_hot(logits, tokens):
    hot = F.one_hot(tokens[:, 1:], logits.shape[-1]).to(logits)
    return -torch.einsum("rpv,rpv->rp", _log_probs(logits)[:, :-1], hot)


PER_POSITION_LOSS = Exercise(
    slug="per-position-loss",
    title="The loss at every position",
    chapter="03",
    points=2,
    minutes=6,
    difficulty=2,
    objective="Compute how surprised a model is by each token, and keep positions apart.",
    cases=and_near_zero(_loss_cases, "logits"),
    reference=per_position_loss,
    tolerance=Tolerance(rtol=1e-4, atol=1e-5),
    styles=(
        Style(name="torch's cross_entropy", right=_loss_by_cross_entropy),
        Style(name="loops and logsumexp", right=_loss_by_loop),
        Style(name="one-hot and einsum", right=_loss_one_hot),
    ),
    mistakes=(
        Mistake(
            name="not shifted",
            wrong=lambda logits, tokens: -_picked(_log_probs(logits), tokens)[:, :-1],
            sentence="You score each position's own token, which the model has just read. The logits at a position are about the "
            "NEXT token.",
        ),
        Mistake(
            name="not shifted, all positions",
            wrong=lambda logits, tokens: -_picked(_log_probs(logits), tokens),
            sentence="You score each position's own token, and so get one entry too many. The logits at a position are about the "
            "next token, and the last position has none.",
        ),
        Mistake(
            name="shifted the wrong way",
            wrong=lambda logits, tokens: -_picked(_log_probs(logits[:, 1:]), tokens[:, :-1]),
            sentence="You score each position's PREVIOUS token. The logits at position i are about token i + 1.",
        ),
        Mistake(
            name="an axis too many",
            wrong=lambda logits, tokens: per_position_loss(logits, tokens)[..., None],
            sentence="The numbers are right, but have an axis of length 1 at the end: `gather` keeps the axis from which it picks. "
            "Take it off, `[..., 0]`.",
        ),
        Mistake(
            name="averaged over rows",
            wrong=lambda logits, tokens: per_position_loss(logits, tokens).mean(dim=0),
            sentence="You average over rows. Keep them: one number per row and position.",
        ),
        Mistake(
            name="one number",
            wrong=lambda logits, tokens: per_position_loss(logits, tokens).mean(),
            sentence="You average over everything. The point is to see WHERE the loss is low: one number per row and position.",
        ),
        Mistake(
            name="sign",
            wrong=lambda logits, tokens: -per_position_loss(logits, tokens),
            sentence="That is the log probability. The loss is minus that, and never negative.",
        ),
        Mistake(
            name="raw logits",
            wrong=lambda logits, tokens: -_picked(logits[:, :-1], tokens[:, 1:]),
            sentence="You take the logit as if it were a log probability. Logits still have to be normalised over the vocabulary.",
        ),
        Mistake(
            name="softmax over positions",
            wrong=lambda logits, tokens: -_picked(logits.log_softmax(dim=1)[:, :-1], tokens[:, 1:]),
            sentence="You normalise over positions. Probabilities add up to 1 over the vocabulary, the last axis.",
        ),
        Mistake(
            name="probability in place of its logarithm",
            wrong=lambda logits, tokens: (
                1 - _log_probs(logits)[:, :-1].exp().gather(-1, tokens[:, 1:, None])[..., 0]
            ),
            sentence="You return one minus the probability. The loss is minus its logarithm.",
        ),
        Mistake(
            name="the probability",
            wrong=lambda logits, tokens: (-per_position_loss(logits, tokens)).exp(),
            sentence="You return the probability of the next token. The loss is minus its logarithm.",
        ),
        Mistake(
            name="logarithm of a softmax",
            wrong=lambda logits, tokens: (
                -_picked(logits.softmax(dim=-1)[:, :-1], tokens[:, 1:]).log()
            ),
            sentence="The formula is right, but a small probability is rounded to 0 before you take its logarithm, which is then "
            "infinite. `log_softmax` does both steps at once and safely.",
        ),
        Mistake(
            name="bits in place of nats",
            wrong=lambda logits, tokens: per_position_loss(logits, tokens) / 0.6931471805599453,
            sentence="That is the loss in bits (logarithm to base 2). Here it is in nats: the natural logarithm.",
        ),
    ),
    hints=(
        "Which logits speak about which token? Write down the pairs for a text of three tokens.",
        "`log_softmax` over the vocabulary, then pick one entry per row and position with `gather`.",
        "`gather` wants the index with the same number of axes: `tokens[..., None]`.",
    ),
)
