"""Chapter 00, reading a model: `read-the-cache` and `residual-is-a-sum`."""

from __future__ import annotations

import torch

from mi_tutor.lab.reading.residual import residual_at, residual_part_names, residual_sum
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style, Tolerance
from mi_tutor.teach.exercises.reading.primer import cache_of, n_layers, random_tokens

# --- read-the-cache -------------------------------------------------------------------------------


def _cache_cases(g: torch.Generator) -> list[Case]:
    layers = n_layers()
    settings = [
        ("the first block, first position", 9, 0, 0),
        ("the last block, a position in the middle", 9, layers - 1, 4),
        ("the last block, last position", 7, layers - 1, 6),
        ("the last position, counted from the end", 6, layers - 1, -1),
        ("the first block, a prompt of 13 tokens", 13, 0, 11),
    ]
    return [
        Case(
            label=label,
            inputs={
                "cache": cache_of(random_tokens(g, length)),
                "layer": layer,
                "position": position,
            },
        )
        for label, length, layer, position in settings
    ]


def _stream(cache, layer, where="pre"):
    return cache[f"blocks.{layer}.hook_resid_{where}"][0]


READ_THE_CACHE = Exercise(
    slug="read-the-cache",
    title="One vector of the residual stream",
    chapter="00",
    points=1,
    minutes=5,
    difficulty=1,
    objective="Find one activation by name, layer and position in the cache of a run.",
    cases=_cache_cases,
    reference=residual_at,
    tolerance=Tolerance(rtol=1e-5, atol=1e-6),
    styles=(
        Style(
            name="the cache's short name",
            right=lambda cache, layer, position: cache["resid_pre", layer][0, position],
        ),
        Style(
            name="squeeze and select",
            right=lambda cache, layer, position: (
                cache[f"blocks.{layer}.hook_resid_pre"].squeeze(0).select(0, position)
            ),
        ),
        Style(
            name="where the last block left it",
            right=lambda cache, layer, position: (
                _stream(cache, layer - 1, "post")
                if layer
                else cache["hook_embed"][0] + cache["hook_pos_embed"][0]
            )[position],
        ),
    ),
    mistakes=(
        Mistake(
            name="after the block",
            wrong=lambda cache, layer, position: _stream(cache, layer, "post")[position],
            sentence="This is the stream AFTER block `layer` (resid_post). The exercise asks for what the block reads: resid_pre.",
        ),
        Mistake(
            name="all positions",
            wrong=lambda cache, layer, position: _stream(cache, layer),
            sentence="You have the stream at every position. Pick the one at `position`.",
        ),
        Mistake(
            name="batch axis kept",
            wrong=lambda cache, layer, position: cache[f"blocks.{layer}.hook_resid_pre"][
                :, position
            ],
            sentence="The batch axis is still there. One prompt was run, so take entry 0 of the first axis.",
        ),
        Mistake(
            name="always the first layer",
            wrong=lambda cache, layer, position: _stream(cache, 0)[position],
            sentence="You read block 0 whichever is asked for. Is `layer` in the name, just as it comes?",
        ),
        Mistake(
            name="always the last position",
            wrong=lambda cache, layer, position: _stream(cache, layer)[-1],
            sentence="You always read the last position. Use `position`.",
        ),
        Mistake(
            name="what attention wrote",
            wrong=lambda cache, layer, position: cache[f"blocks.{layer}.hook_attn_out"][
                0, position
            ],
            sentence="This is only what block `layer`'s attention adds. The stream it reads from is called hook_resid_pre.",
        ),
        Mistake(
            name="one coordinate of every position",
            wrong=lambda cache, layer, position: _stream(cache, layer)[:, position],
            sentence="Your index falls on the last axis, d_model. The axes are [batch pos d_model]: position is the second.",
        ),
    ),
    hints=(
        "`cache` works like a dict. The name of the stream in front of block 1 is `blocks.1.hook_resid_pre`.",
        "What you get has the axes [batch pos d_model]. You want a vector of length d_model.",
    ),
)

# --- residual-is-a-sum ----------------------------------------------------------------------------


def _sum_cases(g: torch.Generator) -> list[Case]:
    settings = [
        ("a prompt of 8 tokens", 8, n_layers()),
        ("a prompt of 2 tokens", 2, n_layers()),
        ("a model that ends after its first block", 12, 1),
    ]
    return [
        Case(
            label=label,
            inputs={
                "cache": cache_of(random_tokens(g, length), without="resid"),
                "n_layers": layers,
            },
        )
        for label, length, layers in settings
    ]


