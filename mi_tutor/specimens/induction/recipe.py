"""Make `induction-1l` and `induction-2l`: the same attention-only model with one layer and with two.

1. Tokenizer: one token per word of `induction_language`, cut at spaces.
2. Rows: BOS, then text; in four rows of five a random block that repeats until the row is full.
3. An ordinary GPT-2 has an MLP in every block. Here it has one neuron with all weights zero, and stays so: it
   writes exactly 0. What is left is attention, embeddings and LayerNorm.
4. Train on the next token with AdamW, and keep the weights at steps that lie ever further apart.
5. Save in half precision, measure what was saved, write the card; only then replace what was there before.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mi_tutor.specimens.cards import Card, Measure
from mi_tutor.specimens.induction import language
from mi_tutor.specimens.opening.checkpoints import save_checkpoints
from mi_tutor.specimens.training.finishing import finish, save_network

if TYPE_CHECKING:
    from jaxtyping import Int
    from torch import Tensor
    from transformers import GPT2LMHeadModel

    from mi_tutor.specimens.training.settings import Trained, TrainingSettings

FIRST_STEPS = (0, 10, 30, 100, 200)  # words, then pairs of words are learned here
# Then this many checkpoints, each at the same multiple of the one before.
N_LATER, LATER_FROM = 19, 400


@dataclass(frozen=True, kw_only=True)
class InductionConfig:
    """Everything that decides what the two specimens become; they differ in the number of layers only.

    initializer_range: standard deviation of the first weights. GPT-2's 0.02 is right for a wider model; with it
        copying is found late and little by little, see docs/log.md.
    """

    n_layers: int = 2
    d_model: int = 64
    n_heads: int = 4
    n_ctx: int = 64
    n_steps: int = 4000
    batch_size: int = 32
    repeats_share: float = 0.8
    learning_rate: float = 3e-3
    weight_decay: float = 0.1
    n_warmup: int = 100
    initializer_range: float = 0.06
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("n_layers", "d_model", "n_heads", "n_steps", "batch_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} should be at least 1, got {getattr(self, name)}.")
        if self.d_model % self.n_heads:
            raise ValueError(
                f"d_model should be a multiple of n_heads, got {self.d_model} and {self.n_heads}."
            )
        if self.n_ctx <= 2 * language.SHORTEST:
            raise ValueError(
                f"n_ctx should be more than {2 * language.SHORTEST}, or no block fits in twice; got {self.n_ctx}."
            )
        if not 0 <= self.repeats_share <= 1:
            raise ValueError(f"repeats_share should be between 0 and 1, got {self.repeats_share}.")


def make(
    directory: Path,
    config: InductionConfig,
    measure: Callable[[Path], Sequence[Measure]],
    progress: bool = True,
) -> Card:
    """Train (or go on training), save, measure and write the card. Files are replaced only at the end."""
    from mi_tutor.specimens.training.train import training_folder

    name = f"induction-{config.n_layers}l"
    work = training_folder(f"{name}-{config.seed}")
    trained = train_network(config, work, progress)
    recipe = asdict(config) | {"n_threads": 1, "cpu_seconds": round(trained.cpu_seconds)}
    about = {
        "name": name,
        "command": f"mi-tutor specimens train {name}",
        "seed": recipe.pop("seed"),
        "recipe": recipe,
        "n_parameters": trained.network.num_parameters(),
        **TEXTS[config.n_layers],
    }

    def save(new: Path) -> None:
        save_network(trained.network, InductionTokenizer(), new)
        save_checkpoints(read_checkpoints(work, config), new)

    return finish(directory, save, measure, about, work=work)


def train_network(config: InductionConfig, work: Path, progress: bool = True) -> Trained:
    """Train on one thread, so that the same seed gives the same weights; goes on after an interruption."""
    from mi_tutor.specimens.training.settings import adamw
    from mi_tutor.specimens.training.train import train

    return train(
        new_network(config),
        settings=settings(config, work, progress),
        chunk=lambda i: chunk(config, i),
        optimizers=lambda network: [adamw(network, config.learning_rate, config.weight_decay)],
        config=asdict(config),
    )


def settings(config: InductionConfig, work: Path, progress: bool = True) -> TrainingSettings:
    """How the run is trained."""
    from mi_tutor.specimens.training.settings import TrainingSettings

    return TrainingSettings(
        work=work,
        name=f"induction-{config.n_layers}l",
        n_steps=config.n_steps,
        n_warmup=config.n_warmup,
        checkpoints=steps_to_keep(config.n_steps),
        progress=progress,
    )


def steps_to_keep(n_steps: int) -> tuple[int, ...]:
    """The steps of the checkpoints: some early ones, then evenly spaced on a logarithmic scale up to the last.

    >>> steps_to_keep(4000)[:8]
    (0, 10, 30, 100, 200, 400, 455, 517)
    """
    ratio = n_steps / LATER_FROM
    later = {round(LATER_FROM * ratio ** (i / (N_LATER - 1))) for i in range(N_LATER)}
    return tuple(sorted({step for step in {*FIRST_STEPS, *later, n_steps} if step <= n_steps}))


def read_checkpoints(work: Path, config: InductionConfig) -> dict[int, Mapping[str, Tensor]]:
    """The kept weights by step and name, without those that are frozen."""
    from safetensors.torch import load_file

    from mi_tutor.specimens.training.run import checkpoint_file

    trained = {name for name, p in new_network(config).named_parameters() if p.requires_grad}
    return {
        step: {n: t for n, t in load_file(checkpoint_file(work, step)).items() if n in trained}
        for step in steps_to_keep(config.n_steps)
    }


def chunk(config: InductionConfig, number: int) -> Sequence[Int[Tensor, "batch pos"]]:
    """Fifty batches of rows, made from the seed and the chunk's number alone."""
    import torch

    rng = random.Random(f"{config.seed}/{number}")
    rows = torch.tensor([row(config, rng) for _ in range(50 * config.batch_size)])
    return rows.split(config.batch_size)


