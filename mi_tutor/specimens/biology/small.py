"""What the small specimens of chapter 08 have in common: a vocabulary of whole words, GPT-2, one training loop.

Rows begin with BOS and are filled with sentences. AdamW on the next-token loss; where a specimen asks for it, plus

    penalty * sum over layers of (mean attention from where it should not look to what it should not see)

The trained model is an ordinary GPT-2: any head may attend anywhere.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mi_tutor.specimens.atlas.recipe import new_network
from mi_tutor.specimens.cards import Card, Measure
from mi_tutor.specimens.opening.models import load_network
from mi_tutor.specimens.opening.shelf import specimen_path
from mi_tutor.specimens.training.finishing import finish, save_network

if TYPE_CHECKING:
    from jaxtyping import Float, Int
    from tokenizers import Tokenizer
    from torch import Tensor, nn
    from transformers import GPT2LMHeadModel

    from mi_tutor.specimens.training.settings import Trained

BOS = "<|endoftext|>"  # begins every row, as it separates GPT-2's documents
UNKNOWN = "<|unknown|>"  # what a word outside the vocabulary becomes; never trained on


@dataclass(frozen=True)
class Words:
    """A tokenizer with one token per word; a word brings its leading space, and names of several words are one.

    >>> words = Words((" New York", " is", "."))
    >>> words.encode(" New York is.")
    [2, 3, 4]
    """

    tokens: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def ids(self) -> dict[str, int]:
        """Each token with its id."""
        return {token: i for i, token in enumerate((BOS, UNKNOWN, *self.tokens))}

    @cached_property
    def hugging_face(self) -> Tokenizer:
        """The same as an ordinary tokenizer of Hugging Face."""
        from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

        tokenizer = Tokenizer(models.WordLevel(self.ids, unk_token=UNKNOWN))
        whole = sorted((t for t in self.tokens if re.search(r"\S[ '-]", t)), key=len, reverse=True)
        pattern = "|".join([*(rf"{re.escape(t)}(?!\w)" for t in whole), r" ?\w+", r"[^\w ]", r"\s"])
        # A text that does not begin with a space is read as if it did, so that a word has one form only.
        tokenizer.normalizer = normalizers.Replace(Regex(r"\A(?=\w)"), " ")
        tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(pattern), behavior="isolated")
        tokenizer.decoder = decoders.Fuse()
        tokenizer.add_special_tokens([BOS, UNKNOWN])
        return tokenizer

    def encode(self, text: str) -> list[int]:
        """The ids of a text, without a BOS in front; ValueError for a word that is not there."""
        ids = self.hugging_face.encode(text, add_special_tokens=False).ids
        if self.ids[UNKNOWN] in ids:
            raise ValueError(f"Not all words of {text!r} are in the vocabulary.")
        return ids

    def save(self, directory: Path) -> None:
        """Write what `AutoTokenizer.from_pretrained` needs."""
        self.hugging_face.save(str(directory / "tokenizer.json"))
        config = {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "bos_token": BOS,
            "eos_token": BOS,
            "unk_token": UNKNOWN,
            "clean_up_tokenization_spaces": False,
        }
        text = json.dumps(config, indent=2) + "\n"
        (directory / "tokenizer_config.json").write_text(text, encoding="utf-8")


class Text(NamedTuple):
    """A piece of a sentence, and which part of it that is (0: no part that a penalty asks about)."""

    text: str
    part: int = 0


Texts = Sequence[Text]


@dataclass(frozen=True, kw_only=True)
class SmallConfig:
    """Everything that decides what a small specimen becomes, besides its text."""

    n_layers: int = 4
    d_model: int = 64
    n_heads: int = 4
    n_ctx: int = 40
    n_steps: int = 1400
    batch_size: int = 24
    learning_rate: float = 3e-3
    weight_decay: float = 0.1
    n_warmup: int = 100
    penalty: float = 0.0
    seed: int = 0


GROWS = 0.5  # the penalty grows over this share of the steps: at once, nothing new would be learned


@dataclass(frozen=True, kw_only=True)
class Small:
    """A small specimen: what it reads, how it is trained, what is measured, and what its card says.

    sentences: sentences without end, from a generator of random numbers.
    blocked: pairs (from, to) of parts: attention from tokens of the one to tokens of the other, in the same
        sentence, is what the penalty is on.
    counted: the parts whose tokens the loss asks for; () for all.
    begins_as: the specimen from whose weights the training begins; "" for drawn ones.
    """

    name: str
    config: SmallConfig
    words: Words
    sentences: Callable[[random.Random], Iterator[Texts]]
    measure: Callable[[Path], Sequence[Measure]]
    summary: str
    intended_use: str
    data: str
    limits: tuple[str, ...]
    blocked: tuple[tuple[int, int], ...] = ()
    counted: tuple[int, ...] = ()
    begins_as: str = ""

    def make(self, directory: Path, seed: int = 0, progress: bool = True) -> Card:
        """Train (or go on training), save, measure and write the card. Files are replaced only at the end."""
        from mi_tutor.specimens.training.train import training_folder

        small = replace(self, config=replace(self.config, seed=seed))
        work = training_folder(f"{self.name}-{seed}")
        trained = small.train(work, progress)
        recipe = asdict(small.config) | {"minutes": round(trained.cpu_seconds / 60)}
        about = {
            "name": self.name,
            "summary": self.summary,
            "intended_use": self.intended_use,
            "data": self.data,
            "command": f"mi-tutor specimens train {self.name}",
            "seed": recipe.pop("seed"),
            "recipe": recipe,
            "n_parameters": trained.network.num_parameters(),
            "limits": self.limits,
        }
        return finish(
            directory,
            lambda new: save_network(trained.network, self.words, new),
            self.measure,
            about,
            work=work,
        )

    def train(self, work: Path, progress: bool = True) -> Trained:
        """Train the network in a folder; after an interruption the same call goes on."""
        from mi_tutor.specimens.training.settings import TrainingSettings, adamw
        from mi_tutor.specimens.training.train import train

        config = self.config
        settings = TrainingSettings(
            name=self.name,
            work=work,
            n_steps=config.n_steps,
            n_warmup=config.n_warmup,
            progress=progress,
        )
        return train(
            self.untrained(),
            settings=settings,
            chunk=lambda i: batches(self, i, settings.steps_per_chunk),
            optimizers=lambda network: [adamw(network, config.learning_rate, config.weight_decay)],
            loss=PartsLoss(config, self.blocked, self.counted),
            config=asdict(config) | {"begins_as": self.begins_as, "counted": self.counted},
        )

    def untrained(self) -> GPT2LMHeadModel:
        """The network that the training begins with."""
        if self.begins_as:
            return load_network(specimen_path(self.begins_as))
        return new_network(self.config, vocabulary_size=len(self.words))


def batches(small: Small, chunk: int, n_batches: int) -> list[tuple[Tensor, Tensor]]:
    """One chunk of training, from the seed and the chunk's number alone: tokens and parts (see `rows`)."""
    import torch

    config = small.config
    rng = random.Random(f"{config.seed}/{chunk}")
    made = rows(small.sentences(rng), small.words, n_batches * config.batch_size, config.n_ctx)
    tokens, parts = (torch.tensor(each) for each in zip(*made, strict=True))
    return list(zip(tokens.split(config.batch_size), parts.split(config.batch_size), strict=True))


