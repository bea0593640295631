"""What every test shares."""

import pytest
import torch
from jaxtyping import install_import_hook

# Shapes in signatures are checked while tests run. This has to come before `mi_tutor.lab` is first imported.
install_import_hook("mi_tutor.lab", "beartype.beartype")

# One thread: tensors in tests are tiny, and the suite runs in two processes.
torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def own_progress(tmp_path_factory, monkeypatch):
    """No test writes into the progress of the person who runs it."""
    from mi_tutor.teach import progress_store

    monkeypatch.setenv("MI_TUTOR_HOME", str(tmp_path_factory.mktemp("progress")))
    monkeypatch.setattr(progress_store, "_unsaved", [])
