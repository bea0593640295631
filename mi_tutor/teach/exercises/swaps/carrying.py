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
from mi_tutor.teach.exercises.reading_hypotheses import entries, head, share
from mi_tutor.teach.exercises.swaps.atlas import atlas, geography, plain_atlas, state_questions
from mi_tutor.teach.investigation import Findings, Line, Unreadable
from mi_tutor.world.geography import Question

THINGS = ("state", "relation")
MOST = 160  # questions that a draw tries
BRINGS, PAYS, REST = 0.8, 0.1, 0.1
CLOSE, FAR = 0.1, 0.25  # errors of predictions that count in full, and not at all
Head = tuple[int, int]


def about_relations(questions: Sequence[Question]) -> list[Questions]:
    """The same prompts as `swap_questions`, in its order, with what is asked about as the class."""
    relations = list(dict.fromkeys(q.relation for q in state_questions(held_out=False)))
    ids, batches = tokenizer().ids, []
    by_tokens = {tuple(tokenizer().encode(q.prompt.text)): q for q in questions}
    for batch in swap_questions(questions, geography()):
        here = [by_tokens[tuple(row[1:])] for row in batch.tokens.tolist()]
        says = [geography().area_of(q.city).answers for q in here]
        answers = torch.tensor([[ids[f" {of[r].english}"] for r in relations] for of in says])
        classes = torch.tensor([relations.index(q.relation) for q in here])
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


class Way(NamedTuple):
    """By which heads a thing comes. alone: what follows each; follows, without: all of them."""

    alone: Mapping[Head, float]
    follows: float
    without: float


class Carriers(NamedTuple):
    state: Way
    relation: Way
    both: float


def read_carriers(value: Any) -> Carriers:
    found = entries(value, [*THINGS, "both"])
    return Carriers(*(_way(found[thing], thing) for thing in THINGS), share(found["both"], "both"))


def _way(value: Any, thing: str) -> Way:
    found = entries(value, ["heads", "follows", "without"])
    heads = found["heads"]
    if not isinstance(heads, dict) or not heads:
        raise Unreadable(f"“heads” of “{thing}” is a dict, from a head to what follows it alone.")
    n_layers, n_heads = atlas().cfg.n_layers, atlas().cfg.n_heads
    alone = {}
    for key, each in heads.items():
        name = str(key).strip("()[] ").replace(" ", "").replace(",", ".")
        alone[head(name, f"a head of {thing}", n_layers, n_heads)] = share(each, f"{thing}, {name}")
    return Way(alone, *(share(found[key], f"{thing}, {key}") for key in ("follows", "without")))


# --- the experiment -------------------------------------------------------------------------------


class Found(NamedTuple):
    """What a set of heads brings of one thing; pays: what is lost of `follows` without each."""

    follows: float
    without: float
    rest: float
    intact: float
    alone: dict[Head, float]
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
        return Found(*all_, *[dict.fromkeys(heads, all_.follows)] * 2)
    alone = {each: follows(thing, frozenset([each]), draw) for each in heads}
    pays = {each: all_.follows - follows(thing, heads - {each}, draw) for each in heads}
    return Found(*all_, alone, pays)


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
@torch.no_grad()
def both_at_once(state: frozenset[Head], relation: frozenset[Head], draw: int) -> float:
    """The share that answers another relation's question about another state, with both exchanged."""
    hits = []
    pairs = zip(*(drawn(thing, draw) for thing in THINGS), strict=True)
    areas = geography().facts.states
    relations = list(dict.fromkeys(q.relation for q in state_questions(held_out=False)))
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
            wanted = tokenizer().ids[f" {areas[area].answers[relations[asked]].english}"]
            hits.append(word == wanted)
    return sum(hits) / len(hits)


def experiment(carriers: Carriers, draw: int) -> Findings:
    ways = {thing: getattr(carriers, thing) for thing in THINGS}
    found = {thing: found_of(thing, frozenset(way.alone), draw) for thing, way in ways.items()}
    both = both_at_once(frozenset(ways["state"].alone), frozenset(ways["relation"].alone), draw)
    lines, marks = [], {}
    for thing, way in ways.items():
        lines += _set_lines(thing, way, found[thing])
        said = {f"{thing}, {name}": pair for name, pair in _numbers(way, found[thing]).items()}
        marks |= said
    marks["both"] = carriers.both, both
    for name, (guess, value) in marks.items():
        lines.append(
            Line(f"{name}: {value:.2f}; you said {guess:.2f}", abs(guess - value) <= CLOSE)
        )
    right = {thing: each.right for thing, each in found.items()}
    facts = {f"{thing} {key}": value for thing in THINGS for key, value in _facts(found[thing])}
    score = 0.2 * right["state"] + 0.3 * right["relation"] + 0.5 * _quality(marks)
    figure = functools.partial(_figure, marks)
    return Findings(score, tuple(lines), figure, all(right.values()), facts)


def _facts(found: Found) -> list[tuple[str, Any]]:
    idle = {each for each, value in found.pays.items() if value < PAYS}
    return [("follows", found.follows), ("rest", found.rest), ("idle", idle)]


def _numbers(way: Way, found: Found) -> dict[str, tuple[float, float]]:
    """Predictions beside what was found, by what they are about."""
    alone = {}
    if len(way.alone) > 1:
        alone = {f"{_name(h)} alone": (way.alone[h], found.alone[h]) for h in sorted(way.alone)}
    together = {"follows": (way.follows, found.follows), "without": (way.without, found.without)}
    return alone | together


def _quality(marks: Mapping[str, tuple[float, float]]) -> float:
    """Each head alone, all together, and without: a third each."""
    kinds: dict[str, list[float]] = {"alone": [], "together": [], "without": []}
    for name, (guess, value) in marks.items():
        kind = next((kind for kind in kinds if name.endswith(kind)), "together")
        kinds[kind].append(ramp(abs(guess - value), FAR, CLOSE))
    return sum(sum(each) / len(each) for each in kinds.values() if each) / len(kinds)


def _set_lines(thing: str, way: Way, found: Found) -> list[Line]:
    names = " and ".join(_name(each) for each in sorted(way.alone))
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
