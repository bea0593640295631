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
        "through": {"site": "ln_final.hook_scale"},
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
    return {"rise": rise, "through": "ln_final.hook_scale", "speaks": loud, "against": [1, 1]}


def the_same_without_its_partner() -> dict[str, Any]:
    """All but one rise: what zero does is taken to be the same whoever else is silent."""
    rise = dict(facts(measuring.OWN_DRAW).rise)
    return our_report() | {"rise": rise | {"zero, 1.1 silent": rise["zero"]}}


def _a_weak_induction_head() -> dict[str, Any]:
    return our_report() | {
        "rise": dict.fromkeys(CHANGES, 1.25),
        "through": {"site": "blocks.1.attn.hook_z", "head": 3},
        "speaks": torch.ones(180, 180),
    }


def _a_constant() -> dict[str, Any]:
    rise = dict.fromkeys(CHANGES, 0.0) | {"zero": 1.25}
    return our_report() | {"rise": rise, "speaks": torch.ones(180, 180)}


def _surprise() -> dict[str, Any]:
    """It speaks after every word that is not one of the usual successors, and helps the other heads."""
    through = {"site": "blocks.1.attn.hook_z", "head": 1}
    return our_report() | {"speaks": _table(language.favourites), "through": through}


def _the_whole_stream() -> dict[str, Any]:
    """All right, but for a site that everything goes through."""
    return our_report() | {"through": {"site": "ln_final.hook_normalized"}}


def _another_head() -> dict[str, Any]:
    """The induction head that lies against it is taken for the way of the effect."""
    return our_report() | {"through": {"site": "blocks.1.attn.hook_z", "head": 1}}


def _content(report: Report, findings: Findings) -> bool:
    return min(report.rise["mean"], report.rise["another row"]) > 0.5


def _always_the_same(report: Report, findings: Findings) -> bool:
    return report.rise["running text"] < 0.5 or bool(report.speaks[1:, 1:].all())


def _everything(report: Report, findings: Findings) -> bool:
    return findings.facts["through"].width > 1 and findings.facts["through"].back > 0.9


def _beside(report: Report, findings: Findings) -> bool:
    return findings.facts["through"].back < 0.1


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
    form='a dictionary {"rise": {...}, "through": {"site": hook}, "speaks": table [previous word], "against": (layer, head)}',
    read=read,
    experiment=experiment,
    levels=Levels(passed=0.75, good=0.85, excellent=0.97),
    styles=(
        Worked(name="our report", hypothesis=our_report, level="excellent"),
        Worked(name="the table from three tokens", hypothesis=by_triples, level="good"),
        Worked(name="its partner forgotten", hypothesis=the_same_without_its_partner, level="good"),
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
        WrongHypothesis(
            name="everything goes through it",
            example=_the_whole_stream,
            fits=_everything,
            sentence="What you name carries all that the head writes, and all that the others write: of course it carries the effect. That "
            "says where the way passes, not what is on it. Which single number per position would do?",
        ),
        WrongHypothesis(
            name="beside the way",
            example=_another_head,
            fits=_beside,
            sentence="Holding what you name takes nothing back: it does not come after head 1.0, so the effect cannot pass through it. "
            "List what does.",
        ),
    ),
    hints=(
        "Ablation by zero is one question of several. What does the loss do if you give the head what it wrote in another row, "
        "or its own mean? And what does it write in running text?",
        "What it adds to the logits of words is next to nothing. List what stands between the last head and the logits. One of "
        "these things depends on how LONG the stream is. And what if the head that writes against it is silent too?",
        "Compare ln_final.hook_scale with the head and without it, in the second copy. Then look for the first position in a row "
        "of text at which the head writes: put each of the 180 words there, for a few different words before it.",
    ),
)
