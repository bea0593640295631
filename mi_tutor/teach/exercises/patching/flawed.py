"""Four experiments: what they measure, as they were made and with one setting changed. Three have a flaw.

A  a probe reads whether two people met in training; the stories of the test are about the probe's own pairs
B  the answer's log probability without head 2.2; it is near 0, where it hardly moves
C  a probe's direction moves the answer, random ones do not; a random direction in 128 dimensions never would
D  a probe reads who of two people gives; the pairs are the probe's own as in A, but each pair, in both orders, gives both ways
"""

from __future__ import annotations

import functools
import random
from collections.abc import Mapping
from itertools import combinations
from types import MappingProxyType

import torch
from torch import Tensor

from mi_tutor.lab.ground.device import seeded
from mi_tutor.lab.ground.metrics import Metric, prefers
from mi_tutor.lab.ground.runs import capture, evaluate
from mi_tutor.lab.ground.sites import Site
from mi_tutor.lab.patching.ablation import ablate
from mi_tutor.lab.patching.probes import fit_probe, patch_direction, probe_accuracy
from mi_tutor.specimens.atlas.stories import Stories, stories_about, stories_of_strangers, strangers
from mi_tutor.teach.exercises.patching.inputs import atlas
from mi_tutor.world.themes.indirect_objects import NAMES, pair_is_held_out

# What may be changed; the first option of each setting is how the experiment was made.
SETTINGS: Mapping[str, Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "A": {
            "split": ("story", "opening", "pair"),
            "label": ("met", "lot"),
            "place": ("second", "giver", "end"),
        },
        "B": {
            "metric": ("log probability", "probability", "accuracy", "logit difference"),
            "instead": ("mean", "zero", "resample"),
            "stories": ("64", "128"),
        },
        "C": {
            "control": ("random", "shuffled", "lot"),
            "layer": ("1", "0", "2"),
            "directions": ("4", "8"),
        },
        "D": {
            "split": ("story", "opening", "pair"),
            "label": ("gives", "lot"),
            "place": ("end", "giver", "second"),
        },
    }
)
PLACES = {"first": 2, "second": 4, "giver": 10, "end": 14}
MEN = ("John", "Oscar", "Paul", "Jack", "David", "Peter", "Henry", "Simon")
N_FOLDS = 4


@functools.lru_cache(maxsize=64)
def measure(experiment: str, setting: str, option: str, draw: int) -> float:
    """The number that an experiment gives with one setting changed."""
    made = {name: options[0] for name, options in SETTINGS[experiment].items()}
    runs = {"A": probe_of_pairs, "B": without_the_head, "C": moved_by_the_control}
    run = (runs | {"D": probe_of_pairs})[experiment]
    return run(**made | {setting: option}, draw=draw)


@functools.lru_cache(maxsize=8)
def _pairs_of(draw: int) -> tuple[list[tuple[str, str]], Stories]:
    """Pairs that never met, as many that did, and stories about them, in which either is named first.

    Told in one order only, the giver's name alone would often say whether it is the second who gives.
    """
    rng = random.Random(f"who has met {draw}")
    never = [pair for pair in combinations(NAMES, 2) if pair_is_held_out(*pair)]
    met = [pair for pair in combinations(NAMES, 2) if not pair_is_held_out(*pair)]
    pairs = never + rng.sample(met, len(never))
    told = stories_about([*pairs, *(pair[::-1] for pair in pairs)], 480, rng)
    return pairs, told._replace(pair=told.pair % len(pairs))


@functools.lru_cache(maxsize=8)
def _before_layer_3(draw: int) -> Tensor:
    _, stories = _pairs_of(draw)
    return capture(atlas(), stories.tokens, ["resid_pre"])["blocks.3.hook_resid_pre"]


def probe_of_pairs(split: str, label: str, place: str, draw: int) -> float:
    """A and D: how often a probe, at one place before layer 3, is right about a story's two people."""
    pairs, stories = _pairs_of(draw)
    x = _before_layer_3(draw)[:, PLACES[place]]
    said = torch.arange(len(pairs)) >= len(pairs) // 2
    if label == "lot":
        said = said[torch.randperm(len(pairs), generator=seeded(draw))]
    labels = stories.second_gives if label == "gives" else said[stories.pair]
    right = [
        probe_accuracy(fit_probe(x[~test], labels[~test]), x[test], labels[test])
        for test in _tests(split, stories, len(pairs), draw)
    ]
    return float(sum(right) / len(right))


def _tests(split: str, stories: Stories, n_pairs: int, draw: int) -> list[Tensor]:
    """Which stories are kept for the test, once for each fold."""
    if split == "opening":
        return [stories.tokens[:, 1] == word for word in stories.tokens[:, 1].unique()]
    n = n_pairs if split == "pair" else len(stories.tokens)
    fold = torch.randperm(n, generator=seeded(draw + 1)) % N_FOLDS
    fold = fold[stories.pair] if split == "pair" else fold
    return [fold == i for i in range(N_FOLDS)]


