"""Chapter 05, `one-vector`: swaps where two explanations part, and where they do not."""

from __future__ import annotations

import functools
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from mi_tutor.lab.swaps import means_at, swap_batches
from mi_tutor.specimens.atlas.prompts import swap_questions, tokenizer
from mi_tutor.teach.exercises.marks import ramp
from mi_tutor.teach.exercises.reading_hypotheses import entries, listed, share, whole
from mi_tutor.teach.exercises.swaps.atlas import geography, plain_atlas, questions_about
from mi_tutor.teach.investigation import Findings, Line, Unreadable
from mi_tutor.world.geography import Question

LAYER = 2
LANGUAGES = ("french", "spanish")
MOST = 200  # questions of a set that a draw tries
CLOSE, FAR = 0.05, 0.16  # errors of predictions that count in full, and not at all
GROUPS = (*LANGUAGES, "alike", "there")
# What each claim is, given what these swaps show.
SAYS = {
    "a": "against",  # one vector per name, nothing in common: English directions work in the test
    "b": "against",  # one per piece: they work in the strict part, too
    "c": "against",  # the very same vector: the language's own work better
    "d": "against",  # all that is lost against the control is lost since the directions are English: the own lose, too
    "e": "open",  # training side by side is the cause: no other training was tried
    "f": "open",  # the states: almost all names are alike
}
WORDS = ("shown", "against", "open")
TEST, CONTROL, STRICT, SHARE, CLAIM = 0.2, 0.15, 0.2, 0.03, 0.035  # of the score


@functools.cache
def abroad() -> tuple[Question, ...]:
    """Every held-out question in French and Spanish, in the order of `Geography.questions`."""
    return tuple(q for q in geography().questions(LANGUAGES) if q.held_out_by)


def differs(question: Question) -> bool:
    """Whether the name is another word than in English."""
    name = question.city.name
    return name.given(question.language) != name.english


def known_by_a_part(question: Question) -> bool:
    """Whether the name has a token of the English one in it."""
    name, encode = question.city.name, tokenizer().encode
    english, given = encode(f" {name.english}"), encode(f" {name.given(question.language)}")
    return bool(set(english) & set(given))


def kind(question: Question) -> str:
    return geography().area_of(question.city).kind


@functools.cache
def table(language: str, of: str) -> Tensor:
    """Means before layer 2 at the name's end, [class d_model], of taught questions in a language."""
    taught = questions_about(of, held_out=False, language=language)
    step = 6 if of == "state" else 2
    with torch.no_grad():
        return means_at(plain_atlas(), swap_questions(taught[::step], geography()))[LAYER]


@functools.lru_cache(maxsize=64)
def successes(questions: tuple[Question, ...]) -> dict[str, float]:
    """The share of swaps that the answer follows, with English directions and with the language's own."""
    passed: defaultdict[str, int] = defaultdict(int)
    asked = 0
    for of in ("state", "country"):
        here = [q for q in questions if kind(q) == of]
        for language in LANGUAGES:
            group = [q for q in here if q.language == language]
            if not group:
                continue
            batches = swap_questions(group, geography())
            for name, source in (("english", "english"), ("own", language)):
                result = swap_batches(plain_atlas(), batches, table(source, of), LAYER, n_targets=3)
                passed[name] += int((result.follows & result.asked).sum())
            asked += int(result.asked.sum())
    return {name: passed[name] / max(1, asked) for name in ("english", "own")}


class Contest(NamedTuple):
    """Questions on which two explanations part, like ones on which they do not, and what is predicted of both."""

    test: tuple[int, ...]
    control: tuple[int, ...]
    strict: tuple[int, ...]
    predicted: dict[tuple[str, str], float]
    says: dict[str, str]


def read_contest(value: Any) -> Contest:
    found = entries(value, ["test", "control", "strict", *GROUPS, "says"])
    chosen = []
    for name in ("test", "control", "strict"):
        every = listed(found[name], name)
        chosen.append(tuple(dict.fromkeys(whole(each, name, len(abroad())) for each in every)))
        if not chosen[-1]:
            raise Unreadable(f"“{name}” is empty.")
    predicted = {}
    for group in GROUPS:
        pair = listed(found[group], group, 2)
        for name, each in zip(("english", "own"), pair, strict=True):
            predicted[group, name] = share(each, f"{group}, {name}")
    says = {key: str(each).strip().lower() for key, each in entries(found["says"], [*SAYS]).items()}
    if not set(says.values()) <= set(WORDS):
        raise Unreadable(f"Each claim of “says” is one of {', '.join(WORDS)}.")
    return Contest(*chosen, predicted, says)


# --- the experiment -------------------------------------------------------------------------------


