"""Making swaps: on many questions at once in plain torch, and with hooks at any site of any model."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from mi_tutor.lab.ground.edits import check_sites, edit_hooks
from mi_tutor.lab.ground.plain import PlainTransformer
from mi_tutor.lab.ground.questions import Questions, other_classes
from mi_tutor.lab.ground.sites import Site
from mi_tutor.lab.swaps.directions import class_means, random_like


def streams(
    plain: PlainTransformer, tokens: Int[Tensor, "prompt pos"]
) -> Float[Tensor, "layer prompt pos d_model"]:
    """The residual stream before each layer, and after the last one."""
    found = [plain.embed(tokens)]
    for layer in range(len(plain.blocks)):
        found.append(plain.block(layer, found[-1]))
    return torch.stack(found)


def means_at(
    plain: PlainTransformer, batches: Sequence[Questions], offset: int = 0
) -> Float[Tensor, "layer class d_model"]:
    """The mean stream of each class where names end, or `offset` tokens later; before each layer and after all."""
    at = [
        streams(plain, each.tokens)[:, torch.arange(len(each.tokens)), each.places + offset]
        for each in batches
    ]
    classes = torch.cat([each.classes for each in batches])
    n_classes = batches[0].answers.shape[1]
    return torch.stack([class_means(stream, classes, n_classes) for stream in torch.cat(at, dim=1)])


def answers_after(
    plain: PlainTransformer,
    stream: Float[Tensor, "prompt pos d_model"],
    layer: int,
    places: Int[Tensor, "prompt"],
    steps: Float[Tensor, "prompt d_model"],
) -> Int[Tensor, "prompt"]:
    """The most likely next tokens when a step is added to the stream before `layer`, at each prompt's place."""
    edited = stream.clone()
    edited[torch.arange(len(stream)), places] += steps
    return plain.logits_after(layer - 1, edited, read=-1)[:, 0].argmax(dim=-1)


class SwapResult(NamedTuple):
    """What swapping did: one row per question, one column per class swapped in.

    Attributes:
        targets: the classes swapped in.
        follows: whether the answer became the target's.
        asked: where that is a test: the target has another answer than the question's own class.
        classes: the questions' own classes.
        guesses: the answers.
    """

    targets: Int[Tensor, "prompt target"]
    follows: Bool[Tensor, "prompt target"]
    asked: Bool[Tensor, "prompt target"]
    classes: Int[Tensor, "prompt"]
    guesses: Int[Tensor, "prompt target"]

    @property
    def success(self) -> float:
        """The share of tests that the swap passed."""
        return self.follows[self.asked].float().mean().item()


def swap(
    plain: PlainTransformer,
    questions: Questions,
    means: Float[Tensor, "class d_model"],
    layer: int,
    targets: Int[Tensor, "prompt target"],
    strength: float = 1.0,
    random_seed: int | None = None,
) -> SwapResult:
    """Swap the class of each question for others, by difference of means in the stream before `layer`.

    strength: how often the direction is added. random_seed: if given, each step is a random direction of the
    same norm instead: the control.
    """
    steps = strength * (means[targets] - means[questions.classes][:, None])
    if random_seed is not None:
        generator = torch.Generator().manual_seed(random_seed)
        steps = torch.stack([random_like(each, generator) for each in steps.unbind(1)], dim=1)
    return swap_with(plain, questions, layer, targets, steps)


@torch.no_grad()
def swap_with(
    plain: PlainTransformer,
    questions: Questions,
    layer: int,
    targets: Int[Tensor, "prompt target"],
    steps: Float[Tensor, "prompt target d_model"],
    places: Int[Tensor, "prompt"] | None = None,
) -> SwapResult:
    """Add any steps to the stream before `layer`, one per question and target, and see who answers as the target.

    places: where, if not at the name's end.
    """
    stream = plain.resid_pre(layer, questions.tokens)
    where = questions.places if places is None else places
    guesses = torch.stack(
        [answers_after(plain, stream, layer, where, each) for each in steps.unbind(1)], dim=-1
    )
    right = questions.answers.gather(1, questions.classes[:, None])
    wanted = questions.answers.gather(1, targets)
    return SwapResult(targets, guesses == wanted, wanted != right, questions.classes, guesses)


