"""Judging: what is said about every way in which an answer can be off."""

from __future__ import annotations

import sys
import time
from dataclasses import replace

import numpy as np
import pytest
import torch

from mi_tutor.teach.comparing import difference
from mi_tutor.teach.exercise import (
    Case,
    Exercise,
    Handle,
    Mistake,
    Option,
    Property,
    Quiz,
    Tolerance,
    ValueExercise,
)
from mi_tutor.teach.fitting import unfit
from mi_tutor.teach.judging import judge, judge_value
from mi_tutor.teach.outcome import Odd, observe, plain

WORDS = {
    "title": "Double",
    "chapter": "99",
    "points": 1,
    "minutes": 1,
    "difficulty": 1,
    "objective": "Double.",
    "hints": ("Add it.",),
}


def double(x):
    return 2 * x


def _cases(generator):
    return [
        Case(label="a matrix", inputs={"x": torch.randn(3, 4, generator=generator)}),
        Case(label="a vector", inputs={"x": torch.randn(5, generator=generator)}),
    ]


DOUBLE = Exercise(
    slug="double",
    cases=_cases,
    reference=double,
    gradients=("x",),
    time_limit=0.3,
    mistakes=(
        Mistake(name="square", wrong=lambda x: x**2, sentence="That is the square."),
        Mistake(
            name="transposed", wrong=lambda x: 2 * x.T if x.ndim == 2 else 2 * x, sentence="Turned."
        ),
        Mistake(
            name="raises",
            wrong=lambda x: {}[1] if x.ndim == 1 else x,
            sentence="Raises on vectors.",
        ),
    ),
    properties=(
        Property(name="finite", holds=lambda value, x: value.isfinite().all(), sentence="!"),
    ),
    **WORDS,
)


def finding(answer, exercise=DOUBLE):
    verdict = judge(exercise, answer)
    assert not verdict.passed
    return verdict.finding


def _in_place(x):
    doubled = 2 * x
    x.data.mul_(2)
    return doubled


def _half_detached(x):
    return x + x.detach()


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (lambda x: None, "kind", "return"),
        (lambda x: "six", "kind", "str"),
        (lambda x: (2 * x,), "kind", "tuple of 1"),
        (lambda x: (y for y in x), "kind", "generator"),
        (lambda x: ..., "kind", "dots"),
        (lambda x: [2 * x, 2 * x], "kind", "list of 2"),
        (lambda x: (2 * x).sum(), "shape", "wrong shape"),
        (lambda x: (2 * x).half(), "dtype", "dtype"),
        (lambda x: (2 * x).long(), "dtype", "dtype"),
        (lambda x: x / 0, "finite", "NaN"),
        (lambda x: 3 * x, "value", "off by up to"),
        (lambda x: (2 * x).detach(), "gradient", "no gradient"),
        (_half_detached, "gradient", "0.5 times"),
        (lambda x: x @ x.T @ x @ x, "error", "RuntimeError"),
        (lambda x: x**2, "mistake", "square"),
        (lambda x: 2 * x.T if x.ndim == 2 else 2 * x, "mistake", "Turned"),
        (lambda x: x if x.ndim == 2 else {}[2], "mistake", "Raises on vectors"),
        (lambda x: sys.exit("bye"), "error", "SystemExit"),
        (lambda x: sum(1 for _ in iter(int, 1)), "timeout", "still running"),
        (_in_place, "changed-input", "`x`"),
    ],
)
def test_what_is_said(answer, kind, words):
    found = finding(answer)
    assert found.kind == kind
    assert words in found.advice


def _stub(x):
    raise NotImplementedError("your code here")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (_stub, "Not written yet:"),
        (lambda x: _stub(x), "`_stub`, which your function calls, is not"),
    ],
)
def test_what_is_not_written_is_named(answer, words):
    """An answer that is written may call a function that is not: another exercise's."""
    found = finding(answer)
    assert found.kind == "unanswered" and found.advice.startswith(words)


def test_a_property_says_what_it_measured_before_values_are_compared():
    small = Property(
        name="small",
        holds=lambda value, x: value.abs().max() < 20,
        sentence=lambda value, x: f"{value.abs().max():.0f} is too large.",
    )
    exercise = replace(DOUBLE, properties=(small,))
    assert "is too large" in finding(lambda x: 100 * x, exercise).advice
    assert "off by up to" in finding(lambda x: 3 * x, exercise).advice
    assert finding(lambda x: (100 * x).sum(), exercise).kind == "shape"


