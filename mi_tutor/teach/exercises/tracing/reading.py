"""Chapter 06, `read-dallas`: supernodes given by a rule, switched off and exchanged on fresh prompts."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from mi_tutor.lab.tracing import (
    ATTENTION,
    LATENT,
    MLP,
    AttributionGraph,
    Change,
    LocalReplacementModel,
    PrunedGraph,
    attribution_graph,
    changes_of,
    intervene,
    local_replacement,
    prune,
)
from mi_tutor.specimens import open_dictionary
from mi_tutor.specimens.atlas.prompts import tokenizer
from mi_tutor.teach.exercises.marks import ramp
from mi_tutor.teach.exercises.reading_hypotheses import entries, listed, share, whole
from mi_tutor.teach.exercises.tracing.atlas import geography, plain_atlas, transcoders
from mi_tutor.teach.investigation import Findings, Line, Unreadable
from mi_tutor.world.geography import Question
from mi_tutor.world.tokenizer import BOS

SITES = {"attention": ATTENTION, "mlp": MLP}
PLACES = ("name", "end", "elsewhere")
EFFECTS = ("without", "state", "relation")
LEAST, MOST = 4, 8  # supernodes
COVERED = 0.8
CLOSE, FAR = 0.2, 0.45  # errors of predictions that count in full, and not at all
MOST_OFF = 0.55  # a reading with an error like that does not pass
PROMPTS = 20


class Supernode(NamedTuple):
    """Which nodes of a pruned graph, and what is expected when they go off or are exchanged."""

    site: int
    layers: tuple[int, ...]
    places: tuple[str, ...]
    expected: Mapping[str, float]


def read_supernodes(value: Any) -> dict[str, Supernode]:
    if not isinstance(value, dict) or not LEAST <= len(value) <= MOST:
        raise Unreadable(f"This should be a dict of {LEAST} to {MOST} supernodes, by name.")
    found: dict[str, Supernode] = {}
    taken: dict[tuple, str] = {}
    for name, given in value.items():
        row = entries(given, ["site", "layers", "places", *EFFECTS])
        site = str(row["site"]).strip().lower()
        if site not in SITES:
            raise Unreadable(f"“site” of “{name}” is “attention” or “mlp”.")
        layers = row["layers"]
        layers = [layers] if isinstance(layers, int) else listed(layers, f"{name}, layers")
        places = row["places"]
        places = [places] if isinstance(places, str) else listed(places, f"{name}, places")
        places = [str(place).strip().lower() for place in places]
        if not layers or not places or not set(places) <= set(PLACES):
            raise Unreadable(f"“{name}” has layers, and places out of {', '.join(PLACES)}.")
        numbers = tuple(whole(layer, f"{name}, layers", 5) for layer in layers)
        for cell in ((site, layer, place) for layer in set(numbers) for place in set(places)):
            if cell in taken:
                raise Unreadable(f"“{name}” and “{taken[cell]}” share nodes: {cell}.")
            taken[cell] = str(name)
        expected = {effect: share(row[effect], f"{name}, {effect}") for effect in EFFECTS}
        found[str(name)] = Supernode(SITES[site], numbers, tuple(places), expected)
    return found


# --- the experiment -------------------------------------------------------------------------------


class Traced(NamedTuple):
    """A question, its local replacement model, its graph and what is left of that; where its name ends."""

    question: Question
    local: LocalReplacementModel
    graph: AttributionGraph
    pruned: PrunedGraph
    place: int

    @property
    def right(self) -> int:
        area = geography().area_of(self.question.city)
        return tokenizer().ids[f" {area.answers[self.question.relation].english}"]


@functools.cache
def attention() -> dict[int, Any]:
    return {2: open_dictionary("atlas-attn2")}


def encoded(question: Question) -> tuple[list[int], int]:
    """A question's tokens with BOS, and where its name ends."""
    ids, text = tokenizer().ids, question.prompt.text
    place = len(tokenizer().encode(text[: question.name_end]))
    return [ids[BOS], *tokenizer().encode(text)], place


@functools.cache
def every_question() -> tuple[Question, ...]:
    return tuple(geography().questions(["english"], ["state"]))


@functools.cache
def alike() -> tuple[dict[tuple, list[Question]], dict[tuple, list[Question]]]:
    """Questions with the same words around a name of as many tokens; and about the same city with as many tokens."""
    words, cities = defaultdict(list), defaultdict(list)
    for question in every_question():
        around, same = keys_of(question)
        words[around].append(question)
        cities[same].append(question)
    return words, cities


def keys_of(question: Question) -> tuple[tuple, tuple]:
    text, end = question.prompt.text, question.name_end
    tokens, place = encoded(question)
    before = text[: end - len(question.city.name.english)]
    return (before, text[end:], len(tokens), place), (question.city, len(tokens), place)


def traced(question: Question) -> Traced:
    tokens, place = encoded(question)
    prompt = torch.tensor(tokens)
    local = local_replacement(plain_atlas(), transcoders("atlas-mlp"), prompt, attention())
    graph = attribution_graph(local, prompt)
    return Traced(question, local, graph, prune(graph), place)


def donors(question: Question, lot: torch.Generator) -> tuple[Question, Question] | None:
    """The same question about a city of another state, and another question about the same city."""
    around, same = keys_of(question)
    own = geography().area_of(question.city).answers
    others = [
        other
        for other in alike()[0][around]
        if geography().area_of(other.city).answers[question.relation] != own[question.relation]
    ]
    asked = [other for other in alike()[1][same] if own[other.relation] != own[question.relation]]
    if not others or not asked:
        return None
    pick = torch.randint(10**6, (2,), generator=lot).tolist()
    return others[pick[0] % len(others)], asked[pick[1] % len(asked)]


