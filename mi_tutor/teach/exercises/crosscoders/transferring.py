"""Chapter 09: `transfer`: which latents of one model's dictionary have a partner in another model's."""

from __future__ import annotations

import torch
from torch import Tensor

from mi_tutor.lab.crosscoders import transfer
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style, Tolerance
from mi_tutor.teach.exercises.making import normal, uniform

CHANCE = 0.3  # of a latent to be on


def _latents(g: torch.Generator, n_tokens: int, n: int, dtype: torch.dtype) -> Tensor:
    """Latents at random: mostly off."""
    values = uniform(g, n_tokens, n, low=0.2, high=3.0, dtype=dtype)
    return torch.where(uniform(g, n_tokens, n, dtype=dtype) < CHANCE, values, 0)


def _cases(g: torch.Generator) -> list[Case]:
    settings = [
        ("two small dictionaries", 40, 5, 7, torch.float32),
        ("as many latents in both", 60, 8, 8, torch.float32),
        ("one latent against several", 30, 1, 6, torch.float32),
        ("several against one, double precision", 30, 6, 1, torch.float64),
        ("more than ten of each, double precision", 90, 14, 12, torch.float64),
    ]
    cases = []
    for label, n_tokens, n, n_other, dtype in settings:
        a, b = (_latents(g, n_tokens, each, dtype) for each in (n, n_other))
        for i in range(
            min(n, n_other)
        ):  # latent i is at another number there, more or less as loud
            j = (2 * i + 1) % n_other
            b[:, j] = (0.3 + i) * a[:, i] + 0.2 * i * b[:, j]
        cases.append(Case(label=label, inputs={"a": a, "b": b}))
    return [*cases, _never_on(g), _always_on(g), _opposite(g), _wanted_twice(g), _quiet(g)]


def _never_on(g: torch.Generator) -> Case:
    """Two latents of a and one of b never change: one is always off, one has always the same value."""
    a, b = _latents(g, 35, 6, torch.float32), _latents(g, 35, 5, torch.float32)
    b[:, 2] = 2 * a[:, 4]
    a[:, 0], a[:, 3], b[:, 1] = 0, 1.7, 0
    return Case(label="latents that never change", inputs={"a": a, "b": b})


def _always_on(g: torch.Generator) -> Case:
    """Latents that are on everywhere, around a high value: alike only if the mean is left in."""
    a, b = (5 + normal(g, 30, n).abs() for n in (4, 6))
    b[:, 5] = a[:, 2] + 0.5 * normal(g, 30).abs()
    return Case(label="latents that are always on", inputs={"a": a, "b": b})


def _opposite(g: torch.Generator) -> Case:
    """Each latent of a is on where the first one of b is off: the largest |r| is no match."""
    a, b = _latents(g, 50, 4, torch.float32), _latents(g, 50, 4, torch.float32)
    b[:, 0] = (3 - a[:, 1]).relu() + 0.1 * b[:, 0]
    b[:, 3] = (2.5 - a[:, 2]).relu()
    return Case(label="latents that are on where another is off", inputs={"a": a, "b": b})


def _wanted_twice(g: torch.Generator) -> Case:
    """Two latents of a are one latent of b, split: both want it, one can have it."""
    a, b = _latents(g, 60, 5, torch.float32), _latents(g, 60, 4, torch.float32)
    b[:, 1] = 2 * a[:, 0] + a[:, 3]
    b[:, 2] = b[:, 2] + a[:, 4]
    return Case(label="one latent that two of the other are parts of", inputs={"a": a, "b": b})


def _quiet(g: torch.Generator) -> Case:
    """Latents with values of a thousandth: a correlation does not ask how loud they are."""
    a, b = _latents(g, 40, 4, torch.float32), _latents(g, 40, 5, torch.float32)
    b[:, 3] = a[:, 1] + 0.3 * b[:, 3]
    return Case(label="quiet latents", inputs={"a": 5e-4 * a, "b": 4e-4 * b})


def _unit(x: Tensor) -> Tensor:
    """Centred, with norm 1; zeros for what never changes."""
    centred = x - x.mean(dim=0)
    moves = x.amax(dim=0) > x.amin(dim=0)
    return torch.where(moves, centred / centred.norm(dim=0).clamp_min(1e-12), torch.zeros_like(x))


def _r(a: Tensor, b: Tensor) -> Tensor:
    return _unit(a).mT @ _unit(b)


def _partners(r: Tensor, one_to_one: bool = True, positive: bool = True) -> tuple[Tensor, Tensor]:
    best, at = r.max(dim=1)
    keep = torch.ones(len(r), dtype=torch.bool)
    if one_to_one:
        keep &= r.argmax(dim=0)[at] == torch.arange(len(r))
    if positive:
        keep &= best > 0
    return best, torch.where(keep, at, -1)


def _from(matrix=_r, **kind):
    return lambda a, b: _partners(matrix(a, b), **kind)


