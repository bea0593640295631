"""The loop of a training run: steps, evaluations, checkpoints and states, each where it is due."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from mi_tutor.specimens.errors import SpecimenError
from mi_tutor.specimens.training.fingerprint import start_afresh
from mi_tutor.specimens.training.state import Moment, save_state, write_tensors

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer

    from mi_tutor.specimens.training.settings import Batch, Loss, TrainingSettings


@dataclass
class Run:
    """A run under way: what `train` was given, and the moment it has reached."""

    network: nn.Module
    optimizers: Sequence[Optimizer]
    settings: TrainingSettings
    chunk: Callable[[int], Sequence[Batch]]
    loss: Loss
    schedule: Callable[[int, TrainingSettings], float]
    evaluate: Callable[[int], Mapping[str, float]] | None
    fingerprint: Mapping[str, Any]
    moment: Moment

    def to_the_end(self) -> None:
        """All steps that are left, with an evaluation, a checkpoint and a state where one is due."""
        settings, moment = self.settings, self.moment
        last_saved = time.monotonic()
        begun = last_saved - moment.seconds, time.process_time() - moment.cpu_seconds
        if moment.step == 0:
            self.keep_checkpoint()
        with self.bar() as bar:
            for batch in self.batches_from(moment.step):
                self.one_step(batch)
                moment.seconds = time.monotonic() - begun[0]
                moment.cpu_seconds = time.process_time() - begun[1]
                bar.set_postfix_str(f"loss {moment.loss:.3f}", refresh=False)
                bar.update()
                last = moment.step == settings.n_steps
                if self.evaluate and (moment.step % settings.evaluate_every == 0 or last):
                    self.note_evaluation(bar)
                self.keep_checkpoint()
                if last or time.monotonic() - last_saved >= settings.save_every_s:
                    save_state(
                        settings.work, moment, self.fingerprint, self.network, self.optimizers
                    )
                    last_saved = time.monotonic()

    def batches_from(self, step: int) -> Iterator[Batch]:
        """The batches of this step and all after it, on the device."""
        n_each, n_steps = self.settings.steps_per_chunk, self.settings.n_steps
        if step == n_steps:
            return
        for number in range(step // n_each, math.ceil(n_steps / n_each)):
            batches = self.chunk(number)
            if len(batches) != n_each:
                raise ValueError(
                    f"chunk({number}) should give steps_per_chunk = {n_each} batches, gave {len(batches)}."
                )
            first = max(step, number * n_each)
            for i in range(first, min((number + 1) * n_each, n_steps)):
                yield on_device(batches[i - number * n_each], self.settings.device)

    def one_step(self, batch: Batch) -> None:
        """One step of every optimizer, at the scheduled rate, on the gradient cut to `clip`."""
        rate = self.schedule(self.moment.step, self.settings)
        for optimizer in self.optimizers:
            optimizer.zero_grad()
            for group in optimizer.param_groups:
                group["lr"] = group["full_rate"] * rate
        on_cuda = torch.device(self.settings.device).type == "cuda"
        with torch.autocast("cuda", torch.bfloat16, enabled=on_cuda):
            loss = self.loss(self.network, batch, self.moment.step)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.settings.clip)
        for optimizer in self.optimizers:
            optimizer.step()
        self.moment.note(loss.item())
        if not math.isfinite(self.moment.loss):
            raise SpecimenError(
                f"The loss was no longer a number at step {self.moment.step} of {self.settings.name}: try a lower "
                f"learning rate or a longer warm-up. {start_afresh(self.settings.work)}"
            )

    def note_evaluation(self, bar: Any) -> None:
        """Evaluate, keep the numbers in the history and show them."""
        self.network.eval()
        with torch.no_grad():
            numbers = dict(self.evaluate(self.moment.step))
        self.network.train()
        entry = {"step": self.moment.step, "loss": round(self.moment.loss, 4), **numbers}
        self.moment.history.append(entry)
        if self.settings.progress:
            bar.write(
                " · ".join(f"{name} {value:.4g}" for name, value in entry.items()), file=sys.stderr
            )

    def keep_checkpoint(self) -> None:
        """Keep the weights if this step is one of the checkpoints."""
        if self.moment.step in self.settings.checkpoints:
            weights = {name: p.detach() for name, p in self.network.named_parameters()}
            write_tensors(checkpoint_file(self.settings.work, self.moment.step), weights)

    def bar(self) -> Any:
        """The progress bar; in a log file a line every ten seconds."""
        from tqdm.auto import tqdm

        return tqdm(
            total=self.settings.n_steps,
            initial=self.moment.step,
            desc=self.settings.name,
            mininterval=0.5 if sys.stderr.isatty() else 10,
            disable=not self.settings.progress,
        )


def checkpoint_file(work: Path, step: int) -> Path:
    """Where the weights after `step` steps are kept: safetensors, names as in `network.named_parameters()`."""
    return work / f"checkpoint-{step:07}.safetensors"


def on_device(batch: Batch, device: str) -> Batch:
    """The batch on the device."""
    if isinstance(batch, Mapping):
        return {name: tensor.to(device) for name, tensor in batch.items()}
    if isinstance(batch, tuple):
        return tuple(tensor.to(device) for tensor in batch)
    return batch.to(device)
