"""Chapter 09: `crosscoder` and `shared-or-exclusive`."""

from __future__ import annotations

import torch
from einops import einsum
from torch.nn.functional import cosine_similarity, normalize

from mi_tutor.lab.crosscoders import crosscoder_forward, shared_or_exclusive
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style, Tolerance
from mi_tutor.teach.exercises.crosscoders.inputs import WEIGHTS, weights
from mi_tutor.teach.exercises.making import and_near_zero, normal, strided

# --- crosscoder -----------------------------------------------------------------------------------


def _forward_cases(g: torch.Generator) -> list[Case]:
    settings = [
        ("several samples", 6, 5, 24, 0.5, torch.float32),
        ("one sample", 1, 4, 6, 0.3, torch.float32),
        ("as many latents as dimensions, two samples", 2, 6, 6, 1.0, torch.float32),
        ("without a penalty", 12, 11, 14, 0.0, torch.float32),
        ("double precision", 11, 4, 12, 2.0, torch.float64),
    ]
    cases = []
    for label, batch, d, n, l1, dtype in settings:
        x = 2 + normal(g, batch, 2, d, dtype=dtype)
        cases.append(Case(label=label, inputs={"x": x, **weights(g, d, n, dtype), "l1": l1}))
    return cases


def _parts(x, W_enc, b_enc, W_dec, b_dec):
    f = torch.relu(torch.einsum("bmd,mdl->bl", x, W_enc) + b_enc)
    return f, torch.einsum("bl,lmd->bmd", f, W_dec) + b_dec


def _forward(price=None, error=None, latents=None):
    """A crosscoder with one part exchanged."""

    def wrong(x, W_enc, b_enc, W_dec, b_dec, l1):
        f, x_hat = _parts(x, W_enc, b_enc, W_dec, b_dec)
        if latents is not None:
            f = latents(x, W_enc, b_enc, b_dec)
            x_hat = torch.einsum("bl,lmd->bmd", f, W_dec) + b_dec
        off = (x - x_hat).square()
        found = off.sum(dim=(1, 2)).mean() if error is None else error(off)
        norm = W_dec.norm(dim=-1).sum(dim=-1) if price is None else price(W_dec)
        return f, x_hat, found + l1 * (f * norm).sum(dim=-1).mean()

    return wrong


def _by_loops(x, W_enc, b_enc, W_dec, b_dec, l1):
    pre = b_enc
    for m in range(2):
        pre = pre + x[:, m] @ W_enc[m]
    f = pre.clamp_min(0)
    x_hat = torch.stack([f @ W_dec[:, m] + b_dec[m] for m in range(2)], dim=1)
    loss = sum((x[:, m] - x_hat[:, m]).pow(2).sum(-1).mean() for m in range(2))
    loss = loss + l1 * sum((f @ W_dec[:, m].norm(dim=-1)).mean() for m in range(2))
    return f, x_hat, loss


def _side_by_side(x, W_enc, b_enc, W_dec, b_dec, l1):
    """Both models as one long row."""
    f = torch.relu(x.flatten(1) @ W_enc.flatten(0, 1) + b_enc)
    x_hat = (f @ W_dec.flatten(1) + b_dec.flatten()).view(x.shape)
    price = einsum(f, torch.linalg.vector_norm(W_dec, dim=2), "b l, l m -> b")
    return f, x_hat, ((x - x_hat) ** 2).sum((1, 2)).mean() + l1 * price.mean()


CROSSCODER = Exercise(
    slug="crosscoder",
    title="One dictionary for two models",
    chapter="09",
    points=3,
    minutes=25,
    difficulty=3,
    objective="Write a crosscoder: latents that read two models, write two models, and pay for what they write in each.",
    cases=and_near_zero(_forward_cases, "x", *WEIGHTS),
    reference=crosscoder_forward,
    tolerance=Tolerance(rtol=1e-5, atol=1e-5),
    styles=(
        Style(name="model by model", right=_by_loops),
        Style(name="side by side", right=_side_by_side),
    ),
    mistakes=(
        Mistake(
            name="the norm of both together",
            wrong=_forward(price=lambda W: W.flatten(1).norm(dim=-1)),
            sentence="Your price of a latent is the norm of both directions as one long row. Take the norm of each model's direction, "
            "and add the two: otherwise sharing is rewarded by the price and not by the data.",
        ),
        Mistake(
            name="the tuned model's norm alone",
            wrong=_forward(price=lambda W: W[:, 1].norm(dim=-1)),
            sentence="You charge for what is written in the tuned model alone. What is written in the base then costs nothing.",
        ),
        Mistake(
            name="no norms",
            wrong=_forward(price=lambda W: torch.ones_like(W[:, 0, 0])),
            sentence="Your penalty does not ask how long the decoders are. Then latents can be made small and decoders long, and nothing "
            "becomes sparser.",
        ),
        Mistake(
            name="mean over models",
            wrong=_forward(error=lambda off: off.sum(dim=-1).mean()),
            sentence="The error is a mean over the two models. It is their sum; only over the batch it is a mean.",
        ),
        Mistake(
            name="mean over everything",
            wrong=_forward(error=lambda off: off.mean()),
            sentence="The squared error is a mean over the dimensions as well. Sum over models and dimensions, mean over the batch.",
        ),
        Mistake(
            name="sum over the batch",
            wrong=_forward(error=lambda off: off.sum()),
            sentence="The squared error is summed over the batch, and the penalty is a mean: their balance depends on the batch size.",
        ),
        Mistake(
            name="reads the base alone",
            wrong=_forward(
                latents=lambda x, W_enc, b_enc, b_dec: torch.relu(x[:, 0] @ W_enc[0] + b_enc)
            ),
            sentence="Your latents read the base alone. They read both models, each with its own encoder, and the two are added.",
        ),
        Mistake(
            name="minus b_dec",
            wrong=_forward(
                latents=lambda x, W_enc, b_enc, b_dec: torch.relu(
                    torch.einsum("bmd,mdl->bl", x - b_dec, W_enc) + b_enc
                )
            ),
            sentence="You subtract b_dec before encoding, as chapter 02 did. The crosscoder here reads x as it is.",
        ),
        Mistake(
            name="ReLU for each model",
            wrong=_forward(
                latents=lambda x, W_enc, b_enc, b_dec: torch.relu(
                    torch.einsum("bmd,mdl->bml", x, W_enc) + b_enc
                ).sum(dim=1)
            ),
            sentence="You make a latent for each model and add them afterwards. What is added is before the ReLU, with b_enc once.",
        ),
        Mistake(
            name="no ReLU",
            wrong=_forward(
                latents=lambda x, W_enc, b_enc, b_dec: torch.einsum("bmd,mdl->bl", x, W_enc) + b_enc
            ),
            sentence="Some of your latents are negative: the ReLU is missing.",
        ),
    ),
    hints=(
        "One latent has ONE value. So the models' contributions are added before the ReLU.",
        '`torch.einsum("bmd,mdl->bl", x, W_enc)` reads both models; decoding is the same way back.',
        "`W_dec.norm(dim=-1)` is [latent model]: the two norms of each latent. Their sum is its price.",
        "Each of the two terms: sum over everything but the batch, then the mean over the batch.",
    ),
)

