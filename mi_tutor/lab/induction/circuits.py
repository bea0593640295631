"""Circuits read off the weights, without running the model (Elhage et al. 2021).

An attention head is two low-rank matrices that work independently, in x @ W orientation:

    W_QK = W_Q W_K^T      where it looks:  score(query, key) = x_query W_QK x_key^T
    W_OV = W_V W_O        what it moves:   what key x_key adds to the stream is x_key W_OV

Between embedding and unembedding both can be read in words. Two heads compose when the second reads what the first
wrote. Biases and LayerNorm are left out: these are statements about weights, to be tested by patching.
"""

from typing import Literal, NamedTuple

import torch
from jaxtyping import Complex, Float
from torch import Tensor, nn


def ov_circuit(
    W_E: Float[Tensor, "vocab d_model"],
    W_V: Float[Tensor, "d_model d_head"],
    W_O: Float[Tensor, "d_head d_model"],
    W_U: Float[Tensor, "d_model vocab"],
) -> Float[Tensor, "source out"]:
    """W_E W_V W_O W_U: what attending to each token (rows) does to each token's logit (columns).

    >>> eye = torch.eye(3)
    >>> ov_circuit(eye, eye, 2 * eye, eye)[1]
    tensor([0., 2., 0.])
    """
    return (W_E @ W_V) @ (W_O @ W_U)


def qk_circuit(
    queries: Float[Tensor, "query d_model"],
    W_Q: Float[Tensor, "d_model d_head"],
    W_K: Float[Tensor, "d_model d_head"],
    keys: Float[Tensor, "key d_model"],
) -> Float[Tensor, "query key"]:
    """(queries W_Q)(keys W_K)^T / sqrt(d_head): the attention score of each query for each key."""
    return (queries @ W_Q) @ (keys @ W_K).mT / W_Q.shape[-1] ** 0.5


class CopyingScore(NamedTuple):
    """Two ways to say how much a head's OV circuit copies.

    Attributes:
        top_1: the share of tokens whose own logit the circuit raises most.
        eigenvalues: Σλ / Σ|λ| over the circuit's eigenvalues, from -1 to 1. 1: all are positive, each
            combination of tokens raises itself.
    """

    top_1: float
    eigenvalues: float


def copying_score(
    W_E: Float[Tensor, "vocab d_model"],
    W_V: Float[Tensor, "d_model d_head"],
    W_O: Float[Tensor, "d_head d_model"],
    W_U: Float[Tensor, "d_model vocab"],
) -> CopyingScore:
    """How much a head copies the tokens that it attends to (Elhage et al. 2021).

    W_E may also be the effective embedding of a model whose first MLP rewrites it (`effective_embedding`).

    >>> eye = torch.eye(4)
    >>> copying_score(eye, eye, eye, eye), copying_score(eye, eye, -eye, eye).eigenvalues
    (CopyingScore(top_1=1.0, eigenvalues=1.0), -1.0)
    """
    values = ov_eigenvalues(W_E, W_V, W_O, W_U)
    return CopyingScore(
        top_1=diagonal_wins(W_E @ W_V, (W_O @ W_U).mT),
        eigenvalues=(values.real.sum() / values.abs().sum()).item(),
    )


def ov_eigenvalues(
    W_E: Float[Tensor, "vocab d_model"],
    W_V: Float[Tensor, "d_model d_head"],
    W_O: Float[Tensor, "d_head d_model"],
    W_U: Float[Tensor, "d_model vocab"],
) -> Complex[Tensor, "d_head"]:
    """The eigenvalues of the OV circuit, without its vocab x vocab matrix.

    A B and B A have the same eigenvalues apart from zeros, and B A is only d_head x d_head.
    """
    return torch.linalg.eigvals((W_O @ W_U) @ (W_E @ W_V))


