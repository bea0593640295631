"""What the card of `primer` says, measured on the model as `open_specimen` gives it."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mi_tutor.lab.ground.device import one_thread
from mi_tutor.specimens.cards import Measure, Table
from mi_tutor.specimens.opening.models import load_network, open_specimen, quiet
from mi_tutor.specimens.opening.words import encode
from mi_tutor.specimens.primer import language
from mi_tutor.specimens.primer.language import Prompt

if TYPE_CHECKING:
    from jaxtyping import Float, Int
    from torch import Tensor
    from transformer_lens.model_bridge import TransformerBridge

# Mary and John never meet in training, and this fact was never told in this opening.
STORY = Prompt(
    "When Mary and John went to the store, John gave a drink to", answer=" Mary", wrong=" John"
)
N_LISTS, LIST_LENGTH = 50, 8


class Batch(NamedTuple):
    """Prompts of equal length as token ids, with the ids of their right and their likeliest wrong answers."""

    tokens: Int[Tensor, "batch pos"]
    answers: Int[Tensor, " batch"]
    wrongs: Int[Tensor, " batch"]


def measure(directory: Path) -> list[Measure]:
    """All measures of the card, on the CPU, without randomness that is not seeded."""
    model = open_specimen(directory, device="cpu")
    stories = batches(model, language.story_prompts(held_out=True))
    with one_thread():
        return [
            *measure_facts(model),
            *measure_stories(model, stories),
            *measure_lists(model),
            *measure_heads(model, stories),
            *measure_example(model),
            *measure_exactness(model, directory),
        ]


def measure_facts(model: TransformerBridge) -> list[Measure]:
    """How often the most likely next token is the fact's answer."""
    held_out, told = language.fact_prompts(held_out=True), language.fact_prompts(held_out=False)
    return [
        Measure(
            name="facts_held_out",
            meaning=f"facts in an opening new to them: first guess right, {len(held_out)} prompts",
            value=accuracy(model, batches(model, held_out)),
            tolerance=0.03,
            at_least=0.95,
        ),
        Measure(
            name="facts_told",
            meaning=f"facts in openings in which they were told: first guess right, {len(told)} prompts",
            value=accuracy(model, batches(model, told)),
            tolerance=0.02,
            at_least=0.95,
        ),
    ]


def measure_stories(model: TransformerBridge, stories: Sequence[Batch]) -> list[Measure]:
    """How often the most likely next token is the right name, and how clearly."""
    n_stories = sum(len(batch.tokens) for batch in stories)
    return [
        Measure(
            name="stories_held_out",
            meaning=f"stories about people who never met in training: first guess right, {n_stories} prompts",
            value=accuracy(model, stories),
            tolerance=0.02,
            at_least=0.95,
        ),
        Measure(
            name="stories_logit_difference",
            meaning="the same stories: logit of the right name minus logit of the giver's, mean",
            value=mean_difference(model, stories),
            tolerance=0.01,
        ),
    ]


def measure_lists(model: TransformerBridge) -> list[Measure]:
    """Loss per word on the first and on the second copy of random lists.

    Tokens: BOS Repeat : w1 ... wn ; w1 ... wn ;   (the second copy's first word only begins the copying)
    """
    import torch

    rng = random.Random(0)
    lists = [language.repeated_list(LIST_LENGTH, rng) for _ in range(N_LISTS)]
    tokens = encode(model, lists)
    with torch.no_grad():
        log_probs = model(tokens)[:, :-1].log_softmax(dim=-1)
    losses = -log_probs.gather(-1, tokens[:, 1:, None])[..., 0]  # losses[i] is about token i + 1
    first = losses[:, 2 : 2 + LIST_LENGTH]
    second = losses[:, 2 + LIST_LENGTH + 2 : 2 + LIST_LENGTH + 1 + LIST_LENGTH]
    return [
        Measure(
            name="lists_loss_first",
            meaning=f"lists of {LIST_LENGTH} random words: loss per word when first told, {N_LISTS} lists, nats",
            value=rounded(first.mean()),
            tolerance=0.01,
        ),
        Measure(
            name="lists_loss_second",
            meaning="the same lists: loss per word when told again (from the second word on), nats",
            value=rounded(second.mean()),
            tolerance=0.01,
            at_most=0.3,
        ),
    ]


def measure_heads(model: TransformerBridge, stories: Sequence[Batch]) -> list[Measure]:
    """Held-out stories with each head set to zero: is there a head that matters, is there one that does not?"""
    from mi_tutor.lab.reading.heads import zero_head

    intact = mean_difference(model, stories)

    def effect(layer: int, head: int) -> float:
        ablated = mean_difference(
            model, stories, lambda tokens: zero_head(model, tokens, layer, head)
        )
        return round(ablated - intact, 4)

    n_layers, n_heads = model.cfg.n_layers, model.cfg.n_heads
    effects = [[effect(layer, head) for head in range(n_heads)] for layer in range(n_layers)]
    whole = max(abs(intact), 1e-9)  # an untrained model has no difference to lose
    shares = sorted(abs(change) / whole for row in effects for change in row)
    return [
        Measure(
            name="head_effects_on_stories",
            meaning="held-out stories: change of that mean logit difference when one head is set to zero",
            value=effects,
            tolerance=0.01,
        ),
        Measure(
            name="strongest_head",
            meaning="the strongest head's effect as a share of the logit difference",
            value=round(shares[-1], 4),
            tolerance=0.01,
            at_least=0.5,
        ),
        Measure(
            name="weakest_head",
            meaning="the weakest head's effect as a share of the logit difference",
            value=round(shares[0], 4),
            tolerance=0.01,
            at_most=0.05,
        ),
    ]


