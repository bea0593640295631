"""Chapter 04: `path-patching`."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mi_tutor.lab.ground.sites import Site
from mi_tutor.lab.patching.paths import path_patching
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style, Tolerance
from mi_tutor.teach.exercises.patching.inputs import (
    a_metric,
    an_atlas,
    atlas,
    cached,
    random_ids,
)

Head = tuple[int, int]


def patch_path(
    model: Any, clean: Tensor, corrupted: Tensor, metric: Any, sender: Head, receiver: Head
) -> Tensor:
    """The metric of the clean run when only the path from the sender to the receiver's queries is corrupted."""
    source = Site("z", sender[0], head=sender[1])
    goal = Site("q", receiver[0], head=receiver[1])
    return path_patching(model, clean, corrupted, metric, source, [goal])


def _cases(g: torch.Generator) -> list[Case]:
    model = atlas()
    # Pairs of heads between which something passes: most pairs change a metric by less than rounding does.
    settings = [
        ("a layer between them", 2, 6, (1, 0), (3, 0)),
        ("the next layer, one pair", 1, 5, (2, 0), (3, 0)),
        ("a layer between them, in another model", 2, 5, (2, 3), (4, 3)),
    ]
    return [
        Case(
            label=label,
            inputs={
                "model": an_atlas(edited=receiver[0] == 4),
                "clean": random_ids(g, n_pairs, length, model=model),
                "corrupted": random_ids(g, n_pairs, length, model=model),
                "metric": a_metric(g, n_pairs, model=model),
                "sender": sender,
                "receiver": receiver,
            },
        )
        for label, n_pairs, length, sender, receiver in settings
    ]


def _z(layer: int) -> str:
    return f"blocks.{layer}.attn.hook_z"


def _fixed(name, value):
    return name, lambda activation, hook: value


def _path(
    receive="q", hold=True, send=True, head_only=True, hold_mlps=False, swap=False, last="right"
):
    """The right function with one thing changed; `last` is what the last run does."""

    def answer(model, clean, corrupted, metric, sender, receiver):
        if swap:
            clean, corrupted = corrupted, clean
        base, source = cached(model, clean), cached(model, corrupted)
        (layer, head), (to_layer, to_head) = sender, receiver
        fixed = {_z(each): base[_z(each)] for each in range(model.cfg.n_layers)} if hold else {}
        if hold_mlps:
            names = [f"blocks.{each}.hook_mlp_out" for each in range(model.cfg.n_layers)]
            fixed |= {name: base[name] for name in names}
        if send:
            changed = base[_z(layer)].clone()
            changed[:, :, head] = source[_z(layer)][:, :, head]
            fixed[_z(layer)] = changed if head_only else source[_z(layer)]
        name = f"blocks.{to_layer}.attn.hook_{receive}"
        with torch.no_grad(), model.hooks(fwd_hooks=[_fixed(n, v) for n, v in fixed.items()]):
            _, seen = model.run_with_cache(clean)
        got = base[name].clone()
        got[:, :, to_head] = seen[name][:, :, to_head]
        hooks = [_fixed(name, seen[name] if last == "all heads" else got)]
        if last == "all held":
            hooks += [_fixed(n, v) for n, v in fixed.items()]
        with torch.no_grad(), model.hooks(fwd_hooks=hooks):
            return metric(model(corrupted if last == "on corrupted" else clean))

    return answer


def _only_one_run(model, clean, corrupted, metric, sender, receiver):
    """Patch the sender and read the metric: all paths."""
    base, source = cached(model, clean), cached(model, corrupted)
    changed = base[_z(sender[0])].clone()
    changed[:, :, sender[1]] = source[_z(sender[0])][:, :, sender[1]]
    with torch.no_grad(), model.hooks(fwd_hooks=[_fixed(_z(sender[0]), changed)]):
        return metric(model(clean))


def _receiver_patched(model, clean, corrupted, metric, sender, receiver):
    """The receiver's queries from the whole corrupted run."""
    base, source = cached(model, clean), cached(model, corrupted)
    name = f"blocks.{receiver[0]}.attn.hook_q"
    got = base[name].clone()
    got[:, :, receiver[1]] = source[name][:, :, receiver[1]]
    with torch.no_grad(), model.hooks(fwd_hooks=[_fixed(name, got)]):
        return metric(model(clean))


def _hook_stays(model, *inputs):
    value = _path()(model, *inputs)
    model.add_hook("blocks.0.attn.hook_z", lambda value, hook: value)
    return value


