"""Ways to write `path-patching`: right ones, and each typical mistake as code."""

from __future__ import annotations

import torch

from mi_tutor.teach.exercises.patching.inputs import ALL, cached


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


def by_path(
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


def only_one_run(model, clean, corrupted, metric, sender, receivers):
    """Patch the sender and read the metric: all paths."""
    base, source = cached(model, clean), cached(model, corrupted)
    changed = base[_z(sender[0])].clone()
    changed[:, :, sender[1]] = source[_z(sender[0])][:, :, sender[1]]
    with torch.no_grad(), model.hooks(fwd_hooks=[_fixed(_z(sender[0]), changed)]):
        return metric(model(clean))


def receivers_patched(model, clean, corrupted, metric, sender, receivers):
    """The receivers' queries, keys or values from the whole corrupted run."""
    source = cached(model, corrupted)
    if not receivers:
        return by_path()(model, clean, corrupted, metric, sender, receivers)
    names = [(f"blocks.{layer}.attn.hook_{way}", head) for way, layer, head in receivers]
    hooks = [_put(name, source[name], [head]) for name, head in names]
    with torch.no_grad(), model.hooks(fwd_hooks=hooks):
        return metric(model(clean))


def a_hook_stays(model, *inputs):
    value = by_path()(model, *inputs)
    model.add_hook(_z(0), lambda value, hook: value)
    return value


def kept_by_hooks(model, clean, corrupted, metric, sender, receivers):
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