@functools.lru_cache(maxsize=1)  # the graphs of one draw are 200 MiB
@torch.no_grad()
def drawn(draw: int) -> list[tuple[Traced, Traced, Traced]]:
    """Held-out questions by lot that are answered right, each with its two donors."""
    lot = torch.Generator().manual_seed(draw)
    held_out = [question for question in every_question() if question.held_out_by]
    found = []
    for i in torch.randperm(len(held_out), generator=lot).tolist():
        pair = donors(held_out[i], lot)
        if pair is None:
            continue
        three = tuple(map(traced, (held_out[i], *pair)))
        if all(int(each.local.recording.logits[-1].argmax()) == each.right for each in three):
            found.append(three)
        if len(found) == PROMPTS:
            break
    return found


def nodes_of(supernode: Supernode, each: Traced) -> list[int]:
    """The numbers of its nodes in the graph: latents that pruning has left."""
    nodes, end = each.pruned.nodes, len(each.graph.tokens) - 1
    position = nodes.position
    where = {
        "name": position == each.place,
        "end": position == end,
        "elsewhere": (position != each.place) & (position != end),
    }
    here: Tensor = torch.stack([where[place] for place in supernode.places]).any(dim=0)
    here &= (nodes.kind == LATENT) & (nodes.component == supernode.site)
    here &= torch.isin(nodes.layer, torch.tensor(supernode.layers))
    return each.pruned.kept[here].tolist()


def exchanged(supernode: Supernode, one: Traced, donor: Traced) -> list[Change]:
    """The supernode off, and that of the donor's graph on at the donor's values."""
    on = changes_of(donor.graph.nodes, nodes_of(supernode, donor), 1.0)
    stay = {change[:4] for change in on}
    off = changes_of(one.graph.nodes, nodes_of(supernode, one))
    return [change for change in off if change[:4] not in stay] + on


@torch.no_grad()
def effects(supernode: Supernode, draw: int) -> dict[str, float]:
    """The share still right without it, and the shares that follow when it is exchanged."""
    counts = dict.fromkeys(EFFECTS, 0)
    layers = supernode.layers
    held = range(min(layers), max(layers) + 1) if supernode.site == MLP else range(0)
    for one, state, relation in drawn(draw):
        sets = [
            changes_of(one.graph.nodes, nodes_of(supernode, one)),
            exchanged(supernode, one, state),
            exchanged(supernode, one, relation),
        ]
        said = intervene(one.local, sets, held).logits[:, -1].argmax(dim=-1).tolist()
        wanted = one.right, state.right, relation.right
        for effect, word, right in zip(EFFECTS, said, wanted, strict=True):
            counts[effect] += word == right
    return {effect: count / len(drawn(draw)) for effect, count in counts.items()}


def covered(supernodes: Mapping[str, Supernode], draw: int) -> float:
    """Of the influence of all latents that pruning leaves, the share that is in some supernode."""
    inside = total = 0.0
    for one, *_ in drawn(draw):
        mine = [i for each in supernodes.values() for i in nodes_of(each, one)]
        pruned = one.pruned
        total += float(pruned.influence[pruned.nodes.kind == LATENT].sum())
        inside += float(pruned.influence[torch.isin(pruned.kept, torch.tensor(mine))].sum())
    return inside / total


def experiment(supernodes: Mapping[str, Supernode], draw: int) -> Findings:
    found = {name: effects(each, draw) for name, each in supernodes.items()}
    part = covered(supernodes, draw)
    state = [name for name, got in found.items() if got["state"] >= 0.8 and got["relation"] <= 0.2]
    lines = [
        Line(
            f"your supernodes hold {part:.2f} of the latents' influence (wanted: {COVERED})",
            part >= COVERED,
        ),
        Line(
            f"{' and '.join(state) or 'none'}: exchanged, the state changes and what is asked does not",
            bool(state),
        ),
    ]
    marks, far = {}, {}
    for name, each in supernodes.items():
        for effect in EFFECTS:
            guess, value = each.expected[effect], found[name][effect]
            marks[name, effect] = ramp(abs(guess - value), FAR, CLOSE)
            far[name, effect] = guess - value
            text = f"{name}, {effect}: {value:.2f}; you said {guess:.2f}"
            lines.append(Line(text, abs(guess - value) <= CLOSE))
    told = sum(marks.values()) / len(marks)
    score = 0.15 * ramp(part, 0.4, COVERED) + 0.15 * bool(state) + 0.7 * told
    facts = {"covered": part, "told": told, "state": bool(state), "far": far}
    figure = functools.partial(_figure, supernodes, found)
    near = max(map(abs, far.values())) < MOST_OFF
    return Findings(score, tuple(lines), figure, bool(state) and part >= COVERED and near, facts)


def _figure(supernodes: Mapping[str, Supernode], found: Mapping[str, Any]) -> Any:
    from mi_tutor.show import predictions

    pairs = [(name, effect) for name in supernodes for effect in EFFECTS]
    return predictions(
        [f"{name}, {effect}" for name, effect in pairs],
        [supernodes[name].expected[effect] for name, effect in pairs],
        [found[name][effect] for name, effect in pairs],
        title="Supernodes switched off and exchanged",
        value_title="share of answers",
    )
