"""Circuits: some parts of a model compute, all others hold what they say on another prompt (Wang et al. 2022).

With M the whole model, C a circuit (a set of heads and MLPs), and F of a set of parts the mean metric when only
these compute,

    faithful   F(C) is close to F(M)
    complete   F(C \\ K) is close to F(M \\ K) for every subset K of C: the circuit breaks as the model breaks
    minimal    for every member v there is a K such that F(C \\ (K + v)) is far from F(C \\ K): each one pays

There are too many subsets to try them all: some are drawn by lot. Wang et al. put the mean over prompts in the
place of the other parts; here each takes its value on one other prompt (resample ablation, Chan et al. 2022).
"""

import random
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from mi_tutor.lab.ground.plain import PlainTransformer, Run, plain_transformer
from mi_tutor.lab.ground.runs import AnyMetric, capture, measure, read_position
from mi_tutor.lab.ground.sites import Cache, hook_name

Head = tuple[int, int]
Part = Head | int  # a head (layer, head), or the MLP of a layer
Parts = frozenset[Part]


def circuit_logits(
    model: nn.Module,
    tokens: Int[Tensor, "prompt pos"],
    others: Int[Tensor, "prompt pos"],
    heads: Iterable[Head],
    mlps: Iterable[int],
) -> Float[Tensor, "prompt pos vocab"]:
    """The logits when only these heads and MLPs compute; all others write what they write on `others`.

    Members compute from what reaches them, which is not what they saw in the whole model.

    >>> from mi_tutor.specimens import open_specimen, encode
    >>> model = open_specimen("primer", device="cpu")
    >>> tokens, others = encode(model, ["The capital of France is", "The capital of Italy is"])[:, None]
    >>> silent = circuit_logits(model, tokens, others, heads=[], mlps=[])
    >>> whole = circuit_logits(model, tokens, others, [(l, h) for l in range(2) for h in range(4)], [0, 1])
    >>> bool(torch.allclose(whole, model(tokens), atol=1e-4)), bool(torch.allclose(silent, whole, atol=1))
    (True, False)
    """
    source = capture(model, others, ("z", "mlp_out"))
    hooks = []
    for layer in range(model.cfg.n_layers):
        silent = [head for head in range(model.cfg.n_heads) if (layer, head) not in set(heads)]
        hooks.append((hook_name("z", layer), partial(replace_heads, source=source, heads=silent)))
        if layer not in set(mlps):
            hooks.append((hook_name("mlp_out", layer), partial(replace, source=source)))
    named = [(name, partial(hook_function, name=name)) for name, hook_function in hooks]
    with torch.no_grad(), model.hooks(fwd_hooks=named):
        return model(tokens)


def replace(value: Tensor, hook, *, source: Cache, name: str) -> Tensor:
    """An activation of the source in the place of this one."""
    return source[name]


def replace_heads(z: Tensor, hook, *, source: Cache, heads: list[int], name: str) -> Tensor:
    """Some heads' outputs of the source in the place of these."""
    z = z.clone()
    z[:, :, heads] = source[name][:, :, heads]
    return z


def all_parts(model: nn.Module) -> Parts:
    """All heads and MLPs of a model."""
    layers, heads = range(model.cfg.n_layers), range(model.cfg.n_heads)
    return frozenset([*layers, *((layer, head) for layer in layers for head in heads)])


