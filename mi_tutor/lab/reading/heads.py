"""Take a transformer apart: what happens without one head."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from mi_tutor.lab.ground.edits import check_editable


def zero_head(
    model: nn.Module, tokens: Int[Tensor, "batch pos"], layer: int, head: int
) -> Float[Tensor, "batch pos vocab"]:
    """The logits of a model in which one attention head writes nothing.

    The head's output z, `[batch pos head d_head]` at `blocks.{layer}.attn.hook_z`, is replaced by zeros during
    this one run. The hook lives in a context manager: afterwards the model is what it was, also after an error.

    model: a TransformerBridge (or anything with its `hooks` context manager and `cfg`).

    Raises IndexError if the model has no such layer or head.

    >>> from mi_tutor.specimens import open_specimen
    >>> model = open_specimen("primer")
    >>> zero_head(model, model.to_tokens("The capital of France is"), layer=1, head=0).shape
    torch.Size([1, 6, 188])
    """
    if not 0 <= layer < model.cfg.n_layers or not 0 <= head < model.cfg.n_heads:
        raise IndexError(
            f"There is no head {head} in layer {layer}: this model has {model.cfg.n_layers} layers "
            f"with {model.cfg.n_heads} heads each, counted from 0."
        )
    check_editable(model, ["z"], tokens)

    def without_head(
        z: Float[Tensor, "batch pos head d_head"], hook: object
    ) -> Float[Tensor, "batch pos head d_head"]:
        z = z.clone()  # never edit in place: the tensor belongs to the run
        z[:, :, head] = 0
        return z

    with torch.no_grad(), model.hooks(fwd_hooks=[(f"blocks.{layer}.attn.hook_z", without_head)]):
        return model(tokens)


def head_effects(
    model: nn.Module,
    tokens: Int[Tensor, "batch pos"],
    answer: int,
    position: int = -1,
    instead: int | None = None,
) -> Float[Tensor, "layer head"]:
    """What the answer's logit gains when each head in turn is set to zero; negative: the head was helping.

    effect[layer, head] = logit without the head - logit with it, averaged over the batch

    answer: a token id. position: where the prediction is read, by default after the whole prompt.
    instead: another token id. Then the effect is on the logit difference, logit(answer) - logit(instead):
        not whether the model wants to say the answer, but whether it prefers it to the other token.

    Without `instead` logits are compared as they are, so the unembedding should be centred (`open_specimen`
    does that): else a change that all tokens share would count.

    >>> from mi_tutor.specimens import open_specimen
    >>> model = open_specimen("primer", device="cpu")
    >>> tokens, answer = model.to_tokens("The capital of France is"), model.to_single_token(" Paris")
    >>> head_effects(model, tokens, answer).shape
    torch.Size([2, 4])
    """

    def score(logits: Float[Tensor, "batch pos vocab"]) -> Float[Tensor, ""]:
        last = logits[:, position]
        return (last[:, answer] - (0 if instead is None else last[:, instead])).mean()

    with torch.no_grad():
        intact = score(model(tokens))
    rows = [
        [score(zero_head(model, tokens, layer, head)) - intact for head in range(model.cfg.n_heads)]
        for layer in range(model.cfg.n_layers)
    ]
    return torch.stack([torch.stack(row) for row in rows])