def without_the_head(metric: str, instead: str, stories: str, draw: int) -> float:
    """B: the share of the answer that is lost without 2.2, between the clean run (0) and the giver exchanged (1)."""
    told = stories_of_strangers(int(stories), random.Random(f"without the head {draw}"))
    exchanged = told.tokens.clone()
    exchanged[:, PLACES["giver"]] = told.answers
    measured = metrics(told)[metric]
    clean, corrupted = (
        evaluate(atlas(), tokens, measured).mean() for tokens in (told.tokens, exchanged)
    )
    site = Site("z", 2, head=2)
    logits = ablate(atlas(), told.tokens, site, instead, generator=seeded(draw))
    return float((clean - measured(logits).mean()) / (clean - corrupted))


@functools.lru_cache(maxsize=8)
def where_it_stays(draw: int) -> tuple[float, float]:
    """B: the share of stories whose answer keeps a probability over .9 without 2.2, and what is lost of it there.

    The second as a share of the logit difference's way, in these stories.
    """
    told = stories_of_strangers(64, random.Random(f"without the head {draw}"))
    exchanged = told.tokens.clone()
    exchanged[:, PLACES["giver"]] = told.answers
    cut = ablate(atlas(), told.tokens, Site("z", 2, head=2), "mean")
    stays = metrics(told)["probability"](cut) > 0.9
    measured = prefers(told.answers, told.wrongs)
    clean, corrupted = (evaluate(atlas(), each, measured) for each in (told.tokens, exchanged))
    lost = (clean - measured(cut))[stays].mean() / (clean - corrupted)[stays].mean()
    return float(stays.float().mean()), float(lost)


def metrics(told: Stories) -> dict[str, Metric]:
    """Four metrics of how well the answer is said."""
    n, answers = torch.arange(len(told.answers)), told.answers
    made = {
        "probability": lambda logits: logits.softmax(dim=-1)[..., n, answers],
        "log probability": lambda logits: logits.log_softmax(dim=-1)[..., n, answers],
        "accuracy": lambda logits: (logits.argmax(dim=-1) == answers).float(),
    }
    found = {name: Metric(name=name, measure=measure) for name, measure in made.items()}
    return found | {"logit difference": prefers(answers, told.wrongs)}


def moved_by_the_control(control: str, layer: str, directions: str, draw: int) -> float:
    """C: the share of the answer that moves when the giver is exchanged along control directions, their mean."""
    rng = random.Random(f"moved {draw}")
    told, fit_on = _strangers_and_others(rng)
    name = f"blocks.{layer}.hook_resid_pre"
    x = capture(atlas(), fit_on.tokens, ["resid_pre"])[name][:, PLACES["giver"]]
    shares = []
    for i in range(int(directions)):
        group = rng.sample(NAMES, len(NAMES) // 2) if control == "lot" else MEN
        labels = _gives(fit_on.tokens, group)
        if control == "shuffled":
            labels = labels[torch.randperm(len(labels), generator=seeded(100 * draw + i))]
        if control == "random":
            direction = torch.randn(x.shape[1], generator=seeded(100 * draw + i))
        else:
            direction = fit_probe(x, labels).direction
        shares.append(moved(told, group, direction, int(layer)))
    return sum(shares) / len(shares)


def moved_by_the_men(draw: int) -> float:
    """C as it is told: the share that moves along the direction of men's names."""
    told, fit_on = _strangers_and_others(random.Random(f"moved {draw}"))
    x = capture(atlas(), fit_on.tokens, ["resid_pre"])["blocks.1.hook_resid_pre"]
    probe = fit_probe(x[:, PLACES["giver"]], _gives(fit_on.tokens, MEN))
    return moved(told, MEN, probe.direction, 1)


def _strangers_and_others(rng: random.Random) -> tuple[Stories, Stories]:
    met = [pair for pair in combinations(NAMES, 2) if not pair_is_held_out(*pair)]
    told = stories_about([pair for pair in strangers() if pair[0] < pair[1]], 64, rng)
    return told, stories_about(met, 160, rng)


def _gives(tokens: Tensor, group: tuple[str, ...] | list[str]) -> Tensor:
    """Whether the giver is one of a group."""
    ids = torch.tensor([atlas().to_single_token(f" {name}") for name in group])
    return torch.isin(tokens[:, PLACES["giver"]], ids)


def moved(
    told: Stories, group: tuple[str, ...] | list[str], direction: Tensor, layer: int
) -> float:
    """The share of the answer that moves when the giver is exchanged along a direction, where the label differs."""
    exchanged = told.tokens.clone()
    exchanged[:, PLACES["giver"]] = told.answers
    these = _gives(told.tokens, group) != _gives(exchanged, group)
    clean, corrupted = told.tokens[these], exchanged[these]
    metric = prefers(told.answers[these], told.wrongs[these])
    high, low = (evaluate(atlas(), tokens, metric).mean() for tokens in (clean, corrupted))
    site = Site("resid_pre", layer, position=PLACES["giver"])
    along = patch_direction(atlas(), clean, corrupted, metric, site, direction).mean()
    return float((high - along) / (high - low))
