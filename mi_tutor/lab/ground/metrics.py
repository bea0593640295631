"""One number per prompt: how much a model prefers the right answer, and how well it predicts a text.

A patching experiment asks how such a number changes. The logit difference is the usual choice (Wang et al. 2022):
it is linear in the final residual stream up to LayerNorm, it does not change when all logits rise together, and
it keeps changing where a probability has long been 0.999.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor


def logit_difference(
    logits: Float[Tensor, "*row pair pos vocab"],
    answers: Int[Tensor, "pair"],
    wrongs: Int[Tensor, "pair"],
    position: int = -1,
) -> Float[Tensor, "*row pair"]:
    """logit(answer) - logit(wrong) at one position, for each prompt with its own two tokens.

    The difference is the log of how much more likely the answer is. Axes before `pair` stand for several
    runs on the same prompts.

    >>> logits = torch.tensor([[[0.0, 0.0, 0.0], [1.0, 5.0, 2.0]]])
    >>> logit_difference(logits, answers=torch.tensor([1]), wrongs=torch.tensor([2]))
    tensor([3.])
    """
    return _difference(logits[..., position, :], answers, wrongs)


def recovered(
    value: Float[Tensor, "*any"],
    clean: Float[Tensor, "*#any"] | float,
    corrupted: Float[Tensor, "*#any"] | float,
) -> Float[Tensor, "*any"]:
    """(value - corrupted) / (clean - corrupted): 0 is the corrupted run's value, 1 the clean run's.

    Values below 0 and above 1 are possible. Raises ValueError where clean and corrupted are equal, since there
    is nothing to recover.

    >>> recovered(torch.tensor([-2.0, 0.0, 2.0]), clean=2.0, corrupted=-2.0)
    tensor([0.0000, 0.5000, 1.0000])
    """
    span = torch.as_tensor(clean, dtype=value.dtype, device=value.device) - corrupted
    if (span == 0).any():
        raise ValueError(
            "The clean and the corrupted run have the same value, so nothing can be recovered. Do the two "
            "prompts differ, and does the metric look at the position where their answers do?"
        )
    return (value - corrupted) / span


def per_position_loss(
    logits: Float[Tensor, "*row pos vocab"], tokens: Int[Tensor, "*row pos"]
) -> Float[Tensor, "*row pos-1"]:
    """-log p(next token) at every position but the last, in nats.

    loss[..., i] is about token i + 1, which the model predicts at position i. It is float32 for logits in half
    precision, which would leave it two or three digits.

    >>> logits = torch.zeros(1, 3, 4)
    >>> per_position_loss(logits, torch.tensor([[0, 1, 2]]))  # log 4 each
    tensor([[1.3863, 1.3863]])
    """
    dtype = torch.promote_types(logits.dtype, torch.float32)
    log_probs = logits[..., :-1, :].log_softmax(dim=-1, dtype=dtype)
    return -log_probs.gather(-1, tokens[..., 1:, None])[..., 0]


def kl(
    right: Float[Tensor, "*batch vocab"], other: Float[Tensor, "*batch vocab"]
) -> Float[Tensor, "*batch"]:
    """KL(right ‖ other) of two predictions, from logits, in nats: how surprised the other one is on average.

        KL(p ‖ q) = Σ_v p(v) (log p(v) - log q(v)),   0 log 0 = 0

    >>> kl(torch.tensor([[0.0, 1.0]]), torch.tensor([[3.0, 4.0]]))
    tensor([0.])
    """
    log_p, log_q = right.log_softmax(dim=-1), other.log_softmax(dim=-1)
    # A token that the first rules out adds nothing, whatever the other says of it.
    return torch.where(log_p.exp() > 0, log_p.exp() * (log_p - log_q), 0.0).sum(dim=-1)


def in_context_score(loss: Float[Tensor, "*row pos"], early: int, late: int) -> Float[Tensor, ""]:
    """Mean loss at a late position minus mean loss at an early one: how much the context helps.

    Negative if later tokens are easier. Olsson et al. 2022 take the 500th and the 50th token of a text.

    >>> in_context_score(torch.tensor([[3.0, 2.0, 1.0]]), early=0, late=2)
    tensor(-2.)
    """
    return (loss[..., late] - loss[..., early]).mean()


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A number per prompt that is read off the logits at one position.

    Any function [*row pair pos vocab] -> [*row pair] will do as the metric of a sweep. This one also says where
    it looks, so that a sweep need not compute the logits anywhere else.

    Args:
        name: what is measured, for figures.
        measure: [*row pair vocab] -> [*row pair].
        position: where the logits are read.

    >>> metric = Metric(name="logit of token 2", measure=lambda logits: logits[..., 2])
    >>> metric(torch.arange(12.0).reshape(1, 3, 4))
    tensor([10.])
    """

    name: str
    measure: Callable[[Tensor], Tensor]
    position: int = -1

    def __call__(self, logits: Float[Tensor, "*row pair pos vocab"]) -> Float[Tensor, "*row pair"]:
        """The metric of one or several runs."""
        return self.measure(logits[..., self.position, :])


def prefers(
    answers: Int[Tensor, "pair"], wrongs: Int[Tensor, "pair"], position: int = -1
) -> Metric:
    """The logit difference as a metric for sweeps.

    >>> metric = prefers(torch.tensor([1]), torch.tensor([2]))
    >>> metric(torch.tensor([[[1.0, 5.0, 2.0]]]))
    tensor([3.])
    """
    return Metric(
        name="logit difference",
        measure=lambda logits: _difference(logits, answers, wrongs),
        position=position,
    )


def loss_from(
    tokens: Int[Tensor, "pair pos"], first: int
) -> Callable[[Float[Tensor, "*row pair pos vocab"]], Float[Tensor, "*row pair"]]:
    """The mean loss on the tokens from position `first` on, as a metric for sweeps.

    For repeated tokens with `first` one past the second copy's start it says how well the model copies.
    """

    def mean_loss(logits: Float[Tensor, "*row pair pos vocab"]) -> Float[Tensor, "*row pair"]:
        every = tokens.expand(*logits.shape[:-1])
        return per_position_loss(logits, every)[..., first - 1 :].mean(dim=-1)

    return mean_loss


def _difference(
    logits: Float[Tensor, "*row pair vocab"],
    answers: Int[Tensor, "pair"],
    wrongs: Int[Tensor, "pair"],
) -> Float[Tensor, "*row pair"]:
    if not len(answers) == len(wrongs) == logits.shape[-2]:
        raise ValueError(
            f"There should be one answer and one wrong token per prompt; got {len(answers)} and {len(wrongs)} "
            f"for {logits.shape[-2]} prompts."
        )
    pairs = torch.arange(len(answers), device=logits.device)
    return logits[..., pairs, answers] - logits[..., pairs, wrongs]
