"""The examples in the docstrings of `mi_tutor.show` run as written."""

import doctest
import importlib
import pkgutil

import pytest

import mi_tutor.show

MODULES = [m.name for m in pkgutil.walk_packages(mi_tutor.show.__path__, "mi_tutor.show.")]


@pytest.mark.parametrize("module", MODULES)
def test_examples(module):
    assert doctest.testmod(importlib.import_module(module)).failed == 0
