"""Signs that a console lacks come out as letters, and nothing else changes."""

import doctest
import io
import sys
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mi_tutor.teach import console
from mi_tutor.teach.console import readable, tell


def test_examples():
    assert doctest.testmod(console).failed == 0


def on(encoding: object) -> SimpleNamespace:
    return SimpleNamespace(encoding=encoding)


@pytest.mark.parametrize(
    ("text", "ascii", "cp1252"),
    [
        ("✓ The model: passed", "ok The model: passed", None),
        ("✗ not yet", "!! not yet", None),
        ("→ (b) 2 ≤ x ≠ 3 …", "-> (b) 2 <= x != 3 ...", "-> (b) 2 <= x != 3 …"),
        ("λ, θ, Σ, ε", "lambda, theta, Sigma, epsilon", None),
        ("Wᵀ W, x₁², 10⁻⁴", "W^T W, x_1^2, 10^-4", "W^T W, x_1², 10^-4"),
        ("‖Ŵ‖ = √2, x\N{COMBINING CIRCUMFLEX ACCENT}", "||W_hat|| = sqrt 2, x_hat", None),
        ("█░", "#.", None),
        ("“Zoë” – naïve", '"Zoe" - naive', "“Zoë” – naïve"),
        ("½ × 3·y", "1/2 x 3*y", "½ × 3·y"),
        ("猫 \udcff 🐈", "? ? ?", None),
    ],
)
def test_what_becomes_of_signs(text, ascii, cp1252):
    assert readable(text, on("ascii")) == ascii
    assert readable(text, on("cp1252")) == (cp1252 or ascii)
    assert readable(text, on("utf-8")) == text.replace("\udcff", "?")


@given(st.text(st.characters(exclude_categories=())))
def test_no_text_stops_it(text):
    for encoding in ("ascii", "cp1252", "utf-8", "utf-16", "shift-jis"):
        readable(text, on(encoding)).encode(encoding)
    plain = text.encode("ascii", "ignore").decode()
    assert readable(plain, on("ascii")) == plain


@pytest.mark.parametrize("stream", [None, on(None), on(3), on("no-such-encoding"), object()])
def test_streams_that_do_not_say_what_they_can(stream):
    assert readable("✓", stream) == "✓"


def test_telling(monkeypatch):
    bytes_ = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(bytes_, "ascii", write_through=True))
    tell("✓ done")
    monkeypatch.setattr(sys, "stdout", None)  # a Windows program without a console
    tell("✓ done")
    assert bytes_.getvalue().split() == [b"ok", b"done"]
