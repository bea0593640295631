"""Chapter 03, taking heads out: `ablate-heads` and `needed-head`."""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch import Tensor

from mi_tutor.lab.ground.device import seeded
from mi_tutor.lab.ground.metrics import per_position_loss
from mi_tutor.lab.induction.experiments import loss_without_heads, second_copy_loss
from mi_tutor.lab.induction.heads import head_scores
from mi_tutor.teach.exercise import (
    Case,
    Exercise,
    Mistake,
    Style,
    Tolerance,
    ValueExercise,
)
from mi_tutor.teach.exercises.copies import EDITED
from mi_tutor.teach.exercises.induction.specimens import (
    TWO_LAYERS,
    a_model,
    clean,
    repeats,
    specimen,
)

# --- ablate-heads ---------------------------------------------------------------------------------


def _cases(g: torch.Generator) -> list[Case]:
    settings = [
        ("one head of layer 0", TWO_LAYERS, 3, 7, [(0, 2)]),
        ("two heads of one layer", TWO_LAYERS, 2, 9, [(1, 0), (1, 2)]),
        ("three heads of two layers", TWO_LAYERS, 3, 6, [(0, 1), (1, 3), (0, 2)]),
        ("another model, one row, one head", TWO_LAYERS + EDITED, 1, 10, [(1, 1)]),
        ("no head at all", TWO_LAYERS, 2, 5, []),
    ]
    return [
        Case(
            label=label,
            inputs={"model": a_model(name), "tokens": repeats(g, n_rows, n_block), "heads": heads},
        )
        for label, name, n_rows, n_block, heads in settings
    ]


def _answer(edit, site="attn.hook_z", loss=per_position_loss, chosen=lambda heads: heads):
    """An answer with one hook per head: `edit(value, head)` changes a copy of what the hook is given."""

    def hook_for(head):
        def hook(value, hook):
            value = value.clone()
            edit(value, head)
            return value

        return hook

    def answer(model, tokens, heads):
        hooks = [(f"blocks.{layer}.{site}", hook_for(head)) for layer, head in chosen(heads)]
        return loss(model.run_with_hooks(tokens, fwd_hooks=hooks), tokens)

    return answer


def _zero(z, head):
    z[:, :, head] = 0.0


def _zero_all(z, head):
    z[:] = 0.0


def _zero_coordinate(z, head):
    z[..., head] = 0.0


def _zero_position(z, head):
    z[:, head] = 0.0


def _mean(z, head):
    z[:, :, head] = z[:, :, head].mean(dim=1, keepdim=True)


def _zero_pattern(pattern, head):
    pattern[:, head] = 0.0


def _by_functools(model, tokens, heads):
    def hook(z, hook, head):
        keep = torch.ones(z.shape[2])
        keep[head] = 0
        return z * keep[:, None]

    hooks = [(f"blocks.{i}.attn.hook_z", functools.partial(hook, head=j)) for i, j in heads]
    with model.hooks(fwd_hooks=hooks):
        return per_position_loss(model(tokens), tokens)


def _one_hook_per_layer(model, tokens, heads):
    hooks = []
    for layer in range(model.cfg.n_layers):
        mine = [head for at, head in heads if at == layer]

        def hook(z, hook, mine=mine):
            z = z.clone()
            z[:, :, mine] = 0.0
            return z

        hooks.append((f"blocks.{layer}.attn.hook_z", hook))
    with torch.no_grad(), model.hooks(fwd_hooks=hooks):
        return per_position_loss(model(tokens), tokens)


def _late_binding(model, tokens, heads):
    hooks = []
    for layer, head in heads:

        def hook(z, hook):
            z = z.clone()
            z[:, :, head] = 0.0  # noqa: B023 - this is the mistake
            return z

        hooks.append((f"blocks.{layer}.attn.hook_z", hook))
    return per_position_loss(model.run_with_hooks(tokens, fwd_hooks=hooks), tokens)


