"""A site: one place in a transformer where an activation can be read or replaced.

A block computes, in this order,

    resid_pre                    [batch pos d_model]           the residual stream before the block
    q, k, v                      [batch pos head d_head]       queries, keys, values
    pattern                      [batch head query key]        where each head attends
    z                            [batch pos head d_head]       what each head carries over, before W_O
    attn_out                     [batch pos d_model]           what attention adds
    resid_mid                    [batch pos d_model]           the stream between attention and MLP
    mlp_out                      [batch pos d_model]           what the MLP adds
    resid_post                   [batch pos d_model]           the stream after the block

and a site is a layer, one of these components, and optionally one position and one head.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from types import MappingProxyType
from typing import Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor

COMPONENTS = (
    "resid_pre",
    "q",
    "k",
    "v",
    "pattern",
    "z",
    "attn_out",
    "resid_mid",
    "mlp_out",
    "resid_post",
)
HEAD_COMPONENTS = ("q", "k", "v", "pattern", "z")
AXES = ("layer", "position", "head")  # what a sweep can go over


@runtime_checkable
class Cache(Protocol):
    """Anything that gives the activation of a hook by its name: `cache["blocks.0.hook_resid_pre"]`.

    TransformerLens's ActivationCache (`model.run_with_cache`) is one, and so is a dict.
    """

    def __getitem__(self, name: str, /) -> Tensor: ...


@dataclass(frozen=True)
class Site:
    """One place in a transformer.

    Args:
        component: one of `COMPONENTS`.
        layer: counted from 0.
        position: of the pattern it is the query's; None means all positions.
        head: for q, k, v, pattern and z; None means all heads.

    Raises ValueError for an unknown component, or a head where there are none.

    >>> Site("z", layer=1, position=-1, head=3).hook_name
    'blocks.1.attn.hook_z'
    """

    component: str
    layer: int
    position: int | None = None
    head: int | None = None

    def __post_init__(self) -> None:
        if self.component not in COMPONENTS:
            raise ValueError(
                f"component should be one of {', '.join(COMPONENTS)}, got {self.component!r}."
            )
        if self.head is not None and self.component not in HEAD_COMPONENTS:
            raise ValueError(
                f"{self.component} is not split into heads, so leave head out, or choose one of "
                f"{', '.join(HEAD_COMPONENTS)}."
            )

    @property
    def hook_name(self) -> str:
        """The name of TransformerLens's hook that sees this activation."""
        return hook_name(self.component, self.layer)

    @property
    def index(self) -> tuple[slice | int, ...]:
        """Where the site is within its activation: `activation[site.index]`."""
        position = slice(None) if self.position is None else self.position
        head = slice(None) if self.head is None else self.head
        if self.component == "pattern":
            return slice(None), head, position
        if self.component in HEAD_COMPONENTS:
            return slice(None), position, head
        return slice(None), position

    def __str__(self) -> str:
        """A short name for figures.

        >>> str(Site("z", 1, head=3)), str(Site("resid_pre", 0, position=5))
        ('z 1.3', 'resid_pre 0 at 5')
        """
        head = "" if self.head is None else f".{self.head}"
        position = "" if self.position is None else f" at {self.position}"
        return f"{self.component} {self.layer}{head}{position}"


def hook_name(component: str, layer: int) -> str:
    """The name of TransformerLens's hook that sees a component.

    >>> hook_name("resid_pre", 2)
    'blocks.2.hook_resid_pre'
    """
    inside = "attn." if component in HEAD_COMPONENTS else ""
    return f"blocks.{layer}.{inside}hook_{component}"


def replaced(
    activation: Float[Tensor, "batch ..."], site: Site, source: Float[Tensor, "batch ..."]
) -> Float[Tensor, "batch ..."]:
    """A copy of an activation in which one site has the source's value. Nothing is edited in place.

    >>> import torch
    >>> replaced(torch.zeros(1, 3, 1), Site("mlp_out", 0, position=2), torch.ones(1, 3, 1)).flatten()
    tensor([0., 0., 1.])
    """
    activation = activation.clone()
    activation[site.index] = source[site.index]
    return activation


def site_grid(component: str, axes: Sequence[str], sizes: Mapping[str, int]) -> list[Site]:
    """All sites of one component, in rows: the last axis changes first.

    axes: some of "layer", "position" and "head", among them "layer". What is left out is not split: without
        "position" a site is all positions at once.

    >>> grid = site_grid("z", ("layer", "head"), {"layer": 2, "head": 2})
    >>> [str(site) for site in grid]
    ['z 0.0', 'z 0.1', 'z 1.0', 'z 1.1']
    """
    if "layer" not in axes or not set(axes) <= set(AXES) or len(set(axes)) < len(axes):
        raise ValueError(
            f'axes should be "layer" and perhaps "position" and "head", each once; got {tuple(axes)}.'
        )
    missing = [axis for axis in axes if axis not in sizes]
    if missing:
        raise ValueError(f"{component} has no axis {missing[0]!r}, only {', '.join(sizes)}.")
    every = product(*(range(sizes[axis]) for axis in axes))
    return [Site(component, **dict(zip(axes, indices, strict=True))) for indices in every]


def grid_sizes(cache: Cache, component: str, n_layers: int) -> Mapping[str, int]:
    """How many layers, positions and heads a component has, as `site_grid` wants it."""
    activation = cache[hook_name(component, 0)]
    sizes = {"layer": n_layers}
    if component == "pattern":
        sizes |= {"head": activation.shape[1], "position": activation.shape[2]}
    else:
        sizes |= {"position": activation.shape[1]}
        sizes |= {"head": activation.shape[2]} if component in HEAD_COMPONENTS else {}
    return MappingProxyType(sizes)


def residual_part_names(n_layers: int) -> list[str]:
    """The hooks whose outputs are written to the residual stream, in order.

    >>> residual_part_names(n_layers=1)
    ['hook_embed', 'hook_pos_embed', 'blocks.0.hook_attn_out', 'blocks.0.hook_mlp_out']
    """
    written = [
        f"blocks.{layer}.hook_{part}_out" for layer in range(n_layers) for part in ("attn", "mlp")
    ]
    return ["hook_embed", "hook_pos_embed", *written]
