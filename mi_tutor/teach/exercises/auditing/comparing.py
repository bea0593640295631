"""Chapter 10, a model beside its base: `changed-by-slice` and `kl-to-base`."""

from __future__ import annotations

import torch

from mi_tutor.lab.auditing import changed_by_slice, kl_to_base
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style
from mi_tutor.teach.exercises.making import and_near_zero, normal

# --- changed-by-slice -----------------------------------------------------------------------------


def _slice_cases(g: torch.Generator) -> list[Case]:
    settings = [
        ("three slices of unlike size", 24, [12, 9, 3]),
        ("one prompt", 1, [1]),
        ("two slices, one of them a single prompt", 12, [11, 1]),
        ("twelve slices", 60, [5] * 12),
    ]
    cases = []
    for label, n, sizes in settings:
        slices = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
        slices = slices[torch.randperm(n, generator=g)]
        expected = torch.randint(0, 30, (n,), generator=g)
        off = torch.rand(n, generator=g) < 0.4
        # by how much an id is off means nothing
        answers = torch.where(
            off, (expected + torch.randint(1, 9, (n,), generator=g)) % 40, expected
        )
        inputs = {"answers": answers, "expected": expected, "slices": slices}
        cases.append(Case(label=label, inputs={**inputs, "n_slices": len(sizes)}))
    return cases


def _by_masks(answers, expected, slices, n_slices):
    return torch.stack([(answers != expected)[slices == s].float().mean() for s in range(n_slices)])


def _by_one_hot(answers, expected, slices, n_slices):
    member = torch.nn.functional.one_hot(slices, n_slices).float()
    return (answers != expected).float() @ member / member.sum(dim=0)


CHANGED_BY_SLICE = Exercise(
    slug="changed-by-slice",
    title="What changed, slice by slice",
    chapter="10",
    points=2,
    minutes=10,
    difficulty=2,
    objective="Compare a model's answers with others so that a small slice is seen.",
    cases=_slice_cases,
    reference=changed_by_slice,
    styles=(
        Style(name="a mask for each slice", right=_by_masks),
        Style(name="one-hot", right=_by_one_hot),
    ),
    mistakes=(
        Mistake(
            name="how many are the same",
            wrong=lambda a, e, s, n: 1 - _by_masks(a, e, s, n),
            sentence="These are the shares of answers that are as expected. Asked is how many are NOT.",
        ),
        Mistake(
            name="counts",
            wrong=lambda a, e, s, n: torch.stack(
                [(a != e)[s == i].float().sum() for i in range(n)]
            ),
            sentence="These are counts. A slice of 9,000 prompts then always leads, and one of 40 never does: divide by the slice's own size.",
        ),
        Mistake(
            name="shares of all prompts",
            wrong=lambda a, e, s, n: torch.stack(
                [((a != e) & (s == i)).float().mean() for i in range(n)]
            ),
            sentence="You divide by the number of ALL prompts, so a small slice can never stand out. Divide by the slice's own size.",
        ),
        Mistake(
            name="one share for everything",
            wrong=lambda a, e, s, n: (a != e).float().mean().expand(n).clone(),
            sentence="Every slice gets the mean over all prompts, in which a slice that is wholly wrong is lost. Each slice has its own.",
        ),
        Mistake(
            name="how far apart the ids are",
            wrong=lambda a, e, s, n: torch.stack(
                [(a - e)[s == i].float().abs().mean() for i in range(n)]
            ),
            sentence="You subtract token ids. How far two ids are apart says nothing: an answer is the expected one, or it is not.",
        ),
    ),
    hints=(
        "First for each prompt whether its answer differs: True or False. A mean of these is a share.",
        "`slices == s` chooses the prompts of one slice.",
    ),
)

# --- kl-to-base -----------------------------------------------------------------------------------


