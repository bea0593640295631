"""Dictionaries by name and by folder: what they are, which hook they read, and errors that name them."""

import json
from pathlib import Path

import pytest
import torch

from mi_tutor.lab.dictionaries import Relu, Sae, save_sae
from mi_tutor.specimens import SpecimenError, dictionary_hook, open_dictionary


def folder(path: Path, **changes) -> Path:
    """One with two latents, as SAELens 6 writes it, its config changed."""
    eye, zeros = torch.eye(2), torch.zeros(2)
    save_sae(path, Sae(W_enc=eye, b_enc=zeros, W_dec=eye, b_dec=zeros), {"hook_name": "here"})
    config = json.loads((path / "cfg.json").read_text()) | changes
    (path / "cfg.json").write_text(json.dumps(config))
    return path


def test_by_path_and_by_text(tmp_path):
    path = folder(tmp_path / "mine")
    assert open_dictionary(path).kind == open_dictionary(str(path)).kind == Relu()
    assert dictionary_hook(path) == dictionary_hook(str(path)) == "here"


def test_a_factor_can_be_given_where_the_error_asks_for_it(tmp_path):
    path = folder(tmp_path, normalize_activations="expected_average_only_in")
    with pytest.raises(SpecimenError, match="norm_scaling_factor"):
        open_dictionary(path)
    found = open_dictionary(path, norm_scaling_factor=4.0)
    assert torch.equal(found.encode(torch.ones(2)), torch.full((2,), 4.0))


def test_what_is_refused_names_the_dictionary_and_the_field(tmp_path):
    path = folder(tmp_path, architecture="temporal")
    with pytest.raises(SpecimenError, match=f'{path}.* architecture = "temporal"'):
        open_dictionary(path)
    assert dictionary_hook(path) == "here"  # that much can be read


@pytest.mark.parametrize("metadata", [{}, None, {"hook_name": None}])
def test_a_file_that_names_no_hook(tmp_path, metadata):
    path = folder(tmp_path, metadata=metadata)
    with pytest.raises(SpecimenError, match="does not say which activation it reads"):
        dictionary_hook(path)
    assert open_dictionary(path).d_sae == 2


def test_no_dictionary_at_all(tmp_path):
    for ask in (open_dictionary, dictionary_hook):
        with pytest.raises(SpecimenError, match=r"no cfg\.json"):
            ask(tmp_path)
        with pytest.raises(SpecimenError, match=r"'primer' is a model.*open_specimen\('primer'\)"):
            ask("primer")
        with pytest.raises(TypeError, match=r"a string or a path, .* NoneType"):
            ask(None)
        (tmp_path / "damaged").mkdir(exist_ok=True)
        (tmp_path / "damaged" / "cfg.json").write_text("{")
        with pytest.raises(SpecimenError, match="not valid JSON"):
            ask(tmp_path / "damaged")


def test_no_such_device(tmp_path):
    with pytest.raises(SpecimenError, match="'abacus' cannot be used here"):
        open_dictionary(folder(tmp_path), device="abacus")
