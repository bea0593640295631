"""One run of a model: its activations by component, and its metric. In plain torch if that is the same model."""

from collections.abc import Callable, Iterable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from mi_tutor.lab.ground.edits import check_there
from mi_tutor.lab.ground.metrics import Metric
from mi_tutor.lab.ground.plain import Run, plain_transformer
from mi_tutor.lab.ground.sites import hook_name

AnyMetric = Metric | Callable[[Tensor], Tensor]


def capture(model: nn.Module, tokens: Int[Tensor, "batch pos"], components: Iterable[str]) -> Run:
    """The activations of some components in every layer, by hook name.

    >>> from mi_tutor.specimens import open_specimen, encode
    >>> model = open_specimen("primer", device="cpu")
    >>> run = capture(model, encode(model, "The capital of France is"), ["z", "mlp_out"])
    >>> run["blocks.1.attn.hook_z"].shape
    torch.Size([1, 6, 4, 16])
    """
    names = hook_names(model, components)
    plain = plain_transformer(model)
    with torch.no_grad():
        run = plain.run(tokens) if plain else model.run_with_cache(tokens, names_filter=names)[1]
    return {name: run[name] for name in names}


@torch.no_grad()
def observe(
    model: nn.Module, tokens: Int[Tensor, "pair pos"], metric: AnyMetric, components: Iterable[str]
) -> tuple[Run, Float[Tensor, "pair"]]:
    """The activations of some components in every layer, and the metric, from one forward pass."""
    names = hook_names(model, components)
    plain = plain_transformer(model)
    if plain is None:
        logits, run = model.run_with_cache(tokens, names_filter=names)
        values = metric(logits)
    else:
        run, last = plain.run(tokens), len(plain.blocks) - 1
        stream = run[hook_name("resid_post", last)]
        values = measure(metric, plain.logits_after(last, stream, read_position(metric)))
    return {name: run[name] for name in names}, values


@torch.no_grad()
def evaluate(
    model: nn.Module, tokens: Int[Tensor, "pair pos"], metric: AnyMetric
) -> Float[Tensor, "pair"]:
    """The metric of one run without any edit."""
    plain = plain_transformer(model)
    if plain is None:
        return metric(model(tokens))
    return measure(metric, plain.logits_after(-1, plain.embed(tokens), read_position(metric)))


def hook_names(model: nn.Module, components: Iterable[str]) -> list[str]:
    """The hooks of some components in every layer; ValueError if the model does not have one of them."""
    components = list(components)
    check_there(model, components)
    return [hook_name(each, layer) for each in components for layer in range(model.cfg.n_layers)]


def read_position(metric: AnyMetric) -> int | None:
    """The one position that a metric looks at; None if it may look at all."""
    return metric.position if isinstance(metric, Metric) else None


def measure(
    metric: AnyMetric, logits: Float[Tensor, "*row pair read vocab"]
) -> Float[Tensor, "*row pair"]:
    """A metric of logits that were computed at its own position only (everywhere, if it has none)."""
    return metric.measure(logits[..., 0, :]) if isinstance(metric, Metric) else metric(logits)
