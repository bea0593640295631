"""Chapter 01: `train-toy`."""

from __future__ import annotations

import torch

from mi_tutor.lab.superposition import toy_forward, train_toy, weighted_loss
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style, Tolerance
from mi_tutor.teach.exercises.making import normal, uniform


def _train_cases(g: torch.Generator) -> list[Case]:
    def case(label, instance, steps, learning_rate, importance=1.0, quiet_after=None):
        hidden, feature, batch = 2, 4, 24
        shape = (steps, instance, batch, feature)
        on = uniform(g, *shape) < 0.6
        batches = on * uniform(g, *shape, dtype=torch.float64)
        if quiet_after is not None:  # gradients that get smaller
            batches[quiet_after:] *= 0.4
        return Case(
            label=label,
            inputs={
                "W": 0.6 * normal(g, instance, hidden, feature, dtype=torch.float64),
                "b": 0.1 + 0.05 * normal(g, instance, feature, dtype=torch.float64),
                "batches": batches,
                "importance": importance
                * uniform(g, feature, low=0.3, high=1.0, dtype=torch.float64),
                "learning_rate": learning_rate,
            },
        )

    return [
        case("three models at once, 8 steps", 3, 8, 0.02),
        case("a single model, one step", 1, 1, 0.05),
        case("two models, 20 steps", 2, 20, 0.01),
        case("features that hardly matter", 2, 6, 0.02, importance=1e-3),
        case("two models, 80 steps, features that get weaker", 2, 80, 0.01, quiet_after=8),
    ]


def _training_loop(
    W, b, batches, importance, make, *, each=None, loss=None, zero=True, forward=None
):
    """The reference's loop with one thing at a time replaced."""
    W, b = W.clone().requires_grad_(), b.clone().requires_grad_()
    optimizer = make(W, b)
    forward = forward or (lambda x, W, b: torch.relu(x @ W.mT @ W + b[:, None]))
    for x in batches:
        x = batches[0] if each == "first" else x
        error = importance * (x - forward(x, W, b)) ** 2
        total = (loss or (lambda e: e.sum(-1).mean(-1).sum()))(error)
        if zero:
            optimizer.zero_grad()
        total.backward()
        optimizer.step()
    return W.detach(), b.detach()


def _adam(learning_rate):
    return lambda W, b: torch.optim.Adam([W, b], lr=learning_rate)


def _train_sgd(W, b, batches, importance, learning_rate):
    return _training_loop(
        W, b, batches, importance, lambda W, b: torch.optim.SGD([W, b], lr=learning_rate)
    )


def _train_no_zero_grad(W, b, batches, importance, learning_rate):
    return _training_loop(W, b, batches, importance, _adam(learning_rate), zero=False)


def _train_no_bias(W, b, batches, importance, learning_rate):
    return _training_loop(
        W, b, batches, importance, lambda W, b: torch.optim.Adam([W], lr=learning_rate)
    )


def _train_unweighted(W, b, batches, importance, learning_rate):
    return _training_loop(W, b, batches, torch.ones_like(importance), _adam(learning_rate))


def _train_same_batch(W, b, batches, importance, learning_rate):
    return _training_loop(W, b, batches, importance, _adam(learning_rate), each="first")


def _train_uphill(W, b, batches, importance, learning_rate):
    return _training_loop(W, b, batches, importance, _adam(learning_rate), loss=lambda e: -e.sum())


def _train_no_relu(W, b, batches, importance, learning_rate):
    return _training_loop(
        W,
        b,
        batches,
        importance,
        _adam(learning_rate),
        forward=lambda x, W, b: x @ W.mT @ W + b[:, None],
    )


def _train_untouched(W, b, batches, importance, learning_rate):
    return W.clone(), b.clone()


def _train_new_optimizer(W, b, batches, importance, learning_rate):
    W, b = W.clone(), b.clone()
    for x in batches:
        W, b = _training_loop(W, b, x[None], importance, _adam(learning_rate))
    return W, b


def _train_last_step_missing(W, b, batches, importance, learning_rate):
    return _training_loop(W, b, batches[:-1], importance, _adam(learning_rate))


def _train_in_place(W, b, batches, importance, learning_rate):
    trained = _training_loop(W, b, batches, importance, _adam(learning_rate))
    W.data.copy_(trained[0])
    b.data.copy_(trained[1])
    return W, b


def _train_one_by_one(W, b, batches, importance, learning_rate):
    weights, biases = [], []
    for instance in range(len(W)):
        w, c = W[instance].clone().requires_grad_(), b[instance].clone().requires_grad_()
        optimizer = torch.optim.Adam([w, c], lr=learning_rate)
        for x in batches[:, instance]:
            optimizer.zero_grad()
            weighted_loss(x, toy_forward(x, w, c), importance).backward()
            optimizer.step()
        weights.append(w.detach())
        biases.append(c.detach())
    return torch.stack(weights), torch.stack(biases)


