"""Chapter 07: `guardrail`, `unseen-vector`."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from mi_tutor.lab.steering import clamped_on, project_out, unseen_part
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style
from mi_tutor.teach.exercises.making import normal, uniform


def _clamp_cases(g: torch.Generator) -> list[Case]:
    settings = [
        ("two latents", (5,), 12, 20, 2),
        ("several prompts and positions", (2, 3), 12, 24, 2),
        ("one latent", (12,), 10, 16, 1),
        ("some are above their values already", (14,), 12, 20, 3),
        ("values of 0 change nothing", (6,), 11, 15, 2),
        ("as many latents as dimensions", (9,), 12, 12, 2),
        ("double precision", (11,), 16, 24, 2),
    ]
    cases = []
    for label, batch, d, d_sae, n in settings:
        dtype = torch.float64 if "double" in label else torch.float32
        x = normal(g, *batch, d, dtype=dtype)
        activations = normal(g, *batch, d_sae, dtype=dtype).relu()
        W_dec = F.normalize(normal(g, d_sae, d, dtype=dtype), dim=-1)
        latents = torch.randperm(d_sae, generator=g)[:n]
        values = uniform(g, n, low=1.0, high=2.0, dtype=dtype)
        if "above" in label:
            activations[::2, latents] = values + 1.5
            activations[1::2, latents] = 0.3
        if "values of 0" in label:
            values = torch.zeros_like(values)
        inputs = {
            "x": x,
            "activations": activations,
            "W_dec": W_dec,
            "latents": latents,
            "values": values,
        }
        cases.append(Case(label=label, inputs=inputs))
    return cases


def _clamp_loop(x, activations, W_dec, latents, values):
    out = x.clone()
    for latent, value in zip(latents.tolist(), values, strict=True):
        missing = (value - activations[..., latent]).clamp_min(0)
        out = out + missing[..., None] * W_dec[latent]
    return out


def _clamp_all_latents(x, activations, W_dec, latents, values):
    raised = activations.clone()
    raised[..., latents] = torch.maximum(raised[..., latents], values)
    return x + raised @ W_dec - activations @ W_dec


def _decoded(x, activations, W_dec, latents, values):
    raised = activations.clone()
    raised[..., latents] = torch.maximum(raised[..., latents], values)
    return raised @ W_dec


def _set(x, activations, W_dec, latents, values):
    return x + (values - activations[..., latents]) @ W_dec[latents]


def _unread(x, activations, W_dec, latents, values):
    return (x + values @ W_dec[latents]).expand_as(x)


GUARDRAIL = Exercise(
    slug="guardrail",
    title="Hold the switch on",
    chapter="07",
    points=2,
    minutes=15,
    difficulty=3,
    objective="Hold latents at or above a value in the model's stream, and touch nothing else.",
    cases=_clamp_cases,
    reference=clamped_on,
    styles=(
        Style(name="latent by latent", right=_clamp_loop),
        Style(name="two reconstructions", right=_clamp_all_latents),
        Style(
            name="relu of what is missing",
            right=lambda x, a, W, i, v: (
                x + torch.einsum("...k,kd->...d", torch.relu(v - a[..., i]), W[i])
            ),
        ),
    ),
    mistakes=(
        Mistake(
            name="the error dropped",
            wrong=_decoded,
            sentence="This is a reconstruction, in place of the stream. What the dictionary leaves out is gone, and later layers "
            "would have used it: change the stream by the difference only.",
        ),
        Mistake(
            name="set, not raised",
            wrong=_set,
            sentence="Latents that were higher are brought down to their value: this weakens a refusal that is stronger than usual. "
            "At least the value is asked for.",
        ),
        Mistake(
            name="added on top",
            wrong=_unread,
            sentence="The whole value is added, whatever the latent has already. What is missing up to the value is asked for.",
        ),
        Mistake(
            name="all latents",
            wrong=lambda x, a, W, i, v: x + torch.relu(v.max() - a) @ W,
            sentence="Every latent is raised. Only those that are named should be.",
        ),
        Mistake(
            name="only where it is on",
            wrong=lambda x, a, W, i, v: x + (torch.relu(v - a[..., i]) * (a[..., i] > 0)) @ W[i],
            sentence="Latents that are off stay off with you. A switch that is held on is there for exactly these requests.",
        ),
        Mistake(
            name="one value for all",
            wrong=lambda x, a, W, i, v: clamped_on(x, a, W, i, v.mean().expand_as(v)),
            sentence="All latents are raised to the same value. Each has its own.",
        ),
    ),
    hints=(
        "How much is missing: value - activation where that is positive, else 0. One number per row and latent.",
        "A latent writes its row of W_dec, times its activation.",
        "x + missing @ W_dec[latents]",
    ),
)


def _unseen_cases(g: torch.Generator) -> list[Case]:
    settings = [
        ("longer than allowed", 24, 30, 5, 9.0, 1.0),
        ("shorter than allowed", 24, 30, 5, 0.2, 3.0),
        ("one latent", 12, 20, 1, 5.0, 0.5),
        ("twelve latents", 32, 40, 12, 6.0, 2.0),
        ("as many latents as dimensions", 20, 20, 4, 7.0, 1.5),
        ("double precision", 24, 30, 6, 8.0, 1.0),
    ]
    cases = []
    for label, d, d_sae, n, size, longest in settings:
        dtype = torch.float64 if "double" in label else torch.float32
        vector = normal(g, d, dtype=dtype)
        W_enc = 2 * normal(g, d, d_sae, dtype=dtype)
        W_dec = F.normalize(normal(g, d_sae, d, dtype=dtype) + 0.3 * W_enc.mT, dim=-1)
        inputs = {
            "vector": size * vector / vector.norm(),
            "W_enc": W_enc,
            "W_dec": W_dec,
            "latents": torch.randperm(d_sae, generator=g)[:n],
            "longest": longest,
        }
        cases.append(Case(label=label, inputs=inputs))
    return cases


def _cut(hidden: Tensor, longest: float) -> Tensor:
    return hidden * (longest / hidden.norm().clamp_min(longest))


def _by_pinv(vector, W_enc, W_dec, latents, longest):
    rows = torch.cat([W_enc[:, latents].mT, W_dec[latents]]).double()
    left = vector.double() - vector.double() @ torch.linalg.pinv(rows) @ rows
    if left.norm() > longest:
        left = left / left.norm() * longest
    return left.to(vector.dtype)


def _by_qr(vector, W_enc, W_dec, latents, longest):
    q, _ = torch.linalg.qr(torch.cat([W_enc[:, latents], W_dec[latents].mT], dim=1).double())
    return _cut(vector.double() - q @ (q.mT @ vector.double()), longest).to(vector.dtype)


UNSEEN_VECTOR = Exercise(
    slug="unseen-vector",
    title="What the dashboard cannot see",
    chapter="07",
    points=2,
    minutes=15,
    difficulty=3,
    objective="Make a vector that some latents neither read nor write, no longer than allowed.",
    cases=_unseen_cases,
    reference=unseen_part,
    styles=(
        Style(name="pseudo-inverse", right=_by_pinv),
        Style(name="QR", right=_by_qr),
    ),
    mistakes=(
        Mistake(
            name="decoder only",
            wrong=lambda v, W_enc, W_dec, i, longest: _cut(project_out(v, W_dec[i]), longest),
            sentence="The vector is off what the latents write, but they read along their encoder columns: it would move them.",
        ),
        Mistake(
            name="encoder only",
            wrong=lambda v, W_enc, W_dec, i, longest: _cut(project_out(v, W_enc[:, i].mT), longest),
            sentence="The latents do not read the vector, but a part of it lies along what they write: the reconstruction "
            "could carry it.",
        ),
        Mistake(
            name="one after the other",
            wrong=lambda v, W_enc, W_dec, i, longest: _cut(
                project_out(project_out(v, W_dec[i]), W_enc[:, i].mT), longest
            ),
            sentence="First the one set of directions goes out, then the other, and the second step brings some of the first back. "
            "Both spans have to go out together.",
        ),
        Mistake(
            name="always that long",
            wrong=lambda v, W_enc, W_dec, i, longest: (
                F.normalize(unseen_part(v, W_enc, W_dec, i, longest), dim=0) * longest
            ),
            sentence="A vector that is shorter than allowed is made longer. `longest` is a limit.",
        ),
        Mistake(
            name="no limit",
            wrong=lambda v, W_enc, W_dec, i, longest: unseen_part(v, W_enc, W_dec, i, 1e9),
            sentence="The vector may be longer than allowed.",
        ),
        Mistake(
            name="limited first",
            wrong=lambda v, W_enc, W_dec, i, longest: unseen_part(
                _cut(v, longest), W_enc, W_dec, i, longest
            ),
            sentence="The vector is shortened before it is projected, and projecting shortens it again: the budget is not used. "
            "Limit what is left.",
        ),
        Mistake(
            name="the seen part",
            wrong=lambda v, W_enc, W_dec, i, longest: _cut(
                v - unseen_part(v, W_enc, W_dec, i, 1e9), longest
            ),
            sentence="This is the part that the latents see.",
        ),
    ),
    hints=(
        "Which directions have to go? What latent i reads is column i of W_enc, what it writes is row i of W_dec.",
        "Put both sets in one matrix, rows in the stream, and project its whole span out: your function from before.",
        "Then shorten what is left if it is longer than `longest`.",
    ),
)
