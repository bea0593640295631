"""Chapter 03, an investigation: `roles`. Which head does what in models from seeds that the chapter has not shown?

Nobody wrote the roles down: each draw measures them on fresh blocks and fresh running text.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import torch
from torch import Tensor

from mi_tutor.lab.induction.experiments import second_copy_loss
from mi_tutor.lab.induction.heads import head_scores
from mi_tutor.specimens.induction.siblings import SIBLINGS
from mi_tutor.teach.exercises.induction import measuring
from mi_tutor.teach.exercises.induction.measuring import N_BLOCK, number
from mi_tutor.teach.exercises.induction.specimens import specimen
from mi_tutor.teach.investigation import (
    Findings,
    Investigation,
    Levels,
    Line,
    Unreadable,
    Worked,
    WrongHypothesis,
)

MODELS = tuple(SIBLINGS)
ROLES = ("previous", "induction", "confidence", "text", "idle")
HEADS = tuple(f"{layer}.{head}" for layer in range(2) for head in range(4))
N_ROWS, N_TEXTS = 48, 200
MATTERS = 0.1  # nats
CLOSE, CLOSE_SHARE = 0.15, 0.2


class Head(NamedTuple):
    """What is said of one head, or found: its role, and the rise of the loss on the second copy.

    zero: with its output set to zero. other: with what it wrote in another row.
    """

    role: str
    zero: float
    other: float


Answer = dict[str, dict[str, Head]]


def read(value: Any) -> Answer:
    """Every head of every model; `Unreadable` says the first thing that is missing or odd."""
    if not isinstance(value, dict) or set(value) != set(MODELS):
        raise Unreadable(f"A dictionary with the keys {list(MODELS)} is wanted.")
    return {name: _read_model(name, value[name]) for name in MODELS}


def _read_model(name: str, heads: Any) -> dict[str, Head]:
    if not isinstance(heads, dict):
        raise Unreadable(f"{name}: a dictionary from head to (role, zero, another row) is wanted.")
    plain = {key.strip("() ").replace(", ", "."): entry for key, entry in heads.items()}
    if set(plain) != set(HEADS):
        missing = sorted(set(HEADS) - set(plain)) or sorted(set(plain) - set(HEADS))
        raise Unreadable(f'{name}: its heads are "0.0" to "1.3"; look at {", ".join(missing[:3])}.')
    return {key: _read_head(f"{name}, head {key}", plain[key]) for key in HEADS}


def _read_head(where: str, entry: Any) -> Head:
    if not isinstance(entry, list | tuple) or len(entry) != 3:
        raise Unreadable(f"{where}: three things are wanted, (role, zero, another row).")
    role = entry[0].strip().lower() if isinstance(entry[0], str) else entry[0]
    if role not in ROLES:
        raise Unreadable(f"{where}: the role should be one of {', '.join(ROLES)}.")
    numbers = [number(each) for each in entry[1:]]
    if None in numbers:
        raise Unreadable(f"{where}: the two rises should be numbers, in nats.")
    return Head(role, *numbers)


# --- the experiment -------------------------------------------------------------------------------


@functools.lru_cache(maxsize=8)
def found_in(draw: int) -> Answer:
    """The roles and effects on one draw's rows: once per draw, whatever the hypothesis."""
    return {name: _measure(specimen(name), 3 * draw + i) for i, name in enumerate(MODELS)}


def _measure(model: Any, draw: int) -> dict[str, Head]:
    tokens, text = measuring.blocks(draw, N_ROWS), measuring.running_text(draw, N_ROWS)
    cut = measuring.interrupted_text(draw, N_TEXTS)
    scores = head_scores(model, tokens, N_BLOCK)
    copying, reading = _second(model, tokens, []), _reading(model, text, [])
    heads = {}
    for layer in range(2):
        z, z_cut = (measuring.z_of(model, rows, layer) for rows in (tokens, cut.tokens))
        for head in range(4):
            zeroed = measuring.with_z(layer, head, torch.zeros(()))
            other = measuring.with_z(layer, head, z[:, :, head].roll(1, dims=0))
            last = measuring.written(model, z_cut, layer, head)[:, -1].norm(dim=-1)
            loud = last[~cut.fits].mean() / last[cut.fits].mean()
            role = _role(
                float(scores.previous[layer, head]),
                float(scores.induction[layer, head]),
                loudness=float(loud),
                text=_reading(model, text, [zeroed]) - reading,
            )
            heads[f"{layer}.{head}"] = Head(
                role,
                _second(model, tokens, [zeroed]) - copying,
                _second(model, tokens, [other]) - copying,
            )
    return heads


def _role(previous: float, induction: float, *, loudness: float, text: float) -> str:
    if previous > 0.5:
        return "previous"
    if induction > 0.5:
        return "induction"
    if loudness > 5:
        return "confidence"
    return "text" if text > MATTERS else "idle"


def _second(model: Any, tokens: Tensor, hooks: list[Any]) -> float:
    return float(second_copy_loss(measuring.loss_with(model, tokens, hooks), N_BLOCK))


def _reading(model: Any, text: Tensor, hooks: list[Any]) -> float:
    return float(measuring.loss_with(model, text, hooks)[:, 1:].mean())


