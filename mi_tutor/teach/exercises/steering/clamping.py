"""Chapter 07: `steer` and `many-at-once`."""

from __future__ import annotations

import torch

from mi_tutor.lab.steering import clamp_latent, clamp_many
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Property, Style, Tolerance
from mi_tutor.teach.exercises.making import and_near_zero, normal, uniform


def _activations(g: torch.Generator, *shape: int) -> tuple:
    """An activation, latents that explain some of it, and a decoder whose rows are not all of length 1."""
    *batch, d_model, m = shape
    x = 2 * normal(g, *batch, d_model)
    latents = torch.relu(normal(g, *batch, m))
    return x, latents, normal(g, m, d_model) / d_model**0.5


# --- steer ----------------------------------------------------------------------------------------


def _steer_case(g, label, shape, latent, value) -> Case:
    x, latents, W_dec = _activations(g, *shape)
    latents[..., 0, latent], latents[..., 1, latent], latents[..., 2, latent] = 0.7, 0.0, 1.3
    names = ("x", "latents", "W_dec", "latent", "value")
    values = (x, latents, W_dec, latent, value)
    return Case(label=label, inputs=dict(zip(names, values, strict=True)))


def _steer_cases(g: torch.Generator) -> list[Case]:
    return [
        _steer_case(g, "two texts", (2, 5, 6, 9), 3, 4.0),
        _steer_case(g, "one text, the last latent", (1, 6, 5, 7), 6, 2.5),
        _steer_case(g, "held at 0: switched off", (3, 4, 8, 5), 0, 0.0),
        _steer_case(g, "held below what it is somewhere", (12, 11, 11, 13), 12, 0.9),
        _steer_case(g, "held at a negative value", (2, 5, 6, 9), 1, -3.0),
        _steer_case(g, "as many texts as tokens and dimensions", (6, 6, 6, 6), 4, 3.0),
    ]


def _steered(x, latents, W_dec, latent, value, by=None, where=None, bos=True):
    """The answer with another idea of the step, or of where it is taken."""
    f = latents[..., latent]
    amount = value - f if by is None else by(f, value)
    if where is not None:
        amount = torch.where(where(f, value), amount, torch.zeros_like(f))
    if bos:
        amount = amount.clone()
        amount[:, 0] = 0
    return x + amount[..., None] * W_dec[latent]


def _other(**changes):
    return lambda *inputs: _steered(*inputs, **changes)


def _decoded(x, latents, W_dec, latent, value, keep=False):
    after = latents.clone()
    after[:, 1:, latent] = value
    error = x - latents @ W_dec
    new = after @ W_dec + (error if keep else 0)
    return torch.cat([x[:, :1], new[:, 1:]], dim=1)


def _by_loop(x, latents, W_dec, latent, value):
    new = x.clone()
    for row in range(len(x)):
        for p in range(1, x.shape[1]):
            new[row, p] = x[row, p] + (value - latents[row, p, latent]) * W_dec[latent]
    return new


def _in_place(x, latents, W_dec, latent, value):
    new = x.clone()
    change = torch.einsum("rp, d -> rpd", value - latents[:, 1:, latent], W_dec[latent])
    new[:, 1:] += change
    return new


