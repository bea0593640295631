"""Functions of `mi_tutor.lab` that are no exercise's reference and have no example: a call of each."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from mi_tutor.lab import dictionaries, ground, induction, patching, swaps
from mi_tutor.lab.ground import Questions
from mi_tutor.lab.swaps import TextQuestion
from mi_tutor.world.pairs import make_pair

LAYER = 1  # of two
CAPITALS = {" France": " Paris", " Italy": " Rome", " Spain": " Madrid"}


@dataclass(frozen=True)
class Given:
    """What the calls are made on: the specimen `primer`, random tokens, and a random dictionary for its stream."""

    model: nn.Module
    tokens: Tensor
    other: Tensor
    ids: Tensor
    questions: Questions
    sae: dictionaries.Sae
    x: Tensor
    labels: Tensor

    @cached_property
    def plain(self) -> ground.PlainTransformer:
        return ground.plain_transformer(self.model)

    @property
    def ends(self) -> tuple[nn.Module, Tensor, Tensor, ground.Metric]:
        """What a sweep begins with."""
        return self.model, self.tokens, self.other, ground.prefers(self.ids, self.ids + 1)

    @cached_property
    def means(self) -> Tensor:
        return swaps.means_at(self.plain, [self.questions])[LAYER]

    @property
    def swapped(self) -> tuple[ground.PlainTransformer, list[Questions], Tensor, int]:
        """What a swap begins with."""
        return self.plain, [self.questions], self.means, LAYER

    @property
    def circuit(self) -> tuple[Tensor, ...]:
        """W_E, the OV matrix of a head of the first layer, W_Q and W_K of one of the second."""
        one, two = (block.attn for block in self.model.blocks)
        return self.model.W_E, one.W_V[0] @ one.W_O[0], two.W_Q[0], two.W_K[0]

    @cached_property
    def cache(self) -> Any:
        return self.model.run_with_cache(self.tokens)[1]

    @cached_property
    def sweeps(self) -> tuple[patching.SweepResult, patching.SweepResult]:
        """An exact sweep and its estimate."""
        axes = ("layer", "position", "head")
        exact = patching.noise(*self.ends, "z", axes)
        return exact, patching.attribution_patching(*self.ends, "z", axes)


def given() -> Given:
    """Everything on the CPU, the same every time."""
    from mi_tutor.specimens import encode, open_specimen

    model, generator = open_specimen("primer", device="cpu"), ground.seeded(0)
    d, n_vocab = model.cfg.d_model, model.cfg.d_vocab

    def ids(*shape: int) -> Tensor:
        return torch.randint(n_vocab - 1, shape, generator=generator)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator)

    asked = encode(model, [f"The capital of{country} is" for country in CAPITALS])
    answers = torch.cat([encode(model, city, prepend_bos=False)[0] for city in CAPITALS.values()])
    questions = Questions(
        tokens=asked.repeat(2, 1),
        places=torch.full((6,), 4),
        classes=torch.arange(3).repeat(2),
        answers=answers.repeat(6, 1),
    )
    W_dec = dictionaries.unit_decoder(normal(2 * d, d))
    sae = dictionaries.Sae(W_enc=W_dec.mT, b_enc=0.1 * normal(2 * d), W_dec=W_dec, b_dec=normal(d))
    x, labels = normal(40, d), normal(40, 2) > 0
    return Given(model, ids(3, 8), ids(3, 8), ids(3), questions, sae, x, labels)


def trained(kind: dictionaries.Kind, **more: Any) -> Callable[[Given], Any]:
    """A short training of a dictionary; what it has come to, measured."""

    def run(at: Given) -> Any:
        config = dictionaries.SaeConfig(
            d_sae=128,
            kind=kind,
            n_steps=10,
            batch_size=64,
            dead_after=100,
            revive=dictionaries.Auxiliary(k=8),
            **more,
        )
        chunk = torch.randn(128, 32, generator=ground.seeded(1))
        found = dictionaries.train_sae(lambda i: chunk, config, device=at.x.device, progress=False)
        last = found.history[-1]
        return last.reconstruction, last.l0

    return run


def texts(at: Given) -> swaps.TextSwaps:
    """Swaps in plain texts."""
    asked = [TextQuestion("The capital of", name, " is", i) for i, name in enumerate(CAPITALS)]
    return swaps.swap_texts(at.model, asked, list(CAPITALS.values()), layer=0)


def pairs(at: Given) -> Any:
    """A pair of prompts as a batch."""
    said = "The capital of France is", "The capital of Italy is"
    pair = make_pair(*said, " Paris", " Rome", at.model.tokenizer, {"country": (21, 20)})
    return ground.pair_batches(at.model, [pair])


def resampled(at: Given) -> list[Tensor]:
    """What is the same whichever rows are drawn: the new latents' lengths."""
    dead = torch.arange(at.sae.d_sae, device=at.x.device) < 3
    new = dictionaries.resample(at.sae, at.x, dead, ground.seeded(0, at.x.device))
    return [new.W_dec[dead].norm(dim=-1), new.W_enc[:, dead].norm(dim=0)]


