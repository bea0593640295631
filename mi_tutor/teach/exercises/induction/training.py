"""Chapter 03, a model of your own: `train-your-own`."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional as F

from mi_tutor.lab.ground.metrics import per_position_loss
from mi_tutor.lab.induction.experiments import train_next_token
from mi_tutor.specimens.induction.recipe import InductionConfig, new_network
from mi_tutor.teach.exercise import Case, Exercise, Handle, Mistake, Style, Tolerance

TINY = {"d_model": 16, "n_heads": 2, "n_ctx": 12, "seed": 5}


def _network(n_layers: int) -> Any:
    return new_network(InductionConfig(n_layers=n_layers, **TINY))


def _training_cases(g: torch.Generator) -> list[Case]:
    def case(label: str, n_layers: int, n_steps: int, shape: tuple[int, int], rate: float) -> Case:
        batches = [torch.randint(0, 60, shape, generator=g) for _ in range(n_steps)]
        return Case(
            label=label,
            inputs={
                "network": Handle(
                    f"a new network of {n_layers} layers", lambda: _network(n_layers)
                ),
                "batches": batches,
                "learning_rate": rate,
            },
        )

    return [
        case("two layers, six steps", 2, 6, (4, 10), 1e-2),
        case("one layer, one row at a time", 1, 5, (1, 12), 3e-3),
    ]


def _train_run(answer: Any, network: Any, batches: Any, learning_rate: float) -> dict[str, Any]:
    """The losses, and what the network has become. Batches come as a generator: they can be read once."""
    losses = answer(network, (batch for batch in batches), learning_rate)
    with torch.no_grad():
        logits = network(batches[0]).logits
    if isinstance(losses, list | tuple):  # losses that still hang on their graph are numbers too
        losses = [float(torch.as_tensor(loss).detach()) for loss in losses]
    return {"the losses": losses, "what the trained network predicts": logits.softmax(dim=-1)}


def _trainer(
    loss_of=lambda logits, tokens: per_position_loss(logits, tokens).mean(),
    make=torch.optim.Adam,
    zero=True,
    step=True,
    fresh=False,
):
    def answer(network, batches, learning_rate):
        trained = [p for p in network.parameters() if p.requires_grad]
        optimizer = make(trained, lr=learning_rate)
        losses = []
        for tokens in batches:
            if fresh:
                optimizer = make(trained, lr=learning_rate)
            loss = loss_of(network(tokens).logits, tokens)
            if zero:
                optimizer.zero_grad()
            loss.backward()
            if step:
                optimizer.step()
            losses.append(loss.item())
        return losses

    return answer


def _cross_entropy(logits, tokens):
    return F.cross_entropy(logits[:, :-1].flatten(0, 1), tokens[:, 1:].flatten())


def _own_token(logits, tokens):
    return F.cross_entropy(logits.flatten(0, 1), tokens.flatten())


def _train_all_parameters(network, batches, learning_rate):
    """Parameters that are frozen get no gradient, and Adam leaves them alone."""
    optimizer = torch.optim.Adam(network.parameters(), learning_rate)
    losses = []
    for tokens in batches:
        optimizer.zero_grad()
        log_probs = network(tokens).logits.log_softmax(dim=-1)
        picked = log_probs[:, :-1].gather(-1, tokens[:, 1:, None])
        loss = -picked.mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    return losses


TRAIN_YOUR_OWN = Exercise(
    slug="train-your-own",
    title="Train one yourself",
    chapter="03",
    points=3,
    minutes=8,
    difficulty=2,
    objective="Train a two-layer model on the next token, and watch the induction score rise while it learns.",
    cases=_training_cases,
    reference=train_next_token,
    run=_train_run,
    tolerance=Tolerance(rtol=1e-4, atol=1e-5),
    styles=(
        Style(name="torch's cross_entropy", right=_trainer(_cross_entropy)),
        Style(name="all parameters, losses as tensors", right=_train_all_parameters),
        Style(
            name="AdamW without decay",
            right=_trainer(make=lambda p, lr: torch.optim.AdamW(p, lr=lr, weight_decay=0.0)),
        ),
    ),
    mistakes=(
        Mistake(
            name="predicts the present token",
            wrong=_trainer(_own_token),
            sentence="You train the model to name the token it has just read. Shift: the logits at a position are about the next token.",
        ),
        Mistake(
            name="gradients pile up",
            wrong=_trainer(zero=False),
            sentence="Gradients add up from step to step. `optimizer.zero_grad()` before every `backward()`.",
        ),
        Mistake(
            name="a learning rate of its own",
            wrong=lambda network, batches, learning_rate: train_next_token(network, batches, 1e-3),
            sentence="You leave `learning_rate` out, so Adam takes its default, 0.001.",
        ),
        Mistake(
            name="no step",
            wrong=_trainer(step=False),
            sentence="The network is as it was at the start. `optimizer.step()` after `backward()`.",
        ),
        Mistake(
            name="another optimizer",
            wrong=_trainer(make=torch.optim.SGD),
            sentence="That is plain gradient descent (SGD). The exercise asks for Adam.",
        ),
        Mistake(
            name="a new optimizer each step",
            wrong=_trainer(fresh=True),
            sentence="You make a new optimizer in every step, so Adam forgets its averages. Make it once, before the loop.",
        ),
        Mistake(
            name="sum in place of mean",
            wrong=_trainer(lambda logits, tokens: per_position_loss(logits, tokens).sum()),
            sentence="Your loss is the SUM over rows and positions. Take the mean, so that it does not depend on the batch's size.",
        ),
        Mistake(
            name="only the last position",
            wrong=_trainer(lambda logits, tokens: per_position_loss(logits, tokens)[:, -1].mean()),
            sentence="You train on the last position only. Every position predicts its next token.",
        ),
    ),
    hints=(
        "The loop of every training: loss, `zero_grad`, `backward`, `step`. The optimizer is made once, before it.",
        "The loss is the mean of your `per_position_loss` on `network(tokens).logits`.",
        "`loss.item()` is the number; collect it in a list.",
    ),
)
