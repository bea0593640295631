"""Chapter 09, the investigation `localisation-is-not-editing`: does tracing tell where to edit? (Hase et al. 2023)"""

from __future__ import annotations

import functools
import math
from typing import Any

import torch
from torch import Tensor

from mi_tutor.lab.crosscoders import (
    FOLLOWS,
    KINDS,
    edit_marks,
    edits,
    restored,
    said_after,
    second_moment,
)
from mi_tutor.lab.ground.device import seeded
from mi_tutor.specimens.crosscoders import (
    all_aftermaths,
    changed_texts,
    changes,
    one_hop_facts,
    requests,
)
from mi_tutor.specimens.crosscoders.measures import plain
from mi_tutor.teach.exercises.reading_hypotheses import entries, listed, share
from mi_tutor.teach.investigation import (
    Findings,
    Investigation,
    Levels,
    Line,
    Worked,
    WrongHypothesis,
)

N_FACTS, N_LAYERS = 14, 5
PLACES = ("subject", "last")
ASKED_FOR = ("mean", "consequence")
FIELDS = tuple(f"{what} at {place}" for what in ASKED_FOR for place in PLACES)
CLOSE = 0.1
Table = dict[str, Tensor]


def read(value: Any) -> Table:
    """A dict of four lists with a share for each layer."""
    found = entries(value, FIELDS)
    return {
        name: torch.tensor([share(each, name) for each in listed(found[name], name, N_LAYERS)])
        for name in FIELDS
    }


@functools.cache
def moments(layer: int) -> Tensor:
    """E[k k^T] of an MLP, on atlas's own text."""
    return second_moment(plain("atlas"), layer, changed_texts("keys", 100, changes=()).tokens)


@functools.lru_cache(maxsize=5)
def measured(draw: int, n_facts: int = N_FACTS) -> Table:
    """What comes of edits at the ten sites: the harmonic mean of all marks, and the consequences."""
    changed = changes(f"investigated/{draw}", n_facts)
    asked, which = all_aftermaths(changed)
    found: dict[str, list[Tensor]] = {name: [] for name in FIELDS}
    for layer in range(N_LAYERS):
        for place in PLACES:
            made = edits(plain("atlas"), layer, requests(changed, place), moments(layer))
            logits = said_after(plain("atlas"), made, which, asked.tokens, asked.end)
            scores, mean = edit_marks(
                logits, asked.new, asked.right, asked.kind, torch.tensor(FOLLOWS)
            )
            found[f"mean at {place}"].append(mean)
            found[f"consequence at {place}"].append(scores[KINDS.index("consequence")])
    return {name: torch.stack(each) for name, each in found.items()}


def experiment(said: Table, draw: int) -> Findings:
    """Edit fresh facts at all ten sites, and hold the predictions against what comes of it."""
    seen = measured(draw)
    off = {name: (said[name] - seen[name]).abs() for name in FIELDS}
    lines, shares = [], []
    for what in ASKED_FOR:
        names = [f"{what} at {place}" for place in PLACES]
        every = torch.cat([seen[name] for name in names])
        # The best that one number for all ten sites could do.
        constant = (every - every.median()).abs().sum()
        shares.append(1 - torch.cat([off[name] for name in names]).sum() / constant)
        for name in names:
            near = int((off[name] < CLOSE).sum())
            lines.append(
                Line(f"{name}: {near} of {N_LAYERS} layers within {CLOSE}", near == N_LAYERS)
            )
    return Findings(
        score=max(0.0, float(sum(shares)) / len(shares)),
        lines=tuple(lines),
        figure=functools.partial(figure, said, seen),
        facts={"seen": seen, "off": off},
    )


def figure(said: Table, seen: Table) -> Any:
    """Predictions for all sites; what was found where they were near."""
    from mi_tutor.show import predictions

    sites = [(place, layer) for place in PLACES for layer in range(N_LAYERS)]
    predicted = [float(said[f"mean at {place}"][layer]) for place, layer in sites]
    found = [float(seen[f"mean at {place}"][layer]) for place, layer in sites]
    return predictions(
        [f"{place}, layer {layer}" for place, layer in sites],
        predicted,
        [f if abs(p - f) < CLOSE else math.nan for p, f in zip(predicted, found, strict=True)],
        title="The harmonic mean of the marks of an edit",
        value_title="harmonic mean (0 to 1)",
    )


