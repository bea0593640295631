"""Chapter 09, the investigation `where-they-differ`: on which prompts two models differ, told by a few latents."""

from __future__ import annotations

import functools
import math
import random
from typing import Any, NamedTuple

import torch
from torch import Tensor

from mi_tutor.lab.crosscoders import kl, streams_at
from mi_tutor.lab.dictionaries import auroc, best_f1
from mi_tutor.specimens.atlas.prompts import tokenizer
from mi_tutor.specimens.crosscoders import replies_due
from mi_tutor.specimens.crosscoders.measures import plain
from mi_tutor.specimens.crosscoders.replies import DEEDS, THINGS
from mi_tutor.specimens.crosscoders.texts import NEW_THINGS
from mi_tutor.teach.exercises.crosscoders.what_changed import LAYER, TUNED, crosscoder, says
from mi_tutor.teach.exercises.reading_hypotheses import entries, number, share, whole
from mi_tutor.teach.investigation import (
    Findings,
    Investigation,
    Levels,
    Line,
    Unreadable,
    Worked,
    WrongHypothesis,
)
from mi_tutor.world.themes.requests import HARMFUL_DEEDS, HARMFUL_THINGS
from mi_tutor.world.tokenizer import BOS

N_PROMPTS, N_PAIRS, MOST = 600, 1000, 3
# AUROCs that are worth nothing: a latent that marks requests, and chance.
FROM, FROM_PAIRS = 0.85, 0.5
# A prediction that is off by this is worth nothing.
OFF = {"mine": 0.05, "kl": 0.05, "streams": 0.05, "there": 0.1, "first": 0.2, "second": 0.2}
SIZES = (1.0, 0.25, 0.5, 2.0)  # of weights in our own search, the first latent's first
CLOSE = {name: 0.3 * off for name, off in OFF.items()}


class Rule(NamedTuple):
    """Weights of latents, and the numbers that are predicted: four AUROCs, two shares."""

    weights: dict[int, float]
    predicted: dict[str, float]


def read(value: Any) -> Rule:
    """A dict with "weights" and the six numbers."""
    found = entries(value, ("weights", *OFF))
    given = found["weights"]
    if not isinstance(given, dict):
        raise Unreadable("“weights” is a dict: latent -> weight.")
    if not 1 <= len(given) <= MOST:
        raise Unreadable(f"“weights” has {len(given)} latents; one to {MOST} are asked for.")
    weights = {}
    for latent, weight in given.items():
        latent = int(latent) if isinstance(latent, str) and latent.strip().isdigit() else latent
        weights[whole(latent, "weights", crosscoder().d_sae)] = number(weight, "weights")
    if len(weights) < len(given):
        raise Unreadable("“weights” has the same latent twice.")
    return Rule(weights, {name: share(found[name], name) for name in OFF})


class Draw(NamedTuple):
    """Fresh prompts: latents at their ends, where first guesses differ, and what is known of them without a rule.

    latents, differ: of `replies_due`; pair_latents, pair_differ: of requests that name two things.
    plain: the AUROCs of both scores without a dictionary, and the two shares.
    """

    latents: Tensor
    differ: Tensor
    pair_latents: Tensor
    pair_differ: Tensor
    plain: dict[str, float]


def two_things(seed: int | str, n: int) -> tuple[Tensor, Tensor]:
    """Requests that name two things: tokens, and where something new stands (1 first, 2 second, 0 none).

    In three of four one of the two is new. Nothing harmful is asked where one is: the answer would be no news.
    """
    rng, rows, places = random.Random(f"two things/{seed}"), [], []
    known = [thing for thing in THINGS if thing not in NEW_THINGS]
    kind = [thing for thing in known if thing not in HARMFUL_THINGS]
    for _ in range(n):
        place = rng.choice((0, 1, 2, rng.choice((1, 2))))
        deeds = [deed for deed in DEEDS if deed not in HARMFUL_DEEDS] if place else DEEDS
        named = rng.sample(known, 2)
        if place:
            named = [rng.choice(kind), rng.choice(kind)]
            named[place - 1] = rng.choice(NEW_THINGS)
        text = f" User: how do I {rng.choice(deeds)} a {named[0]} and a {named[1]}? Assistant:"
        rows.append([tokenizer().ids[BOS], *tokenizer().encode(text)])
        places.append(place)
    return torch.tensor(rows), torch.tensor(places)


