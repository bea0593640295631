"""Chapter 04, estimates from gradients: `attribution-patching`, `where-attribution-fails`, `integrated-gradients`."""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch import Tensor

from mi_tutor.lab.attribution import attribution_patching as estimated
from mi_tutor.lab.attribution import false_negatives
from mi_tutor.lab.straight_line import integrated_gradients
from mi_tutor.lab.sweep import SweepResult, denoise
from mi_tutor.teach.exercise import Case, Exercise, Handle, Mistake, Style, Tolerance, ValueExercise
from mi_tutor.teach.exercises.ch04.inputs import cached, experiments, run_and_look, spare_atlas
from mi_tutor.teach.exercises.ch04.stories import story_batch
from mi_tutor.teach.exercises.making import normal

# --- attribution-patching -------------------------------------------------------------------------


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
    run=run_and_look,
    tolerance=Tolerance(rtol=1e-3, atol=1e-3),
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


# --- where-attribution-fails ----------------------------------------------------------------------


@functools.cache
def head_sweeps() -> tuple[SweepResult, SweepResult]:
    """The exact and the estimated denoising of every head, on stories about people who never met in training."""
    batch, metric = story_batch()
    arguments = (spare_atlas(), batch.clean, batch.corrupted, metric, "z", ("layer", "head"))
    return denoise(*arguments), estimated(*arguments)


def most_missed() -> tuple[int, int]:
    """The head whose effect is underestimated most."""
    site = false_negatives(*head_sweeps(), k=1)[0].site
    return site.layer, site.head


def _head(table: Tensor) -> tuple[int, int]:
    return divmod(int(table.argmax()), table.shape[1])


def _distinct(wrong: Any) -> Any:
    """A wrong value; where it happens to be the right one, a head that does not exist."""

    def value() -> tuple[int, int]:
        found = wrong()
        return (-1, -1) if tuple(found) == most_missed() else found

    return value


def _strongest() -> tuple[int, int]:
    return _head(head_sweeps()[0].effect.abs())


def _strongest_estimate() -> tuple[int, int]:
    return _head(head_sweeps()[1].effect.abs())


def _overestimated() -> tuple[int, int]:
    exact, estimate = (sweep.effect.abs() for sweep in head_sweeps())
    return _head(estimate - exact)


WHERE_ATTRIBUTION_FAILS = ValueExercise(
    slug="where-attribution-fails",
    title="The head the gradient misses",
    chapter="04",
    points=2,
    minutes=8,
    difficulty=3,
    objective="Find the worst false negative: the head whose patch does most beyond what the estimate says.",
    expected=most_missed,
    form="a pair (layer, head) of whole numbers, counted from 0",
    accepts=lambda value: len(value) == 2 and all(type(number) is int for number in value),
    styles=(
        Style(name="a list", right=lambda: list(most_missed())),
        Style(name="tensors of one number", right=lambda: tuple(torch.tensor(most_missed()))),
    ),
    mistakes=(
        Mistake(
            name="layer and head exchanged",
            wrong=_distinct(lambda: most_missed()[::-1]),
            sentence="These two numbers are right in the other order: layer first, then head.",
        ),
        Mistake(
            name="counted from one",
            wrong=_distinct(lambda: tuple(number + 1 for number in most_missed())),
            sentence="You count from 1. Layers and heads are counted from 0.",
        ),
    ),
    hints=(
        "A false negative: the exact effect is large and the estimate is small, or has the wrong sign.",
        "missing = |exact| - |estimate|, where an estimate of the wrong sign counts as 0. Its largest entry, with divmod(index, n_heads).",
    ),
)


# --- integrated-gradients -------------------------------------------------------------------------


def _line_cases(g: torch.Generator) -> list[Case]:
    weights = normal(g, 5)

    def saturated():
        return lambda x: torch.sigmoid(4 * (x @ weights)).sum()

    def cubic():
        return lambda x: (x**3).sum() - x[0] * x[1]

    def attention():
        return lambda x: x.flatten().softmax(dim=0)[0] * 3

    settings = [
        ("a sigmoid that saturates", saturated, (5,), 8, 2.0),
        ("a cubic with a product", cubic, (4,), 5, 1.0),
        ("a softmax of a matrix", attention, (2, 3), 6, 2.0),
        ("a single step", cubic, (3,), 1, 1.0),
    ]
    return [
        Case(
            label=label,
            inputs={
                "f": Handle(label, made),
                "start": normal(g, *shape),
                "end": scale * normal(g, *shape),
                "n_steps": n_steps,
            },
        )
        for label, made, shape, n_steps, scale in settings
    ]


