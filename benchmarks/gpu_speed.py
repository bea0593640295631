"""How fast is what the course computes, as a share of the device's own matrix products?

    share = seconds of the matrix products that the work cannot do without / seconds of the work

Both are measured in the same process, one right after the other, each after a warm-up, waiting until the device
is done; medians of several rounds. 1 would be work that takes no time besides its products. The products are
torch.mm's, one after another, in the work's precision:

    dictionary training    the five of a step: encode, decode, and three for the gradients
    toy sweep              the same five, for all instances at once
    head sweep             those of one whole forward pass per head: the linear maps, and the unembedding once
    atlas                  three times the linear maps of a forward pass: forwards, and twice backwards
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count, cycle
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any, NamedTuple

import torch
from patching import untrained
from sae import KINDS, step_of
from sae_timing import five_products
from superposition import whole_sweep
from timing import seconds

from mi_tutor.lab.dictionaries import Kind, autograd_gradients
from mi_tutor.lab.ground import prefers, seeded
from mi_tutor.lab.patching import denoise
from mi_tutor.lab.superposition import ToySweep
from mi_tutor.specimens import open_specimen
from mi_tutor.specimens.atlas.recipe import (
    ATLAS,
    AtlasConfig,
    PenalisedLoss,
    new_network,
    new_optimizers,
    training_batches,
)
from mi_tutor.specimens.training.run import Run, on_device
from mi_tutor.specimens.training.settings import TrainingSettings, warmup_cosine
from mi_tutor.specimens.training.state import Moment

Shape = tuple[int, int, int]  # [a b] @ [b c]
GIB = 2**30
FAILED = "failed:"
MANY_TOYS = ToySweep(
    n_features=80,
    n_hidden=20,
    probabilities=[0.85**k for k in range(32)],
    n_seeds=32,
    n_steps=300,
)
GPT2_SMALL = MappingProxyType(
    {"n_layer": 12, "n_head": 12, "n_embd": 768, "n_positions": 1024, "vocab_size": 50_257}
)


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How large everything is. The default is for a GPU, `SMALL` for a look at whether it runs."""

    dictionaries: tuple[tuple[int, int], ...] = ((768, 24_576), (2304, 65_536))
    batch: int = 4096
    toys: ToySweep = MANY_TOYS
    model: Mapping[str, int] = field(default_factory=lambda: GPT2_SMALL)
    n_positions: int = 32
    atlas: AtlasConfig = ATLAS.config
    atlas_batches: int = 20
    at_least: float = 0.1  # seconds per round
    rounds: int = 5


SMALL = Sizes(
    dictionaries=((32, 128),),
    batch=64,
    toys=ToySweep(
        n_features=8, n_hidden=2, probabilities=[1.0, 0.1], n_seeds=2, n_batch=4096, n_steps=2
    ),
    model={"n_layer": 2, "n_head": 2, "n_embd": 32},
    n_positions=6,
    atlas=replace(ATLAS.config, n_layers=2, batch_size=2),
    atlas_batches=2,
    at_least=0.0,
    rounds=1,
)


class Timed(NamedTuple):
    """A row of the table. time: or why it could not be measured; then there is no share."""

    work: str
    precision: str
    time: str
    share: float | None = None
    peak_bytes: int = 0

    @property
    def fine(self) -> bool:
        """Whether nothing has to be mended."""
        return not self.time.startswith(FAILED)

    @property
    def cells(self) -> tuple[str, ...]:
        """As a row of a table."""
        share = "" if self.share is None else f"{self.share:.2f}"
        peak = f"{self.peak_bytes / GIB:.2f}" if self.peak_bytes else ""
        return self.work, self.precision, self.time, share, peak


