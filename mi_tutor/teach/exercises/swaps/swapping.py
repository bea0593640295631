"""Chapter 05, the intervention: `swap-the-state`."""

from __future__ import annotations

import torch

from mi_tutor.lab.swaps import swap_logits
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style, Tolerance
from mi_tutor.teach.exercises.copies import EDITED, without_gradients
from mi_tutor.teach.exercises.making import normal
from mi_tutor.teach.exercises.swaps.atlas import SPECIMEN, a_model, atlas, random_tokens


def _swap_cases(g: torch.Generator) -> list[Case]:
    last = atlas().cfg.n_layers - 1
    settings = [
        ("one prompt", SPECIMEN, 8, [4], 2),
        ("three prompts, three places", SPECIMEN, 9, [3, 6, 5], 1),
        ("before the first layer, in another model", SPECIMEN + EDITED, 7, [2, 5], 0),
        ("before the last layer", SPECIMEN, 10, [7, 2, 4, 8], last),
    ]
    return [
        Case(
            label=label,
            inputs={
                "model": a_model(name),
                "tokens": random_tokens(g, len(places), length),
                "places": torch.tensor(places),
                "steps": 4 * normal(g, len(places), atlas().cfg.d_model),
                "layer": layer,
            },
        )
        for label, name, length, places, layer in settings
    ]


def _edited(edit, where="resid_pre", read=lambda logits, places: logits[:, -1]):
    """An answer with another edit of the stream: `edit(stream, places, steps)` changes it in place."""

    def answer(model, tokens, places, steps, layer):
        def hook(stream, hook):
            stream = stream.clone()
            edit(stream, places, steps)
            return stream

        hooks = [(f"blocks.{layer}.hook_{where}", hook)]
        return read(model.run_with_hooks(tokens, fwd_hooks=hooks), places)

    return answer


def _right(stream, places, steps):
    stream[torch.arange(len(stream)), places] += steps


def _set(stream, places, steps):
    stream[torch.arange(len(stream)), places] = steps


def _subtract(stream, places, steps):
    stream[torch.arange(len(stream)), places] -= steps


def _everywhere(stream, places, steps):
    stream += steps[:, None]


def _all_places_in_all_prompts(stream, places, steps):
    for place, step in zip(places.tolist(), steps, strict=True):
        stream[:, place] += step


def _first_place(stream, places, steps):
    stream[:, places[0]] += steps


def _last_place(stream, places, steps):
    stream[:, -1] += steps


def _nothing(stream, places, steps):
    pass


def _from_the_place_on(stream, places, steps):
    for row, place, step in zip(stream, places.tolist(), steps, strict=True):
        row[place:] += step


def _swap_in_context(model, tokens, places, steps, layer):
    def hook(stream, hook):
        for i, place in enumerate(places.tolist()):
            stream[i, place] += steps[i]
        return stream

    with model.hooks(fwd_hooks=[(f"blocks.{layer}.hook_resid_pre", hook)]):
        return model(tokens)[:, -1, :]


def _swap_by_mask(model, tokens, places, steps, layer):
    here = torch.nn.functional.one_hot(places, tokens.shape[1]).to(steps)

    def hook(stream, hook):
        return stream + torch.einsum("b p, b d -> b p d", here, steps)

    return model.run_with_hooks(tokens, fwd_hooks=[(f"blocks.{layer}.hook_resid_pre", hook)])[:, -1]


def _swap_by_scatter(model, tokens, places, steps, layer):
    def hook(stream, hook):
        index = places[:, None, None].expand(-1, 1, stream.shape[-1])
        return stream.scatter_add(1, index, steps[:, None])

    logits = model.run_with_hooks(tokens, fwd_hooks=[(f"blocks.{layer}.hook_resid_pre", hook)])
    return logits[..., -1, :]


