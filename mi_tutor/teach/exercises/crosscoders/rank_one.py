"""Chapter 09: `rank-one-edit` and `edit-marks`: writing a fact into a matrix, and what came of it."""

from __future__ import annotations

import torch

from mi_tutor.lab.crosscoders import edit_marks, rank_one_edit
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Property, Style, Tolerance
from mi_tutor.teach.exercises.making import normal, strided

# --- rank-one-edit --------------------------------------------------------------------------------


def _edit_cases(g: torch.Generator) -> list[Case]:
    settings = [
        ("more neurons than dimensions", 9, 4, torch.float32),
        ("one dimension", 5, 1, torch.float32),
        ("as many neurons as dimensions", 6, 6, torch.float32),
        ("more than ten of each, double precision", 14, 11, torch.float64),
        ("fewer neurons than dimensions", 3, 8, torch.float32),
    ]
    cases = []
    for label, hidden, d, dtype in settings:
        mixed = torch.eye(hidden, dtype=dtype) + 0.4 * normal(g, hidden, hidden, dtype=dtype)
        seen = normal(g, 6 * hidden, hidden, dtype=dtype) @ mixed + 0.3
        inputs = {
            "W": normal(g, hidden, d, dtype=dtype),
            "C": seen.mT @ seen / len(seen),
            "k": normal(g, hidden, dtype=dtype),
            "v": 2 * normal(g, d, dtype=dtype),
        }
        cases.append(Case(label=label, inputs=inputs))
    flat = Case(
        label="a second moment of 1 for every neuron, W not contiguous",
        inputs={"W": strided(normal(g, 7, 3)), "C": torch.eye(7), "k": normal(g, 7), "v": normal(g, 3)},
    )  # fmt: skip
    return [*cases, flat]


def _edit(along=lambda C, k: torch.linalg.solve(C, k), off=lambda W, k, v: v - k @ W,
          size=lambda u, k: k @ u, start=lambda W: W):  # fmt: skip
    def wrong(W, C, k, v):
        u = along(C, k)
        return start(W) + torch.outer(u, off(W, k, v)) / size(u, k)

    return wrong


def _by_inverse(W, C, k, v):
    C_inv = torch.linalg.inv(C)
    return W + (C_inv @ k)[:, None] * (v - W.mT @ k)[None] / (k @ C_inv @ k)


def _by_lagrange(W, C, k, v):
    """The constrained least squares by its linear system."""
    n = len(k)
    system = torch.zeros(n + 1, n + 1, dtype=W.dtype)
    system[:n, :n], system[:n, n], system[n, :n] = C, k, k
    return torch.linalg.solve(system, torch.cat([C @ W, v[None]]))[:n]


def _by_whitening(W, C, k, v):
    """In coordinates in which C is the identity."""
    L = torch.linalg.cholesky(C)
    white = torch.linalg.solve_triangular(L, k[:, None], upper=False)
    u = torch.linalg.solve_triangular(L.mT, white, upper=True)[:, 0]
    return W + torch.outer(u, v - k @ W) / white.square().sum()


def _answers(value, W, C, k, v):
    return bool(torch.allclose(k.double() @ value.double(), v.double(), atol=1e-2, rtol=1e-2))


