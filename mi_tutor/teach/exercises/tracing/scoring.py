"""Chapter 06, two scores of a graph: `completeness-and-replacement`."""

from __future__ import annotations

import torch

from mi_tutor.lab import tracing as lab
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style, Tolerance
from mi_tutor.teach.exercises.tracing.inputs import random_graph


def scores(adjacency, weights, is_error, is_embedding) -> tuple[float, float]:
    """Replacement and completeness."""
    return tuple(lab.scores_of(adjacency, weights, is_error, is_embedding))


def _cases(g: torch.Generator) -> list[Case]:
    def case(label, *sizes, **more):
        graph = random_graph(g, *sizes, **more)
        inputs = {"adjacency": graph.adjacency, "weights": graph.weights}
        inputs |= {"is_error": graph.is_error, "is_embedding": graph.is_embedding}
        return Case(label=label, inputs=inputs)

    return [
        case("one logit", 9, 3, 4, 1),
        case("three logits of different probability", 12, 4, 3, 3),
        case("a latent without any input", 8, 2, 3, 2, orphan=True),
        case("more errors than embeddings", 7, 8, 2, 2),
        case("double precision", 10, 3, 3, 2, dtype=torch.float64),
    ]


def _two(replacement=None, completeness=None, known=None, counted=None, A_of=lab.shares):
    """Both scores with one step in another way."""

    def answer(adjacency, weights, is_error, is_embedding):
        A = A_of(adjacency)
        counts = lab.influence(A, weights)
        first = counts[is_embedding].sum() / (counts[is_embedding].sum() + counts[is_error].sum())
        if replacement:
            first = replacement(A, counts, weights, is_error, is_embedding)
        share = (known or (lambda A, is_error: 1 - A[:, is_error].sum(1)))(A, is_error)
        by = counted(counts, weights, is_error, is_embedding) if counted else counts + weights
        second = (share * by).sum() / by.sum()
        if completeness:
            second = completeness(A, counts, weights, is_error, is_embedding)
        return float(first), float(second)

    return answer


def _by_inverse(adjacency, weights, is_error, is_embedding):
    size = adjacency.abs()
    A = size / size.sum(dim=1, keepdim=True).clamp(min=1e-12)
    N = torch.linalg.inv(torch.eye(len(A), dtype=A.dtype) - A)
    counts = weights @ N  # with the path of length 0
    errors, embeddings = counts[is_error].sum(), counts[is_embedding].sum()
    to_errors = A @ is_error.to(A)
    second = 1 - (counts @ to_errors) / counts.sum()
    return float(embeddings / (embeddings + errors)), float(second)


def _in_loops(adjacency, weights, is_error, is_embedding):
    A = lab.shares(adjacency).tolist()
    n = len(A)
    total, now = weights.tolist(), weights.tolist()
    for _ in range(n):
        now = [sum(now[t] * A[t][s] for t in range(n)) for s in range(n)]
        total = [a + b for a, b in zip(total, now, strict=True)]
    ends = {
        name: sum(total[i] for i in range(n) if which[i])
        for name, which in (("words", is_embedding), ("errors", is_error))
    }
    known = sum(total[t] * (1 - sum(A[t][s] for s in range(n) if is_error[s])) for t in range(n))
    return ends["words"] / (ends["words"] + ends["errors"]), known / sum(total)


def _direct(A, counts, weights, is_error, is_embedding):
    first = weights @ A
    return first[is_embedding].sum() / (first[is_embedding].sum() + first[is_error].sum())


SCORES = Exercise(
    slug="completeness-and-replacement",
    title="How much of it is explained?",
    chapter="06",
    points=3,
    minutes=18,
    difficulty=3,
    objective="Compute both scores of a graph, and say why one of them is so much higher than the other.",
    cases=_cases,
    reference=scores,
    tolerance=Tolerance(rtol=1e-5, atol=1e-5),
    dtype="any",
    styles=(
        Style(name="an inverse", right=_by_inverse),
        Style(name="loops", right=_in_loops),
        Style(name="influence and sums", right=_two()),
    ),
    mistakes=(
        Mistake(
            name="exchanged",
            wrong=lambda *inputs: scores(*inputs)[::-1],
            sentence="Your two scores are exchanged: replacement first, then completeness.",
        ),
        Mistake(
            name="direct edges only",
            wrong=_two(replacement=_direct),
            sentence="Your replacement score looks at direct inputs of the logits only. It asks where ALL paths end.",
        ),
        Mistake(
            name="of all influence",
            wrong=_two(replacement=lambda A, c, w, error, word: c[word].sum() / c.sum()),
            sentence="Your replacement score divides by the influence of all nodes, latents too. Latents are on the way; paths end at embeddings or errors.",
        ),
        Mistake(
            name="one minus errors",
            wrong=_two(replacement=lambda A, c, w, error, word: 1 - c[error].sum()),
            sentence="Your replacement score is 1 minus the errors' influence. Compare it with the embeddings': the logits' weights add up to less than 1, and some "
            "paths may end elsewhere.",
        ),
        Mistake(
            name="the share of errors",
            wrong=lambda *inputs: (1 - scores(*inputs)[0], scores(*inputs)[1]),
            sentence="Your replacement score is the share that ends at ERRORS. High should be good.",
        ),
        Mistake(
            name="unweighted completeness",
            wrong=_two(completeness=lambda A, c, w, error, word: (1 - A[:, error].sum(1)).mean()),
            sentence="Your completeness counts all nodes alike. A node's inputs count with its influence.",
        ),
        Mistake(
            name="logits left out",
            wrong=_two(counted=lambda c, w, error, word: c),
            sentence="In your completeness the logits' own inputs do not count: they have no influence on themselves. Add their weights.",
        ),
        Mistake(
            name="the logits' inputs only",
            wrong=_two(
                completeness=lambda A, c, w, error, word: w @ (1 - A[:, error].sum(1)) / w.sum()
            ),
            sentence="Your completeness is about the logits' own inputs only. It asks about the inputs of all nodes.",
        ),
        Mistake(
            name="without ends",
            wrong=_two(
                counted=lambda c, w, error, word: (c + w) * ~(error | word),
            ),
            sentence="You leave embeddings and errors out of completeness. They have no inputs, so nothing of their input is an error: as circuit-tracer does it, "
            "they count as known.",
        ),
        Mistake(
            name="columns",
            wrong=_two(A_of=lambda A: A.abs() / A.abs().sum(0, keepdim=True).clamp(min=1e-12)),
            sentence="Your columns add up to 1 in place of rows: it is each target's input that is divided.",
        ),
        Mistake(
            name="a share of paths' ends for both",
            wrong=lambda *inputs: (scores(*inputs)[0],) * 2,
            sentence="Both of your scores are the same. Completeness asks of each node what share of its DIRECT input is no error.",
        ),
    ),
    hints=(
        "Both begin with shares and your `influence`. Which nodes have no inputs? There the paths end.",
        "Replacement: the embeddings' influence against that of embeddings and errors together.",
        "Completeness: for each node the share of its row that is no error; then a mean over nodes, each weighted with its influence, and with its own weight "
        "if it is a logit.",
    ),
)