def measure_example(model: TransformerBridge) -> list[Measure]:
    """One held-out story, as a chapter would show it."""
    import torch

    from mi_tutor.lab.reading.heads import head_effects

    tokens = encode(model, STORY.text)
    answer, wrong = token_id(model, STORY.answer), token_id(model, STORY.wrong)
    with torch.no_grad():
        logits = model(tokens)[0, -1]
    return [
        Measure(
            name="example_probability",
            meaning=f'probability of "{STORY.answer}" after "{STORY.text}"',
            value=rounded(logits.softmax(dim=-1)[answer]),
            tolerance=0.01,
            at_least=0.9,
        ),
        Measure(
            name="example_logit",
            meaning=f'there: logit of "{STORY.answer}"',
            value=rounded(logits[answer]),
            tolerance=0.01,
        ),
        Measure(
            name="example_logit_difference",
            meaning=f'there: logit of "{STORY.answer}" minus logit of "{STORY.wrong}"',
            value=rounded(logits[answer] - logits[wrong]),
            tolerance=0.01,
        ),
        Measure(
            name="example_head_effects",
            meaning=f'there: change of the logit of "{STORY.answer}" when one head is set to zero',
            value=rounded_table(head_effects(model, tokens, answer)),
            tolerance=0.01,
        ),
        Measure(
            name="example_head_effects_on_difference",
            meaning=f'there: change of that logit difference ("{STORY.answer}" minus "{STORY.wrong}")',
            value=rounded_table(head_effects(model, tokens, answer, instead=wrong)),
            tolerance=0.01,
        ),
    ]


def measure_exactness(model: TransformerBridge, directory: Path) -> list[Measure]:
    """What processing the weights leaves exact, on the example story."""
    import torch

    from mi_tutor.lab.reading.residual import residual_sum

    tokens = encode(model, STORY.text)
    n_layers = model.cfg.n_layers
    with quiet():
        stored = load_network(directory)
    with torch.no_grad():
        logits, cache = model.run_with_cache(tokens)
        stored_log_probs = stored(tokens).logits.log_softmax(dim=-1)
    final = cache[f"blocks.{n_layers - 1}.hook_resid_post"][0]
    return [
        Measure(
            name="processing_error",
            meaning="largest difference of a log probability between the stored and the opened model",
            value=float((logits.log_softmax(dim=-1) - stored_log_probs).abs().max()),
            tolerance=1e-3,
            at_most=1e-3,
        ),
        Measure(
            name="residual_sum_error",
            meaning="largest difference between the final residual and the sum of its parts",
            value=float((residual_sum(cache, n_layers) - final).abs().max()),
            tolerance=1e-4,
            at_most=1e-4,
        ),
    ]


def accuracy(model: TransformerBridge, prompts: Sequence[Batch]) -> float:
    """The share of prompts whose most likely next token is the answer."""
    import torch

    with torch.no_grad():
        right = [(model(b.tokens)[:, -1].argmax(dim=-1) == b.answers).float() for b in prompts]
    return rounded(torch.cat(right).mean())


def mean_difference(
    model: TransformerBridge,
    prompts: Sequence[Batch],
    run: Callable[[Int[Tensor, "batch pos"]], Float[Tensor, "batch pos vocab"]] | None = None,
) -> float:
    """Mean of logit(answer) - logit(wrong) after the prompts, with the logits that `run` gives (the model)."""
    import torch

    differences = []
    for batch in prompts:
        with torch.no_grad():
            last = (run or model)(batch.tokens)[:, -1]
        right, wrong = last.gather(1, batch.answers[:, None]), last.gather(1, batch.wrongs[:, None])
        differences.append(right - wrong)
    return rounded(torch.cat(differences).mean())


def batches(model: TransformerBridge, prompts: Iterable[Prompt]) -> list[Batch]:
    """The prompts in batches of equal length."""
    import torch

    groups: dict[int, list[tuple[Tensor, int, int]]] = defaultdict(list)
    for prompt in prompts:
        tokens = encode(model, prompt.text)
        wrong = prompt.wrong or language.UNKNOWN
        groups[tokens.shape[1]].append(
            (tokens, token_id(model, prompt.answer), token_id(model, wrong))
        )
    columns = [zip(*group, strict=True) for group in groups.values()]
    return [
        Batch(torch.cat(tokens), torch.tensor(answers), torch.tensor(wrongs))
        for tokens, answers, wrongs in columns
    ]


def token_id(model: TransformerBridge, token: str) -> int:
    """The id of a token."""
    return model.tokenizer.convert_tokens_to_ids(token)


def rounded(value: Tensor) -> float:
    """A tensor's one number, to four decimals."""
    return round(float(value), 4)


def rounded_table(values: Float[Tensor, "layer head"]) -> Table:
    """A tensor of two dimensions as a table, to four decimals."""
    return [[rounded(value) for value in row] for row in values]