STEER = Exercise(
    slug="steer",
    title="Clamp a latent",
    chapter="07",
    points=3,
    minutes=15,
    difficulty=3,
    objective="Hold one latent at a value, and leave alone what the dictionary leaves out.",
    cases=and_near_zero(_steer_cases, "x", "W_dec", positive=("latents",)),
    reference=clamp_latent,
    tolerance=Tolerance(rtol=3e-5, atol=1e-5),
    styles=(
        Style(
            name="decode, and put the error back",
            right=lambda *inputs: _decoded(*inputs, keep=True),
        ),
        Style(name="loops", right=_by_loop),
        Style(name="a slice and einsum", right=_in_place),
    ),
    mistakes=(
        Mistake(
            name="the error dropped",
            wrong=_decoded,
            sentence="You put the new reconstruction in x's place. What the dictionary leaves out is gone with it, at every token, so "
            "something would change even if the latent kept its value. Keep the error.",
        ),
        Mistake(
            name="multiplied",
            wrong=_other(by=lambda f, value: (value - 1) * f),
            sentence="You multiply the latent by `value`. Where it is 0 it stays 0, so nothing begins that was not there already. Clamped "
            "is: held AT the value, whatever it was.",
        ),
        Mistake(
            name="added on top",
            wrong=_other(by=lambda f, value: torch.full_like(f, value)),
            sentence="You add `value` to what the latent is already, so it ends up higher where it was on. How far does it have to move to "
            "end AT the value?",
        ),
        Mistake(
            name="only where it is on",
            wrong=_other(where=lambda f, value: f > 0),
            sentence="You clamp the latent only where it is on. Steering is to begin what is not there: it is held everywhere.",
        ),
        Mistake(
            name="never lowered",
            wrong=_other(by=lambda f, value: (value - f).clamp_min(0)),
            sentence="You only ever raise the latent. Where it is above the value it has to come down to it.",
        ),
        Mistake(
            name="BOS too",
            wrong=_other(bos=False),
            sentence="You clamp at position 0 too. That is BOS: the dictionary never saw it in training, and all later tokens look there. "
            "Leave it as it is.",
        ),
        Mistake(
            name="wrong direction of the step",
            wrong=_other(by=lambda f, value: f - value),
            sentence="The step goes the wrong way: it should end at the value, and this one leads as far away from it.",
        ),
        Mistake(
            name="only the direction",
            wrong=lambda x, latents, W_dec, latent, value: _steered(
                x, latents, W_dec / W_dec.norm(dim=-1, keepdim=True), latent, value
            ),
            sentence="You scale the decoder's row to length 1. The value is in units of the dictionary's own row: what it writes is "
            "value * W_dec[latent], as it is.",
        ),
    ),
    hints=(
        "x = decode(latents) + error. Write down the same for the changed latents, with the same error, and take the difference.",
        "All that differs is one latent's term: (new value - old value) times its row of W_dec.",
        "The old value is `latents[..., latent]`, [row pos]; it needs one more axis to be multiplied with a row.",
        "Set the step to 0 at position 0 before you add it.",
    ),
)

# --- many-at-once ---------------------------------------------------------------------------------


def _many_case(g, label, shape, chosen, keep_norm, negative=False) -> Case:
    x, latents, W_dec = _activations(g, *shape)
    values = uniform(g, len(chosen), low=1.0, high=9.0) * (-1 if negative else 1)
    names = ("x", "latents", "W_dec", "chosen", "values", "keep_norm")
    inputs = (x, latents, W_dec, torch.tensor(chosen), values, keep_norm)
    return Case(label=label, inputs=dict(zip(names, inputs, strict=True)))


def _many_cases(g: torch.Generator) -> list[Case]:
    return [
        _many_case(g, "three latents", (2, 5, 6, 9), [7, 0, 3], False),
        _many_case(g, "the norm kept", (2, 5, 6, 9), [7, 0, 3], True),
        _many_case(g, "two latents, the norm kept", (1, 4, 5, 8), [2, 5], True),
        _many_case(
            g, "twelve latents, the norm kept", (11, 12, 13, 40), list(range(39, 3, -3)), True
        ),
        _many_case(g, "negative values", (3, 4, 5, 7), [1, 2], False, negative=True),
        _many_case(g, "as many latents as texts", (4, 4, 4, 4), [3, 1, 0, 2], True),
    ]


def _many(x, latents, W_dec, chosen, values, keep_norm, scale=None, amount=None):
    amount = values - latents[..., chosen] if amount is None else amount
    changed = x + amount @ W_dec[chosen]
    if not keep_norm:
        return changed
    return scale(x, changed) if scale else _to_norm_of(x, changed)


def _to_norm_of(x, changed):
    return changed * (x.norm(dim=-1, keepdim=True) / changed.norm(dim=-1, keepdim=True))


def _step_scaled(x, changed):
    step = changed - x
    return x + step * (x.norm(dim=-1, keepdim=True) / step.norm(dim=-1, keepdim=True))


def _one_by_one(x, latents, W_dec, chosen, values, keep_norm):
    before, f = x, latents.clone()
    for i, value in zip(chosen.tolist(), values, strict=True):
        x = x + (value - f[..., i])[..., None] * W_dec[i]
    if keep_norm:
        x = torch.nn.functional.normalize(x, dim=-1) * before.norm(dim=-1, keepdim=True)
    return x