def _left_behind(model, tokens, heads):
    for layer, head in heads:

        def hook(z, hook, head=head):
            z = z.clone()
            z[:, :, head] = 0.0
            return z

        model.add_hook(f"blocks.{layer}.attn.hook_z", hook)
    return per_position_loss(model(tokens), tokens)


def _nothing_returned(model, tokens, heads):
    def hook(z, hook):
        z = torch.zeros_like(z)

    hooks = [(f"blocks.{layer}.attn.hook_z", hook) for layer, _ in heads]
    return per_position_loss(model.run_with_hooks(tokens, fwd_hooks=hooks), tokens)


def _one_at_a_time(model, tokens, heads):
    losses = [loss_without_heads(model, tokens, [head]) for head in heads]
    return torch.stack(losses).mean(dim=0) if losses else loss_without_heads(model, tokens, [])


def _exchanged(model, tokens, heads):
    n_layers, n_heads = model.cfg.n_layers, model.cfg.n_heads
    swapped = [(head % n_layers, layer % n_heads) for layer, head in heads]
    return loss_without_heads(model, tokens, swapped)


def _unshifted(logits, tokens):
    return -logits.log_softmax(dim=-1).gather(-1, tokens[..., None])[:, :-1, 0]


ABLATE_HEADS = Exercise(
    slug="ablate-heads",
    title="The loss without some heads",
    chapter="03",
    points=3,
    minutes=10,
    difficulty=3,
    objective="Take any set of heads out in one run, and leave no hook behind.",
    cases=_cases,
    reference=loss_without_heads,
    tolerance=Tolerance(rtol=1e-4, atol=1e-4),
    styles=(
        Style(name="functools.partial and a mask", right=_by_functools),
        Style(name="one hook per layer", right=_one_hook_per_layer),
        Style(name="the pattern set to zero", right=_answer(_zero_pattern, "attn.hook_pattern")),
        Style(name="run_with_hooks and a closure", right=_answer(_zero)),
    ),
    mistakes=(
        Mistake(
            name="hook left behind",
            wrong=_left_behind,
            sentence="The losses are right, but your change is still in the model (a hook that stayed, or a weight that was overwritten), "
            "so everything that runs later runs without those heads. `with model.hooks(...)` and `run_with_hooks` take hooks out "
            "again.",
        ),
        Mistake(
            name="every hook has the last head",
            wrong=_late_binding,
            sentence="With several heads all your hooks take out the LAST one: a function made in a loop looks its loop variable up when "
            "it runs, after the loop. Bind it when the hook is made (a function that makes the hook, or a default argument).",
        ),
        Mistake(
            name="nothing changed",
            wrong=_nothing_returned,
            sentence="The losses are those of the unchanged model. Does your hook return the changed tensor, and does it change every position? (At "
            "the last one there is no loss to see it by.)",
        ),
        Mistake(
            name="only one of the heads",
            wrong=_answer(_zero, chosen=lambda heads: heads[:1]),
            sentence="You take out the first head of the list only. All of them at once, in one run.",
        ),
        Mistake(
            name="only the last of the heads",
            wrong=_answer(_zero, chosen=lambda heads: heads[-1:]),
            sentence="Only the last head of the list is out: you run the model once per head. Collect the hooks of all heads, then "
            "run once.",
        ),
        Mistake(
            name="one at a time",
            wrong=_one_at_a_time,
            sentence="You take the heads out one at a time and average. Heads can stand in for one another: only together do you see what "
            "they do together.",
        ),
        Mistake(
            name="whole layers",
            wrong=_answer(_zero_all),
            sentence="You set all heads of the layer to zero. z is [batch pos head d_head]: pick the one head.",
        ),
        Mistake(
            name="one coordinate of every head",
            wrong=_answer(_zero_coordinate),
            sentence="Your index falls on the last axis, d_head, and removes one coordinate of every head. z is [batch pos head d_head]: "
            "head is the third axis.",
        ),
        Mistake(
            name="one position of every head",
            wrong=_answer(_zero_position),
            sentence="Your index falls on the second axis, position, and removes all heads at one position. z is "
            "[batch pos head d_head]: head is the third axis.",
        ),
        Mistake(
            name="mean for zero",
            wrong=_answer(_mean),
            sentence="You put each head's mean over positions in its place: mean ablation, another question. Here it is zero.",
        ),
        Mistake(
            name="layer and head exchanged",
            wrong=_exchanged,
            sentence="You read each pair as (head, layer). It is (layer, head).",
        ),
        Mistake(
            name="the loss of the own token",
            wrong=_answer(_zero, loss=_unshifted),
            sentence="The heads are out, but the loss is that of each position's own token. Use your `per_position_loss`.",
        ),
        Mistake(
            name="one number",
            wrong=_answer(
                _zero, loss=lambda logits, tokens: per_position_loss(logits, tokens).mean()
            ),
            sentence="The heads are out, but you average the loss. Keep one number per row and position.",
        ),
    ),
    hints=(
        "Write a function `without(head)` that hands back a hook. Then make one pair (name, hook) per head of the list.",
        "`with model.hooks(fwd_hooks=pairs):` holds all of them while the block runs, and takes all of them out at its end.",
        "Two hooks on the same place run one after the other: the second gets what the first left.",
    ),
)

