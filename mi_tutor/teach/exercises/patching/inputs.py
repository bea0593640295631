"""Models, prompts and metrics of chapter 04, as inputs for cases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from mi_tutor.lab.ground.metrics import Metric, prefers
from mi_tutor.teach.exercise import Case, Handle, Tolerance
from mi_tutor.teach.exercises.copies import EDITED, a_cache, a_specimen, opened
from mi_tutor.teach.exercises.reading.primer import SPECIMEN, primer, random_tokens

ALL = slice(None)
CLOSE = Tolerance(rtol=1e-4, atol=1e-3)  # of logits that a model computes in float32


def atlas() -> Any:
    """The larger specimen, to be read and run by us."""
    return opened("atlas")


def a_primer(edited: bool = False) -> Handle:
    return a_specimen(SPECIMEN + EDITED * edited)


def an_atlas(edited: bool = False) -> Handle:
    return a_specimen("atlas" + EDITED * edited)


def random_ids(generator: torch.Generator, *shape: int, model: Any = None) -> Tensor:
    """Random tokens."""
    n_vocab = (model or primer()).cfg.d_vocab
    return torch.randint(n_vocab, shape, generator=generator)


def a_metric(generator: torch.Generator, n_pairs: int, model: Any = None) -> Handle:
    """The logit difference of random tokens: [pair pos vocab] -> [pair]."""
    answers = random_ids(generator, n_pairs, model=model)
    n_vocab = (model or primer()).cfg.d_vocab
    wrongs = (answers + 1 + random_ids(generator, n_pairs, model=model) // 2) % n_vocab

    def made() -> Metric:
        return prefers(answers.clone(), wrongs.clone())

    return Handle("the logit difference", made)


def experiments(generator: torch.Generator, settings: Sequence[tuple[str, int, int]]) -> list[Case]:
    """Cases with the specimen (in the last one with other weights), clean and corrupted prompts, and a metric."""
    return [
        Case(
            label=label,
            inputs={
                "model": a_primer(edited=i + 1 == len(settings)),
                "clean": random_ids(generator, n_pairs, length),
                "corrupted": random_ids(generator, n_pairs, length),
                "metric": a_metric(generator, n_pairs),
            },
        )
        for i, (label, n_pairs, length) in enumerate(settings)
    ]


def short_prompts(g: torch.Generator) -> list[tuple[str, Tensor]]:
    """Prompts for the smaller specimen, with labels."""
    return [
        ("three prompts", torch.cat([random_tokens(g, 6) for _ in range(3)])),
        ("one prompt, another model", random_tokens(g, 4)),
        ("as many prompts as positions", torch.cat([random_tokens(g, 5) for _ in range(5)])),
    ]


def a_primers_cache(tokens: Tensor, edited: bool = False) -> Handle:
    """Its activations on these tokens."""
    return a_cache(SPECIMEN + EDITED * edited, tokens)


def cached(model: Any, tokens: Tensor) -> Any:
    with torch.no_grad():
        return model.run_with_cache(tokens)[1]


def hooked(model: Any, tokens: Tensor, name: str, edit: Any) -> Tensor:
    """The logits with one activation edited: `edit(activation)` returns the new one."""

    def hook_function(activation, hook):
        return edit(activation)

    with torch.no_grad():
        return model.run_with_hooks(tokens, fwd_hooks=[(name, hook_function)])


def taken(value: Tensor, index: Any) -> Any:
    """An edit that puts a part of another run's activation in."""

    def edit(activation):
        activation = activation.clone()
        activation[index] = value[index]
        return activation

    return edit
