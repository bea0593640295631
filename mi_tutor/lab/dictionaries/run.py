"""A training that is under way: everything that changes from step to step, and how it is saved and restored."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from mi_tutor.lab.dictionaries.config import Auxiliary, SaeConfig
from mi_tutor.lab.dictionaries.dead import dead_latents, resample
from mi_tutor.lab.dictionaries.gradients import Goal, Gradients, Weights, move
from mi_tutor.lab.dictionaries.kinds import BatchTopK, JumpRelu
from mi_tutor.lab.dictionaries.model import Sae
from mi_tutor.lab.dictionaries.start import SINGLE, Family, Scaling, scaled
from mi_tutor.lab.ground.device import seeded

N_RECORDS = 100  # entries of the history
ADAM_KEYS = ("step", "exp_avg", "exp_avg_sq")

# Inputs [row d_in], or for a transcoder inputs and targets [row d_out].
Samples = Tensor | tuple[Tensor, Tensor]


class Record(NamedTuple):
    """An entry of the history, measured on the training batch.

    Attributes:
        step: steps done.
        reconstruction: the loss's first term, on the scaled activations.
        fvu: the same as a share of the variance in the first chunk.
        l0: latents on per sample.
        dead: share of latents that count as dead.
    """

    step: int
    reconstruction: float
    fvu: float
    l0: float
    dead: float


class Run:
    """A training that is under way: everything that changes from step to step."""

    def __init__(
        self,
        chunk: Callable[[int], Samples],
        config: SaeConfig,
        device: torch.device,
        gradients: Gradients,
        family: Family = SINGLE,
    ) -> None:
        self.chunk, self.config, self.device = chunk, config, device
        self.gradients, self.family = gradients, family
        self.step = self.n_chunks = self.n_used = 0  # chunks begun, rows used of the last one
        self.seconds = 0.0
        self.history: list[Record] = []
        self.recorded = False
        x, y = self.samples(0)
        self.scaling = family.scaling(x, y)
        self.around = x, y = self.scaled(x, y)
        start = family.start(x, y, config, seeded(config.seed))
        self.weights = Weights.of(start)
        self.optimizer = torch.optim.Adam(
            self.weights.moved.values(), lr=config.learning_rate, fused=device.type != "mps"
        )
        self.silent = torch.zeros(config.d_sae, dtype=torch.int64, device=device)
        self.threshold = torch.zeros((), device=device)  # BatchTopK's, a running mean
        self.variance = (start.b_dec - (x if y is None else y)).square().sum(dim=-1).mean()

    def samples(self, i: int) -> tuple[Tensor, Tensor | None]:
        """Chunk i on the device, in float32."""
        seen = self.chunk(i)
        x, y = seen if isinstance(seen, tuple) else (seen, None)
        if len(x) < self.config.batch_size:
            raise ValueError(
                f"chunk({i}) has {len(x)} samples, which is less than one batch of "
                f"{self.config.batch_size}. Make chunks larger, best by a factor of 16 or more."
            )
        x = x.to(self.device, torch.float32)
        return x, None if y is None else y.to(self.device, torch.float32)

    def scaled(self, x: Tensor, y: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """The samples as training sees them."""
        target = None if y is None else scaled(y, self.scaling.scale_out)
        return scaled(x, self.scaling.scale_in), target

    def batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Input and target, batch after batch, from where the run stands to its end."""
        size = self.config.batch_size
        while self.step < self.config.n_steps:
            x, y = self.scaled(*self.samples(self.n_chunks))
            mixed = torch.randperm(len(x), generator=seeded(self.config.seed + self.n_chunks))
            while self.n_used + size <= len(x) and self.step < self.config.n_steps:
                rows = mixed[self.n_used : self.n_used + size].to(x.device)
                self.n_used += size
                self.around = x, y
                batch = x[rows]
                yield batch, batch if y is None else y[rows]
            if self.n_used + size > len(x):
                self.n_chunks, self.n_used = self.n_chunks + 1, 0

    def advance(self, x: Tensor, y: Tensor) -> None:
        """One step."""
        config = self.config
        if config.resamples_at(self.step):
            self.resample()
        for group in self.optimizer.param_groups:
            group["lr"] = config.rate_at(self.step)
        dead = dead_latents(self.silent, config.dead_after)
        revive = config.revive if isinstance(config.revive, Auxiliary) else None
        every = max(1, config.n_steps // N_RECORDS)
        self.recorded = self.step % every == 0 or self.step == config.n_steps - 1
        dead = dead if revive and dead.any() else None
        goal = Goal(config.sparsity_at(self.step), revive, dead, count=self.recorded)
        seen = self.gradients(self.weights.with_kind(config.kind_at(self.step)), x, y, goal)
        move(self.weights, self.optimizer, config.unit_norm)
        self.silent = torch.where(seen.fired, 0, self.silent + len(x))
        if isinstance(config.kind, BatchTopK):
            self.threshold = torch.lerp(self.threshold, seen.smallest, 0.01 if self.step else 1.0)
        self.step += 1
        if self.recorded:
            self.record(seen.reconstruction.item(), seen.l0.item())

    def record(self, reconstruction: float, l0: float) -> None:
        """Add to the history; FloatingPointError if the loss is no longer a number."""
        if not reconstruction < float("inf"):
            raise FloatingPointError(
                f"Training diverged at step {self.step}. Try a learning_rate below "
                f"{self.config.learning_rate}."
            )
        dead = dead_latents(self.silent, self.config.dead_after).float().mean().item()
        fvu = reconstruction / self.variance.item()
        self.history.append(Record(self.step, reconstruction, fvu, l0, dead))

    @torch.no_grad()
    def resample(self) -> None:
        """Dead latents start again, with fresh moments of Adam and a clean record."""
        x, y = self.around
        dead = dead_latents(self.silent, self.config.dead_after)
        if not dead.any():
            return
        n, scale = self.config.revive.n_rows, self.config.revive.encoder_scale
        # A seed of its own for each step, so that going on after an interruption draws the same.
        generator = seeded(self.config.seed + self.step, self.device)
        target = None if y is None else y[:n]
        new = resample(self.finished_in_scale(), x[:n], dead, generator, target, scale)
        self.weights.put(new)
        self.silent[dead] = 0
        for name, axis in (("W_enc", 1), ("b_enc", 0), ("W_dec", 0), ("log_threshold", 0)):
            weight = self.weights.moved.get(name)
            for moment in ("exp_avg", "exp_avg_sq"):
                if weight is not None and weight in self.optimizer.state:
                    self.optimizer.state[weight][moment].movedim(axis, 0)[dead] = 0

    def finished_in_scale(self) -> Sae:
        """The dictionary for scaled activations, with BatchTopK's threshold in place of its batch."""
        tensors = {name: value.detach() for name, value in self.weights.sae().tensors().items()}
        sae = replace(self.weights.template, **tensors)
        if isinstance(sae.kind, BatchTopK):
            sae = replace(sae, kind=JumpRelu(), threshold=self.threshold.expand(sae.d_sae).clone())
        return sae

    def finished(self) -> Sae:
        """The dictionary for the activations as they are, in plain memory layout."""
        sae = self.family.folded(self.finished_in_scale(), self.scaling)
        return replace(sae, W_enc=sae.W_enc.contiguous())

    def state(self) -> dict[str, Any]:
        """Everything that going on needs: tensors and plain values."""
        tensors = {name: value.detach() for name, value in self.weights.moved.items()}
        for name, value in self.weights.moved.items():
            for key, moment in self.optimizer.state[value].items():
                tensors[f"{name}.{key}"] = moment
        tensors |= {"silent": self.silent, "threshold": self.threshold, "variance": self.variance}
        names = ("step", "n_chunks", "n_used", "seconds", "history", "scaling")
        return {"tensors": tensors, "values": {name: getattr(self, name) for name in names}}

    def restore(self, state: dict[str, Any] | None) -> None:
        """Go on from a state; None begins at the beginning."""
        if state is None:
            return
        tensors = {name: value.to(self.device) for name, value in state["tensors"].items()}
        with torch.no_grad():
            for name, value in self.weights.moved.items():
                value.copy_(tensors[name])
        for name, value in self.weights.moved.items():
            # In the weight's own memory layout, which the fused Adam relies on.
            moments = {key: tensors[f"{name}.{key}"] for key in ADAM_KEYS}
            moments |= {key: torch.empty_like(value).copy_(moments[key]) for key in ADAM_KEYS[1:]}
            self.optimizer.state[value] = moments
        for name in ("silent", "threshold", "variance"):
            setattr(self, name, tensors[name])
        for name, value in state["values"].items():
            setattr(self, name, value)
        self.scaling = Scaling(*self.scaling)
        self.history = [Record(*entry) for entry in self.history]
