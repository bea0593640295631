"""Edits that reach what comes after them: how one is made, and how it is known that somebody reads it.

TransformerLens gives the activations of every architecture the same names. But not each is there (attention and
MLP of GPT-J read the same stream, so it has no resid_mid), and not each can be edited: where Hugging Face's own
code computes attention, a hook sees the pattern after it was used. So before the first edit of a component it is
tried, in all layers at once, with the values of a run on other tokens. What follows from it alone has to be that
run's:

    q, k, v      z                      resid_pre    resid_post
    pattern, v   z                      resid_mid    resid_post
    z            attn_out               resid_post   the next resid_pre, the logits
    attn_out, mlp_out   their sum, as what the block adds to the stream
"""

import warnings
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from types import MappingProxyType
from weakref import WeakKeyDictionary

import torch
from jaxtyping import Int
from torch import Tensor, nn

from mi_tutor.lab.ground.plain import is_plain_gpt2
from mi_tutor.lab.ground.sites import COMPONENTS, Cache, Site, hook_name

Edit = Callable[[Tensor], Tensor]
Hook = tuple[str, Callable[..., Tensor]]

# component: what is edited together with it, and what follows
TRIALS: Mapping[str, tuple[tuple[str, ...], str]] = MappingProxyType(
    {
        "resid_pre": (("resid_pre",), "resid_post"),
        "q": (("q", "k", "v"), "z"),
        "k": (("q", "k", "v"), "z"),
        "v": (("q", "k", "v"), "z"),
        "pattern": (("pattern", "v"), "z"),
        "z": (("z",), "attn_out"),
        "attn_out": (("attn_out", "mlp_out"), "added"),
        "resid_mid": (("resid_mid",), "resid_post"),
        "mlp_out": (("attn_out", "mlp_out"), "added"),
        "resid_post": (("resid_post",), "next"),
    }
)
_found: WeakKeyDictionary[nn.Module, set[str]] = WeakKeyDictionary()  # what holds of a model


def edit_hooks(site: Site, edit: Edit) -> list[Hook]:
    """The hooks that apply an edit to the component of a site.

    TransformerLens's `hook_resid_mid` sees what the MLP reads: editing it there leaves the stream itself as it
    was. So resid_mid is edited in what attention adds: attn_out = new resid_mid - resid_pre.
    """
    if site.component != "resid_mid":
        return [(site.hook_name, lambda activation, hook: edit(activation))]
    before: list[Tensor] = []

    def remember(resid_pre: Tensor, hook: object) -> Tensor:
        before[:] = [resid_pre]
        return resid_pre

    def edit_stream(attn_out: Tensor, hook: object) -> Tensor:
        [resid_pre] = before
        return edit(resid_pre + attn_out) - resid_pre

    return [
        (hook_name("resid_pre", site.layer), remember),
        (hook_name("attn_out", site.layer), edit_stream),
    ]


def check_there(model: nn.Module, components: Iterable[str]) -> None:
    """ValueError if this kind of model does not have one of the components.

    >>> from mi_tutor.specimens import open_specimen
    >>> check_there(open_specimen("primer", device="cpu"), ["resid_mid"])
    """
    hooks = model.hook_dict
    for component in components:
        missing = [i for i in range(model.cfg.n_layers) if hook_name(component, i) not in hooks]
        if missing and component == "resid_mid" and model.cfg.parallel_attn_mlp:
            raise ValueError(
                f"There is no resid_mid in {called(model)}: attention and MLP of a block read the same stream, so "
                "nothing lies between them. Take resid_pre, attn_out or resid_post."
            )
        if missing:
            raise ValueError(f"There is no {component} in layer {missing[0]} of {called(model)}.")


