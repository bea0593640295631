"""Chapter 03, two heads together: `k-composition` and `full-induction-circuit`."""

from __future__ import annotations

import torch

from mi_tutor.lab.induction.circuits import full_induction_circuit, k_composition
from mi_tutor.teach.exercise import Case, Exercise, Mistake, Style, Tolerance
from mi_tutor.teach.exercises.making import and_near_zero, normal

# --- k-composition --------------------------------------------------------------------------------


def _composition_cases(g: torch.Generator) -> list[Case]:
    def head(d_model: int, d_head: int):
        return normal(g, d_model, d_head), normal(g, d_head, d_model)

    def case(label: str, d_model: int, d_head: int, share: float) -> Case:
        """A later head whose keys read, to a `share`, what the earlier head writes."""
        (W_V, W_O), (W_Q, W_K_T) = head(d_model, d_head), head(d_model, d_head)
        keys = share * W_O + (1 - share) * W_K_T  # [d_head d_model]
        return Case(label=label, inputs={"W_OV": W_V @ W_O, "W_QK": W_Q @ keys})

    return [
        case("heads that compose", 12, 3, 0.9),
        case("heads that do not", 10, 4, 0.0),
        case("full rank", 6, 6, 0.4),
        case("d_head 1", 9, 1, 0.5),
    ]


def _norm(matrix):
    return matrix.square().sum().sqrt()


def _composed(product, norm=_norm, below=lambda W_OV, W_QK: _norm(W_OV) * _norm(W_QK)):
    return lambda W_OV, W_QK: norm(product(W_OV, W_QK)) / below(W_OV, W_QK)


def _k(W_OV, W_QK):
    return W_OV @ W_QK.mT


K_COMPOSITION = Exercise(
    slug="k-composition",
    title="How much do two heads compose?",
    chapter="03",
    points=3,
    minutes=8,
    difficulty=3,
    objective="Measure in the weights how much of what one head writes decides where a later head finds its keys.",
    cases=_composition_cases,
    reference=k_composition,
    tolerance=Tolerance(rtol=1e-4, atol=1e-5),
    styles=(
        Style(
            name="the other way round, as in W_QK W_OVᵀ",
            right=lambda W_OV, W_QK: (
                torch.linalg.matrix_norm(W_QK @ W_OV.T) / (W_OV.norm() * W_QK.norm())
            ),
        ),
        Style(
            name="einsum",
            right=lambda W_OV, W_QK: (
                torch.einsum("ij,kj->ik", W_OV, W_QK).norm() / W_OV.norm() / W_QK.norm()
            ),
        ),
        Style(
            name="traces",
            right=lambda W_OV, W_QK: (
                ((W_OV.T @ W_OV) * (W_QK.T @ W_QK)).sum()
                / ((W_OV * W_OV).sum() * (W_QK * W_QK).sum())
            ).sqrt(),
        ),
    ),
    mistakes=(
        Mistake(
            name="Q-composition",
            wrong=_composed(lambda W_OV, W_QK: W_OV @ W_QK),
            sentence="That is Q-composition: what the earlier head wrote enters W_QK from the left, on the query's side. Keys are on its RIGHT: "
            "score = query W_QK keyᵀ.",
        ),
        Mistake(
            name="W_OV transposed",
            wrong=_composed(lambda W_OV, W_QK: W_OV.mT @ W_QK.mT),
            sentence="Your W_OV is transposed, so the later head meets what the earlier one READS. It should meet what that one WRITES: x W_OV.",
        ),
        Mistake(
            name="both transposed",
            wrong=_composed(lambda W_OV, W_QK: W_OV.mT @ W_QK),
            sentence="Your W_OV and your W_QK are both the wrong way round: this compares what the earlier head reads with what the later head's "
            "queries read.",
        ),
        Mistake(
            name="not divided",
            wrong=_composed(_k, below=lambda W_OV, W_QK: 1.0),
            sentence="You did not divide by the two norms: a head with large weights would seem to compose with everything.",
        ),
        Mistake(
            name="divided by one norm",
            wrong=_composed(_k, below=lambda W_OV, W_QK: _norm(W_OV)),
            sentence="You divide by W_OV's norm only. Both heads' sizes have to go, or the later head's counts.",
        ),
        Mistake(
            name="norms added",
            wrong=_composed(_k, below=lambda W_OV, W_QK: _norm(W_OV) + _norm(W_QK)),
            sentence="You divide by the sum of the norms. Their product makes the score independent of both scales.",
        ),
        Mistake(
            name="squared",
            wrong=lambda W_OV, W_QK: _composed(_k)(W_OV, W_QK) ** 2,
            sentence="Your score is the square of the one asked for: take the root in every norm.",
        ),
        Mistake(
            name="spectral norm",
            wrong=lambda W_OV, W_QK: (
                torch.linalg.matrix_norm(W_OV @ W_QK.mT, 2)
                / (torch.linalg.matrix_norm(W_OV, 2) * torch.linalg.matrix_norm(W_QK, 2))
            ),
            sentence="You take the spectral norm (the largest singular value). The score uses the Frobenius norm, the root of the sum of all "
            "squared entries.",
        ),
        Mistake(
            name="cosine",
            wrong=lambda W_OV, W_QK: (W_OV * W_QK.mT).sum() / (_norm(W_OV) * _norm(W_QK)),
            sentence="You multiply entry by entry (a cosine of two matrices). Composition is a matrix product: first one head, then the other.",
        ),
    ),
    hints=(
        "A key that contains what the earlier head wrote is (x W_OV). Put it where the key stands in score = query W_QK keyᵀ.",
        "Written for the key alone, W_QK acts as its transpose. Which matrix product holds both heads then?",
        "`.norm()` of a matrix is its Frobenius norm. One norm above, two below.",
    ),
)

