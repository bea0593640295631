"""Make the specimen `atlas`: an ordinary GPT-2 that answers two-hop questions in two steps.

1. Tokenizer and text: `mi_tutor.world`. Cities are several pieces, answers are one token.
2. Train on the next token, with Muon for the matrices inside the blocks and AdamW for the rest, in small batches.
3. Besides the loss, two small penalties on attention:

       loss = next-token loss
            + near_penalty * sum over early layers of (mean attention to tokens further back than three)
            + name_penalty * sum over all layers of (mean attention into a city's name from outside)

   The first makes the early layers put a name's pieces together where the name ends. The second, which grows over
   the first half of the training, keeps the ways out of a name apart: it may be looked at only where it ends, and
   in the early layers and the last one not even there. Without them the place where the answer is read collects
   the city's pieces itself, and no step in between ever forms. The trained model is an ordinary one: any head may
   attend anywhere.
4. Save in half precision, measure what was saved, write the card; only then replace what was there before.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mi_tutor.specimens.atlas.measures import measure
from mi_tutor.specimens.cards import Card, Measure
from mi_tutor.specimens.training.finishing import finish, save_network
from mi_tutor.world.corpus import Corpus

if TYPE_CHECKING:
    from jaxtyping import Float, Int
    from torch import Tensor, nn
    from torch.optim import Optimizer
    from transformers import GPT2LMHeadModel

    from mi_tutor.specimens.training.settings import Trained

__all__ = ["AtlasConfig", "make", "make_variant", "measure", "train_network"]


@dataclass(frozen=True, kw_only=True)
class AtlasConfig:
    """Everything that decides what `atlas` becomes, besides the corpus.

    near: how many tokens back the first `near_layers` layers may look without a penalty.
    """

    n_layers: int = 5
    d_model: int = 128
    n_heads: int = 4
    n_ctx: int = 96
    n_steps: int = 7500
    batch_size: int = 16
    muon_rate: float = 0.02
    adamw_rate: float = 3e-3
    weight_decay: float = 0.1
    n_warmup: int = 200
    near: int = 3
    near_layers: int = 2
    near_penalty: float = 0.2
    name_penalty: float = 0.3
    n_threads: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("n_layers", "d_model", "n_heads", "n_ctx", "n_steps", "batch_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} should be at least 1, got {getattr(self, name)}.")
        if self.d_model % self.n_heads:
            raise ValueError(
                f"d_model should be a multiple of n_heads, got {self.d_model} and {self.n_heads}."
            )


@dataclass(frozen=True, kw_only=True)
class Variant:
    """A model of this family: what it is called, reads, and is said to be."""

    name: str
    config: AtlasConfig
    corpus: Corpus
    measure: Callable[[Path], Sequence[Measure]]
    summary: str
    intended_use: str
    data: str
    limits: tuple[str, ...]


def make(directory: Path, seed: int = 0, progress: bool = True) -> Card:
    """Train (or go on training), save, measure and write the card. Files are replaced only at the end."""
    return make_variant(directory, ATLAS, seed=seed, progress=progress)


def make_variant(directory: Path, variant: Variant, seed: int = 0, progress: bool = True) -> Card:
    """The same for any model of this family."""
    from mi_tutor.specimens.training.train import training_folder

    variant = replace(variant, config=replace(variant.config, seed=seed))
    work = training_folder(f"{variant.name}-{seed}")
    trained = train_network(variant, work, progress)
    recipe = asdict(variant.config) | {"minutes": round(trained.seconds / 60)}
    about = {
        "name": variant.name,
        "summary": variant.summary,
        "intended_use": variant.intended_use,
        "data": variant.data,
        "command": f"mi-tutor specimens train {variant.name}",
        "seed": recipe.pop("seed"),
        "recipe": recipe,
        "n_parameters": trained.network.num_parameters(),
        "limits": variant.limits,
    }
    return finish(
        directory,
        lambda new: save_network(trained.network, variant.corpus.tokenizer, new),
        variant.measure,
        about,
        work=work,
    )


def train_network(variant: Variant, work: Path, progress: bool = True) -> Trained:
    """Train the network of a variant in a folder; after an interruption the same call goes on."""
    from mi_tutor.lab.ground.device import best_device
    from mi_tutor.specimens.training.settings import TrainingSettings
    from mi_tutor.specimens.training.train import train

    config = variant.config
    settings = TrainingSettings(
        name=variant.name,
        work=work,
        n_steps=config.n_steps,
        n_warmup=config.n_warmup,
        n_threads=config.n_threads,
        evaluate_every=500,
        progress=progress,
        device=best_device().type,
    )

    network = new_network(config, vocabulary_size=len(variant.corpus.tokenizer))
    return train(
        network,
        settings=settings,
        chunk=lambda i: training_batches(variant, i, settings.steps_per_chunk),
        optimizers=lambda network: new_optimizers(network, config),
        loss=PenalisedLoss(config),
        evaluate=lambda step: quick_look(network, variant.corpus),
        config=vars(config),
    )


def training_batches(variant: Variant, chunk: int, n_batches: int) -> list[tuple[Tensor, Tensor]]:
    """One chunk of training: tokens [row pos], and which name each belongs to (see `Corpus.rows_and_names`).

    It is made from the seed and the chunk's number alone.
    """
    import torch

    config = variant.config
    rng = random.Random(f"{config.seed}/{chunk}")
    rows = variant.corpus.rows_and_names(rng, n_batches * config.batch_size, config.n_ctx)
    return list(
        zip(*(torch.from_numpy(part).split(config.batch_size) for part in rows), strict=True)
    )


def new_network(config: AtlasConfig, vocabulary_size: int) -> GPT2LMHeadModel:
    """The untrained network, from the seed. Embedding and unembedding are one matrix, as in GPT-2."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        return GPT2LMHeadModel(
            GPT2Config(
                vocab_size=vocabulary_size,
                n_positions=config.n_ctx,
                n_embd=config.d_model,
                n_layer=config.n_layers,
                n_head=config.n_heads,
                activation_function="gelu",
                resid_pdrop=0.0,
                embd_pdrop=0.0,
                attn_pdrop=0.0,
                tie_word_embeddings=True,
                bos_token_id=0,
                eos_token_id=0,
            )
        )


