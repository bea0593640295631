"""Chapter 04, one gradient for all patches: `attribution-patching`."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mi_tutor.lab.patching.attribution import attribution_patching as estimated
from mi_tutor.lab.patching.sweeps import denoise
from mi_tutor.teach.exercise import Exercise, Mistake, Style, Tolerance
from mi_tutor.teach.exercises.patching.inputs import cached, experiments


def attribution_patching(model: Any, clean: Tensor, corrupted: Tensor, metric: Any) -> Tensor:
    """The estimated effect of each patch of `patch_residual`: (clean - corrupted) · gradient."""
    return estimated(model, clean, corrupted, metric, "resid_pre").effect


def _names(model):
    return [f"blocks.{layer}.hook_resid_pre" for layer in range(model.cfg.n_layers)]


def _with_gradients(model, tokens, metric, names, total=lambda values: values.mean()):
    """The activations and the gradients of the metric's mean, by name, on one run."""
    kept = {}

    def keep(name):
        def hook_function(value, hook):
            kept[name] = value.clone()
            return kept[name] if value.requires_grad else kept[name].requires_grad_()

        return name, hook_function

    with torch.enable_grad(), model.hooks(fwd_hooks=[keep(name) for name in names]):
        value = total(metric(model(tokens)))
        found = torch.autograd.grad(value, [kept[name] for name in names])
    return {n: kept[n].detach() for n in names}, dict(zip(names, found, strict=True))


def _estimate(
    difference=lambda source, base: source - base, slope="corrupted", reduce=(0, -1), **more
):
    def answer(model, clean, corrupted, metric):
        names = _names(model)
        source, base = cached(model, clean), cached(model, corrupted)
        on = corrupted if slope == "corrupted" else clean
        _, gradient = _with_gradients(model, on, metric, names, **more)
        rows = [difference(source[n], base[n]) * gradient[n] for n in names]
        return torch.stack([row.sum(dim=reduce) for row in rows])

    return answer


def _with_backward_hooks(model, clean, corrupted, metric):
    """`incl_bwd`-like: TransformerLens's backward hooks keep the gradients."""
    names = _names(model)
    source, base = cached(model, clean), cached(model, corrupted)
    gradient = {}

    def keep(name):
        def hook_function(value, hook):
            gradient[name] = value.detach().clone()

        return name, hook_function

    with model.hooks(bwd_hooks=[keep(name) for name in names]):
        metric(model(corrupted)).mean().backward()
    rows = [((source[n] - base[n]) * gradient[n]).sum(dim=-1).sum(dim=0) for n in names]
    return torch.stack(rows)


def _pair_by_pair(model, clean, corrupted, metric):
    """One gradient per pair, averaged at the end."""
    names, n_pairs = _names(model), len(clean)
    source = cached(model, clean)
    total = 0
    for pair in range(n_pairs):
        base, gradient = _with_gradients(
            model, corrupted, metric, names, total=lambda values, pair=pair: values[pair]
        )
        rows = [(source[n][pair] - base[n][pair]) * gradient[n][pair] for n in names]
        total = total + torch.stack(rows).sum(dim=-1)
    return total / n_pairs


def _cut_off(model, clean, corrupted, metric):
    """A detach in every hook: only the last layer's gradient is left."""
    names = _names(model)
    source, kept = cached(model, clean), {}

    def keep(name):
        def hook_function(value, hook):
            kept[name] = value.detach().requires_grad_()
            return kept[name]

        return name, hook_function

    with torch.enable_grad(), model.hooks(fwd_hooks=[keep(name) for name in names]):
        value = metric(model(corrupted)).mean()
        found = torch.autograd.grad(value, [kept[n] for n in names], allow_unused=True)
    rows = []
    for name, gradient in zip(names, found, strict=True):
        gradient = torch.zeros_like(kept[name]) if gradient is None else gradient
        rows.append(((source[name] - kept[name]) * gradient).sum(dim=(0, -1)).detach())
    return torch.stack(rows)


def _hook_stays(model, clean, corrupted, metric):
    value = _estimate()(model, clean, corrupted, metric)
    model.add_hook("blocks.0.hook_resid_pre", lambda value, hook: None, dir="bwd")
    return value


