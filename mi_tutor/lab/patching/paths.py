"""Path patching: does what one part writes matter *because another one reads it*? (Wang et al. 2022)

Patching a head changes everything after it. To follow one connection, from a sender to a receiver:

1. Run on both prompts and keep all activations.
2. Run again with the sender's output taken from the other run and every other head held at its own value, so that
   nothing but the sender's words has changed. Keep what the receivers make of it.
3. Run once more with only the receivers set to that. The metric tells what the connection carries.
"""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from mi_tutor.lab.ground.edits import check_editable, check_sites
from mi_tutor.lab.ground.plain import Run
from mi_tutor.lab.ground.runs import AnyMetric, capture, evaluate
from mi_tutor.lab.ground.sites import Cache, Site, hook_name, replaced
from mi_tutor.lab.patching.activation import run_patched
from mi_tutor.lab.patching.sweeps import SweepResult


def path_patching(
    model: nn.Module,
    tokens: Int[Tensor, "pair pos"],
    source_tokens: Int[Tensor, "pair pos"],
    metric: Callable[[Tensor], Tensor],
    sender: Site,
    receivers: Sequence[Site],
    through_mlps: bool = True,
) -> Float[Tensor, "pair"]:
    """The metric of the run on `tokens` when only the path from sender to receivers comes from the other run.

    sender: z of a head, or mlp_out of a layer.
    receivers: q, k or v of heads, or the stream after the last layer for the direct way to the logits.
    through_mlps: whether MLPs on the way may pass the change on, as in Wang et al. 2022; False holds them too,
        and only the direct connection is left.

    Raises ValueError for a sender that does not write, or receivers that come before it.

    >>> from mi_tutor.specimens import open_specimen, encode
    >>> from mi_tutor.lab.ground.metrics import prefers
    >>> from mi_tutor.lab.ground.prompts import token_ids
    >>> model = open_specimen("primer", device="cpu")
    >>> clean, corrupted = encode(model, ["The capital of France is", "The capital of Italy is"])[:, None]
    >>> metric = prefers(token_ids(model, [" Paris"]), token_ids(model, [" Rome"]))
    >>> path_patching(model, clean, corrupted, metric, Site("z", 0, head=1), [Site("v", 1, head=0)]).shape
    torch.Size([1])
    """
    base, source = (capture(model, ids, ("z", "mlp_out")) for ids in (tokens, source_tokens))
    received = receive(model, tokens, base, source, sender, receivers, through_mlps)
    return metric(run_patched(model, tokens, received, receivers))


def receive(
    model: nn.Module,
    tokens: Int[Tensor, "pair pos"],
    base: Cache,
    source: Cache,
    sender: Site,
    receivers: Sequence[Site],
    through_mlps: bool,
) -> Run:
    """Step 2: what the receivers see if nothing but the sender's output is the source's."""
    check_order(sender, receivers)
    held = ["z"] if through_mlps else ["z", "mlp_out"]
    check_editable(model, held, tokens)
    check_sites(model, [sender, *receivers], tokens)
    names = [hook_name(each, layer) for layer in range(model.cfg.n_layers) for each in held]
    values = {name: base[name] for name in names}
    values[sender.hook_name] = replaced(base[sender.hook_name], sender, source[sender.hook_name])
    hooks = [hold(name, value) for name, value in values.items()]
    wanted = [receiver.hook_name for receiver in receivers]
    with torch.no_grad(), model.hooks(fwd_hooks=hooks):
        return dict(model.run_with_cache(tokens, names_filter=wanted)[1].items())


def hold(name: str, value: Tensor) -> tuple[str, Callable[..., Tensor]]:
    """A hook that gives an activation a fixed value."""
    return name, lambda activation, hook: value


def path_sweep(
    model: nn.Module,
    tokens: Int[Tensor, "pair pos"],
    source_tokens: Int[Tensor, "pair pos"],
    metric: AnyMetric,
    receivers: Sequence[Site],
    through_mlps: bool = True,
) -> SweepResult:
    """Every head as the sender, at all positions: which ones do the receivers listen to?

    Heads that do not come before all receivers keep the unpatched value.
    """
    base, source = (capture(model, ids, ("z", "mlp_out")) for ids in (tokens, source_tokens))
    unpatched = evaluate(model, tokens, metric)
    rows = []
    for layer in range(model.cfg.n_layers):
        for head in range(model.cfg.n_heads):
            sender = Site("z", layer, head=head)
            if all(comes_before(sender, receiver) for receiver in receivers):
                got = receive(model, tokens, base, source, sender, receivers, through_mlps)
                rows.append(metric(run_patched(model, tokens, got, receivers)))
            else:
                rows.append(unpatched)
    return SweepResult(
        per_pair=torch.stack(rows).reshape(model.cfg.n_layers, model.cfg.n_heads, -1),
        axes=("layer", "head"),
        component="z",
        metric=getattr(metric, "name", "metric"),
        unpatched=unpatched,
        source=evaluate(model, source_tokens, metric),
    )


def comes_before(sender: Site, receiver: Site) -> bool:
    """Whether the receiver reads a stream that the sender has written to."""
    if receiver.component == "resid_post":
        return sender.layer <= receiver.layer
    return sender.layer < receiver.layer


def check_order(sender: Site, receivers: Sequence[Site]) -> None:
    """ValueError unless the sender writes to the stream and all receivers read it later."""
    if sender.component not in ("z", "mlp_out"):
        raise ValueError(f"A sender writes to the stream: z or mlp_out, got {sender}.")
    if not receivers:
        raise ValueError("There are no receivers: say what should read the sender's output.")
    for receiver in receivers:
        if receiver.component not in ("q", "k", "v", "resid_post"):
            raise ValueError(f"A receiver is q, k or v of a head, or resid_post, got {receiver}.")
        if not comes_before(sender, receiver):
            raise ValueError(f"{receiver} does not come after {sender}, so it cannot read it.")
