"""Chapter 03, `roles`: ten small models that are trained only when a forecast of them is checked, side by side in one loop.

Attention alone, as the chapter's models, and so small that ten take seconds. Each learns one kind of copies; then it reads
blocks whose second copy is shuffled, where the rules that it may have learned say different things.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from mi_tutor.lab.ground.device import seeded

N_WORDS, N_POS, D_MODEL, N_HEADS = 24, 22, 32, 2
BOS = N_WORDS
SHORTEST, LONGEST = 5, 11  # of a block, where its length is drawn row by row
N_ROWS, N_WARMUP, LEARNING_RATE = 16, 30, 1e-2
FEW, MANY = 250, 700  # steps; most are done with few
N_TEST_ROWS = 64
RULES = ("after", "before", "place", "none")


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A model and the copies it learns.

    smeared: each word's embedding has that of the word before added to it, through a matrix of its own.
    copies: "any" has a new block length in each row, "one" the same one in all, "mostly" in nine of ten, "backwards" is
        the block from its end, "circle" has blocks that are cut from one circle of all words.
    """

    n_layers: int
    copies: str
    positions: bool = True
    smeared: bool = False
    n_steps: int = FEW


SETTINGS: Mapping[str, Setting] = {
    "two layers": Setting(n_layers=2, copies="any", n_steps=MANY),
    "two layers, one length": Setting(n_layers=2, copies="one"),
    "two layers, mostly one length": Setting(n_layers=2, copies="mostly", n_steps=MANY),
    "two layers, no positions": Setting(n_layers=2, copies="any", positions=False, n_steps=MANY),
    "two layers, one circle": Setting(n_layers=2, copies="circle"),
    "one layer, one length": Setting(n_layers=1, copies="one"),
    "smeared": Setting(n_layers=1, copies="any", smeared=True),
    "smeared, one length": Setting(n_layers=1, copies="one", smeared=True),
    "smeared, one length, no positions": Setting(
        n_layers=1, copies="one", smeared=True, positions=False
    ),
    "smeared, backwards": Setting(n_layers=1, copies="backwards", smeared=True),
}


# --- what they read -------------------------------------------------------------------------------


def shuffled_words(generator: torch.Generator, n_rows: int, n_words: int = N_WORDS) -> Tensor:
    return torch.rand(n_rows, n_words, generator=generator).argsort(dim=-1)


