"""What is said of a wrong answer that is no known mistake: how it differs, if that is so in every case."""

from __future__ import annotations

import pytest
import torch

from mi_tutor.teach import structure
from mi_tutor.teach.exercise import Tolerance
from mi_tutor.teach.judging import judge
from mi_tutor.teach.registry import get

GENERATOR = torch.Generator().manual_seed(0)
MATRICES = [torch.randn(shape, generator=GENERATOR) for shape in ((4, 4), (1, 5), (6, 3), (3, 3))]
CODES = [torch.randint(3, (8,), generator=GENERATOR) for _ in range(3)]


def _set(x, index, value=9.0):
    x = x.clone()
    x[index] = value
    return x


def _first_row_right(x):
    return torch.cat(
        [x[:1], x[1:] + torch.arange(1, len(x) * x.shape[1] + 1 - x.shape[1]).view(-1, x.shape[1])]
    )


def said(change, values=MATRICES) -> str:
    return structure.sentence([change(x) for x in values], values, Tolerance())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (torch.neg, "opposite sign"),
        (torch.abs, "absolute value"),
        (torch.relu, "negative numbers set to 0"),
        (lambda x: x.clamp(0, 1), "cut off at 0 and 1"),
        (torch.square, "square of"),
        (lambda x: x.round(decimals=2), "two digits"),
        (lambda x: 1 - x, "1 minus"),
        (lambda x: 0 * x, "is 0"),
        (lambda x: 2.5 * x, "2.5 times"),
        (lambda x: x * len(x), "one factor"),
        (lambda x: x + 3, "3 larger than"),
        (lambda x: x - 0.5, "0.5 smaller than"),
        (lambda x: x - x.mean(), "the same amount"),
        (lambda x: x.flip(1), "reversed order along axis 1"),
        (lambda x: x.roll(1, 1), "one place too late along axis 1"),
        (lambda x: x.roll(-1, 1), "one place too early along axis 1"),
        (lambda x: x.flatten().roll(2).view_as(x), "in other places"),
        (lambda x: x[:1].expand_as(x), "copies of the first"),
        (_first_row_right, "Only the first entry along axis 0 is right"),
        (lambda x: _set(x, (..., -1)), "Only the last entry along axis 1 is wrong"),
        (lambda x: torch.where(x < -0.5, 7.0, x), "you have 7 throughout"),
        (lambda x: torch.where(x > 0.3, x + x.exp(), x), "larger number than|positive number"),
        (lambda x: 2 * x - 1, "2 times what is expected minus 1"),
        (lambda x: x.abs() ** 0.7 * x.sign(), "to the power 0.7"),
        (lambda x: x[..., None], "axis 2, of length 1, is too many"),
        (lambda x: x[None], "axis 0, of length 1, is too many"),
        (lambda x: x.mean(0), "Axis 0 is missing: you return its mean"),
        (lambda x: x.sum(1), "Axis 1 is missing: you return its sum"),
        (lambda x: x[0], "Axis 0 is missing: you return its first entry"),
        (lambda x: x.mean(), "one number: the mean"),
        (lambda x: x.flatten(), "divided into axes in another way"),
        (lambda x: torch.cat([x, x[:, :1]], 1), "one entry too many along axis 1, the last"),
        (lambda x: x[:, 1:], "first entry along axis 1 is missing"),
        (lambda x: torch.stack([x, x + 1], -1), "Axis 2 of yours is too many: its first entry"),
    ],
)
def test_the_structure_of_a_difference(change, words):
    assert any(each in said(change) for each in words.split("|")), said(change)


def test_lines_and_lists():
    tall = [torch.randn(9, 4, generator=GENERATOR) for _ in range(2)]
    some = torch.tensor([1, 3, 4])
    assert "Whole lines along axis 0 are wrong (3 of 9: index 1, 3, 4)" in said(
        lambda x: x.index_copy(0, some, x[some].exp() + x[some].cos()), tall
    )
    assert "right up to some place, and wrong from there on: from index 5" in said(
        lambda x: torch.cat([x[:5], x[5:].exp() * torch.tensor([0.0, 1, 1, 2])]), tall
    )
    lists = [[3.5, 1.0, 2.25, 7.5], [4.5, 1.5, 8.0]]
    assert "Only the first entry is right" in said(
        lambda x: [x[0], *(y**2 + 1 for y in x[1:])], lists
    )
    assert "more than that" in said(lambda x: [*x, 9.0, 11.0], lists)
    assert "something is missing" in said(lambda x: x[:2], [[5, 7, 6], [1, 4, 3, 8]])


