"""Nothing in `lab` minds where its inputs live: its examples, and further calls, on a device that is none.

`benchmarks/gpu.py` asks the same of a real GPU, and compares the numbers.
"""

import functools
from pathlib import Path

import pytest
import torch

from mi_tutor.teach.outcome import tensors_in

HERE = Path(__file__).resolve().parent
BENCHMARKS = HERE.parents[1] / "benchmarks"
LEFT_OUT = (
    "dictionaries.sparse",  # not for a GPU: see SKIPPED in gpu_agreement.py
    "superposition.packing.spread_directions",
    "superposition.optimum.phase_optimum",  # many thousand operations, each of them slow here
    "superposition.sweep.train_sweep",  # best_of_seeds trains a shorter one
    "steering.refusing.project_out",  # one vector times a matrix keeps an axis of 1 on this device
)


@pytest.fixture(autouse=True)
def other_folders(monkeypatch):
    """This folder's another_device, and the benchmarks' examples and calls."""
    monkeypatch.syspath_prepend(HERE)
    monkeypatch.syspath_prepend(BENCHMARKS)


@pytest.fixture
def device():
    from another_device import another_device

    with another_device() as found:
        yield found


def faults(runs):
    """What went wrong, by name."""
    found = {}
    for name, run in runs:
        try:
            run()
        except Exception as error:
            found[name] = f"{type(error).__name__}: {error}"
    return found


@pytest.mark.slow
def test_examples(device, monkeypatch):
    from gpu_examples import examples

    from mi_tutor import specimens

    # Opened once for all.
    monkeypatch.setattr(specimens, "open_specimen", functools.cache(specimens.open_specimen))
    shown = [each for each in examples() if not each.name.startswith(LEFT_OUT)]
    assert len(shown) > 150
    assert faults((each.name, functools.partial(each.values, device)) for each in shown) == {}


@pytest.mark.slow
def test_calls(device):
    from gpu_moving import Move
    from gpu_trials import TRIALS, given

    there, results = Move(device)(given()), {}

    def call(name, run):
        results[name] = run(there)

    assert faults((name, functools.partial(call, name, run)) for name, run in TRIALS.items()) == {}
    places = {name: {x.device for x in tensors_in(found)} for name, found in results.items()}
    assert {name: found for name, found in places.items() if found - {device}} == {}


@pytest.mark.parametrize(
    "mixed",
    [
        lambda x: x + torch.ones(3),
        lambda x: torch.where(torch.eye(3, dtype=torch.bool), x, x),
        lambda x: torch.zeros(3)[x.long()],
        lambda x: torch.zeros(3).add_(x.sum()),
        lambda x: x.index_put_((torch.arange(3),), torch.zeros(3)),
        lambda x: x.numpy(),
        lambda x: torch.rand(3, generator=torch.Generator(), device=x.device),
        lambda x: torch.rand(3, generator=torch.Generator(x.device)),
        lambda x: torch.nn.Linear(3, 3)(x),
    ],
)
def test_two_devices_do_not_mix(device, mixed):
    """Each of these fails on a GPU."""
    with pytest.raises((RuntimeError, TypeError)):
        mixed(torch.ones(3, device=device))


@pytest.mark.parametrize(
    ("allowed", "expected"),
    [
        (lambda x: x * torch.tensor(2.0), [2.0, 2.0, 2.0]),
        (lambda x: x[torch.arange(2)], [1.0, 1.0]),
        (lambda x: torch.zeros(3).copy_(x), [1.0, 1.0, 1.0]),
        (lambda x: x.new_tensor([5.0]).to(x), [5.0]),
        (lambda x: x.cpu() + torch.ones(3), [2.0, 2.0, 2.0]),
        (lambda x: torch.nn.Linear(3, 1).to(x.device)(x).detach() * 0, [0.0]),
        (lambda x: gradient(x, lambda y: (y**3).sum()), [3.0, 3.0, 3.0]),
    ],
)
def test_what_a_gpu_allows(device, allowed, expected):
    assert allowed(torch.ones(3, device=device)).tolist() == expected


def gradient(x, f):
    x = x.clone().requires_grad_()
    f(x).backward()
    assert x.grad.device == x.device
    return x.grad