# --- shared-or-exclusive --------------------------------------------------------------------------


def _whose_cases(g: torch.Generator) -> list[Case]:
    settings = [("a few latents", 8, 5), ("one latent", 1, 4), ("many", 24, 11), ("square", 6, 6)]
    cases = [
        Case(label=label, inputs={"W_dec": weights(g, d, n)["W_dec"]}) for label, n, d in settings
    ]
    same = normal(g, 12, 3, dtype=torch.float64)
    length = 0.1 + normal(g, 12, 1, dtype=torch.float64).abs()
    turned = torch.stack([same, -length * same], dim=1)
    cases.append(Case(label="opposite directions, double precision", inputs={"W_dec": turned}))
    cases.append(Case(label="not contiguous", inputs={"W_dec": strided(normal(g, 7, 2, 5))}))
    return cases


def _whose(share=None, cosine=None):
    def wrong(W_dec):
        base, tuned = W_dec.norm(dim=-1).unbind(dim=-1)
        mine = tuned / (base + tuned) if share is None else share(base, tuned, W_dec)
        same = cosine_similarity(W_dec[:, 0], W_dec[:, 1], dim=-1)
        return mine, same if cosine is None else cosine(W_dec)

    return wrong


SHARED_OR_EXCLUSIVE = Exercise(
    slug="shared-or-exclusive",
    title="Shared or exclusive?",
    chapter="09",
    points=2,
    minutes=12,
    difficulty=2,
    objective="Say of each latent whose it is, and whether it writes the same in both models.",
    cases=_whose_cases,
    reference=shared_or_exclusive,
    styles=(
        Style(
            name="normalised rows",
            right=_whose(
                cosine=lambda W: (normalize(W[:, 0], dim=-1) * normalize(W[:, 1], dim=-1)).sum(-1)
            ),
        ),
        Style(
            name="a share of the sum",
            right=_whose(
                share=lambda b, t, W: (W.norm(dim=-1) / W.norm(dim=-1).sum(1, keepdim=True))[:, 1]
            ),
        ),
    ),
    mistakes=(
        Mistake(
            name="the base's share",
            wrong=_whose(share=lambda b, t, W: b / (b + t)),
            sentence="Your share is the base's. Model 1 is the tuned one: 1 should mean that it alone is written.",
        ),
        Mistake(
            name="a ratio",
            wrong=_whose(share=lambda b, t, W: t / b),
            sentence="You return a ratio of the norms, which has no upper end. Asked is a share, from 0 to 1.",
        ),
        Mistake(
            name="squares",
            wrong=_whose(share=lambda b, t, W: t.square() / (b.square() + t.square())),
            sentence="Your share is one of squared norms, which is nearer to 0 and 1 than that of the norms.",
        ),
        Mistake(
            name="difference of norms",
            wrong=_whose(share=lambda b, t, W: (t - b) / (b + t)),
            sentence="Yours runs from -1 to 1, with 0 for shared. Asked is the tuned model's share of both norms: from 0 to 1.",
        ),
        Mistake(
            name="a product without norms",
            wrong=_whose(cosine=lambda W: (W[:, 0] * W[:, 1]).sum(dim=-1)),
            sentence="Your second number is the inner product. Long decoders make it large; a cosine does not depend on lengths.",
        ),
        Mistake(
            name="absolute cosine",
            wrong=_whose(cosine=lambda W: cosine_similarity(W[:, 0], W[:, 1], dim=-1).abs()),
            sentence="You drop the cosine's sign: a latent that writes the opposite in the tuned model looks like one that writes the same.",
        ),
    ),
    hints=(
        "`W_dec.norm(dim=-1)` is [latent model].",
        "Model 0 is the base, model 1 the tuned one.",
        "torch has `cosine_similarity`; it gives 0 where one of the two is 0.",
    ),
)