def experiment(said: Answer, draw: int) -> Findings:
    """Mark roles and effects on fresh rows."""
    found = found_in(draw)
    pairs = [(said[name][key], found[name][key]) for name in MODELS for key in HEADS]
    roles = [
        torch.tensor([one.role == true.role for one, true in pairs if true.role == role]).float()
        for role in ROLES
    ]
    recall = float(torch.stack([hits.mean() for hits in roles if len(hits)]).mean())
    zero, other = (_numbers(pairs, which) for which in ("zero", "other"))
    score = 0.5 * _above(recall, 0.6) + 0.2 * _above(zero, 0.5) + 0.3 * _above(other, 0.5)
    lines = [
        Line(f"{role}: {int(hits.sum())} of {len(hits)} found", bool(hits.all()))
        for role, hits in zip(ROLES, roles, strict=True)
        if len(hits)
    ]
    wrong = [one for one, true in pairs if one.role != true.role]
    lines += [
        Line(f"{len(wrong)} of {len(pairs)} heads have another role than you say", not wrong),
        Line(f"rises with zero in its place: right for {zero:.0%} (chance: 50 %)", zero > 0.9),
        Line(f"rises with another row's: right for {other:.0%} (chance: 50 %)", other > 0.9),
    ]
    return Findings(score, tuple(lines), figure=functools.partial(_figure, pairs))


def _numbers(pairs: list[tuple[Head, Head]], which: str) -> float:
    """The share of rises predicted well enough, the mean of those that matter and those that do not."""
    close: dict[bool, list[bool]] = {True: [], False: []}
    for one, true in pairs:
        a, b = getattr(one, which), getattr(true, which)
        close[b > MATTERS].append(abs(a - b) <= max(CLOSE, CLOSE_SHARE * abs(b)))
    return sum(sum(hits) / len(hits) for hits in close.values()) / 2


def _above(share: float, nothing: float) -> float:
    return max(0.0, (share - nothing) / (1 - nothing))


def _figure(pairs: list[tuple[Head, Head]]) -> Any:
    from mi_tutor.show import scatter

    n = len(pairs)
    labels = [f"{name} head {key}" for name in MODELS for key in HEADS]
    return scatter(
        [one.zero for one, _ in pairs] + [one.other for one, _ in pairs],
        [true.zero for _, true in pairs] + [true.other for _, true in pairs],
        title="What each head is worth: said and found",
        x_title="predicted rise of the loss (nats)",
        y_title="measured rise (nats)",
        groups=["zero"] * n + ["another row's"] * n,
        labels=labels * 2,
        diagonal=True,
    )


# --- answers --------------------------------------------------------------------------------------


def _as_handed_in(heads: Any) -> dict[str, Any]:
    return {
        name: {
            key: tuple(heads(found)) for key, found in found_in(measuring.OWN_DRAW)[name].items()
        }
        for name in MODELS
    }


def our_answer() -> dict[str, Any]:
    """Measured on rows of our own, to two decimals."""
    return _as_handed_in(lambda head: (head.role, round(head.zero, 2), round(head.other, 2)))


def _roles_only() -> dict[str, Any]:
    """All roles, and for both rises what zero does to the loss."""
    return _as_handed_in(lambda head: (head.role, head.zero, head.zero))


def _by_scores() -> dict[str, Any]:
    """Roles by where heads look; what looks nowhere known is idle, whatever it costs."""

    def entry(head: Head) -> tuple[Any, ...]:
        known = head.role in ("previous", "induction")
        return (head.role if known else "idle", head.zero, head.zero)

    return _as_handed_in(entry)


def _needed_is_induction() -> dict[str, Any]:
    """Whatever copying cannot do without in layer 1 is an induction head; the rest of layer 0 reads text."""

    def entry(head: Head) -> tuple[Any, ...]:
        needed = head.zero > MATTERS
        role = head.role if head.role == "previous" else "induction" if needed else "text"
        return (role, head.zero, head.zero)

    return _as_handed_in(entry)


def _quiet(said: Answer, role: str) -> bool:
    return not any(head.role == role for heads in said.values() for head in heads.values())


def _many(said: Answer) -> bool:
    n = sum(head.role == "induction" for heads in said.values() for head in heads.values())
    return n > 2.5 * len(MODELS) or _quiet(said, "confidence")


ROLES_OF_HEADS = Investigation(
    slug="roles",
    title="The role of every head",
    chapter="03",
    points=6,
    minutes=35,
    difficulty=4,
    objective="Give every head of three models that you have not seen a role, and say what taking it out does.",
    question="What is each head of three models from other seeds for?",
    form='a dictionary {"induction-2l-b": {"0.0": (role, zero, another row), ... "1.3": ...}, ...} for three models',
    read=read,
    experiment=experiment,
    levels=Levels(passed=0.6, good=0.8, excellent=0.95),
    styles=(
        Worked(name="our answer", hypothesis=our_answer, level="excellent"),
        Worked(name="roles, and zero for both", hypothesis=_roles_only, level="passed"),
    ),
    mistakes=(
        WrongHypothesis(
            name="where they look is what they do",
            example=_by_scores,
            fits=lambda said, findings: _quiet(said, "confidence") and _quiet(said, "text"),
            sentence="You give roles by where heads look, and call the others idle. Take some of the idle ones out, on blocks "
            "and on running text, and look at both losses.",
        ),
        WrongHypothesis(
            name="what costs, copies",
            example=_needed_is_induction,
            fits=lambda said, findings: _many(said),
            sentence="You call heads induction heads because copying suffers without them. Some of them do not look where "
            "induction looks, and what they write could come from any other row. Which kind was that?",
        ),
    ),
    hints=(
        "Write one function that takes a model and returns a row per head: two scores, the rise on blocks with zero and with another "
        "row's output, and the rise on running text. Then read the table, three times.",
        "A head that costs much when it is zeroed and nothing when it gets another row's output tells something that is true of "
        "ALL such rows. You have met one. Does it stay silent in running text?",
        "Role by role: previous and induction by their patterns; confidence by how long its output is before and after a word that does not "
        "fit; text by the loss on running text; idle is what is left.",
    ),
)