def diagonal_wins(
    left: Float[Tensor, "row d"], right: Float[Tensor, "row d"], n_rows: int = 1024
) -> float:
    """The share of rows of left @ right^T whose largest entry stands on the diagonal.

    The matrix is made a few rows at a time: for GPT-2's vocabulary it would have 2.5 billion entries.

    >>> diagonal_wins(torch.eye(3), torch.eye(3))
    1.0
    """
    wins = 0
    for start in range(0, len(left), n_rows):
        best = (left[start : start + n_rows] @ right.mT).argmax(dim=-1)
        own = torch.arange(start, start + len(best), device=best.device)
        wins += int((best == own).sum())
    return wins / len(left)


def previous_token_circuit(
    W_pos: Float[Tensor, "pos d_model"],
    W_Q: Float[Tensor, "d_model d_head"],
    W_K: Float[Tensor, "d_model d_head"],
    norm: float = 1.0,
) -> Float[Tensor, "query key"]:
    """The attention pattern that positions alone would give: softmax(W_pos W_Q W_K^T W_pos^T / sqrt(d_head)).

    norm: what LayerNorm divides by in the model, since the position embedding reaches the head divided by it;
        see `embedding_norm`.

    `heads.previous_token_score` of this pattern says how much of a previous-token head is in its weights.
    """
    positions = W_pos / norm
    scores = qk_circuit(positions, W_Q, W_K, positions)
    future = torch.ones_like(scores, dtype=torch.bool).triu(1)
    return scores.masked_fill(future, float("-inf")).softmax(dim=-1)


def embedding_norm(
    W_E: Float[Tensor, "vocab d_model"], W_pos: Float[Tensor, "pos d_model"], eps: float = 1e-5
) -> float:
    """What the first LayerNorm divides by: sqrt(variance + eps) of W_E[token] + W_pos[position].

    The variance, over d_model, is the mean over all tokens and positions. It is the sum of both embeddings' own
    and twice the covariance of their means.
    """
    tokens, positions = (W - W.mean(dim=-1, keepdim=True) for W in (W_E, W_pos))
    own = (tokens**2).mean() + (positions**2).mean()
    shared = 2 * (tokens.mean(dim=0) * positions.mean(dim=0)).mean()
    return (own + shared + eps).sqrt().item()


def composition_score(
    first: Float[Tensor, "*#pair n d_model"], second: Float[Tensor, "*#pair d_model m"]
) -> Float[Tensor, "*pair"]:
    """|first @ second| / (|first| |second|) in Frobenius norms: how much of what one writes the other reads.

    With first = W_OV of the earlier head, second is

        W_QK      Q-composition: what it moved decides where the later head looks from
        W_QK^T    K-composition: ... what the later head finds there. The induction circuit's.
        W_OV      V-composition: ... what the later head moves on

    Between 0 and 1. Unrelated random matrices score about 1 / sqrt(d_model), so compare with
    `random_composition` and not with 0.

    >>> composition_score(torch.eye(4), torch.eye(4))
    tensor(0.5000)
    """
    norms = first.norm(dim=(-2, -1)) * second.norm(dim=(-2, -1))
    return (first @ second).norm(dim=(-2, -1)) / norms


def k_composition(
    W_OV: Float[Tensor, "*#pair d_model d_model"], W_QK: Float[Tensor, "*#pair d_model d_model"]
) -> Float[Tensor, "*pair"]:
    """How much of what the earlier head (W_OV) writes decides where the later head (W_QK) finds its keys.

    Keys are on the right of W_QK (query W_QK key^T), so what was written meets W_QK^T.

    >>> W_OV, W_QK = torch.zeros(2, 3, 3)
    >>> W_OV[0, 1], W_QK[2, 1] = 1.0, 1.0  # it writes dimension 1; keys are found by dimension 1
    >>> k_composition(W_OV, W_QK), k_composition(W_OV, W_QK.mT)
    (tensor(1.), tensor(0.))
    """
    return composition_score(W_OV, W_QK.mT)


