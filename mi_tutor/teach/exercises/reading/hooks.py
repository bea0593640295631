"""Chapter 00, changing a model: `zero-a-head` and `strongest-head`."""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch import Tensor

from mi_tutor.lab.reading.heads import head_effects, zero_head
from mi_tutor.specimens import encode
from mi_tutor.teach.exercise import (
    Case,
    Exercise,
    Mistake,
    Style,
    Tolerance,
    ValueExercise,
)
from mi_tutor.teach.exercises.copies import EDITED, a_specimen, without_gradients
from mi_tutor.teach.exercises.reading.primer import (
    SPECIMEN,
    clean_primer,
    n_layers,
    primer,
    random_tokens,
)


def _cases(g: torch.Generator) -> list[Case]:
    last = n_layers() - 1
    settings = [
        ("the first head of the first block", SPECIMEN, 1, 6, 0, 0),
        ("a head of the last block", SPECIMEN, 1, 9, last, 2),
        ("twelve prompts at once, of twelve tokens", SPECIMEN, 12, 12, 0, 3),
        ("another model", SPECIMEN + EDITED, 2, 5, last, 1),
    ]
    return [
        Case(
            label=label,
            inputs={
                "model": a_specimen(name),
                "tokens": random_tokens(g, length, n_prompts),
                "layer": layer,
                "head": head,
            },
        )
        for label, name, n_prompts, length, layer, head in settings
    ]


def _hooked(model, tokens, layer, edit, site="attn.hook_z"):
    def hook(value, hook):
        return edit(value)

    return model.run_with_hooks(tokens, fwd_hooks=[(f"blocks.{layer}.{site}", hook)])


ALL = slice(None)


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
    run=without_gradients,
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
            sentence="The logits are right, but your change is still in the model (a hook that stayed, or a weight that was overwritten), "
            "so everything that runs later runs without that head. Use `run_with_hooks` or `with model.hooks(...)`: both take the "
            "hook out again.",
        ),
        Mistake(
            name="nothing changed",
            wrong=_nothing_returned,
            sentence="The logits are those of the unchanged model. Does your hook run, and does it return the changed tensor?",
        ),
        Mistake(
            name="the whole layer",
            wrong=lambda model, tokens, layer, head: _hooked(
                model, tokens, layer, torch.zeros_like
            ),
            sentence="You set all heads of the layer to zero. z has the axes [batch pos head d_head]: pick the one head.",
        ),
        Mistake(
            name="one coordinate of every head",
            wrong=lambda model, tokens, layer, head: _hooked(
                model, tokens, layer, _with((..., head))
            ),
            sentence="Your index falls on the last axis, d_head, so you remove one coordinate of every head. z has the axes "
            "[batch pos head d_head]: head is the third.",
        ),
        Mistake(
            name="one position of every head",
            wrong=lambda model, tokens, layer, head: _hooked(
                model, tokens, layer, _with((ALL, head))
            ),
            sentence="Your index falls on the second axis, position, so you remove all heads at one position. z has the axes "
            "[batch pos head d_head]: head is the third.",
        ),
        Mistake(
            name="only at the last position",
            wrong=lambda model, tokens, layer, head: _hooked(
                model, tokens, layer, _with((ALL, -1, head))
            ),
            sentence="You remove the head at the last position only. Set it to zero at every position.",
        ),
        Mistake(
            name="only in the first prompt",
            wrong=lambda model, tokens, layer, head: _hooked(
                model, tokens, layer, _with((0, ALL, head))
            ),
            sentence="You remove the head in the first prompt only. z has the axes [batch pos head d_head]: take the whole batch.",
        ),
        Mistake(
            name="mean for zero",
            wrong=_mean_ablation,
            sentence="You put the head's mean over positions in its place. That is mean ablation, another question; here it is zero.",
        ),
        Mistake(
            name="the attention layer's output",
            wrong=lambda model, tokens, layer, head: _hooked(
                model, tokens, layer, torch.zeros_like, "hook_attn_out"
            ),
            sentence="You set the whole attention output of the layer to zero, its bias included. One head's output is `attn.hook_z`.",
        ),
        Mistake(
            name="head and its neighbour exchanged",
            wrong=lambda model, tokens, layer, head: _hooked(
                model, tokens, layer, _with((ALL, ALL, head - 1))
            ),
            sentence="You remove another head than the one asked for. Heads are counted from 0.",
        ),
    ),
    hints=(
        "The head's output, before it is multiplied by W_O, is at `blocks.{layer}.attn.hook_z`, with axes [batch pos head d_head].",
        "A hook is a function of (value, hook), with just these names, whose result stands in value's place.",
        "`model.run_with_hooks(tokens, fwd_hooks=[(name, your_hook)])` runs once with the hook and takes it out again.",
    ),
)


