"""Chapter 02, a dictionary for features that are known: `train-on-toy`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from mi_tutor.lab import dictionaries as lab
from mi_tutor.lab.dictionaries.gradients import Goal, Weights, move
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style, Tolerance
from mi_tutor.teach.exercises.dictionaries.dictionaries import weights
from mi_tutor.teach.exercises.making import normal, uniform
from mi_tutor.teach.outcome import tensors_in

Four = tuple[Tensor, Tensor, Tensor, Tensor]


def train_dictionary(
    W_enc: Tensor,
    b_enc: Tensor,
    W_dec: Tensor,
    b_dec: Tensor,
    batches: Tensor,
    l1: float,
    learning_rate: float,
) -> Four:
    """Adam on each batch, with the decoder's rows held at length 1."""
    held = Weights.of(lab.Sae(W_enc=W_enc, b_enc=b_enc, W_dec=W_dec, b_dec=b_dec))
    optimizer = torch.optim.Adam(held.moved.values(), lr=learning_rate)
    for x in batches:
        lab.autograd_gradients(held, x, x, Goal(sparsity=l1))
        move(held, optimizer, unit_norm=True)
    return tuple(weight.detach() for weight in held.four())


def _train_cases(g: torch.Generator) -> list[Case]:
    def case(label, steps, d, n_latents, l1, learning_rate, quiet_after=None):
        start = weights(g, d, n_latents, torch.float64)
        start["W_dec"] = lab.unit_decoder(start["W_dec"])
        on = uniform(g, steps, 24, d, dtype=torch.float64) < 0.6
        batches = 1 + on * normal(g, steps, 24, d, dtype=torch.float64)
        if quiet_after is not None:  # gradients that get smaller
            batches[quiet_after:] *= 0.4
        inputs = start | {"batches": batches, "l1": l1, "learning_rate": learning_rate}
        return Case(label=label, inputs=inputs)

    return [
        case("8 steps", 8, 4, 7, 0.4, 0.02),
        case("one step, as many latents as dimensions", 1, 5, 5, 0.8, 0.05),
        case("20 steps", 20, 3, 6, 0.2, 0.01),
        case("60 steps, on samples that get weaker", 60, 3, 6, 0.2, 0.01, quiet_after=8),
    ]


@dataclass(frozen=True, kw_only=True)
class _Loop:
    """The loop in the open, with one thing at a time done otherwise."""

    project: bool = True
    normalise: str = "each step"
    moved: str = "all"
    optimizer: str = "adam"
    zero: bool = True
    batch: str = "each"
    penalty: str = "latents"
    new_optimizer: bool = False
    sign: float = 1.0
    copies: bool = True

    def __call__(self, W_enc, b_enc, W_dec, b_dec, batches, l1, learning_rate) -> Four:
        four = [W_enc, b_enc, W_dec, b_dec]
        if self.copies:
            four = [weight.clone() for weight in four]
        four = [weight.requires_grad_() for weight in four]
        optimizer = self._make(four, learning_rate)
        for x in batches[:-1] if self.batch == "all but the last" else batches:
            if self.new_optimizer:
                optimizer = self._make(four, learning_rate)
            if self.zero:
                optimizer.zero_grad()
            loss = self._loss(batches[0] if self.batch == "first" else x, four, l1)
            (self.sign * loss).backward()
            with torch.no_grad():
                W = four[2]
                if self.project:
                    W.grad = lab.remove_parallel(W.grad, W)
                optimizer.step()
                if self.normalise == "each step":
                    W.copy_(lab.unit_decoder(W))
                elif self.normalise == "columns":
                    W.copy_(lab.unit_decoder(W.T).T)
        with torch.no_grad():
            if self.normalise == "at the end":
                four[2].copy_(lab.unit_decoder(four[2]))
        return tuple(weight.detach() for weight in four)

    def _make(self, four, learning_rate):
        chosen = {
            "all": four,
            "no b_dec": four[:3],
            "encoder": four[:2],
            "no b_enc": [four[0], *four[2:]],
        }
        kind = torch.optim.Adam if self.optimizer == "adam" else torch.optim.SGD
        return kind(chosen[self.moved], lr=learning_rate)

    def _loss(self, x, four, l1):
        W_enc, b_enc, W_dec, b_dec = four
        pre = (x - b_dec) @ W_enc + b_enc
        f = torch.relu(pre)
        charged = {"latents": f, "pre": pre.abs(), "none": 0 * f}[self.penalty]
        error = (x - f @ W_dec - b_dec).square().sum(-1).mean()
        return error + l1 * (charged * W_dec.norm(dim=-1)).sum(-1).mean()