def _swap_left_behind(model, tokens, places, steps, layer):
    def hook(stream, hook):
        if len(stream) == len(places):
            stream = stream.clone()
            _right(stream, places, steps)
        return stream

    model.add_hook(f"blocks.{layer}.hook_resid_pre", hook)
    return model(tokens)[:, -1]


SWAP_THE_STATE = Exercise(
    slug="swap-the-state",
    title="Swap the state",
    chapter="05",
    points=3,
    minutes=12,
    difficulty=2,
    objective="Swap the middle step: add a direction in the middle of the computation, at one token, and read the new answer.",
    cases=_swap_cases,
    reference=swap_logits,
    run=without_gradients,
    tolerance=Tolerance(rtol=1e-4, atol=1e-3),
    styles=(
        Style(name="model.hooks and a loop", right=_swap_in_context),
        Style(name="a mask and einsum", right=_swap_by_mask),
        Style(name="scatter_add", right=_swap_by_scatter),
    ),
    mistakes=(
        Mistake(
            name="hook left behind",
            wrong=_swap_left_behind,
            sentence="The logits are right, but your hook is still in the model, so everything that runs later is swapped too. Use "
            "`run_with_hooks` or `with model.hooks(...)`: both take the hook out again.",
        ),
        Mistake(
            name="nothing changed",
            wrong=_edited(_nothing),
            sentence="These are the logits of the unchanged model. Does your hook return the changed stream?",
        ),
        Mistake(
            name="every position",
            wrong=_edited(_everywhere),
            sentence="You add the step at every position of the prompt. It belongs to one place: where the name ends.",
        ),
        Mistake(
            name="all places in all prompts",
            wrong=_edited(_all_places_in_all_prompts),
            sentence="`stream[:, places]` is every prompt at EVERY place in the list, so each prompt gets the others' steps too. Pair prompt i "
            "with place i: both axes need an index.",
        ),
        Mistake(
            name="one place for all",
            wrong=_edited(_first_place),
            sentence="You use the first prompt's place for all of them. Each prompt has its own.",
        ),
        Mistake(
            name="the last position",
            wrong=_edited(_last_place),
            sentence="You add the step at the last position, where the answer is predicted. The state is swapped where the name ends, at "
            "`places`.",
        ),
        Mistake(
            name="from the place on",
            wrong=_edited(_from_the_place_on),
            sentence="You add the step at the place and at all tokens after it. One token per prompt, please.",
        ),
        Mistake(
            name="replaced, not added",
            wrong=_edited(_set),
            sentence="You put the step in the stream's place, so all that was there is gone. ADD it.",
        ),
        Mistake(
            name="subtracted",
            wrong=_edited(_subtract),
            sentence="You subtract the step. It is already the difference (target minus source): add it.",
        ),
        Mistake(
            name="after the layer",
            wrong=_edited(_right, where="resid_post"),
            sentence="You change the stream AFTER layer `layer` (resid_post). The layer itself should read the change: use resid_pre.",
        ),
        Mistake(
            name="logits at the name",
            wrong=_edited(
                _right,
                read=lambda logits, places: logits[torch.arange(len(places)), places],
            ),
            sentence="You read the logits where the name ends. What comes after the whole prompt is predicted at its last token.",
        ),
        Mistake(
            name="logits everywhere",
            wrong=_edited(_right, read=lambda logits, places: logits),
            sentence="You return the logits of every position. Asked are those after the whole prompt: [prompt vocab].",
        ),
    ),
    hints=(
        "A hook at `blocks.{layer}.hook_resid_pre` sees the stream, [prompt pos d_model], and what it returns is used instead.",
        "Two index tensors of one length pick one position per prompt: which rows, and which columns?",
        "`stream[torch.arange(len(stream)), places]` is [prompt d_model], and so are the steps. Work on a clone.",
        "`model.run_with_hooks(tokens, fwd_hooks=[(name, hook)])` gives [prompt pos vocab]. You need its last position.",
    ),
)
