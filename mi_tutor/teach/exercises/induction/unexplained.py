"""Chapter 03, an investigation: `why-does-1-0-matter`. A head that copies nothing, and that copying cannot do without.

What is true of it was not written down beforehand: it is measured on the rows of each draw. Only which words fit
after one another is known, from the language that made the text.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import torch
from torch import Tensor

from mi_tutor.lab.induction.experiments import second_copy_loss
from mi_tutor.teach.exercises.induction import measuring
from mi_tutor.teach.exercises.induction.measuring import N_BLOCK, number
from mi_tutor.teach.exercises.induction.specimens import specimen
from mi_tutor.teach.exercises.marks import ramp
from mi_tutor.teach.investigation import Findings, Line, Unreadable

LAYER, HEAD = 1, 0
CHANGES = ("zero", "mean", "another row", "running text")
N_ROWS, N_TEXTS = 64, 400
WEIGHTS = {"rise": 0.25, "repair": 0.3, "speaks": 0.3, "against": 0.15}
CLOSE, CLOSE_SHARE = 0.12, 0.15  # a rise is predicted if it is off by this much, or by this share


class Repair(NamedTuple):
    """One change, the same in every row and at every position: a factor, or something added."""

    site: str
    head: int | None
    multiply: float | None
    add: Tensor | None


class Report(NamedTuple):
    """A hypothesis as read."""

    rise: dict[str, float]
    repair: Repair
    speaks: Tensor  # [previous word], bool, BOS included
    against: tuple[int, int]


class Facts(NamedTuple):
    """What a draw's rows say, whatever the hypothesis."""

    tokens: Tensor
    intact: float
    rise: dict[str, float]
    texts: Tensor
    loud: Tensor  # [row]: whether the head writes at the last word
    against: tuple[int, int]


# --- reading --------------------------------------------------------------------------------------


def read(value: Any) -> Report:
    """A report with its four parts; `Unreadable` says which one is missing or odd."""
    if not isinstance(value, dict) or set(value) != set(WEIGHTS):
        seen = (
            f"the keys {sorted(value)}" if isinstance(value, dict) and value else "something else"
        )
        raise Unreadable(
            f"A dictionary with the keys {list(WEIGHTS)} is wanted, and this is {seen}."
        )
    return Report(
        _read_rise(value["rise"]),
        _read_repair(value["repair"]),
        _read_table(value["speaks"]),
        _read_head(value["against"]),
    )


def _read_rise(value: Any) -> dict[str, float]:
    if not isinstance(value, dict) or set(value) != set(CHANGES):
        raise Unreadable(f"`rise` should be a dictionary with the keys {list(CHANGES)}.")
    found = {name: number(value[name]) for name in CHANGES}
    for name, each in found.items():
        if each is None:
            raise Unreadable(f"`rise` for {name!r} should be a number, in nats.")
    return found


def _read_repair(value: Any) -> Repair:
    if not isinstance(value, dict) or not {"site"} < set(value) <= {
        "site",
        "head",
        "multiply",
        "add",
    }:
        raise Unreadable(
            '`repair` should be {"site": a hook, "multiply": number} or "add" with a vector.'
        )
    site, head = value["site"], value.get("head")
    if site not in specimen().hook_dict:
        raise Unreadable(f"The model has no hook named {site!r}.")
    if head is not None and (type(head) is not int or not 0 <= head < specimen().cfg.n_heads):
        raise Unreadable(f"`head` in `repair` should be a head's number, got {head!r}.")
    if ("multiply" in value) == ("add" in value):
        raise Unreadable("`repair` is one change: either multiply or add.")
    if "multiply" in value:
        factor = number(value["multiply"])
        if factor is None:
            raise Unreadable("`multiply` in `repair` should be one number.")
        return Repair(site, head, factor, None)
    vector = torch.as_tensor(value["add"])
    if vector.ndim > 1 or vector.is_complex() or not vector.float().isfinite().all():
        raise Unreadable(
            "`add` in `repair` should be one vector, for every row and position the same."
        )
    return Repair(site, head, None, vector.float())


def _read_table(value: Any) -> Tensor:
    n = specimen().cfg.d_vocab
    table = torch.as_tensor(value)
    if tuple(table.shape) not in {(n, n), (n - 1, n - 1)} or table.is_complex():
        raise Unreadable(
            f"`speaks` should be a table [{n} {n}], previous word by word (or [{n - 1} {n - 1}], without BOS); "
            f"its shape is {list(table.shape)}."
        )
    whole = torch.zeros(n, n, dtype=torch.bool)
    whole[n - len(table) :, n - len(table) :] = table.float() > 0.5
    return whole


def _read_head(value: Any) -> tuple[int, int]:
    pair = tuple(number(each) for each in value) if isinstance(value, list | tuple) else ()
    n = specimen().cfg.n_heads
    if len(pair) != 2 or pair[0] not in (0, 1) or pair[1] not in range(n):
        raise Unreadable("`against` should be one head, as a pair (layer, head).")
    return int(pair[0]), int(pair[1])


# --- the experiment -------------------------------------------------------------------------------