def _slope(f, x):
    x = x.detach().requires_grad_()
    return torch.autograd.grad(f(x), x)[0]


def _on_the_way(shares, times=lambda start, end: end - start, mean=True):
    def answer(f, start, end, n_steps):
        slopes = [_slope(f, start + t * (end - start)) for t in shares(n_steps)]
        total = torch.stack(slopes).sum(dim=0)
        return times(start, end) * (total / n_steps if mean else total)

    return answer


def _middles(n_steps):
    return [(step + 0.5) / n_steps for step in range(n_steps)]


def _by_backward(f, start, end, n_steps):
    total = torch.zeros_like(start)
    for t in torch.linspace(0.5 / n_steps, 1 - 0.5 / n_steps, n_steps):
        x = torch.lerp(start, end, t).requires_grad_(True)
        f(x).backward()
        total += x.grad
    return total.div(n_steps).mul(end - start)


INTEGRATED_GRADIENTS = Exercise(
    slug="integrated-gradients",
    title="Take the slope on the way",
    chapter="04",
    points=2,
    minutes=12,
    difficulty=3,
    objective="Repair an estimate: average the gradient on the straight line between the two runs.",
    cases=_line_cases,
    reference=integrated_gradients,
    styles=(
        Style(name="a list of slopes", right=_on_the_way(_middles)),
        Style(name="lerp and backward", right=_by_backward),
        Style(
            name="torch.func",
            right=lambda f, start, end, n_steps: (
                (end - start)
                * torch.stack(
                    [torch.func.grad(f)(start + t * (end - start)) for t in _middles(n_steps)]
                ).mean(dim=0)
            ),
        ),
    ),
    mistakes=(
        Mistake(
            name="the slope at the start",
            wrong=lambda f, start, end, n_steps: (end - start) * _slope(f, start),
            sentence="You use the slope at the start only: that is attribution patching again. Average it on the way.",
        ),
        Mistake(
            name="the slope at the end",
            wrong=lambda f, start, end, n_steps: (end - start) * _slope(f, end),
            sentence="You use the slope at the end only. Average it on the way.",
        ),
        Mistake(
            name="left ends of the steps",
            wrong=_on_the_way(lambda n: [step / n for step in range(n)]),
            sentence="Your points begin at the start of the line: they are the left ends of the steps. Take the midpoints, (step + 0.5) / n_steps; "
            "with few steps that is much more exact.",
        ),
        Mistake(
            name="right ends of the steps",
            wrong=_on_the_way(lambda n: [(step + 1) / n for step in range(n)]),
            sentence="Your points are the right ends of the steps. Take the midpoints, (step + 0.5) / n_steps.",
        ),
        Mistake(
            name="not averaged",
            wrong=lambda f, start, end, n_steps: (
                integrated_gradients(f, start, end, n_steps) * n_steps
            ),
            sentence="You added the slopes up without dividing by the number of steps.",
        ),
        Mistake(
            name="times the end point",
            wrong=_on_the_way(_middles, times=lambda start, end: end),
            sentence="You multiply the mean slope with the end point. The way is end minus start.",
        ),
        Mistake(
            name="sign flipped",
            wrong=_on_the_way(_middles, times=lambda start, end: start - end),
            sentence="The sign is flipped: the way is end minus start.",
        ),
        Mistake(
            name="summed to one number",
            wrong=lambda *inputs: integrated_gradients(*inputs).sum(),
            sentence="You added everything up: that is about f(end) - f(start). Return a tensor of the inputs' shape, one share per entry.",
        ),
    ),
    hints=(
        "At step s the point is start + (s + 0.5) / n_steps * (end - start).",
        "Each point needs its own leaf: `.detach().requires_grad_()`, then `torch.autograd.grad(f(point), point)`.",
        "At the end: (end - start) times the mean of the gradients, entry by entry.",
    ),
)
