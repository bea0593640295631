"""Chapter 04: `path-patching`."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mi_tutor.lab.ground.sites import Site
from mi_tutor.lab.patching.paths import path_patching
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style, Tolerance
from mi_tutor.teach.exercises.patching.inputs import a_metric, an_atlas, atlas, random_ids
from mi_tutor.teach.exercises.patching.ways import (
    a_hook_stays,
    by_path,
    kept_by_hooks,
    only_one_run,
    receivers_patched,
)

Head = tuple[int, int]
Receiver = tuple[str, int, int]  # "q", "k" or "v", layer, head


def patch_path(
    model: Any,
    clean: Tensor,
    corrupted: Tensor,
    metric: Any,
    sender: Head,
    receivers: list[Receiver],
) -> Tensor:
    """The metric of the clean run when only the path from the sender to the receivers is corrupted.

    Without receivers: to the logits.
    """
    source = Site("z", sender[0], head=sender[1])
    goals = [Site(way, layer, head=head) for way, layer, head in receivers]
    end = [Site("resid_post", model.cfg.n_layers - 1)]
    return path_patching(model, clean, corrupted, metric, source, goals or end)


def _cases(g: torch.Generator) -> list[Case]:
    model = atlas()
    # Pairs of heads between which something passes: most pairs change a metric by less than rounding does.
    # The last entry: whether the model has other weights.
    settings = [
        ("queries, a layer between them", 2, 6, (1, 0), [("q", 3, 0)], False),
        ("queries of the next layer, one pair", 1, 5, (2, 0), [("q", 3, 0)], False),
        ("queries, in another model", 2, 5, (2, 3), [("q", 4, 3)], True),
        ("keys of the last layer", 2, 5, (0, 3), [("k", 4, 1)], False),
        ("values", 2, 5, (1, 2), [("v", 2, 0)], False),
        (
            "two heads of a layer and one of another",
            3,
            5,
            (1, 0),
            [("q", 2, 1), ("q", 2, 3), ("v", 4, 0)],
            False,
        ),
        ("the logits", 2, 6, (2, 2), [], False),
    ]
    return [
        Case(
            label=label,
            inputs={
                "model": an_atlas(edited=edited),
                "clean": random_ids(g, n_pairs, length, model=model),
                "corrupted": random_ids(g, n_pairs, length, model=model),
                "metric": a_metric(g, n_pairs, model=model),
                "sender": sender,
                "receivers": list(receivers),
            },
        )
        for label, n_pairs, length, sender, receivers, edited in settings
    ]


PATH_PATCHING = Exercise(
    slug="path-patching",
    optional=True,
    title="One connection",
    chapter="04",
    points=3,
    minutes=25,
    difficulty=5,
    objective="Follow one path: what a sender writes, as far as some receivers read it, or the logits.",
    cases=_cases,
    reference=patch_path,
    tolerance=Tolerance(rtol=1e-5, atol=2e-4),
    styles=(
        Style(name="all heads held by name", right=by_path()),
        Style(name="kept and put in by hooks", right=kept_by_hooks),
    ),
    mistakes=(
        Mistake(
            name="all paths",
            wrong=only_one_run,
            sentence="This is plain activation patching of the sender: everything that reads it changes. Two runs are missing: one that shows what the receiver "
            "makes of it, and one in which only the receiver has that.",
        ),
        Mistake(
            name="other heads not held",
            wrong=by_path(hold=False),
            sentence="Where you find what the receivers read, the other heads react to the sender, too, and their reaction reaches the receiver. Hold every other head's z at its "
            "clean value.",
        ),
        Mistake(
            name="all senders",
            wrong=receivers_patched,
            sentence="Your receivers get what they read in the whole corrupted run: all senders at once. Only this sender's output may differ.",
        ),
        Mistake(
            name="the sender's whole layer",
            wrong=by_path(head_only=False),
            sentence="You send the outputs of all heads of the sender's layer. Take one head from the corrupted run, the others from the clean one.",
        ),
        Mistake(
            name="nothing sent",
            wrong=by_path(send=False),
            sentence="The result is the clean run's: the sender is held at its clean value, too. Take its z from the corrupted run.",
        ),
        Mistake(
            name="all heads receive",
            wrong=by_path(last="all heads"),
            sentence="In your last run all heads of a receiver's layer have the new value. Set the receiver's head only.",
        ),
        Mistake(
            name="z held in the last run, too",
            wrong=by_path(last="all held"),
            sentence="Your result is that of the run with all z held, or they are held in the last one too: what a receiver does "
            "with what it reads reaches nobody. In the last run only the receivers are set.",
        ),
        Mistake(
            name="the last run on the corrupted prompts",
            wrong=by_path(last="on corrupted"),
            sentence="Your last run is on the corrupted prompts. All of it is clean, except for what the receivers read.",
        ),
        Mistake(
            name="queries always",
            wrong=by_path(way="q"),
            sentence="Your receivers read it as queries, whatever is asked. Each says by its first entry whether it is q, k or v.",
        ),
        Mistake(
            name="the first receiver only",
            wrong=by_path(first_only=True),
            sentence="Only the first receiver is set in your last run. Set all of them, and mind that two can be heads of one layer.",
        ),
        Mistake(
            name="the receivers' neighbours held",
            wrong=by_path(last="neighbours held"),
            sentence="In your last run the other heads of a receiver's layer are held at their clean values, so they do not react to an earlier receiver. Set the receivers' "
            "heads in what the run brings, and leave the rest.",
        ),
        Mistake(
            name="the logits by all paths",
            wrong=by_path(total=True),
            sentence="Without receivers you let all other heads react to the sender. To the logits, too, only the way that passes no other head is asked: they are held.",
        ),
        Mistake(
            name="MLPs held, too",
            wrong=by_path(hold_mlps=True),
            sentence="You hold the MLPs as well, so that only the direct connection is left. That is a good experiment, too; here MLPs may pass the message on, as in "
            "Wang et al. 2022.",
        ),
        Mistake(
            name="the wrong way round",
            wrong=by_path(swap=True),
            sentence="You run on the corrupted prompts and send clean outputs. Here the clean prompts are run, and the path is corrupted.",
        ),
        Mistake(
            name="a hook that stays",
            wrong=a_hook_stays,
            sentence="The numbers are right, but a hook is still in the model after your function. Use `with model.hooks(...)` for each of the runs.",
        ),
    ),
    hints=(
        "Four runs. Two for the caches of both prompts. Third: on the clean prompts, with every head's z fixed by hooks: all at their clean values, except the sender, "
        "which is corrupted. Keep what the receivers read. Last: on the clean prompts, only that put in.",
        "A hook that ignores what it sees and returns a fixed tensor holds an activation. Without receivers the third run's logits are what is asked.",
        "In the last run a hook for each receiver: clone what comes, and set the receiver's head only.",
    ),
)
