"""The examples in the docstrings."""

import doctest
import importlib
from pathlib import Path

import pytest

import mi_tutor.lab.crosscoders

FILES = Path(mi_tutor.lab.crosscoders.__file__).parent.glob("*.py")


@pytest.mark.parametrize("name", sorted(file.stem for file in FILES))
def test_examples(name):
    module = importlib.import_module(f"mi_tutor.lab.crosscoders.{name}")
    assert doctest.testmod(module).failed == 0
