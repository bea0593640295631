"""Attribution patching: all patches estimated at once, from one gradient (Nanda 2023).

For a small change the metric moves linearly, so patching a site from a to a' is worth about

    (a' - a) · ∂metric/∂a        a and the gradient from the run that would be edited, a' from the other

Denoising: (clean - corrupted) · gradient on the corrupted run. Two forward passes and one backward pass give the
estimate for every site. A patch is not a small change, though: where attention is saturated or LayerNorm rescales,
the slope at one end says little about the way (Kramár et al. 2024). `integrated_gradients` takes it on the way.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from mi_tutor.lab.ground.edits import check_editable
from mi_tutor.lab.ground.plain import Run, plain_transformer
from mi_tutor.lab.ground.runs import (
    AnyMetric,
    evaluate,
    hook_names,
    measure,
    observe,
    read_position,
)
from mi_tutor.lab.ground.sites import HEAD_COMPONENTS, Site, hook_name
from mi_tutor.lab.patching.batched import metric_given, start
from mi_tutor.lab.patching.sweeps import SweepResult


def attribution(
    activation: Float[Tensor, "*axes d"],
    source: Float[Tensor, "*axes d"],
    gradient: Float[Tensor, "*axes d"],
) -> Float[Tensor, "*axes"]:
    """(source - activation) · gradient: the estimated effect of putting the source's value in.

    activation, gradient: of the run that would be edited. For a pattern the sum is over keys.

    >>> attribution(torch.tensor([1.0, 1.0]), torch.tensor([3.0, 0.0]), torch.tensor([0.5, 2.0]))
    tensor(-1.)
    """
    return ((source - activation) * gradient).sum(dim=-1)


def attribution_patching(
    model: nn.Module,
    clean: Int[Tensor, "pair pos"],
    corrupted: Int[Tensor, "pair pos"],
    metric: AnyMetric,
    component: str,
    axes: Sequence[str] = ("layer", "position"),
) -> SweepResult:
    """The estimate of `denoise`, with the same arguments and the same kind of result.

    For the estimate of `noise` exchange the prompts. Where an axis is left out its estimates add up, as a linear
    estimate does.

    >>> from mi_tutor.specimens import open_specimen, encode
    >>> from mi_tutor.lab.ground.metrics import prefers
    >>> from mi_tutor.lab.ground.prompts import token_ids
    >>> model = open_specimen("primer", device="cpu")
    >>> clean, corrupted = encode(model, ["The capital of France is", "The capital of Italy is"])[:, None]
    >>> metric = prefers(token_ids(model, [" Paris"]), token_ids(model, [" Rome"]))
    >>> attribution_patching(model, clean, corrupted, metric, "z", ("layer", "head")).effect.shape
    torch.Size([2, 4])
    """
    source, goal = observe(model, clean, metric, [component])
    run, gradient, unpatched = run_and_gradients(model, corrupted, metric, [component])
    effects = [attribution(run[name], source[name], gradient[name]) for name in run]
    return as_result(effects, component, axes, metric, unpatched, goal)


def integrated_gradients(
    model: nn.Module,
    clean: Int[Tensor, "pair pos"],
    corrupted: Int[Tensor, "pair pos"],
    metric: AnyMetric,
    component: str,
    axes: Sequence[str] = ("layer", "position"),
    n_steps: int = 10,
) -> SweepResult:
    """As `attribution_patching`, with the gradient averaged on the straight line between the two runs.

        (clean - corrupted) · mean over t of the gradient at corrupted + t (clean - corrupted)

    After Sundararajan et al. 2017, in each layer by itself: the component moves from the corrupted to the clean
    activations at all positions and heads together, while what comes before it stays corrupted. The estimates of
    a layer's sites then add up to the exact effect of patching the layer's whole component, up to the error of
    n_steps midpoints. Costs n_layers forward and backward passes of n_steps rows per pair.
    """
    if n_steps < 1:
        raise ValueError(f"n_steps should be at least 1, got {n_steps}.")
    source, goal = observe(model, clean, metric, [component])
    run = start(model, corrupted, [component])
    shares = (torch.arange(n_steps, device=corrupted.device) + 0.5) / n_steps
    effects = []
    for layer in range(model.cfg.n_layers):
        name = hook_name(component, layer)
        base, difference = run.base[name], source[name] - run.base[name]
        way = base + shares.reshape(-1, *[1] * base.ndim) * difference  # [step pair ...]
        with torch.enable_grad():
            way.requires_grad_()
            total = metric_given(run, metric, component, layer, way).sum()
            [gradient] = torch.autograd.grad(total, [way])
        effects.append(attribution(base, source[name], gradient.mean(dim=0)))
    return as_result(effects, component, axes, metric, evaluate(model, corrupted, metric), goal)


def run_and_gradients(
    model: nn.Module, tokens: Int[Tensor, "pair pos"], metric: AnyMetric, components: Iterable[str]
) -> tuple[Run, Run, Float[Tensor, "pair"]]:
    """The activations of some components, the gradients of the metric with respect to them, and the metric.

    One forward and one backward pass. Pairs do not mix, so the gradient of the sum is each pair's own. The
    weights get no gradients.
    """
    components = list(components)
    check_editable(model, components, tokens)
    names = hook_names(model, components)
    plain = plain_transformer(model)
    with torch.enable_grad():
        if plain:
            run = plain.run(tokens)
            last = len(plain.blocks) - 1
            stream, read = run[hook_name("resid_post", last)], read_position(metric)
            values = measure(metric, plain.logits_after(last, stream, read))
        else:
            tracked = [*names, *map(gradient_name, names)]
            run, values = tracked_run(model, tokens, metric, tracked)
        given = torch.autograd.grad(values.sum(), [run[gradient_name(name)] for name in names])
    activations = {name: run[name].detach() for name in names}
    return activations, dict(zip(names, given, strict=True)), values.detach()


def tracked_run(
    model: nn.Module, tokens: Int[Tensor, "pair pos"], metric: AnyMetric, names: Iterable[str]
) -> tuple[Run, Tensor]:
    """A run with hooks that keeps activations as part of the graph, and its metric.

    A hook may be shown a reshaped copy that the model does not go on with, so each hook returns what it keeps.
    """
    run: Run = {}

    def keep_as(name: str):
        def keep(activation: Tensor, hook: object) -> Tensor:
            run[name] = activation.clone()
            return run[name] if activation.requires_grad else run[name].requires_grad_()

        return keep

    with model.hooks(fwd_hooks=[(name, keep_as(name)) for name in dict.fromkeys(names)]):
        return run, metric(model(tokens))


def gradient_name(name: str) -> str:
    """The hook at which an activation's gradient is taken.

    hook_resid_mid is seen by the MLP only. The stream there is resid_pre + attn_out, so the gradient of the
    whole stream is the gradient of attn_out.
    """
    return name.replace("resid_mid", "attn_out")


def as_result(
    effects: Sequence[Tensor],
    component: str,
    axes: Sequence[str],
    metric: AnyMetric,
    unpatched: Float[Tensor, "pair"],
    source: Float[Tensor, "pair"],
) -> SweepResult:
    """Effects per layer as the result of a sweep over some axes; what is not an axis is summed."""
    found = torch.stack(list(effects))
    names = ["layer", "pair", "position"]
    if component == "pattern":
        names = ["layer", "pair", "head", "position"]
    elif component in HEAD_COMPONENTS:
        names = ["layer", "pair", "position", "head"]
    if "layer" not in axes or not set(axes) <= set(names):
        raise ValueError(f"axes should be some of {names}, among them 'layer', got {tuple(axes)}.")
    summed = tuple(i for i, name in enumerate(names) if name not in (*axes, "pair"))
    kept = [name for name in names if name in (*axes, "pair")]
    if summed:
        found = found.sum(dim=summed)
    return SweepResult(
        per_pair=unpatched + found.permute(*map(kept.index, (*axes, "pair"))),
        axes=tuple(axes),
        component=component,
        metric=getattr(metric, "name", "metric"),
        unpatched=unpatched,
        source=source,
    )


class Agreement(NamedTuple):
    """How well an estimate agrees with the exact sweep, over all sites.

    Attributes:
        pearson: correlation of the effects; a few large ones decide it.
        spearman: correlation of their ranks; all sites count alike, the many without effect too.
    """

    pearson: float
    spearman: float


def agreement(exact: SweepResult, estimate: SweepResult) -> Agreement:
    """Compare the effects, averaged over pairs, of two sweeps over the same sites.

    Effects below a hundred-thousandth of the metric are rounding and count as 0: else the ranks of sites that do
    nothing would be drawn by chance.
    """
    rounding = 1e-5 * exact.per_pair.abs().max().cpu()
    effects = (result.effect.flatten().cpu() for result in (exact, estimate))
    one, other = (torch.where(effect.abs() > rounding, effect, 0.0) for effect in effects)
    return Agreement(pearson(one, other), pearson(ranks(one), ranks(other)))


class Missed(NamedTuple):
    """A site with its exact effect and the estimate."""

    site: Site
    exact: float
    estimate: float


def false_negatives(exact: SweepResult, estimate: SweepResult, k: int = 5) -> list[Missed]:
    """The k sites whose effect was underestimated most, worst first.

    Underestimated: |exact| - |estimated|, or |exact| in full where the estimate has the wrong sign.
    """
    true, guess = exact.effect, estimate.effect
    right_sign = (true * guess > 0) * guess.abs()
    missing = (true.abs() - right_sign).flatten()
    worst = missing.argsort(descending=True)[:k]
    places = torch.stack(torch.unravel_index(worst, true.shape), dim=-1).tolist()
    return [Missed(exact.site(at), true[*at].item(), guess[*at].item()) for at in places]


def pearson(x: Float[Tensor, "n"], y: Float[Tensor, "n"]) -> float:
    """The correlation of two lists of numbers; nan if one of them does not vary.

    >>> pearson(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([2.0, 4.0, 6.0]))
    1.0
    """
    return torch.corrcoef(torch.stack([x, y]).double())[0, 1].item()


def ranks(x: Float[Tensor, "n"]) -> Float[Tensor, "n"]:
    """Each number's place in the order, from 0; equal numbers share the mean of their places.

    >>> ranks(torch.tensor([5.0, 1.0, 5.0]))
    tensor([1.5000, 0.0000, 1.5000], dtype=torch.float64)
    """
    _, group, size = x.unique(return_inverse=True, return_counts=True)
    last = size.cumsum(0).double() - 1
    return (last - (size - 1) / 2)[group]
