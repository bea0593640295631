"""Chapter 09: `artefacts` and `causal-check`: what the two models' activations say about a latent."""

from __future__ import annotations

import torch

from mi_tutor.lab.crosscoders import base_shares, put_back
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style, Tolerance
from mi_tutor.teach.exercises.crosscoders.inputs import weights
from mi_tutor.teach.exercises.making import and_near_zero, normal, uniform

# --- artefacts ------------------------------------------------------------------------------------


def _scaling_cases(g: torch.Generator) -> list[Case]:
    settings = [
        ("several latents", 30, 6, 5, torch.float32),
        ("one latent", 20, 4, 1, torch.float32),
        ("as many latents as dimensions", 40, 8, 8, torch.float32),
        ("more than ten of each", 60, 12, 14, torch.float32),
        ("double precision", 25, 5, 7, torch.float64),
    ]
    cases = []
    for label, n_tokens, d, n, dtype in settings:
        given = weights(g, d, n, dtype)
        W_dec = normal(g, n, 2, d, dtype=dtype)
        W_dec[:, 1] += 0.5 * W_dec[:, 0]
        W_dec[0, 0] = 0
        f = uniform(g, n_tokens, n, low=0.1, high=2.0, dtype=dtype)
        f = torch.where(uniform(g, n_tokens, n) < 0.5, f, torch.zeros_like(f))
        f[0] = 1  # every latent is on somewhere
        x = torch.einsum("tl,lmd->tmd", f, W_dec) + given["b_dec"]
        x = x + 0.7 * normal(g, *x.shape, dtype=dtype)
        x[:, 0] += 0.4 * f @ W_dec[:, 1]  # something of each is in the base as well
        cases.append(
            Case(
                label=label, inputs={"latents": f, "W_dec": W_dec, "b_dec": given["b_dec"], "x": x}
            )
        )
    return cases


def _reference(latents, W_dec, b_dec, x):
    """`base_shares` as a plain pair."""
    return tuple(base_shares(latents, W_dec, b_dec, x))


def _beta(f, d, y):
    """One latent's factor: f [token], d [d_model], y [token d_model]."""
    part = f[:, None] * d
    return (part * y).sum() / part.square().sum()


def _shares(error=None, reconstruction=None, direction=None, pick=lambda base, tuned: base / tuned):
    """Latent by latent, with one part exchanged. error, reconstruction: (f, W, b, x, m, j) -> target."""

    def left_out(f, W, b, x, m, j):
        rest = [i for i in range(f.shape[1]) if i != j]
        return x[:, m] - f[:, rest] @ W[rest, m] - b[m]

    error = error or left_out
    reconstruction = reconstruction or (lambda f, W, b, x, m, j: f @ W[:, m])

    def wrong(latents, W_dec, b_dec, x):
        found = []
        for target in (error, reconstruction):
            shares = []
            for j in range(latents.shape[1]):
                betas = []
                for m in range(2):
                    d = W_dec[j, 1] if direction is None else direction(W_dec, j, m)
                    betas.append(_beta(latents[:, j], d, target(latents, W_dec, b_dec, x, m, j)))
                shares.append(pick(*betas))
            found.append(torch.stack(shares))
        return tuple(found)

    return wrong


def _vectorised(latents, W_dec, b_dec, x):
    """All latents at once: beta is linear in its target."""
    d = W_dec[:, 1]
    size = torch.einsum("tl,ld->l", latents**2, d**2)
    x_hat = torch.einsum("tl,lmd->mtd", latents, W_dec)
    error = x.transpose(0, 1) - x_hat - b_dec[:, None]
    in_error = torch.einsum("tl,mtd,ld->ml", latents, error, d) / size
    in_error = in_error + torch.einsum("lmd,ld->ml", W_dec, d) / d.square().sum(-1)
    in_found = torch.einsum("tl,mtd,ld->ml", latents, x_hat, d) / size
    return in_error[0] / in_error[1], in_found[0] / in_found[1]


ARTEFACTS = Exercise(
    slug="artefacts",
    title="Is it really absent from the base?",
    chapter="09",
    points=4,
    minutes=30,
    difficulty=4,
    objective="Ask the base's own activations whether a latent that is not written there is missing there.",
    cases=_scaling_cases,
    reference=_reference,
    tolerance=Tolerance(rtol=1e-3, atol=1e-3),
    styles=(
        Style(name="latent by latent", right=_shares()),
        Style(name="all at once", right=_vectorised),
    ),
    mistakes=(
        Mistake(
            name="own part not left out",
            wrong=_shares(error=lambda f, W, b, x, m, j: x[:, m] - f @ W[:, m] - b[m]),
            sentence="You take the error of the whole reconstruction. In the tuned model the latent's own part has been explained away "
            "there, so little is left: leave the latent out of the reconstruction first.",
        ),
        Mistake(
            name="b_dec in the error",
            wrong=_shares(
                error=lambda f, W, b, x, m, j: (
                    x[:, m]
                    - torch.cat([f[:, :j], f[:, j + 1 :]], 1) @ torch.cat([W[:j, m], W[j + 1 :, m]])
                )
            ),
            sentence="b_dec is still in your error. It is part of the reconstruction, so it has to be subtracted too.",
        ),
        Mistake(
            name="b_dec in the reconstruction",
            wrong=_shares(reconstruction=lambda f, W, b, x, m, j: f @ W[:, m] + b[m]),
            sentence="The constant b_dec is in your reconstruction, and no latent wrote it. Asked is what latents write.",
        ),
        Mistake(
            name="the activation as target",
            wrong=_shares(error=lambda f, W, b, x, m, j: x[:, m]),
            sentence="Your first target is the activation itself. Then what other latents already explain counts for this one as well.",
        ),
        Mistake(
            name="each model's own direction",
            wrong=_shares(direction=lambda W, j, m: W[j, m] + 1e-9),
            sentence="In the base you look along what the latent writes in the BASE, which may be nothing. The question is whether what it "
            "writes in the tuned model is there too: the same direction in both.",
        ),
        Mistake(
            name="the other way up",
            wrong=_shares(pick=lambda base, tuned: tuned / base),
            sentence="You divide the tuned model's factor by the base's. Asked is the base's as a share of the tuned model's.",
        ),
        Mistake(
            name="the base's factor alone",
            wrong=_shares(pick=lambda base, tuned: base),
            sentence="These are the base's factors alone. A latent may be scaled wrongly in both: take the tuned model's as the unit.",
        ),
        Mistake(
            name="reconstruction without the latent",
            wrong=_shares(
                reconstruction=lambda f, W, b, x, m, j: f @ W[:, m] - f[:, [j]] * W[j, m]
            ),
            sentence="You leave the latent out of the reconstruction as well. There all latents stay in: the second number asks whether "
            "anything that is written in the base, by whichever latent, looks like this one.",
        ),
    ),
    hints=(
        "One factor: beta = sum over tokens of f (d · y), divided by ||d||² times the sum of f². d is the tuned model's direction, always.",
        "Four factors for each latent: two targets, each in two models. Then base divided by tuned.",
        "The error without latent j: x - x_hat + f_j W_dec[j, m]. A loop over latents is fine here.",
        "beta is linear in y. So leaving latent j out adds (W_dec[j, m] · d) / ||d||² to its beta, and no loop is needed.",
    ),
)

