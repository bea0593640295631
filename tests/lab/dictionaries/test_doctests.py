"""The examples in the docstrings."""

import doctest
import importlib

import pytest

MODULES = (
    *(
        "activations",
        "concepts",
        "config",
        "dead",
        "finite",
        "kinds",
        "losses",
        "means",
        "metrics",
        "model",
        "reading",
    ),
    *(
        "recipes",
        "saelens",
        "saelens_config",
        "shrinking",
        "sources",
        "splice",
        "splitting",
        "sparse",
        "start",
        "toy",
        "train",
    ),
)


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    module = importlib.import_module(f"mi_tutor.lab.dictionaries.{name}")
    assert doctest.testmod(module).failed == 0
