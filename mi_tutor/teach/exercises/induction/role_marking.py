"""Reading and marking what chapter 03's `roles` is handed: by `role_measures`, on fresh rows, and by models not yet trained (`unborn`)."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from torch import Tensor

from mi_tutor.teach.exercises import forecasts
from mi_tutor.teach.exercises.induction import unborn
from mi_tutor.teach.exercises.induction.measuring import number
from mi_tutor.teach.exercises.induction.role_measures import (
    HEADS,
    MATTERS,
    MODELS,
    PAIRS,
    ROLES,
    Head,
    Model,
    found_in,
)
from mi_tutor.teach.exercises.marks import ramp
from mi_tutor.teach.exercises.reading_hypotheses import entries
from mi_tutor.teach.investigation import (
    Findings,
    Line,
    Unreadable,
)

CLOSE, CLOSE_SHARE = 0.15, 0.2
ADDS = 0.3  # nats, by which a pair may differ from the sum of its two heads and still add up
NEARLY = 0.3  # nats, by which two heads may copy worse than the best two and still be right
WEIGHTS = {"roles": 0.1, "zero": 0.03, "other": 0.07, "without": 0.2, "only": 0.2, "forecasts": 0.4}
FORECASTS = "forecasts"
LEAST = (
    0.6  # of what the forecasts can get over base rates: one bold one may be wrong, and hardly two
)
UNTRAINED = tuple(unborn.SETTINGS)

Models = dict[str, Model]


class Answer(NamedTuple):
    """What is said of the three models, and of those that are not yet trained: [setting rule] of probabilities."""

    models: Models
    forecasts: Tensor


def read(value: Any) -> Answer:
    """Every head and pair of every model, and the forecasts; `Unreadable` says the first thing that is missing or odd."""
    keys = [*MODELS, FORECASTS]
    if not isinstance(value, dict) or set(value) != set(keys):
        raise Unreadable(f"A dictionary with the keys {keys} is wanted.")
    models = {name: _read_model(name, value[name]) for name in MODELS}
    return Answer(models, forecasts.read_forecasts(value[FORECASTS], UNTRAINED, unborn.RULES))


def _read_model(name: str, value: Any) -> Model:
    try:
        parts = entries(value, ("heads", "without", "only"))
    except Unreadable as error:
        raise Unreadable(f"{name}: {error}") from None
    given = _by_head(f"{name}, heads", parts["heads"])
    heads = {key: _read_head(f"{name}, head {key}", given[key]) for key in HEADS}
    sums = {pair: sum(heads[head].zero for head in pair) for pair in PAIRS}
    without = sums | _read_pairs(name, parts["without"])
    return Model(heads, without, _read_only(name, parts["only"]))


def _by_head(where: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Unreadable(f"{where}: a dictionary from head to (role, zero, another row) is wanted.")
    found = {_head(key): entry for key, entry in value.items()}
    if set(found) != set(HEADS):
        missing = sorted(set(HEADS) - set(found)) or sorted(set(found) - set(HEADS))
        raise Unreadable(f'{where}: they are "0.0" to "1.3"; look at {", ".join(missing[:3])}.')
    return found


def _head(key: Any) -> str:
    """A head as "1.0", (1, 0) or "(1, 0)"."""
    return ".".join(re.findall(r"\d+", str(key)))


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


def _pair(key: Any) -> tuple[str, str]:
    """Two heads as ("0.1", "1.0"), as text or as numbers, in either order."""
    numbers = re.findall(r"\d+", str(key)[:100])
    found = tuple(sorted(".".join(two) for two in zip(numbers[::2], numbers[1::2], strict=False)))
    if found not in PAIRS or len(numbers) != 4:
        raise Unreadable(f'{str(key)[:40]!r} is not a pair of heads such as ("0.1", "1.0").')
    return found


def _read_pairs(name: str, value: Any) -> dict[tuple[str, str], float]:
    if not isinstance(value, dict) or len(value) > 2 * len(PAIRS):
        raise Unreadable(f"{name}: `without` should be a dictionary from pair to rise.")
    found = {_pair(key): number(each) for key, each in value.items()}
    for pair, rise in found.items():
        if rise is None:
            raise Unreadable(f"{name}: `without` has no number for the heads {' and '.join(pair)}.")
    return found


def _read_only(name: str, value: Any) -> dict[tuple[str, str], float]:
    if not isinstance(value, list | tuple) or len(value) != 3:
        raise Unreadable(f'{name}: `only` should be two heads and a rise, ("0.1", "1.0", rise).')
    rise = number(value[2])
    if rise is None:
        raise Unreadable(f"{name}: the rise in `only` should be a number, in nats.")
    return {_pair(tuple(value[:2])): rise}


# --- marking --------------------------------------------------------------------------------------


def experiment(said: Answer, draw: int) -> Findings:
    """Mark roles, rises, pairs and the last two heads on fresh rows, and the forecasts on models trained now."""
    found, learned = found_in(draw), unborn.learned(draw)
    parts, lines, n_right = _of_the_three(said.models, found)
    marked = forecasts.mark(said.forecasts, learned)
    parts[FORECASTS] = marked.skill
    lines += forecasts.lines(said.forecasts, learned, UNTRAINED, unborn.RULES, LEAST)
    score = sum(WEIGHTS[name] * part for name, part in parts.items())
    figure = functools.partial(_figure, said.models, found) if parts["without"] > 0 else None
    facts = {"only": n_right, "skill": marked.skill}
    sure = n_right >= 2 and marked.skill >= LEAST
    return Findings(score, tuple(lines), figure, sure=sure, facts=facts)


def _of_the_three(said: Models, found: Models) -> tuple[dict[str, float], list[Line], int]:
    """The marks of what was measured, by part, in words, and in how many models the last two heads are right."""
    heads = [(said[name].heads[key], found[name].heads[key]) for name in MODELS for key in HEADS]
    by_role = {
        role: [one.role == true.role for one, true in heads if true.role == role] for role in ROLES
    }
    recall = _mean(_mean(hits) for hits in by_role.values() if hits)
    zero, other = (_singles(heads, which) for which in ("zero", "other"))
    not_sums, sums = _pairs(said, found)
    rises = [(*best_two(said[name], found[name]), name) for name in MODELS]
    parts = {
        "roles": ramp(recall, 0.6, 1.0),
        "zero": ramp(zero, 0.5, 1.0),
        "other": ramp(other, 0.5, 1.0),
        "without": ramp((not_sums + sums) / 2, 0.5, 1.0),
        "only": _mean(0.5 * two + 0.5 * (two and near) for two, near, _, _ in rises),
    }
    lines = [
        Line(f"{role}: {sum(hits)} of {len(hits)} found", all(hits))
        for role, hits in by_role.items()
        if hits
    ]
    lines += [
        Line(f"one head, zero: right for {zero:.0%} (chance: 50 %)", zero > 0.9),
        Line(f"one head, another row's: right for {other:.0%} (chance: 50 %)", other > 0.9),
        Line(f"two heads that do not add up: right for {not_sums:.0%}", not_sums > 0.9),
        Line(f"two heads that add up: right for {sums:.0%}", sums > 0.9),
    ]
    lines += [Line(f"{name}: {text}", two and near) for two, near, text, name in rises]
    return parts, lines, sum(two for two, *_ in rises)


def _mean(shares: Iterable[float]) -> float:
    values = list(shares)
    return sum(values) / len(values)


def _close(said: float, found: float) -> bool:
    return abs(said - found) <= max(CLOSE, CLOSE_SHARE * abs(found))


def _singles(heads: list[tuple[Head, Head]], which: str) -> float:
    """The share of rises predicted well enough, the mean of those that matter and those that do not."""
    close: dict[bool, list[bool]] = {True: [], False: []}
    for one, true in heads:
        a, b = getattr(one, which), getattr(true, which)
        close[b > MATTERS].append(_close(a, b))
    return _mean(_mean(hits) for hits in close.values())


def _pairs(said: Models, found: Models) -> tuple[float, float]:
    """The share of pairs predicted well enough: of those that do not add up, and of those that do."""
    close: dict[bool, list[bool]] = {True: [], False: []}
    for name in MODELS:
        true = found[name]
        for pair in PAIRS:
            alone = sum(true.heads[head].zero for head in pair)
            adds = abs(true.without[pair] - alone) <= ADDS
            close[adds].append(_close(said[name].without[pair], true.without[pair]))
    return _mean(close[False]), _mean(close[True])


def best_two(said: Model, found: Model) -> tuple[bool, bool, str]:
    """Whether two heads left alone copy as well as the best two do, whether the rise is right, and in words."""
    ((pair, rise),) = said.only.items()
    true = found.only[pair]
    right, near = true <= min(found.only.values()) + NEARLY, _close(rise, true)
    text = f"only {' and '.join(pair)}: " + (
        "as good as the best two" if right else "two others copy better"
    )
    return right, near, text + f"; the rise of {rise:.2f} is {'right' if near else 'not theirs'}"


def _figure(said: Models, found: Models) -> Any:
    from mi_tutor.show import scatter

    # What came true: the other pairs are for the learner to measure.
    close = [
        (name, pair)
        for name in MODELS
        for pair in PAIRS
        if _close(said[name].without[pair], found[name].without[pair])
    ]
    both = [
        (said[name].without[pair], found[name].without[pair], f"{name}: {' and '.join(pair)}")
        for name, pair in close
    ]
    sums = [sum(found[name].heads[head].zero for head in pair) for name, pair in close]
    # The learner's last: they lie close together on the diagonal, and would be hidden there.
    return scatter(
        sums + [one for one, _, _ in both],
        [true for _, true, _ in both] * 2,
        title="What two heads are worth together",
        x_title="predicted rise of the loss (nats)",
        y_title="measured rise without both (nats)",
        groups=["the sum of the two alone"] * len(both) + ["you said"] * len(both),
        labels=[label for *_, label in both] * 2,
        diagonal=True,
    )
