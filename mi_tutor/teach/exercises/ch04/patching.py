"""Chapter 04, activation patching: `patch-residual`, `patch-heads` and `batched-sweep`."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mi_tutor.lab.plain import has_hooks
from mi_tutor.lab.sweep import denoise
from mi_tutor.teach.exercise import Exercise, Mistake, Style, Tolerance
from mi_tutor.teach.exercises.ch04.inputs import (
    ALL,
    UNTOUCHED,
    cached,
    experiments,
    hooked,
    run_and_look,
    taken,
)

CLOSE = Tolerance(rtol=1e-4, atol=1e-3)


def patch_residual(model: Any, clean: Tensor, corrupted: Tensor, metric: Any) -> Tensor:
    """The mean metric of the corrupted run with the stream of one layer and position from the clean run."""
    return denoise(model, clean, corrupted, metric, "resid_pre").values


def patch_heads(model: Any, clean: Tensor, corrupted: Tensor, metric: Any) -> Tensor:
    """The mean metric of the corrupted run with one head's output from the clean run."""
    return denoise(model, clean, corrupted, metric, "z", ("layer", "head")).values


def patch_residual_batched(model: Any, clean: Tensor, corrupted: Tensor, metric: Any) -> Tensor:
    """The same table as `patch_residual`."""
    return patch_residual(model, clean, corrupted, metric)


def _swept(columns, site, index, run="corrupted", change=None):
    """An answer that patches one site after another. `columns`: "pos" or "head"."""

    def answer(model, clean, corrupted, metric):
        base, other = (corrupted, clean) if run == "corrupted" else (clean, corrupted)
        cache = cached(model, other)
        n = base.shape[1] if columns == "pos" else model.cfg.n_heads
        values = torch.zeros(model.cfg.n_layers, n)
        for layer in range(model.cfg.n_layers):
            name = f"blocks.{layer}.{site}"
            for column in range(n):
                logits = hooked(model, base, name, taken(cache[name], index(column)))
                values[layer, column] = metric(logits).mean()
        return change(values, model, clean, corrupted, metric) if change else values

    return answer


def _residual(site="hook_resid_pre", index=lambda p: (ALL, p), **more):
    return _swept("pos", site, index, **more)


def _heads(site="attn.hook_z", index=lambda h: (ALL, ALL, h), **more):
    return _swept("head", site, index, **more)


def _in_context(name_of, index, n_of, rows=1):
    """Another right way: hooks as context managers, and a mask instead of a copy."""

    def answer(model, clean, corrupted, metric):
        with torch.no_grad():
            _, cache = model.run_with_cache(clean)
            table = []
            for layer in range(model.cfg.n_layers):
                name = name_of(layer)
                row = []
                for column in range(n_of(model, clean)):
                    mask = torch.zeros_like(cache[name], dtype=torch.bool)
                    mask[index(column)] = True

                    def put_in(value, hook, mask=mask, name=name):
                        return torch.where(mask, cache[name], value)

                    with model.hooks(fwd_hooks=[(name, put_in)]):
                        row.append(metric(model(corrupted)).mean().item())
                table.append(row)
        return torch.tensor(table)

    return answer


def _left_behind(name_of, index, n_of):
    """Hooks that are added and never removed: every later run has them, too."""

    def answer(model, clean, corrupted, metric):
        cache = cached(model, clean)
        values = torch.zeros(model.cfg.n_layers, n_of(model, clean))
        for layer in range(values.shape[0]):
            for column in range(values.shape[1]):
                name = name_of(layer)
                edit = taken(cache[name], index(column))

                def put_in(value, hook, edit=edit):
                    return edit(value)

                model.add_hook(name, put_in)
                with torch.no_grad():
                    values[layer, column] = metric(model(corrupted)).mean()
        return values

    return answer


def _last_hook_stays(right, name):
    """The right numbers, and one hook that stays although it does nothing."""

    def answer(model, clean, corrupted, metric):
        values = right(model, clean, corrupted, metric)
        model.add_hook(name, lambda value, hook: value)
        return values

    return answer


def _in_place_in_the_base(name_of, index, n_of):
    """Patches pile up: each run starts from the activations that the last one edited in place."""

    def answer(model, clean, corrupted, metric):
        source, base = cached(model, clean), cached(model, corrupted)
        values = torch.zeros(model.cfg.n_layers, n_of(model, clean))
        for layer in range(values.shape[0]):
            name = name_of(layer)
            edited = base[name].clone()
            for column in range(values.shape[1]):
                edited[index(column)] = source[name][index(column)]
                logits = hooked(model, corrupted, name, lambda value, edited=edited: edited.clone())
                values[layer, column] = metric(logits).mean()
        return values

    return answer


