"""Does the model still work with the reconstruction in place of the activation?

    loss recovered = (loss ablated - loss spliced) / (loss ablated - loss clean)

1: the reconstruction is as good as the activation, 0: as good as none. A small error can lie in a direction
that matters, and a large one where nothing looks, so this says more than FVU. What "none" means has to be
said: zeros, as is usual (Bricken et al. 2023), or the mean activation, which is harder to beat.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from mi_tutor.lab.dictionaries.finite import check_finite, wide
from mi_tutor.lab.dictionaries.means import FEWEST, mean_shift, warn_if_strange
from mi_tutor.lab.dictionaries.model import Sae
from mi_tutor.lab.ground.metrics import per_position_loss
from mi_tutor.lab.ground.plain import PlainTransformer, plain_transformer
from mi_tutor.lab.ground.sites import COMPONENTS

Replace = Callable[[Tensor], Tensor]
Ablation = Literal["zero", "mean"]
SPLICED = ("resid_pre", "resid_post", "mlp_out", "attn_out")
READ_FROM = {"mlp_in": "resid_mid"}  # a source that is computed from a component


class LossRecovered(NamedTuple):
    """Next-token losses in nats per token, and the share that is recovered."""

    clean: float
    spliced: float
    ablated: float

    @property
    def recovered(self) -> float:
        """(ablated - spliced) / (ablated - clean). ValueError if ablation costs nothing."""
        if self.ablated == self.clean:
            raise ValueError(
                f"The loss is {self.clean:.4g} with the activation and without it, so there is nothing to "
                "recover. Does the model use this place, and do these texts ask for it?"
            )
        return (self.ablated - self.spliced) / (self.ablated - self.clean)


@torch.no_grad()
def loss_recovered(
    model: nn.Module,
    batches: Iterable[Tensor],
    layer: int,
    component: str,
    reconstruct: Replace,
    source: str | None = None,
    ablation: Ablation = "zero",
) -> LossRecovered:
    """Loss recovered when a component of one layer is replaced by its reconstruction.

    batches: token ids [batch pos] with BOS at position 0, whose activation is left as it is: training skips it
        too.
    component: "resid_pre", "resid_post", "mlp_out" or "attn_out".
    reconstruct: an `Sae`, or any function [... d_in] -> [... d_out].
    source: what is fed to it, if not the component itself: "mlp_in" for a transcoder (LN(resid_mid), see
        `streams`).
    ablation: what a reconstruction that says nothing would be; "mean" is the mean over these texts.

    Warns if an `Sae` was probably trained on other activations (`means`). Raises ValueError if a reconstruction is
    NaN or infinite, or no token is left.

    >>> from mi_tutor.specimens import open_specimen, encode
    >>> model = open_specimen("primer", device="cpu")
    >>> tokens = encode(model, ["The capital of France is"])
    >>> loss_recovered(model, [tokens], layer=1, component="resid_pre", reconstruct=lambda x: x).recovered
    1.0
    """
    (found,) = losses_recovered(
        model, batches, layer, component, reconstruct, source, ablations=(ablation,)
    )
    return found


@torch.no_grad()
def losses_recovered(
    model: nn.Module,
    batches: Iterable[Tensor],
    layer: int,
    component: str,
    reconstruct: Replace,
    source: str | None = None,
    ablations: Sequence[Ablation] = ("zero", "mean"),
    without: Sequence[float] | None = None,
) -> tuple[LossRecovered, ...]:
    """`loss_recovered` against several ablations; what they share is computed once.

    without: what `losses_without` gave for the same model, texts, place and ablations, if it is known already: it
        does not depend on the reconstruction.
    """
    plain = _plain(model, component)
    batches = list(batches)
    clean, *ablated = without or losses_without(model, batches, layer, component, ablations)
    until = max(component, READ_FROM.get(source, source or component), key=COMPONENTS.index)
    total = 0.0
    for number, tokens in enumerate(batches):
        at = plain.activations(layer, tokens, until)
        activation = at[component]
        made = reconstruct(activation if source is None else _read(plain, at, layer, source))
        check_finite(reconstruction=made)
        if number == 0 and isinstance(reconstruct, Sae):
            _compare_means(activation, made)
        total += _loss_with(plain, at, layer, component, made, tokens)
    spliced = total / _n_tokens(batches)
    return tuple(LossRecovered(clean, spliced, each) for each in ablated)


@torch.no_grad()
def losses_without(
    model: nn.Module,
    batches: Iterable[Tensor],
    layer: int,
    component: str,
    ablations: Sequence[Ablation] = ("zero", "mean"),
) -> tuple[float, ...]:
    """The loss as it is, then with a component replaced by nothing, for each meaning of "nothing"."""
    plain = _plain(model, component)
    batches = list(batches)
    n_tokens = _n_tokens(batches)
    nothing = [_nothing(each, plain, batches, layer, component) for each in ablations]
    sums = [0.0] * (1 + len(nothing))
    for tokens in batches:
        at = plain.activations(layer, tokens, component)
        activation = at[component]
        ablated = [torch.zeros_like(activation) + none for none in nothing]
        for i, value in enumerate((activation, *ablated)):
            sums[i] += _loss_with(plain, at, layer, component, value, tokens)
    return tuple(each / n_tokens for each in sums)


def _n_tokens(batches: Sequence[Tensor]) -> int:
    """Tokens after position 0."""
    n_tokens = sum(tokens[:, 1:].numel() for tokens in batches)
    if not n_tokens:
        raise ValueError("There is no token after position 0 in these texts, so there is no loss.")
    return n_tokens


def _loss_with(
    plain: PlainTransformer,
    at: dict[str, Tensor],
    layer: int,
    component: str,
    value: Tensor,
    tokens: Tensor,
) -> float:
    """The sum of the losses of a batch when a component has another value after position 0."""
    replaced = torch.cat([at[component][:, :1], value[:, 1:]], dim=1)
    logits = logits_with(plain, at, layer, component, replaced)
    return wide(per_position_loss(logits, tokens)).sum().item()


def _nothing(
    ablation: Ablation, plain: PlainTransformer, batches: list[Tensor], layer: int, component: str
) -> Tensor | float:
    """What stands in the component's place when nothing is reconstructed."""
    if ablation == "zero":
        return 0.0
    seen = (plain.activations(layer, tokens, component)[component] for tokens in batches)
    return torch.cat([each[:, 1:].flatten(0, 1) for each in seen]).mean(dim=0)


