"""Chapter 01, the toy model: `toy-forward` and `weighted-loss`."""

from __future__ import annotations

import einops
import torch
from torch import Tensor

from mi_tutor.lab.superposition import toy_forward, weighted_loss
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style
from mi_tutor.teach.exercises.making import and_near_zero, normal, strided, uniform

# --- toy-forward ----------------------------------------------------------------------------------


def _forward_cases(g: torch.Generator) -> list[Case]:
    def case(label, batch, hidden, feature, dtype=torch.float32, layout=lambda t: t):
        x = layout(uniform(g, batch, feature, dtype=dtype))
        W = layout(normal(g, hidden, feature, dtype=dtype))
        b = 0.5 * normal(g, feature, dtype=dtype)
        return Case(label=label, inputs={"x": x, "W": W, "b": b})

    return [
        case("a batch of 12, with 11 features", 12, 2, 11),
        case("a batch of 1", 1, 2, 6),
        case("as many hidden dimensions as features", 6, 4, 4),
        case("more hidden dimensions than features", 6, 5, 3),
        case("double precision", 3, 3, 7, dtype=torch.float64),
        case("inputs that are not contiguous in memory", 5, 2, 5, layout=strided),
    ]


def _elementwise(x: Tensor, W: Tensor, b: Tensor) -> Tensor:
    rows = []
    for sample in x:
        hidden = [sum(W[m, i] * sample[i] for i in range(len(sample))) for m in range(len(W))]
        out = [sum(W[m, i] * hidden[m] for m in range(len(W))) + b[i] for i in range(len(sample))]
        rows.append(torch.stack(out).clamp(min=0))
    return torch.stack(rows)


def _forward_einops(x, W, b):
    hidden = einops.einsum(x, W, "batch feature, hidden feature -> batch hidden")
    return (einops.einsum(hidden, W, "batch hidden, hidden feature -> batch feature") + b).clamp(
        min=0
    )


TOY_FORWARD = Exercise(
    slug="toy-forward",
    title="The toy model, forwards",
    chapter="01",
    points=2,
    minutes=4,
    difficulty=1,
    objective="Write the model that squeezes features through few dimensions: x' = ReLU(Wᵀ W x + b).",
    cases=and_near_zero(_forward_cases, "W", "b", positive=("x",), zero_rows=("x",)),
    reference=toy_forward,
    gradients=("W", "b"),
    mistakes=(
        Mistake(
            name="no bias",
            wrong=lambda x, W, b: torch.relu(x @ W.T @ W),
            sentence="This is the output of the model without its bias: `b` is added before the ReLU.",
        ),
        Mistake(
            name="ReLU before the bias",
            wrong=lambda x, W, b: torch.relu(x @ W.T @ W) + b,
            sentence="You apply the ReLU first and add the bias afterwards, so outputs can be negative. The bias belongs "
            "inside: it is what lets the model cut small interference off.",
        ),
        Mistake(
            name="W Wᵀ in place of Wᵀ W",
            wrong=lambda x, W, b: torch.relu(x @ W @ W.T + b),
            sentence="You multiply by W first and by its transpose second. W has shape [hidden feature], so with samples as "
            "rows the way down is `x @ W.T`. (With as many hidden dimensions as features the shapes do not complain.)",
        ),
        Mistake(
            name="no ReLU",
            wrong=lambda x, W, b: x @ W.T @ W + b,
            sentence="Negative outputs are still there: the ReLU at the end is missing. Without it the model is linear and "
            "would not use superposition.",
        ),
        Mistake(
            name="ReLU on the hidden layer",
            wrong=lambda x, W, b: torch.relu(torch.relu(x @ W.T) @ W + b),
            sentence="There is a ReLU on the hidden layer too. Here the hidden layer is linear; only the output has a ReLU. "
            "(The other model comes later in this chapter.)",
        ),
        Mistake(
            name="bias on the input",
            wrong=lambda x, W, b: torch.relu((x + b) @ W.T @ W),
            sentence="You add the bias to the input, where W squeezes it too. It is added after the way up, one number per "
            "output feature.",
        ),
        Mistake(
            name="bias subtracted",
            wrong=lambda x, W, b: torch.relu(x @ W.T @ W - b),
            sentence="The bias has the wrong sign: it is added.",
        ),
        Mistake(
            name="only the way down and up",
            wrong=lambda x, W, b: x @ W.T @ W,
            sentence="Wᵀ W x is there; the bias and the ReLU are still missing.",
        ),
        Mistake(
            name="detached",
            wrong=lambda x, W, b: torch.relu(x @ W.T @ W + b).detach(),
            sentence="The numbers are right, but the result is cut off from W and b, so no gradient could train them: remove "
            "`.detach()`, `.data` or `torch.no_grad()`.",
        ),
    ),
    styles=(
        Style(name="einops", right=_forward_einops),
        Style(
            name="torch.einsum in one go",
            right=lambda x, W, b: torch.relu(torch.einsum("bi,mi,mj->bj", x, W, W) + b),
        ),
        Style(
            name="nn.functional.linear",
            right=lambda x, W, b: torch.nn.functional.relu(
                torch.nn.functional.linear(torch.nn.functional.linear(x, W), W.T, b)
            ),
        ),
        Style(name="a loop over samples", right=_elementwise),
        Style(
            name="Gram matrix first",
            right=lambda x, W, b: torch.maximum(x @ (W.T @ W) + b, torch.zeros(())),
        ),
    ),
    hints=(
        "Write the shapes down: x is [batch feature], W is [hidden feature]. Which product gives [batch hidden]?",
        "The formula treats x as a column. With samples as rows everything is transposed: W x becomes `x @ W.T`.",
        "Down, up, add, clip: four operations in this order.",
    ),
)


