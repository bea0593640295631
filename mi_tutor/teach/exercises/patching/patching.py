"""Chapter 04, activation patching: `patch-residual` and `patch-heads`."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mi_tutor.lab.patching.sweeps import denoise
from mi_tutor.teach.exercise import Exercise, Mistake, Style
from mi_tutor.teach.exercises.patching.inputs import ALL, CLOSE, experiments
from mi_tutor.teach.exercises.patching.sweeps import (
    LEFT_BEHIND,
    NOTHING,
    PILE_UP,
    RESID,
    STAYS,
    WRONG_WAY,
    Z,
    all_clean,
    change_instead,
    head_sweep,
    in_context,
    in_place_in_the_base,
    last_hook_stays,
    left_behind,
    recovered_instead,
    residual_sweep,
    summed,
    unchanged,
)


def patch_residual(model: Any, clean: Tensor, corrupted: Tensor, metric: Any) -> Tensor:
    """The mean metric of the corrupted run with the stream of one layer and position from the clean run."""
    return denoise(model, clean, corrupted, metric, "resid_pre").values


def patch_heads(model: Any, clean: Tensor, corrupted: Tensor, metric: Any) -> Tensor:
    """The mean metric of the corrupted run with one head's output from the clean run."""
    return denoise(model, clean, corrupted, metric, "z", ("layer", "head")).values