@functools.lru_cache(maxsize=8)
def facts(draw: int) -> Facts:
    """Measure what does not depend on the hypothesis: once per draw."""
    model, tokens = specimen(), measuring.blocks(draw, N_ROWS)
    z = measuring.z_of(model, tokens, LAYER)
    text = measuring.running_text(draw, N_ROWS)
    own = z[:, :, HEAD]
    instead = {
        "zero": torch.zeros(()),
        "mean": own[:, N_BLOCK + 1 :].mean(dim=(0, 1)),
        "another row": own.roll(1, dims=0),
        "running text": measuring.z_of(model, text, LAYER)[:, :, HEAD],
    }
    intact = _second(model, tokens, [])
    rise = {
        name: _second(model, tokens, [measuring.with_z(LAYER, HEAD, value)]) - intact
        for name, value in instead.items()
    }
    texts = measuring.interrupted_text(draw, N_TEXTS).tokens
    size = measuring.written(model, z, LAYER, HEAD)[:, N_BLOCK + 1 :].norm(dim=-1).mean()
    last = measuring.written(model, measuring.z_of(model, texts, LAYER), LAYER, HEAD)[:, -1]
    loud = last.norm(dim=-1) > size / 2
    return Facts(tokens, intact, rise, texts, loud, _opponent(model, tokens, z))


def _second(model: Any, tokens: Tensor, hooks: list[Any]) -> float:
    return float(second_copy_loss(measuring.loss_with(model, tokens, hooks), N_BLOCK))


def _opponent(model: Any, tokens: Tensor, z: Tensor) -> tuple[int, int]:
    """The head whose output on the second copy lies most against this head's."""
    layers = [measuring.z_of(model, tokens, 0), z]
    own = measuring.written(model, z, LAYER, HEAD)
    products = torch.stack(
        [
            torch.stack(
                [
                    (measuring.written(model, layers[i], i, h) * own)[:, N_BLOCK + 1 :]
                    .sum(-1)
                    .mean()
                    for h in range(model.cfg.n_heads)
                ]
            )
            for i in range(2)
        ]
    )
    return divmod(int(products.argmin()), model.cfg.n_heads)


def undone(found: Facts, repair: Repair) -> float:
    """The share of the rise without the head that a repair takes back: 1 all of it, 0 none."""

    def hook(value: Tensor, hook: object) -> Tensor:
        part = value if repair.head is None else value[:, :, repair.head]
        part = part * repair.multiply if repair.add is None else part + repair.add
        if repair.head is None:
            return part
        value = value.clone()
        value[:, :, repair.head] = part
        return value

    zero = measuring.with_z(LAYER, HEAD, torch.zeros(()))
    try:
        left = _second(specimen(), found.tokens, [zero, (repair.site, hook)]) - found.intact
    except (RuntimeError, IndexError):  # a vector or a head that does not fit the site
        return 0.0
    share = 1 - left / found.rise["zero"]
    return min(1.0, max(0.0, share)) if left == left else 0.0


def experiment(report: Report, draw: int) -> Findings:
    """Mark a report on fresh blocks and fresh text."""
    found = facts(draw)
    hits = {name: _close(report.rise[name], found.rise[name]) for name in CHANGES}
    share, single = undone(found, report.repair), report.repair.add is None
    said = report.speaks[found.texts[:, -2], found.texts[:, -1]]
    balanced = _balanced(said, found.loud)
    parts = {
        "rise": sum(hits.values()) / len(hits),
        "repair": ramp(share, 0.5, 0.9) * (1.0 if single else 0.5),
        "speaks": ramp(balanced, 0.5, 0.97),
        "against": float(report.against == found.against),
    }
    size = "one number" if single else "a vector"
    lines = [
        Line(
            f"{name}: you said a rise of {report.rise[name]:.2f} nats, found {found.rise[name]:.2f}",
            hits[name],
        )
        for name in CHANGES
    ]
    lines += [
        Line(
            f"repair with {size}: takes back {share:.0%} of the rise (wanted: 90 %, with one number)",
            single and share >= 0.9,
        ),
        Line(
            f"when it begins to write: right for {balanced:.0%} of last words (chance: 50 %)",
            balanced >= 0.97,
        ),
        Line(
            f"against: head {report.against[0]}.{report.against[1]}",
            report.against == found.against,
        ),
    ]
    score = sum(WEIGHTS[name] * part for name, part in parts.items())
    return Findings(score, tuple(lines), figure=functools.partial(_figure, report, found))


def _close(said: float, found: float) -> bool:
    return abs(said - found) <= max(CLOSE, CLOSE_SHARE * abs(found))


def _balanced(said: Tensor, found: Tensor) -> float:
    """The mean of how often a loud and how often a silent word is recognised: 0.5 for a constant."""
    recalls = [(said[found == kind] == kind).float().mean() for kind in (True, False)]
    return float(sum(recalls) / 2)


def _figure(report: Report, found: Facts) -> Any:
    from mi_tutor.show import scatter

    return scatter(
        [report.rise[name] for name in CHANGES],
        [found.rise[name] for name in CHANGES],
        title="Head 1.0 replaced: what you said and what was found",
        x_title="predicted rise of the loss (nats)",
        y_title="measured rise (nats)",
        groups=CHANGES,
        diagonal=True,
    )
