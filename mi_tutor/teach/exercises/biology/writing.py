"""Chapter 08, planning: `write-a-line`."""

from __future__ import annotations

import torch

from mi_tutor.lab.biology import written_after
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style
from mi_tutor.teach.exercises.copies import EDITED, a_specimen, opened, without_gradients
from mi_tutor.teach.exercises.making import normal

SPECIMEN = "primer"


def _line_cases(g: torch.Generator) -> list[Case]:
    settings = [
        ("one prompt, the last token edited", SPECIMEN, (1, 6), [None, 20, None], 1, 5),
        ("three prompts, an edit in the middle", SPECIMEN, (3, 8), [None, None, 31, None], 1, 3),
        ("nothing given: four blanks", SPECIMEN, (2, 5), [None] * 4, 1, 4),
        ("given words first, in another model", SPECIMEN + EDITED, (4, 7), [9, 40, None, 12, None], 0, 6),
        ("given words last", SPECIMEN, (2, 6), [None, None, 17, 23], 0, 2),
        ("twelve prompts", SPECIMEN, (12, 5), [33, None, None], 1, 4),
        ("a long line", SPECIMEN, (2, 14), [None, *range(40, 50), None], 1, 13),
    ]  # fmt: skip
    d_model = opened(SPECIMEN).cfg.d_model
    return [
        Case(
            label=label,
            inputs={
                "model": a_specimen(name),
                "tokens": torch.randint(2, opened(SPECIMEN).cfg.d_vocab, shape, generator=g),
                "template": template,
                "steps": 6 * normal(g, shape[0], d_model),
                "layer": layer,
                "place": place,
            },
        )
        for label, name, shape, template, layer, place in settings
    ]


def _line(
    edit=lambda stream, steps, place, grown: stream[:, place].add_(steps),
    pick=lambda logits: logits[:, -1].argmax(dim=-1),
    given=lambda token, tokens: torch.full((len(tokens),), token),
    keep=lambda new, is_blank: is_blank,
    component="resid_pre",
    on=lambda number: True,
):
    """An answer with one thing done otherwise. grown: how many tokens longer the text is than the prompts were."""

    def answer(model, tokens, template, steps, layer, place):
        n_pos, kept, number = tokens.shape[1], [], 0
        for token in template:
            if token is None:

                def hook(stream, hook, grown=tokens.shape[1] - n_pos):
                    stream = stream.clone()
                    edit(stream, steps, place, grown)
                    return stream

                hooks = [(f"blocks.{layer}.hook_{component}", hook)] if on(number) else []
                new = pick(model.run_with_hooks(tokens, fwd_hooks=hooks))
                number += 1
            else:
                new = given(token, tokens)
            if keep(new, token is None):
                kept.append(new)
            tokens = torch.cat([tokens, new[:, None]], dim=1)
        return torch.stack(kept, dim=1)

    return answer


def _forgetful(model, tokens, template, steps, layer, place):
    """What was written is kept for the result and not appended to the text."""

    def hook(stream, hook):
        stream = stream.clone()
        stream[:, place] += steps
        return stream

    written = []
    for token in template:
        if token is None:
            hooks = [(f"blocks.{layer}.hook_resid_pre", hook)]
            written.append(model.run_with_hooks(tokens, fwd_hooks=hooks)[:, -1].argmax(dim=-1))
        else:
            tokens = torch.cat([tokens, torch.full((len(tokens), 1), token)], dim=1)
    return torch.stack(written, dim=1)


def _all_blanks_at_once(model, tokens, template, steps, layer, place):
    """The whole template at once, zeros in the blanks: a blank's neighbours are not what was written."""
    filled = torch.tensor([0 if token is None else token for token in template])
    text = torch.cat([tokens, filled.expand(len(tokens), -1)], dim=1)

    def hook(stream, hook):
        stream = stream.clone()
        stream[:, place] += steps
        return stream

    logits = model.run_with_hooks(text, fwd_hooks=[(f"blocks.{layer}.hook_resid_pre", hook)])
    where = [tokens.shape[1] - 1 + i for i, token in enumerate(template) if token is None]
    return logits[:, where].argmax(dim=-1)