class CircuitRuns:
    """F of many circuits on the same prompts. Each is run once, and those that begin alike share their beginning.

    >>> from mi_tutor.specimens import open_specimen, encode
    >>> from mi_tutor.lab.ground.metrics import prefers
    >>> from mi_tutor.lab.ground.prompts import token_ids
    >>> model = open_specimen("primer", device="cpu")
    >>> tokens, others = encode(model, ["The capital of France is", "The capital of Italy is"])[:, None]
    >>> metric = prefers(token_ids(model, [" Paris"]), token_ids(model, [" Rome"]))
    >>> runs = CircuitRuns(model, tokens, others, metric)
    >>> whole, early = runs.values([all_parts(model), frozenset({0, (0, 1)})])
    >>> bool(whole > early)
    True
    """

    def __init__(
        self,
        model: nn.Module,
        tokens: Int[Tensor, "prompt pos"],
        others: Int[Tensor, "prompt pos"],
        metric: AnyMetric,
    ) -> None:
        self.model, self.tokens, self.others, self.metric = model, tokens, others, metric
        self.plain: PlainTransformer | None = plain_transformer(model)
        self.source: Run = capture(model, others, ("z", "mlp_out"))
        self._known: dict[Parts, float] = {}

    def values(self, circuits: Sequence[Parts]) -> list[float]:
        """F of each circuit."""
        new = [parts for parts in dict.fromkeys(circuits) if parts not in self._known]
        if self.plain is None:
            self._known |= {parts: self._by_hooks(parts) for parts in new}
        elif new:
            with torch.no_grad():
                self._from(0, self.plain.embed(self.tokens), new)
        return [self._known[parts] for parts in circuits]

    def _by_hooks(self, parts: Parts) -> float:
        heads, mlps = heads_of(parts), parts - heads_of(parts)
        logits = circuit_logits(self.model, self.tokens, self.others, heads, mlps)
        return self.metric(logits).mean().item()

    def _from(self, layer: int, stream: Tensor, circuits: list[Parts]) -> None:
        """Run circuits whose members before this layer are the same, from the stream before it."""
        if layer == len(self.plain.blocks):
            logits = self.plain.logits_after(layer - 1, stream, read_position(self.metric))
            self._known[circuits[0]] = measure(self.metric, logits).mean().item()
            return
        here = frozenset([layer, *((layer, head) for head in range(self.plain.n_heads))])
        z = self.plain.complete(layer, {"resid_pre": stream}, until="z")["z"]
        for members in dict.fromkeys(parts & here for parts in circuits):
            alike = [parts for parts in circuits if parts & here == members]
            self._from(layer + 1, self._after(layer, stream, z, members), alike)

    def _after(self, layer: int, stream: Tensor, z: Tensor, members: Parts) -> Tensor:
        """resid_post of a layer in which only some parts compute."""
        silent = [head for head in range(self.plain.n_heads) if (layer, head) not in members]
        z = replace_heads(z, None, source=self.source, heads=silent, name=hook_name("z", layer))
        known = {"resid_pre": stream, "z": z}
        if layer in members:
            return self.plain.complete(layer, known)["resid_post"]
        middle = self.plain.complete(layer, known, until="resid_mid")["resid_mid"]
        return middle + self.source[hook_name("mlp_out", layer)]


def heads_of(parts: Parts) -> frozenset[Head]:
    """The heads among some parts."""
    return frozenset(part for part in parts if isinstance(part, tuple))


class Criteria(NamedTuple):
    """Wang et al.'s three criteria, each as a share of F(M).

    faithful: F(C).
    gaps: |F(C \\ K) - F(M \\ K)| for each K.
    pays: for each member the largest |F(C \\ (K + v)) - F(C \\ K)|, over no K and the given ones.
    whole: F(M) itself.
    """

    faithful: float
    gaps: tuple[float, ...]
    pays: dict[Part, float]
    whole: float

    @property
    def gap(self) -> float:
        """The mean of the gaps: 0 for a complete circuit."""
        return sum(self.gaps) / len(self.gaps) if self.gaps else 0.0


def three_criteria(
    values: Callable[[Sequence[Parts]], list[float]],
    model: Parts,
    circuit: Parts,
    knocked: Sequence[Parts],
    also: Sequence[Parts] = (),
) -> Criteria:
    """How faithful, complete and minimal a circuit is.

    values: F of some sets of parts (`CircuitRuns.values`). model: all parts.
    knocked: the subsets K for completeness (cut to the circuit's members); also: those for minimality, besides
        the empty one.
    """
    knocked = [circuit & k for k in knocked]
    before = [circuit - k for k in (frozenset(), *also)]
    pairs = [(circuit - k, model - k) for k in knocked]
    steps = {v: [(c | {v}, c - {v}) for c in before] for v in circuit}
    every = [c for pair in pairs for c in pair]
    every += [c for each in steps.values() for pair in each for c in pair]
    whole, faithful, *_ = values([model, circuit, *every])

    def apart(one: Parts, other: Parts) -> float:
        first, second = values([one, other])
        return abs(first - second) / abs(whole)

    return Criteria(
        faithful / whole,
        tuple(apart(*pair) for pair in pairs),
        {v: max(apart(*pair) for pair in each) for v, each in steps.items()},
        whole,
    )


def drawn_subsets(circuit: Parts, rng: random.Random, n: int, most: int = 4) -> list[Parts]:
    """Subsets of 1 to `most` members, drawn by lot.

    >>> [sorted(k) for k in drawn_subsets(frozenset({0, 1, 2}), random.Random(1), n=2, most=2)]
    [[2], [1]]
    """
    members = sorted(circuit, key=str)
    most = min(most, len(members))
    return [frozenset(rng.sample(members, rng.randint(1, most))) for _ in range(n)] if most else []
