"""Chapter 04, reading the stream: `logit-lens` and `direct-logit-attribution`."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mi_tutor.lab.lens import direct_logit_attribution
from mi_tutor.lab.lens import logit_lens as lens_at
from mi_tutor.lab.reading import residual_part_names
from mi_tutor.teach.exercise import Case, Exercise, Handle, Mistake, Style, Tolerance
from mi_tutor.teach.exercises.ch00.primer import random_tokens
from mi_tutor.teach.exercises.ch04.inputs import a_primer, cached, random_ids, spare_primer

CLOSE = Tolerance(rtol=1e-4, atol=1e-3)


def logit_lens(model: Any, cache: Any) -> Tensor:
    """The logits at the last position if the model stopped at each stream, [stream pair vocab]."""
    return lens_at(model, cache)


def _cache(tokens: Tensor) -> Handle:
    return Handle(
        f"the cache of a run on {list(tokens.shape)} tokens",
        lambda: cached(spare_primer(), tokens),
    )


def _prompts(g: torch.Generator) -> list[tuple[str, Tensor]]:
    return [
        ("three prompts", torch.cat([random_tokens(g, 6) for _ in range(3)])),
        ("one prompt", random_tokens(g, 4)),
        ("as many prompts as positions", torch.cat([random_tokens(g, 5) for _ in range(5)])),
    ]


# --- logit-lens -----------------------------------------------------------------------------------


def _lens_cases(g: torch.Generator) -> list[Case]:
    return [
        Case(label=label, inputs={"model": a_primer(), "cache": _cache(tokens)})
        for label, tokens in _prompts(g)
    ]


def _names(model, what="pre"):
    return [f"blocks.{layer}.hook_resid_{what}" for layer in range(model.cfg.n_layers)]


def _every(model):
    return [*_names(model), _names(model, "post")[-1]]


def _lens(read, names=_every, position=-1):
    def answer(model, cache):
        with torch.no_grad():
            streams = torch.stack([cache[name][:, position] for name in names(model)])
            return read(model, streams)

    return answer


def _read(model, streams):
    return model.unembed(model.ln_final(streams))


def _by_hand(model, streams, eps=None, bias=True):
    centred = streams - streams.mean(dim=-1, keepdim=True)
    scale = (centred.pow(2).mean(dim=-1, keepdim=True) + model.cfg.eps).sqrt()
    logits = centred / scale @ model.W_U
    return logits + model.b_U if bias else logits


def _final_scale(model, cache):
    with torch.no_grad():
        streams = torch.stack([cache[name][:, -1] for name in _every(model)])
        return streams / cache["ln_final.hook_scale"][:, -1] @ model.W_U + model.b_U


LOGIT_LENS = Exercise(
    slug="logit-lens",
    title="The logit lens",
    chapter="04",
    points=2,
    minutes=10,
    difficulty=2,
    objective="Read a prediction out of every stream on the way, as if the model stopped there.",
    cases=_lens_cases,
    reference=logit_lens,
    tolerance=CLOSE,
    styles=(
        Style(name="the model's own parts", right=_lens(_read)),
        Style(name="LayerNorm by hand", right=_lens(_by_hand)),
        Style(
            name="torch's layer_norm, stream by stream",
            right=lambda model, cache: torch.stack(
                [
                    torch.nn.functional.layer_norm(
                        cache[name], cache[name].shape[-1:], eps=model.cfg.eps
                    )[:, -1]
                    @ model.W_U
                    + model.b_U
                    for name in _every(model)
                ]
            ),
        ),
    ),
    mistakes=(
        Mistake(
            name="no final LayerNorm",
            wrong=_lens(lambda model, streams: streams @ model.W_U + model.b_U),
            sentence="The final LayerNorm is missing: without it the scale of each stream's logits is arbitrary. The model's last step is ln_final, then "
            "unembed.",
        ),
        Mistake(
            name="the last stream is missing",
            wrong=_lens(_read, names=_names),
            sentence="The stream after the last layer is missing. There is one stream more than layers.",
        ),
        Mistake(
            name="the first stream is missing",
            wrong=_lens(_read, names=lambda model: _names(model, "post")),
            sentence="The stream before layer 0 (the embeddings alone) is missing. There is one stream more than layers.",
        ),
        Mistake(
            name="the first position",
            wrong=_lens(_read, position=0),
            sentence="You read the first position. The answer is predicted at the last.",
        ),
        Mistake(
            name="no bias",
            wrong=_lens(lambda model, streams: _by_hand(model, streams, bias=False)),
            sentence="The unembedding's bias b_U is missing. In an opened specimen it holds what LayerNorm's shift adds.",
        ),
        Mistake(
            name="the final stream's scale for all",
            wrong=_final_scale,
            sentence="You divide every stream by the FINAL stream's scale. The lens asks what the model would say if it stopped there: each stream is "
            "normalised by itself. (For direct logit attribution it is the other way round.)",
        ),
        Mistake(
            name="what layers write",
            wrong=_lens(
                _read,
                names=lambda model: [
                    "hook_embed",
                    *(name.replace("resid_pre", "mlp_out") for name in _names(model)),
                ],
            ),
            sentence="You read what single layers WRITE. The lens reads the whole stream, with everything written so far.",
        ),
        Mistake(
            name="probabilities",
            wrong=lambda model, cache: logit_lens(model, cache).softmax(dim=-1),
            sentence="These are probabilities. Return logits; a softmax can still be taken later.",
        ),
        Mistake(
            name="transposed",
            wrong=lambda model, cache: logit_lens(model, cache).transpose(0, 1),
            sentence="The first two axes are exchanged. Return [stream pair vocab].",
        ),
    ),
    hints=(
        "Streams: `blocks.L.hook_resid_pre` for every layer, then `hook_resid_post` of the last one.",
        "`model.ln_final` and `model.unembed` are the model's own last two steps; they take [pair pos d_model].",
    ),
)


# --- direct-logit-attribution ---------------------------------------------------------------------


def _attribution_cases(g: torch.Generator) -> list[Case]:
    return [
        Case(
            label=label,
            inputs={
                "model": a_primer(),
                "cache": _cache(tokens),
                "answers": (answers := random_ids(g, len(tokens))),
                "wrongs": (answers + 7) % 150,
            },
        )
        for label, tokens in _prompts(g)
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


def _own_layer_norm(model, cache, answers, wrongs):
    pieces = _parts(model, cache)
    normed = torch.nn.functional.layer_norm(pieces, pieces.shape[-1:], eps=model.cfg.eps)
    return ((normed @ model.W_U)[:, torch.arange(len(answers)), answers]
            - (normed @ model.W_U)[:, torch.arange(len(answers)), wrongs])  # fmt: skip


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
    minutes=15,
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
