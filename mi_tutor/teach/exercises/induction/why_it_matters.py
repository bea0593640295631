"""Chapter 03: the investigation `why-does-1-0-matter`, with our own answers and the typical wrong ones.

Its experiment is in `unexplained`.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mi_tutor.specimens.induction import language
from mi_tutor.teach.exercises.induction import measuring
from mi_tutor.teach.exercises.induction.specimens import specimen, words
from mi_tutor.teach.exercises.induction.unexplained import (
    CHANGES,
    HEAD,
    LAYER,
    Report,
    experiment,
    facts,
    read,
)
from mi_tutor.teach.investigation import Findings, Investigation, Levels, Worked, WrongHypothesis


def _table(after: Any) -> Tensor:
    """[previous word] of all words, True where the word is not among those that `after` gives."""
    found = torch.ones(len(measuring.WORDS), len(measuring.WORDS))
    for previous in measuring.WORDS[1:]:
        follow = [measuring.IDS[word] for word in after(previous)]
        found[measuring.IDS[previous], follow] = 0.0
    return found


def our_report() -> dict[str, Any]:
    """The answer as it stands in the solution."""
    return {
        "rise": dict(facts(measuring.OWN_DRAW).rise),
        "repair": {"site": "ln_final.hook_normalized", "multiply": 4.0},
        "speaks": _table(language.kind_after),
        "against": (1, 1),
    }


def by_triples() -> dict[str, Any]:
    """The table from the model alone: what the head writes at the end of BOS, previous, word."""
    model, ids = specimen(), words()
    pairs = torch.cartesian_prod(ids, ids)
    rows = torch.cat([torch.zeros(len(pairs), 1, dtype=torch.long), pairs], dim=1)
    out = measuring.written(model, measuring.z_of(model, rows, LAYER), LAYER, HEAD)[:, -1]
    loud = (out.norm(dim=-1) > 1.0).float().reshape(len(ids), len(ids))
    rise = {name: round(value, 1) for name, value in facts(measuring.OWN_DRAW).rise.items()}
    repair = {"site": "hook_unembed", "multiply": 3}
    return {"rise": rise, "repair": repair, "speaks": loud, "against": [1, 1]}


def a_vector_put_back() -> dict[str, Any]:
    """The head's mean in place of what it wrote: it repairs everything and explains little."""
    model = specimen()
    z = measuring.z_of(model, measuring.blocks(measuring.OWN_DRAW, 64), LAYER)
    mean = z[:, measuring.N_BLOCK + 1 :, HEAD].mean(dim=(0, 1))
    site = f"blocks.{LAYER}.attn.hook_z"
    return our_report() | {"repair": {"site": site, "head": HEAD, "add": mean}}


def _a_weak_induction_head() -> dict[str, Any]:
    return our_report() | {
        "rise": dict.fromkeys(CHANGES, 1.25),
        "repair": {"site": "blocks.1.attn.hook_z", "head": 3, "multiply": 2.0},
        "speaks": torch.ones(180, 180),
    }


def _a_constant() -> dict[str, Any]:
    rise = {"zero": 1.25, "mean": 0.0, "another row": 0.0, "running text": 0.0}
    everywhere = {"rise": rise, "speaks": torch.ones(180, 180)}
    return a_vector_put_back() | everywhere


def _surprise() -> dict[str, Any]:
    """It speaks after every word that is not one of the usual successors; louder induction heads repair it."""
    repair = {"site": "blocks.1.attn.hook_z", "head": 1, "multiply": 1.5}
    return our_report() | {"speaks": _table(language.favourites), "repair": repair}


def _content(report: Report, findings: Findings) -> bool:
    return min(report.rise["mean"], report.rise["another row"]) > 0.5


def _always_the_same(report: Report, findings: Findings) -> bool:
    return report.rise["running text"] < 0.5 or bool(report.speaks[1:, 1:].all())


def _every_rare_word(report: Report, findings: Findings) -> bool:
    fits = _table(language.kind_after) == 0
    return bool(report.speaks[fits][1:].float().mean() > 0.5)


WHY_IT_MATTERS = Investigation(
    slug="why-does-1-0-matter",
    title="Why does head 1.0 matter?",
    chapter="03",
    points=8,
    minutes=45,
    difficulty=5,
    objective="Find out by experiment what a head is for whose score and whose ablation disagree.",
    question="Head 1.0 does not look where induction looks. Why does copying need it?",
    form='a dictionary {"rise": {...}, "repair": {...}, "speaks": table [previous word], "against": (layer, head)}',
    read=read,
    experiment=experiment,
    levels=Levels(passed=0.75, good=0.82, excellent=0.95),
    styles=(
        Worked(name="our report", hypothesis=our_report, level="excellent"),
        Worked(name="the table from three tokens", hypothesis=by_triples, level="good"),
        Worked(name="a vector put back", hypothesis=a_vector_put_back, level="good"),
    ),
    mistakes=(
        WrongHypothesis(
            name="a weak induction head",
            example=_a_weak_induction_head,
            fits=_content,
            sentence="You say that what the head brings depends on the row, as an induction head's output does. Then what it "
            "wrote in another row should be of no use. Put that in its place, and measure.",
        ),
        WrongHypothesis(
            name="a constant",
            example=_a_constant,
            fits=_always_the_same,
            sentence="You say that the head writes the same at all times. Compare the size of what it writes in random blocks "
            "with what it writes in running text, position by position.",
        ),
        WrongHypothesis(
            name="every rare word",
            example=_surprise,
            fits=_every_rare_word,
            sentence="You say that it begins to write after any unusual word. Some unusual words leave it silent. Take a row of "
            "running text, try every word at its end, and look at those that do.",
        ),
    ),
    hints=(
        "Ablation by zero is one question of several. What does the loss do if you give the head what it wrote in another row, "
        "or its own mean? And what does it write in running text?",
        "What it adds to the logits of words is next to nothing. List what stands between the last head and the logits. One of "
        "these things depends on how LONG the stream is.",
        "Compare ln_final.hook_scale with the head and without it, in the second copy. Then look for the first position in a row "
        "of text at which the head writes: put each of the 180 words there, for a few different words before it.",
    ),
)
