"""Chapter 07, `make-it-behave`: reports as they would be handed in, ours and typical wrong ones."""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from mi_tutor.specimens.atlas.talk import conversation, opinion_prompts
from mi_tutor.teach.exercises.steering.behaving import BUDGET, CONTROLS, controls
from mi_tutor.teach.exercises.steering.own_opinion import (
    HATE,
    LIKE,
    Steering,
    mean_at,
    places,
    plain_atlas,
    random_vector,
    share_right,
    unembedded,
)

VERBS = (LIKE, HATE)
STEPS, RATE, N, KEPT_BY = 40, 0.12, 60, 3


def report(
    layer: int, at: Any, vector: Any, shares: tuple[float, ...] = (0.0, 0.5, 0.5, 0.5)
) -> dict[str, Any]:
    """A report; shares are the controls', in their order."""
    predicted = dict(zip(CONTROLS, shares, strict=True))
    return {"layer": layer, "at": at, "vector": vector, "predicted": predicted}


def within(vector: Tensor) -> list[float]:
    """Cut to the budget."""
    length = vector.norm().clamp_min(1e-9)
    return (vector * (BUDGET / length).clamp(max=1.0)).tolist()


def neutral(layer: int, instead: str) -> Tensor:
    """From the mean stream at the two verbs to that at another word."""
    return mean_at(instead, layer) - (mean_at(LIKE, layer) + mean_at(HATE, layer)) / 2


@functools.cache
def descended(layer: int, at: tuple[str, ...], weight: float = 2.0) -> Tensor:
    """A vector found by descent on prompts of our own: effect, what should stay, and the loss on conversation."""
    plain, kinds = plain_atlas(), ("against", "with", "none")
    some = {kind: opinion_prompts(kind, seed=100, n=N) for kind in kinds}
    talk = conversation(100, n_rows=6)
    with torch.no_grad():
        before = {kind: plain.resid_pre(layer, each.tokens) for kind, each in some.items()}
        before["talk"] = plain.resid_pre(layer, talk)

    def after(kind: str, tokens: Tensor, vector: Tensor) -> Tensor:
        x = before[kind] + places(tokens, at)[..., None].float() * vector
        for later in range(layer, len(plain.blocks)):
            x = plain.block(later, x)
        return x

    with torch.enable_grad():
        free = torch.zeros(plain.W_E.shape[1], requires_grad=True)
        optimizer = torch.optim.Adam([free], lr=RATE)
        for step in range(STEPS):
            vector = free * (BUDGET / free.norm().clamp_min(1e-6)).clamp(max=1.0)
            loss = torch.zeros(())
            for kind, each in some.items():
                if kind == "against" or step % KEPT_BY == 0:  # what should stay needs fewer looks
                    x = after(kind, each.tokens, vector)[torch.arange(N), each.ends]
                    loss = loss + cross_entropy(unembedded(x), each.right)
            if step % KEPT_BY == 0:
                logits = unembedded(after("talk", talk, vector)[:, :-1])
                loss = loss + weight * cross_entropy(logits.flatten(0, 1), talk[:, 1:].flatten())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return free.detach()


@functools.cache
def foreseen(layer: int, at: tuple[str, ...], vector: tuple[float, ...]) -> tuple[float, ...]:
    """The controls, measured on prompts of our own."""
    some = opinion_prompts("against", seed=300, n=120)
    with torch.no_grad():
        each = controls(Steering(layer, at, torch.tensor(vector))).values()
        return tuple(share_right(one, some) for one in each)


def measured(layer: int, at: tuple[str, ...], vector: Tensor) -> dict[str, Any]:
    """A vector cut to the budget, with its controls as they were measured."""
    cut = within(vector)
    return report(layer, list(at), cut, foreseen(layer, at, tuple(cut)))


def ours() -> dict[str, Any]:
    return measured(3, VERBS, descended(3, VERBS))


def by_means() -> dict[str, Any]:
    """A recipe: the verb's mean taken out, another word's put in, as far as the budget goes."""
    vector = neutral(3, " think")
    part = min(1.0, 0.999 * BUDGET / vector.norm().item())
    found = measured(3, VERBS, part * vector)
    return found | {"vector": {" think": part, LIKE: -part / 2, HATE: -part / 2}}


# --- typical wrong ones ---------------------------------------------------------------------------


def hint_against_none() -> dict[str, Any]:
    """The contrast that comes to mind: without a hint minus with one, where the reply's verb is due."""
    layer, plain = 4, plain_atlas()
    means = {}
    with torch.no_grad():
        for kind in ("against", "with", "none"):
            some = opinion_prompts(kind, seed=200, n=N)
            x = plain.resid_pre(layer, some.tokens)
            means[kind] = x[torch.arange(N), some.ends].mean(dim=0)
    step = means["none"] - (means["against"] + means["with"]) / 2
    return report(layer, " I", within(2 * step))


def one_word_for_everybody() -> dict[str, Any]:
    """Like minus hate, at the user's verb."""
    return report(2, list(VERBS), within(mean_at(LIKE, 2) - mean_at(HATE, 2)))


def early_and_dear() -> dict[str, Any]:
    """The verb taken out of what everybody reads, the reply's own verb with it."""
    return report(1, list(VERBS), within(neutral(1, " think")), (0.0, 0.4, 0.76, 0.55))


def everywhere() -> dict[str, Any]:
    return report(4, "every", within(neutral(4, " think")))


def a_random_one() -> dict[str, Any]:
    return report(3, list(VERBS), random_vector(BUDGET, seed=1).tolist())