RANK_ONE_EDIT = Exercise(
    slug="rank-one-edit",
    title="Write one fact into a matrix",
    chapter="09",
    points=3,
    minutes=20,
    difficulty=3,
    objective="Change a matrix so that one key fetches another value, and other keys as much as possible what they fetched.",
    cases=_edit_cases,
    reference=rank_one_edit,
    tolerance=Tolerance(rtol=1e-3, atol=1e-4),
    properties=(
        Property(
            name="the key fetches the value",
            holds=_answers,
            sentence="With your matrix the key does not fetch the value: k @ W' should be v exactly.",
        ),
    ),
    styles=(
        Style(name="with an inverse", right=_by_inverse),
        Style(name="a linear system with the constraint in it", right=_by_lagrange),
        Style(name="whitened", right=_by_whitening),
    ),
    mistakes=(
        Mistake(
            name="without C",
            wrong=_edit(along=lambda C, k: k),
            sentence="You change the matrix along the key itself. The key then fetches v, and so does everything that looks a bit like it: ask C "
            "which part of the key other text hardly has.",
        ),
        Mistake(
            name="C, not its inverse",
            wrong=_edit(along=lambda C, k: C @ k),
            sentence="You multiply by C. It makes the change large along what other text has most; its inverse avoids that.",
        ),
        Mistake(
            name="the diagonal of C",
            wrong=_edit(along=lambda C, k: k / C.diagonal()),
            sentence="You use C's diagonal alone. Neurons that come on together are then counted as if they did not.",
        ),
        Mistake(
            name="not divided",
            wrong=_edit(size=lambda u, k: 1.0),
            sentence="Your change is not divided by k^T C^-1 k, so the key fetches a multiple of what it lacked.",
        ),
        Mistake(
            name="divided by the key's square",
            wrong=_edit(size=lambda u, k: k @ k),
            sentence="You divide by k^T k. The change goes along C^-1 k, so it is k^T C^-1 k that makes k fetch v.",
        ),
        Mistake(
            name="v instead of what is lacking",
            wrong=_edit(off=lambda W, k, v: v),
            sentence="You add all of v to what the key fetches already. Add what is lacking: v - k W.",
        ),
        Mistake(
            name="the wrong sign",
            wrong=_edit(off=lambda W, k, v: k @ W - v),
            sentence="Your change has the wrong sign: the key fetches what it fetched, less what it lacked.",
        ),
        Mistake(
            name="the change alone",
            wrong=_edit(start=torch.zeros_like),
            sentence="You return the change. Asked is the new matrix, W with the change in it.",
        ),
        Mistake(
            name="the pseudo-inverse of the key",
            wrong=lambda W, C, k, v: torch.outer(torch.linalg.solve(C, k), v) / (k @ torch.linalg.solve(C, k)),
            sentence="Your matrix knows this one key and nothing else: W is gone from it.",
        ),
    ),
    hints=(
        "`torch.linalg.solve(C, k)` is C^-1 k, and needs no inverse.",
        "A change of rank one: `torch.outer(u, step)`, with u as long as the key and step as long as the value.",
        "Check it by hand: k @ torch.outer(u, step) is (k @ u) * step. What must step be for k W' = v?",
    ),
)  # fmt: skip

# --- edit-marks -----------------------------------------------------------------------------------


def _marks_cases(g: torch.Generator) -> list[Case]:
    settings = [
        ("five kinds", 40, 12, [True, True, True, False, False]),
        ("one kind", 7, 5, [True]),
        ("all should stay", 20, 9, [False, False]),
        ("more than ten kinds, wide", 60, 30, [i % 3 == 0 for i in range(11)]),
    ]
    cases = []
    for label, n, vocab, follows in settings:
        kind = torch.cat([torch.arange(len(follows)), torch.randint(len(follows), (n - len(follows),), generator=g)])  # fmt: skip
        new = torch.randint(vocab, (n,), generator=g)
        right = (new + 1 + torch.randint(vocab - 1, (n,), generator=g)) % vocab
        logits = normal(g, n, vocab)
        rows = torch.arange(n)
        # Each kind has one prompt that held at least, and the answers are not always the first guess.
        ahead = torch.where(torch.tensor(follows)[kind], 1.0, -1.0)
        rows_of_first = rows[: len(follows)]
        logits[rows_of_first, new[rows_of_first]] = (
            logits[rows_of_first, right[rows_of_first]] + ahead[rows_of_first]
        )
        cases.append(
            Case(
                label=label,
                inputs={
                    "logits": logits, "new": new, "right": right, "kind": kind,
                    "follows": torch.tensor(follows),
                },
            )
        )  # fmt: skip
    tied = torch.tensor([[1.0, 1.0, 0.0], [0.0, 2.0, 0.0], [2.0, 2.0, 3.0], [0.0, 1.0, 0.0]])
    ids = torch.tensor([0, 1, 0, 0])
    cases.append(
        Case(
            label="ties, and a kind in which nothing held",
            inputs={
                "logits": tied, "new": ids, "right": 1 - ids,
                "kind": torch.tensor([0, 0, 1, 2]), "follows": torch.tensor([True, False, True]),
            },
        )
    )  # fmt: skip
    return cases


def _marks(held=None, mean=None, share=None):
    def wrong(logits, new, right, kind, follows):
        rows = torch.arange(len(new))
        if held is None:
            ahead = logits[rows, new] - logits[rows, right]
            found = torch.where(follows[kind], ahead > 0, ahead < 0)
        else:
            found = held(logits, rows, new, right, follows[kind])
        found = found.float()
        scores = torch.stack([found[kind == i].mean() for i in range(len(follows))])
        if share is not None:
            scores = share(found, kind, follows)
        return scores, (len(scores) / (1 / scores).sum() if mean is None else mean(scores, found))

    return wrong


