"""Answers and sessions that once fooled a check, or broke it. The seed is the one that learners meet."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mi_tutor.lab.superposition import interference
from mi_tutor.teach import CheckFailed, check
from mi_tutor.teach.exercise import Exercise
from mi_tutor.teach.fitting import unfit
from mi_tutor.teach.judging import judge, judge_value
from mi_tutor.teach.outcome import Odd, _fresh, plain
from mi_tutor.teach.registry import exercises, get


def _off(matrix):
    return matrix - matrix.diag().diag()


def _fates(crowd, norm=0.5, limit=0.25, strict=False):
    def fates(W):
        length = W.norm(dim=0)
        kept = length > norm if strict else length >= norm
        return torch.where(kept, torch.where(crowd(W) >= limit, 1, 2), 0)

    return fates


def _drivers(W, threshold, top):
    active = W.relu()
    return ((active > threshold * top(W)) & (active > 0)).sum(1)


def _half_global(n_batch, probability, generator):
    is_on = torch.rand(n_batch, len(probability), generator=generator) < probability
    return torch.rand(n_batch, len(probability)) * is_on


def _narrow(n_batch, probability, generator):
    is_on = torch.rand(n_batch, len(probability), generator=generator) < probability
    return (0.1 + 0.9 * torch.rand(n_batch, len(probability), generator=generator)) * is_on


def _tiled(n_batch, probability, generator):
    is_on = torch.rand(n_batch // 4, len(probability), generator=generator) < probability
    return (torch.rand(is_on.shape, generator=generator) * is_on).repeat(4, 1)


def _paired(magnitude):
    def pairs(n_batch, n_pairs, probability, correlated, generator):
        draw = torch.rand(n_batch, n_pairs, 1, generator=generator)
        second = (
            draw < probability if correlated else (draw >= probability) & (draw < 2 * probability)
        )
        is_on = torch.cat([draw < probability, second], dim=-1)
        return (is_on * magnitude(n_batch, n_pairs, generator)).flatten(1)

    return pairs


WRONG = {
    ("feature-fates", "interference without unit vector"): _fates(
        lambda W: (_off(W.T @ W) ** 2).sum(1)
    ),
    ("feature-fates", "largest overlap"): _fates(
        lambda W: (_off(torch.nn.functional.normalize(W, dim=0).T @ W) ** 2).amax(1)
    ),
    ("feature-fates", "limit of 0.5"): _fates(interference, limit=0.5),
    ("feature-fates", "strict limit"): _fates(interference, strict=True),
    ("polysemantic-neuron", "threshold of the largest |weight|"): lambda W, t: _drivers(
        W, t, lambda W: W.abs().amax(1, True)
    ),
    ("polysemantic-neuron", "threshold of the row's length"): lambda W, t: _drivers(
        W, t, lambda W: W.norm(dim=1, keepdim=True)
    ),
    ("polysemantic-neuron", "at the threshold"): lambda W, t: (
        (W.relu() >= t * W.relu().amax(1, True)) & (W > 0)
    ).sum(1),
    ("almost-orthogonal", "drops what looks like the diagonal"): lambda d: (
        lambda c: c[c < 0.999].max()
    )((torch.nn.functional.normalize(d, dim=1) @ torch.nn.functional.normalize(d, dim=1).T).abs()),
    ("toy-forward", "needs contiguous memory"): lambda x, W, b: torch.relu(
        x @ W.T @ W.view(-1).view(W.shape) + b
    ),
    ("sparse-features", "half of it from the global generator"): _half_global,
    ("sparse-features", "magnitudes from 0.1"): _narrow,
    ("sparse-features", "a batch repeated"): _tiled,
    ("correlated-features", "magnitudes shared by all pairs"): _paired(
        lambda n, k, g: torch.rand(n, 1, 2, generator=g).expand(-1, k, -1)
    ),
    ("correlated-features", "partner is 1 - u"): _paired(
        lambda n, k, g: (lambda u: torch.cat([u, 1 - u], -1))(torch.rand(n, k, 1, generator=g))
    ),
    ("correlated-features", "global magnitudes"): _paired(lambda n, k, g: torch.rand(n, k, 2)),
    ("residual-is-a-sum", "reads the stream"): lambda cache, n: cache[
        f"blocks.{n - 1}.hook_resid_post"
    ][0],
    ("residual-is-a-sum", "two layers, always"): lambda cache, n: get(
        "residual-is-a-sum"
    ).reference(cache, 2),
}

RIGHT = {
    ("phase-diagram", "the other way at a tie"): lambda p, r: (
        2
        - torch.stack(torch.broadcast_tensors(*get("phase-losses").reference(p, r)))
        .flip(0)
        .argmin(0)
    ),
    ("interference", "a guard of 1e-6"): lambda W: (
        _off((W / (W.norm(dim=0) + 1e-6)).T @ W) ** 2
    ).sum(1),
    ("phase-losses", "one stacked tensor"): lambda p, r: torch.stack(
        get("phase-losses").reference(p, r)
    ),
    ("top-tokens", "a list"): lambda logits, k: logits[-1].topk(k).indices.tolist(),
    ("feature-fates", "a list"): lambda W: get("feature-fates").reference(W).tolist(),
    ("almost-orthogonal", "np.float64"): lambda d: np.float64(
        get("almost-orthogonal").reference(d)
    ),
}


@pytest.mark.parametrize("which", WRONG, ids=": ".join)
def test_wrong_answers_are_rejected(which):
    for seed in (0, 1):
        assert not judge(get(which[0]), WRONG[which], seed).passed


@pytest.mark.parametrize("which", RIGHT, ids=": ".join)
def test_right_answers_are_accepted(which):
    for seed in (0, 1):
        verdict = judge(get(which[0]), RIGHT[which], seed)
        assert verdict.passed, verdict.finding


def test_every_reference_can_be_called_by_its_check():
    for item in exercises():
        if isinstance(item, Exercise):
            names = list(item.cases(torch.Generator().manual_seed(0))[0].inputs)
            stub = eval(f"lambda {', '.join(names)}: None")
            assert unfit(item, stub) is None, item.slug


def test_cases_called_not_contiguous_stay_so_for_the_answer():
    found = 0
    for item in exercises("01"):
        if not isinstance(item, Exercise):
            continue
        for case in item.cases(torch.Generator().manual_seed(0)):
            if "not contiguous" in case.label:
                found += 1
                tensors = [
                    value for value in case.inputs.values() if getattr(value, "ndim", 0) == 2
                ]
                assert not all(_fresh(tensor, False).is_contiguous() for tensor in tensors), (
                    item.slug
                )
    assert found >= 4


@pytest.mark.parametrize(
    "container", [tuple, list, torch.tensor, np.array], ids=lambda c: c.__name__
)
def test_a_head_can_be_given_in_any_container(container):
    head = get("strongest-head")
    assert judge_value(head, container(head.expected())).passed


def test_a_damaged_model_is_not_handed_on():
    def damages_the_model(model, tokens, layer, head):
        with torch.no_grad():
            model.blocks[layer].attn.W_O[head] = 0
            return model(tokens)

    exercise = get("zero-a-head")
    for _ in range(2):
        assert not judge(exercise, damages_the_model).passed
    assert judge(exercise, exercise.reference).passed


def test_switches_of_the_session_do_not_matter():
    detached = next(m.wrong for m in get("weighted-loss").mistakes if m.name == "detached")
    torch.set_grad_enabled(False)
    torch.set_default_dtype(torch.float64)
    try:
        assert not judge(get("weighted-loss"), detached).passed
        for slug in ("train-toy", "polysemantic-neuron", "weighted-loss"):
            assert judge(get(slug), get(slug).reference).passed
        assert not torch.is_grad_enabled()
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_grad_enabled(True)
        torch.set_default_dtype(torch.float32)


def test_an_answer_cannot_leave_switches_behind():
    def flips(x, W, b):
        torch.set_grad_enabled(False)
        torch.set_default_dtype(torch.float64)
        return x

    judge(get("toy-forward"), flips)
    assert torch.is_grad_enabled()
    assert torch.get_default_dtype() == torch.float32


def test_a_patched_torch_is_said_to_be_the_sessions_fault(monkeypatch):
    monkeypatch.setattr(torch, "relu", lambda t: 1 / 0)
    with pytest.raises(CheckFailed, match="Restart the kernel"):
        check("toy-forward", lambda x, W, b: (x @ W.T @ W + b).clamp(min=0))


def test_an_error_of_torch_is_not_taken_for_a_stub():
    verdict = judge(
        get("top-tokens"), lambda logits, k: logits[-1].long().softmax(-1).topk(k).indices
    )
    assert verdict.finding.kind == "error"


class _Hostile(dict):
    def items(self):
        raise ValueError("no")

    def __len__(self):
        return 1


class _SilentError(Exception):
    def __str__(self):
        raise ValueError("no")


def _raise(error):
    raise error


@pytest.mark.parametrize(
    "result",
    [
        lambda *_: torch.zeros(1).expand(10**12),
        lambda *_: 10**400,
        lambda *_: np.longdouble(1),
        lambda *_: np.zeros(3, dtype=">f8"),
        lambda *_: _Hostile(),
        lambda *_: _raise(_SilentError()),
        lambda *_: torch.nested.nested_tensor([torch.ones(2), torch.ones(3)]),
    ],
)
@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
def test_monsters_are_rejected_and_nothing_else(result):
    assert not judge(get("almost-orthogonal"), result).passed


def test_monsters_as_values():
    for value in ((10**400, 0), 10**6000, _Hostile(), iter(int, 1), True, (True, False)):
        assert not judge_value(get("strongest-head"), value).passed


def test_plain_never_raises():
    assert isinstance(plain(_Hostile()), Odd)
    assert plain(np.float32(0.5)) == 0.5


def test_a_mistake_is_recognised_with_another_slip_on_top():
    """No j = i in the sum, and 0/0 for the feature that is not represented."""
    verdict = judge(
        get("feature-dimensionality"),
        lambda W: (W**2).sum(0) / (_off((W / W.norm(dim=0)).T @ W) ** 2).sum(1),
    )
    assert verdict.mistake == "leaves j = i out"
