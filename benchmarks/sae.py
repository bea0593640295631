"""How fast are dictionaries trained, here and by other libraries?

    python benchmarks/sae.py [--peers PYTHON] [--rounds N]

A step is compared with the five matrix products that it cannot do without (`sae_timing`), so that figures of
different machines, and of a busy one, mean the same. A step of ours is what `train_sae` does for each batch:
loss and gradients, the decoder's norms, Adam, counting dead latents, schedules. "readable" is the version that
learners rebuild (`autograd_gradients`), "written" has the same gradients written out (`written_gradients`).

PYTHON is the interpreter of an environment with `pip install sae-lens dictionary-learning eai-sparsify`, which
cannot share one with this project. Without it there are only our own rows.

Last comes a step of a cross-layer transcoder as `atlas-clt` is trained. None of these libraries trains one, and
circuit-tracer only opens them, so that there is nothing to compare with but the readable version: the same loss by
autograd, which multiplies whole matrices.
"""

import argparse
import json
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import torch
from sae_timing import BATCH, L1, SIZES, K, data, share

from mi_tutor.lab.dictionaries import (
    BatchTopK,
    JumpRelu,
    Kind,
    Relu,
    SaeConfig,
    TopK,
    autograd_gradients,
    written_gradients,
)
from mi_tutor.lab.dictionaries.gradients import Gradients
from mi_tutor.lab.dictionaries.run import Run
from mi_tutor.lab.tracing import CrossLayer

KINDS = {"relu": Relu(), "topk": TopK(k=K), "batchtopk": BatchTopK(k=K), "jumprelu": JumpRelu()}
HERE = Path(__file__).parent


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", help="the interpreter that has the other libraries")
    parser.add_argument("--rounds", type=int, default=5, help="the best of so many rounds counts")
    parser.add_argument("--threads", type=int, nargs="*", default=[1, 2])
    options = parser.parse_args()
    print(f"torch {torch.__version__}, batch {BATCH}, k {K}; best of {options.rounds} rounds")
    print(f"{'kind':<10}{'d → d_sae':<12}{'threads':>7}  {'':<26}{'share':>6}{'ms':>9}")
    for n_threads in options.threads:
        rows = [*ours(n_threads, options.rounds)]
        if options.peers:
            rows += peers(options.peers, n_threads, options.rounds)
        for row in sorted(rows, key=lambda row: (row["size"], row["kind"])):
            print(
                f"{row['kind']:<10}{row['size']:<12}{n_threads:>7}  {row['name']:<26}"
                f"{row['share']:>6.2f}{row['seconds'] * 1e3:>9.1f}",
                flush=True,
            )
        cross_layer(n_threads, options.rounds)


def cross_layer(n_threads: int, n_rounds: int, n_layers: int = 5, d: int = 128) -> None:
    """A cross-layer transcoder's step, both versions."""
    torch.set_num_threads(n_threads)
    d_sae, k = 512 * n_layers, 61
    config = SaeConfig(d_sae=d_sae, kind=BatchTopK(k=k), n_steps=10**6, batch_size=BATCH)
    x, y = data(n_layers * d), list(reversed(data(n_layers * d)))
    taken = []
    for gradients in (autograd_gradients, written_gradients):
        pair = x[0], y[0]
        run = Run(
            lambda i, pair=pair: pair, config, torch.device("cpu"), gradients, CrossLayer(n_layers)
        )
        step = partial(lambda i, run: run.advance(x[i % 8], y[i % 8]), run=run)
        taken.append(share(step, d, d_sae, n_rounds)[1])
    print(
        f"CLT, {n_layers} x {d} → {d_sae}, k {k}, {n_threads} thread(s): readable {1e3 * taken[0]:.1f} ms, "
        f"written {1e3 * taken[1]:.1f} ms, {taken[0] / taken[1]:.1f} times as fast",
        flush=True,
    )


def ours(n_threads: int, n_rounds: int) -> Iterator[dict]:
    """Time our own steps."""
    torch.set_num_threads(n_threads)
    for size, (d, d_sae) in SIZES.items():
        for name, kind in KINDS.items():
            versions = {"readable": autograd_gradients, "written": written_gradients}
            for version, gradients in versions.items():
                step = step_of(d, d_sae, kind, gradients)
                found = share(step, d, d_sae, n_rounds)
                row = {"size": size, "kind": name, "name": f"mi_tutor, {version}"}
                yield row | {"share": found[0], "seconds": found[1]}


def step_of(
    d: int,
    d_sae: int,
    kind: Kind,
    gradients: Gradients,
    batch: int = BATCH,
    device: str = "cpu",
) -> Callable[[int], None]:
    """A training that can be advanced step by step."""
    sparsity = L1 if kind.has_penalty else 0.0
    config = SaeConfig(d_sae=d_sae, kind=kind, sparsity=sparsity, n_steps=10**6, batch_size=batch)
    batches = data(d, batch, device)
    run = Run(lambda i: batches[0], config, torch.device(device), gradients)
    return lambda i: run.advance(batches[i % 8], batches[i % 8])


def peers(python: str, n_threads: int, n_rounds: int) -> list[dict]:
    """Time the other libraries in their own environment."""
    command = [python, str(HERE / "sae_peers.py"), str(n_threads), str(n_rounds)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"The peers failed:\n{done.stderr[-2000:]}")
    for line in done.stderr.splitlines():
        if any(f", {kind}, " in line for kind in KINDS):
            print(f"not run: {line}")
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


if __name__ == "__main__":
    main()
