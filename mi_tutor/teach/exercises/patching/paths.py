"""Chapter 04: `path-patching`."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mi_tutor.lab.ground.sites import Site
from mi_tutor.lab.patching.paths import path_patching
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style, Tolerance
from mi_tutor.teach.exercises.patching.inputs import (
    ALL,
    a_metric,
    an_atlas,
    atlas,
    cached,
    random_ids,
)

Head = tuple[int, int]
Receiver = tuple[str, int, int]  # "q", "k" or "v", layer, head


def patch_path(
    model: Any,
    clean: Tensor,
    corrupted: Tensor,
    metric: Any,
    sender: Head,
    receivers: list[Receiver],
) -> Tensor:
    """The metric of the clean run when only the path from the sender to the receivers is corrupted.

    Without receivers: to the logits.
    """
    source = Site("z", sender[0], head=sender[1])
    goals = [Site(way, layer, head=head) for way, layer, head in receivers]
    end = [Site("resid_post", model.cfg.n_layers - 1)]
    return path_patching(model, clean, corrupted, metric, source, goals or end)


def _cases(g: torch.Generator) -> list[Case]:
    model = atlas()
    # Pairs of heads between which something passes: most pairs change a metric by less than rounding does.
    # The last entry: whether the model has other weights.
    settings = [
        ("queries, a layer between them", 2, 6, (1, 0), [("q", 3, 0)], False),
        ("queries of the next layer, one pair", 1, 5, (2, 0), [("q", 3, 0)], False),
        ("queries, in another model", 2, 5, (2, 3), [("q", 4, 3)], True),
        ("keys of the last layer", 2, 5, (0, 3), [("k", 4, 1)], False),
        ("values", 2, 5, (1, 2), [("v", 2, 0)], False),
        (
            "two heads of a layer and one of another",
            3,
            5,
            (1, 0),
            [("q", 2, 1), ("q", 2, 3), ("v", 4, 0)],
            False,
        ),
        ("the logits", 2, 6, (2, 2), [], False),
    ]
    return [
        Case(
            label=label,
            inputs={
                "model": an_atlas(edited=edited),
                "clean": random_ids(g, n_pairs, length, model=model),
                "corrupted": random_ids(g, n_pairs, length, model=model),
                "metric": a_metric(g, n_pairs, model=model),
                "sender": sender,
                "receivers": list(receivers),
            },
        )
        for label, n_pairs, length, sender, receivers, edited in settings
    ]


def _z(layer: int) -> str:
    return f"blocks.{layer}.attn.hook_z"


def _fixed(name, value):
    return name, lambda activation, hook: value


def _put(name, seen, heads, kept=None):
    """A hook that puts some heads' values in; the others are as they come, or held at what is kept."""

    def hook_function(value, hook):
        value = (value if kept is None else kept[name]).clone()
        value[:, :, heads] = seen[:, :, heads]
        return value

    return name, hook_function


def _path(
    way="asked",
    hold=True,
    send=True,
    head_only=True,
    hold_mlps=False,
    swap=False,
    last="right",
    first_only=False,
    total=False,
):
    """The right function with one thing changed; `last` is what the last run does."""

    def answer(model, clean, corrupted, metric, sender, receivers):
        if swap:
            clean, corrupted = corrupted, clean
        base, source = cached(model, clean), cached(model, corrupted)
        layer, head = sender
        held = hold and not (total and not receivers)
        fixed = {_z(each): base[_z(each)] for each in range(model.cfg.n_layers)} if held else {}
        if hold_mlps:
            names = [f"blocks.{each}.hook_mlp_out" for each in range(model.cfg.n_layers)]
            fixed |= {name: base[name] for name in names}
        if send:
            changed = base[_z(layer)].clone()
            changed[:, :, head] = source[_z(layer)][:, :, head]
            fixed[_z(layer)] = changed if head_only else source[_z(layer)]
        with torch.no_grad(), model.hooks(fwd_hooks=[_fixed(n, v) for n, v in fixed.items()]):
            logits, seen = model.run_with_cache(clean)
        if not receivers:
            return metric(logits)
        got = {}
        for asked, to_layer, to_head in receivers[:1] if first_only else receivers:
            name = f"blocks.{to_layer}.attn.hook_{asked if way == 'asked' else way}"
            got.setdefault(name, []).append(to_head)
        kept = base if last == "neighbours held" else None
        heads = ALL if last == "all heads" else None
        hooks = [_put(n, seen[n], heads or those, kept) for n, those in got.items()]
        if last == "all held":
            hooks += [_fixed(n, v) for n, v in fixed.items()]
        with torch.no_grad(), model.hooks(fwd_hooks=hooks):
            return metric(model(corrupted if last == "on corrupted" else clean))

    return answer