def _only_between(model, clean, corrupted, metric, sender, receiver):
    """Another right way: only the heads before the receiver have to be held."""
    base, source = cached(model, clean), cached(model, corrupted)
    name = f"blocks.{receiver[0]}.attn.hook_q"

    def hold(layer):
        def hook_function(z, hook):
            z = base[_z(layer)].clone()
            if layer == sender[0]:
                z[:, :, sender[1]] = source[_z(layer)][:, :, sender[1]]
            return z

        return _z(layer), hook_function

    seen = {}

    def keep(q, hook):
        seen["q"] = q.clone()

    def put_in(q, hook):
        q = q.clone()
        q[:, :, receiver[1]] = seen["q"][:, :, receiver[1]]
        return q

    with torch.no_grad():
        hooks = [hold(layer) for layer in range(receiver[0])]
        model.run_with_hooks(clean, fwd_hooks=[*hooks, (name, keep)])
        return metric(model.run_with_hooks(clean, fwd_hooks=[(name, put_in)]))


PATH_PATCHING = Exercise(
    slug="path-patching",
    title="One connection",
    chapter="04",
    points=3,
    minutes=20,
    difficulty=5,
    objective="Follow one path: what a sender writes, as far as one receiver's queries read it.",
    cases=_cases,
    reference=patch_path,
    tolerance=Tolerance(rtol=1e-5, atol=2e-4),
    styles=(
        Style(name="all heads held by name", right=_path()),
        Style(name="only the heads before the receiver held", right=_only_between),
    ),
    mistakes=(
        Mistake(
            name="all paths",
            wrong=_only_one_run,
            sentence="This is plain activation patching of the sender: everything that reads it changes. Two runs are missing: one that shows what the receiver "
            "makes of it, and one in which only the receiver has that.",
        ),
        Mistake(
            name="other heads not held",
            wrong=_path(hold=False),
            sentence="In your second run the other heads react to the sender, too, and their reaction reaches the receiver. Hold every other head's z at its "
            "clean value.",
        ),
        Mistake(
            name="all senders",
            wrong=_receiver_patched,
            sentence="Your receiver gets the queries of the whole corrupted run: all senders at once. Only this sender's output may differ.",
        ),
        Mistake(
            name="the sender's whole layer",
            wrong=_path(head_only=False),
            sentence="You send the outputs of all heads of the sender's layer. Take one head from the corrupted run, the others from the clean one.",
        ),
        Mistake(
            name="nothing sent",
            wrong=_path(send=False),
            sentence="The result is the clean run's: the sender is held at its clean value, too. Take its z from the corrupted run.",
        ),
        Mistake(
            name="all heads receive",
            wrong=_path(last="all heads"),
            sentence="In your last run all heads of the receiver's layer have the new queries. Set the receiver's head only.",
        ),
        Mistake(
            name="z held in the last run, too",
            wrong=_path(last="all held"),
            sentence="In your last run the z are still held as in the second one, so what the receiver does with its new queries reaches nobody. There only "
            "the receiver's queries are set.",
        ),
        Mistake(
            name="the last run on the corrupted prompts",
            wrong=_path(last="on corrupted"),
            sentence="Your last run is on the corrupted prompts. All of it is clean, except for the receiver's queries.",
        ),
        Mistake(
            name="keys instead of queries",
            wrong=_path(receive="k"),
            sentence="You patch what the receiver reads as keys. Asked are its queries, attn.hook_q.",
        ),
        Mistake(
            name="values instead of queries",
            wrong=_path(receive="v"),
            sentence="You patch what the receiver reads as values. Asked are its queries, attn.hook_q.",
        ),
        Mistake(
            name="MLPs held, too",
            wrong=_path(hold_mlps=True),
            sentence="You hold the MLPs as well, so that only the direct connection is left. That is a good experiment, too; here MLPs may pass the message on, as in "
            "Wang et al. 2022.",
        ),
        Mistake(
            name="the wrong way round",
            wrong=_path(swap=True),
            sentence="You run on the corrupted prompts and send clean outputs. Here the clean prompts are run, and the path is corrupted.",
        ),
        Mistake(
            name="a hook that stays",
            wrong=_hook_stays,
            sentence="The numbers are right, but a hook is still in the model after your function. Use `with model.hooks(...)` for each of the runs.",
        ),
    ),
    hints=(
        "Three runs. First: caches of both prompts. Second: on the clean prompts, with every head's z fixed by hooks: all at their clean values, except the sender, "
        "which is corrupted. Keep the receiver's q. Third: on the clean prompts, only the receiver's q set to what you kept.",
        "A hook that ignores what it sees and returns a fixed tensor holds an activation.",
        "Of the kept q take the receiver's head only: `got = clean_q.clone(); got[:, :, head] = kept[:, :, head]`.",
    ),
)