# --- weighted-loss --------------------------------------------------------------------------------


def _loss_cases(g: torch.Generator) -> list[Case]:
    def case(label, batch, feature, dtype=torch.float32):
        return Case(
            label=label,
            inputs={
                "x": uniform(g, batch, feature, dtype=dtype),
                "x_hat": uniform(g, batch, feature, dtype=dtype),
                "importance": uniform(g, feature, low=0.2, high=3.0, dtype=dtype),
            },
        )

    return [
        case("a batch of 7 with 4 features", 7, 4),
        case("as many samples as features", 5, 5),
        case("a batch of 1", 1, 6),
        case("a single feature", 6, 1),
        case("a batch of 12, with 11 features, double precision", 12, 11, dtype=torch.float64),
    ]


def _loss_loop(x, x_hat, importance):
    total = torch.zeros((), dtype=x.dtype)
    for n in range(x.shape[0]):
        for i in range(x.shape[1]):
            total = total + importance[i] * (x[n, i] - x_hat[n, i]).square()
    return total / x.shape[0]


WEIGHTED_LOSS = Exercise(
    slug="weighted-loss",
    title="A loss that knows what matters",
    chapter="01",
    points=2,
    minutes=4,
    difficulty=1,
    objective="Write the importance-weighted squared error, with the right reductions: mean over the batch, sum over features.",
    cases=_loss_cases,
    reference=weighted_loss,
    gradients=("x_hat",),
    mistakes=(
        Mistake(
            name="not weighted",
            wrong=lambda x, x_hat, importance: ((x - x_hat) ** 2).sum(-1).mean(),
            sentence="This is the plain squared error: `importance` does not come into it.",
        ),
        Mistake(
            name="weighted by the square root",
            wrong=lambda x, x_hat, importance: (
                (importance.sqrt() * (x - x_hat) ** 2).sum(-1).mean()
            ),
            sentence="Each squared error is multiplied by the square root of its importance; the formula has the importance "
            "itself, outside the square.",
        ),
        Mistake(
            name="weighted inside the square",
            wrong=lambda x, x_hat, importance: ((importance * (x - x_hat)) ** 2).sum(-1).mean(),
            sentence="The importance counts squared, as if it stood inside the square. It multiplies the squared error once.",
        ),
        Mistake(
            name="mean over features too",
            wrong=lambda x, x_hat, importance: (importance * (x - x_hat) ** 2).mean(),
            sentence="You take the mean over features as well as over the batch. Over features it is a SUM, as in the paper: "
            "the loss of a model with more features is larger.",
        ),
        Mistake(
            name="sum over the batch too",
            wrong=lambda x, x_hat, importance: (importance * (x - x_hat) ** 2).sum(),
            sentence="You sum over the batch, so the loss grows with the batch size. Over samples it is a mean.",
        ),
        Mistake(
            name="reductions exchanged",
            wrong=lambda x, x_hat, importance: (importance * (x - x_hat) ** 2).mean(-1).sum(),
            sentence="Your reductions are exchanged: you take the mean over features and the sum over samples. It is the "
            "mean over the batch (first axis) of the sum over features (last axis).",
        ),
        Mistake(
            name="one loss per feature",
            wrong=lambda x, x_hat, importance: (importance * (x - x_hat) ** 2).mean(0),
            sentence="This is one number per feature. The loss is a single number: sum over the features too.",
        ),
        Mistake(
            name="one loss per sample",
            wrong=lambda x, x_hat, importance: (importance * (x - x_hat) ** 2).sum(-1),
            sentence="This is one number per sample. The loss is a single number: take the mean over the batch too.",
        ),
        Mistake(
            name="absolute error",
            wrong=lambda x, x_hat, importance: (importance * (x - x_hat).abs()).sum(-1).mean(),
            sentence="You weight the absolute error; the formula has the squared error.",
        ),
        Mistake(
            name="error summed before squaring",
            wrong=lambda x, x_hat, importance: ((importance * (x - x_hat)).sum(-1) ** 2).mean(),
            sentence="You add the errors up and square the sum, so errors of opposite sign cancel. Square each one first.",
        ),
        Mistake(
            name="weights normalised",
            wrong=lambda x, x_hat, importance: (
                ((importance / importance.sum()) * (x - x_hat) ** 2).sum(-1).mean()
            ),
            sentence="You divide by the sum of the importances. The formula does not: importances are used as they are.",
        ),
        Mistake(
            name="detached",
            wrong=lambda x, x_hat, importance: (
                (importance * (x - x_hat) ** 2).sum(-1).mean().detach()
            ),
            sentence="The number is right, but it is cut off from x_hat, so it could not train anything: return the tensor "
            "itself, without `.detach()`, `.item()` or `float()`.",
        ),
    ),
    styles=(
        Style(
            name="matrix-vector product",
            right=lambda x, x_hat, importance: ((x_hat - x) ** 2 @ importance).mean(),
        ),
        Style(
            name="einsum",
            right=lambda x, x_hat, importance: (
                torch.einsum("bi,bi,i->", x - x_hat, x - x_hat, importance) / len(x)
            ),
        ),
        Style(
            name="einops.reduce",
            right=lambda x, x_hat, importance: einops.reduce(
                importance * (x - x_hat) ** 2, "batch feature -> feature", "mean"
            ).sum(),
        ),
        Style(
            name="mse_loss",
            right=lambda x, x_hat, importance: (
                (torch.nn.functional.mse_loss(x_hat, x, reduction="none") * importance).sum()
                / x.shape[0]
            ),
        ),
        Style(name="two loops", right=_loss_loop),
    ),
    hints=(
        "First the squared error of every entry, then its weight, then the reductions.",
        "`importance` has one entry per feature, and features are the last axis: it broadcasts by itself.",
        "Sum over the last axis, then mean over what is left.",
    ),
)