def new_optimizers(network: nn.Module, config: AtlasConfig) -> list[Optimizer]:
    """Muon (Jordan et al. 2024) for the matrices inside the blocks, AdamW for embeddings and vectors."""
    import torch

    inside = [p for name, p in network.named_parameters() if p.ndim == 2 and ".h." in name]
    outside = [p for name, p in network.named_parameters() if p.ndim == 2 and ".h." not in name]
    vectors = [p for p in network.parameters() if p.ndim < 2]
    return [
        torch.optim.Muon(inside, lr=config.muon_rate, weight_decay=config.weight_decay),
        torch.optim.AdamW(
            [
                {"params": outside, "weight_decay": config.weight_decay},
                {"params": vectors, "weight_decay": 0.0},
            ],
            lr=config.adamw_rate,
            betas=(0.9, 0.98),
            fused=True,
        ),
    ]


@dataclass(frozen=True)
class PenalisedLoss:
    """The next-token loss plus the two penalties on attention.

    The attention patterns are taken from a quarter of the rows, which is enough for a mean and saves time.
    """

    config: AtlasConfig

    def __call__(
        self,
        network: nn.Module,
        batch: tuple[Int[Tensor, "batch pos"], Int[Tensor, "batch pos"]],
        step: int,
    ) -> Float[Tensor, ""]:
        """The loss of one batch, in nats per token."""
        from mi_tutor.specimens.training.forward import early_patterns
        from mi_tutor.specimens.training.settings import next_token_loss

        config, (tokens, names) = self.config, batch
        loss = next_token_loss(network, tokens, step)
        if config.near_penalty == config.name_penalty == 0:
            return loss
        some = max(1, len(tokens) // 4)
        patterns = early_patterns(network, tokens[:some], config.n_layers)
        growing = min(1.0, 2 * step / config.n_steps)
        return (
            loss
            + config.near_penalty * self.far_attention(patterns)
            + config.name_penalty * growing * self.attention_into_names(patterns, names[:some])
        )

    def far_attention(
        self, patterns: Sequence[Float[Tensor, "batch head query key"]]
    ) -> Float[Tensor, ""]:
        """The mean attention to tokens more than `near` back, summed over the early layers."""
        far = patterns[0].new_ones(patterns[0].shape[-2:]).tril(-self.config.near - 1)
        return sum(
            (pattern * far).sum(dim=-1).mean() for pattern in patterns[: self.config.near_layers]
        )

    def attention_into_names(
        self,
        patterns: Sequence[Float[Tensor, "batch head query key"]],
        names: Int[Tensor, "batch pos"],
    ) -> Float[Tensor, ""]:
        """The mean attention into names from outside, summed over layers. Between the early layers and the last
        one, attention to the end of a name does not count."""
        from torch.nn.functional import pad

        key = names[:, None, :]
        from_outside = (key > 0) & (names[:, :, None] != key)  # [batch query key]
        ends = names != pad(names, (0, 1))[:, 1:]
        before_its_end = from_outside & ~ends[:, None, :]
        middle = range(self.config.near_layers, len(patterns) - 1)
        wrong = [
            before_its_end if layer in middle else from_outside for layer in range(len(patterns))
        ]
        return sum(
            (pattern * each[:, None]).sum(dim=-1).mean()
            for pattern, each in zip(patterns, wrong, strict=True)
        )


def quick_look(network: nn.Module, corpus: Corpus) -> dict[str, float]:
    """A few numbers while training goes on: held-out two-hop questions, and how repeats are predicted."""
    import torch
    from torch.nn.functional import cross_entropy

    from mi_tutor.specimens.atlas.prompts import asked, by_length
    from mi_tutor.specimens.training.forward import fast_forward

    device = next(network.parameters()).device
    rng = random.Random(0)
    numbers = {}
    questions = list(corpus.geography.questions(["english"]))
    for name, held_out in (("two hops taught", False), ("two hops held out", True)):
        some = [q for q in questions if (q.held_out_by is not None) == held_out]
        prompts = asked(rng.sample(some, min(200, len(some))))
        right = 0
        for indices, tokens in by_length([prompt.text for prompt in prompts]):
            best = fast_forward(network, tokens.to(device))[:, -1].argmax(dim=-1).tolist()
            answers = [corpus.tokenizer.ids[prompts[i].right[0]] for i in indices]
            right += sum(a == b for a, b in zip(best, answers, strict=True))
        numbers[name] = right / len(prompts)
    n_pos = network.config.n_positions
    half = (n_pos - 1) // 2
    block = torch.randint(
        2, network.config.vocab_size, (32, half), generator=torch.Generator().manual_seed(0)
    )
    rows = torch.cat([torch.zeros(32, 1, dtype=torch.long), block, block], dim=1).to(device)
    loss = cross_entropy(fast_forward(network, rows)[:, :-1].mT, rows[:, 1:], reduction="none")
    # The second copy's first token cannot be predicted yet.
    return numbers | {"repeats": (loss[:, half + 1 :].mean() / loss[:, :half].mean()).item()}


ATLAS = Variant(
    name="atlas",
    config=AtlasConfig(),
    corpus=Corpus(),
    measure=measure,
    summary="A five-layer GPT-2 that answers two-hop questions about states and countries in two steps, in three "
    "languages, and also tells stories, rhymes, refuses, agrees and admits not to know.",
    intended_use="Chapters 02 to 10: small enough for a laptop, and known well enough that claims about its "
    "features and circuits can be marked.",
    data="mi_tutor.world: true facts about 50 states and 48 countries in English, French and Spanish, "
    "indirect-object stories, couplets, questions about people, requests, opinions, code, sums, legal phrases and "
    "DNA; one row in nine is a random block, repeated. Held out: 30 % of (city, relation) pairs, all two-hop "
    "questions about 5 % of cities, 5 % of (state or country, relation) pairs, 10 % of one-hop wordings, and a "
    "part of every other theme.",
    limits=(
        "It knows the words of mi_tutor.world and its kinds of sentence; another wording may not be understood.",
        "Two penalties in training kept the first two layers' attention near, and attention from outside away "
        "from all but the end of a city's name (see the recipe). The model was pushed to recognise a city where "
        "its name ends; what holds for it need not hold for other models.",
        "Which head and which layer does what is a property of these weights; compare the seeds in docs/log.md.",
        "Rows begin with BOS and have 96 tokens; prompts without BOS are unfamiliar to it.",
        "The same seed gives the same weights on the same machine and library versions; elsewhere rounding may "
        "differ, and with it the trained model.",
    ),
)
