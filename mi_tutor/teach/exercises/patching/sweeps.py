"""Sweeps of activation patching as a learner may write them, right and wrong, and what to say about the wrong ones."""

from __future__ import annotations

import torch

from mi_tutor.teach.exercises.patching.inputs import ALL, cached, hooked, taken


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


def residual_sweep(site="hook_resid_pre", index=lambda p: (ALL, p), **more):
    return _swept("pos", site, index, **more)


def head_sweep(site="attn.hook_z", index=lambda h: (ALL, ALL, h), **more):
    return _swept("head", site, index, **more)


def in_context(name_of, index, n_of):
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


def left_behind(name_of, index, n_of):
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


def last_hook_stays(right, name):
    """The right numbers, and one hook that stays although it does nothing."""

    def answer(model, clean, corrupted, metric):
        values = right(model, clean, corrupted, metric)
        model.add_hook(name, lambda value, hook: value)
        return values

    return answer


def in_place_in_the_base(name_of, index, n_of):
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


def recovered_instead(values, model, clean, corrupted, metric):
    with torch.no_grad():
        high, low = metric(model(clean)).mean(), metric(model(corrupted)).mean()
    return (values - low) / (high - low)


def change_instead(values, model, clean, corrupted, metric):
    with torch.no_grad():
        return values - metric(model(corrupted)).mean()


def summed(values, model, clean, corrupted, metric):
    return values * len(clean)


def all_clean(values, model, clean, corrupted, metric):
    with torch.no_grad():
        return torch.full_like(values, metric(model(clean)).mean().item())


def unchanged(values, model, clean, corrupted, metric):
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
    "Within a layer each run has the patches of the places before it as well. Either they pile up (clone the activation inside the "
    "hook, so that every run starts from an unpatched one), or your index is a slice up to the place."
)
NOTHING = (
    "All entries are the corrupted run's value: nothing was patched. Does the hook return the changed activation, and is its name "
    "the one you mean?"
)
