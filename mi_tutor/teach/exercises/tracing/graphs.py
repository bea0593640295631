"""Chapter 06, what each source gives to each target: `whole-graph`."""

from __future__ import annotations

import torch

from mi_tutor.lab.tracing import direct_effects, frozen_stream
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style, Tolerance
from mi_tutor.teach.exercises.making import normal
from mi_tutor.teach.exercises.tracing.inputs import Size, model_and_recording
from mi_tutor.teach.exercises.tracing.rows import attribution_row, by_autograd, random_sources

CLOSE = Tolerance(rtol=1e-4, atol=1e-5)


def _graph_cases(g: torch.Generator) -> list[Case]:
    def case(label, size, n_sources, n_targets):
        plain, seen, _ = model_and_recording(g, size)
        layers = torch.randint(size.n_layers + 1, (n_targets,), generator=g)
        layers[0] = size.n_layers - 1
        layers[-1] = size.n_layers
        positions = torch.randint(size.n_pos, (n_targets,), generator=g)
        positions[0], positions[-1] = size.n_pos - 2, size.n_pos - 1
        inputs = {"plain": plain, "seen": seen, "sources": random_sources(g, n_sources, size)}
        inputs |= {"layers": layers, "positions": positions}
        return Case(label=label, inputs=inputs | {"encoders": normal(g, n_targets, size.d_model)})

    return [
        case("14 sources, 6 targets", Size(), 14, 6),
        case("as many sources as targets", Size(n_layers=4, n_heads=2), 9, 9),
        case("more targets than sources", Size(n_layers=2, n_pos=6), 5, 12),
        case("two targets, as many sources as parts", Size(n_layers=3, d_model=8, n_heads=2), 4, 2),
    ]


def _by_rows(row=attribution_row):
    def answer(plain, seen, sources, layers, positions, encoders):
        targets = zip(layers.tolist(), positions.tolist(), encoders, strict=True)
        return torch.stack([row(plain, seen, sources, *target) for target in targets])

    return answer


def _by_columns(plain, seen, sources, layers, positions, encoders):
    nothing = frozen_stream(plain, seen, torch.zeros_like(sources[0]))
    columns = []
    for source in sources:
        change = frozen_stream(plain, seen, source) - nothing
        columns.append((change[layers, positions] * encoders).sum(dim=-1))
    return torch.stack(columns, dim=1)


def _edited(edit):
    return lambda plain, seen, sources, *targets: edit(
        direct_effects(plain, seen, sources, *targets)
    )


def _targets(edit):
    return lambda plain, seen, sources, *targets: direct_effects(
        plain, seen, sources, *edit(*targets)
    )


def _all_with_constant(plain, seen, sources, layers, positions, encoders):
    reads = frozen_stream(plain, seen, sources)
    return torch.einsum("std,td->ts", reads[:, layers, positions], encoders)


def _shares(found):
    return found.abs() / found.abs().sum(dim=1, keepdim=True).clamp_min(1e-10)


WHOLE_GRAPH = Exercise(
    slug="whole-graph",
    title="All of them",
    chapter="06",
    points=2,
    minutes=12,
    difficulty=3,
    objective="Make the whole graph, rows targets and columns sources, and say what it costs by rows and by columns.",
    cases=_graph_cases,
    reference=direct_effects,
    tolerance=CLOSE,
    styles=(
        Style(name="row by row, backward", right=_by_rows(by_autograd)),
        Style(name="row by row", right=_by_rows()),
        Style(name="column by column, forward", right=_by_columns),
    ),
    mistakes=(
        Mistake(
            name="transposed",
            wrong=_edited(lambda A: A.T),
            sentence="Your matrix lies on its side: rows are TARGETS, columns sources.",
        ),
        Mistake(
            name="the constant in every entry",
            wrong=_all_with_constant,
            sentence="Each entry contains what its target reads when nothing is written. That is nobody's: subtract it.",
        ),
        Mistake(
            name="absolute values",
            wrong=_edited(torch.abs),
            sentence="Your entries have lost their signs. A source can hold a target back, and that is part of the graph.",
        ),
        Mistake(
            name="shares",
            wrong=_edited(_shares),
            sentence="These are shares of each row. They are the next step; the graph has the effects themselves.",
        ),
        Mistake(
            name="first target for all",
            wrong=_targets(
                lambda layers, positions, encoders: (
                    layers[:1].expand_as(layers),
                    positions[:1].expand_as(positions),
                    encoders,
                )
            ),
            sentence="All targets read where the first one reads in yours. Each has its own layer and position.",
        ),
        Mistake(
            name="all at the last position",
            wrong=_targets(
                lambda layers, positions, encoders: (
                    layers,
                    positions.max().expand_as(positions),
                    encoders,
                )
            ),
            sentence="All your targets read at the last position of theirs. Each has its own.",
        ),
        Mistake(
            name="unembedding for all",
            wrong=_targets(
                lambda layers, positions, encoders: (
                    layers.max().expand_as(layers),
                    positions,
                    encoders,
                )
            ),
            sentence="All your targets read what the last of them reads. Each has its own layer.",
        ),
    ),
    hints=(
        "One row you have. Where a loop over targets runs the same thing again and again, what could be run once?",
        "`frozen_stream` takes a batch: all sources alone, in one go, give what EVERY target reads of each. Or go backward once per target.",
        "`reads[:, layers, positions]` is [source target d_model]; then one einsum with the encoders, and rows are targets.",
    ),
)