RECEIVER = ground.Site("resid_post", LAYER)

# By the function that the call is about.
TRIALS: dict[str, Callable[[Given], Any]] = {
    "ground.loss_from": lambda at: ground.evaluate(at.model, at.tokens, ground.loss_from(at.tokens, 2)),
    "ground.observe": lambda at: ground.observe(at.model, at.tokens, at.ends[-1], ["z", "mlp_out"]),
    "ground.pair_batches": pairs,
    "ground.partners": lambda at: ground.partners(at.questions, seed=0),
    "dictionaries.best_f1": lambda at: dictionaries.best_f1(at.sae.encode(at.x), at.labels),
    "dictionaries.encode_texts": lambda at: dictionaries.encode_texts(at.sae, at.x.reshape(4, 10, -1)),
    "dictionaries.train_sae, Relu": trained(dictionaries.Relu(), sparsity=0.1),
    "dictionaries.train_sae, TopK": trained(dictionaries.TopK(k=4)),
    "dictionaries.train_sae, BatchTopK": trained(dictionaries.BatchTopK(k=4)),
    "dictionaries.train_sae, JumpRelu": trained(dictionaries.JumpRelu(), sparsity=0.1),
    "dictionaries.resample": resampled,
    "induction.attention_to": lambda at: induction.attention_to(
        at.cache["blocks.1.attn.hook_pattern"], induction.induction_targets(at.tokens % 4)
    ),
    "induction.duplicate_token_score": lambda at: induction.duplicate_token_score(
        at.cache["blocks.1.attn.hook_pattern"], n_block=3
    ),
    "induction.effective_embedding": lambda at: induction.effective_embedding(at.model),
    "induction.embedding_norm": lambda at: induction.embedding_norm(at.model.W_E, at.model.W_pos),
    "induction.induction_circuit_score": lambda at: induction.induction_circuit_score(*at.circuit),
    "induction.qk_circuit": lambda at: induction.qk_circuit(at.x, *at.circuit[2:], at.x),
    "patching.read_out": lambda at: patching.read_out(at.model, at.x),
    "patching.noise": lambda at: at.sweeps[0].per_pair,
    "patching.agreement": lambda at: patching.agreement(*at.sweeps),
    "patching.false_negatives": lambda at: [each[1:] for each in patching.false_negatives(*at.sweeps)],
    "patching.integrated_gradients": lambda at: patching.integrated_gradients(
        *at.ends, "mlp_out", n_steps=4
    ).per_pair,
    "patching.patch_heads": lambda at: patching.patch_heads(
        at.model, at.other, at.cache, at.ends[-1]
    ),
    "patching.head_attribution": lambda at: patching.head_attribution(
        at.model, at.cache, at.ids, at.ids + 1
    ),
    "patching.path_sweep": lambda at: patching.path_sweep(*at.ends, [RECEIVER]).per_pair,
    "swaps.swap_batches": lambda at: swaps.swap_batches(*at.swapped, n_targets=2),
    "swaps.swap_batches, at random": lambda at: swaps.swap_batches(*at.swapped, 2, random_seed=0),
    "swaps.swap_copies": lambda at: swaps.swap_copies(
        at.plain, [at.questions], [at.means, at.means], LAYER, n_targets=2
    ),
    "swaps.control_swaps": lambda at: swaps.control_swaps(
        *at.swapped, unrelated=at.means.flip(0), another_layer=0, n_targets=2
    ),
    "swaps.dose_response": lambda at: swaps.dose_response(*at.swapped, strengths=(0.5, 2.0)),
    "swaps.needed_and_enough": lambda at: swaps.needed_and_enough(*at.swapped),
    "swaps.latent_swaps": lambda at: swaps.latent_swaps(
        at.plain, [at.questions], [at.questions], at.sae, LAYER, n_targets=2
    ),
    "swaps.state_map": lambda at: swaps.state_map(
        at.plain, [at.questions], {"name": 0, "end": None}, at.questions.answers[0]
    ),
    "swaps.swap_texts": texts,
}  # fmt: skip