def _by_einsum(x, latents, W_dec, chosen, values, keep_norm):
    after = latents.clone()
    after[..., chosen] = values
    changed = x + torch.einsum("...m, md -> ...d", after - latents, W_dec)
    return _to_norm_of(x, changed) if keep_norm else changed


MANY_AT_ONCE = Exercise(
    slug="many-at-once",
    title="Many latents at once",
    chapter="07",
    points=2,
    minutes=12,
    difficulty=3,
    objective="Hold many latents at their values together, and see what keeping an activation's length does.",
    cases=and_near_zero(_many_cases, "x", "values", positive=("latents",)),
    reference=clamp_many,
    tolerance=Tolerance(rtol=4e-5, atol=1e-5),
    properties=(
        Property(
            name="as long as before",
            holds=lambda value, x, keep_norm, **_: (
                not keep_norm or torch.allclose(value.norm(dim=-1), x.norm(dim=-1), rtol=1e-3)
            ),
            sentence="With `keep_norm` each activation should be as long as it was, and yours are not.",
        ),
    ),
    styles=(
        Style(name="one after the other, with the old latents", right=_one_by_one),
        Style(name="all latents and einsum", right=_by_einsum),
    ),
    mistakes=(
        Mistake(
            name="the norm not kept",
            wrong=lambda x, latents, W_dec, chosen, values, keep_norm: _many(
                x, latents, W_dec, chosen, values, False
            ),
            sentence="You leave out `keep_norm`: where it is True, each new activation is scaled to the length that the old one had.",
        ),
        Mistake(
            name="the norm always kept",
            wrong=lambda x, latents, W_dec, chosen, values, keep_norm: _many(
                x, latents, W_dec, chosen, values, True
            ),
            sentence="You keep the norm even where `keep_norm` is False.",
        ),
        Mistake(
            name="the step scaled",
            wrong=lambda *inputs: _many(*inputs, scale=_step_scaled),
            sentence="You scale the STEP to the activation's length. What should keep its length is what comes out, x and step together.",
        ),
        Mistake(
            name="one length for all",
            wrong=lambda *inputs: _many(
                *inputs, scale=lambda x, changed: changed * (x.norm() / changed.norm())
            ),
            sentence="You scale all activations by one factor. Each text's each token has a length of its own.",
        ),
        Mistake(
            name="length one",
            wrong=lambda *inputs: _many(
                *inputs, scale=lambda x, changed: changed / changed.norm(dim=-1, keepdim=True)
            ),
            sentence="Your activations have length 1. They should be as long as they were.",
        ),
        Mistake(
            name="added on top",
            wrong=lambda x, latents, W_dec, chosen, values, keep_norm: _many(
                x,
                latents,
                W_dec,
                chosen,
                values,
                keep_norm,
                amount=values.expand(*x.shape[:-1], -1),
            ),
            sentence="You add the values to what the latents are already. Each has to end AT its value.",
        ),
        Mistake(
            name="multiplied",
            wrong=lambda x, latents, W_dec, chosen, values, keep_norm: _many(
                x,
                latents,
                W_dec,
                chosen,
                values,
                keep_norm,
                amount=(values - 1) * latents[..., chosen],
            ),
            sentence="You multiply each latent by its value, so those that are 0 stay 0. Held AT the value, whatever they were.",
        ),
        Mistake(
            name="their mean",
            wrong=lambda x, latents, W_dec, chosen, values, keep_norm: _many(
                x,
                latents,
                W_dec,
                chosen,
                values,
                keep_norm,
                amount=(values - latents[..., chosen]) / len(chosen),
            ),
            sentence="You divide by the number of latents. Each is to reach its own value, so the steps add up.",
        ),
    ),
    hints=(
        "It is `steer` for several: each latent moves from what it is to its value, along its own row.",
        "`values - latents[..., chosen]` is [*batch chosen] and `W_dec[chosen]` is [chosen d_model]. One matrix product.",
        "For the norm: the old length over the new one, at each token, times what came out. Use `keepdim=True`.",
    ),
)
