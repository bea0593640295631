"""Chapter 05, `what-does-the-head-see`: heads edited at the prompt's end, by state and by relation."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from mi_tutor.lab.swaps import (
    Questions,
    answers_with_heads,
    chosen_heads,
    head_means,
    other_classes,
    swap_heads,
)
from mi_tutor.specimens.atlas.prompts import swap_questions, tokenizer
from mi_tutor.teach.exercises.marks import ramp
from mi_tutor.teach.exercises.swaps.atlas import geography, plain_atlas, state_questions
from mi_tutor.teach.exercises.swaps.carriers import THINGS, Carriers, Head, Way, relations
from mi_tutor.teach.investigation import Findings, Line
from mi_tutor.world.geography import Question

MOST = 160  # questions that a draw tries
BRINGS, PAYS, REST = 0.8, 0.1, 0.1
CLOSE, FAR = 0.1, 0.25  # errors of predictions that count in full, and not at all
ALL_BUT = 0.95  # of the marks for heads alone that count in full
ONE_FOR_ALL = 0.7  # what one and the same share for every relation reaches: it counts nothing
WORTH = {"state": 0.15, "relation": 0.25, "alone": 0.3, "together": 0.15, "without": 0.15}


def about_relations(questions: Sequence[Question]) -> list[Questions]:
    """The same prompts as `swap_questions`, in its order, with what is asked about as the class."""
    ids, batches = tokenizer().ids, []
    by_tokens = {tuple(tokenizer().encode(q.prompt.text)): q for q in questions}
    for batch in swap_questions(questions, geography()):
        here = [by_tokens[tuple(row[1:])] for row in batch.tokens.tolist()]
        says = [geography().area_of(q.city).answers for q in here]
        answers = torch.tensor([[ids[f" {of[r].english}"] for r in relations()] for of in says])
        classes = torch.tensor([relations().index(q.relation) for q in here])
        batches.append(Questions(batch.tokens, batch.places, classes, answers))
    return batches


def batches_of(thing: str, questions: Sequence[Question]) -> list[Questions]:
    return (
        swap_questions(questions, geography()) if thing == "state" else about_relations(questions)
    )


@functools.cache
def tables(thing: str) -> Tensor:
    """[layer class head d_head]: what every head reads at the prompt's end, by state or by relation."""
    return head_means(plain_atlas(), batches_of(thing, state_questions(held_out=False)[::8]))


@functools.lru_cache(maxsize=4)
def some(draw: int) -> tuple[Question, ...]:
    """Held-out questions, by lot."""
    held_out = state_questions(held_out=True)
    lot = torch.randperm(len(held_out), generator=torch.Generator().manual_seed(draw))
    return tuple(held_out[i] for i in lot[:MOST].tolist())


# --- the experiment -------------------------------------------------------------------------------


class Found(NamedTuple):
    """What a set of heads brings of one thing; pays: what is lost of `follows` without each of them."""

    follows: float
    without: float
    rest: float
    intact: float
    pays: dict[Head, float]

    @property
    def right(self) -> bool:
        """Enough, no other way beside it, and no passengers."""
        brings = self.follows >= BRINGS and self.rest <= REST
        return brings and min(self.pays.values()) >= PAYS


@functools.lru_cache(maxsize=4)
def drawn(thing: str, draw: int) -> list[Questions]:
    return batches_of(thing, some(draw))


@functools.lru_cache(maxsize=64)
def found_of(thing: str, heads: frozenset[Head], draw: int) -> Found:
    batches, table = drawn(thing, draw), tables(thing)
    all_ = swap_heads(plain_atlas(), batches, table, sorted(heads), n_targets=1, seed=draw)
    if len(heads) == 1:
        return Found(*all_, dict.fromkeys(heads, all_.follows))
    pays = {each: all_.follows - follows(thing, heads - {each}, draw) for each in heads}
    return Found(*all_, pays)


@functools.lru_cache(maxsize=256)
def follows(thing: str, heads: frozenset[Head], draw: int) -> float:
    """As `HeadSwap.follows`, on the same questions with the same targets, without the other edits."""
    table, hits = tables(thing), []
    for number, batch in enumerate(drawn(thing, draw)):
        target = other_classes(batch.classes, table.shape[1], 1, seed=draw + number)
        step = table[:, target[:, 0]] - table[:, batch.classes]
        said = answers_with_heads(
            plain_atlas(), batch.tokens, step * chosen_heads(table, sorted(heads))
        )
        wanted, own = (
            batch.answers.gather(1, each)[:, 0] for each in (target, batch.classes[:, None])
        )
        hits.append((said == wanted)[wanted != own])
    return torch.cat(hits).float().mean().item()


@functools.lru_cache(maxsize=64)
def by_target(where: Head, draw: int) -> dict[str, float]:
    """The share that follows one head alone, for each relation put into all questions about other ones.

    The mean over all targets would depend on which are drawn: some relations come by one head, and hardly by another.
    """
    table, found = tables("relation"), {}
    for number, name in enumerate(relations()):
        hits = []
        for batch in drawn("relation", draw):
            step = table[:, [number] * len(batch.classes)] - table[:, batch.classes]
            said = answers_with_heads(
                plain_atlas(), batch.tokens, step * chosen_heads(table, [where])
            )
            right = batch.answers.gather(1, batch.classes[:, None])[:, 0]
            hits.append((said == batch.answers[:, number])[right != batch.answers[:, number]])
        found[name] = torch.cat(hits).float().mean().item()
    return found


