"""`make gpu` without a GPU: each of its parts runs, sees a fault where there is one, and says what it skipped."""

import builtins
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from mi_tutor.teach import registry

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def benchmarks(monkeypatch):
    """The scripts import each other by name."""
    monkeypatch.syspath_prepend(BENCHMARKS)


def one_row(slug, device=CPU, **change):
    from gpu_agreement import exercise_rows

    [row] = exercise_rows([replace(registry.get(slug), **change)], device)
    return row


@pytest.mark.parametrize(
    ("slug", "compared"),
    [
        ("toy-forward", "values"),
        ("sparse-features", "in distribution"),
        ("controls", "in distribution"),
    ],
)
def test_references_agree(slug, compared):
    assert one_row(slug).cells == (slug, compared, "0", "same")


def test_a_fault_is_seen():
    """A function that gives something else where its input lives elsewhere, or fails there."""
    before = registry.get("toy-forward").reference
    calls = []

    def other_the_second_time(x, W, b):
        calls.append(x)
        return before(x, W, b) * (1.0 if len(calls) % 2 else 1.001)

    def fails(x, W, b):
        raise RuntimeError("expected all tensors to be on the same device")

    row = one_row("toy-forward", reference=other_the_second_time)
    assert not row.fine and "wrong values: off by up to" in row.verdict
    row = one_row("toy-forward", reference=fails)
    assert not row.fine and "expected all tensors to be on the same device" in row.verdict


def test_what_is_skipped_says_why(monkeypatch):
    assert one_row("train-on-atlas").verdict.startswith(
        "skipped: its answer is the dictionary itself"
    )
    real = builtins.__import__

    def without_transformer_lens(name, *args, **kwargs):
        if name.startswith("transformer_lens"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(name, *args, **kwargs)

    from gpu_agreement import trial_rows

    monkeypatch.setattr(builtins, "__import__", without_transformer_lens)
    [row] = trial_rows({"ground.observe": lambda at: at.model}, CPU)
    assert row.fine and row.verdict.startswith("skipped: needs transformer_lens")


def test_inputs_move_with_what_they_hold():
    from gpu_moving import Move

    weight = torch.ones(2)
    moved = Move(torch.device("meta"))((lambda x: x @ weight, {"a": [weight]}, "text"))
    assert moved[0](torch.ones(2, device="meta")).is_meta
    assert moved[1]["a"][0].is_meta and moved[2] == "text" and not weight.is_meta


@pytest.mark.slow
def test_the_report():
    """Small, and without what other tests run."""
    import gpu
    from gpu_agreement import example_rows, exercise_rows
    from gpu_examples import examples
    from gpu_speed import SMALL, speed_rows

    some = [registry.get(slug) for slug in ("top-k", "feature-fates", "strongest-head")]
    shown = [each for each in examples() if each.name.startswith("dictionaries.losses")]
    parts = list(exercise_rows(some, CPU, 1)), [], list(example_rows(shown, CPU))
    text = "\n".join(
        [
            *gpu.title(CPU, "2030-01-02"),
            *gpu.agreement_section(parts, CPU),
            *gpu.speed_section(list(speed_rows(CPU, SMALL))),
        ]
    )
    assert text.startswith("# On the CPU\n\n2030-01-02, by ")
    assert "| top-k | values | 0 | same |" in text and "To mend" not in text
    measured = [line for line in text.splitlines() if line.startswith("| dictionary, ")]
    assert len(measured) == 8 and not any("not measured" in line for line in measured)
    for work in ("toy sweep, 4 instances", "head sweep, 2 × 2 heads", "atlas's recipe"):
        assert f"| {work}" in text


@pytest.mark.parametrize(
    ("error", "said", "fine"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), "not measured: out of memory", True),
        (RuntimeError("no kernel image"), "failed: no kernel image", False),
    ],
)
def test_work_that_fails_leaves_the_other_rows(error, said, fine):
    from gpu_speed import SMALL, Work, timed

    def fails():
        raise error

    row = timed(Work(name="a", precision="TF32", run=fails, products=list), CPU, SMALL)
    assert row.cells == ("a", "TF32", said, "", "") and row.fine == fine


def test_the_page_says_how_it_is_made():
    page = (BENCHMARKS.parent / "docs" / "gpu.md").read_text(encoding="utf-8")
    assert "Not measured yet" in page or "by `python benchmarks/gpu.py`" in page