def _by_loop(logits, new, right, kind, follows):
    p, scores = logits.log_softmax(dim=-1), []
    for i, follow in enumerate(follows.tolist()):
        some = (kind == i).nonzero()[:, 0].tolist()
        wanted, other = (new, right) if follow else (right, new)
        scores.append(sum(float(p[j, wanted[j]] > p[j, other[j]]) for j in some) / len(some))
    scores = torch.tensor(scores)
    harmonic = torch.tensor(0.0) if (scores == 0).any() else 1 / (1 / scores).mean()
    return scores, harmonic


def _by_bincount(logits, new, right, kind, follows):
    pair = logits.gather(1, torch.stack([right, new], dim=1))
    pair = torch.where(follows[kind, None], pair, pair.flip(1))
    held = (pair[:, 1] > pair[:, 0]).float()
    n = len(follows)
    scores = torch.bincount(kind, held, n) / torch.bincount(kind, minlength=n)
    return scores.float(), scores.float().reciprocal().mean().reciprocal()


EDIT_MARKS = Exercise(
    slug="edit-marks",
    title="What came of an edit?",
    chapter="09",
    points=2,
    minutes=20,
    difficulty=3,
    objective="Mark an edit: what should follow and what should stay, each by the kind of prompt, and all in one number.",
    cases=_marks_cases,
    reference=edit_marks,
    tolerance=Tolerance(rtol=1e-4, atol=1e-5),
    styles=(
        Style(name="kind by kind", right=_by_loop),
        Style(name="counted", right=_by_bincount),
    ),
    mistakes=(
        Mistake(
            name="the new answer wanted everywhere",
            wrong=_marks(held=lambda x, rows, new, right, follow: x[rows, new] > x[rows, right]),
            sentence="You want the new answer in all kinds. Where `follows` is False the right answer should have stayed above it.",
        ),
        Mistake(
            name="the other way round",
            wrong=_marks(
                held=lambda x, rows, new, right, follow: torch.where(
                    follow, x[rows, new] < x[rows, right], x[rows, new] > x[rows, right]
                )
            ),
            sentence="Your scores count what went wrong. Asked is the share of prompts that came out as wanted.",
        ),
        Mistake(
            name="first guesses",
            wrong=_marks(
                held=lambda x, rows, new, right, follow: x.argmax(dim=-1) == torch.where(follow, new, right)
            ),
            sentence="You ask for the first guess of all words. Here two words are compared: which of new and right is above the other.",
        ),
        Mistake(
            name="ties count where something should stay",
            wrong=_marks(
                held=lambda x, rows, new, right, follow: torch.where(
                    follow, x[rows, new] > x[rows, right], x[rows, new] <= x[rows, right]
                )
            ),
            sentence="You count a tie as held where the right answer should stay. It has to be ABOVE the new one.",
        ),
        Mistake(
            name="the arithmetic mean",
            wrong=_marks(mean=lambda scores, held: scores.mean()),
            sentence="Your second value is the arithmetic mean: an edit that destroys everything else keeps most of it. Asked is the harmonic one.",
        ),
        Mistake(
            name="the geometric mean",
            wrong=_marks(mean=lambda scores, held: scores.log().mean().exp()),
            sentence="Your second value is the geometric mean. The harmonic one is the number of scores over the sum of 1 / score.",
        ),
        Mistake(
            name="the smallest",
            wrong=_marks(mean=lambda scores, held: scores.min()),
            sentence="Your second value is the smallest score. The harmonic mean lies near it and asks the others as well.",
        ),
        Mistake(
            name="the mean over prompts",
            wrong=_marks(mean=lambda scores, held: held.mean()),
            sentence="Your second value is a mean over prompts, so the kind with most prompts decides. Take it over kinds.",
        ),
        Mistake(
            name="shares of all prompts",
            wrong=_marks(
                share=lambda held, kind, follows: torch.stack(
                    [(held * (kind == i)).mean() for i in range(len(follows))]
                )
            ),
            sentence="You divide by the number of all prompts. A score is a share of the prompts of its own kind.",
        ),
    ),
    hints=(
        "`logits[rows, new] - logits[rows, right]` says which of the two is above; no softmax is needed for that.",
        "`follows[kind]` is, for each prompt, whether the new answer is wanted there.",
        "The harmonic mean of n scores is n / (1/s_1 + ... + 1/s_n). torch makes 1/0 infinite, and n / inf is 0: as it should be.",
    ),
)  # fmt: skip
