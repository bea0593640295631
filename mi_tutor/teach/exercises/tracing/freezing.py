"""Chapter 06, the model with everything frozen that is not linear: `frozen-model`."""

from __future__ import annotations

import torch

from mi_tutor.lab.ground.plain import affine
from mi_tutor.lab.tracing import all_written, frozen_attention, frozen_norm, frozen_stream
from mi_tutor.lab.tracing.local import denominator
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style, Tolerance
from mi_tutor.teach.exercises.making import normal
from mi_tutor.teach.exercises.tracing.inputs import Size, model_and_recording

EXACT = Tolerance(rtol=1e-5, atol=1e-5)


def _cases(g: torch.Generator) -> list[Case]:
    def case(label, size, batch=(), as_it_was=False):
        plain, seen, recording = model_and_recording(g, size)
        written = all_written(recording)
        if not as_it_was:
            written = written + normal(g, *batch, *written.shape)
        return Case(label=label, inputs={"plain": plain, "seen": seen, "written": written})

    return [
        case("what was written at the prompt", Size(), as_it_was=True),
        case("something else is written", Size(n_layers=4, n_heads=2)),
        case("several at once", Size(n_pos=4), batch=(3,)),
        case("a batch with two axes", Size(n_layers=2, d_model=8, n_heads=2), batch=(2, 5)),
        case("a single layer, as many positions as dimensions", Size(1, 6, 2, 6), batch=(3,)),
        case("as many runs as parts", Size(n_layers=2, n_pos=3), batch=(3,)),
    ]


def other_stream(
    attend=None, norm=frozen_norm, final=None, late=False, part=lambda layer: layer + 1
):
    """The right answer with one of its steps in another way."""

    def attention(plain, seen, layer, x):
        return frozen_attention(plain, layer, x, seen.patterns[layer], seen.attn_scale[layer])

    def answer(plain, seen, written):
        x, reads = written[..., 0, :, :], []
        for layer, block in enumerate(plain.blocks):
            x = x + (attend or attention)(plain, seen, layer, x)
            if late:
                x = x + written[..., part(layer), :, :]
            reads.append(norm(x, block.ln2, seen.mlp_scale[layer]))
            if not late:
                x = x + written[..., part(layer), :, :]
        reads.append((final or norm)(x, plain.ln_final, seen.final_scale))
        return torch.stack(reads, dim=-3)

    return answer


def own_scale(x, ln, scale):
    return frozen_norm(x, ln, denominator(x, 1e-5))


def _not_centred(x, ln, scale):
    return x / scale * ln.W + ln.b


def _no_bias(x, ln, scale):
    return (x - x.mean(dim=-1, keepdim=True)) / scale * ln.W


def _attention_anew(plain, seen, layer, x):
    return plain.complete(layer, {"resid_pre": x}, until="attn_out")["attn_out"]


def _pattern_anew(plain, seen, layer, x):
    pattern = plain.complete(layer, {"resid_pre": x}, until="pattern")["pattern"]
    return frozen_attention(plain, layer, x, pattern, seen.attn_scale[layer])


def _before_attention(plain, seen, written):
    x, reads = written[..., 0, :, :], []
    for layer, block in enumerate(plain.blocks):
        reads.append(frozen_norm(x, block.ln2, seen.mlp_scale[layer]))
        x = x + frozen_attention(plain, layer, x, seen.patterns[layer], seen.attn_scale[layer])
        x = x + written[..., layer + 1, :, :]
    reads.append(frozen_norm(x, plain.ln_final, seen.final_scale))
    return torch.stack(reads, dim=-3)


def _with_mlps(plain, seen, written):
    x, reads = written[..., 0, :, :], []
    for layer, block in enumerate(plain.blocks):
        x = x + frozen_attention(plain, layer, x, seen.patterns[layer], seen.attn_scale[layer])
        reads.append(frozen_norm(x, block.ln2, seen.mlp_scale[layer]))
        x = x + plain.mlp(block, x) + (written[..., layer + 1, :, :] - seen.mlp_out[layer])
    reads.append(frozen_norm(x, plain.ln_final, seen.final_scale))
    return torch.stack(reads, dim=-3)


def _recorded(plain, seen, written):
    reads = frozen_stream(plain, seen, all_written(seen))
    return reads.expand(written.shape).clone()


def _nothing_attended(plain, seen, written):
    return other_stream(attend=lambda plain, seen, layer, x: 0 * x)(plain, seen, written)


# --- other ways to write it -----------------------------------------------------------------------