# --- full-induction-circuit -----------------------------------------------------------------------


def _full_cases(g: torch.Generator) -> list[Case]:
    def case(label: str, vocab: int, d_model: int, d_head: int) -> Case:
        return Case(
            label=label,
            inputs={
                "W_E": normal(g, vocab, d_model),
                "previous_OV": normal(g, d_model, d_head) @ normal(g, d_head, d_model) / d_model,
                "W_Q": normal(g, d_model, d_head),
                "W_K": normal(g, d_model, d_head),
            },
        )

    return [
        case("eleven words", 11, 8, 3),
        case("as many words as dimensions", 9, 9, 4),
        case("a full-rank head", 7, 5, 5),
        case("one word", 1, 6, 2),
    ]


def _full_by_loop(W_E, previous_OV, W_Q, W_K):
    n = len(W_E)
    scores = torch.zeros(n, n)
    for token in range(n):
        query = W_E[token] @ W_Q
        for previous in range(n):
            key = W_E[previous] @ previous_OV @ W_K
            scores[token, previous] = query @ key / len(query) ** 0.5
    return scores


def _full(query=lambda E, OV: E, key=lambda E, OV: E @ OV, scale=lambda W_Q: W_Q.shape[1] ** -0.5):
    def answer(W_E, previous_OV, W_Q, W_K):
        q, k = query(W_E, previous_OV) @ W_Q, key(W_E, previous_OV) @ W_K
        return q @ k.mT * scale(W_Q)

    return answer


FULL_INDUCTION_CIRCUIT = Exercise(
    slug="full-induction-circuit",
    title="The whole circuit, in words",
    chapter="03",
    points=4,
    minutes=10,
    difficulty=3,
    objective="Compose the induction head's QK circuit with the previous-token head, and read the result over the vocabulary.",
    cases=and_near_zero(_full_cases, "W_E", "W_Q", "W_K"),
    reference=full_induction_circuit,
    tolerance=Tolerance(rtol=1e-4, atol=1e-5),
    styles=(
        Style(name="two loops over words", right=_full_by_loop),
        Style(
            name="einsum",
            right=lambda W_E, previous_OV, W_Q, W_K: (
                torch.einsum("td,dh,eh,fe,pf->tp", W_E, W_Q, W_K, previous_OV, W_E)
                / W_Q.shape[-1] ** 0.5
            ),
        ),
        Style(
            name="by W_QK",
            right=lambda W_E, previous_OV, W_Q, W_K: (
                W_E @ (W_Q @ W_K.T) @ previous_OV.T @ W_E.T / W_K.shape[1] ** 0.5
            ),
        ),
    ),
    mistakes=(
        Mistake(
            name="the previous-token head on the query's side",
            wrong=_full(query=lambda E, OV: E @ OV, key=lambda E, OV: E),
            sentence="You send the QUERY through the previous-token head (Q-composition). The query is the present token itself; what came before "
            "is written at the KEY.",
        ),
        Mistake(
            name="on both sides",
            wrong=_full(query=lambda E, OV: E @ OV),
            sentence="You send query and key through the previous-token head. That would match what came before BOTH, not the present token with "
            "what came before the key.",
        ),
        Mistake(
            name="no previous-token head",
            wrong=_full(key=lambda E, OV: E),
            sentence="The previous-token head is missing: this is how one head matches a token with a token. At the key stands what that head wrote, "
            "W_E W_OV.",
        ),
        Mistake(
            name="W_OV transposed",
            wrong=_full(key=lambda E, OV: E @ OV.mT),
            sentence="The previous-token head's W_OV is transposed. What it writes for a token x is x W_OV.",
        ),
        Mistake(
            name="rows and columns exchanged",
            wrong=lambda *weights: _full()(*weights).mT,
            sentence="Rows and columns are exchanged: rows are the present token (the query), columns the token before the key.",
        ),
        Mistake(
            name="W_Q and W_K exchanged",
            wrong=lambda W_E, previous_OV, W_Q, W_K: _full()(W_E, previous_OV, W_K, W_Q),
            sentence="W_Q and W_K are exchanged: the present token is read by W_Q, what the previous-token head wrote by W_K.",
        ),
        Mistake(
            name="not divided by √d_head",
            wrong=_full(scale=lambda W_Q: 1.0),
            sentence="The scores are not divided by √d_head.",
        ),
        Mistake(
            name="the token added to the key",
            wrong=_full(key=lambda E, OV: E + E @ OV),
            sentence="Your key also holds W_E of the SAME token. At a key two tokens meet: the key's own, which is another one, and the one before "
            "it. This circuit is about the one before only.",
        ),
        Mistake(
            name="a softmax on top",
            wrong=lambda *weights: _full()(*weights).softmax(dim=-1),
            sentence="You took a softmax over the vocabulary. These are scores: the softmax comes later, over the positions of a text.",
        ),
    ),
    hints=(
        "Two rows of vectors: queries, one per present token; keys, one per token that may have come before the key.",
        "Queries are W_E W_Q. For the keys, ask what the previous-token head adds to the stream when it has looked at token x.",
        "Then it is a QK circuit as before: queries keysᵀ / √d_head.",
    ),
)
