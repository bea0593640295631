"""Chapter 04, reading the stream: `logit-lens`."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mi_tutor.lab.patching.lens import logit_lens as lens_at
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style
from mi_tutor.teach.exercises.patching.inputs import CLOSE, a_primer, a_primers_cache, short_prompts


def logit_lens(model: Any, cache: Any) -> Tensor:
    """The logits at the last position if the model stopped at each stream, [stream pair vocab]."""
    return lens_at(model, cache)


def _lens_cases(g: torch.Generator) -> list[Case]:
    return [
        Case(
            label=label,
            inputs={
                "model": a_primer(edited=len(tokens) == 1),
                "cache": a_primers_cache(tokens, edited=len(tokens) == 1),
            },
        )
        for label, tokens in short_prompts(g)
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
    minutes=8,
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
