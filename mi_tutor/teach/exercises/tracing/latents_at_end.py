"""Chapter 06, `the-generic-latent`: attention 2's latents at the prompt's end, switched off and exchanged."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from mi_tutor.lab.dictionaries import Sae
from mi_tutor.lab.ground.questions import Questions, other_classes
from mi_tutor.specimens import open_dictionary
from mi_tutor.specimens.atlas.prompts import swap_questions
from mi_tutor.teach.exercises.marks import ramp
from mi_tutor.teach.exercises.reading_hypotheses import entries, listed, share, whole
from mi_tutor.teach.exercises.tracing.atlas import geography, plain_atlas
from mi_tutor.teach.investigation import Findings, Line, Unreadable
from mi_tutor.world.geography import Question

LAYER = 2
MOST = 6  # latents of one country
FLOOR, BEST = 0.62, 0.74  # of the worst quarter: what counts nothing, and in full
ENOUGH = 0.7
CLOSE, FAR = 0.07, 0.2  # errors of predictions that count in full, and not at all
PREDICTED = ("without", "generic_without", "on_top")


@functools.cache
def dictionary() -> Sae:
    return open_dictionary("atlas-attn2")


@functools.cache
def countries() -> tuple[str, ...]:
    return tuple(area.name.english for area in geography().facts.areas if area.kind == "country")


@functools.cache
def questions_about_countries(held_out: bool) -> tuple[Question, ...]:
    """In all three languages."""
    every = geography().questions(kinds=["country"])
    return tuple(question for question in every if bool(question.held_out_by) == held_out)


class Seen(NamedTuple):
    """Questions of one length, up to the middle of layer 2."""

    asked: Questions
    middle: Tensor  # [prompt pos d_model], after attention 2
    latents: Tensor  # [prompt latent], at the end


@torch.no_grad()
def seen(questions: Sequence[Question]) -> list[Seen]:
    plain, found = plain_atlas(), []
    for asked in swap_questions(questions, geography()):
        x = plain.embed(asked.tokens)
        for layer in range(LAYER):
            x = plain.complete(layer, {"resid_pre": x})["resid_post"]
        at = plain.complete(LAYER, {"resid_pre": x}, until="resid_mid")
        latents = dictionary().encode(at["attn_out"][:, -1])
        found.append(Seen(asked, at["resid_mid"], latents))
    return found


@functools.cache
def usual() -> Tensor:
    """[country latent]: the mean of each latent over some taught questions about each country."""
    some = seen(questions_about_countries(held_out=False)[::4])
    latents = torch.cat([each.latents for each in some])
    classes = torch.cat([each.asked.classes for each in some])
    return torch.stack([latents[classes == i].mean(dim=0) for i in range(len(countries()))])


@functools.lru_cache(maxsize=3)
def drawn(draw: int) -> list[Seen]:
    """Three in four of the held-out questions, by lot."""
    every = questions_about_countries(held_out=True)
    lot = torch.randperm(len(every), generator=torch.Generator().manual_seed(draw))
    return seen([every[i] for i in sorted(lot[: 3 * len(every) // 4].tolist())])


def answers(each: Seen, latents: Tensor, some: slice = slice(None)) -> Tensor:
    """What the model says to some with these latents in place of those that it had; what they leave out stays."""
    plain, middle = plain_atlas(), each.middle[some].clone()
    middle[:, -1] += (latents - each.latents)[some] @ dictionary().W_dec
    stream = middle + plain.mlp(plain.blocks[LAYER], middle)
    return plain.logits_after(LAYER, stream, read=-1)[:, 0].argmax(dim=-1)


class Own(NamedTuple):
    """For each country its latents; the generic one; what is expected of three experiments."""

    sets: Mapping[str, tuple[int, ...]]
    generic: int
    predicted: Mapping[str, float]

    @property
    def member(self) -> Tensor:
        """[country latent]: 1 where a latent is a country's."""
        found = torch.zeros(len(countries()), dictionary().d_sae)
        for row, latents in zip(found, self.sets.values(), strict=True):
            row[list(latents)] = 1
        return found


def read_own(value: Any) -> Own:
    found = entries(value, ["own", "generic", *PREDICTED])
    n = dictionary().d_sae
    if not isinstance(found["own"], dict):
        raise Unreadable("“own” is a dict, from each country's English name to a list of latents.")
    by_name = {str(name).strip().lower(): latents for name, latents in found["own"].items()}
    lacking = [name for name in countries() if name.lower() not in by_name]
    if lacking:
        raise Unreadable(
            f"“own” has no latents for {len(lacking)} countries, such as {lacking[0]}."
        )
    sets = {}
    for name in countries():
        given = by_name[name.lower()]
        latents = [given] if isinstance(given, int) else listed(given, f"own, {name}")
        if not 1 <= len(latents) <= MOST:
            raise Unreadable(f"{name} has {len(latents)} latents; asked for are 1 to {MOST}.")
        sets[name] = tuple(whole(each, f"own, {name}", n) for each in latents)
    numbers = {name: share(found[name], name) for name in PREDICTED}
    return Own(sets, whole(found["generic"], "generic", n), numbers)


