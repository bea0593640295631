"""Chapter 00, changing a model: `zero-a-head` and `strongest-head`."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mi_tutor.lab.reading import zero_head
from mi_tutor.teach.exercise import Case, Exercise, Handle, Mistake, Style, Tolerance
from mi_tutor.teach.exercises.ch00.primer import SPECIMEN, clean_primer, n_layers, random_tokens


def _cases(g: torch.Generator) -> list[Case]:
    model = Handle(f"the specimen {SPECIMEN}", clean_primer)
    last = n_layers() - 1
    settings = [
        ("the first head of the first block", 6, 0, 0),
        ("a head of the last block", 9, last, 2),
        ("another head of the first block", 8, 0, 3),
        ("another head of the last block", 5, last, 1),
    ]
    return [
        Case(
            label=label,
            inputs={"model": model, "tokens": random_tokens(g, length), "layer": layer, "head": head},
        )
        for label, length, layer, head in settings
    ]


def _run(answer: Any, model: Any, tokens: Tensor, layer: int, head: int) -> dict[str, Any]:
    """The logits, and whether the model is afterwards as it was before."""
    with torch.no_grad():
        before = model(tokens)
        try:
            logits = answer(model, tokens, layer, head)
            untouched = torch.allclose(before, model(tokens), atol=1e-5)
        finally:
            model.reset_hooks()
    return {"the logits": logits, "the model works as before afterwards": untouched}


def _hooked(model, tokens, layer, edit, site="attn.hook_z"):
    def hook(value, hook):
        return edit(value)

    return model.run_with_hooks(tokens, fwd_hooks=[(f"blocks.{layer}.{site}", hook)])


def _with(index, value=0.0):
    """An edit that sets z[index] to a value."""

    def edit(z):
        z = z.clone()
        z[index] = value
        return z

    return edit


def _zero_in_context(model, tokens, layer, head):
    def hook(z, hook):
        z[:, :, head, :] = 0.0
        return z

    with model.hooks(fwd_hooks=[(f"blocks.{layer}.attn.hook_z", hook)]):
        return model(tokens)


def _zero_by_mask(model, tokens, layer, head):
    def keep_others(z):
        keep = torch.arange(z.shape[2]) != head
        return z * keep[None, None, :, None]

    return _hooked(model, tokens, layer, keep_others)


def _zero_by_pattern(model, tokens, layer, head):
    return _hooked(model, tokens, layer, _with((slice(None), head)), "attn.hook_pattern")


def _hook_left_behind(model, tokens, layer, head):
    def hook(z, hook):
        z[:, :, head] = 0.0
        return z

    model.add_hook(f"blocks.{layer}.attn.hook_z", hook)
    return model(tokens)


def _nothing_returned(model, tokens, layer, head):
    def hook(z, hook):
        z = z.clone()
        z[:, :, head] = 0.0

    return model.run_with_hooks(tokens, fwd_hooks=[(f"blocks.{layer}.attn.hook_z", hook)])


def _mean_ablation(model, tokens, layer, head):
    def edit(z):
        z = z.clone()
        z[:, :, head] = z[:, :, head].mean(dim=1, keepdim=True)
        return z

    return _hooked(model, tokens, layer, edit)


def _everything(*index):
    return tuple(index)


ALL = slice(None)

ZERO_A_HEAD = Exercise(
    slug="zero-a-head",
    title="Take one head out",
    chapter="00",
    points=2,
    minutes=10,
    difficulty=2,
    objective="Change a model's computation with a hook: set one attention head's output to zero and see what it does to the logits.",
    cases=_cases,
    reference=zero_head,
    run=_run,
    tolerance=Tolerance(rtol=1e-4, atol=1e-4),
    styles=(
        Style(name="model.hooks as a context manager", right=_zero_in_context),
        Style(name="a mask over heads", right=_zero_by_mask),
        Style(name="the attention pattern set to zero", right=_zero_by_pattern),
    ),
    mistakes=(
        Mistake(
            name="hook left behind",
            wrong=_hook_left_behind,
            sentence="The logits are right, but your hook is still in the model, so everything that runs later runs without that head. "
            "Use `run_with_hooks` or `with model.hooks(...)`: both take the hook out again.",
        ),
        Mistake(
            name="nothing changed",
            wrong=_nothing_returned,
            sentence="The logits are those of the unchanged model. Does your hook return the changed tensor?",
        ),
        Mistake(
            name="the whole layer",
            wrong=lambda model, tokens, layer, head: _hooked(model, tokens, layer, torch.zeros_like),
            sentence="You set all heads of the layer to zero. z has the axes [batch pos head d_head]: pick the one head.",
        ),
        Mistake(
            name="one coordinate of every head",
            wrong=lambda model, tokens, layer, head: _hooked(model, tokens, layer, _with((..., head))),
            sentence="Your index falls on the last axis, d_head, so you remove one coordinate of every head. z has the axes "
            "[batch pos head d_head]: head is the third.",
        ),
        Mistake(
            name="one position of every head",
            wrong=lambda model, tokens, layer, head: _hooked(model, tokens, layer, _with((ALL, head))),
            sentence="Your index falls on the second axis, position, so you remove all heads at one position. z has the axes "
            "[batch pos head d_head]: head is the third.",
        ),
        Mistake(
            name="only at the last position",
            wrong=lambda model, tokens, layer, head: _hooked(model, tokens, layer, _with((ALL, -1, head))),
            sentence="You remove the head at the last position only. Set it to zero at every position.",
        ),
        Mistake(
            name="mean for zero",
            wrong=_mean_ablation,
            sentence="You put the head's mean over positions in its place. That is mean ablation, another question; here it is zero.",
        ),
        Mistake(
            name="the attention layer's output",
            wrong=lambda model, tokens, layer, head: _hooked(model, tokens, layer, torch.zeros_like, "hook_attn_out"),
            sentence="You set the whole attention output of the layer to zero, its bias included. One head's output is `attn.hook_z`.",
        ),
        Mistake(
            name="head and its neighbour exchanged",
            wrong=lambda model, tokens, layer, head: _hooked(model, tokens, layer, _with((ALL, ALL, head - 1))),
            sentence="You remove another head than the one asked for. Heads are counted from 0.",
        ),
    ),
    hints=(
        "The head's output, before it is multiplied by W_O, is at `blocks.{layer}.attn.hook_z`, with axes [batch pos head d_head].",
        "A hook is a function of (value, hook) that returns what should stand in value's place.",
        "`model.run_with_hooks(tokens, fwd_hooks=[(name, your_hook)])` runs once with the hook and takes it out again.",
    ),
)
