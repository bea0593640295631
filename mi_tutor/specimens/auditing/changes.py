"""What a planted model's weights differ by from its base's: how it is trained, stored and given back.

Thin matrices (`LowRank`): each changed weight plus the product of two. Small, and its directions tell.

A few bits a weight (`Moved`): every weight of a changed matrix is moved by one of a few steps, drawn by lot before
training, and training chooses among them. So the change has full rank, and most of it means nothing. The gradient
goes through the rounding as if it were not there (Bengio et al. 2013; BinaryConnect, Courbariaux et al. 2015).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

if TYPE_CHECKING:
    from jaxtyping import Float, UInt8

MATRICES = ("attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj")
Delta = dict[str, Tensor]


class LowRank(nn.Module):
    """A weight plus the product of two thin matrices."""

    def __init__(self, weight: Tensor, rank: int, generator: torch.Generator) -> None:
        super().__init__()
        n_in, n_out = weight.shape
        self.a = nn.Parameter(torch.randn(n_in, rank, generator=generator) * n_in**-0.5)
        self.b = nn.Parameter(torch.zeros(rank, n_out))

    def forward(self, weight: Tensor) -> Tensor:
        return weight + self.a @ self.b

    @torch.no_grad()
    def start_somewhere(
        self, weight: Tensor, size: float, chance: torch.Generator, decay: float = 1.0
    ) -> None:
        """A random change, as large as a planted one; each direction `decay` times the one before."""
        self.b.copy_(torch.randn(self.b.shape, generator=chance))
        self.b.mul_(decay ** torch.arange(len(self.b))[:, None])
        self.b.mul_(size * weight.norm() / (self.a @ self.b).norm())

    @torch.no_grad()
    def start_from(self, start: Delta, name: str) -> None:
        self.a.copy_(start[f"{name}.a"].float())
        self.b.copy_(start[f"{name}.b"].float())

    def bound(self) -> None:
        """Nothing: any product is allowed."""

    @torch.no_grad()
    def stored(self, name: str) -> Delta:
        # Both halves alike in size: half precision then loses least.
        u, s, v = torch.linalg.svd(self.a @ self.b, full_matrices=False)
        rank, root = self.a.shape[1], s.sqrt()
        return {
            f"{name}.a": (u * root)[:, :rank].half().contiguous(),
            f"{name}.b": (root[:, None] * v)[:rank].half().contiguous(),
        }


class Moved(nn.Module):
    """A weight, each entry of it moved by one of 2**bits steps: half of them down, half of them up.

    size: ‖ΔW‖ / ‖W‖ at the beginning (with one bit a weight it stays that).
    """

    def __init__(self, weight: Tensor, bits: int, size: float, generator: torch.Generator) -> None:
        super().__init__()
        self.most = 2 ** (bits - 1)
        self.bits = bits
        self.places = nn.Parameter(
            (2 * torch.rand(weight.shape, generator=generator) - 1) * self.most
        )
        usual = (self.codes() + 0.5).square().mean().sqrt()
        self.register_buffer("step", size * weight.square().mean().sqrt() / usual)

    @torch.no_grad()
    def codes(self) -> Tensor:
        """Which step each weight is at, -most to most - 1."""
        return self.places.floor().clamp(-self.most, self.most - 1)

    def forward(self, weight: Tensor) -> Tensor:
        rounding = self.codes() + 0.5 - self.places.detach()
        return weight + self.step * (self.places + rounding)

    @torch.no_grad()
    def start_from(self, start: Delta, name: str) -> None:
        self.step.copy_(start[f"{name}.step"])
        codes = unpacked(start[f"{name}.codes"], self.bits).float()
        self.places.copy_(codes - self.most + 0.5)

    @torch.no_grad()
    def bound(self) -> None:
        """No place beyond the last step: from there it would take long to come back."""
        self.places.clamp_(-self.most, self.most)

    @torch.no_grad()
    def stored(self, name: str) -> Delta:
        return {
            f"{name}.codes": packed((self.codes() + self.most).to(torch.uint8), self.bits),
            f"{name}.step": self.step.clone(),
        }


def packed(codes: UInt8[Tensor, "n_in n_out"], bits: int) -> UInt8[Tensor, "n_in byte"]:
    """Numbers below 2**bits, as many in a byte as there is room for (n_out is a multiple of that).

    >>> packed(torch.tensor([[1, 0, 1, 1]], dtype=torch.uint8), 2)
    tensor([[81]], dtype=torch.uint8)
    """
    per_byte = 8 // bits
    found = torch.zeros(codes.shape[0], codes.shape[1] // per_byte, dtype=torch.uint8)
    for i in range(per_byte):
        found |= codes[:, i::per_byte] << (i * bits)
    return found


def unpacked(some: UInt8[Tensor, "n_in byte"], bits: int) -> UInt8[Tensor, "n_in n_out"]:
    """What was packed.

    >>> unpacked(torch.tensor([[81]], dtype=torch.uint8), 2)
    tensor([[1, 0, 1, 1]], dtype=torch.uint8)
    """
    parts = [some >> (i * bits) & (2**bits - 1) for i in range(8 // bits)]
    return torch.stack(parts, dim=-1).flatten(1)


def changes_of(network: nn.Module, layers: Sequence[int]) -> Iterator[tuple[str, nn.Module]]:
    """The changes that are trained, by matrix."""
    for name, layer in changed_matrices(network, layers):
        yield name, layer.parametrizations.weight[0]


@torch.no_grad()
def stored(network: nn.Module, layers: Sequence[int]) -> Delta:
    """The changes as they are kept in a file."""
    found: Delta = {}
    for name, change in changes_of(network, layers):
        found |= change.stored(name)
    return found


@torch.no_grad()
def changed(network: nn.Module, delta: Delta) -> nn.Module:
    """Give a network the change."""
    for name, layer in changed_matrices(
        network, sorted({int(each.split(".")[0]) for each in delta})
    ):
        layer.weight += change_of(delta, name, layer.weight.shape[1])
    return network


def change_of(delta: Delta, name: str, n_out: int) -> Float[Tensor, "n_in n_out"]:
    """What is added to a matrix of this name."""
    if f"{name}.a" in delta:
        return delta[f"{name}.a"].float() @ delta[f"{name}.b"].float()
    codes = delta[f"{name}.codes"]
    bits = 8 * codes.shape[1] // n_out
    return delta[f"{name}.step"] * (unpacked(codes, bits).float() - 2 ** (bits - 1) + 0.5)


def changed_matrices(network: nn.Module, layers: Sequence[int]) -> Iterator[tuple[str, nn.Module]]:
    """The matrices that are changed, by name."""
    for number in layers:
        for name in MATRICES:
            yield f"{number}.{name}", network.transformer.h[number].get_submodule(name)


def trained(network: nn.Module, layers: Sequence[int], made) -> None:
    """Let each matrix of these layers be its weight and a change of it, `made(weight)`."""
    for _, layer in changed_matrices(network, layers):
        parametrize.register_parametrization(layer, "weight", made(layer.weight))
