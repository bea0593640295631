"""How a training step is timed: against the matrix products that it cannot do without. Imports nothing but
torch.

A dictionary's step multiplies a batch with its weights five times (encode, decode, and three products for the
gradients), 10 * batch * d * d_sae operations in all. Both are measured in turn, in the same process, and the
best of each counts:

    share = seconds of the five products / seconds of a step

1 would be a step that takes no time besides them; a step that leaves products out, because few latents are on,
can be above 1.
"""

import time
from collections.abc import Callable

import torch

BATCH = 1024
SIZES = {"128 → 1024": (128, 1024), "512 → 8192": (512, 8192)}
K, L1 = 32, 1.0
ROUND_SECONDS = 0.4


def data(d: int, batch: int = BATCH, device: str = "cpu") -> list[torch.Tensor]:
    """A few batches, so that no step sees what is still in the cache."""
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(batch, d, generator=generator).to(device) for _ in range(8)]


def five_products(
    d: int,
    d_sae: int,
    batch: int = BATCH,
    device: str = "cpu",
    dtype: torch.dtype = torch.float32,
) -> Callable[[], None]:
    """The matrix products of a step, with torch.mm."""
    where = {"device": device, "dtype": dtype}
    x, e = torch.randn(2, batch, d, **where)
    latents = torch.randn(batch, d_sae, **where)
    W_enc, W_dec = torch.randn(d, d_sae, **where), torch.randn(d_sae, d, **where)

    def products() -> None:
        torch.mm(x, W_enc)
        torch.mm(latents, W_dec)
        torch.mm(e, W_dec.T)
        torch.mm(latents.T, e)
        torch.mm(x.T, latents)

    return products


def share(step: Callable[[int], object], d: int, d_sae: int, n_rounds: int) -> tuple[float, float]:
    """Share of the products in a step, and seconds per step."""
    products = five_products(d, d_sae)
    best = [float("inf"), float("inf")]
    n = 0
    for _ in range(n_rounds):
        for i, work in enumerate((products, step)):
            until = time.perf_counter() + ROUND_SECONDS
            while True:
                began = time.perf_counter()
                _ = work(n) if i else work()
                ended = time.perf_counter()
                best[i] = min(best[i], ended - began)
                n += i
                if ended > until:
                    break
    return best[0] / best[1], best[1]
