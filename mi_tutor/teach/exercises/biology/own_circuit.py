"""Chapter 08, `a-circuit-of-your-own`: parts exchanged between two prompts, all the others exchanged, and what was predicted."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from mi_tutor.lab.biology import exchanged, part_names
from mi_tutor.specimens.biology.phenomena import PHENOMENA, Pairs, pairs_of, reads_sums, sums_of
from mi_tutor.teach.exercises.marks import ramp
from mi_tutor.teach.exercises.reading_hypotheses import entries, head, listed, share
from mi_tutor.teach.exercises.swaps.atlas import plain_atlas
from mi_tutor.teach.investigation import Findings, Line, Unreadable

N_PAIRS, FIRST_SEED = 100, 1_000_000  # of a draw: seeds that nobody has by chance
MOST = 7  # parts of a circuit
CLOSE, FAR = 0.1, 0.3  # errors of predictions that count in full, and not at all
FAITHFUL = 0.5  # of the score
# By phenomenon: faithfulness from which a circuit passes, and of the best that we know.
LEAST = {"fetcher": 0.6, "mention": 0.6, "sums": 0.6}
BEST = {"fetcher": 0.75, "mention": 0.85, "sums": 0.75}
SAYS = ("follows", "stays")
# What the circuit has to be faithful on; of the others only predictions are asked.
CORE = {
    "fetcher": ("two hops", "people", "deed", "story"),
    "mention": ("hated", "liked"),
    "sums": ("first", "second", "both"),
}
Shares = dict[tuple[str, str], float]


class Circuit(NamedTuple):
    """A phenomenon, the parts that are said to carry it, and what should happen: (condition, "follows" or "stays")."""

    phenomenon: str
    parts: tuple[str, ...]
    predicted: Shares


@functools.cache
def parts_of_atlas() -> tuple[str, ...]:
    """The 20 parts that are exchanged. Layer 0, which mostly says which word stands where, always reacts."""
    every = part_names(plain_atlas())
    return tuple(part for part in every if part[0] != "0" and part != "mlp0")


def read_circuit(value: Any) -> Circuit:
    found = entries(value, ["phenomenon", "circuit", *SAYS])
    name = str(found["phenomenon"]).strip().lower()
    if name not in PHENOMENA:
        raise Unreadable(f"“phenomenon” is one of {', '.join(PHENOMENA)}; this is “{name:.30}”.")
    parts = tuple(dict.fromkeys(_part(each) for each in listed(found["circuit"], "circuit")))
    if not 1 <= len(parts) <= MOST:
        raise Unreadable(f"A circuit has one to {MOST} parts; this one has {len(parts)}.")
    predicted = {
        (condition, says): share(each, f"{says}, {condition}")
        for says in SAYS
        for condition, each in entries(found[says], [*PHENOMENA[name]]).items()
    }
    return Circuit(name, parts, predicted)


def _part(value: Any) -> str:
    """A part's name: "mlp1", "2.3", or (2, 3)."""
    n_layers = len(plain_atlas().blocks)
    if isinstance(value, str) and value.strip().lower() in parts_of_atlas():
        return value.strip().lower()
    if isinstance(value, str) and value.strip().lower().startswith("mlp"):
        raise Unreadable(f"MLPs are “mlp1” to “mlp{n_layers - 1}”; this is “{value:.20}”.")
    layer, number = head(value, "a part of “circuit”", n_layers, plain_atlas().n_heads)
    if layer == 0:
        raise Unreadable(
            "Layer 0 always reacts, so it is no part of a circuit here: take layers 1 to 4."
        )
    return f"{layer}.{number}"


# --- the experiment -------------------------------------------------------------------------------


@functools.lru_cache(maxsize=64)
def _pairs(phenomenon: str, condition: str, seed: int) -> Pairs:
    return pairs_of(phenomenon, condition, seed, N_PAIRS)