def row(config: InductionConfig, rng: random.Random) -> list[int]:
    """One row of token ids: BOS, then repeats or text."""
    kind = language.repeats if rng.random() < config.repeats_share else language.text
    return [0, *map(IDS.__getitem__, kind(config.n_ctx - 1, rng))]


IDS = {word: i for i, word in enumerate(language.vocabulary())}


def new_network(config: InductionConfig) -> GPT2LMHeadModel:
    """The untrained network, from the seed: W_E and W_U are two matrices, MLPs are zero and frozen."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        network = GPT2LMHeadModel(
            GPT2Config(
                vocab_size=len(IDS),
                n_positions=config.n_ctx,
                n_embd=config.d_model,
                n_layer=config.n_layers,
                n_head=config.n_heads,
                n_inner=1,
                initializer_range=config.initializer_range,
                resid_pdrop=0.0,
                embd_pdrop=0.0,
                attn_pdrop=0.0,
                tie_word_embeddings=False,
                bos_token_id=0,
                eos_token_id=0,
            )
        )
    for block in network.transformer.h:
        block.ln_2.requires_grad_(False)
        for parameter in block.mlp.parameters():
            torch.nn.init.zeros_(parameter).requires_grad_(False)
    return network


class InductionTokenizer:
    """One token per word, text is cut at spaces. A word that is not known becomes BOS, as in GPT-2's files."""

    def save(self, directory: Path) -> None:
        """Write tokenizer.json and tokenizer_config.json."""
        from tokenizers import Tokenizer, models, pre_tokenizers

        tokenizer = Tokenizer(models.WordLevel(IDS, unk_token=language.BOS))
        tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
        tokenizer.add_special_tokens([language.BOS])
        tokenizer.save(str(directory / "tokenizer.json"))
        about = {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "bos_token": language.BOS,
            "eos_token": language.BOS,
            "unk_token": language.BOS,
            "clean_up_tokenization_spaces": False,
        }
        text = json.dumps(about, indent=2) + "\n"
        (directory / "tokenizer_config.json").write_text(text, encoding="utf-8")


DATA = (
    "Invented by mi_tutor/specimens/induction/language.py: in one row of five running text (each word has three "
    "favourite successors), in four of five some text and then a random block of 4 to 28 different words, "
    "repeated until the row is full."
)
LIMITS = (
    "GPT-2 always has an MLP. Here it has one neuron, its weights are zero and were never trained: what it "
    "writes is measured above. LayerNorms and biases are there and trained.",
    "It knows the 180 words of induction_language and no others; an unknown word would become <|endoftext|>.",
    "Rows begin with BOS in training; without it both do worse.",
    "Words of a training block all differ, so that each has one continuation. Where a word occurs twice in a "
    "block, two continuations are right, and neither model was trained to choose.",
    "Which head does what is a property of these weights: with another seed, another head does it.",
    "The same seed gives the same weights on the same machine and library versions; elsewhere rounding may "
    "differ, and with it the step at which copying is found.",
)
LIMITS_1 = (
    "It does not ignore repeats: its heads raise the words that stood some 10 to 30 places back, whichever they "
    "are, for there the copied word usually is. With blocks of 20 to 25 words this is worth a fourth of the loss.",
)
LIMITS_2 = (
    "The induction heads share the copying, and they are not all that it takes: setting another head of layer 1, "
    "which attends to the last few words, to zero also costs much (copying_without_each_head). So it was with "
    "other seeds. What that head does is a question of chapter 03.",
    "In short blocks (under ten words) directly after BOS the first words are copied less surely: a word that "
    "comes back might be text.",
)
TEXTS = {
    1: {
        "summary": "One layer of attention: it learns which word follows which, and never learns to copy.",
        "intended_use": "Chapter 03: the model that cannot, beside induction-2l. Same data, same settings, same "
        'steps; open_specimen("induction-1l", step=...) opens any of its checkpoints.',
        "data": DATA,
        "limits": LIMITS + LIMITS_1,
    },
    2: {
        "summary": "Two layers of attention: it learns which word follows which, then, all at once, to copy.",
        "intended_use": "Chapter 03: induction heads, found in attention patterns, in weights and in training. "
        'open_specimen("induction-2l", step=...) opens any of its checkpoints.',
        "data": DATA,
        "limits": LIMITS + LIMITS_2,
    },
}
