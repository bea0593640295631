"""What goes through the wire comes out the same; what somebody else wrote is read within limits, or refused."""

from __future__ import annotations

import json
import math
import pickle
import struct

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save

from mi_tutor.teach import wire
from mi_tutor.teach.judging import judge_value
from mi_tutor.teach.outcome import Failure, Odd, Outcome, plain
from mi_tutor.teach.registry import get
from mi_tutor.teach.wire import Garbled, from_bytes, to_bytes

DTYPES = [torch.float32, torch.float64, torch.bfloat16, torch.int64, torch.bool, torch.complex64]


def same(one, other):
    if isinstance(one, torch.Tensor):
        left, right = one, other
        return (
            isinstance(other, torch.Tensor)
            and (left.dtype, left.shape) == (right.dtype, right.shape)
            and left.contiguous().flatten().view(torch.uint8).tolist()
            == right.contiguous().flatten().view(torch.uint8).tolist()
        )
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float):
        return (math.isnan(one) and math.isnan(other)) or (
            one == other and math.copysign(1, one) == math.copysign(1, other)
        )
    if isinstance(one, Outcome | Failure):
        return all(map(same, vars(one).values(), vars(other).values()))
    return one == other


numbers = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63) + 1, 2**63 - 1), st.floats(), st.text(max_size=9)
)
tensors = st.builds(
    lambda shape, dtype: (torch.randn(shape) * 9).to(dtype),
    st.lists(st.integers(0, 3), max_size=3),
    st.sampled_from(DTYPES),
)
values = st.recursive(
    numbers | tensors | st.complex_numbers(allow_nan=False),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(values)
def test_values_come_out_as_they_went_in(value):
    sent = plain(value)
    assert same(from_bytes(to_bytes(sent)), sent)


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome(value=torch.randn(2, 3).T, gradients={"x": torch.zeros(0, 2)}, changed=("x",)),
        Outcome(value=Odd("generator"), gradients=None, spoilt=("`model`: a hook is in it",)),
        Outcome(failure=Failure("ValueError", "é \ud800", "x = 1", "line 1 of f", "g", False)),
        Outcome(failure=Failure("TimeLimitReached", "", timeout=True)),
    ],
    ids=["tensors", "odd", "failure", "timeout"],
)
def test_outcomes_come_out_as_they_went_in(outcome):
    assert same(from_bytes(to_bytes(outcome)), outcome)


def packed(text: str | bytes, tensors: bytes | None = None) -> bytes:
    text = text.encode() if isinstance(text, str) else text
    return struct.pack(">I", len(text)) + text + (save({}) if tensors is None else tensors)


HOSTILE = {
    "nothing": b"",
    "a pickle": pickle.dumps({"a": 1}),
    "a length without an end": struct.pack(">I", 2**32 - 1) + b"[]",
    "no tensors": packed("1", b""),
    "a header of 2^60 bytes": packed("1", struct.pack("<Q", 2**60)),
    "a tensor of 2^40 numbers": packed(
        "1",
        (lambda h: struct.pack("<Q", len(h)) + h)(
            json.dumps({"0": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 4]}}).encode()
        ),
    ),
    "nested lists": packed("[" * 1_000_000 + "]" * 1_000_000),
    "nested lists of ours": packed('["list",[' * 1000 + "1" + "]]" * 1000),
    "a huge number": packed("9" * 4000),
    "a longer one": packed("9" * 400_000),
    "a kind that is not ours": packed('["object", "os.system"]'),
    "a kind that is no word": packed("[[], []]"),
    "a dict": packed('{"tensor": "0", "x": 1}'),
    "keys that are no words": packed('["dict", [[1, 2]]]'),
    "a tensor that is not there": packed('["tensor", "0"]'),
    "a complex number of words": packed('["complex", ["1", "2"]]'),
    "a failure of other things": packed('["failure", [1, 2, 3, 4, 5, 6]]'),
    "a failure in place of a value": packed('["failure", []]'),
    "an outcome that is short": packed('["outcome", [1]]'),
    "changed that is no list": packed('["outcome", [1, null, null, 7, 8]]'),
    "gradients that are words": packed(
        '["outcome", [1, null, ["dict", [["x", "y"]]], ["list", []], ["list", []]]]'
    ),
    "not JSON": packed("[1,"),
    "not text": packed(b"\xff\xfe"),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_what_is_not_ours_is_refused(data):
    with pytest.raises(Garbled):
        from_bytes(data)


def test_too_many_things_are_refused(monkeypatch):
    monkeypatch.setattr(wire, "MAX_ITEMS", 10)
    with pytest.raises(Garbled):
        from_bytes(to_bytes([1] * 20))


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data):
    for each in (data, packed(data)):
        try:
            from_bytes(each)
        except Garbled:
            continue


def test_an_answer_that_is_data_gets_the_same_verdict_through_the_wire():
    """Dots are dots, and objects stay objects."""
    exercise = get("strongest-head")
    for value in (..., object(), None, "x", torch.zeros(2), (1, {"a": 2.0})):
        arrived = from_bytes(to_bytes(plain(value)))
        assert judge_value(exercise, arrived) == judge_value(exercise, value)