def _line_by_line(model, tokens, template, steps, layer, place):
    """One prompt after another, with `model.hooks`."""
    lines = []
    for row, step in zip(tokens, steps, strict=True):
        text, line = row.tolist(), []

        def hook(stream, hook, step=step):
            stream[0, place] += step
            return stream

        for token in template:
            if token is None:
                with model.hooks(fwd_hooks=[(f"blocks.{layer}.hook_resid_pre", hook)]):
                    line.append(int(model(torch.tensor([text]))[0, -1].argmax()))
            text.append(line[-1] if token is None else token)
        lines.append(line)
    return torch.tensor(lines)


def _line_by_mask(model, tokens, template, steps, layer, place):
    """The step as a whole tensor that is added, padded to the text's length."""
    written = []
    for token in template:
        column = torch.full((len(tokens), 1), -1 if token is None else token)
        if token is None:
            added = torch.zeros(*tokens.shape, steps.shape[-1])
            added[:, place] = steps
            hook = (f"blocks.{layer}.hook_resid_pre", lambda x, hook, added=added: x + added)
            column = model.run_with_hooks(tokens, fwd_hooks=[hook])[:, -1:].argmax(dim=-1)
            written.append(column)
        tokens = torch.hstack([tokens, column])
    return torch.hstack(written)


WRITE_A_LINE = Exercise(
    slug="write-a-line",
    title="Write a line after an edit",
    chapter="08",
    points=3,
    minutes=20,
    difficulty=3,
    objective="Let a model write several words after an edit that stays where it was made.",
    cases=_line_cases,
    reference=written_after,
    run=without_gradients,
    styles=(
        Style(name="prompt by prompt", right=_line_by_line),
        Style(name="the step padded to the text", right=_line_by_mask),
    ),
    mistakes=(
        Mistake(
            name="the place moves with the end",
            wrong=_line(edit=lambda x, steps, place, grown: x[:, place + grown].add_(steps)),
            sentence="Your edit moves on as the text grows: it is always as far from the end as at first. The place is one of the "
            "prompts' own tokens, and stays the same.",
        ),
        Mistake(
            name="from the place on",
            wrong=_line(edit=lambda x, steps, place, grown: x[:, place:].add_(steps[:, None])),
            sentence="You add the step at the place and at all tokens after it. Only one token is edited.",
        ),
        Mistake(
            name="edited for the first blank only",
            wrong=_line(on=lambda number: number == 0),
            sentence="Only the first blank is written with the edit. Each further word is a new run, and in each the edit has to be made "
            "again.",
        ),
        Mistake(
            name="edited for the last blank only",
            wrong=_line(
                edit=lambda x, steps, place, grown: x[:, place].add_(steps) if grown else None
            ),
            sentence="The word directly after the prompts is written without the edit. It belongs into every run.",
        ),
        Mistake(
            name="not edited",
            wrong=_line(edit=lambda x, steps, place, grown: None),
            sentence="These are the lines of the unedited model. Does your hook return the changed stream?",
        ),
        Mistake(
            name="after the layer",
            wrong=_line(component="resid_post"),
            sentence="You change the stream AFTER layer `layer` (resid_post). The layer itself should read the change: resid_pre.",
        ),
        Mistake(
            name="own words not appended",
            wrong=_forgetful,
            sentence="What the model wrote does not stand in the text when the next word is asked for. Append it, like a given word.",
        ),
        Mistake(
            name="all blanks in one run",
            wrong=_all_blanks_at_once,
            sentence="You ask for all blanks in one run, so later ones do not see what was written in earlier ones. A blank at a time.",
        ),
        Mistake(
            name="given words kept too",
            wrong=_line(keep=lambda new, is_blank: True),
            sentence="You return given words too. Asked is what stands in the blanks, [prompt blank].",
        ),
        Mistake(
            name="one prompt's word for all",
            wrong=_line(pick=lambda logits: logits[:1, -1].argmax(dim=-1).expand(len(logits))),
            sentence="All prompts get the word of the first one. Each writes its own.",
        ),
    ),
    hints=(
        "A line is a loop over the template. In each turn the text gets one token longer: a given one, or the model's own.",
        "For a blank: one run on the text so far, with the hook, and the most likely token after its last position.",
        "`place` counts from the prompt's start, so it does not change while the text grows at its end.",
        "`torch.cat([tokens, new[:, None]], dim=1)` appends. Keep the blanks' tokens in a list, and stack it along dim 1.",
    ),
)
