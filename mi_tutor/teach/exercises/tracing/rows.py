"""Chapter 06, what each source gives to one target: `attribution-row`."""

from __future__ import annotations

import torch
from torch import Tensor

from mi_tutor.lab.tracing import all_written, direct_effects, frozen_stream
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style, Tolerance
from mi_tutor.teach.exercises.making import normal
from mi_tutor.teach.exercises.tracing.freezing import other_stream, own_scale
from mi_tutor.teach.exercises.tracing.inputs import Size, model_and_recording

CLOSE = Tolerance(rtol=1e-4, atol=1e-5)


def random_sources(g: torch.Generator, n: int, size: Size) -> Tensor:
    """Each writes at one position: some to a part, some to several, one nothing."""
    made = torch.zeros(n, size.n_layers + 1, size.n_pos, size.d_model)
    for number in range(n - 1):
        position = int(torch.randint(size.n_pos, (), generator=g))
        first = int(torch.randint(size.n_layers + 1, (), generator=g))
        last = size.n_layers + 1 if number % 2 else first + 1
        made[number, first:last, position] = normal(g, last - first, size.d_model)
    made[0] = 0
    made[0, 0, 0] = normal(g, size.d_model)
    return made


def attribution_row(plain, seen, sources, layer, position, encoder) -> Tensor:
    """One row of `direct_effects`."""
    one = torch.tensor([layer]), torch.tensor([position]), encoder[None]
    return direct_effects(plain, seen, sources, *one)[0]


def _row_cases(g: torch.Generator) -> list[Case]:
    def case(label, size, n, layer, position):
        plain, seen, _ = model_and_recording(g, size)
        inputs = {"plain": plain, "seen": seen, "sources": random_sources(g, n, size)}
        inputs |= {"layer": layer, "position": position, "encoder": normal(g, size.d_model)}
        return Case(label=label, inputs=inputs)

    return [
        case("a latent of the last layer", Size(), 14, 2, 4),
        case("a logit, read by the unembedding", Size(n_layers=2, n_heads=2), 12, 2, 4),
        case("a latent in the middle of the prompt", Size(n_layers=4, n_pos=6), 20, 2, 3),
        case("a latent of layer 0, at the first position", Size(n_pos=4), 10, 0, 0),
        case("as many sources as parts", Size(n_layers=3, d_model=8, n_heads=2), 4, 3, 2),
        case("a single source that counts", Size(1, 6, 2, 3), 2, 1, 2),
    ]


def _row(stream=frozen_stream, at=None, constant=True, finish=lambda effect, sources: effect):
    """By forward runs of each source alone, with one step in another way."""

    def answer(plain, seen, sources, layer, position, encoder):
        reads = stream(plain, seen, sources)
        if constant:
            reads = reads - stream(plain, seen, torch.zeros_like(sources[:1]))
        where = at(layer, position, sources.shape) if at else (layer, position)
        return finish(reads[:, where[0], where[1]] @ encoder, sources)

    return answer


def _gradient(plain, seen, sources, layer, position, encoder):
    with torch.enable_grad():
        written = all_written(seen).requires_grad_()
        target = frozen_stream(plain, seen, written)[layer, position] @ encoder
        (gradient,) = torch.autograd.grad(target, written)
    return gradient


def by_autograd(plain, seen, sources, *target):
    gradient = _gradient(plain, seen, sources, *target)
    return torch.einsum("lpd,slpd->s", gradient, sources)


def _left_out(plain, seen, sources, layer, position, encoder):
    """What the target loses when a source is taken away."""
    whole = all_written(seen)
    rows = [whole, *(whole - source for source in sources)]
    found = [float(frozen_stream(plain, seen, each)[layer, position] @ encoder) for each in rows]
    return torch.tensor([found[0] - each for each in found[1:]])


def _one_by_one(plain, seen, sources, layer, position, encoder):
    nothing = frozen_stream(plain, seen, torch.zeros_like(sources[0]))[layer, position] @ encoder
    return torch.stack(
        [frozen_stream(plain, seen, v)[layer, position] @ encoder - nothing for v in sources]
    )


def _gradient_norm(plain, seen, sources, *target):
    gradient = _gradient(plain, seen, sources, *target)
    on = (sources != 0).to(sources)
    return torch.einsum("lpd,slpd->s", gradient, on)


def _embedding_part(plain, seen, sources, *target):
    gradient = _gradient(plain, seen, sources, *target)
    return torch.einsum("pd,spd->s", gradient[0], sources[:, 0])