PATCH_RESIDUAL = Exercise(
    slug="patch-residual",
    title="Patch the residual stream",
    chapter="04",
    points=3,
    minutes=15,
    difficulty=3,
    objective="Localise: put one layer and position of the clean run into the corrupted run, everywhere in turn.",
    cases=lambda g: experiments(
        g, [("two pairs", 2, 5), ("one pair", 1, 4), ("as many pairs as positions", 3, 3)]
    ),
    reference=patch_residual,
    tolerance=CLOSE,
    styles=(
        Style(name="a context manager and a mask", right=in_context(**RESID)),
        Style(name="one site after another, with clones", right=residual_sweep()),
        Style(
            name="patched after the layer before",
            right=lambda *inputs: torch.cat(
                [residual_sweep()(*inputs)[:1], residual_sweep("hook_resid_post")(*inputs)[:-1]]
            ),
        ),
    ),
    mistakes=(
        Mistake(name="the wrong way round", wrong=residual_sweep(run="clean"), sentence=WRONG_WAY),
        Mistake(name="hooks left behind", wrong=left_behind(**RESID), sentence=LEFT_BEHIND),
        Mistake(
            name="a hook that stays",
            wrong=last_hook_stays(residual_sweep(), "blocks.0.hook_resid_pre"),
            sentence=STAYS,
        ),
        Mistake(name="patches pile up", wrong=in_place_in_the_base(**RESID), sentence=PILE_UP),
        Mistake(name="nothing patched", wrong=residual_sweep(change=unchanged), sentence=NOTHING),
        Mistake(
            name="all positions at once",
            wrong=residual_sweep(index=lambda p: (ALL,)),
            sentence="Every entry is the clean run's value. Either you replace the whole stream of a layer instead of one position, or you run on the "
            "clean prompts.",
        ),
        Mistake(
            name="hooks that look up the position too late",
            wrong=residual_sweep(index=lambda p: (ALL, -1)),
            sentence="All entries of a layer are the same: each run patches the LAST position. A hook that is made in a loop and called after it sees the "
            "loop's variable as it is then. Run inside the loop, or bind it: `def put_in(stream, hook, position=position)`.",
        ),
        Mistake(
            name="this position and all later ones",
            wrong=residual_sweep(index=lambda p: (ALL, slice(p, None))),
            sentence="You replace this position and all after it. An index is one position, a slice `p:` many.",
        ),
        Mistake(
            name="after the layer",
            wrong=residual_sweep("hook_resid_post"),
            sentence="You patch the stream AFTER each layer. Asked is the one before: hook_resid_pre.",
        ),
        Mistake(
            name="what attention writes",
            wrong=residual_sweep("hook_attn_out"),
            sentence="You patch what attention adds. Asked is the whole stream before the layer: hook_resid_pre.",
        ),
        Mistake(
            name="only the first pair patched",
            wrong=residual_sweep(index=lambda p: (0, p)),
            sentence="You patch the first prompt of the batch only. The axes are [pair pos d_model]: `[:, position]`.",
        ),
        Mistake(
            name="summed over pairs",
            wrong=residual_sweep(change=summed),
            sentence="You added the metric up over pairs. Return its mean, so that the number of pairs does not matter.",
        ),
        Mistake(
            name="recovered instead of the metric",
            wrong=residual_sweep(change=recovered_instead),
            sentence="You already scaled to 0 and 1. Return the metric itself, averaged over pairs; the notebook scales it with your `recovered`.",
        ),
        Mistake(
            name="the change instead of the metric",
            wrong=residual_sweep(change=change_instead),
            sentence="You subtracted the corrupted run's metric. Return the metric of the patched run itself.",
        ),
        Mistake(
            name="transposed",
            wrong=lambda *inputs: residual_sweep()(*inputs).T,
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
    minutes=6,
    difficulty=2,
    objective="Find the attention heads that carry the difference: patch each head's output z, at all positions.",
    cases=lambda g: experiments(
        g, [("two pairs", 2, 6), ("one pair", 1, 5), ("three pairs", 3, 7)]
    ),
    reference=patch_heads,
    tolerance=CLOSE,
    styles=(
        Style(name="a context manager and a mask", right=in_context(**Z)),
        Style(name="one head after another, with clones", right=head_sweep()),
    ),
    mistakes=(
        Mistake(name="the wrong way round", wrong=head_sweep(run="clean"), sentence=WRONG_WAY),
        Mistake(name="hooks left behind", wrong=left_behind(**Z), sentence=LEFT_BEHIND),
        Mistake(
            name="a hook that stays",
            wrong=last_hook_stays(head_sweep(), "blocks.0.attn.hook_z"),
            sentence=STAYS,
        ),
        Mistake(name="patches pile up", wrong=in_place_in_the_base(**Z), sentence=PILE_UP),
        Mistake(name="nothing patched", wrong=head_sweep(change=unchanged), sentence=NOTHING),
        Mistake(
            name="the whole layer",
            wrong=head_sweep(index=lambda h: (ALL,)),
            sentence="All heads of a layer have the same entry: you replace the whole z. Its axes are [pair pos head d_head]; pick one head.",
        ),
        Mistake(
            name="clean activations in the clean run",
            wrong=head_sweep(change=all_clean),
            sentence="Every entry is the clean run's value: you put clean activations into a run on the clean prompts. Run on the corrupted ones.",
        ),
        Mistake(
            name="one position of every head",
            wrong=head_sweep(index=lambda h: (ALL, h)),
            sentence="Your index falls on the position axis: you patch all heads at one position. The axes are [pair pos head d_head].",
        ),
        Mistake(
            name="one coordinate of every head",
            wrong=head_sweep(index=lambda h: (..., h)),
            sentence="Your index falls on the last axis, d_head. The axes are [pair pos head d_head]: head is the third.",
        ),
        Mistake(
            name="only at the last position",
            wrong=head_sweep(index=lambda h: (ALL, -1, h)),
            sentence="You patch the head at the last position only. Heads that work earlier, and are read from there, do not show.",
        ),
        Mistake(
            name="queries instead of outputs",
            wrong=head_sweep("attn.hook_q"),
            sentence="You patch the head's queries. They decide where it looks; what it carries over is attn.hook_z.",
        ),
        Mistake(
            name="recovered instead of the metric",
            wrong=head_sweep(change=recovered_instead),
            sentence="You already scaled to 0 and 1. Return the metric itself, averaged over pairs.",
        ),
    ),
    hints=(
        "The same two loops as for the residual stream, over layers and heads.",
        "z is at `blocks.{layer}.attn.hook_z`, with axes [pair pos head d_head].",
    ),
)