def _train_parameters(W, b, batches, importance, learning_rate):
    W, b = torch.nn.Parameter(W.clone()), torch.nn.Parameter(b.clone())
    optimizer = torch.optim.Adam([W, b], lr=learning_rate)
    for x in batches:
        hidden = torch.einsum("nbf,nhf->nbh", x, W)
        x_hat = torch.relu(torch.einsum("nbh,nhf->nbf", hidden, W) + b.unsqueeze(1))
        loss = (
            (importance * (x - x_hat).pow(2)).sum(-1).mean()
        )  # mean over instances: Adam does not mind
        W.grad = b.grad = None
        loss.backward()
        optimizer.step()
    return W, b


def _train_by_hand(W, b, batches, importance, learning_rate):
    """Gradients and Adam written out."""
    values = [W.clone(), b.clone()]
    first, second = [torch.zeros_like(v) for v in values], [torch.zeros_like(v) for v in values]
    for step, x in enumerate(batches, start=1):
        W, b = values
        before = x @ W.mT @ W + b[:, None]
        slope = 2 * importance * (torch.relu(before) - x) * (before > 0) / x.shape[1]
        outer = x.mT @ slope
        for k, gradient in enumerate((W @ (outer + outer.mT), slope.sum(1))):
            first[k] = 0.9 * first[k] + 0.1 * gradient
            second[k] = 0.999 * second[k] + 0.001 * gradient**2
            size = (second[k] / (1 - 0.999**step)).sqrt() + 1e-8
            values[k] = values[k] - learning_rate * first[k] / (1 - 0.9**step) / size
    return tuple(values)


TRAIN_TOY = Exercise(
    slug="train-toy",
    title="Train many models at once",
    chapter="01",
    points=3,
    minutes=12,
    difficulty=2,
    objective="Train a whole stack of toy models with Adam in one batched computation.",
    cases=_train_cases,
    reference=train_toy,
    tolerance=Tolerance(rtol=1e-3, atol=1e-6),
    time_limit=20.0,
    mistakes=(
        Mistake(
            name="gradients pile up",
            wrong=_train_no_zero_grad,
            sentence="Gradients of earlier steps are still there: `backward` adds to `.grad`, so call "
            "`optimizer.zero_grad()` in every step.",
        ),
        Mistake(
            name="the bias is not trained",
            wrong=_train_no_bias,
            sentence="b comes back as it went in: give it to the optimizer too.",
        ),
        Mistake(
            name="SGD",
            wrong=_train_sgd,
            sentence="These are the weights that plain gradient descent gives. The exercise asks for torch.optim.Adam.",
        ),
        Mistake(
            name="not weighted",
            wrong=_train_unweighted,
            sentence="You train on the plain squared error: `importance` does not come into your loss.",
        ),
        Mistake(
            name="the same batch in every step",
            wrong=_train_same_batch,
            sentence="Every step sees the first batch. `batches` has one per step: loop over its first axis.",
        ),
        Mistake(
            name="uphill",
            wrong=_train_uphill,
            sentence="Your loss goes up: the sign is wrong, and Adam maximises it.",
        ),
        Mistake(
            name="no ReLU",
            wrong=_train_no_relu,
            sentence="You train the linear model: the ReLU of the output is missing.",
        ),
        Mistake(
            name="a new optimizer in every step",
            wrong=_train_new_optimizer,
            sentence="You make a new optimizer in every step, so Adam forgets its running averages. Make it once, before "
            "the loop.",
        ),
        Mistake(
            name="nothing trained",
            wrong=_train_untouched,
            sentence="The weights come back as they went in. Is `optimizer.step()` called while the gradients are there "
            "(after `backward`, before they are zeroed), and do you return the tensors that the optimizer holds?",
        ),
        Mistake(
            name="one step too few",
            wrong=_train_last_step_missing,
            sentence="The last batch is not used: there is one step per batch.",
        ),
        Mistake(
            name="trains its inputs in place",
            wrong=_train_in_place,
            sentence="The result is right, but the starting weights that you were given have changed too. Train copies: "
            "`W.clone().requires_grad_()`.",
        ),
    ),
    styles=(
        Style(name="one after another", right=_train_one_by_one),
        Style(name="nn.Parameter, mean over instances", right=_train_parameters),
        Style(name="gradients and Adam by hand", right=_train_by_hand),
    ),
    hints=(
        "Make copies of W and b that require gradients, then the usual loop: forward, loss, then zero_grad, backward and step in this order.",
        "The einsum has one more letter than before: instance stands in every term and in the result. b needs an axis of "
        "length 1 where the batch is.",
        "Models must not mix: the loss is the SUM over instances of their own losses, so each model's gradient is its own.",
    ),
)
