"""Train a dictionary: batches in, Adam, dead latents brought back, a state on disk now and then.

    toy = ToyActivations.drawn(n_features=64, d=32, probability=0.03, seed=0)
    trained = train_sae(toy.chunk, SaeConfig(d_sae=64, kind=TopK(k=3), n_steps=2000))
    match_features(trained.sae.W_dec, toy.directions).mean_max_cosine

Samples come in chunks: chunk(i) gives a few ten thousand of them, made from i alone. Each chunk is shuffled as
a whole, so that a batch mixes many texts; and to go on after an interruption it is enough to know which chunk
was next.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from tqdm.auto import tqdm

from mi_tutor.lab.dictionaries.config import SaeConfig
from mi_tutor.lab.dictionaries.gradients import Gradients, autograd_gradients
from mi_tutor.lab.dictionaries.model import Sae
from mi_tutor.lab.dictionaries.run import Record, Run, Samples
from mi_tutor.lab.dictionaries.start import SINGLE, Family
from mi_tutor.lab.dictionaries.state import load_state, save_state
from mi_tutor.lab.dictionaries.written import written_gradients

SAVE_EVERY_S = 60.0


class TrainedSae(NamedTuple):
    """A dictionary for the activations as they are, and how it came about.

    Attributes:
        sae: the trained dictionary.
        history: about a hundred records.
        seconds: all sessions together.
    """

    sae: Sae
    history: list[Record]
    seconds: float


def train_sae(
    chunk: Callable[[int], Samples],
    config: SaeConfig,
    *,
    device: torch.device | str = "cpu",
    work: Path | None = None,
    progress: bool = True,
    gradients: Gradients | None = None,
    autocast: bool = False,
    on_record: Callable[[Record], None] | None = None,
    family: Family = SINGLE,
) -> TrainedSae:
    """Train a sparse autoencoder, or a transcoder if chunk(i) gives pairs.

    Args:
        chunk: samples number i, at least one batch of them. What does not fill a batch is left out.
        config: everything else that decides the result.
        device: where to train.
        work: a folder for the state. The same call with the same folder goes on where it was stopped.
        progress: show a bar with live L0, FVU and dead share if training takes more than two seconds.
        gradients: `autograd_gradients`, or `written_gradients`, which gives the same ones faster on a CPU and
            is the default there.
        autocast: compute products in bfloat16, for GPUs; with autograd_gradients.
        on_record: called with each new entry of the history.
        family: how weights start and how they are handed over (`start`).

    Raises ValueError if the folder belongs to another training, or a chunk is smaller than a batch;
    FloatingPointError if training diverged.

    >>> from mi_tutor.lab.dictionaries import Relu, ToyActivations
    >>> toy = ToyActivations.drawn(n_features=8, d=4, probability=0.1, seed=0)
    >>> config = SaeConfig(d_sae=8, kind=Relu(), sparsity=0.2, n_steps=20, batch_size=64)
    >>> train_sae(toy.chunk, config).sae.W_dec.shape
    torch.Size([8, 4])
    """
    if gradients is None:
        on_cpu = torch.device(device).type == "cpu"
        gradients = written_gradients if on_cpu and not autocast else autograd_gradients
    run = Run(chunk, config, torch.device(device), gradients, family)
    if work is not None:
        run.restore(load_state(work, config))
    began = last_saved = time.monotonic()
    bar = tqdm(
        total=config.n_steps, initial=run.step, desc="training", delay=2, disable=not progress
    )
    with bar:
        for x, y in run.batches():
            # Anew for each step: autocast keeps its copies of the weights until it is left.
            with torch.autocast(run.device.type, torch.bfloat16, enabled=autocast):
                run.advance(x, y)
            bar.update()
            if run.recorded:
                now = run.history[-1]
                bar.set_postfix_str(f"L0 {now.l0:.1f}, FVU {now.fvu:.3f}, dead {now.dead:.1%}")
                if on_record:
                    on_record(now)
            if work is not None and (
                run.step == config.n_steps or time.monotonic() - last_saved > SAVE_EVERY_S
            ):
                now = time.monotonic()
                run.seconds, began, last_saved = run.seconds + now - began, now, now
                save_state(work, config, run.state())
    seconds = run.seconds + time.monotonic() - began
    return TrainedSae(run.finished(), run.history, seconds)