@torch.no_grad()
def shares_of(phenomenon: str, parts: tuple[str, ...], seed: int) -> Shares:
    """What happens on the pairs of a seed, for every condition."""
    rest = tuple(part for part in parts_of_atlas() if part not in parts)
    found: Shares = {}
    for condition in PHENOMENA[phenomenon]:
        pairs = _pairs(phenomenon, condition, seed)
        judge = _by_line(pairs) if phenomenon == "sums" else _by_word(pairs)
        found[condition, "follows"] = judge(exchanged(plain_atlas(), *pairs, parts), True)
        found[condition, "stays"] = judge(exchanged(plain_atlas(), *pairs, rest), False)
    return found


Judge = Callable[[Tensor, bool], float]


def _by_word(pairs: Pairs) -> Judge:
    """The share of pairs with different answers whose most likely token is the other one's, or still the own."""
    nothing = exchanged(plain_atlas(), *pairs, ())
    own, other = _said(nothing), _said(exchanged(plain_atlas(), pairs.others, pairs.tokens, ()))
    asked = own != other

    def judge(x: Tensor, follows: bool) -> float:
        return (_said(x) == (other if follows else own))[asked].float().mean().item()

    return judge


def _by_line(pairs: Pairs) -> Judge:
    """The share of pairs in which the sum that a line reads is nearer to the other one's, or to the own."""
    own, other = sums_of(pairs.tokens), sums_of(pairs.others)
    asked = (own - other).abs() >= 4

    def judge(x: Tensor, follows: bool) -> float:
        read = reads_sums(plain_atlas())(x)
        nearer = (read - other).abs() < (read - own).abs()
        return (nearer == follows)[asked].float().mean().item()

    return judge


def _said(x: Tensor) -> Tensor:
    plain = plain_atlas()
    return plain.logits_after(len(plain.blocks) - 1, x[:, None], read=-1)[:, 0].argmax(dim=-1)


def experiment(circuit: Circuit, draw: int) -> Findings:
    """Exchange the circuit, and all that it leaves out, on fresh pairs."""
    name = circuit.phenomenon
    found = shares_of(name, circuit.parts, FIRST_SEED + draw)
    means = {says: sum(found[c, says] for c in CORE[name]) / len(CORE[name]) for says in SAYS}
    faithful = sum(min(found[c, says] for says in SAYS) for c in CORE[name]) / len(CORE[name])
    errors = {key: abs(circuit.predicted[key] - value) for key, value in found.items()}
    close = [key for key, error in errors.items() if error <= CLOSE]
    marks = sum(ramp(error, FAR, CLOSE) for error in errors.values()) / len(errors)
    enough = faithful >= LEAST[name]
    score = FAITHFUL * ramp(faithful, 0.0, BEST[name]) + (1 - FAITHFUL) * marks * enough
    lines = [
        Line(
            "the circuit exchanged: the answer follows in most pairs",
            means["follows"] >= LEAST[name],
        ),
        Line("all else exchanged: the answer stays in most pairs", means["stays"] >= LEAST[name]),
        Line(f"both at once, on average: {LEAST[name]:.2f} or more", enough),
    ]
    if enough:
        lines.append(
            Line(
                f"{len(close)} of {len(found)} predictions are right to {CLOSE}",
                5 * len(close) >= 4 * len(found),
            )
        )
    facts: Mapping[str, Any] = {
        **means,
        "faithful": faithful,
        "close": len(close) / len(found),
        "enough": enough,
    }
    sure = enough and 5 * len(close) >= 4 * len(found)
    came_true = {key: found[key] for key in close} if enough else {}
    return Findings(score, tuple(lines), _figure(circuit.predicted, came_true), sure, facts)


def _figure(predicted: Shares, found: Shares) -> Callable[[], Any] | None:
    """Of the shares that came true; the others are for the learner to measure."""
    from mi_tutor.show import predictions

    if not found:
        return None
    return lambda: predictions(
        [f"{condition}: {says}" for condition, says in found],
        [predicted[key] for key in found],
        list(found.values()),
        title="A circuit exchanged, and all but the circuit",
        value_title="share of pairs",
    )
