"""Chapter 03, an investigation: `why-does-1-0-matter`. A head that copies nothing, and that copying cannot do without.

What is true of it was not written down beforehand: it is measured on the rows of each draw. Only which words fit
after one another is known, from the language that made the text.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from mi_tutor.lab.induction.experiments import second_copy_loss
from mi_tutor.teach.exercises.induction import measuring
from mi_tutor.teach.exercises.induction.measuring import N_BLOCK, number
from mi_tutor.teach.exercises.induction.specimens import specimen
from mi_tutor.teach.exercises.marks import ramp
from mi_tutor.teach.investigation import Findings, Line, Unreadable

LAYER, HEAD, PARTNER = 1, 0, 1
CHANGES = ("zero", "mean", "another row", "running text", "zero, 1.1 silent")
N_ROWS, N_TEXTS = 64, 400
WEIGHTS = {"rise": 0.25, "through": 0.35, "speaks": 0.3, "against": 0.1}
WIDE = 0.25  # of the mark for a site that carries more than one number at each position
CLOSE, CLOSE_SHARE = 0.12, 0.15  # a rise is predicted if it is off by this much, or by this share


class Through(NamedTuple):
    """A place in the model, or one head's part of it."""

    site: str
    head: int | None


class Report(NamedTuple):
    """A hypothesis as read."""

    rise: dict[str, float]
    through: Through
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
        _read_through(value["through"]),
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


def _read_through(value: Any) -> Through:
    value = {"site": value} if isinstance(value, str) else value
    if not isinstance(value, dict) or not {"site"} <= set(value) <= {"site", "head"}:
        raise Unreadable(
            '`through` should be {"site": a hook}, with a "head" if only one is meant.'
        )
    site, head = value["site"], value.get("head")
    if site not in specimen().hook_dict:
        raise Unreadable(f"The model has no hook named {site!r}.")
    if head is not None and (type(head) is not int or not 0 <= head < specimen().cfg.n_heads):
        raise Unreadable(f"`head` in `through` should be a head's number, got {head!r}.")
    return Through(site, head)


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
    zero, partner = (measuring.with_z(LAYER, head, torch.zeros(())) for head in (HEAD, PARTNER))
    both, one = _second(model, tokens, [zero, partner]), _second(model, tokens, [partner])
    rise["zero, 1.1 silent"] = both - one
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


class Carried(NamedTuple):
    """What a site carries of the rise, and how many numbers it has at each position.

    back: the share that is taken back when the site keeps its value while the head is set to zero. brought: the share
    that comes when the site alone gets the value that it has without the head.
    """

    back: float
    brought: float
    width: int

    @property
    def mark(self) -> float:
        """Both ways, up to 90 %; a site of more than one number counts a quarter."""
        return ramp(min(self.back, self.brought), 0.5, 0.9) * (1.0 if self.width == 1 else WIDE)


def carried(found: Facts, through: Through) -> Carried:
    """Hold a site, and change it alone."""
    site, head = through
    zero = measuring.with_z(LAYER, HEAD, torch.zeros(()))
    values = [_value(found.tokens, site, hooks) for hooks in ([], [zero])]
    if any(value is None for value in values) or (
        head is not None and (values[0].ndim != 4 or values[0].shape[2] <= head)
    ):
        return Carried(0.0, 0.0, 0)
    shape = values[0].shape[2:] if head is None else values[0].shape[3:]

    def put(value: Tensor) -> tuple[str, Any]:
        def hook(here: Tensor, hook: object) -> Tensor:
            if head is None:
                return value
            here = here.clone()
            here[:, :, head] = value[:, :, head]
            return here

        return site, hook

    rise = found.rise["zero"]
    left = _second(specimen(), found.tokens, [zero, put(values[0])]) - found.intact
    came = _second(specimen(), found.tokens, [put(values[1])]) - found.intact
    return Carried(_share(1 - left / rise), _share(came / rise), math.prod(shape))


def _value(tokens: Tensor, site: str, hooks: list[Any]) -> Tensor | None:
    """What is at a site, by row and position; None where a hook sees something else."""
    with torch.no_grad(), specimen().hooks(fwd_hooks=hooks):
        cache = specimen().run_with_cache(tokens, names_filter=site)[1]
    value = cache[site] if site in cache else None  # noqa: SIM401 (a cache has no `get`)
    fits = isinstance(value, Tensor) and value.ndim >= 3 and value.shape[:2] == tokens.shape
    return value if fits else None


def _share(value: float) -> float:
    return min(1.0, max(0.0, value)) if value == value else 0.0


def experiment(report: Report, draw: int) -> Findings:
    """Mark a report on fresh blocks and fresh text."""
    found = facts(draw)
    hits = {name: _close(report.rise[name], found.rise[name]) for name in CHANGES}
    way = carried(found, report.through)
    said = report.speaks[found.texts[:, -2], found.texts[:, -1]]
    balanced = _balanced(said, found.loud)
    parts = {
        "rise": sum(hits.values()) / len(hits),
        "through": way.mark,
        "speaks": ramp(balanced, 0.5, 0.97),
        "against": float(report.against == found.against),
    }
    lines = [
        Line(
            f"{name}: a rise of {report.rise[name]:.2f} nats is right within {CLOSE} nats or {CLOSE_SHARE:.0%}",
            hits[name],
        )
        for name in CHANGES
    ]
    lines += [
        Line(
            f"through {report.through.site}: held, it takes back {way.back:.0%} of the rise; changed alone, it brings "
            f"{way.brought:.0%} (wanted: 90 % of both); numbers at each position: {way.width}",
            way.mark == 1,
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
    # The figure has what came true: the other rises are for the learner to measure.
    near = [name for name in CHANGES if hits[name]]
    figure = functools.partial(_figure, report, found, near) if near else None
    sure = way.mark >= 0.5  # who has not found the way has not found out why
    return Findings(score, tuple(lines), figure, sure, {"through": way})


def _close(said: float, found: float) -> bool:
    return abs(said - found) <= max(CLOSE, CLOSE_SHARE * abs(found))


def _balanced(said: Tensor, found: Tensor) -> float:
    """The mean of how often a loud and how often a silent word is recognised: 0.5 for a constant."""
    recalls = [(said[found == kind] == kind).float().mean() for kind in (True, False)]
    return float(sum(recalls) / 2)


def _figure(report: Report, found: Facts, names: Sequence[str]) -> Any:
    from mi_tutor.show import predictions

    return predictions(
        names,
        [report.rise[name] for name in names],
        [found.rise[name] for name in names],
        title="Head 1.0 replaced: what you said and what was found",
        value_title="rise of the loss (nats)",
    )