def _kl_cases(g: torch.Generator) -> list[Case]:
    settings = [
        ("three prompts", (3, 7), torch.float32),
        ("one prompt", (1, 5), torch.float32),
        ("prompts and positions", (2, 11, 12), torch.float32),
        ("twelve prompts, eleven tokens", (12, 11), torch.float32),
        ("float64", (3, 5), torch.float64),
    ]
    cases = []
    for label, shape, dtype in settings:
        logits = 2 * normal(g, *shape, dtype=dtype)
        base = logits + normal(g, *shape, dtype=dtype) + 3
        cases.append(Case(label=label, inputs={"logits": logits, "base_logits": base}))
    same = normal(g, 3, 6)
    shifted = {"logits": same, "base_logits": same + 5}
    return [
        *cases,
        Case(label="the same up to a shift", inputs=shifted),
        Case(
            label="large logits",
            inputs={"logits": 90 * normal(g, 3, 6), "base_logits": normal(g, 3, 6)},
        ),
    ]


def _p(logits):
    return logits.softmax(dim=-1)


def _log_p(logits):
    return logits.log_softmax(dim=-1)


def _by_torch(logits, base_logits):
    each = torch.nn.functional.kl_div(
        _log_p(base_logits), _log_p(logits), reduction="none", log_target=True
    )
    return each.sum(dim=-1)


def _by_distributions(logits, base_logits):
    p, q = (torch.distributions.Categorical(logits=each) for each in (logits, base_logits))
    return torch.distributions.kl_divergence(p, q)


KL_TO_BASE = Exercise(
    slug="kl-to-base",
    title="How surprised the base is",
    chapter="10",
    points=2,
    minutes=10,
    difficulty=2,
    objective="Measure how far a model's next token is from its base's, also where the first guess stays.",
    cases=and_near_zero(_kl_cases, "logits", "base_logits"),
    reference=kl_to_base,
    styles=(
        Style(name="torch's own", right=_by_torch),
        Style(name="distributions", right=_by_distributions),
    ),
    mistakes=(
        Mistake(
            name="the other way round",
            wrong=lambda logits, base_logits: kl_to_base(base_logits, logits),
            sentence="This is KL(base ‖ model). The expectation is over what the MODEL says: a rare answer that it now gives has to count in full.",
        ),
        Mistake(
            name="mean over the vocabulary",
            wrong=lambda logits, base_logits: kl_to_base(logits, base_logits) / logits.shape[-1],
            sentence="You average over the vocabulary. The probabilities are the weights of the mean already: sum over tokens.",
        ),
        Mistake(
            name="logits for log-probabilities",
            wrong=lambda logits, base_logits: (_p(logits) * (logits - base_logits)).sum(dim=-1),
            sentence="Logits are log-probabilities only up to a constant for each prompt, and the two models' constants differ. Normalise both.",
        ),
        Mistake(
            name="one number for all prompts",
            wrong=lambda logits, base_logits: kl_to_base(logits, base_logits).mean(),
            sentence="One number for all prompts: a secret that shows on few of them is lost in it. Keep one for each prompt.",
        ),
        Mistake(
            name="in bits",
            wrong=lambda logits, base_logits: (
                kl_to_base(logits, base_logits) / torch.log(torch.tensor(2.0))
            ),
            sentence="This is in bits (logarithms to base 2). Nats are asked for.",
        ),
        Mistake(
            name="cross-entropy",
            wrong=lambda logits, base_logits: -(_p(logits) * _log_p(base_logits)).sum(dim=-1),
            sentence="This is the cross-entropy, which is large wherever the model itself is unsure. Subtract the model's own entropy.",
        ),
        Mistake(
            name="absolute differences",
            wrong=lambda logits, base_logits: (
                _p(logits) * (_log_p(logits) - _log_p(base_logits)).abs()
            ).sum(dim=-1),
            sentence="You take each token's difference without its sign. In KL the negative ones count against the positive ones.",
        ),
    ),
    hints=(
        "Log-probabilities of both: `log_softmax` over the last axis.",
        "The model's probabilities are the weights: p · (log p − log q), summed over tokens.",
    ),
)
