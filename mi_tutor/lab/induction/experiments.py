"""Experiments on heads: without some of them, with another token before a key, and while they are learned."""

from collections.abc import Callable, Iterable, Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from mi_tutor.lab.ground.edits import check_sites
from mi_tutor.lab.ground.metrics import per_position_loss
from mi_tutor.lab.ground.runs import capture
from mi_tutor.lab.ground.sites import Site, hook_name


def second_copy_loss(loss: Float[Tensor, "*row token"], n_block: int) -> Float[Tensor, ""]:
    """The mean loss on the second block of `repeated_tokens`, from its second word on.

    loss: of `per_position_loss`; entry i is about token i + 1. The second block's first word is left out: nothing
        says that a repetition begins there.

    >>> second_copy_loss(torch.tensor([5.0, 5.0, 5.0, 1.0]), n_block=2)  # BOS a b a b
    tensor(1.)
    """
    return loss[..., n_block + 1 :].mean()


def loss_without_heads(
    model: nn.Module, tokens: Int[Tensor, "row pos"], heads: Sequence[tuple[int, int]]
) -> Float[Tensor, "row pos-1"]:
    """The loss at every position when some heads, as (layer, head), write nothing: their z is zero everywhere.

    All of them are taken out in one run, and no hook is left in the model.

    >>> from mi_tutor.specimens import open_specimen, encode
    >>> model = open_specimen("primer", device="cpu")
    >>> loss_without_heads(model, encode(model, "The capital of France is"), [(0, 1), (1, 2)]).shape
    torch.Size([1, 5])
    """

    check_sites(model, [Site("z", layer, head=head) for layer, head in heads], tokens)

    def without(head: int) -> Callable[..., Tensor]:
        def hook(z: Tensor, hook: object) -> Tensor:
            z = z.clone()
            z[:, :, head] = 0.0
            return z

        return hook

    hooks = [(hook_name("z", layer), without(head)) for layer, head in heads]
    with torch.no_grad(), model.hooks(fwd_hooks=hooks):
        return per_position_loss(model(tokens), tokens)


def key_change(
    model: nn.Module, tokens: Int[Tensor, "row pos"], other: Int[Tensor, "row"], position: int
) -> Float[Tensor, "layer head"]:
    """How far each head's key at `position` moves when the token BEFORE it is `other`: mean of |k' - k| / |k|.

    In the first layer 0, whatever the weights: a key is made from the stream of its own position, which no head
    has written to yet. A key that does not move cannot tell a query which token came before it, which is what an
    induction head has to find out.

    Raises ValueError for position 0, which has no token before it.

    >>> from mi_tutor.specimens import open_specimen, encode
    >>> model = open_specimen("primer", device="cpu")
    >>> tokens = encode(model, "The capital of France is")
    >>> key_change(model, tokens, tokens[:, 1], position=4)[0]
    tensor([0., 0., 0., 0.])
    """
    if not 0 < position < tokens.shape[1]:
        raise ValueError(
            f"position should be between 1 and {tokens.shape[1] - 1}, so that a token stands before it; "
            f"got {position}."
        )
    changed = tokens.clone()
    changed[:, position - 1] = other
    before, after = capture(model, tokens, ["k"]), capture(model, changed, ["k"])

    def layer_change(layer: int) -> Float[Tensor, "head"]:
        k, k_new = (run[hook_name("k", layer)][:, position] for run in (before, after))
        return ((k_new - k).norm(dim=-1) / k.norm(dim=-1)).mean(dim=0)

    return torch.stack([layer_change(layer) for layer in range(model.cfg.n_layers)])


def train_next_token(
    network: nn.Module, batches: Iterable[Int[Tensor, "row pos"]], learning_rate: float
) -> list[float]:
    """Train on the next token with Adam, one step per batch, and return the loss of every step.

    network: a transformers language model; it is changed. `network(tokens).logits` is [row pos vocab]. The loss is
        the mean over rows and positions of -log p(next token), in nats.
    """
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimizer = torch.optim.Adam(trained, lr=learning_rate)
    losses = []
    for tokens in batches:
        loss = per_position_loss(network(tokens).logits, tokens).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