def test_a_list_that_an_answer_changes():
    """It is told, and neither the case nor the next answer notices."""
    numbers = [3.0, 1.0, 2.0]
    cases = [Case(label="three", inputs={"values": numbers, "by_name": {"a": [1.0]}})]
    exercise = replace(
        DOUBLE,
        cases=lambda g: cases,
        reference=lambda v, names: max(v),
        gradients=(),
        mistakes=(),
        properties=(),
    )

    def sorts(values, by_name):
        values.sort()
        return values[-1]

    def deep(values, by_name):
        by_name["a"].append(2.0)
        return max(values)

    for answer, name in ((sorts, "`values`"), (deep, "`by_name`")):
        found = finding(answer, exercise)
        assert (found.kind, name in found.advice) == ("changed-input", True)
    assert numbers == [3.0, 1.0, 2.0]
    assert judge(exercise, lambda v, names: max(v)).passed


def test_what_to_hand_in_where_it_is_no_function():
    exercise = replace(DOUBLE, asked_for="the doubler itself, made.doubler")
    assert "made.doubler. It was given a tuple of 2" in unfit(exercise, (1, 2)).finding.advice


def test_right_answers_pass():
    for answer in (
        double,
        lambda x: x + x,
        lambda x: torch.stack([x, x]).sum(0),
        lambda y: y.mul(2),
    ):
        assert judge(DOUBLE, answer).passed


def test_raising_alone_is_no_evidence_for_a_mistake():
    def raises_everywhere(x):
        raise KeyError("own")

    assert judge(DOUBLE, raises_everywhere).mistake is None


def test_a_mistake_must_fit_every_case():
    """Square on matrices, something else on vectors: not the square mistake."""
    assert judge(DOUBLE, lambda x: x**2 if x.ndim == 2 else x**3).mistake is None


def test_the_learners_own_line_is_named():
    def wrong(x):
        y = x + 1
        return y @ torch.ones(77, 2)

    found = finding(wrong)
    assert "return y @ torch.ones(77, 2)" in found.seen
    assert "of wrong" in found.seen
    assert "x [3, 4]" in found.about


def test_a_timeout_ends_the_run_after_one_case():
    verdict = judge(DOUBLE, lambda x: sum(1 for _ in iter(int, 1)))
    assert len(verdict.cases) == 1


def test_the_same_seed_gives_the_same_inputs():
    seen = []
    judge(DOUBLE, lambda x: seen.append(x.detach().clone()) or 2 * x, seed=3)
    judge(DOUBLE, lambda x: seen.append(x.detach().clone()) or 2 * x, seed=3)
    half = len(seen) // 2
    assert all(torch.equal(a, b) for a, b in zip(seen[:half], seen[half:], strict=True))


def test_global_randomness_is_seeded_and_restored():
    torch.manual_seed(11)
    expected = torch.rand(3)
    torch.manual_seed(11)
    judge(DOUBLE, lambda x: torch.rand(x.shape))
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (torch.ones(2), "tensor of shape [2]"),
        (None, "given None"),
        (lambda: 1, "too many positional"),
        (lambda x, y: 1, "missing"),
        (lambda *, x: 1, "too many positional"),
    ],
)
def test_answers_that_cannot_be_run(answer, words):
    assert words in unfit(DOUBLE, answer).finding.advice


def test_answers_that_can_be_run():
    class Doubler:
        def __call__(self, x):
            return 2 * x

    for answer in (double, Doubler(), torch.relu, lambda *args: 1, lambda x, extra=3: x):
        assert unfit(DOUBLE, answer) is None


def test_a_broken_reference_is_our_fault_and_said_so():
    broken = Exercise(slug="b", cases=_cases, reference=lambda x: 1 / 0, **WORDS)
    with pytest.raises(RuntimeError, match="reference of 'b' itself fails"):
        judge(broken, double)


def test_a_slow_machine_is_not_called_a_damaged_session():
    slow = Exercise(
        slug="s", cases=_cases, reference=lambda x: time.sleep(60), **(WORDS | {"time_limit": 0.05})
    )
    with pytest.raises(RuntimeError, match=r"very busy, or very slow: run the check again"):
        judge(slow, double)


def test_handles_are_opened_anew_for_every_run():
    opened = []
    handle = Handle("a list", lambda: opened.append([]) or opened[-1])
    exercise = Exercise(
        slug="h",
        cases=lambda g: [Case(label="one", inputs={"items": handle})],
        reference=lambda items: len(items),
        **WORDS,
    )
    observe(exercise, lambda items: items.append(1), exercise.cases(None)[0])
    assert judge(exercise, lambda items: 0).passed
    assert len({id(items) for items in opened}) == len(opened) >= 3