@dataclass(frozen=True, kw_only=True)
class Work:
    """Something to time, and the products that it cannot do without. Both are made when they are needed.

    say: seconds of one run -> what the table says.
    """

    name: str
    precision: str
    run: Callable[[], Callable[[], Any]]
    products: Callable[[], Callable[[], Any]]
    say: Callable[[float], str] = lambda taken: f"{1e3 * taken:.3g} ms"


def speed_rows(device: torch.device, sizes: Sizes) -> Iterator[Timed]:
    """All rows, one after another."""
    for part in (dictionaries, toys, heads, atlas):
        try:
            for each in part(device, sizes):
                yield timed(each, device, sizes) if isinstance(each, Work) else each
        except ImportError as error:
            missing = (error.name or str(error)).partition(".")[0]
            yield Timed(part.__name__, "", f"not measured: needs {missing}")


def timed(work: Work, device: torch.device, sizes: Sizes) -> Timed:
    """Time some work, then its products."""
    cuda = device.type == "cuda"
    if cuda:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    how = {"device": device, "repeats": sizes.rounds, "at_least": sizes.at_least}
    try:
        with products_in(work.precision):
            taken = seconds(work.run(), **how)
            peak = torch.cuda.max_memory_allocated() if cuda else 0
            needed = seconds(work.products(), **how)
    except torch.OutOfMemoryError:
        return Timed(work.name, work.precision, "not measured: out of memory")
    except RuntimeError as error:  # the other rows are worth having
        return Timed(work.name, work.precision, f"{FAILED} {error}"[:200])
    return Timed(work.name, work.precision, work.say(taken), needed / taken, peak)