class Counted(NamedTuple):
    """follows: for each country, the share of its questions that another country's latents turn."""

    follows: Tensor
    found: dict[str, float]

    @property
    def worst(self) -> float:
        """The mean of the worst quarter of the countries."""
        return self.follows.sort().values[: len(self.follows) // 4].mean().item()


@torch.no_grad()
def counted(own: Own, draw: int) -> Counted:
    member, means, n = own.member, usual(), len(countries())
    hits, tests = torch.zeros(2, n)
    sums: Counter[str] = Counter()
    for number, each in enumerate(drawn(draw)):
        asked = each.asked
        target = other_classes(asked.classes, n, 1, seed=draw + number)[:, 0]
        right, wanted = (
            asked.answers.gather(1, who[:, None])[:, 0] for who in (asked.classes, target)
        )
        off = each.latents * (1 - member[asked.classes])
        on = member[target] > 0
        tested = wanted != right
        swapped = answers(each, torch.where(on, means[target], off)) == wanted
        hits.index_add_(0, asked.classes[tested], swapped[tested].float())
        tests.index_add_(0, asked.classes[tested], torch.ones(int(tested.sum())))
        without = each.latents.clone()
        without[:, own.generic] = 0
        on_top = torch.where(on, means[target], each.latents)
        few = slice(None, None, 3)  # for what is one number and not one for each country
        sums.update(
            {
                "without": int((answers(each, off, few) == right[few]).sum()),
                "generic_without": int((answers(each, without, few) == right[few]).sum()),
                "on_top": int((answers(each, on_top, few) == wanted[few])[tested[few]].sum()),
                "all": len(right[few]),
                "tested": int(tested[few].sum()),
            }
        )
    over = {"without": "all", "generic_without": "all", "on_top": "tested"}
    return Counted(hits / tests.clamp(min=1), {x: sums[x] / sums[over[x]] for x in PREDICTED})


@functools.cache
def strongest() -> int:
    """The latent that is the strongest one most often."""
    some = torch.cat([each.latents for each in drawn(0)])
    return int(some.argmax(dim=-1).mode().values)


def experiment(own: Own, draw: int) -> Findings:
    counts = counted(own, draw)
    worst, mean = counts.worst, counts.follows.mean().item()
    order = counts.follows.argsort()
    weak = ", ".join(f"{countries()[i]} {counts.follows[i]:.2f}" for i in order[:4].tolist())
    right = own.generic == strongest()
    lines = [
        Line(f"exchanged in your latents, {mean:.2f} of the answers follow", mean >= 0.85),
        Line(
            f"in the worst quarter of the countries {worst:.2f} (wanted: {BEST}): {weak}",
            worst >= ENOUGH,
        ),
        Line(
            f"latent {own.generic} is {'' if right else 'not '}the one that is strongest most often",
            right,
        ),
    ]
    errors = {name: abs(own.predicted[name] - counts.found[name]) for name in PREDICTED}
    for name, error in errors.items():
        guess, value = own.predicted[name], counts.found[name]
        lines.append(Line(f"“{name}”: {value:.2f}; you said {guess:.2f}", error <= CLOSE))
    told = sum(ramp(error, FAR, CLOSE) for error in errors.values()) / len(errors)
    score = 0.5 * ramp(worst, FLOOR, BEST) + 0.1 * right + 0.4 * told * (mean > 0.5)
    used = Counter(each for latents in own.sets.values() for each in set(latents))
    facts = {
        "mean": mean,
        "worst": worst,
        "shared": max(used.values()),
        "alone": max(map(len, own.sets.values())) == 1,
        "far": max(errors, key=lambda name: errors[name]) if max(errors.values()) > CLOSE else "",
    }
    figure = functools.partial(_figure, own.predicted, counts.found, worst)
    sure = right and worst >= ENOUGH and max(errors.values()) < FAR
    return Findings(score, tuple(lines), figure, sure, facts)


def _figure(guesses: Mapping[str, float], found: Mapping[str, float], worst: float) -> Any:
    from mi_tutor.show import predictions

    names = [name.replace("_", " ") for name in PREDICTED]
    return predictions(
        [*names, "swaps, worst quarter"],
        [*(guesses[name] for name in PREDICTED), float("nan")],
        [*(found[name] for name in PREDICTED), worst],
        title="Attention 2's latents at the prompt's end",
        value_title="share of answers",
    )