# --- causal-check ---------------------------------------------------------------------------------


def _back_cases(g: torch.Generator) -> list[Case]:
    settings = [
        ("some latents", (4, 6), 5, 8, [1, 5, 6]),
        ("one latent, one token", (1,), 4, 6, [2]),
        ("no latent", (3,), 4, 6, []),
        ("all, in another order", (7,), 7, 7, [3, 0, 6, 1, 2, 5, 4]),
        ("more than ten", (12, 11), 12, 15, [14, 0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
    ]
    cases = []
    for label, batch, d, n, chosen in settings:
        W_dec = weights(g, d, n)["W_dec"]
        inputs = {
            "streams": 2 * normal(g, *batch, 2, d),
            "latents": torch.relu(normal(g, *batch, n)),
            "W_dec": W_dec,
            "chosen": torch.tensor(chosen, dtype=torch.long),
        }
        cases.append(Case(label=label, inputs=inputs))
    return cases


def _back(direction=lambda W: W[:, 1] - W[:, 0], start=lambda s: s[..., 0, :], value=lambda f: f):
    def wrong(streams, latents, W_dec, chosen):
        return start(streams) + value(latents)[..., chosen] @ direction(W_dec)[chosen]

    return wrong


def _back_by_loop(streams, latents, W_dec, chosen):
    x = streams[..., 0, :].clone()
    for i in chosen.tolist():
        x += latents[..., i, None] * (W_dec[i, 1] - W_dec[i, 0])
    return x


def _back_by_mask(streams, latents, W_dec, chosen):
    keep = torch.zeros(latents.shape[-1])
    keep[chosen] = 1
    written = torch.einsum("...l,lmd->...md", latents * keep, W_dec)
    return streams[..., 0, :] + written[..., 1, :] - written[..., 0, :]


CAUSAL_CHECK = Exercise(
    slug="causal-check",
    title="Put it back",
    chapter="09",
    points=2,
    minutes=15,
    difficulty=3,
    objective="Put what chosen latents write in the tuned model into the base's stream, in place of what they write there.",
    cases=and_near_zero(_back_cases, "streams", positive=("latents",)),
    reference=put_back,
    tolerance=Tolerance(rtol=1e-5, atol=1e-5),
    styles=(
        Style(name="one after another", right=_back_by_loop),
        Style(name="all others off", right=_back_by_mask),
    ),
    mistakes=(
        Mistake(
            name="added, not exchanged",
            wrong=_back(direction=lambda W: W[:, 1]),
            sentence="You add what the tuned model would have, and leave what the base has: a shared latent is then there twice.",
        ),
        Mistake(
            name="sign",
            wrong=_back(direction=lambda W: W[:, 0] - W[:, 1]),
            sentence="Your step leads away from the tuned model. Its part goes in, the base's goes out.",
        ),
        Mistake(
            name="into the tuned stream",
            wrong=_back(start=lambda s: s[..., 1, :]),
            sentence="You begin with the tuned model's stream, which has all of it already. Begin with the base's.",
        ),
        Mistake(
            name="whether it is on",
            wrong=_back(value=lambda f: (f > 0).to(f)),
            sentence="You put a latent back with value 1 wherever it is on. It has a value: how much is written.",
        ),
        Mistake(
            name="all latents",
            wrong=lambda streams, latents, W_dec, chosen: (
                streams[..., 0, :] + latents @ (W_dec[:, 1] - W_dec[:, 0])
            ),
            sentence="You put all latents back, whichever were chosen.",
        ),
        Mistake(
            name="the base's part taken out only",
            wrong=_back(direction=lambda W: -W[:, 0]),
            sentence="You take the base's part out and put nothing in.",
        ),
    ),
    hints=(
        "Each chosen latent exchanges one thing for another: its part in the base, and its part in the tuned model.",
        "f_i (W_dec[i, 1] - W_dec[i, 0]), summed over the chosen ones.",
        "`latents[..., chosen]` and `W_dec[chosen]` have the same order.",
    ),
)