@contextmanager
def products_in(precision: str) -> Iterator[None]:
    """Within this block float32 products are rounded to TF32 if that is asked for, and else are not."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high" if precision == "TF32" else "highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def dictionaries(device: torch.device, sizes: Sizes) -> Iterator[Work]:
    """Steps of `train_sae`, as it trains on a GPU; in bf16 with autocast=True."""
    batch, place = sizes.batch, str(device)

    def stepper(d: int, d_sae: int, kind: Kind, half: bool) -> Callable[[], Any]:
        step, numbers = step_of(d, d_sae, kind, autograd_gradients, batch, place), count()

        def next_step() -> None:
            with torch.autocast(device.type, torch.bfloat16, enabled=half):
                step(next(numbers))

        return next_step

    for d, d_sae in sizes.dictionaries:
        for name, kind in KINDS.items():
            for precision, dtype in (("TF32", torch.float32), ("bf16", torch.bfloat16)):
                yield Work(
                    name=f"dictionary, {d:,} → {d_sae:,}, {name}, a step of {batch:,}",
                    precision=precision,
                    run=partial(stepper, d, d_sae, kind, precision == "bf16"),
                    products=partial(five_products, d, d_sae, batch, place, dtype),
                )


def toys(device: torch.device, sizes: Sizes) -> Iterator[Work]:
    """A sweep over toy models from start to end, with its records and its final evaluation."""
    sweep = sizes.toys
    n, n_steps = sweep.n_instances, sweep.n_steps

    def five_each_step() -> Callable[[], None]:
        W = torch.randn(n, sweep.n_hidden, sweep.n_features, device=device)
        x = torch.randn(n, sweep.n_features, sweep.n_batch, device=device)
        h = torch.bmm(W, x)

        def products() -> None:
            for _ in range(n_steps):
                for one, other in ((W, x), (W.mT, h), (W, x), (h, x.mT), (h, x.mT)):
                    torch.bmm(one, other)

        return products

    yield Work(
        name=f"toy sweep, {n:,} instances of {sweep.n_features} features in {sweep.n_hidden}",
        precision="float32",
        run=lambda: partial(whole_sweep, sweep, str(device)),
        products=five_each_step,
        say=lambda taken: f"{1e6 * taken / n / n_steps:.3g} µs per model and step",
    )


def heads(device: torch.device, sizes: Sizes) -> Iterator[Work]:
    """Every head patched, at all positions, in one pair of prompts: `denoise` over layers and heads."""
    with TemporaryDirectory() as directory:
        model = open_specimen(untrained(Path(directory), **sizes.model), device=device)
    cfg, n_pos = model.cfg, sizes.n_positions
    clean, corrupted = torch.randint(2, cfg.d_vocab, (2, 1, n_pos), generator=seeded(0)).to(device)
    metric = prefers(*torch.tensor([[5], [9]], device=device))
    n_sites = cfg.n_layers * cfg.n_heads
    shapes = linear_maps(cfg.n_layers, cfg.d_model, n_sites * n_pos)
    shapes.append((n_sites, cfg.d_model, cfg.d_vocab))
    for precision in ("float32", "TF32"):
        yield Work(
            name=f"head sweep, {cfg.n_layers} × {cfg.n_heads} heads, d_model {cfg.d_model}, {n_pos} positions",
            precision=precision,
            run=lambda: partial(denoise, model, clean, corrupted, metric, "z", ("layer", "head")),
            products=partial(products_of, shapes, device, torch.float32),
        )


def atlas(device: torch.device, sizes: Sizes) -> Iterator[Work | Timed]:
    """Steps of the recipe that made `atlas`, which trains in bfloat16 on CUDA. Its text is made beforehand."""
    config, n_batches = sizes.atlas, sizes.atlas_batches
    recipe = replace(ATLAS, config=config)
    training_batches(recipe, 1, 1)  # the first text takes longer
    begun = time.perf_counter()
    made = training_batches(recipe, 0, n_batches)
    making = (time.perf_counter() - begun) / n_batches
    n_vocab, n_tokens = len(ATLAS.corpus.tokenizer), made[0][0].numel()
    shapes = linear_maps(config.n_layers, config.d_model, n_tokens)
    shapes.append((n_tokens, config.d_model, n_vocab))
    half = device.type == "cuda"

    def stepper() -> Callable[[], Any]:
        run = atlas_run(config, new_network(config, n_vocab), device)
        batches = cycle([on_device(batch, str(device)) for batch in made])
        return lambda: run.one_step(next(batches))

    yield Work(
        name=f"atlas's recipe, steps of {config.batch_size} × {config.n_ctx} tokens",
        precision="bf16" if half else "float32",
        run=stepper,
        products=partial(
            products_of, 3 * shapes, device, torch.bfloat16 if half else torch.float32
        ),
        say=lambda taken: f"{n_tokens / taken:,.0f} tokens/s",
    )
    yield Timed("making its text, on one CPU thread", "", f"{n_tokens / making:,.0f} tokens/s")


def atlas_run(config: AtlasConfig, network: Any, device: torch.device) -> Run:
    """A training that can be advanced step by step."""
    optimizers = new_optimizers(network.to(device).train(), config)
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["full_rate"] = group["lr"]
    settings = TrainingSettings(work=Path(), n_steps=config.n_steps, device=str(device))
    loss, moment = PenalisedLoss(config), Moment()
    return Run(network, optimizers, settings, list, loss, warmup_cosine, None, {}, moment)


def linear_maps(n_layers: int, d: int, n_rows: int) -> list[Shape]:
    """The products with the weights of a GPT-2's blocks: queries, keys and values; their output; the MLP."""
    return n_layers * [(n_rows, d, 3 * d), (n_rows, d, d), (n_rows, d, 4 * d), (n_rows, 4 * d, d)]


def products_of(
    shapes: Sequence[Shape], device: torch.device, dtype: torch.dtype
) -> Callable[[], None]:
    """Products of these shapes, one after another. Equal shapes share their matrices."""
    how = {"device": device, "dtype": dtype}
    made = {
        (a, b, c): (torch.randn(a, b, **how), torch.randn(b, c, **how)) for a, b, c in set(shapes)
    }

    def products() -> None:
        for shape in shapes:
            torch.mm(*made[shape])

    return products
