"""What the cards of `induction-1l` and `induction-2l` say, measured as `open_specimen` gives these models."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log
from pathlib import Path
from typing import TYPE_CHECKING

from mi_tutor.lab.ground.device import one_thread
from mi_tutor.specimens.cards import Measure
from mi_tutor.specimens.induction.rows import (
    N_BLOCK,
    N_ROWS,
    first_and_second,
    repeated_rows,
    scores,
    table,
    text_rows,
    token_losses,
)
from mi_tutor.specimens.opening.checkpoints import checkpoint_steps
from mi_tutor.specimens.opening.models import load_network, open_specimen, quiet

if TYPE_CHECKING:
    from jaxtyping import Int
    from torch import Tensor
    from transformer_lens.model_bridge import TransformerBridge


def measure_one_layer(directory: Path) -> list[Measure]:
    """All measures of `induction-1l`."""
    model = open_specimen(directory, device="cpu")
    tokens = repeated_rows()
    with one_thread():
        return [
            *losses(model, tokens),
            second_share(model, tokens, at_least=0.8),
            *heads(model, tokens),
            Measure(
                name="induction_head",
                meaning="the highest induction score of its heads",
                value=round(float(scores(model, tokens).induction.max()), 4),
                tolerance=0.02,
                at_most=0.15,
            ),
            *exactness(model, tokens, directory),
            *training(directory, tokens),
        ]


def measure_two_layers(directory: Path) -> list[Measure]:
    """All measures of `induction-2l`."""
    from mi_tutor.specimens.induction import circuit
    from mi_tutor.specimens.induction.weights import in_the_weights

    model = open_specimen(directory, device="cpu")
    tokens = repeated_rows()
    with one_thread():
        checkpoints = training(directory, tokens)
        return [
            *losses(model, tokens),
            second_share(model, tokens, at_most=0.02),
            *heads(model, tokens),
            *circuit.copy_rule(model),
            *circuit.without_the_previous_token_head(model, tokens),
            *circuit.without_each_head(model, tokens),
            *in_the_weights(model, tokens),
            *exactness(model, tokens, directory),
            *checkpoints,
            *phase(*checkpoints[-2:]),
        ]


def measure_sibling(directory: Path) -> list[Measure]:
    """Measures of `induction-2l` from another seed: that it copies and reads, not which head does it."""
    model = open_specimen(directory, device="cpu")
    tokens = repeated_rows()
    with one_thread():
        return [
            *losses(model, tokens),
            second_share(model, tokens, at_most=0.02),
            *exactness(model, tokens, directory),
        ]


def second_share(
    model: TransformerBridge, tokens: Int[Tensor, "row pos"], **goal: float
) -> Measure:
    """Loss on the second copy / loss on the first: 1 if nothing is copied, 0 if everything is."""
    first, second = first_and_second(token_losses(model, tokens))
    return Measure(
        name="second_share",
        meaning="the same: loss on the second copy as a share of the loss on the first",
        value=round(second / first, 4),
        tolerance=0.01,
        **goal,
    )


def losses(model: TransformerBridge, tokens: Int[Tensor, "row pos"]) -> list[Measure]:
    """Losses on repeats and on text."""
    first, second = first_and_second(token_losses(model, tokens))
    text, entropy = text_rows()
    on_text = token_losses(model, text)[:, 1:].mean().item()  # the first word has none before it
    return [
        Measure(
            name="loss_first",
            meaning=f"random blocks of {N_BLOCK} words, {N_ROWS} rows: loss per word on the first copy, nats",
            value=round(first, 4),
            tolerance=0.02,
        ),
        Measure(
            name="loss_second",
            meaning="the same: loss per word on the second copy, nats",
            value=round(second, 4),
            tolerance=0.02,
        ),
        Measure(
            name="text_excess",
            meaning=f"text: loss per word above the true entropy of {entropy:.2f} nats, {N_ROWS} rows",
            value=round(on_text - entropy, 4),
            tolerance=0.02,
            at_most=0.6,  # a model that has learned nothing is 3 above: four fifths are learned
        ),
    ]


def heads(model: TransformerBridge, tokens: Int[Tensor, "row pos"]) -> list[Measure]:
    """Which head attends where."""
    found = scores(model, tokens)
    return [
        Measure(
            name="previous_token_scores",
            meaning="repeats: mean attention to the token before",
            value=table(found.previous),
            tolerance=0.02,
        ),
        Measure(
            name="induction_scores",
            meaning="repeats: mean attention of the second copy to the token after the earlier copy",
            value=table(found.induction),
            tolerance=0.02,
        ),
    ]


def exactness(
    model: TransformerBridge, tokens: Int[Tensor, "row pos"], directory: Path
) -> list[Measure]:
    """That the MLPs write nothing, and that opening the model did not change it."""
    import torch

    names = [f"blocks.{layer}.hook_mlp_out" for layer in range(model.cfg.n_layers)]
    with quiet():
        stored = load_network(directory)
    with torch.no_grad():
        logits, cache = model.run_with_cache(tokens, names_filter=names)
        stored_log_probs = stored(tokens).logits.log_softmax(dim=-1)
    return [
        Measure(
            name="mlp_writes",
            meaning="the largest number that an MLP adds to the residual stream",
            value=max(cache[name].abs().max().item() for name in names),
            tolerance=0.0,
            at_most=0.0,
        ),
        Measure(
            name="processing_error",
            meaning="largest difference of a log probability between the stored and the opened model",
            value=float((logits.log_softmax(dim=-1) - stored_log_probs).abs().max()),
            tolerance=1e-3,
            at_most=1e-3,
        ),
    ]


def training(directory: Path, tokens: Int[Tensor, "row pos"]) -> list[Measure]:
    """The same numbers at every checkpoint."""
    steps, (text, _) = checkpoint_steps(directory), text_rows()
    losses, highest = [], []
    for step in steps:
        model = open_specimen(directory, device="cpu", step=step)
        found = scores(model, tokens)
        on_text = token_losses(model, text)[:, 1:].mean().item()
        losses.append((on_text, *first_and_second(token_losses(model, tokens))))
        highest.append((float(found.previous.max()), float(found.induction.max())))
    return [
        Measure(
            name="n_checkpoints",
            meaning="checkpoints of the training, the finished model included",
            value=len(steps),
            tolerance=0,
            at_least=20,
        ),
        over_training("losses", "loss per word, nats", losses, steps, LOSSES),
        over_training("scores", "the highest score of any head", highest, steps, SCORES),
    ]


LOSSES = ("text", "first copy", "second copy")
SCORES = ("previous token", "induction")


def over_training(
    name: str,
    meaning: str,
    values: Sequence[Sequence[float]],
    steps: Sequence[int],
    columns: tuple[str, ...],
) -> Measure:
    """A table with a row for each checkpoint."""
    return Measure(
        name=f"{name}_over_training",
        meaning=f"by training step: {meaning}",
        value=[[round(value, 4) for value in row] for row in values],
        tolerance=0.02,
        rows=tuple(map(str, steps)),
        columns=columns,
        rows_title="step",
        columns_title=name,
    )


def phase(losses: Measure, scores: Measure) -> list[Measure]:
    """How abrupt the change is, and whether the loss falls when the induction score rises."""
    steps = [int(step) for step in losses.rows]
    second = [row[LOSSES.index("second copy")] for row in losses.value]
    induction = [row[SCORES.index("induction")] for row in scores.value]
    tenth, half, most = (step_of_change(steps, second, share) for share in (0.1, 0.5, 0.9))
    return [
        Measure(
            name="phase_change",
            meaning="the step at which half of the second copy's loss is gone",
            value=round(half),
            tolerance=10,
        ),
        Measure(
            name="phase_change_width",
            meaning="how abrupt: step at which nine tenths are gone / step at which one tenth is",
            value=round(most / tenth, 4),
            tolerance=0.02,
            at_most=1.5,
        ),
        Measure(
            name="phase_change_with_induction",
            meaning="that half-way step / the step at which half of the induction score's rise is done",
            value=round(half / step_of_change(steps, induction, 0.5), 4),
            tolerance=0.02,
            at_least=0.9,
            at_most=1.1,
        ),
    ]


def step_of_change(steps: Sequence[int], values: Sequence[float], share: float) -> float:
    """The step at which a curve has first made this share of its way from the first value to the last.

    Between two checkpoints the curve is taken as straight over the logarithm of the step.

    >>> step_of_change([0, 10, 1000], [1.0, 1.0, 0.0], share=0.5)
    100.0
    """
    done = [(value - values[0]) / (values[-1] - values[0]) for value in values]
    after = next(i for i, part in enumerate(done) if part >= share)
    before = after - 1
    if after == 0 or steps[before] == 0:
        return float(steps[after])
    part = (share - done[before]) / (done[after] - done[before])
    low, high = log(steps[before]), log(steps[after])
    return round(exp(low + part * (high - low)), 6)
