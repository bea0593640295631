"""What the cards of `induction-1l` and `induction-2l` say, measured on the models as `open_specimen` gives them.

Repeats: 64 rows of BOS, a block of 30 different random words, and the same block again. "The second copy" is
counted from its second word on: its first word only begins the copying.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from math import exp, log
from pathlib import Path
from typing import TYPE_CHECKING

from mi_tutor.lab.device import one_thread, seeded
from mi_tutor.specimens import induction_language as language
from mi_tutor.specimens.cards import Measure, Table
from mi_tutor.specimens.checkpoints import checkpoint_steps
from mi_tutor.specimens.opening import load_network, open_specimen, quiet

if TYPE_CHECKING:
    from jaxtyping import Float, Int
    from torch import Tensor
    from transformer_lens.model_bridge import TransformerBridge

    from mi_tutor.lab.heads import HeadScores

N_ROWS, N_BLOCK, N_TEXT = 64, 30, 63


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
    from mi_tutor.specimens import induction_circuit as circuit
    from mi_tutor.specimens.induction_weights import in_the_weights

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


def repeated_rows() -> Int[Tensor, "row pos"]:
    """The rows with two copies of a block."""
    import torch

    from mi_tutor.lab.induction import repeated_tokens

    words = torch.arange(1, len(language.vocabulary()))
    return repeated_tokens(words, N_ROWS, N_BLOCK, bos=0, generator=seeded(0))


def text_rows() -> tuple[Int[Tensor, "row pos"], float]:
    """Rows of text, and the mean entropy of their words given the word before."""
    import torch

    rng = random.Random(0)
    ids = {word: i for i, word in enumerate(language.vocabulary())}
    rows = [language.text(N_TEXT, rng) for _ in range(N_ROWS)]
    entropies = [language.next_word_entropy(word) for row in rows for word in row[:-1]]
    tokens = torch.tensor([[0, *(ids[word] for word in row)] for row in rows])
    return tokens, sum(entropies) / len(entropies)


def token_losses(
    model: TransformerBridge, tokens: Int[Tensor, "row pos"]
) -> Float[Tensor, "row pos-1"]:
    """The loss of each token but the first, in nats."""
    import torch

    with torch.no_grad():
        log_probs = model(tokens)[:, :-1].log_softmax(dim=-1)
    return -log_probs.gather(-1, tokens[:, 1:, None])[..., 0]


def first_and_second(losses: Float[Tensor, "row pos-1"]) -> tuple[float, float]:
    """The mean loss on the first copy, and on the second from its second word on.

    losses[:, i] is about token i + 1.
    """
    first, second = losses[:, :N_BLOCK], losses[:, N_BLOCK + 1 :]
    return first.mean().item(), second.mean().item()


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


def scores(model: TransformerBridge, tokens: Int[Tensor, "row pos"]) -> HeadScores:
    """The detectors of `lab.heads` on the repeats."""
    from mi_tutor.lab.heads import head_scores

    return head_scores(model, tokens, N_BLOCK)


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


def table(values: Float[Tensor, "layer head"]) -> Table:
    """A tensor of two dimensions as a table, to four decimals."""
    return [[round(float(value), 4) for value in row] for row in values]
