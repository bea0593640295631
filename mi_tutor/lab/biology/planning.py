"""Is a line's last word chosen before the line is begun? Read it there, swap it there, and see what is written.

Lindsey et al. 2025 call it planning if what stands at the line break (a) says which word the line will end in, and
(b) once exchanged makes the line end in the other word *and* makes what comes before fit it. Reading is not
enough: what can be read at a place need not be used from there.

    plan(w)  = mean stream at the line break over first lines whose plan is w            [d_model]
    swap     : x[break] <- x[break] + plan(target) - plan(own)        before one layer, at one position

A line is written greedily into a template: some tokens are given ("and Tom", "the"), the blanks are the model's.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from mi_tutor.lab.ground.plain import PlainTransformer
from mi_tutor.lab.swaps.directions import random_like
from mi_tutor.lab.swaps.making import swap_logits

BLANK = None  # in a template: the model's own choice
Template = Sequence[int | None]


class Step(NamedTuple):
    """What is added to the residual stream: before which layer, at which position, and what for each prompt."""

    layer: int
    position: int
    directions: Float[Tensor, "prompt d_model"]


@torch.no_grad()
def write_line(
    plain: PlainTransformer,
    tokens: Int[Tensor, "prompt pos"],
    template: Template,
    step: Step | None = None,
) -> Int[Tensor, "prompt blank"]:
    """What a model writes into the blanks of a template, greedily, with a step added at an earlier position.

    tokens: prompts of one length. template: what follows them, a token id or `BLANK` for each position.
    step: its position counts from the prompt's start, or, if negative, from the prompt's end.
    """
    n_pos, written = tokens.shape[1], []
    for token in template:
        if token is None:
            written.append(next_tokens(plain, tokens, n_pos, step))
            tokens = torch.cat([tokens, written[-1][:, None]], dim=1)
        else:
            tokens = torch.cat([tokens, tokens.new_full((len(tokens), 1), token)], dim=1)
    return torch.stack(written, dim=1)


def next_tokens(
    plain: PlainTransformer, tokens: Int[Tensor, "prompt pos"], n_pos: int, step: Step | None
) -> Int[Tensor, "prompt"]:
    """The most likely next tokens, with a step. n_pos: how long the prompts were."""
    layer = 0 if step is None else step.layer
    stream = plain.resid_pre(layer, tokens)
    if step is not None:
        stream[:, range(n_pos)[step.position]] += step.directions
    return plain.logits_after(layer - 1, stream, read=-1)[:, 0].argmax(dim=-1)


@torch.no_grad()
def written_after(
    model: nn.Module,
    tokens: Int[Tensor, "prompt pos"],
    template: Template,
    steps: Float[Tensor, "prompt d_model"],
    layer: int,
    place: int,
) -> Int[Tensor, "prompt blank"]:
    """What any model writes into the blanks of a template, with a step added at one place of the prompts.

    The step stays where it is while the text grows: a line break is edited once, and read by all that comes after.
    place: a position of the prompts as they are handed in, from their start.

    >>> from mi_tutor.specimens import open_specimen, encode
    >>> model = open_specimen("primer", device="cpu")
    >>> tokens = encode(model, "The capital of France")
    >>> italy = model.W_E[model.to_single_token(" Italy")] - model.W_E[model.to_single_token(" France")]
    >>> is_, full_stop = model.to_single_token(" is"), model.to_single_token(".")
    >>> written = written_after(model, tokens, [is_, None, full_stop], italy[None], layer=0, place=4)
    >>> model.to_string(written[0])
    ' Rome'
    """
    places, written = torch.full((len(tokens),), place, device=tokens.device), []
    for token in template:
        if token is None:
            new = swap_logits(model, tokens, places, steps, layer).argmax(dim=-1)
            written.append(new)
        else:
            new = tokens.new_full((len(tokens),), token)
        tokens = torch.cat([tokens, new[:, None]], dim=1)
    return torch.stack(written, dim=1)


class PlanSwaps(NamedTuple):
    """What was written after each swap: one row per prompt, one column per plan swapped in.

    Attributes:
        targets: the plans swapped in.
        written: the tokens in the blanks; the last blank is the line's end.
        fits: whether each of them is one that goes with the target and not with the prompt's own plan.
    """

    targets: Int[Tensor, "prompt target"]
    written: Int[Tensor, "prompt target blank"]
    fits: Bool[Tensor, "prompt target blank"]

    @property
    def whole_lines(self) -> Float[Tensor, ""]:
        """The share of lines in which everything fits the target: the middle and the end."""
        return self.fits.all(dim=-1).float().mean()

    @property
    def by_blank(self) -> Float[Tensor, " blank"]:
        """The share for each blank alone."""
        return self.fits.float().mean(dim=(0, 1))


def swap_plans(
    plain: PlainTransformer,
    tokens: Int[Tensor, "prompt pos"],
    plans: Int[Tensor, "prompt"],
    targets: Int[Tensor, "prompt target"],
    means: Float[Tensor, "plan d_model"],
    template: Template,
    goes_with: Bool[Tensor, "blank plan vocab"],
    layer: int,
    position: int = -1,
    random_seed: int | None = None,
) -> PlanSwaps:
    """Swap each prompt's plan for others by difference of means, let the line be written, and count what fits.

    goes_with: for each blank, which tokens go with which plan. A token that goes with the prompt's own plan too
        shows nothing, so it does not count.
    position: where; by default the prompt's last token, the line break.
    random_seed: if given, each step is a random direction of the same norm instead: the control.
    """
    generator = None if random_seed is None else torch.Generator().manual_seed(random_seed)
    written = []
    for target in targets.T:
        directions = means[target] - means[plans]
        if generator is not None:
            directions = random_like(directions, generator)
        written.append(write_line(plain, tokens, template, Step(layer, position, directions)))
    lines = torch.stack(written, dim=1)
    return PlanSwaps(targets, lines, fitting(lines, plans, targets, goes_with))


def fitting(
    written: Int[Tensor, "prompt target blank"],
    plans: Int[Tensor, "prompt"],
    targets: Int[Tensor, "prompt target"],
    goes_with: Bool[Tensor, "blank plan vocab"],
) -> Bool[Tensor, "prompt target blank"]:
    """Which of the written tokens go with the target's plan, and not with the prompt's own as well.

    >>> goes_with = torch.tensor([[[True, True, False], [False, True, True]]])  # one blank, two plans
    >>> fitting(torch.tensor([[[2]], [[1]]]), torch.tensor([0, 0]), torch.tensor([[1], [1]]), goes_with).flatten()
    tensor([ True, False])
    """
    blanks = torch.arange(written.shape[-1])
    with_target = goes_with[blanks, targets[..., None], written]
    return with_target & ~goes_with[blanks, plans[:, None, None], written]


class Ingredients(NamedTuple):
    """A table of means taken apart: mean[w] = common + first[a(w)] + second[b(w)] + together[w].

    `together` is what the two do not give as a sum: what is the word's own. Each part's share is of the variance
    of the means around `common`; with a full balanced table the three shares add up to one.
    """

    common: Float[Tensor, "d_model"]
    first: Float[Tensor, "plan d_model"]
    second: Float[Tensor, "plan d_model"]
    together: Float[Tensor, "plan d_model"]

    @property
    def shares(self) -> Float[Tensor, "3"]:
        """The share of variance of first, second, together."""
        parts = torch.stack([part.square().sum() for part in self[1:]])
        return parts / (self.first + self.second + self.together).square().sum()


def ingredients(
    means: Float[Tensor, "plan d_model"],
    first: Int[Tensor, "plan"],
    second: Int[Tensor, "plan"],
) -> Ingredients:
    """Take the means of plans apart by two things that fix each plan (topic and rhyme): an analysis of variance.

    Every pair of the two should occur exactly once (ValueError), or the parts would not be orthogonal.

    >>> table = torch.tensor([[0.0], [1.0], [10.0], [11.0]])  # tens and ones, added: nothing is their own
    >>> ingredients(table, torch.tensor([0, 0, 1, 1]), torch.tensor([0, 1, 0, 1])).together.abs().max()
    tensor(0.)
    """
    n_first, n_second = int(first.max()) + 1, int(second.max()) + 1
    cells = first * n_second + second
    if not torch.equal(cells.sort().values, torch.arange(n_first * n_second, device=cells.device)):
        raise ValueError("Every pair of the two things should have exactly one plan.")
    common = means.mean(dim=0)
    rest = means - common
    table = means.new_empty(n_first, n_second, means.shape[1])
    table[first, second] = rest
    one, other = table.mean(dim=1)[first], table.mean(dim=0)[second]
    return Ingredients(common, one, other, rest - one - other)
