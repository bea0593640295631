"""Half precision and NaN, wherever something is counted or summed (`test_metrics` has the metrics)."""

import pytest
import torch

from mi_tutor.lab.dictionaries import (
    absorption,
    auroc,
    best_f1,
    l0_penalty,
    l1_penalty,
    match_concepts,
    reconstruction_loss,
    shrinkage,
    tanh_penalty,
    top_contexts,
)
from mi_tutor.lab.dictionaries.finite import check_finite
from mi_tutor.lab.ground.device import seeded

NAN = torch.tensor([[0.0, 1.0], [float("nan"), 2.0]])
YES = torch.tensor([[True], [False]])


@pytest.mark.parametrize(
    "count",
    [
        lambda: best_f1(NAN, YES),
        lambda: best_f1(NAN, YES, thresholds=False),
        lambda: match_concepts((NAN, YES), (torch.eye(2), YES)),
        lambda: match_concepts((torch.eye(2), YES), (NAN, YES)),
        lambda: auroc(NAN[:, 0], YES[:, 0]),
        lambda: shrinkage(NAN[:, 0], torch.ones(2)),
        lambda: shrinkage(torch.ones(2), NAN[:, 0]),
        lambda: top_contexts(NAN, torch.zeros(2, 2, dtype=torch.long), n=1),
        lambda: absorption(NAN, torch.eye(2), YES[:, 0], torch.ones(2), main=[1]),
    ],
)
def test_nan_is_neither_on_nor_off(count):
    with pytest.raises(ValueError, match=r"numbers in [a-z]+ is NaN or infinite"):
        count()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_losses_in_half_precision(dtype):
    """400 dimensions of size 100 sum to 4 million squared; 5001 latents of size 30 to 150,000."""
    g = {"generator": seeded(0)}
    x, x_hat = (100 * torch.randn(2, 3, 400, **g)).to(dtype).unbind()
    latents, W_dec = (30 * torch.rand(3, 5001, **g)).to(dtype), torch.randn(5001, 4, **g).to(dtype)
    threshold = torch.ones(5001, dtype=dtype)
    for found, expected in (
        (reconstruction_loss(x, x_hat), reconstruction_loss(x.double(), x_hat.double())),
        (l1_penalty(latents, W_dec), l1_penalty(latents.double(), W_dec.double())),
        (tanh_penalty(latents, W_dec, 0.1), tanh_penalty(latents.double(), W_dec.double(), 0.1)),
        (l0_penalty(latents, threshold, 0.1), (latents > 1).sum(dim=-1).double().mean()),
    ):
        assert found.item() == pytest.approx(expected.item(), rel=0.01)
        assert found.dtype == torch.float32


def test_a_sum_that_overflows_is_no_number_that_does():
    check_finite(x=torch.full((3,), 3e38), y=torch.tensor([1, 2]))
    with pytest.raises(ValueError, match=r"1 of 3 numbers in y is .* at \[1\]"):
        check_finite(x=torch.ones(3), y=torch.tensor([0.0, float("inf"), 0.0]))