def _only_one_run(model, clean, corrupted, metric, sender, receivers):
    """Patch the sender and read the metric: all paths."""
    base, source = cached(model, clean), cached(model, corrupted)
    changed = base[_z(sender[0])].clone()
    changed[:, :, sender[1]] = source[_z(sender[0])][:, :, sender[1]]
    with torch.no_grad(), model.hooks(fwd_hooks=[_fixed(_z(sender[0]), changed)]):
        return metric(model(clean))


def _receiver_patched(model, clean, corrupted, metric, sender, receivers):
    """The receivers' queries, keys or values from the whole corrupted run."""
    source = cached(model, corrupted)
    if not receivers:
        return _path()(model, clean, corrupted, metric, sender, receivers)
    names = [(f"blocks.{layer}.attn.hook_{way}", head) for way, layer, head in receivers]
    hooks = [_put(name, source[name], [head]) for name, head in names]
    with torch.no_grad(), model.hooks(fwd_hooks=hooks):
        return metric(model(clean))


def _hook_stays(model, *inputs):
    value = _path()(model, *inputs)
    model.add_hook(_z(0), lambda value, hook: value)
    return value


def _kept_by_hooks(model, clean, corrupted, metric, sender, receivers):
    """Another right way: each receiver's value is kept by a hook of its own, and put in by another."""
    base, source = cached(model, clean), cached(model, corrupted)

    def hold(layer):
        def hook_function(z, hook):
            z = base[_z(layer)].clone()
            if layer == sender[0]:
                z[:, :, sender[1]] = source[_z(layer)][:, :, sender[1]]
            return z

        return _z(layer), hook_function

    seen = {}

    def keep(way, layer, head):
        def hook_function(value, hook):
            seen[way, layer, head] = value[:, :, head].clone()

        return f"blocks.{layer}.attn.hook_{way}", hook_function

    def put_in(way, layer, head):
        def hook_function(value, hook):
            value = value.clone()
            value[:, :, head] = seen[way, layer, head]
            return value

        return f"blocks.{layer}.attn.hook_{way}", hook_function

    with torch.no_grad():
        held = [hold(layer) for layer in range(model.cfg.n_layers)]
        logits = model.run_with_hooks(clean, fwd_hooks=[*held, *(keep(*r) for r in receivers)])
        if receivers:
            logits = model.run_with_hooks(clean, fwd_hooks=[put_in(*r) for r in receivers])
        return metric(logits)


PATH_PATCHING = Exercise(
    slug="path-patching",
    optional=True,
    title="One connection",
    chapter="04",
    points=3,
    minutes=25,
    difficulty=5,
    objective="Follow one path: what a sender writes, as far as some receivers read it, or the logits.",
    cases=_cases,
    reference=patch_path,
    tolerance=Tolerance(rtol=1e-5, atol=2e-4),
    styles=(
        Style(name="all heads held by name", right=_path()),
        Style(name="kept and put in by hooks", right=_kept_by_hooks),
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
            sentence="Your receivers get what they read in the whole corrupted run: all senders at once. Only this sender's output may differ.",
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
            sentence="In your last run all heads of a receiver's layer have the new value. Set the receiver's head only.",
        ),
        Mistake(
            name="z held in the last run, too",
            wrong=_path(last="all held"),
            sentence="In your last run the z are still held as in the second one, so what a receiver does with what it reads reaches nobody. There only "
            "the receivers are set.",
        ),
        Mistake(
            name="the last run on the corrupted prompts",
            wrong=_path(last="on corrupted"),
            sentence="Your last run is on the corrupted prompts. All of it is clean, except for what the receivers read.",
        ),
        Mistake(
            name="queries always",
            wrong=_path(way="q"),
            sentence="Your receivers read it as queries, whatever is asked. Each says by its first entry whether it is q, k or v.",
        ),
        Mistake(
            name="the first receiver only",
            wrong=_path(first_only=True),
            sentence="Only the first receiver is set in your last run. Set all of them, and mind that two can be heads of one layer.",
        ),
        Mistake(
            name="the receivers' neighbours held",
            wrong=_path(last="neighbours held"),
            sentence="In your last run the other heads of a receiver's layer are held at their clean values, so they do not react to an earlier receiver. Set the receivers' "
            "heads in what the run brings, and leave the rest.",
        ),
        Mistake(
            name="the logits by all paths",
            wrong=_path(total=True),
            sentence="Without receivers you let all other heads react to the sender. To the logits, too, only the way that passes no other head is asked: they are held.",
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
        "which is corrupted. Keep what the receivers read. Third: on the clean prompts, only that put in.",
        "A hook that ignores what it sees and returns a fixed tensor holds an activation. Without receivers the second run's logits are what is asked.",
        "In the third run a hook for each receiver: clone what comes, and set the receiver's head only.",
    ),
)