# --- needed-head ----------------------------------------------------------------------------------

N_ROWS, N_BLOCK = 64, 30


@functools.cache
def _rise() -> Tensor:
    """[layer head]: how much the loss on the second copy rises without each head."""
    model = clean()
    tokens = repeats(seeded(0), N_ROWS, N_BLOCK)
    intact = second_copy_loss(loss_without_heads(model, tokens, []), N_BLOCK)
    return torch.tensor(
        [
            [
                float(second_copy_loss(loss_without_heads(model, tokens, [(layer, head)]), N_BLOCK))
                for head in range(model.cfg.n_heads)
            ]
            for layer in range(model.cfg.n_layers)
        ]
    ) - float(intact)


def _place(flat: Any) -> tuple[int, int]:
    return divmod(int(flat), specimen().cfg.n_heads)


def needed_head() -> tuple[int, int]:
    """The head without which the second copy's loss rises most."""
    return _place(_rise().argmax())


def _most_induction() -> tuple[int, int]:
    return _place(
        head_scores(clean(), repeats(seeded(0), N_ROWS, N_BLOCK), N_BLOCK).induction.argmax()
    )


def _is_whole(value: Any) -> bool:
    if isinstance(value, Tensor):
        return value.ndim == 0 and not value.is_floating_point()
    return type(value) is int


NEEDED_HEAD = ValueExercise(
    slug="needed-head",
    title="Which head does copying need most?",
    chapter="03",
    points=1,
    minutes=1,
    difficulty=1,
    objective="Find the head without which the loss on the second copy rises most.",
    expected=needed_head,
    form="a pair (layer, head) of whole numbers, counted from 0",
    accepts=lambda value: len(value) == 2 and all(_is_whole(number) for number in value),
    styles=(
        Style(name="a list", right=lambda: list(needed_head())),
        Style(name="tensors of one number", right=lambda: tuple(torch.tensor(needed_head()))),
    ),
    mistakes=(
        Mistake(
            name="layer and head exchanged",
            wrong=lambda: needed_head()[::-1],
            sentence="These two numbers are right in the other order: layer first, then head.",
        ),
        Mistake(
            name="the head with the highest induction score",
            wrong=_most_induction,
            sentence="This head has the highest induction score. But taking it out is survived better than taking out another one: the "
            "score says where a head looks, not what depends on it.",
        ),
        Mistake(
            name="the least needed head",
            wrong=lambda: _place(_rise().argmin()),
            sentence="Without this head the loss rises least of all. Look for the largest rise.",
        ),
    ),
    hints=("Your table above has one number per head. Take the largest.",),
)