# --- our own answers and typical wrong ones --------------------------------------------------------


def as_lists(table: Table) -> dict[str, list[float]]:
    """A table as a learner would hand it in."""
    return {name: [round(float(x), 3) for x in each.clamp(0, 1)] for name, each in table.items()}


@functools.cache
@torch.no_grad()
def from_tracing() -> dict[str, list[float]]:
    """Where tracing finds the fact an edit takes, and elsewhere not: the wrong hypothesis itself."""
    facts, model = one_hop_facts(), plain("atlas")
    noise = 3 * model.W_E.std() * torch.randn(len(facts.tokens), model.W_E.shape[1], generator=seeded(0))  # fmt: skip
    p = restored(model, facts.tokens, facts.subject, noise, facts.answers).mean(dim=-1)
    effect = (p - p[0, 1]) / (1 - p[0, 1])  # nothing is brought back before the subject
    rows = {"subject": effect[:, 4], "last": effect[:, 5]}
    return as_lists({f"{what} at {place}": rows[place] for what in ASKED_FOR for place in PLACES})


def all_alike(value: float) -> dict[str, list[float]]:
    """One number for all sites."""
    return {name: [value] * N_LAYERS for name in FIELDS}


@functools.cache
def pooled() -> dict[str, list[float]]:
    """The mean over facts of our own."""
    tables = [measured(-draw) for draw in (1, 2, 4)]
    return as_lists({n: torch.stack([t[n] for t in tables]).mean(dim=0) for n in FIELDS})


def _like(example):
    def fits(said, found):
        given = read(example())
        return all(bool(((said[n] - given[n]).abs() < 0.15).all()) for n in FIELDS)

    return fits


LOCALISATION_IS_NOT_EDITING = Investigation(
    slug="localisation-is-not-editing",
    title="Does tracing tell where to edit?",
    chapter="09",
    points=5,
    minutes=40,
    difficulty=5,
    optional=True,
    objective="Measure what comes of an edit at each of ten sites, and hold it against what tracing says of them.",
    question="What comes of a rank-one edit at either token and in each layer: which harmonic mean of the five marks, and which share of consequences?",
    form='a dict of four lists of five numbers, layer 0 to 4: "mean at subject", "mean at last", "consequence at subject", "consequence at last"',
    read=read,
    experiment=experiment,
    # From draws 100 to 111, which no test uses: one lot of facts .87 to .96 (mean .92), three lots .87 to .95, tracing .2.
    levels=Levels(passed=0.75, good=0.83, excellent=0.86),
    mistakes=(
        WrongHypothesis(
            name="from tracing",
            example=from_tracing,
            fits=_like(from_tracing),
            sentence="This is what tracing brings back at these sites. It says what carries the fact on its way when the name is spoilt; an edit "
            "asks another thing: which keys fetch the new answer, and no others. Make edits, and mark them.",
        ),
        WrongHypothesis(
            name="every site takes it",
            example=lambda: all_alike(1.0),
            fits=lambda said, found: all(bool((each > 0.9).all()) for each in said.values()),
            sentence="That an edit takes (efficacy) is one mark of five. Ask the same fact in other words, what follows from it, and what should "
            "have stayed.",
        ),
    ),
    styles=(
        Worked(name="three lots of facts of our own", hypothesis=pooled, level="excellent"),
        Worked(
            name="one lot", hypothesis=lambda: as_lists(measured(-3)), level="good"
        ),
    ),
    hints=(
        "`crosscoders.edits` makes one edit for each request, and `crosscoders.said_after` says what each edited model predicts.",
        "`all_aftermaths(changes(seed, n))` has the prompts of all five kinds with what should be said; your `edit_marks` marks them.",
        "Take facts of all relations, and two dozen of them: ten sites in a loop, one second moment for each layer.",
    ),
)  # fmt: skip