Kind = Literal["Q", "K", "V"]


def composition_scores(
    model: nn.Module, kind: Kind = "K"
) -> Float[Tensor, "layer head later_layer later_head"]:
    """The composition score of every head with every head of a later layer; 0 for the other pairs.

    >>> from mi_tutor.specimens import open_specimen
    >>> composition_scores(open_specimen("primer", device="cpu")).shape
    torch.Size([2, 4, 2, 4])
    """
    W_Q, W_K, W_V, W_O = (W.detach() for W in (model.W_Q, model.W_K, model.W_V, model.W_O))
    # Only norms are asked for, so each outer factor may be as small as its rank: [layer head d_head d_model].
    writes = small(W_V) @ W_O
    factors = {"Q": (W_Q, W_K), "K": (W_K, W_Q), "V": (W_V, W_O.mT)}[kind]
    reads = factors[0] @ small(factors[1]).mT
    n_layers, n_heads = W_V.shape[:2]
    scores = W_V.new_zeros(n_layers, n_heads, n_layers, n_heads)
    for later in range(1, n_layers):
        earlier = writes[:later, :, None]  # [earlier head 1 ...] against [later_head ...]
        scores[:later, :, later] = composition_score(earlier, reads[later])
    return scores


def small(W: Float[Tensor, "*axes n d_head"]) -> Float[Tensor, "*axes d_head d_head"]:
    """R of W = QR: the norm of W @ M is that of R @ M, since Q only rotates."""
    return torch.linalg.qr(W, mode="r").R


def random_composition(
    d_model: int, d_head: int, n_samples: int, generator: torch.Generator
) -> Float[Tensor, "sample"]:
    """The composition scores of heads that have nothing to do with each other: Gaussian weights.

    >>> from mi_tutor.lab.ground.device import seeded
    >>> random_composition(64, 16, n_samples=8, generator=seeded(0)).mean() < 0.2
    tensor(True)
    """
    shape, device = (n_samples, d_model, d_head), generator.device
    left, right = (
        torch.randn(shape, generator=generator, device=device)
        @ torch.randn(shape, generator=generator, device=device).mT
        for _ in range(2)
    )
    return composition_score(left, right)


def full_induction_circuit(
    W_E: Float[Tensor, "vocab d_model"],
    previous_OV: Float[Tensor, "d_model d_model"],
    W_Q: Float[Tensor, "d_model d_head"],
    W_K: Float[Tensor, "d_model d_head"],
) -> Float[Tensor, "token previous_token"]:
    """The induction head's score for a key whose *previous* token is known, by K-composition.

        score[token, previous] = W_E[token] W_Q (W_E[previous] W_OV W_K)^T / sqrt(d_head)

    W_OV is the previous-token head's: at the key it has written which token came before. A large diagonal
    says: from token A look at the position after an A. For large vocabularies see `induction_circuit_score`.
    """
    return qk_circuit(W_E, W_Q, W_K, W_E @ previous_OV)


def induction_circuit_score(
    W_E: Float[Tensor, "vocab d_model"],
    previous_OV: Float[Tensor, "d_model d_model"],
    W_Q: Float[Tensor, "d_model d_head"],
    W_K: Float[Tensor, "d_model d_head"],
) -> float:
    """The share of tokens that score the position after themselves highest: the circuit's diagonal wins."""
    return diagonal_wins(W_E @ W_Q, (W_E @ previous_OV) @ W_K)


@torch.no_grad()
def effective_embedding(model: nn.Module) -> Float[Tensor, "vocab d_model"]:
    """What a token is in the stream after the first MLP, if no attention came in between: W_E + MLP(LN(W_E)).

    Where the first MLP rewrites the embedding, later heads read this and not W_E.
    """
    block = model.blocks[0]
    tokens = model.W_E.detach()[None]
    return (tokens + block.mlp(block.ln2(tokens)))[0]