PARTS = 8  # a sentence has fewer parts than this


def rows(
    sentences: Iterator[Texts], words: Words, n_rows: int, n_pos: int
) -> Iterator[tuple[list[int], list[int]]]:
    """Rows of token ids, and for each token PARTS * (which sentence of the row, from 0) + its part."""
    known: dict[str, list[int]] = {}
    for _ in range(n_rows):
        ids, parts, number = [words.ids[BOS]], [0], 0
        while len(ids) < n_pos:
            for text, part in next(sentences):
                if text not in known:
                    known[text] = words.encode(text)
                ids += known[text]
                parts += [PARTS * number + part] * len(known[text])
            number += 1
        yield ids[:n_pos], parts[:n_pos]


@dataclass(frozen=True)
class PartsLoss:
    """The next-token loss (of the counted parts) plus the penalty on attention between the blocked parts.

    The penalty is taken on a quarter of the rows.
    """

    config: SmallConfig
    blocked: tuple[tuple[int, int], ...]
    counted: tuple[int, ...] = ()

    def __call__(
        self,
        network: nn.Module,
        batch: tuple[Int[Tensor, "batch pos"], Int[Tensor, "batch pos"]],
        step: int,
    ) -> Float[Tensor, ""]:
        """The loss of one batch, in nats per token."""
        from mi_tutor.specimens.training.forward import early_patterns
        from mi_tutor.specimens.training.settings import next_token_loss

        config, (tokens, parts) = self.config, batch
        if self.counted:
            loss = counted_loss(network, tokens, parts, self.counted)
        else:
            loss = next_token_loss(network, tokens, step)
        penalty = config.penalty * min(1.0, step / (GROWS * config.n_steps))
        if not (penalty and self.blocked):
            return loss
        some = max(1, len(tokens) // 4)
        wrong = is_blocked(parts[:some], self.blocked)[:, None]
        patterns = early_patterns(network, tokens[:some], config.n_layers)
        return loss + penalty * sum((each * wrong).sum(dim=-1).mean() for each in patterns)


def counted_loss(
    network: nn.Module,
    tokens: Int[Tensor, "batch pos"],
    parts: Int[Tensor, "batch pos"],
    counted: tuple[int, ...],
) -> Float[Tensor, ""]:
    """The next-token loss, mean over the tokens of some parts."""
    from torch.nn.functional import cross_entropy

    from mi_tutor.specimens.training.forward import fast_forward

    asked = sum(parts[:, 1:] % PARTS == part for part in counted).bool()
    return cross_entropy(fast_forward(network, tokens[:, :-1])[asked], tokens[:, 1:][asked])


def is_blocked(
    parts: Int[Tensor, "batch pos"], blocked: Iterable[tuple[int, int]]
) -> Int[Tensor, "batch query key"]:
    """Where a query of one part would look at a key of the other, in the same sentence."""
    sentence, part = parts // PARTS, parts % PARTS
    same = sentence[:, :, None] == sentence[:, None, :]
    pairs = [(part == q)[:, :, None] & (part == k)[:, None, :] for q, k in blocked]
    return same & sum(pairs).bool()
