"""Steps of other libraries that train sparse autoencoders, timed as in `sae_timing`.

Run by sae.py with the interpreter of an environment that has them. Each does its whole step: forward,
backward, its own care for gradients and decoder, Adam, and its count of dead latents. Nothing is logged, no
activations are computed. Prints one line of JSON per measurement; a library that is missing is left out, and
what cannot be run is named on stderr.
"""

import json
import sys
import warnings
from collections.abc import Callable, Iterator

import torch
from sae_timing import BATCH, L1, SIZES, K, data, share

Step = Callable[[int], object]


def main(n_threads: int, n_rounds: int) -> None:
    """Time every library on every size."""
    torch.set_num_threads(n_threads)
    for size, (d, d_sae) in SIZES.items():
        for kind in ("relu", "topk"):
            for library in (sae_lens_step, dictionary_learning_step, sparsify_step):
                for name, step in library(kind, d, d_sae):
                    try:
                        found = share(step, d, d_sae, n_rounds)
                    except Exception as error:  # one setting of one library; the others go on
                        said = str(error).splitlines()[0].split(". ")[0]
                        print(f"{name}, {kind}, {size}: {said}", file=sys.stderr)
                        continue
                    row = {"size": size, "kind": kind, "name": name, "share": found[0]}
                    print(json.dumps(row | {"seconds": found[1]}), flush=True)


def sae_lens_step(kind: str, d: int, d_sae: int) -> Iterator[tuple[str, Step]]:
    """SAELens: SAETrainer._train_step by way of its public `step`."""
    try:
        import sae_lens
        from sae_lens.config import SAETrainerConfig
        from sae_lens.saes.standard_sae import StandardTrainingSAE, StandardTrainingSAEConfig
        from sae_lens.saes.topk_sae import TopKTrainingSAE, TopKTrainingSAEConfig
        from sae_lens.training.sae_trainer import SAETrainer
    except ImportError:
        return
    sizes = {"d_in": d, "d_sae": d_sae}
    if kind == "relu":
        saes = {"": StandardTrainingSAE(StandardTrainingSAEConfig(**sizes, l1_coefficient=L1))}
    else:
        saes = {
            f"{words}": TopKTrainingSAE(
                TopKTrainingSAEConfig(**sizes, k=K, use_sparse_activations=s)
            )
            for words, s in (("", False), (", sparse", True))
        }
    for words, sae in saes.items():
        config = SAETrainerConfig(
            total_training_samples=10**9, train_batch_size_samples=BATCH, lr_end=3e-5
        )
        batches = data(d)
        trainer = SAETrainer(config, sae, iter(batches))
        yield f"sae-lens {sae_lens.__version__}{words}", lambda i: trainer.step(batches[i % 8])  # noqa: B023


def dictionary_learning_step(kind: str, d: int, d_sae: int) -> Iterator[tuple[str, Step]]:
    """dictionary_learning: its trainers' `update`."""
    try:
        from dictionary_learning.trainers.standard import StandardTrainer
        from dictionary_learning.trainers.top_k import TopKTrainer
    except ImportError:
        return
    common = {
        "activation_dim": d,
        "dict_size": d_sae,
        "layer": 0,
        "lm_name": "none",
        "device": "cpu",
    }
    common |= {"steps": 10**6, "warmup_steps": 100, "lr": 1e-3}
    if kind == "relu":
        trainer = StandardTrainer(**common, l1_penalty=L1, sparsity_warmup_steps=None)
    else:
        trainer = TopKTrainer(**common, k=K)
    batches = data(d)
    yield "dictionary-learning", lambda i: trainer.update(i, batches[i % 8])


def sparsify_step(kind: str, d: int, d_sae: int) -> Iterator[tuple[str, Step]]:
    """sparsify: what its Trainer does with one hookpoint, on given activations. It has no ReLU dictionaries."""
    if kind == "relu":
        return
    try:
        from sparsify import SparseCoder, SparseCoderConfig
    except ImportError:
        return
    coder = SparseCoder(d, SparseCoderConfig(num_latents=d_sae, k=K))
    optimizer = torch.optim.Adam(coder.parameters(), lr=1e-3)
    fired = torch.zeros(d_sae, dtype=torch.bool)
    since = torch.zeros(d_sae, dtype=torch.long)
    batches = data(d)

    def step(i: int) -> None:
        coder.set_decoder_norm_to_unit_norm()
        out = coder(batches[i % 8], dead_mask=since > 10_000_000)
        fired[out.latent_indices.flatten()] = True
        (out.fvu + out.auxk_loss / 32).backward()
        coder.remove_gradient_parallel_to_decoder_directions()
        optimizer.step()
        optimizer.zero_grad()
        since.add_(BATCH)
        since[fired] = 0
        fired.zero_()

    yield "sparsify", step


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(int(sys.argv[1]), int(sys.argv[2]))
