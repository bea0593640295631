"""Chapter 08, refusal: `turned`."""

from __future__ import annotations

import torch

from mi_tutor.lab.biology.refusing import turned
from mi_tutor.lab.ground import plain_transformer
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style
from mi_tutor.teach.exercises.copies import EDITED, a_specimen, opened, without_gradients

SPECIMEN = "primer"


def _cases(g: torch.Generator) -> list[Case]:
    settings = [
        ("one token differs", SPECIMEN, 12, 5, (2,)),
        ("two tokens differ", SPECIMEN, 8, 6, (1, 4)),
        ("another model", SPECIMEN + EDITED, 6, 7, (3,)),
        ("the last token differs", SPECIMEN, 5, 4, (3,)),
        ("eleven tokens", SPECIMEN, 4, 11, (2, 9)),
        ("one prompt", SPECIMEN, 1, 5, (2, 3)),
    ]
    cases = []
    for label, name, n, n_pos, differ in settings:
        tokens = torch.randint(2, opened(SPECIMEN).cfg.d_vocab, (n, n_pos), generator=g)
        others = tokens.clone()
        while not _differ(name, tokens, others):
            fresh = torch.randint(2, opened(SPECIMEN).cfg.d_vocab, (n, len(differ)), generator=g)
            others[:, list(differ)] = fresh
        inputs = {"model": a_specimen(name), "tokens": tokens, "others": others}
        cases.append(Case(label=label, inputs=inputs))
    return cases


def _differ(name: str, tokens, others) -> bool:
    """Whether some replies differ; where there are several prompts, not all of them."""
    with torch.no_grad():
        own, wanted = (opened(name)(each)[:, -1].argmax(dim=-1) for each in (tokens, others))
    same = (own == wanted).float().mean().item()
    return same < 1 and (len(tokens) < 4 or same > 0)


def _reference(model, tokens, others):
    """`turned`, of an opened model."""
    return turned(plain_transformer(model), tokens, others)


def _turned(
    component="resid_pre",
    put=lambda x, source, position: x[:, position].copy_(source[:, position]),
    counts=lambda replies, own, wanted: (replies == wanted)[own != wanted],
    swap=False,
):
    """An answer with one thing done otherwise."""

    def answer(model, tokens, others):
        if swap:
            tokens, others = others, tokens
        own, wanted = (model(each)[:, -1].argmax(dim=-1) for each in (tokens, others))
        _, cache = model.run_with_cache(others)
        found = torch.zeros(model.cfg.n_layers, tokens.shape[1])
        for layer in range(model.cfg.n_layers):
            name = f"blocks.{layer}.hook_{component}"
            for position in range(tokens.shape[1]):

                def hook(x, hook, position=position, name=name):
                    x = x.clone()
                    put(x, cache[name], position)
                    return x

                logits = model.run_with_hooks(tokens, fwd_hooks=[(name, hook)])
                kept = counts(logits[:, -1].argmax(dim=-1), own, wanted)
                found[layer, position] = kept.float().mean()
        return found

    return answer


def _in_one_batch(model, tokens, others):
    """Only prompts that count are run at all, and all positions of a layer at once."""
    own, wanted = (model(each)[:, -1].argmax(dim=-1) for each in (tokens, others))
    tokens, others, wanted = (each[own != wanted] for each in (tokens, others, wanted))
    _, cache = model.run_with_cache(others)
    n, n_pos = tokens.shape
    rows = []
    for layer in range(model.cfg.n_layers):
        name = f"blocks.{layer}.hook_resid_pre"
        mask = torch.eye(n_pos, dtype=torch.bool).repeat_interleave(n, dim=0)[..., None]
        source = cache[name].repeat(n_pos, 1, 1)

        def hook(x, hook, mask=mask, source=source):
            return torch.where(mask, source, x)

        logits = model.run_with_hooks(tokens.repeat(n_pos, 1), fwd_hooks=[(name, hook)])
        replies = logits[:, -1].argmax(dim=-1).view(n_pos, n)
        rows.append((replies == wanted).float().mean(dim=1))
    return torch.stack(rows)


def _step(x, source, position):
    """Only a random part: nothing is exchanged at all."""


TURNED = Exercise(
    slug="turned",
    title="By which route does it pass?",
    chapter="08",
    points=3,
    minutes=22,
    difficulty=4,
    objective="Find by which places a difference between two requests reaches the reply.",
    cases=_cases,
    reference=_reference,
    run=without_gradients,
    styles=(
        Style(name="place by place, with hooks", right=_turned()),
        Style(name="all places of a layer in one batch", right=_in_one_batch),
    ),
    mistakes=(
        Mistake(
            name="after the layer",
            wrong=_turned(component="resid_post"),
            sentence="You exchange the stream AFTER each layer. Row 0 should be before any layer: the two prompts' own tokens.",
        ),
        Mistake(
            name="from the place on",
            wrong=_turned(put=lambda x, s, p: x[:, p:].copy_(s[:, p:])),
            sentence="You exchange the place and all that follow it. Then the end is always exchanged, and with it the reply. One place.",
        ),
        Mistake(
            name="up to the place",
            wrong=_turned(put=lambda x, s, p: x[:, : p + 1].copy_(s[:, : p + 1])),
            sentence="You exchange the place and all before it. Which of them it was cannot be told then. One place.",
        ),
        Mistake(
            name="all prompts count",
            wrong=_turned(counts=lambda replies, own, wanted: replies == wanted),
            sentence="Prompts whose reply is the other one's anyway count with you as turned. Only where the two replies differ is there "
            "anything to turn.",
        ),
        Mistake(
            name="any other reply",
            wrong=_turned(counts=lambda replies, own, wanted: (replies != own)[own != wanted]),
            sentence="You count replies that are no longer what they were. A broken prompt would do as well: count those that became the "
            "other prompt's reply.",
        ),
        Mistake(
            name="the other way round",
            wrong=_turned(swap=True),
            sentence="You put the first prompts' streams into the others. The prompts `tokens` run, with streams from `others` put in.",
        ),
        Mistake(
            name="nothing put in",
            wrong=_turned(put=_step),
            sentence="Nothing turns with you. Does your hook return the stream with the other prompt's place in it?",
        ),
    ),
    hints=(
        "Three runs come first: both prompts' replies, and a cache of the other prompt's streams.",
        "Then two loops, over layers and over positions; in each turn one run of `tokens` with a hook on `blocks.L.hook_resid_pre`.",
        "Which prompts count is known before any exchange: `own != wanted`.",
    ),
)