@torch.no_grad()
def experiment(contest: Contest, draw: int) -> Findings:
    """Swap in a random part of the sets, with English directions and with the language's own."""
    test = {number for number, question in enumerate(abroad()) if differs(question)}
    strict = {number for number in test if not known_by_a_part(abroad()[number])}
    facts, lines, sets = _sets(contest, test, strict)
    floor = _by_lot(test, strict, draw)
    lines.append(Line(f"sets and words drawn by lot score {floor:.2f}", sets > floor))
    if facts["precision"] < 0.5:
        return Findings(min(sets, TEST * facts["f1"]), tuple(lines), sure=False, facts=facts)
    found = _found(contest, draw)
    score, came_true = sets, {}
    for (group, name), value in found.items():
        error = abs(contest.predicted[group, name] - value)
        score += SHARE * ramp(error, FAR, CLOSE)
        lines.append(Line(f"{_named(group, name)}: right to {CLOSE}", error <= CLOSE))
        if error <= CLOSE:
            came_true[group, name] = value
    right = sum(contest.says[key] == word for key, word in SAYS.items())
    score += CLAIM * right
    lines.append(
        Line(f"what follows: {len(SAYS) - 1} of {len(SAYS)} or more are right", right >= 5)
    )
    facts["said"] = right
    sure = facts["sets"] and right >= len(SAYS) - 1
    return Findings(score, tuple(lines), _figure(contest.predicted, came_true), sure, facts)


def _sets(contest: Contest, test: set[int], strict: set[int]) -> tuple[dict, list[Line], float]:
    """The three sets of questions: what is to be said of them, in words too, and their part of the score."""
    precision, recall, f1 = _overlap(contest.test, test)
    exact = _overlap(contest.strict, strict)[2]
    pure = sum(number not in test for number in contest.control) / len(contest.control)
    apart = _apart(contest.test, contest.control)
    facts = {"precision": precision, "recall": recall, "f1": f1, "strict": exact}
    facts |= {"states": _of_states(contest.test), "pure": pure, "apart": apart}
    facts["sets"] = precision >= 0.8 and pure >= 0.8 and apart <= 0.3 and exact >= 0.8
    lines = [
        Line(
            f"of the test's questions, the two explanations say different things about {precision:.0%}",
            precision >= 0.95,
        ),
        Line(
            f"of the questions about which they do, {recall:.0%} were chosen (wanted: 80 %)",
            recall >= 0.8,
        ),
        Line(
            f"of the control's questions, both explanations say the same about {pure:.0%}",
            pure >= 0.95,
        ),
        Line(
            f"in language, and in states against countries, control and test differ in {apart:.0%} of their questions "
            "(wanted: 10 % at most)",
            apart <= 0.1,
        ),
    ]
    if precision >= 0.5:
        lines.append(Line("“strict” has the questions that it should have", exact >= 0.95))
    score = TEST * f1 + CONTROL * pure * ramp(apart, 0.5, 0.1) + STRICT * ramp(exact, 0.5, 1.0)
    return facts, lines, score


def _by_lot(test: set[int], strict: set[int], draw: int) -> float:
    """What somebody gets who draws half of the questions as the test, a part of those as strict, and words."""
    lot = torch.randperm(len(abroad()), generator=torch.Generator().manual_seed(draw)).tolist()
    half = len(lot) // 2
    by_lot = Contest(tuple(lot[:half]), tuple(lot[half:]), tuple(lot[: half // 2]), {}, {})
    return _sets(by_lot, test, strict)[2] + CLAIM * len(SAYS) / len(WORDS)


def _overlap(chosen: Sequence[int], wanted: set[int]) -> tuple[float, float, float]:
    """Precision, recall and F1."""
    hit = len(set(chosen) & wanted)
    precision, recall = hit / len(chosen), hit / len(wanted)
    return precision, recall, 2 * precision * recall / (precision + recall) if hit else 0.0


def _found(contest: Contest, draw: int) -> dict[tuple[str, str], float]:
    groups = {language: _some(contest.test, draw, language) for language in LANGUAGES}
    groups["alike"] = _some(contest.control, draw)
    groups["there"] = _some(contest.strict, draw)
    return {
        (group, name): value
        for group, questions in groups.items()
        for name, value in successes(tuple(questions)).items()
    }


def _some(numbers: Iterable[int], draw: int, language: str = "") -> list[Question]:
    """At most `MOST` of the questions, of one language if that is given, by lot."""
    every = (abroad()[number] for number in numbers)
    here = [question for question in every if language in ("", question.language)]
    lot = torch.randperm(len(here), generator=torch.Generator().manual_seed(draw))
    return [here[i] for i in lot[:MOST].tolist()]


def _apart(one: Sequence[int], other: Sequence[int]) -> float:
    """How many of the questions of one set would have to be of another language or kind to match the other's."""
    shares = []
    for numbers in (one, other):
        counted = Counter((abroad()[n].language, kind(abroad()[n])) for n in numbers)
        shares.append({key: count / len(numbers) for key, count in counted.items()})
    keys = shares[0].keys() | shares[1].keys()
    return sum(abs(shares[0].get(key, 0) - shares[1].get(key, 0)) for key in keys) / 2


def _of_states(numbers: Sequence[int]) -> float:
    return sum(kind(abroad()[number]) == "state" for number in numbers) / len(numbers)


def _named(group: str, name: str) -> str:
    which = "English directions" if name == "english" else "the language's own"
    where = {"alike": "control", "there": "strict"}.get(group, group.title())
    return f"{where}, {which}"


def _figure(
    predicted: dict[tuple[str, str], float], found: dict[tuple[str, str], float]
) -> Callable[[], Any] | None:
    """Of the shares that came true; the others are for the learner to measure."""
    from mi_tutor.show import predictions

    if not found:
        return None
    return lambda: predictions(
        [_named(*key) for key in found],
        [predicted[key] for key in found],
        list(found.values()),
        title="Swaps in your questions",
        value_title="share of answers that follow",
    )