def _recovered(values, model, clean, corrupted, metric):
    with torch.no_grad():
        high, low = metric(model(clean)).mean(), metric(model(corrupted)).mean()
    return (values - low) / (high - low)


def _effect(values, model, clean, corrupted, metric):
    with torch.no_grad():
        return values - metric(model(corrupted)).mean()


def _unchanged(values, model, clean, corrupted, metric):
    with torch.no_grad():
        return torch.full_like(values, metric(model(corrupted)).mean().item())


RESID = {
    "name_of": lambda layer: f"blocks.{layer}.hook_resid_pre",
    "index": lambda position: (ALL, position),
    "n_of": lambda model, clean: clean.shape[1],
}
Z = {
    "name_of": lambda layer: f"blocks.{layer}.attn.hook_z",
    "index": lambda head: (ALL, ALL, head),
    "n_of": lambda model, clean: model.cfg.n_heads,
}

WRONG_WAY = (
    "This is the other experiment: you run on the CLEAN prompts and put corrupted activations in (noising). Here you run on the "
    "corrupted prompts and put clean activations in."
)
LEFT_BEHIND = (
    "Your hooks stay in the model, so each run still has all the patches of the runs before it. Use `run_with_hooks` or "
    "`with model.hooks(...)`: both take the hooks out again."
)
STAYS = (
    "The numbers are right, but a hook is still in the model after your function. Whatever runs next runs with it, even if it "
    "does nothing today. Use `run_with_hooks` or `with model.hooks(...)`."
)
PILE_UP = (
    "Your patches pile up: within a layer each run still has the patches before it. Clone the activation inside the hook, so that "
    "every run starts from an unpatched one."
)
NOTHING = (
    "All entries are the corrupted run's value: nothing was patched. Does the hook return the changed activation, and is its name "
    "the one you mean?"
)

PATCH_RESIDUAL = Exercise(
    slug="patch-residual",
    title="Patch the residual stream",
    chapter="04",
    points=3,
    minutes=20,
    difficulty=3,
    objective="Localise: put one layer and position of the clean run into the corrupted run, everywhere in turn.",
    cases=lambda g: experiments(
        g, [("two pairs", 2, 5), ("one pair", 1, 4), ("as many pairs as positions", 3, 3)]
    ),
    reference=patch_residual,
    run=run_and_look,
    tolerance=CLOSE,
    styles=(
        Style(name="a context manager and a mask", right=_in_context(**RESID)),
        Style(name="one site after another, with clones", right=_residual()),
        Style(
            name="patched after the layer before",
            right=lambda *inputs: torch.cat(
                [_residual()(*inputs)[:1], _residual("hook_resid_post")(*inputs)[:-1]]
            ),
        ),
    ),
    mistakes=(
        Mistake(name="the wrong way round", wrong=_residual(run="clean"), sentence=WRONG_WAY),
        Mistake(name="hooks left behind", wrong=_left_behind(**RESID), sentence=LEFT_BEHIND),
        Mistake(
            name="a hook that stays",
            wrong=_last_hook_stays(_residual(), "blocks.0.hook_resid_pre"),
            sentence=STAYS,
        ),
        Mistake(name="patches pile up", wrong=_in_place_in_the_base(**RESID), sentence=PILE_UP),
        Mistake(name="nothing patched", wrong=_residual(change=_unchanged), sentence=NOTHING),
        Mistake(
            name="all positions at once",
            wrong=_residual(index=lambda p: (ALL,)),
            sentence="You replace the whole stream of a layer, so every entry is the clean run's value. Replace one position, in all prompts.",
        ),
        Mistake(
            name="this position and all later ones",
            wrong=_residual(index=lambda p: (ALL, slice(p, None))),
            sentence="You replace this position and all after it. An index is one position, a slice `p:` many.",
        ),
        Mistake(
            name="after the layer",
            wrong=_residual("hook_resid_post"),
            sentence="You patch the stream AFTER each layer. Asked is the one before: hook_resid_pre.",
        ),
        Mistake(
            name="what attention writes",
            wrong=_residual("hook_attn_out"),
            sentence="You patch what attention adds. Asked is the whole stream before the layer: hook_resid_pre.",
        ),
        Mistake(
            name="only the first pair patched",
            wrong=_residual(index=lambda p: (0, p)),
            sentence="You patch the first prompt of the batch only. The axes are [pair pos d_model]: `[:, position]`.",
        ),
        Mistake(
            name="recovered instead of the metric",
            wrong=_residual(change=_recovered),
            sentence="You already scaled to 0 and 1. Return the metric itself, averaged over pairs; the notebook scales it with your `recovered`.",
        ),
        Mistake(
            name="the change instead of the metric",
            wrong=_residual(change=_effect),
            sentence="You subtracted the corrupted run's metric. Return the metric of the patched run itself.",
        ),
        Mistake(
            name="transposed",
            wrong=lambda *inputs: _residual()(*inputs).T,
            sentence="The numbers are right, but positions are your rows. Return [layer pos].",
        ),
    ),
    hints=(
        "Run once on the clean prompts with `run_with_cache`. Then, for each layer and position, run on the corrupted prompts with a hook at "
        "`blocks.{layer}.hook_resid_pre`.",
        "The hook clones the stream, sets `stream[:, position]` to what the cache has there, and returns it.",
        "`layer` and `position` change in the loop: the hook runs before they do, so a plain closure is fine.",
    ),
)