def _by_loops(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Pair by pair."""
    r = torch.zeros(a.shape[1], b.shape[1], dtype=a.dtype)
    for i in range(a.shape[1]):
        for j in range(b.shape[1]):
            x, y = a[:, i] - a[:, i].mean(), b[:, j] - b[:, j].mean()
            if a[:, i].unique().numel() > 1 and b[:, j].unique().numel() > 1:
                r[i, j] = (x * y).sum() / (x.square().sum() * y.square().sum()).sqrt()
    best, partner = [], []
    for i in range(len(r)):
        j = int(r[i].argmax())
        best.append(r[i, j])
        partner.append(j if r[i, j] > 0 and int(r[:, j].argmax()) == i else -1)
    return torch.stack(best), torch.tensor(partner)


def _by_corrcoef(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """torch's own correlations, with 0 in place of NaN."""
    n = a.shape[1]
    r = torch.corrcoef(torch.cat([a, b], dim=1).double().mT)[:n, n:].nan_to_num(0).to(a.dtype)
    for each, constant in ((a, lambda i: (i, slice(None))), (b, lambda j: (slice(None), j))):
        for k in range(each.shape[1]):
            if each[:, k].max() == each[:, k].min():
                r[constant(k)] = 0
    return _partners(r)


def _where_on(a: Tensor, b: Tensor) -> Tensor:
    """Correlations on the tokens where the latent of a is on."""
    rows = []
    for i in range(a.shape[1]):
        on = a[:, i] > 0
        rows.append(_r(a[on, i : i + 1], b[on])[0] if on.any() else torch.zeros_like(b[0]))
    return torch.stack(rows)


def _where_both(a: Tensor, b: Tensor) -> Tensor:
    """Correlations on the tokens where both are on."""
    r = torch.zeros(a.shape[1], b.shape[1], dtype=a.dtype)
    for i in range(a.shape[1]):
        for j in range(b.shape[1]):
            on = (a[:, i] > 0) & (b[:, j] > 0)
            if on.sum() > 1:
                r[i, j] = _r(a[on, i, None], b[on, j, None])[0, 0]
    return r


def _cosines(a: Tensor, b: Tensor) -> Tensor:
    return (a / a.norm(dim=0).clamp_min(1e-12)).mT @ (b / b.norm(dim=0).clamp_min(1e-12))


def _columns(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """The same for the latents of b."""
    return _partners(_r(b, a))


TRANSFER = Exercise(
    slug="transfer",
    title="Has another model the same latent?",
    chapter="09",
    points=3,
    minutes=25,
    difficulty=3,
    optional=True,
    objective="Match the latents of two models' dictionaries by when they are on, one to one.",
    cases=_cases,
    reference=lambda a, b: tuple(transfer(a, b)),
    tolerance=Tolerance(rtol=1e-4, atol=1e-4),
    styles=(
        Style(name="pair by pair", right=_by_loops),
        Style(name="torch's correlations", right=_by_corrcoef),
        Style(name="unit columns", right=_from()),
    ),
    mistakes=(
        Mistake(
            name="the other's latents",
            wrong=_columns,
            sentence="You took the maximum over the wrong axis: this is what became of the latents of b. Asked is a row for each latent of a.",
        ),
        Mistake(
            name="not one to one",
            wrong=_from(one_to_one=False),
            sentence="Your partners are not one to one: several latents of a have the same latent of b. Ask b as well: whose best is it?",
        ),
        Mistake(
            name="where a is on",
            wrong=_from(_where_on),
            sentence="You correlate only over tokens where the latent of a is on. That the other is off where this one is off is most of what "
            "they can have in common, and a latent that is always on would lose nothing by it.",
        ),
        Mistake(
            name="where both are on",
            wrong=_from(_where_both),
            sentence="You correlate only over tokens where both are on. Two latents that hardly ever meet may then correlate perfectly.",
        ),
        Mistake(
            name="not centred",
            wrong=_from(_cosines),
            sentence="You did not take the mean off. Then all latents that are often on look alike: this is a cosine, not a correlation.",
        ),
        Mistake(
            name="of either sign",
            wrong=lambda a, b: _partners(_r(a, b).abs()),
            sentence="You drop the sign. A latent that is on where another is off is not the same latent.",
        ),
        Mistake(
            name="on or off",
            wrong=lambda a, b: _partners(_r((a > 0).to(a), (b > 0).to(b))),
            sentence="You only ask whether they are on. Latents have values, and where one is louder the other should be.",
        ),
        Mistake(
            name="partners of no latent",
            wrong=lambda a, b: _partners(
                torch.corrcoef(torch.cat([a, b], dim=1).mT)[: a.shape[1], a.shape[1] :].nan_to_num(1)
            ),
            sentence="A latent that never changes has a correlation of 1 in your answer, perhaps from 0 / 0. It goes with nothing: 0.",
        ),
        Mistake(
            name="covariances",
            wrong=_from(lambda a, b: (a - a.mean(dim=0)).mT @ (b - b.mean(dim=0)) / len(a)),
            sentence="These are covariances: loud latents win. Divide by both standard deviations.",
        ),
    ),
    hints=(
        "Subtract each latent's mean over the tokens, divide by its norm over the tokens; then one matrix product has all correlations.",
        "What never changes has norm 0 after that: put 0 there before you divide by it.",
        "`r.max(dim=1)` says which latent of b is best for each of a; `r.argmax(dim=0)` which of a for each of b. Partners agree.",
        "`mutual = r.argmax(dim=0)[at] == torch.arange(len(r))`, with `at` from the first.",
    ),
)  # fmt: skip