def _by_hand(W_enc, b_enc, W_dec, b_dec, batches, l1, learning_rate):
    """Gradients and Adam written out."""
    values = [weight.clone() for weight in (W_enc, b_enc, W_dec, b_dec)]
    first, second = ([torch.zeros_like(v) for v in values] for _ in range(2))
    for step, x in enumerate(batches, start=1):
        W_enc, b_enc, W_dec, b_dec = values
        pre = (x - b_dec) @ W_enc + b_enc
        f = pre.clamp(min=0)
        error = 2 * (f @ W_dec + b_dec - x) / len(x)
        back = (error @ W_dec.T + l1 * W_dec.norm(dim=1) / len(x)) * (pre > 0)
        W_dec_grad = f.T @ error
        W_dec_grad = W_dec_grad - (W_dec_grad * W_dec).sum(1, keepdim=True) * W_dec
        gradients = (
            (x - b_dec).T @ back,
            back.sum(0),
            W_dec_grad,
            error.sum(0) - (back @ W_enc.T).sum(0),
        )
        for k, gradient in enumerate(gradients):
            first[k] = 0.9 * first[k] + 0.1 * gradient
            second[k] = 0.999 * second[k] + 0.001 * gradient**2
            size = (second[k] / (1 - 0.999**step)).sqrt() + 1e-8
            values[k] = values[k] - learning_rate * first[k] / (1 - 0.9**step) / size
        values[2] = F.normalize(values[2], dim=1)
    return tuple(values)


def _as_a_module(W_enc, b_enc, W_dec, b_dec, batches, l1, learning_rate):
    names = ("W_enc", "b_enc", "W_dec", "b_dec")
    held = torch.nn.ParameterDict(
        {n: w.clone() for n, w in zip(names, (W_enc, b_enc, W_dec, b_dec), strict=True)}
    )
    optimizer = torch.optim.Adam(held.parameters(), lr=learning_rate)
    for x in batches:
        f = F.relu(F.linear(x - held["b_dec"], held["W_enc"].T, held["b_enc"]))
        error = x - F.linear(f, held["W_dec"].T, held["b_dec"])
        loss = (error.pow(2).sum() + l1 * f.sum()) / len(x)  # rows have length 1
        for weight in held.values():
            weight.grad = None
        loss.backward()
        W = held["W_dec"]
        W.grad -= (W.grad * W.data).sum(-1, keepdim=True) * W.data
        optimizer.step()
        W.data /= W.data.norm(dim=-1, keepdim=True)
    return [held[name].data for name in names]


def _and_detached(answer: Any, **inputs: Any) -> dict[str, Any]:
    """The weights, and whether they are free of the graph that trained them, as the text asks."""
    weights = answer(*inputs.values())
    attached = any(weight.requires_grad for weight in tensors_in(weights))
    return {
        "the trained weights": weights,
        "whether the trained weights are detached": not attached,
    }


