"""Chapter 04: `run-a-circuit`."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mi_tutor.lab.patching.circuits import circuit_logits
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style
from mi_tutor.teach.exercises.patching.inputs import (
    CLOSE,
    a_primer,
    an_atlas,
    atlas,
    cached,
    primer,
    random_ids,
)

Heads = list[tuple[int, int]]


def _cases(g: torch.Generator) -> list[Case]:
    whole = [(layer, head) for layer in range(2) for head in range(4)]
    settings = [
        ("two heads and an MLP", False, (3, 6), [(0, 1), (1, 2)], [0]),
        ("an MLP and no head, one prompt", False, (1, 5), [], [1]),
        ("all heads of one layer, no MLP", False, (4, 4), whole[:4], []),
        ("everything", False, (2, 5), whole, [0, 1]),
        ("nothing", False, (2, 7), [], []),
        ("another model", False, (2, 6), [(0, 2), (1, 0)], [1]),
        ("five layers", True, (2, 6), [(0, 3), (1, 0), (2, 2), (2, 1), (4, 3)], [0, 2, 3]),
    ]
    return [
        Case(
            label=label,
            inputs={
                "model": an_atlas() if larger else a_primer(edited=label == "another model"),
                "tokens": random_ids(g, *shape, model=atlas() if larger else primer()),
                "others": random_ids(g, *shape, model=atlas() if larger else primer()),
                "heads": list(heads),
                "mlps": list(mlps),
            },
        )
        for label, larger, shape, heads, mlps in settings
    ]


def _made(
    silence_mlps=True, swap=False, invert=False, where=slice(None), members="compute", zero=False
):
    """The right function with one thing changed. members: "compute", or "held" at what they were in the whole model."""

    def answer(model, tokens, others, heads, mlps):
        if swap:
            tokens, others = others, tokens
        source, own = cached(model, others), cached(model, tokens)

        def put(name: str, silent: list, is_z: bool) -> tuple[str, Any]:
            def hook_function(value: Tensor, hook: Any) -> Tensor:
                new = own[name].clone() if members == "held" else value.clone()
                given = torch.zeros_like(new) if zero else source[name]
                if is_z:
                    new[:, where, silent] = given[:, where, silent]
                elif silent:
                    new[:, where] = given[:, where]
                return new

            return name, hook_function

        hooks = []
        for layer in range(model.cfg.n_layers):
            out = [h for h in range(model.cfg.n_heads) if ((layer, h) in heads) == invert]
            hooks.append(put(f"blocks.{layer}.attn.hook_z", out, True))
            silent = (layer in mlps) == invert and silence_mlps
            hooks.append(put(f"blocks.{layer}.hook_mlp_out", [0] if silent else [], False))
        with torch.no_grad():
            return model.run_with_hooks(tokens, fwd_hooks=hooks)

    return answer


def _only_last(model, *inputs):
    return circuit_logits(model, *inputs)[:, -1]


def _mlps_by_position_in_list(model, tokens, others, heads, mlps):
    """Heads by number alone: a head of any layer counts for all layers."""
    numbers = {head for _, head in heads}
    every = [(layer, head) for layer in range(model.cfg.n_layers) for head in numbers]
    return circuit_logits(model, tokens, others, every, mlps)


def _hook_stays(model, *inputs):
    value = circuit_logits(model, *inputs)
    model.add_hook("blocks.0.attn.hook_z", lambda value, hook: value)
    return value


def _by_masks(model, tokens, others, heads, mlps):
    """Another right way: a mask of the silent heads, and hooks as context managers."""
    layers, n_heads = range(model.cfg.n_layers), model.cfg.n_heads
    with torch.no_grad():
        _, source = model.run_with_cache(others)
    silent = torch.ones(len(layers), n_heads, dtype=torch.bool)
    for layer, head in heads:
        silent[layer, head] = False
    hooks = []
    for layer in layers:
        z, mlp = f"blocks.{layer}.attn.hook_z", f"blocks.{layer}.hook_mlp_out"
        mask = silent[layer][:, None]
        hooks.append((z, lambda x, hook, z=z, mask=mask: torch.where(mask, source[z], x)))
        if layer not in mlps:
            hooks.append((mlp, lambda x, hook, mlp=mlp: source[mlp]))
    with torch.no_grad(), model.hooks(fwd_hooks=hooks):
        return model(tokens)


RUN_A_CIRCUIT = Exercise(
    slug="run-a-circuit",
    optional=True,
    title="Everything else falls silent",
    chapter="04",
    points=3,
    minutes=15,
    difficulty=4,
    objective="Run a model in which only some heads and MLPs compute, and all others say what they say on another prompt.",
    cases=_cases,
    reference=circuit_logits,
    tolerance=CLOSE,
    styles=(
        Style(name="clones, head by head", right=_made()),
        Style(name="masks", right=_by_masks),
    ),
    mistakes=(
        Mistake(
            name="members held at their values in the whole model",
            wrong=_made(members="held"),
            sentence="Your members have the values that they have in the whole model, where parts outside of the circuit still spoke to them. A member computes "
            "from what reaches it in THIS run: leave it alone, and replace only the others.",
        ),
        Mistake(
            name="the circuit falls silent",
            wrong=_made(invert=True),
            sentence="You replace the circuit and let all others compute. It is the other way round.",
        ),
        Mistake(
            name="MLPs all compute",
            wrong=_made(silence_mlps=False),
            sentence="Your MLPs all compute, members or not. An MLP that is not in `mlps` writes what it writes on `others`.",
        ),
        Mistake(
            name="the wrong run",
            wrong=_made(swap=True),
            sentence="You run on `others` and take from `tokens`. The circuit has to answer `tokens`; what the rest says comes from `others`.",
        ),
        Mistake(
            name="zero instead of another prompt",
            wrong=_made(zero=True),
            sentence="Your silent parts write zeros. Here they write what they write on `others`.",
        ),
        Mistake(
            name="only at the last position",
            wrong=_made(where=slice(-1, None)),
            sentence="You silence the others at the last position only. Elsewhere they still tell the circuit about the prompt.",
        ),
        Mistake(
            name="heads by number, whatever the layer",
            wrong=_mlps_by_position_in_list,
            sentence="You look at a head's number only. (0, 1) is head 1 of layer 0 and of no other layer.",
        ),
        Mistake(
            name="the last position's logits only",
            wrong=_only_last,
            sentence="Return the logits of all positions, [prompt pos vocab]: the metric looks where it wants.",
        ),
        Mistake(
            name="a hook that stays",
            wrong=_hook_stays,
            sentence="The logits are right, but a hook is still in the model after your function. Use `with model.hooks(...)`.",
        ),
    ),
    hints=(
        "One cache, of `others`. Then one run on `tokens` with a hook on every layer's z, which replaces the heads that are not members, and one on each silent MLP's output.",
        "The names are blocks.LAYER.attn.hook_z, [prompt pos head d_head], and blocks.LAYER.hook_mlp_out. A member needs no hook.",
        "In a loop a closure sees the last value of its variables: give `name` and the list of silent heads as default arguments.",
    ),
)