def logits_with(
    plain: PlainTransformer,
    at: dict[str, Tensor],
    layer: int,
    component: str,
    value: Float[Tensor, "batch pos d_model"],
) -> Float[Tensor, "batch pos vocab"]:
    """The logits if a component of one layer had another value. at: that layer's activations (`complete`)."""
    if component == "resid_pre":
        return plain.logits_after(layer - 1, value)
    needed = {
        "resid_post": ("resid_post",),
        "mlp_out": ("resid_mid", "mlp_out"),
        "attn_out": ("resid_pre", "attn_out"),
    }[component]
    known = {name: value if name == component else at[name] for name in needed}
    return plain.logits_after(layer, plain.complete(layer, known)["resid_post"])


def _compare_means(activation: Tensor, reconstruction: Tensor) -> None:
    x, x_hat = (part[:, 1:].flatten(0, 1) for part in (activation, reconstruction))
    if len(x) >= FEWEST:
        warn_if_strange(mean_shift(x, x_hat))


def _plain(model: nn.Module, component: str) -> PlainTransformer:
    if component not in SPLICED:
        raise ValueError(f"component should be one of {', '.join(SPLICED)}, got {component!r}.")
    plain = plain_transformer(model)
    if plain is None:
        raise ValueError(
            "Splicing takes a GPT-2 in eval mode without hooks in place; remove them, or call model.eval()."
        )
    return plain


def _read(plain: PlainTransformer, at: dict[str, Tensor], layer: int, source: str) -> Tensor:
    if source == "mlp_in":
        return plain.mlp_reads(plain.blocks[layer], at[READ_FROM[source]])
    return at[source]


def site_of(hook: str) -> tuple[int, str, str | None]:
    """Layer, component and, for a transcoder, what is read in its place.

    >>> site_of("blocks.2.hook_resid_pre"), site_of("blocks.2.mlp")
    ((2, 'resid_pre', None), (2, 'mlp_out', 'mlp_in'))
    """
    _, layer, name = hook.split(".", 2)
    if name == "mlp":
        return int(layer), "mlp_out", "mlp_in"
    return int(layer), name.removeprefix("hook_"), None