ATTRIBUTION_PATCHING = Exercise(
    slug="attribution-patching",
    title="One gradient for all patches",
    chapter="04",
    points=3,
    minutes=20,
    difficulty=4,
    objective="Estimate every patch from two forward passes and one backward pass.",
    cases=lambda g: experiments(
        g, [("two pairs", 2, 6), ("one pair", 1, 5), ("three pairs", 3, 7)]
    ),
    reference=attribution_patching,
    tolerance=Tolerance(rtol=1e-4, atol=1e-4),
    styles=(
        Style(name="autograd.grad on kept activations", right=_estimate()),
        Style(name="backward hooks", right=_with_backward_hooks),
        Style(name="pair by pair", right=_pair_by_pair),
    ),
    mistakes=(
        Mistake(
            name="gradient on the wrong run",
            wrong=_estimate(slope="clean"),
            sentence="You took the gradient on the CLEAN run. The patch is made in the corrupted run, so the slope has to be taken there.",
        ),
        Mistake(
            name="sign flipped",
            wrong=_estimate(lambda source, base: base - source),
            sentence="The sign is flipped: the patch moves the activation from corrupted TO clean, so the step is clean minus corrupted.",
        ),
        Mistake(
            name="the other experiment",
            wrong=lambda model, clean, corrupted, metric: _estimate()(
                model, corrupted, clean, metric
            ),
            sentence="This is the estimate of noising: clean prompts, corrupted activations. Asked is the other direction.",
        ),
        Mistake(
            name="no difference",
            wrong=_estimate(lambda source, base: source),
            sentence="You multiply the gradient with the clean activation itself. What moves is the DIFFERENCE to the corrupted one.",
        ),
        Mistake(
            name="gradient times its own activation",
            wrong=_estimate(lambda source, base: base),
            sentence="You multiply the gradient with the corrupted activation. That estimates something else (setting it to zero). The patch "
            "moves it to the clean value.",
        ),
        Mistake(
            name="summed over pairs",
            wrong=_estimate(total=lambda values: values.sum()),
            sentence="Your estimates are too large by the number of pairs: average over pairs instead of adding up.",
        ),
        Mistake(
            name="averaged twice",
            wrong=lambda model, clean, corrupted, metric: (
                _estimate()(model, clean, corrupted, metric) / len(clean)
            ),
            sentence="You divide by the number of pairs twice: the gradient of a mean already has 1/n in it.",
        ),
        Mistake(
            name="averaged over d_model",
            wrong=lambda model, *inputs: _estimate()(model, *inputs) / model.cfg.d_model,
            sentence="You averaged over d_model. Step times slope is a dot product: add its terms up.",
        ),
        Mistake(
            name="the exact effects",
            wrong=lambda *inputs: denoise(*inputs, "resid_pre").effect,
            sentence="These are the exact effects of the patches, one forward pass each. Asked is their estimate, from one gradient.",
        ),
        Mistake(
            name="absolute values",
            wrong=lambda *inputs: _estimate()(*inputs).abs(),
            sentence="You took absolute values. Whether a patch helps or hurts is half of what it says.",
        ),
        Mistake(
            name="the graph is cut",
            wrong=_cut_off,
            sentence="Only the last layer has an estimate: your hooks cut the graph (`detach`), so no gradient gets back to earlier layers. Keep "
            "the activation as a part of the graph, and return what you keep.",
        ),
        Mistake(
            name="a hook that stays",
            wrong=_hook_stays,
            sentence="The numbers are right, but a hook is still in the model after your function. `with model.hooks(...)` takes forward and backward "
            "hooks out again.",
        ),
        Mistake(
            name="transposed",
            wrong=lambda *inputs: _estimate()(*inputs).T,
            sentence="The numbers are right, but positions are your rows. Return [layer pos].",
        ),
    ),
    hints=(
        "Three things: the clean activations (no gradient needed), the corrupted activations, and the gradient of the mean metric with respect to "
        "the corrupted ones.",
        "A hook can put what it sees into a dict and return it. After `metric(model(corrupted)).mean()`, `torch.autograd.grad(value, kept)` gives all "
        "gradients at once. Layer 0's stream needs `requires_grad_()` if no weight wants a gradient.",
        "(clean - corrupted) * gradient, summed over d_model and over pairs, leaves [pos] for each layer.",
    ),
)
