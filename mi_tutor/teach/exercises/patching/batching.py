"""Chapter 04, many patches in one pass: `batched-sweep`."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mi_tutor.teach.exercise import Exercise, Mistake, Style
from mi_tutor.teach.exercises.patching.inputs import (
    CLOSE,
    cached,
    experiments,
    hooked,
)
from mi_tutor.teach.exercises.patching.patching import patch_residual
from mi_tutor.teach.exercises.patching.sweeps import WRONG_WAY, residual_sweep

FEW = "whether there was at most one forward pass per layer, and three more"


def patch_residual_batched(model: Any, clean: Tensor, corrupted: Tensor, metric: Any) -> Tensor:
    """The same table as `patch_residual`."""
    return patch_residual(model, clean, corrupted, metric)


def _count_and_look(answer: Any, model: Any, clean: Tensor, *others: Any, **more: Any) -> dict:
    """The table, and whether there were at most three forward passes and one per layer."""
    passes = 0

    def count(module, inputs, output):
        nonlocal passes
        passes += 1

    def counted(*given):
        handle = model.original_model.transformer.wte.register_forward_hook(count)
        try:
            return answer(*given)
        finally:
            handle.remove()

    table = counted(model, clean, *others, *more.values())
    return {"the table": table, FEW: passes <= model.cfg.n_layers + 3}


def _in_blocks(tokens, n_copies):
    """The whole batch, then the whole batch again, ..."""
    return tokens.repeat(n_copies, 1)


def _one_by_one(tokens, n_copies):
    """All copies of the first prompt, then all copies of the second, ..."""
    return tokens.repeat_interleave(n_copies, dim=0)


def _batched(fill, copied=_in_blocks):
    """One run per layer on a copy of the prompts for each position; `fill(stream, cached)` patches."""

    def answer(model, clean, corrupted, metric):
        n_pairs, n_pos = corrupted.shape
        cache = cached(model, clean)
        copies = copied(corrupted, n_pos)
        rows = []
        for layer in range(model.cfg.n_layers):
            name = f"blocks.{layer}.hook_resid_pre"

            def edit(stream, name=name):
                stream = stream.clone().unflatten(0, (n_pos, n_pairs))
                fill(stream, cache[name])
                return stream.flatten(0, 1)

            logits = hooked(model, copies, name, edit).unflatten(0, (n_pos, n_pairs))
            rows.append(torch.stack([metric(each).mean() for each in logits]))
        return torch.stack(rows)

    return answer


def _fill_diagonal(stream, clean):
    positions = torch.arange(len(stream))
    stream[positions, :, positions] = clean.transpose(0, 1)


def _fill_by_loop(stream, clean):
    for position, copy in enumerate(stream):
        copy[:, position] = clean[:, position]


def _fill_all_positions(stream, clean):
    stream[:] = clean


def _fill_shifted(stream, clean):
    for position, copy in enumerate(stream):
        copy[:, position - 1] = clean[:, position - 1]


def _fill_first_pair(stream, clean):
    for position, copy in enumerate(stream):
        copy[:, position] = clean[0, position]


def _everything_in_one_pass(model, clean, corrupted, metric):
    """All layers and positions as copies in one batch; each layer's hook edits its own copies."""
    n_layers, (n_pairs, n_pos) = model.cfg.n_layers, corrupted.shape
    cache = cached(model, clean)
    copies = corrupted.repeat(n_layers * n_pos, 1)

    def hook_of(layer):
        def put_in(stream, hook):
            grid = stream.clone().reshape(n_layers, n_pos, n_pairs, n_pos, -1)
            for position in range(n_pos):
                source = cache[f"blocks.{layer}.hook_resid_pre"][:, position]
                grid[layer, position, :, position] = source
            return grid.reshape(stream.shape)

        return f"blocks.{layer}.hook_resid_pre", put_in

    with torch.no_grad(), model.hooks(fwd_hooks=[hook_of(layer) for layer in range(n_layers)]):
        logits = model(copies).unflatten(0, (n_layers, n_pos, n_pairs))
    return torch.stack([torch.stack([metric(each).mean() for each in row]) for row in logits])


BATCHED_SWEEP = Exercise(
    slug="batched-sweep",
    title="All positions at once",
    chapter="04",
    points=3,
    minutes=15,
    difficulty=4,
    objective="Do many patches in one forward pass: one copy of the prompts for each position.",
    cases=lambda g: experiments(
        g, [("two pairs", 2, 6), ("one pair", 1, 7), ("as many pairs as positions", 4, 4)]
    ),
    reference=patch_residual_batched,
    run=_count_and_look,
    tolerance=CLOSE,
    styles=(
        Style(name="two indices along the diagonal", right=_batched(_fill_diagonal)),
        Style(name="a loop inside the hook", right=_batched(_fill_by_loop)),
        Style(name="all layers in one pass", right=_everything_in_one_pass),
    ),
    mistakes=(
        Mistake(
            name="one run per position",
            wrong=residual_sweep(),
            sentence="The table is right, but you run the model once for every layer AND position. Put one copy of the prompts per position into "
            "a batch, and run once per layer.",
        ),
        Mistake(
            name="every copy fully patched",
            wrong=_batched(_fill_all_positions),
            sentence="Every copy has every position patched, so all entries are the clean run's value. Copy number p is to be patched at p only.",
        ),
        Mistake(
            name="indices of another copy",
            wrong=_batched(_fill_shifted),
            sentence="Copies and positions are shifted against each other: copy p is patched at another position than p.",
        ),
        Mistake(
            name="copies in another order",
            wrong=_batched(_fill_by_loop, copied=_one_by_one),
            sentence="Your copies stand in another order than you read them in. `repeat` puts whole batches below each other, [copy pair]; "
            "`repeat_interleave` puts the copies of one prompt together, [pair copy].",
        ),
        Mistake(
            name="the first pair for all",
            wrong=_batched(_fill_first_pair),
            sentence="You put the first pair's clean activations into all pairs. Each pair has its own.",
        ),
        Mistake(
            name="the wrong way round",
            wrong=lambda model, clean, corrupted, metric: _batched(_fill_by_loop)(
                model, corrupted, clean, metric
            ),
            sentence=WRONG_WAY,
        ),
        Mistake(
            name="transposed",
            wrong=lambda *inputs: _batched(_fill_by_loop)(*inputs).T,
            sentence="The numbers are right, but positions are your rows. Return [layer pos].",
        ),
    ),
    hints=(
        "`corrupted.repeat(n_pos, 1)` has n_pos copies of the batch below each other; `unflatten(0, (n_pos, n_pairs))` tells them apart again.",
        "In the hook: copy p gets `clean_stream[:, p]` at position p. A short loop over p is fast enough.",
        "The metric wants [pair pos vocab]: call it on each copy's logits.",
    ),
)
