"""The examples in the docstrings."""

import doctest

import pytest

from mi_tutor.specimens.crosscoders import texts
from mi_tutor.specimens.opening import crosscoders


@pytest.mark.parametrize("module", [texts, crosscoders])
def test_examples(module):
    assert doctest.testmod(module).failed == 0