class TestPlain:
    def test_tensors_are_copied_to_the_cpu(self):
        x = torch.ones(2, requires_grad=True)
        y = plain(x)
        assert not y.requires_grad
        y[0] = 5
        assert x[0] == 1

    def test_numpy_and_nested(self):
        value = plain({"a": [np.float32(2), (np.arange(3), "w")], 3: None})
        assert set(value) == {"a", "3"}
        assert torch.equal(value["a"][1][0], torch.arange(3))

    def test_strange_things_become_odd(self):
        deep = []
        for _ in range(10):
            deep = [deep]
        for strange in (
            object(),
            torch,
            iter([]),
            torch.ones(2, device="meta"),
            list(range(20_000)),
        ):
            assert isinstance(plain(strange), Odd)
        assert "Odd" in repr(plain(deep))

    def test_sparse_tensors_become_dense(self):
        assert torch.equal(plain(torch.eye(2).to_sparse()), torch.eye(2))


class TestDifference:
    def test_tolerance_is_relative_to_the_largest_entry(self):
        a, tolerance = torch.tensor([1000.0, 0.0]), Tolerance(rtol=1e-4, atol=0.0)
        assert difference(a + torch.tensor([0.0, 0.05]), a, tolerance) is None
        assert difference(a + torch.tensor([0.0, 0.2]), a, tolerance).kind == "value"

    def test_nan_where_the_reference_has_nan(self):
        nan = torch.tensor([float("nan"), 1.0])
        assert difference(nan, nan, Tolerance()) is None
        assert difference(torch.tensor([1.0, 1.0]), nan, Tolerance()).kind == "finite"

    def test_integers_of_any_width_agree_and_bool_is_not_a_number(self):
        ids = torch.tensor([1, 2])
        assert difference(ids.int(), ids, Tolerance()) is None
        assert difference(True, 1, Tolerance()).kind == "kind"

    def test_empty_tensors(self):
        assert difference(torch.ones(0), torch.ones(0), Tolerance()) is None
        assert difference(torch.ones(0, 2), torch.ones(0), Tolerance()).kind == "shape"

    def test_python_numbers_stand_for_scalars(self):
        assert difference(0.5, torch.tensor(0.5), Tolerance()) is None
        assert difference(1 + 2j, torch.tensor(1.0), Tolerance()).kind == "dtype"


class TestValues:
    HEAD = ValueExercise(
        slug="head",
        expected=lambda: (1, 3),
        form="a pair (layer, head) of whole numbers",
        accepts=lambda value: len(value) == 2 and all(isinstance(n, int) for n in value),
        mistakes=(Mistake(name="exchanged", wrong=lambda: (3, 1), sentence="Layer first."),),
        **WORDS,
    )

    def test_right(self):
        for value in ((1, 3), [1, 3]):
            assert judge_value(self.HEAD, value).passed

    @pytest.mark.parametrize(
        "odd", [None, ..., 3, "13", (1, 2, 3), (1.0, "3"), object(), double, {}]
    )
    def test_odd(self, odd):
        found = judge_value(self.HEAD, odd).finding
        assert found.kind == "kind"
        assert "a pair (layer, head)" in found.advice

    def test_reading_comes_first_and_may_fail(self):
        doubled = replace(self.HEAD, read=lambda pair: (pair[0] // 2, pair[1] // 2))
        assert judge_value(doubled, (2, 6)).passed
        assert judge_value(doubled, None).finding.kind == "kind"

    def test_a_text_is_shown_as_it_is(self):
        assert "the text 'L1H3'" in judge_value(self.HEAD, "L1H3").finding.advice

    def test_a_wrong_value_has_a_sentence_of_its_own(self):
        helped = replace(self.HEAD, otherwise="Look at the diagonal.")
        assert judge_value(helped, (0, 0)).finding.advice.endswith("Look at the diagonal.")

    def test_known_mistake_and_plain_wrong(self):
        assert judge_value(self.HEAD, (3, 1)).mistake == "exchanged"
        assert judge_value(self.HEAD, (0, 0)).finding.kind == "value"


def test_exercises_are_validated():
    for broken in ({"title": " "}, {"difficulty": 6}, {"points": 0}, {"hints": ()}):
        with pytest.raises(ValueError, match="double"):
            Exercise(slug="double", cases=_cases, reference=double, **(WORDS | broken))


def test_quizzes_are_validated():
    right = Option(text="a", feedback="yes", right=True)
    wrong = Option(text="b", feedback="no")
    for options in (
        (wrong,),
        (right,),
        (right, right),
        (right, wrong, wrong),
        (right, wrong.__class__(text="c", feedback=" ")),
    ):
        with pytest.raises(ValueError, match="'q'"):
            Quiz(slug="q", chapter="99", question="?", options=options)
    assert Quiz(slug="q", chapter="99", question="?", options=(wrong, right)).points == 1