def rows_of(
    setting: Setting, length: int, n_rows: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """BOS and copies [row pos + 1], and which of the words after BOS can be foretold from the row [row pos]."""
    words = shuffled_words(generator, n_rows)
    n = torch.randint(SHORTEST, LONGEST + 1, (n_rows, 1), generator=generator)
    if setting.copies == "circle":
        circle = torch.randperm(N_WORDS, generator=generator)
        start = torch.randint(N_WORDS, (n_rows, 1), generator=generator)
        words = circle[(start + torch.arange(N_WORDS)) % N_WORDS]
    if setting.copies == "one":
        n = torch.full_like(n, length)
    if setting.copies == "mostly":
        n = torch.where(torch.rand(n.shape, generator=generator) < 0.9, length, n)
    at = torch.arange(N_POS)[None]
    here, foretold = at % n, (at > n) & (at % n > 0)
    if setting.copies == "backwards":
        turn = at % (2 * n)
        here = torch.where(turn < n, turn, 2 * n - 1 - turn)
        foretold = (at > n) & (at < 2 * n)
    return torch.cat([torch.full_like(n, BOS), words.gather(1, here)], dim=1), foretold


# --- models, side by side -------------------------------------------------------------------------


class Models:
    """Several models of as many layers, each with its own weights [model ...]."""

    def __init__(self, settings: list[Setting], seeds: list[int]) -> None:
        self.n_layers = settings[0].n_layers
        self.with_positions, self.with_smear = (
            torch.tensor([float(getattr(each, name)) for each in settings])[:, None, None, None]
            for name in ("positions", "smeared")
        )
        wide = D_MODEL**-0.5
        shapes = {
            "embed": (N_WORDS + 1, D_MODEL, 0.5),
            "position": (N_POS, D_MODEL, 0.5),
            "smear": (D_MODEL, D_MODEL, wide),
            "unembed": (D_MODEL, N_WORDS, wide),
        }
        for layer in range(self.n_layers):
            shapes[f"qkv {layer}"] = D_MODEL, 3 * D_MODEL, wide
            shapes[f"out {layer}"] = D_MODEL, D_MODEL, wide
        generators = [seeded(seed) for seed in seeds]
        self.weights = {
            name: torch.stack([std * torch.randn(a, b, generator=g) for g in generators])
            for name, (a, b, std) in shapes.items()
        }
        for weight in self.weights.values():
            weight.requires_grad_()

    def __call__(self, tokens: Tensor) -> Tensor:
        """Tokens [model row pos] -> logits [model row pos word]."""
        n_models, n_rows, n_pos = tokens.shape
        whole = n_models, n_rows, n_pos, D_MODEL
        hot = F.one_hot(tokens, N_WORDS + 1).float().flatten(1, 2)
        words = (hot @ self.weights["embed"]).view(whole)
        before = F.pad(words, (0, 0, 1, 0))[:, :, :-1]
        smeared = (before.flatten(1, 2) @ self.weights["smear"]).view(whole)
        x = words + self.with_smear * smeared
        x = x + self.with_positions * self.weights["position"][:, None, :n_pos]
        for layer in range(self.n_layers):
            h = F.layer_norm(x, (D_MODEL,)).flatten(1, 2) @ self.weights[f"qkv {layer}"]
            h = h.view(n_models * n_rows, n_pos, 3, N_HEADS, D_MODEL // N_HEADS)
            z = F.scaled_dot_product_attention(*h.permute(2, 0, 3, 1, 4), is_causal=True)
            z = z.transpose(1, 2).reshape(n_models, n_rows * n_pos, D_MODEL)
            x = x + (z @ self.weights[f"out {layer}"]).view(whole)
        h = F.layer_norm(x, (D_MODEL,)).flatten(1, 2)
        return (h @ self.weights["unembed"]).view(*whole[:3], N_WORDS)


def train(settings: list[Setting], lengths: list[int], seeds: list[int]) -> Models:
    """The words that can be foretold, next-token loss, Adam; the rate rises, then falls to a tenth."""
    models, n_steps = Models(settings, seeds), settings[0].n_steps
    made = [
        rows_of(setting, length, n_steps * N_ROWS, seeded(seed + 1))
        for setting, length, seed in zip(settings, lengths, seeds, strict=True)
    ]
    rows, foretold = (torch.stack(part).split(N_ROWS, dim=1) for part in zip(*made, strict=True))
    adam = torch.optim.Adam(models.weights.values(), lr=LEARNING_RATE, betas=(0.9, 0.98))
    for step, (tokens, counts) in enumerate(zip(rows, foretold, strict=True)):
        rate = min(1.0, (step + 1) / N_WARMUP) * (1 - 0.9 * step / n_steps)
        adam.param_groups[0]["lr"] = LEARNING_RATE * rate
        logits, targets = models(tokens[:, :, :-1]), tokens[:, :, 1:]
        loss = F.cross_entropy(logits.flatten(0, 2), targets.flatten(), reduction="none")
        loss = loss.view(targets.shape) * counts
        adam.zero_grad()
        (loss.sum(dim=(1, 2)) / counts.sum(dim=(1, 2))).sum().backward()
        adam.step()
    return models


# --- what they learned ----------------------------------------------------------------------------


def chances_of_rules(models: Models, lengths: list[int], seed: int) -> Tensor:
    """The mean probability of what each rule says, on blocks whose second copy is shuffled: [model rule]."""
    generator, rows, said, counted = seeded(seed), [], [], []
    for length in lengths:
        block = shuffled_words(generator, N_TEST_ROWS)[:, :length]
        order = shuffled_words(generator, N_TEST_ROWS, length)
        again = block.gather(1, order)
        row = torch.cat([torch.full((N_TEST_ROWS, 1), BOS), block, again], dim=1)
        rows.append(F.pad(row, (0, N_POS + 1 - row.shape[1]))[:, :N_POS])
        at = order[:, : length - 1]
        after, before = (block.gather(1, (at + d).clamp(0, length - 1)) for d in (1, -1))
        place = block[:, 1:]
        said.append(torch.stack([after, before, place]))
        counted.append((at > 0) & (at < length - 1) & (after != place) & (before != place))
    with torch.no_grad():
        chances = models(torch.stack(rows)).softmax(dim=-1)
    found = []
    for k, length in enumerate(lengths):
        here = chances[k, :, length + 1 : 2 * length]
        found.append([here.gather(-1, w[..., None])[..., 0][counted[k]].mean() for w in said[k]])
    return torch.tensor(found)


@functools.lru_cache(maxsize=8)
def learned(draw: int) -> Tensor:
    """1 for the rule that each of a draw's models follows with a mean probability over 1/2, or for "none": [setting rule]."""
    found = torch.zeros(len(SETTINGS), len(RULES))
    lengths = torch.randint(7, LONGEST + 1, (len(SETTINGS),), generator=seeded(draw)).tolist()
    every = list(SETTINGS.values())
    for kind in sorted({(each.n_layers, each.n_steps) for each in every}):
        which = [k for k, each in enumerate(every) if (each.n_layers, each.n_steps) == kind]
        settings = [every[k] for k in which]
        seeds = [1000 * (draw + 1) + 10 * k for k in which]
        theirs = [lengths[k] for k in which]
        chances = chances_of_rules(train(settings, theirs, seeds), theirs, seed=draw)
        for k, row in zip(which, chances, strict=True):
            found[k, int(row.argmax()) if row.max() > 0.5 else RULES.index("none")] = 1
    return found
