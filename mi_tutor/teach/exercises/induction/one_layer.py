"""Chapter 03, what one layer cannot do: `one-layer-fails`."""

from __future__ import annotations

import torch

from mi_tutor.lab.induction.experiments import key_change
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style, Tolerance
from mi_tutor.teach.exercises.induction.specimens import TWO_LAYERS, a_model, specimen


def _key_cases(g: torch.Generator) -> list[Case]:
    settings = [
        ("two layers", TWO_LAYERS, 3, 9, 5),
        ("two layers, one row, the last position", TWO_LAYERS, 1, 13, 12),
        ("one layer", "induction-1l", 2, 7, 3),
        ("another model", "primer", 2, 8, 4),
    ]

    def case(label: str, name: str, n_rows: int, n_pos: int, position: int) -> Case:
        vocab = specimen(name).cfg.d_vocab
        tokens = torch.randint(1, vocab, (n_rows, n_pos), generator=g)
        shift = torch.randint(1, vocab - 1, (n_rows,), generator=g)
        return Case(
            label=label,
            inputs={
                "model": a_model(name),
                "tokens": tokens,
                "other": (tokens[:, position - 1] + shift) % vocab,
                "position": position,
            },
        )

    return [case(*setting) for setting in settings]


def _cached(model, tokens, site):
    with torch.no_grad():
        _, cache = model.run_with_cache(tokens)
    names = [f"blocks.{layer}.attn.hook_{site}" for layer in range(model.cfg.n_layers)]
    return torch.stack([cache[name] for name in names])  # [layer row pos head d_head]


def _relative(new, old):
    return ((new - old).norm(dim=-1) / old.norm(dim=-1)).mean(dim=1)


def _moved(site="k", at=-1, read=0, measure=_relative):
    def answer(model, tokens, other, position):
        changed = tokens.clone()
        changed[:, min(position + at, tokens.shape[1] - 1)] = other
        where = position + read
        old, new = (_cached(model, text, site)[:, :, where] for text in (tokens, changed))
        return measure(new, old)

    return answer


def _key_by_loops(model, tokens, other, position):
    n_layers, n_heads = model.cfg.n_layers, model.cfg.n_heads
    result = torch.zeros(n_layers, n_heads)
    left, right = tokens[:, : position - 1], tokens[:, position:]
    changed = torch.cat([left, other[:, None], right], dim=1)
    with torch.no_grad():
        _, old = model.run_with_cache(tokens)
        _, new = model.run_with_cache(changed)
    for layer in range(n_layers):
        for head in range(n_heads):
            a = old["k", layer][:, position, head]
            b = new["k", layer][:, position, head]
            ratios = [float((b[r] - a[r]).norm() / a[r].norm()) for r in range(len(tokens))]
            result[layer, head] = sum(ratios) / len(ratios)
    return result


def _key_with_hooks(model, tokens, other, position):
    kept = []

    def keep(k, hook):
        kept.append(k[:, position])

    changed = tokens.clone()
    changed[:, position - 1] = other
    hooks = [(f"blocks.{i}.attn.hook_k", keep) for i in range(model.cfg.n_layers)]
    with torch.no_grad(), model.hooks(fwd_hooks=hooks):
        model(tokens)
        model(changed)
    old, new = torch.stack(kept).chunk(2)
    return _relative(new, old)


def _key_hook_left(model, tokens, other, position):
    kept = []

    def keep(k, hook):
        kept.append(k[:, position])

    changed = tokens.clone()
    changed[:, position - 1] = other
    for layer in range(model.cfg.n_layers):
        model.add_hook(f"blocks.{layer}.attn.hook_k", keep)
    with torch.no_grad():
        model(tokens)
        model(changed)
    old, new = torch.stack(kept).chunk(2)
    return _relative(new, old)


ONE_LAYER_FAILS = Exercise(
    slug="one-layer-fails",
    title="Does a key know what came before it?",
    chapter="03",
    points=3,
    minutes=10,
    difficulty=3,
    objective="Show with a counterfactual why one layer cannot do induction.",
    cases=_key_cases,
    reference=key_change,
    tolerance=Tolerance(rtol=1e-3, atol=1e-4),
    styles=(
        Style(name="loops and short names", right=_key_by_loops),
        Style(name="hooks that keep", right=_key_with_hooks),
        Style(name="everything cached", right=_moved()),
    ),
    mistakes=(
        Mistake(
            name="the token itself replaced",
            wrong=_moved(at=0),
            sentence="You replace the token AT the position, and of course its own key moves. Replace the one before it.",
        ),
        Mistake(
            name="the token after",
            wrong=_moved(at=1, read=0),
            sentence="You replace a token after the key. Attention only looks back, so nothing can move; the question is about the token before.",
        ),
        Mistake(
            name="the replaced token's key",
            wrong=_moved(read=-1),
            sentence="You read the key of the token that you replaced. The question is about the key one position later.",
        ),
        Mistake(
            name="queries",
            wrong=_moved("q"),
            sentence="You look at queries. Whether a position can be FOUND by what came before it is a matter of its key.",
        ),
        Mistake(
            name="values",
            wrong=_moved("v"),
            sentence="You look at values. What a position hands over is another matter than how it is found: its key.",
        ),
        Mistake(
            name="not relative",
            wrong=_moved(measure=lambda new, old: (new - old).norm(dim=-1).mean(dim=1)),
            sentence="You return the length of the change. Divide by the length of the key before, row by row, so that heads can be compared.",
        ),
        Mistake(
            name="divided by the new key",
            wrong=_moved(
                measure=lambda new, old: ((new - old).norm(dim=-1) / new.norm(dim=-1)).mean(dim=1)
            ),
            sentence="You divide by the length of the new key. The yardstick is the key as it was before.",
        ),
        Mistake(
            name="difference of lengths",
            wrong=_moved(
                measure=lambda new, old: (
                    (new.norm(dim=-1) - old.norm(dim=-1)).abs() / old.norm(dim=-1)
                ).mean(dim=1)
            ),
            sentence="You compare the LENGTHS of the two keys. A key can turn without getting longer: take the length of the difference.",
        ),
        Mistake(
            name="averaged before dividing",
            wrong=_moved(
                measure=lambda new, old: (
                    (new - old).norm(dim=-1).mean(dim=1) / old.norm(dim=-1).mean(dim=1)
                )
            ),
            sentence="You average over rows first and divide then. Divide row by row, and average the ratios.",
        ),
        Mistake(
            name="one row's word for all",
            wrong=lambda model, tokens, other, position: key_change(
                model, tokens, other[:1].expand(len(other)), position
            ),
            sentence="Every row gets the first row's word. `other` has one id per row.",
        ),
        Mistake(
            name="rows not averaged",
            wrong=_moved(measure=lambda new, old: (new - old).norm(dim=-1) / old.norm(dim=-1)),
            sentence="You keep one number per row. Average over rows: [layer head].",
        ),
        Mistake(
            name="hook left behind",
            wrong=_key_hook_left,
            sentence="The numbers are right, but a hook of yours is still in the model. `run_with_cache` and `with model.hooks(...)` leave none.",
        ),
    ),
    hints=(
        "Two runs: the text as it is, and a clone of it with `other` at `position - 1`. Compare the keys at `position`.",
        "Keys are at `blocks.{layer}.attn.hook_k`, [row pos head d_head]; `run_with_cache` has them.",
        "`.norm(dim=-1)` over d_head, divide, then the mean over rows, one layer after the other.",
    ),
)