TRAIN_ON_TOY = Exercise(
    slug="train-on-toy",
    title="Train a dictionary",
    chapter="02",
    points=3,
    minutes=12,
    difficulty=3,
    objective="Write the whole training loop of a sparse autoencoder: loss, gradient without its parallel part, Adam, decoder rows of length 1.",
    cases=_train_cases,
    reference=train_dictionary,
    run=_and_detached,
    tolerance=Tolerance(rtol=1e-4, atol=1e-6),
    time_limit=60.0,
    styles=(
        Style(name="everything in the open", right=_Loop()),
        Style(name="parameters, rows of length 1 taken as given", right=_as_a_module),
        Style(name="gradients and Adam by hand", right=_by_hand),
    ),
    mistakes=(
        Mistake(
            name="rows not scaled back",
            wrong=_Loop(normalise="never"),
            sentence="The decoder's rows no longer have length 1: scale them back after every step.",
        ),
        Mistake(
            name="rows scaled back at the end only",
            wrong=_Loop(normalise="at the end"),
            sentence="The rows are scaled back once, at the end. In between they grow, and the gradient is that of other weights: do it in every "
            "step.",
        ),
        Mistake(
            name="columns scaled",
            wrong=_Loop(normalise="columns"),
            sentence="You scale the decoder's columns to length 1. Directions are rows.",
        ),
        Mistake(
            name="parallel part left in",
            wrong=_Loop(project=False),
            sentence="The gradient's part along each decoder row is still there when Adam takes its step. Remove it between `backward` and `step`.",
        ),
        Mistake(
            name="neither projected nor scaled",
            wrong=_Loop(project=False, normalise="never"),
            sentence="The decoder is trained like any other weight: neither is the parallel part removed nor are its rows scaled back to length 1.",
        ),
        Mistake(
            name="no penalty",
            wrong=_Loop(penalty="none"),
            sentence="You train on the reconstruction alone: `l1` does not come into it, and nothing makes the latents sparse.",
        ),
        Mistake(
            name="L1 on pre-activations",
            wrong=_Loop(penalty="pre"),
            sentence="The penalty is taken of the pre-activations. It belongs on what is left after the ReLU.",
        ),
        Mistake(
            name="b_dec not trained",
            wrong=_Loop(moved="no b_dec"),
            sentence="b_dec comes back as it went in: give it to the optimizer too.",
        ),
        Mistake(
            name="b_enc not trained",
            wrong=_Loop(moved="no b_enc"),
            sentence="b_enc comes back as it went in: give it to the optimizer too.",
        ),
        Mistake(
            name="decoder not trained",
            wrong=_Loop(moved="encoder"),
            sentence="The decoder comes back as it went in: give all four weights to the optimizer.",
        ),
        Mistake(
            name="gradients pile up",
            wrong=_Loop(zero=False),
            sentence="Gradients of earlier steps are still there: `backward` adds to `.grad`, so call `optimizer.zero_grad()` in every step.",
        ),
        Mistake(
            name="SGD",
            wrong=_Loop(optimizer="sgd"),
            sentence="These are the weights that plain gradient descent gives. The exercise asks for torch.optim.Adam.",
        ),
        Mistake(
            name="a new optimizer in every step",
            wrong=_Loop(new_optimizer=True),
            sentence="You make a new optimizer in every step, so Adam forgets its running averages. Make it once, before the loop.",
        ),
        Mistake(
            name="the same batch in every step",
            wrong=_Loop(batch="first"),
            sentence="Every step sees the first batch. `batches` has one per step: loop over its first axis.",
        ),
        Mistake(
            name="one step too few",
            wrong=_Loop(batch="all but the last"),
            sentence="The last batch is not used: there is one step per batch.",
        ),
        Mistake(
            name="uphill",
            wrong=_Loop(sign=-1.0),
            sentence="Your loss goes up: the sign is wrong, and Adam maximises it.",
        ),
        Mistake(
            name="nothing trained",
            wrong=lambda W_enc, b_enc, W_dec, b_dec, *rest: (
                W_enc.clone(),
                b_enc.clone(),
                W_dec.clone(),
                b_dec.clone(),
            ),
            sentence="The weights come back as they went in. Is `optimizer.step()` called after `backward`, and do you return the tensors that the "
            "optimizer holds?",
        ),
        Mistake(
            name="trains its inputs in place",
            wrong=_Loop(copies=False),
            sentence="The result is right, but the starting weights that you were given have changed too. Train copies: "
            "`W_enc.clone().requires_grad_()`.",
        ),
    ),
    hints=(
        "Copies of the four weights that require gradients; Adam on all four; a loop over `batches`.",
        "In each step, in this order: zero_grad, your `sae_loss`, backward, replace the gradient of W_dec by your `remove_parallel` of it, step, "
        "scale the rows back.",
        "Writing into weights and gradients needs `with torch.no_grad():`, and `W_dec.copy_(...)` writes in place.",
    ),
)