def _written_out(plain, seen, written):
    """Head by head, with numbers in place of functions."""
    width = plain.blocks[0].out.W.shape[0]
    d_head = width // plain.n_heads
    x, reads = written[..., 0, :, :].clone(), []
    for layer, block in enumerate(plain.blocks):
        normed = (x - x.mean(-1, keepdim=True)) / seen.attn_scale[layer] * block.ln1.W
        normed = normed + block.ln1.b
        added = block.out.b
        for head in range(plain.n_heads):
            columns = slice(2 * width + head * d_head, 2 * width + (head + 1) * d_head)
            v = normed @ block.qkv.W[:, columns] + block.qkv.b[columns]
            rows = slice(head * d_head, (head + 1) * d_head)
            added = added + seen.patterns[layer, head] @ v @ block.out.W[rows]
        x = x + added
        read = (x - x.mean(-1, keepdim=True)) / seen.mlp_scale[layer]
        reads.append(read * block.ln2.W + block.ln2.b)
        x = x + written[..., layer + 1, :, :]
    read = (x - x.mean(-1, keepdim=True)) / seen.final_scale
    reads.append(read * plain.ln_final.W + plain.ln_final.b)
    return torch.stack(reads, dim=-3)


def _filled_in(plain, seen, written):
    """A tensor that is filled, and centring by a matrix."""
    d = written.shape[-1]
    centre = torch.eye(d) - 1 / d
    found = torch.empty_like(written)
    x = written.select(-3, 0)
    for layer, block in enumerate(plain.blocks):
        x = x + frozen_attention(plain, layer, x, seen.patterns[layer], seen.attn_scale[layer])
        found[..., layer, :, :] = affine(x @ centre / seen.mlp_scale[layer], _diagonal(block.ln2))
        x = x + written.select(-3, layer + 1)
    found[..., -1, :, :] = affine(x @ centre / seen.final_scale, _diagonal(plain.ln_final))
    return found


def _diagonal(ln):
    return type(ln)(ln.W.diag(), ln.b)


FROZEN_MODEL = Exercise(
    slug="frozen-model",
    title="Freeze what is not linear",
    chapter="06",
    points=3,
    minutes=18,
    difficulty=3,
    objective="Freeze attention patterns and LayerNorm denominators at one prompt, so that what is read is an affine function of what is written, and "
    "still exactly the model.",
    cases=_cases,
    reference=frozen_stream,
    tolerance=EXACT,
    styles=(
        Style(name="head by head", right=_written_out),
        Style(name="a tensor that is filled", right=_filled_in),
        Style(name="a list, with the given attention", right=other_stream()),
    ),
    mistakes=(
        Mistake(
            name="denominators computed anew",
            wrong=other_stream(norm=own_scale),
            sentence="Your LayerNorms before MLPs and the unembedding divide by what THIS stream has. Divide by what was recorded: otherwise the effect of one "
            "source depends on all others, and nothing is linear.",
        ),
        Mistake(
            name="attention as usual",
            wrong=other_stream(attend=_attention_anew),
            sentence="Your attention looks where this stream makes it look, with its own LayerNorm. Give it the recorded pattern and denominator.",
        ),
        Mistake(
            name="patterns computed anew",
            wrong=other_stream(attend=_pattern_anew),
            sentence="Your patterns come from this stream. They are frozen at the prompt: `seen.patterns[layer]`.",
        ),
        Mistake(
            name="final LayerNorm not frozen",
            wrong=other_stream(final=own_scale),
            sentence="All is frozen but the LAST LayerNorm, before the unembedding: `seen.final_scale`.",
        ),
        Mistake(
            name="not centred",
            wrong=other_stream(norm=_not_centred),
            sentence="Your LayerNorms do not take the mean away. Only the denominator is frozen; taking the mean off is linear and stays.",
        ),
        Mistake(
            name="no shift",
            wrong=other_stream(norm=_no_bias),
            sentence="Your LayerNorms leave their shift `b` out. (In `atlas` it is 0, in another model not.)",
        ),
        Mistake(
            name="read before attention",
            wrong=_before_attention,
            sentence="Your MLPs read the stream before their own layer's attention has written. They come after it.",
        ),
        Mistake(
            name="read after the MLP has written",
            wrong=other_stream(late=True),
            sentence="Your MLPs read the stream with their own output in it. First they read, then part l + 1 is added.",
        ),
        Mistake(
            name="MLPs that answer",
            wrong=_with_mlps,
            sentence="Your MLPs run and answer to the stream. Here what they write is GIVEN: part l + 1 of `written`, and nothing else is added.",
        ),
        Mistake(
            name="parts shifted",
            wrong=other_stream(part=lambda layer: layer),
            sentence="You add part l at layer l. Part 0 is the embedding, so layer l's MLP has part l + 1.",
        ),
        Mistake(
            name="no attention",
            wrong=_nothing_attended,
            sentence="Attention adds nothing in yours. Its pattern is frozen, what it moves is not.",
        ),
        Mistake(
            name="as recorded",
            wrong=_recorded,
            sentence="You return what was read at the prompt, whatever is written. It has to follow `written`.",
        ),
    ),
    hints=(
        "Run through the model as always: start with part 0, and in each layer add attention, let the MLP read, add the MLP's part.",
        "LayerNorm with a recorded denominator: take the mean away, divide by it, times `W`, plus `b`. Which three steps of that are linear or a shift anyway?",
        "`written[..., 0, :, :]` works with and without a batch; `torch.stack(reads, dim=-3)` puts the parts back where they were.",
    ),
)
