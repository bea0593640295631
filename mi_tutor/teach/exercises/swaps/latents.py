"""Chapter 05: `swap-latents`."""

from __future__ import annotations

import torch

from mi_tutor.lab.swaps import latent_step
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style, Tolerance
from mi_tutor.teach.exercises.making import and_near_zero, normal


def _cases(g: torch.Generator) -> list[Case]:
    settings = [
        ("with the error term", 12, 20, True),
        ("without it", 5, 17, False),
        ("one activation, with the error term", 4, 9, True),
        ("one activation, without it", 4, 9, False),
        ("as many latents as dimensions", 7, 7, True),
    ]
    cases = []
    for label, d_model, n_latents, keep_error in settings:
        n = 1 if label.startswith("one") else 12
        latents = torch.relu(normal(g, n, n_latents))
        inputs = {
            "x": normal(g, n, d_model),
            "latents": latents,
            "change": 1.5 * normal(g, n, n_latents),
            "W_dec": normal(g, n_latents, d_model),
            "b_dec": normal(g, d_model),
            "keep_error": keep_error,
        }
        cases.append(Case(label=label, inputs=inputs))
    return cases


def _decode(latents, W_dec, b_dec):
    return latents @ W_dec + b_dec


def _by_error(x, latents, change, W_dec, b_dec, keep_error):
    error = x - _decode(latents, W_dec, b_dec)
    return _decode((latents + change).clamp(min=0), W_dec, b_dec) + keep_error * error


def _by_loop(x, latents, change, W_dec, b_dec, keep_error):
    rows = []
    for i in range(len(x)):
        new = b_dec.clone()
        for f, c, direction in zip(latents[i], change[i], W_dec, strict=True):
            new = new + max(float(f + c), 0.0) * direction
        old = torch.einsum("l, l d -> d", latents[i], W_dec) + b_dec
        rows.append(x[i] + new - old if keep_error else new)
    return torch.stack(rows)


SWAP_LATENTS = Exercise(
    slug="swap-latents",
    title="Swap latents only",
    chapter="05",
    points=2,
    minutes=10,
    difficulty=3,
    objective="Make the same swap with a dictionary's latents only, with and without what the dictionary leaves out.",
    cases=and_near_zero(
        _cases, "x", "change", "W_dec", "b_dec", positive=("latents",), zero_rows=("change",)
    ),
    reference=latent_step,
    tolerance=Tolerance(rtol=1e-4, atol=1e-4),
    styles=(
        Style(name="the error made explicit", right=_by_error),
        Style(name="loops", right=_by_loop),
        Style(
            name="torch.where",
            right=lambda x, latents, change, W_dec, b_dec, keep_error: (
                torch.where(latents + change > 0, latents + change, 0.0) @ W_dec
                + (x - latents @ W_dec if keep_error else b_dec)
            ),
        ),
    ),
    mistakes=(
        Mistake(
            name="negative latents",
            wrong=lambda x, latents, change, W_dec, b_dec, keep_error: (
                x + change @ W_dec if keep_error else _decode(latents + change, W_dec, b_dec)
            ),
            sentence="Some of your latents are negative. A latent is off at 0, and nothing below 0 was ever decoded: put a ReLU on the sum.",
        ),
        Mistake(
            name="the error kept in both",
            wrong=lambda x, latents, change, W_dec, b_dec, keep_error: latent_step(
                x, latents, change, W_dec, b_dec, True
            ),
            sentence="You keep the error term even where keep_error is False. Then nobody can tell what the latents can do alone.",
        ),
        Mistake(
            name="the error dropped in both",
            wrong=lambda x, latents, change, W_dec, b_dec, keep_error: latent_step(
                x, latents, change, W_dec, b_dec, False
            ),
            sentence="You drop the error term even where keep_error is True: x itself does not occur in your result.",
        ),
        Mistake(
            name="the flag upside down",
            wrong=lambda x, latents, change, W_dec, b_dec, keep_error: latent_step(
                x, latents, change, W_dec, b_dec, not keep_error
            ),
            sentence="Your two cases are exchanged: with keep_error the rest of x stays, without it only the decoded latents do.",
        ),
        Mistake(
            name="no decoder bias",
            wrong=lambda x, latents, change, W_dec, b_dec, keep_error: latent_step(
                x, latents, change, W_dec, torch.zeros_like(b_dec), keep_error
            ),
            sentence="Without the error term the decoder's bias is missing: decode(f) = f @ W_dec + b_dec.",
        ),
        Mistake(
            name="bias added to x",
            wrong=lambda x, latents, change, W_dec, b_dec, keep_error: (
                latent_step(x, latents, change, W_dec, b_dec, keep_error) + keep_error * b_dec
            ),
            sentence="With the error term, x already contains the decoder's bias, and you add it once more. It cancels in decode(f') - decode(f).",
        ),
        Mistake(
            name="the old latents left in",
            wrong=lambda x, latents, change, W_dec, b_dec, keep_error: (
                x + _decode(torch.relu(latents + change), W_dec, b_dec)
                if keep_error
                else latent_step(x, latents, change, W_dec, b_dec, False)
            ),
            sentence="You add the new latents to x without taking the old ones away, so the source state is still in there.",
        ),
        Mistake(
            name="the error of the new latents",
            wrong=lambda x, latents, change, W_dec, b_dec, keep_error: (
                x.clone() if keep_error else latent_step(x, latents, change, W_dec, b_dec, False)
            ),
            sentence="With the error term you return x as it was. The error is what the dictionary misses of the OLD activation, x - decode(f): "
            "taken from the new latents, it undoes the swap.",
        ),
        Mistake(
            name="only the change",
            wrong=lambda x, latents, change, W_dec, b_dec, keep_error: (
                x + torch.relu(change) @ W_dec
                if keep_error
                else _decode(torch.relu(change), W_dec, b_dec)
            ),
            sentence="You decode the ReLU of the change alone. The new latents are relu(latents + change): old value plus change.",
        ),
    ),
    hints=(
        "First the new latents: relu(latents + change).",
        "decode(f) is f @ W_dec + b_dec. Without the error term, that is all.",
        "With it, only what the latents changed is added to x. In a difference of two decoded things the bias cancels.",
    ),
)
