"""Chapter 09: `where-is-the-fact`, causal tracing (Meng et al. 2022) with hooks."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mi_tutor.lab.crosscoders import restored
from mi_tutor.lab.ground.plain import plain_transformer
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style, Tolerance
from mi_tutor.teach.exercises.making import normal
from mi_tutor.teach.exercises.patching.inputs import a_primer, cached, random_ids
from mi_tutor.teach.exercises.patching.sweeps import LEFT_BEHIND
from mi_tutor.teach.exercises.reading.primer import primer

MLP = "blocks.{}.hook_mlp_out"


def _cases(g: torch.Generator) -> list[Case]:
    settings = [
        ("three prompts, the subject in three places", 3, 5, [1, 3, 2]),
        ("one prompt", 1, 4, [2]),
        ("another model, the subject at the end", 2, 6, [5, 4]),
        ("as many prompts as positions", 4, 4, [0, 1, 1, 3]),
        ("more than ten positions", 2, 12, [4, 10]),
    ]
    cases = []
    for i, (label, n, length, at) in enumerate(settings):
        tokens = random_ids(g, n, length)
        with torch.no_grad():  # what the model says on its own is worth tracing
            answers = primer()(tokens)[:, -1].argmax(dim=-1)
        inputs = {
            "model": a_primer(edited=i == 2),
            "tokens": tokens,
            "subject": torch.tensor(at),
            "noise": 0.7 * normal(g, n, primer().cfg.d_model),
            "answers": answers,
        }
        cases.append(Case(label=label, inputs=inputs))
    return cases


def where_is_the_fact(
    model: Any, tokens: Tensor, subject: Tensor, noise: Tensor, answers: Tensor
) -> Tensor:
    """The mean probability of the answers, for each layer and position whose MLP output is put back."""
    plain = plain_transformer(model)
    return restored(plain, tokens, subject, noise, answers).mean(dim=-1)


def _right_there(logits: Tensor, answers: Tensor) -> Tensor:
    return logits[:, -1].softmax(dim=-1)[torch.arange(len(answers)), answers]


def _traced(
    spoil=None, name=MLP, index=lambda p: (slice(None), p), measure=_right_there, source="clean",
    change=lambda found, model, tokens, spoiler, answers: found,
):  # fmt: skip
    """Site by site with hooks, and one part exchanged."""

    def answer(model, tokens, subject, noise, answers):
        def spoiler(x, hook):
            if spoil is not None:
                return spoil(x, subject, noise)
            x = x.clone()
            x[torch.arange(len(x)), subject] += noise
            return x

        with torch.no_grad():
            if source == "clean":
                cache = cached(model, tokens)
            else:
                with model.hooks(fwd_hooks=[("hook_embed", spoiler)]):
                    cache = cached(model, tokens)
            found = torch.zeros(model.cfg.n_layers, tokens.shape[1])
            for layer in range(model.cfg.n_layers):
                for position in range(tokens.shape[1]):
                    site = name.format(layer)

                    def mend(x, hook, site=site, position=position):
                        x = x.clone()
                        x[index(position)] = cache[site][index(position)]
                        return x

                    hooks = [("hook_embed", spoiler), (site, mend)]
                    logits = model.run_with_hooks(tokens, fwd_hooks=hooks)
                    found[layer, position] = measure(logits, answers).mean()
            return change(found, model, tokens, spoiler, answers)

    return answer


def _all_at_once(model, tokens, subject, noise, answers):
    """A row for every position: one run for each layer."""
    n, length = tokens.shape
    clean, rows = cached(model, tokens), tokens.repeat(length, 1)
    at = torch.arange(length).repeat_interleave(n)

    def spoil(x, hook):
        where = torch.nn.functional.one_hot(subject.repeat(length), length).to(x)
        return x + where[..., None] * noise.repeat(length, 1)[:, None]

    found = []
    for layer in range(model.cfg.n_layers):
        kept = clean[MLP.format(layer)].repeat(length, 1, 1)
        mask = torch.nn.functional.one_hot(at, length).bool()[..., None]

        def mend(x, hook, mask=mask, kept=kept):
            return torch.where(mask, kept, x)

        hooks = [("hook_embed", spoil), (MLP.format(layer), mend)]
        with torch.no_grad():
            logits = model.run_with_hooks(rows, fwd_hooks=hooks)
        found.append(_right_there(logits, answers.repeat(length)).view(length, n).mean(dim=1))
    return torch.stack(found)


def _less_corrupted(found, model, tokens, spoiler, answers):
    with torch.no_grad():
        logits = model.run_with_hooks(tokens, fwd_hooks=[("hook_embed", spoiler)])
    return found - _right_there(logits, answers).mean()


def _hooks_stay(model, tokens, subject, noise, answers):
    found = _traced()(model, tokens, subject, noise, answers)

    def nothing(x, hook):
        return x * 1.5

    model.add_hook("blocks.0.hook_mlp_out", nothing)
    return found


WHERE_IS_THE_FACT = Exercise(
    slug="where-is-the-fact",
    title="Where is the fact?",
    chapter="09",
    points=3,
    minutes=25,
    difficulty=3,
    objective="Trace a fact: noise on the subject, one MLP's output put back clean, everywhere in turn.",
    cases=_cases,
    reference=where_is_the_fact,
    tolerance=Tolerance(rtol=1e-3, atol=1e-5),
    styles=(
        Style(name="site by site", right=_traced()),
        Style(name="all positions in one batch", right=_all_at_once),
    ),
    mistakes=(
        Mistake(
            name="no noise in the restored run",
            wrong=_traced(spoil=lambda x, subject, noise: x),
            sentence="All entries are what the clean run says: there is no noise in it. Both hooks belong into the same run.",
        ),
        Mistake(
            name="noise everywhere",
            wrong=_traced(spoil=lambda x, subject, noise: x + noise[:, None]),
            sentence="Your noise falls on every token. It belongs on the subject alone: the rest of the prompt asks the question.",
        ),
        Mistake(
            name="the first prompt's place for all",
            wrong=_traced(
                spoil=lambda x, subject, noise: x.index_put(
                    (torch.arange(len(x)), subject[:1].expand(len(x))), noise, accumulate=True
                )
            ),
            sentence="You take the first prompt's subject position for all prompts. Each prompt has its own.",
        ),
        Mistake(
            name="the embedding replaced",
            wrong=_traced(
                spoil=lambda x, subject, noise: x.index_put((torch.arange(len(x)), subject), noise)
            ),
            sentence="You put the noise in the embedding's place. It is added to it.",
        ),
        Mistake(
            name="nothing is put back",
            wrong=_traced(source="corrupted"),
            sentence="What you put back comes from the corrupted run, so nothing changes. Take the activations of the clean one.",
        ),
        Mistake(
            name="all positions of the layer",
            wrong=_traced(index=lambda p: (slice(None),)),
            sentence="A row of yours has one number: you put back a layer's MLP output at all positions. Asked is one position at a time.",
        ),
        Mistake(
            name="the stream",
            wrong=_traced(name="blocks.{}.hook_resid_pre"),
            sentence="You put the whole stream before the layer back. Asked is what the MLP writes: hook_mlp_out.",
        ),
        Mistake(
            name="attention",
            wrong=_traced(name="blocks.{}.hook_attn_out"),
            sentence="You put back what attention writes. Asked is what the MLP writes: hook_mlp_out.",
        ),
        Mistake(
            name="log probabilities",
            wrong=_traced(
                measure=lambda logits, answers: logits[:, -1].log_softmax(dim=-1)[
                    torch.arange(len(answers)), answers
                ]
            ),
            sentence="These are log probabilities, and a mean of them lets the worst prompt decide. Asked is the mean probability.",
        ),
        Mistake(
            name="the effect instead of the probability",
            wrong=_traced(change=_less_corrupted),
            sentence="You subtracted the corrupted run's probability already. Return the probability; the notebook subtracts.",
        ),
        Mistake(
            name="transposed",
            wrong=lambda *inputs: _traced()(*inputs).T,
            sentence="The numbers are right, but positions are your rows. Return [layer pos].",
        ),
        Mistake(name="hooks left behind", wrong=_hooks_stay, sentence=LEFT_BEHIND),
    ),
    hints=(
        "Two hooks in one run: one on hook_embed that adds the noise at each prompt's own subject, one on the MLP's output.",
        "`x[torch.arange(len(x)), subject] += noise` on a clone; `run_with_cache` on the clean prompts has what is put back.",
        "Then the last position's softmax, at each prompt's answer, and the mean over prompts. One number for each layer and position.",
    ),
)