def test_an_input_in_the_numbers_or_at_the_places():
    given = [
        {"b": torch.randn(x.shape[1], generator=GENERATOR), "x": x, "c": x + 1} for x in MATRICES
    ]

    def about(change, of=lambda x: x.exp() + x.cos().cumsum(-1)) -> str:
        right = [of(each["x"]) for each in given]
        seen = [change(value, **each) for value, each in zip(right, given, strict=True)]
        return structure.sentence(seen, right, Tolerance(), given=given)

    assert about(lambda y, b, x, c: y - 2 * b) == "It is what is expected minus 2 times `b`."
    assert (
        about(lambda y, b, x, c: (y + x) / 2)
        == "It is 0.5 times what is expected plus 0.5 times `x`."
    )
    assert about(lambda y, b, x, c: c) == "It is `c`, and nothing else."
    assert about(lambda y, b, x, c: y / x.norm(dim=-1, keepdim=True)) == (
        "Everything is divided by the lengths of `x` along its last axis."
    )
    single = [{"s": torch.tensor(s)} for s in (0.3, 2.0, 0.7)]
    right = [3.1, 9.2, 39.7]
    seen = [value / float(each["s"]) for value, each in zip(right, single, strict=True)]
    words = structure.sentence(seen, right, Tolerance(), given=single)
    assert words == "Everything is divided by `s`."
    noise = iter([torch.randn(x.shape, generator=GENERATOR) for x in MATRICES])
    assert about(lambda y, b, x, c: torch.where(c < 0, next(noise), y), torch.cos) == (
        "It is wrong just where `c` is negative."
    )


def test_tensors_in_a_list_are_told_how_they_become_one():
    found = judge(get("toy-forward"), lambda x, W, b: list(torch.relu(x @ W.T @ W + b))).finding
    assert "`torch.stack` makes it of these" in found.advice


def test_what_only_squares_and_codes_show():
    squares = [MATRICES[0], MATRICES[3]]
    assert "transposed" in said(lambda x: x.T, squares)
    assert "axes are transposed" in said(lambda x: x.T)
    assert "on the diagonal" in said(lambda x: x + torch.eye(len(x)), squares)
    assert "above the diagonal" in said(lambda x: x.tril(), squares)
    assert "2 where 0 is expected" in said(lambda x: torch.tensor([2, 1, 0])[x], CODES)
    assert "1 larger than" in said(lambda x: x + 1, CODES)
    assert "2 of 8 entries differ, at [1], [4], too large" in said(
        lambda x: _set(x, [1, 4], 7), CODES[:1]
    )


def test_a_sentence_holds_in_every_case_or_is_not_said():
    """The sign is wrong in matrices of one shape only."""
    assert "sign" not in said(lambda x: -x if len(x) == 4 else x)
    assert "sign" not in said(lambda x: -x if len(x) == 4 else x + 1)
    assert said(lambda x: x) == ""


def test_parts_in_another_order():
    values = [(x, 2 * x + 1) for x in MATRICES]
    assert "another order" in said(lambda pair: pair[::-1], values)
    assert "opposite sign" in said(lambda pair: (pair[0], -pair[1]), values)


# Of these a sentence of the exercise was said that is false of them.
NOT_SO = {
    ("swap-matrix", "NaN where nothing succeeded"): lambda *a: (
        lambda right: torch.where(right == 0, float("nan"), right)
    )(get("swap-matrix").reference(*a)),
    ("jump-relu", "a smooth surrogate"): lambda pre, threshold, bandwidth: (
        pre * (pre > threshold)
        + (pre.detach() * torch.sigmoid((pre - threshold) / bandwidth))
        - (pre.detach() * torch.sigmoid((pre - threshold) / bandwidth)).detach()
    ),
    ("zero-a-head", "its argument overwritten"): lambda model, tokens, layer, head: (
        get("zero-a-head").reference(model, tokens, layer, head),
        tokens.zero_(),
    )[0],
    ("patch-residual", "an argument overwritten"): lambda model, clean, corrupted, metric: (
        get("patch-residual").reference(model, clean, corrupted, metric),
        clean.zero_(),
    )[0],
    ("toy-forward", "None on purpose"): lambda x, W, b: None,
}
FALSE = ("hook is still", "You write 0", "cut off", "Did you forget", "not represented")


@pytest.mark.parametrize("which", NOT_SO, ids=": ".join)
def test_a_false_sentence_is_not_said(which):
    verdict = judge(get(which[0]), NOT_SO[which])
    assert not verdict.passed and verdict.mistake is None
    assert not any(each in verdict.finding.advice for each in FALSE), verdict.finding.advice


