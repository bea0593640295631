"""What every test shares. Which tests are run, in which order, and what they cost is in tests/plugins."""

from __future__ import annotations

from functools import cache
from itertools import count
from pathlib import Path

import pytest
import torch
from hypothesis import settings
from jaxtyping import install_import_hook

pytest_plugins = ("costs", "choosing")  # in this order: the second uses the first

# Shapes in signatures are checked while tests run. This has to come before `mi_tutor.lab` is first imported.
install_import_hook("mi_tutor.lab", "beartype.beartype")

# Property tests draw the same examples in every run.
settings.register_profile("deterministic", derandomize=True, deadline=None, max_examples=50)
settings.load_profile("deterministic")

# One thread: tensors in tests are tiny, and the suite runs in two processes.
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def homes(tmp_path_factory):
    """Folders that nobody has used, each made by the first who writes into it."""
    root = tmp_path_factory.mktemp("progress")
    return (str(root / str(number)) for number in count())


@pytest.fixture(autouse=True)
def own_progress(homes, monkeypatch):
    """No test writes into the progress of the person who runs it."""
    from mi_tutor.teach import progress_store

    monkeypatch.setenv("MI_TUTOR_HOME", next(homes))
    monkeypatch.setattr(progress_store, "_unsaved", [])


@pytest.fixture(scope="session")
def architectures():
    """`benchmarks/architectures.py`: tiny random models of 24 architectures, and what to ask of each."""
    from importlib.util import module_from_spec, spec_from_file_location

    file = Path(__file__).parents[1] / "benchmarks" / "architectures.py"
    spec = spec_from_file_location("architectures", file)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def tiny_path(architectures, tmp_path_factory):
    """The directory of a tiny model by the name of its row there ("gptj"); each is made once."""
    return cache(lambda name: architectures.save_tiny(name, tmp_path_factory.mktemp("tiny")))


@pytest.fixture(scope="session")
def tiny(tiny_path):
    """The same, opened, once."""
    from mi_tutor.specimens import open_specimen

    return cache(lambda name: open_specimen(tiny_path(name), device="cpu"))