# --- strongest-head -------------------------------------------------------------------------------

STORY = "When Mary and John went to the store, John gave a drink to"
ANSWER = " Mary"


@functools.cache
def _effects() -> Tensor:
    model = clean_primer()
    return head_effects(model, encode(model, STORY), model.to_single_token(ANSWER))


def _head(flat_index: Tensor | int) -> tuple[int, int]:
    return divmod(int(flat_index), primer().cfg.n_heads)


def _is_whole(value: Any) -> bool:
    """A Python integer, or a tensor that holds one."""
    if isinstance(value, Tensor):
        return value.ndim == 0 and not value.is_floating_point()
    return type(value) is int


def strongest_head() -> tuple[int, int]:
    """The head without which the answer's logit falls most."""
    return _head(_effects().argmin())


def _head_that_looks_at_the_answer() -> tuple[int, int]:
    """The head that gives the answer's own token the most attention, at the last position."""
    model = clean_primer()
    tokens = encode(model, STORY)
    with torch.no_grad():
        _, cache = model.run_with_cache(tokens)
    place = model.to_str_tokens(tokens).index(ANSWER)
    patterns = [cache[f"blocks.{layer}.attn.hook_pattern"][0, :, -1] for layer in range(n_layers())]
    return _head(torch.stack(patterns)[..., place].argmax())


STRONGEST_HEAD = ValueExercise(
    slug="strongest-head",
    title="Which head does the answer need most?",
    chapter="00",
    points=1,
    minutes=2,
    difficulty=1,
    objective="Use an ablation to find the head without which the right answer loses most.",
    expected=strongest_head,
    form="a pair (layer, head) of whole numbers, counted from 0",
    accepts=lambda value: len(value) == 2 and all(_is_whole(number) for number in value),
    styles=(
        Style(name="a list", right=lambda: list(strongest_head())),
        Style(name="tensors of one number", right=lambda: tuple(torch.tensor(strongest_head()))),
    ),
    mistakes=(
        Mistake(
            name="layer and head exchanged",
            wrong=lambda: strongest_head()[::-1],
            sentence="These two numbers are right in the other order: layer first, then head.",
        ),
        Mistake(
            name="counted from one",
            wrong=lambda: tuple(number + 1 for number in strongest_head()),
            sentence="You count from 1. Layers and heads are counted from 0.",
        ),
        Mistake(
            name="the head that holds the answer back",
            wrong=lambda: _head(_effects().argmax()),
            sentence="Without this head the answer's logit RISES most: it works against the answer. Look for the largest fall.",
        ),
        Mistake(
            name="the head that looks at the answer",
            wrong=_head_that_looks_at_the_answer,
            sentence="This head looks at the answer's token more than any other does. That says where it reads, not whether what it "
            "writes matters: take it out and look at the logit.",
        ),
        Mistake(
            name="the head that does least",
            wrong=lambda: _head(_effects().abs().argmin()),
            sentence="Taking this head out changes the answer's logit least of all. Look for the largest fall.",
        ),
    ),
    hints=(
        "Take out one head at a time with your `zero_head` and write down the logit of the answer at the last position.",
        "Two loops, over layers and heads, or the table in the cell above: the most negative change is what you want.",
    ),
)
