"""Models, prompts and metrics of chapter 04, as inputs for cases."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from mi_tutor.lab.ground.metrics import Metric, prefers
from mi_tutor.lab.ground.plain import has_hooks
from mi_tutor.teach.exercise import Case, Handle, Tolerance
from mi_tutor.teach.exercises.copies import clean_copy, logits_before, opened
from mi_tutor.teach.exercises.reading.primer import SPECIMEN, clean_primer, primer, random_tokens

ALL = slice(None)
CLOSE = Tolerance(rtol=1e-4, atol=1e-3)  # of logits that a model computes in float32
UNTOUCHED = "whether the model is afterwards as it was before"


def atlas() -> Any:
    """The larger specimen, to be read and run by us."""
    return opened("atlas")


def a_primer() -> Handle:
    return Handle(f"the specimen {SPECIMEN}", clean_primer)


def an_atlas() -> Handle:
    return Handle("the specimen atlas", functools.partial(clean_copy, "atlas"))


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
    """Cases with the specimen, clean and corrupted prompts, and a metric."""
    return [
        Case(
            label=label,
            inputs={
                "model": a_primer(),
                "clean": random_ids(generator, n_pairs, length),
                "corrupted": random_ids(generator, n_pairs, length),
                "metric": a_metric(generator, n_pairs),
            },
        )
        for label, n_pairs, length in settings
    ]


def run_and_look(answer: Any, model: Any, clean: Tensor, *others: Any, **more: Any) -> dict:
    """The result, and whether the model has neither other weights nor a hook afterwards."""
    before = logits_before(model, clean)
    value = answer(model, clean, *others, *more.values())
    stays = has_hooks(model)
    if stays:
        model.reset_hooks()  # what is left behind may not bear a second run
    with torch.no_grad():
        same = torch.allclose(before, model(clean), atol=1e-5)
    return {"the result": value, UNTOUCHED: same and not stays}


def short_prompts(g: torch.Generator) -> list[tuple[str, Tensor]]:
    """Prompts for the smaller specimen, with labels."""
    return [
        ("three prompts", torch.cat([random_tokens(g, 6) for _ in range(3)])),
        ("one prompt", random_tokens(g, 4)),
        ("as many prompts as positions", torch.cat([random_tokens(g, 5) for _ in range(5)])),
    ]


def a_cache(tokens: Tensor) -> Handle:
    """The smaller specimen's activations on these tokens."""
    return Handle(
        f"the cache of a run on {list(tokens.shape)} tokens",
        lambda: cached(primer(), tokens),
    )


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