def swap_batches(
    plain: PlainTransformer,
    batches: Sequence[Questions],
    means: Float[Tensor, "class d_model"],
    layer: int,
    n_targets: int = 10,
    strength: float = 1.0,
    random_seed: int | None = None,
) -> SwapResult:
    """Swap every question of several batches to some random other classes, the same ones in every call."""
    results = []
    for number, batch in enumerate(batches):
        targets = other_classes(batch.classes, len(means), n_targets, seed=number)
        results.append(swap(plain, batch, means, layer, targets, strength, random_seed))
    return joined(results)


@torch.no_grad()
def swap_copies(
    plain: PlainTransformer,
    batches: Sequence[Questions],
    means: Sequence[Tensor],
    layer: int,
    n_targets: int = 10,
) -> SwapResult:
    """Swap the class where the name ends and in the tokens after it, which may hold copies of it already.

    means: [class d_model] of the name's last token, of the token after it, and so on: as many tokens are edited,
    up to the prompt's last one.
    """
    results = []
    for number, batch in enumerate(batches):
        stream = plain.resid_pre(layer, batch.tokens)
        targets = other_classes(batch.classes, len(means[0]), n_targets, seed=number)
        rows, guesses = torch.arange(len(stream), device=stream.device), []
        for target in targets.T:
            edited = stream.clone()
            for offset, table in enumerate(means):
                at = batch.places + offset
                inside = at < stream.shape[1]
                steps = (table[target] - table[batch.classes])[inside]
                edited[rows[inside], at[inside]] += steps
            guesses.append(plain.logits_after(layer - 1, edited, read=-1)[:, 0].argmax(dim=-1))
        right = batch.answers.gather(1, batch.classes[:, None])
        wanted, found = batch.answers.gather(1, targets), torch.stack(guesses, dim=-1)
        results.append(SwapResult(targets, found == wanted, wanted != right, batch.classes, found))
    return joined(results)


def joined(results: Sequence[SwapResult]) -> SwapResult:
    """Several results, one after another, as one."""
    return SwapResult(*(torch.cat(parts) for parts in zip(*results, strict=True)))


def success_matrix(
    own: Int[Tensor, "prompt"],
    targets: Int[Tensor, "prompt target"],
    guesses: Int[Tensor, "prompt target"],
    answers: Int[Tensor, "prompt class"],
) -> Float[Tensor, "class class"]:
    """Success by the question's own class (rows) and the class swapped in (columns); NaN where nothing was tested.

    A swap is a test only where the target would answer the question otherwise than its own class does.

    >>> own, targets, guesses = torch.tensor([0, 0]), torch.tensor([[1], [1]]), torch.tensor([[8], [7]])
    >>> success_matrix(own, targets, guesses, answers=torch.tensor([[7, 8], [7, 8]]))
    tensor([[   nan, 0.5000],
            [   nan,    nan]])
    """
    wanted = answers.gather(1, targets)
    asked = wanted != answers.gather(1, own[:, None])
    cells = own[:, None].expand_as(targets)[asked], targets[asked]
    n = answers.shape[1]
    passed, total = torch.zeros(2, n, n, device=answers.device)
    passed.index_put_(cells, (guesses == wanted)[asked].float(), accumulate=True)
    total.index_put_(cells, torch.ones_like(cells[0], dtype=total.dtype), accumulate=True)
    return passed / total  # 0 / 0 is NaN


def swap_logits(
    model: nn.Module,
    tokens: Int[Tensor, "prompt pos"],
    places: Int[Tensor, "prompt"],
    steps: Float[Tensor, "prompt d_model"],
    layer: int,
    component: str = "resid_pre",
) -> Float[Tensor, "prompt vocab"]:
    """What a model predicts next when each prompt's step is added at its own place. Works for any architecture.

    component: what is edited, any of `sites.COMPONENTS` with the axes [batch pos d_model].

    >>> from mi_tutor.specimens import open_specimen, encode
    >>> model = open_specimen("primer", device="cpu")
    >>> tokens = encode(model, "The capital of France is")
    >>> italy = model.W_E[model.to_single_token(" Italy")] - model.W_E[model.to_single_token(" France")]
    >>> model.to_string(swap_logits(model, tokens, torch.tensor([4]), italy[None], layer=0).argmax())
    ' Rome'
    """

    site = Site(component, layer)
    check_sites(model, [site], tokens)

    def add(activation: Tensor) -> Tensor:
        activation = activation.clone()
        activation[torch.arange(len(tokens)), places] += steps
        return activation

    return model.run_with_hooks(tokens, fwd_hooks=edit_hooks(site, add))[:, -1]