@functools.lru_cache(maxsize=64)
@torch.no_grad()
def both_at_once(state: frozenset[Head], relation: frozenset[Head], draw: int) -> float:
    """The share that answers another relation's question about another state, with both exchanged."""
    hits = []
    pairs = zip(*(drawn(thing, draw) for thing in THINGS), strict=True)
    areas = geography().facts.states
    for number, (by_state, by_relation) in enumerate(pairs):
        steps, targets = 0.0, []
        for thing, heads, batch in zip(
            THINGS, (state, relation), (by_state, by_relation), strict=True
        ):
            table = tables(thing)
            target = other_classes(batch.classes, table.shape[1], 1, seed=draw + number)[:, 0]
            step = table[:, target] - table[:, batch.classes]
            steps = steps + step * chosen_heads(table, sorted(heads))
            targets.append(target.tolist())
        said = answers_with_heads(plain_atlas(), by_state.tokens, steps).tolist()
        for word, area, asked in zip(said, *targets, strict=True):
            wanted = tokenizer().ids[f" {areas[area].answers[relations()[asked]].english}"]
            hits.append(word == wanted)
    return sum(hits) / len(hits)


def experiment(carriers: Carriers, draw: int) -> Findings:
    ways = {thing: getattr(carriers, thing) for thing in THINGS}
    found = {thing: found_of(thing, way.heads, draw) for thing, way in ways.items()}
    right = {thing: each.right for thing, each in found.items()}
    facts = {f"{thing} {key}": value for thing in THINGS for key, value in _facts(found[thing])}
    lines = [line for thing, way in ways.items() for line in _set_lines(thing, way, found[thing])]
    score = sum(WORTH[thing] * right[thing] for thing in THINGS)
    if not all(right.values()):  # shares of other heads would be another question
        return Findings(score, tuple(lines), sure=False, facts=facts)
    both = both_at_once(ways["state"].heads, ways["relation"].heads, draw)
    marks = {
        f"{thing}, {key}": (getattr(way, key), getattr(found[thing], key))
        for thing, way in ways.items()
        for key in ("follows", "without")
    } | {"both": (carriers.both, both)}
    for where, shares in carriers.alone.items():
        measured = by_target(where, draw)
        marks |= {f"{_name(where)}, {each}": (shares[each], measured[each]) for each in relations()}
    lines += _share_lines(marks)
    facts["alone"] = _quality(marks, "alone")
    score += sum(WORTH[kind] * _quality(marks, kind) for kind in ("together", "without"))
    score += WORTH["alone"] * ramp(facts["alone"], ONE_FOR_ALL, ALL_BUT)
    came_true = {name: pair for name, pair in marks.items() if _near(*pair)}
    figure = functools.partial(_figure, came_true) if came_true else None
    return Findings(score, tuple(lines), figure, facts=facts)


def _near(guess: float, value: float) -> bool:
    return abs(guess - value) <= CLOSE


def _kind(name: str) -> str:
    if name.endswith("without"):
        return "without"
    return "together" if name.endswith(("follows", "both")) else "alone"


def _quality(marks: Mapping[str, tuple[float, float]], kind: str) -> float:
    these = [ramp(abs(a - b), FAR, CLOSE) for name, (a, b) in marks.items() if _kind(name) == kind]
    return sum(these) / len(these)


def _share_lines(marks: Mapping[str, tuple[float, float]]) -> list[Line]:
    lines = [
        Line(f"{name}: right to {CLOSE}", _near(*pair))
        for name, pair in marks.items()
        if _kind(name) != "alone"
    ]
    alone = [_near(*pair) for name, pair in marks.items() if _kind(name) == "alone"]
    text = f"heads alone: {sum(alone)} of {len(alone)} shares are right to {CLOSE}"
    quality = _quality(marks, "alone")
    if quality >= ALL_BUT and not all(alone):
        text += ", and the others are near enough: each is measured on few questions"
    return [*lines, Line(text, quality >= ALL_BUT)]


def _facts(found: Found) -> list[tuple[str, Any]]:
    idle = {each for each, value in found.pays.items() if value < PAYS}
    return [("follows", found.follows), ("rest", found.rest), ("idle", idle)]


def _set_lines(thing: str, way: Way, found: Found) -> list[Line]:
    names = " and ".join(_name(each) for each in sorted(way.heads))
    lines = [
        Line(
            f"the {thing} exchanged in {names}: {found.follows:.2f} of the answers follow (wanted: {BRINGS}); "
            f"in all other heads: {found.rest:.2f} (wanted: {REST} at most)",
            found.follows >= BRINGS and found.rest <= REST,
        )
    ]
    for each in sorted(each for each, value in found.pays.items() if value < PAYS):
        lines.append(Line(f"without {_name(each)} as many follow: it brings none of it", False))
    return lines


def _name(where: Head) -> str:
    return f"{where[0]}.{where[1]}"


def _figure(marks: Mapping[str, tuple[float, float]]) -> Any:
    from mi_tutor.show import predictions

    return predictions(
        list(marks),
        [guess for guess, _ in marks.values()],
        [value for _, value in marks.values()],
        title="What heads bring to the prompt's end",
        value_title="share of answers",
    )