def at_ends(tokens: Tensor, end: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Both streams at the prompts' ends, both predictions there, and whether first guesses differ."""
    both = streams_at(plain("atlas"), plain(TUNED), tokens, end, LAYER)
    base, copy = (says(both[:, m : m + 1])[:, 0] for m in (0, 1))
    return both, base, copy, base.argmax(dim=-1) != copy.argmax(dim=-1)


@functools.lru_cache(maxsize=5)
@torch.no_grad()
def drawn(draw: int) -> Draw:
    """The prompts of a draw."""
    prompts = replies_due(f"investigated/{draw}", N_PROMPTS)
    both, base, copy, differ = at_ends(prompts.tokens, prompts.end)
    scores = {"kl": kl(copy, base), "streams": (both[:, 1] - both[:, 0]).norm(dim=-1)}
    without = {name: float(auroc(score, differ)) for name, score in scores.items()}
    pairs, place = two_things(f"investigated/{draw}", N_PAIRS)
    there, _, _, apart = at_ends(pairs, torch.full((N_PAIRS,), pairs.shape[1] - 1))
    for i, name in enumerate(("first", "second"), start=1):
        without[name] = float(apart[place == i].float().mean())
    return Draw(crosscoder().encode(both), differ, crosscoder().encode(there), apart, without)


def tells(weights: dict[int, float], latents: Tensor, differ: Tensor) -> float:
    """The AUROC of a weighted sum of latents, at finding prompts on which first guesses differ."""
    score = latents[:, list(weights)] @ torch.tensor(list(weights.values()))
    return float(auroc(score, differ))


def found_with(weights: dict[int, float], some: Draw) -> dict[str, float]:
    """All six numbers for a rule."""
    mine = tells(weights, some.latents, some.differ)
    return {
        "mine": mine,
        **some.plain,
        "there": tells(weights, some.pair_latents, some.pair_differ),
    }


def worth(seen: dict[str, float]) -> float:
    """What a rule is worth: half for prompts like those that were given, half for requests about two things."""
    parts = (seen["mine"] - FROM) / (1 - FROM), (seen["there"] - FROM_PAIRS) / (1 - FROM_PAIRS)
    return sum(max(0.0, part) for part in parts) / 2


def experiment(said: Rule, draw: int) -> Findings:
    """The rule on fresh prompts of both kinds, and the numbers that were predicted."""
    seen = found_with(said.weights, drawn(draw))
    off = {name: abs(said.predicted[name] - seen[name]) for name in OFF}
    near = sum(max(0.0, 1 - off[name] / OFF[name]) for name in OFF) / len(OFF)
    lines = [
        Line("your latents say it better than any one latent that marks the replies", seen["mine"] > 0.925),
        Line("they say it of requests about two things as well", seen["there"] > 0.75),
    ]  # fmt: skip
    for name in OFF:
        close = off[name] < CLOSE[name]
        told = f"{seen[name]:.3f}" if close else "another number"
        lines.append(Line(f"{name}: you said {said.predicted[name]:.3f}, and it is {told}", close))
    return Findings(
        score=worth(seen) * near,
        lines=tuple(lines),
        figure=functools.partial(figure, said, seen, off),
        facts={"seen": seen, "off": off},
    )


def figure(said: Rule, seen: dict[str, float], off: dict[str, float]) -> Any:
    """What was predicted, and beside it what was found where that was near."""
    from mi_tutor.show import predictions

    return predictions(
        list(OFF),
        [said.predicted[name] for name in OFF],
        [seen[name] if off[name] < CLOSE[name] else math.nan for name in OFF],
        title="Who finds the prompts on which they differ?",
        value_title="AUROC, or share",
    )


# --- our own answers and typical wrong ones --------------------------------------------------------


@functools.cache
def ours() -> Draw:
    """Prompts of our own, from two draws."""
    first, second = drawn(-1), drawn(-2)
    joined = (torch.cat(each) for each in zip(first[:4], second[:4], strict=True))
    return Draw(
        *joined, {name: (first.plain[name] + second.plain[name]) / 2 for name in first.plain}
    )


@functools.cache
@torch.no_grad()
def found_by(order: str) -> dict[int, float]:
    """Weights by a search on both kinds or on the given one, by F1, or by what is written differently."""
    some = ours()
    f, gap = some.latents, (crosscoder().W_dec[:, 1] - crosscoder().W_dec[:, 0]).norm(dim=-1)
    if order == "F1":
        best = best_f1(f, some.differ[:, None])[0][:, 0].topk(MOST).indices.tolist()
        return dict.fromkeys(best, 1.0)
    if order == "written differently":
        best = (f[some.differ].mean(dim=0) * gap).topk(MOST).indices.tolist()
        return {i: float(gap[i]) for i in best}

    def good(weights: dict[int, float]) -> float:
        if order == "given alone":
            return tells(weights, some.latents, some.differ)
        return worth(found_with(weights, some))

    found: dict[int, float] = {}
    often = ((f > 0).sum(dim=0) > 8).nonzero()[:, 0].tolist()
    for _ in range(MOST):
        tried = [
            found | {i: sign * size}
            for i in often
            for sign in (-1, 1)
            for size in (SIZES if found else SIZES[:1])
            if i not in found
        ]
        found = max(tried, key=good)
    return found


def handed_in(order: str, predict: float | None = None) -> dict[str, Any]:
    """Weights by some order, with the numbers as on our own prompts, or one number for all."""
    weights = found_by(order)
    seen = found_with(weights, ours())
    seen = {n: min(1.0, v) if predict is None else predict for n, v in seen.items()}
    return {"weights": dict(weights), **seen}


def _is(order: str):
    return lambda said, found: set(said.weights) == set(found_by(order))


WHERE_THEY_DIFFER = Investigation(
    slug="where-they-differ",
    title="Where do they differ?",
    chapter="09",
    points=5,
    minutes=45,
    difficulty=4,
    objective="Tell by a few latents on which prompts two models give other answers, and how much better plain comparisons tell it.",
    question="Which weighted sum of at most three latents tells on which prompts atlas-rewired answers otherwise, also on requests of a kind that is not given, "
    "and how well do it, KL, and the streams tell it?",
    form='a dict: "weights" latent -> weight (one to three), "mine", "kl" and "streams" the AUROCs of the sum, of KL, of the difference of the streams, '
    '"there" the sum\'s AUROC on requests about two things, "first" and "second" the shares of these that differ, by where the new thing stands',
    read=read,
    experiment=experiment,
    # From draws 100 to 111, which no test uses, with 400 requests about two things (a draw of the tests was still lower,
    # so there are 1,000 now): our search has .55 on average (.49 to .60), one on the given kind alone .48, and .30
    # (.23 to .33) with its numbers of the other kind guessed.
    levels=Levels(passed=0.36, good=0.42, excellent=0.45),
    mistakes=(
        WrongHypothesis(
            name="by F1",
            example=lambda: handed_in("F1"),
            fits=_is("F1"),
            sentence="These are the latents that mark such prompts best, one by one, added up. They are on where a request is refused, "
            "whichever: ask where they ring although the two models agree, and what is on there.",
        ),
        WrongHypothesis(
            name="by what is written differently",
            example=lambda: handed_in("written differently"),
            fits=_is("written differently"),
            sentence="These write most differently where the models disagree. Where the base refuses already they write as differently, "
            "and no other word comes out: a difference in the stream need not be one in the answer.",
        ),
        WrongHypothesis(
            name="the kind that is not given, guessed",
            example=lambda: handed_in("given alone") | {"there": 0.95, "first": 1.0, "second": 1.0},
            fits=lambda said, found: min(said.predicted["first"], said.predicted["second"]) > 0.97,
            sentence="You say that the copy refuses whenever something new is named, wherever it stands. Write such requests yourself, both ways "
            "round, and look what it says.",
        ),
    ),
    styles=(
        Worked(name="a search on both kinds", hypothesis=lambda: handed_in("search"), level="excellent"),
        Worked(name="a search on the given kind", hypothesis=lambda: handed_in("given alone"), level="passed"),
    ),
    hints=(
        "Measure on prompts of your own from `replies_due`: latents at each prompt's end, and whether the first guesses differ.",
        "Look at the prompts where your first latent rings and the two models agree. What kind of request are they, and which latent is on there?",
        "Requests about two things are quickly written, one template and two lists of words: measure your sum there too, and search on both kinds at once.",
        "A weight may be negative: a latent can say that they do NOT differ. Try the second and third latent together with those you have.",
    ),
)  # fmt: skip