def _first_part(plain, seen, sources, *target):
    """Only the first part that each writes to."""
    kept = torch.zeros_like(sources)
    for number, source in enumerate(sources):
        parts = source.flatten(1).any(dim=1).nonzero()[:, 0]
        if len(parts):
            kept[number, parts[0]] = source[parts[0]]
    return attribution_row(plain, seen, kept, *target)


def _same_position(plain, seen, sources, layer, position, encoder):
    here = torch.zeros_like(sources)
    here[:, :, position] = sources[:, :, position]
    return attribution_row(plain, seen, here, layer, position, encoder)


def _not_frozen(plain, seen, sources, layer, position, encoder):
    stream, whole = other_stream(norm=own_scale), all_written(seen)
    rows = torch.stack([whole, *(whole - source for source in sources)])
    found = stream(plain, seen, rows)[:, layer, position] @ encoder
    return found[0] - found[1:]


def _direct_dot(plain, seen, sources, layer, position, encoder):
    return sources[:, : layer + 1, position].sum(dim=1) @ encoder


ATTRIBUTION_ROW = Exercise(
    slug="attribution-row",
    title="What made this latent come on?",
    chapter="06",
    points=4,
    minutes=22,
    difficulty=4,
    objective="Derive a row of the attribution graph: split a target's pre-activation into what each source gives to it directly, exactly.",
    cases=_row_cases,
    reference=attribution_row,
    tolerance=CLOSE,
    styles=(
        Style(name="one backward pass", right=by_autograd),
        Style(name="what is lost without each source", right=_left_out),
        Style(name="each source alone, one by one", right=_one_by_one),
        Style(name="all sources in one batch", right=_row()),
    ),
    mistakes=(
        Mistake(
            name="the constant in every source",
            wrong=_row(constant=False),
            sentence="Each of your numbers contains what the target reads when NOTHING is written: what biases give. That belongs to no source.",
        ),
        Mistake(
            name="denominators not frozen",
            wrong=_not_frozen,
            sentence="You take sources away from a stream whose LayerNorms follow. Then sources share in each other's effects and do not add up: use the frozen "
            "stream.",
        ),
        Mistake(
            name="a gradient times 1",
            wrong=_gradient_norm,
            sentence="You add up the gradient where a source writes. What counts is gradient times WHAT it writes, over all dimensions.",
        ),
        Mistake(
            name="embedding only",
            wrong=_embedding_part,
            sentence="You count what sources write to part 0 only. Latents and errors write to the parts of the MLPs.",
        ),
        Mistake(
            name="first part only",
            wrong=_first_part,
            sentence="A source that writes to several layers counts with the first of them only in yours. All that it writes belongs to it.",
        ),
        Mistake(
            name="target's position only",
            wrong=_same_position,
            sentence="You count only what is written at the target's own position. Attention moves what is written earlier: that is a path, too.",
        ),
        Mistake(
            name="no path",
            wrong=_direct_dot,
            sentence="You lay what a source writes straight against the encoder. On the way are LayerNorms and attentions: let `frozen_stream` do them.",
        ),
        Mistake(
            name="the last position",
            wrong=_row(at=lambda layer, position, shape: (layer, shape[2] - 1)),
            sentence="You read at the last position. Each target has a position of its own.",
        ),
        Mistake(
            name="the unembedding reads",
            wrong=_row(at=lambda layer, position, shape: (shape[1] - 1, position)),
            sentence="You take what the unembedding reads. The target reads part `layer`.",
        ),
        Mistake(
            name="shares",
            wrong=_row(finish=lambda e, s: e.abs() / e.abs().sum().clamp_min(1e-10)),
            sentence="These are shares of absolute values. They come later; here give the effects themselves, with their signs.",
        ),
        Mistake(
            name="per size",
            wrong=_row(finish=lambda e, s: e / s.flatten(1).norm(dim=1).clamp_min(1e-10)),
            sentence="You divide each effect by the size of what the source writes. How much it writes is part of its effect.",
        ),
    ),
    hints=(
        "The target's pre-activation is `frozen_stream(plain, seen, written)[layer, position] @ encoder`. As a function of `written`, what kind of function is it?",
        "For an affine function f, what v adds is f(v) - f(0), whatever else is there. Or: its gradient is the same everywhere.",
        "Either all sources as one batch, and nothing as another run to subtract; or `torch.autograd.grad` once (inside `torch.enable_grad()`), and an einsum.",
    ),
)