PATCH_HEADS = Exercise(
    slug="patch-heads",
    title="Patch every head",
    chapter="04",
    points=2,
    minutes=10,
    difficulty=2,
    objective="Find the attention heads that carry the difference: patch each head's output z, at all positions.",
    cases=lambda g: experiments(
        g, [("two pairs", 2, 6), ("one pair", 1, 5), ("three pairs", 3, 7)]
    ),
    reference=patch_heads,
    run=run_and_look,
    tolerance=CLOSE,
    styles=(
        Style(name="a context manager and a mask", right=_in_context(**Z)),
        Style(name="one head after another, with clones", right=_heads()),
    ),
    mistakes=(
        Mistake(name="the wrong way round", wrong=_heads(run="clean"), sentence=WRONG_WAY),
        Mistake(name="hooks left behind", wrong=_left_behind(**Z), sentence=LEFT_BEHIND),
        Mistake(
            name="a hook that stays",
            wrong=_last_hook_stays(_heads(), "blocks.0.attn.hook_z"),
            sentence=STAYS,
        ),
        Mistake(name="patches pile up", wrong=_in_place_in_the_base(**Z), sentence=PILE_UP),
        Mistake(name="nothing patched", wrong=_heads(change=_unchanged), sentence=NOTHING),
        Mistake(
            name="the whole layer",
            wrong=_heads(index=lambda h: (ALL,)),
            sentence="All heads of a layer have the same entry: you replace the whole z. Its axes are [pair pos head d_head]; pick one head.",
        ),
        Mistake(
            name="one position of every head",
            wrong=_heads(index=lambda h: (ALL, h)),
            sentence="Your index falls on the position axis: you patch all heads at one position. The axes are [pair pos head d_head].",
        ),
        Mistake(
            name="one coordinate of every head",
            wrong=_heads(index=lambda h: (..., h)),
            sentence="Your index falls on the last axis, d_head. The axes are [pair pos head d_head]: head is the third.",
        ),
        Mistake(
            name="only at the last position",
            wrong=_heads(index=lambda h: (ALL, -1, h)),
            sentence="You patch the head at the last position only. Heads that work earlier, and are read from there, do not show.",
        ),
        Mistake(
            name="queries instead of outputs",
            wrong=_heads("attn.hook_q"),
            sentence="You patch the head's queries. They decide where it looks; what it carries over is attn.hook_z.",
        ),
        Mistake(
            name="recovered instead of the metric",
            wrong=_heads(change=_recovered),
            sentence="You already scaled to 0 and 1. Return the metric itself, averaged over pairs.",
        ),
    ),
    hints=(
        "The same two loops as for the residual stream, over layers and heads.",
        "z is at `blocks.{layer}.attn.hook_z`, with axes [pair pos head d_head].",
    ),
)


# --- batched-sweep --------------------------------------------------------------------------------


def _count_and_look(answer: Any, model: Any, clean: Tensor, *others: Any, **more: Any) -> dict:
    """As `run_and_look`, and whether there were at most three forward passes and one per layer."""
    passes = 0

    def count(module, inputs, output):
        nonlocal passes
        passes += 1

    with torch.no_grad():
        before = model(clean)
    handle = model.original_model.transformer.wte.register_forward_hook(count)
    try:
        value = answer(model, clean, *others, *more.values())
    finally:
        handle.remove()
    few = passes <= model.cfg.n_layers + 3
    stays = has_hooks(model)
    model.reset_hooks()  # what is left behind may not bear a second run
    with torch.no_grad():
        same = torch.allclose(before, model(clean), atol=1e-5)
    return {"the table": value, FEW: few, UNTOUCHED: same and not stays}


FEW = "whether there was at most one forward pass per layer, and three more"


def _batched(fill):
    """One run per layer on a copy of the prompts for each position; `fill(stream, cached, n_pairs)` patches."""

    def answer(model, clean, corrupted, metric):
        n_pairs, n_pos = corrupted.shape
        cache = cached(model, clean)
        copies = corrupted.repeat(n_pos, 1)  # position 0 of all pairs, position 1 of all pairs, ...
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
            wrong=_residual(),
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