def _outputs(cache, n_layers, kinds=("attn", "mlp")):
    return sum(
        cache[f"blocks.{layer}.hook_{kind}_out"] for layer in range(n_layers) for kind in kinds
    )


def _start(cache):
    return cache["hook_embed"] + cache["hook_pos_embed"]


def _sum_in_the_cache(cache, n_layers):
    stream = cache["hook_embed"]
    for name in residual_part_names(n_layers)[1:]:
        stream += cache[name]
    return stream[0]


def _sum_by_loop(cache, n_layers):
    stream = cache["hook_embed"].clone()
    stream += cache["hook_pos_embed"]
    for layer in range(n_layers):
        stream += cache[f"blocks.{layer}.hook_attn_out"]
        stream += cache[f"blocks.{layer}.hook_mlp_out"]
    return stream[0]


def _sum_by_stack(cache, n_layers):
    parts = [cache["hook_embed"], cache["hook_pos_embed"]]
    parts += [cache[name, layer] for layer in range(n_layers) for name in ("attn_out", "mlp_out")]
    return torch.stack([part[0] for part in parts]).sum(dim=0)


RESIDUAL_SUM = Exercise(
    slug="residual-is-a-sum",
    title="The residual stream is a sum",
    chapter="00",
    points=2,
    minutes=8,
    difficulty=2,
    objective="Rebuild the final residual stream from everything that was written to it.",
    cases=_sum_cases,
    reference=residual_sum,
    tolerance=Tolerance(rtol=1e-4, atol=1e-5),
    styles=(
        Style(name="a loop that adds", right=_sum_by_loop),
        Style(name="stack and sum", right=_sum_by_stack),
        Style(
            name="start plus all outputs",
            right=lambda cache, n_layers: (_start(cache) + _outputs(cache, n_layers))[0],
        ),
    ),
    mistakes=(
        Mistake(
            name="no positional embedding",
            wrong=lambda cache, n_layers: (cache["hook_embed"] + _outputs(cache, n_layers))[0],
            sentence="The positional embedding is missing: it is added to the stream before the first block (hook_pos_embed).",
        ),
        Mistake(
            name="no embedding",
            wrong=lambda cache, n_layers: (cache["hook_pos_embed"] + _outputs(cache, n_layers))[0],
            sentence="The token embedding is missing: the stream begins with it (hook_embed).",
        ),
        Mistake(
            name="only what the blocks add",
            wrong=lambda cache, n_layers: _outputs(cache, n_layers)[0],
            sentence="You have everything that the blocks add, but not what the stream begins with: the two embeddings.",
        ),
        Mistake(
            name="no MLPs",
            wrong=lambda cache, n_layers: (_start(cache) + _outputs(cache, n_layers, ("attn",)))[0],
            sentence="The MLPs' outputs are missing: every block writes twice, once from attention and once from its MLP.",
        ),
        Mistake(
            name="no attention",
            wrong=lambda cache, n_layers: (_start(cache) + _outputs(cache, n_layers, ("mlp",)))[0],
            sentence="The attention outputs are missing: every block writes twice, once from attention and once from its MLP.",
        ),
        Mistake(
            name="one block too few",
            wrong=lambda cache, n_layers: (_start(cache) + _outputs(cache, n_layers - 1))[0],
            sentence="The last block is missing: layers are counted 0 to n_layers - 1.",
        ),
        Mistake(
            name="the stream added to itself",
            wrong=lambda cache, n_layers: sum(
                _stream(cache, layer, "post") for layer in range(n_layers)
            ),
            sentence="You add up the stream after every block, so early parts count several times. Add what each component WRITES "
            "(attn_out, mlp_out), not the stream.",
        ),
        Mistake(
            name="batch axis kept",
            wrong=lambda cache, n_layers: _start(cache) + _outputs(cache, n_layers),
            sentence="The numbers are right; the batch axis is still there. One prompt was run: return [pos d_model].",
        ),
    ),
    hints=(
        "Two things are written before the first block, and two in every block.",
        "The names: hook_embed, hook_pos_embed, blocks.L.hook_attn_out, blocks.L.hook_mlp_out.",
        "Start with the sum of the embeddings and add to it in a loop over layers. Mind the batch axis at the end.",
    ),
)