# The right result for another input: what the answer does, and what is said of it.
OTHER_INPUTS = {
    ("toy-forward", "the absolute values of `b`"): lambda x, W, b: torch.relu(
        x @ W.T @ W + b.abs()
    ),
    ("toy-forward", "`x` minus its mean over axis 0"): lambda x, W, b: torch.relu(
        (x - x.mean(0)) @ W.T @ W + b
    ),
    ("weighted-loss", "the last row alone"): lambda x, x_hat, importance: (
        importance * (x - x_hat) ** 2
    ).sum(-1)[-1],
    ("weighted-loss", "less the one for another input: all of `x_hat` is 0"): (
        lambda x, x_hat, importance: (importance * ((x - x_hat) ** 2 - x**2)).sum(dim=-1).mean()
    ),
    ("sae-metrics", "halfway"): lambda x, x_hat, latents: tuple(
        (one + other) / 2
        for one, other in zip(
            get("sae-metrics").reference(x, x_hat, latents),
            get("sae-metrics").reference(x, x_hat, torch.ones_like(latents)),
            strict=True,
        )
    ),
    ("per-position-loss", "`logits` moved back by one along axis 1"): lambda logits, tokens: get(
        "per-position-loss"
    ).reference(logits.roll(-1, 1), tokens),
    ("integrated-gradients", "`n_steps` is twice as large"): lambda f, start, end, n: get(
        "integrated-gradients"
    ).reference(f, start, end, 2 * n),
    ("denoise-or-noise", "`clean` and `corrupted` exchanged"): lambda f, clean, corrupted: get(
        "denoise-or-noise"
    ).reference(f, corrupted, clean),
}


@pytest.mark.parametrize("which", OTHER_INPUTS, ids=": ".join)
def test_the_right_result_for_another_input(which):
    verdict = judge(get(which[0]), OTHER_INPUTS[which])
    assert which[1] in verdict.finding.advice, verdict.finding.advice


EXACT = "only where numbers are exactly equal"


def long_enough(W):
    return W.norm(dim=0) > 0.5


def shared(W):
    return get("interference").reference(W) >= 0.25


# Right, except where something is exactly equal.
TIES = {
    "feature-fates": lambda W: torch.where(long_enough(W), torch.where(shared(W), 1, 2), 0),
    "polysemantic-neuron": lambda W, threshold: (
        (torch.relu(W) >= threshold * torch.relu(W).amax(1, keepdim=True)) & (W > 0)
    ).sum(1),
}


@pytest.mark.parametrize("slug", TIES)
def test_right_except_at_ties(slug):
    verdict = judge(get(slug), TIES[slug])
    assert EXACT in verdict.finding.advice, verdict.finding.advice

    def wrong_elsewhere(first, *given):
        return TIES[slug](first, *given) + (torch.arange(len(TIES[slug](first, *given))) == 0)

    verdict = judge(get(slug), wrong_elsewhere)
    assert not verdict.passed and EXACT not in verdict.finding.advice


def test_another_choice_is_no_tie():
    """Chosen by correlation: in one case another latent, which a touch on all that is off would choose as well."""

    def by_correlation(first, there_first, second, there_second):
        both = [torch.stack([(each > 0).float(), there_first.float()]) for each in first.T]
        best = int(
            torch.tensor([torch.corrcoef(each)[0, 1].nan_to_num(-1) for each in both]).argmax()
        )
        marked = get("score-a-label").reference(second[:, best] > 0, there_second)
        return best, marked[2]

    found = judge(get("choose-then-mark"), by_correlation)
    assert not found.passed and EXACT not in found.finding.advice


def test_a_mask_and_a_case_of_one_number():
    assert "as of a mask" in said(lambda x: (x > 0).double())
    single = [torch.tensor([[0.7]]), *MATRICES]
    assert "one factor" in said(lambda x: x / (1 + x.numel()), single)
    assert "The last entry along axis 1 is missing" in said(
        lambda x: x[:, :-1] if x.shape[1] > 3 else x
    )


def test_what_is_right_about_wrong_numbers():
    positive = [x.abs() + 0.1 * torch.arange(1, x.shape[-1] + 1) for x in MATRICES]
    assert "The sums along axis 1 are right" in said(
        lambda x: x.roll(1, 1) * 0.3 + x * 0.7, positive
    )
    assert "the sign is the opposite one" in said(lambda x: x * (1 - 2.0 * (x > x.median())))
    pairs = [(x, 2 * x + 1) for x in MATRICES]
    assert said(lambda pair: (pair[0], pair[1] + 3), pairs).endswith("All else is right.")


def test_luck_is_no_function():
    """Wide tolerances, and numbers that are nearly constant: 0.75 is near the root of a half, and is not it."""
    wide = Tolerance(0.0, 0.06)
    half = [torch.tensor([0.5, 0.51, 0.49, 0.5]) for _ in range(2)]
    assert structure.sentence([x + 0.23 for x in half], half, wide) != ""
    assert "root" not in structure.sentence([x + 0.23 for x in half], half, wide)
    noise = [1e-9 * x.flip(0).cos() for x in MATRICES]
    assert "times" not in structure.sentence(noise, MATRICES, Tolerance())


def test_numbers_where_nan_is_expected_are_told_as_such():
    right = get("swap-matrix").reference
    found = judge(get("swap-matrix"), lambda *a: right(*a).nan_to_num(0.3)).finding
    assert "where NaN is expected" in found.advice and "divided" not in found.advice