def check_sites(model: nn.Module, sites: Iterable[Site], tokens: Int[Tensor, "row pos"]) -> None:
    """ValueError unless the model has these sites, and an edit there reaches what comes after it.

    tokens: of the run to be edited; a trial is run on as many.
    """
    sites = list(sites)
    check_editable(model, {site.component for site in sites}, tokens)
    for site in sites:
        n_layers, heads = model.cfg.n_layers, n_heads(model, site.component)
        if not 0 <= site.layer < n_layers:
            raise ValueError(
                f"There is no {site}: {called(model)} has {n_layers} layers, counted from 0."
            )
        if site.head is not None and not -heads <= site.head < heads:
            raise ValueError(
                f"There is no {site}: {called(model)} has {heads} heads of {site.component} in a layer, counted "
                f"from 0{', which its queries share' if heads < model.cfg.n_heads else ''}."
            )


def check_editable(
    model: nn.Module, components: Iterable[str], tokens: Int[Tensor, "row pos"]
) -> None:
    """ValueError if an edit of one of these components would not reach what comes after it.

    Each is tried once per model, those of one trial together; in a GPT-2 all are known to work.
    """
    check_there(model, components)
    for component in components:
        together, follows = TRIALS[component]
        trial = partial(reaches, model, together, follows, tokens)
        if not once(model, f"{together} -> {follows}", trial):
            other = "q, k or z" if component == "pattern" else "another component"
            raise ValueError(
                f"An edit of {component} would change nothing: {called(model)} shows it, but goes on with the "
                f"value from before the edit. Edit {other} instead."
            )


def once(model: nn.Module, fact: str, holds: Callable[[], bool]) -> bool:
    """Whether something holds of a model, tried until it once did. Of a GPT-2 the tests have shown all of it."""
    if model.training:  # with dropout no two runs are alike
        return True
    found = _found.setdefault(model, set())
    if fact not in found and (is_plain_gpt2(model) or holds()):
        found.add(fact)
    return fact in found


@torch.no_grad()
def reaches(
    model: nn.Module, together: Iterable[str], follows: str, tokens: Int[Tensor, "row pos"]
) -> bool:
    """Whether edits are followed by what follows from the edited values (see the top of this file)."""
    given, wanted = trial_run(model, (tokens + 1) % model.cfg.d_vocab, together, follows)
    _, unedited = trial_run(model, tokens, together, follows)
    layers = range(model.cfg.n_layers)
    if follows == "added":
        wanted = [sum(given[hook_name(each, layer)] for each in together) for layer in layers]
    hooks = [
        hook
        for each in together
        for layer in layers
        for hook in edit_hooks(Site(each, layer), partial(put, given[hook_name(each, layer)]))
    ]
    with warnings.catch_warnings(), model.hooks(fwd_hooks=hooks):
        warnings.simplefilter("ignore")  # that TransformerLens drops an edit: just what is asked
        _, seen = trial_run(model, tokens, together, follows)
    return all(
        (x - target).abs().max() <= 1e-3 * (other - target).abs().max()
        for x, target, other in zip(seen, wanted, unedited, strict=True)
    )


def trial_run(
    model: nn.Module, tokens: Int[Tensor, "row pos"], together: Iterable[str], follows: str
) -> tuple[Cache, list[Tensor]]:
    """One run: its activations by hook name, and those that follow from the edited components."""
    layers = range(model.cfg.n_layers)
    components = {*together, "resid_pre", "resid_post", follows} & set(COMPONENTS)
    names = [hook_name(each, layer) for each in components for layer in layers]
    logits, run = model.run_with_cache(tokens, names_filter=names)

    def at(component: str) -> list[Tensor]:
        return [run[hook_name(component, layer)] for layer in layers]

    if follows == "added":
        return run, [after - x for x, after in zip(at("resid_pre"), at("resid_post"), strict=True)]
    return run, [*at("resid_pre")[1:], logits] if follows == "next" else at(follows)


def put(value: Tensor, activation: Tensor) -> Tensor:
    """The edit that puts a value in an activation's place."""
    return value


def n_heads(model: nn.Module, component: str) -> int:
    """How many heads a component is split into: where queries share keys and values there are fewer of those."""
    shared = getattr(model.cfg, "n_key_value_heads", None) or model.cfg.n_heads
    return shared if component in ("k", "v") else model.cfg.n_heads


def called(model: nn.Module) -> str:
    """A model's kind, as the subject of a sentence."""
    return f"this {getattr(model.cfg, 'architecture', None) or 'model'}"
