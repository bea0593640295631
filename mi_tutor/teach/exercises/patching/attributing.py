"""Chapter 04, reading the stream: `direct-logit-attribution`."""

from __future__ import annotations

import torch

from mi_tutor.lab.ground.sites import residual_part_names
from mi_tutor.lab.patching.lens import direct_logit_attribution
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style
from mi_tutor.teach.exercises.patching.inputs import (
    CLOSE,
    a_primer,
    a_primers_cache,
    random_ids,
    short_prompts,
)


def _attribution_cases(g: torch.Generator) -> list[Case]:
    return [
        Case(
            label=label,
            inputs={
                "model": a_primer(edited=len(tokens) == 1),
                "cache": a_primers_cache(tokens, edited=len(tokens) == 1),
                "answers": (answers := random_ids(g, len(tokens))),
                "wrongs": (answers + 7) % 150,
            },
        )
        for label, tokens in short_prompts(g)
    ]


def _parts(model, cache, position=-1):
    names = residual_part_names(model.cfg.n_layers)
    return torch.stack([cache[name][:, position] for name in names])


def _final(model, cache, pieces):
    return cache["ln_final.hook_scale"][:, -1]


def _attributed(parts=_parts, scale=None, direction=None):
    def answer(model, cache, answers, wrongs):
        with torch.no_grad():
            pieces = parts(model, cache)
            divisor = (scale or _final)(model, cache, pieces)
            toward = model.W_U[:, answers] - model.W_U[:, wrongs]
            if direction is not None:
                toward = direction(model, answers, wrongs)
            return torch.einsum("npd,dp->np", pieces / divisor, toward)

    return answer


def _own_scale(model, cache, pieces):
    return (pieces.pow(2).mean(dim=-1, keepdim=True) + model.cfg.eps).sqrt()


def _loop(model, cache, answers, wrongs):
    rows = []
    for name in residual_part_names(model.cfg.n_layers):
        row = []
        for i, (answer, wrong) in enumerate(zip(answers, wrongs, strict=True)):
            part = cache[name][i, -1] - cache[name][i, -1].mean()
            toward = model.W_U[:, answer] - model.W_U[:, wrong]
            row.append((part @ toward / cache["ln_final.hook_scale"][i, -1, 0]).item())
        rows.append(row)
    return torch.tensor(rows)


def _scale_from_the_sum(model, cache, pieces):
    stream = pieces.sum(dim=0)
    stream = stream - stream.mean(dim=-1, keepdim=True)
    return (stream.pow(2).mean(dim=-1, keepdim=True) + model.cfg.eps).sqrt()


def _no_position(model, cache):
    parts = _parts(model, cache)
    return torch.cat([parts[:1], parts[2:]])


DIRECT_LOGIT_ATTRIBUTION = Exercise(
    slug="direct-logit-attribution",
    title="Who wrote the answer?",
    chapter="04",
    points=2,
    minutes=12,
    difficulty=3,
    objective="Split the logit difference into what each part of the stream adds to it directly, with the final LayerNorm held fixed.",
    cases=_attribution_cases,
    reference=direct_logit_attribution,
    tolerance=CLOSE,
    styles=(
        Style(name="einsum", right=_attributed()),
        Style(name="a loop over parts and pairs", right=_loop),
        Style(
            name="the scale computed from the final stream",
            right=_attributed(scale=_scale_from_the_sum),
        ),
    ),
    mistakes=(
        Mistake(
            name="no LayerNorm",
            wrong=_attributed(scale=lambda model, cache, pieces: 1.0),
            sentence="The final LayerNorm is missing: your parts add up to something much larger or smaller than the logit difference. Divide by the scale "
            "in the cache, `ln_final.hook_scale`.",
        ),
        Mistake(
            name="multiplied by the scale",
            wrong=_attributed(scale=lambda *inputs: 1 / _final(*inputs)),
            sentence="You multiply by the scale. LayerNorm DIVIDES the stream by it.",
        ),
        Mistake(
            name="the bias in every part",
            wrong=lambda model, cache, answers, wrongs: (
                direct_logit_attribution(model, cache, answers, wrongs)
                + (model.b_U[answers] - model.b_U[wrongs])
            ),
            sentence="You add the unembedding's bias to every part. It belongs to none of them: the notebook adds it once, at the end.",
        ),
        Mistake(
            name="each part with its own scale",
            wrong=_attributed(scale=_own_scale),
            sentence="You divide each part by its OWN scale, so small parts look as large as big ones and nothing adds up. LayerNorm divides the whole stream "
            "by one number per prompt: use that for all parts.",
        ),
        Mistake(
            name="sign exchanged",
            wrong=lambda model, cache, answers, wrongs: direct_logit_attribution(
                model, cache, wrongs, answers
            ),
            sentence="The sign is the wrong way round: towards the answer and away from the wrong token is positive.",
        ),
        Mistake(
            name="only the answer",
            wrong=_attributed(direction=lambda model, answers, wrongs: model.W_U[:, answers]),
            sentence="You project onto the answer's direction alone. What raises both names alike says nothing about which one: subtract the wrong one's.",
        ),
        Mistake(
            name="the first position",
            wrong=_attributed(parts=lambda model, cache: _parts(model, cache, 0)),
            sentence="You read the parts at the first position. The answer is predicted at the last.",
        ),
        Mistake(
            name="the scale of the first position",
            wrong=_attributed(
                scale=lambda model, cache, pieces: cache["ln_final.hook_scale"][:, 0]
            ),
            sentence="You take the scale of another position. Each position of each prompt has its own: take the last one's.",
        ),
        Mistake(
            name="no positional embedding",
            wrong=_attributed(parts=_no_position),
            sentence="A part is missing: the positional embedding writes to the stream, too. The parts are those of `residual_part_names`.",
        ),
        Mistake(
            name="running totals",
            wrong=lambda *inputs: direct_logit_attribution(*inputs).cumsum(dim=0),
            sentence="These are running totals: each entry contains all parts before it. Return each part by itself.",
        ),
        Mistake(
            name="averaged over pairs",
            wrong=lambda *inputs: direct_logit_attribution(*inputs).mean(dim=-1),
            sentence="You averaged over the pairs. Return [part pair].",
        ),
        Mistake(
            name="the first pair's tokens for all",
            wrong=lambda model, cache, answers, wrongs: direct_logit_attribution(
                model, cache, answers[:1].expand_as(answers), wrongs[:1].expand_as(wrongs)
            ),
            sentence="You use the first pair's two tokens for all pairs. Each pair has its own direction.",
        ),
    ),
    hints=(
        "`torch.stack([cache[name][:, -1] for name in residual_part_names(n_layers)])` is [part pair d_model].",
        "The direction of pair i is W_U[:, answers[i]] - W_U[:, wrongs[i]], so `model.W_U[:, answers] - model.W_U[:, wrongs]` is [d_model pair].",
        "Divide by cache['ln_final.hook_scale'][:, -1], [pair 1]: the same number for all parts of a prompt.",
    ),
)
