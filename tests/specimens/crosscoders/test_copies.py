"""Copies and crosscoders on the shelf: opened, trained in small, refused where damaged."""

import shutil
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from mi_tutor.lab.crosscoders import summed_norm
from mi_tutor.specimens import (
    SpecimenError,
    card,
    copy_names,
    crosscoder_names,
    open_crosscoder,
    specimen_path,
)
from mi_tutor.specimens.crosscoders import copies, measures, pairs, recipes
from mi_tutor.specimens.crosscoders.recipes import COPIES, CROSSCODERS
from mi_tutor.specimens.opening.copies import DIFFERENCE, add_difference, base_of
from mi_tutor.specimens.opening.models import load_network


def test_what_is_on_the_shelf_has_a_recipe_and_is_small():
    assert set(copy_names()) == set(COPIES) and set(crosscoder_names()) == set(CROSSCODERS)
    for name in copy_names():
        assert (specimen_path(name) / DIFFERENCE).stat().st_size <= 150_000
    for name in crosscoder_names():
        cross = open_crosscoder(name)
        assert cross.d_sae == CROSSCODERS[name].config.d_sae
        assert (summed_norm(cross.W_dec) - 1).abs().max() < 0.01
    with pytest.raises(SpecimenError, match="atlas-learned-crosscoder"):
        open_crosscoder("atlas-nothing")


def test_a_copy_is_its_base_plus_a_product_of_low_rank():
    directory = specimen_path("atlas-learned")
    base, copy = (load_network(base_of(directory)) for _ in range(2))
    add_difference(copy, directory)
    factors = load_file(directory / DIFFERENCE)
    changed = 0
    for (name, was), now in zip(base.named_parameters(), copy.parameters(), strict=True):
        A, B = (factors.get(f"{name.removesuffix('.weight')}.{part}") for part in "AB")
        if A is None:
            assert now.equal(was)
            continue
        changed += 1
        assert torch.allclose(now, was + A.float() @ B.float(), atol=1e-6)
        assert torch.linalg.matrix_rank(now - was, atol=1e-3) <= 6
    assert changed == 20


def test_a_copy_of_nothing_is_refused(tmp_path):
    shutil.copytree(specimen_path("atlas-learned"), tmp_path / "mine")
    (tmp_path / "mine" / "copy.json").write_text('{"base": "nobody"}')
    with pytest.raises(SpecimenError, match="nobody"):
        base_of(tmp_path / "mine")


def test_a_copy_and_its_crosscoder_in_small(tmp_path, monkeypatch):
    monkeypatch.setenv("MI_TUTOR_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(measures, "N_ROWS", 8)
    monkeypatch.setattr(measures, "same_answers", lambda base, copy: 1.0)
    for name, value in (("N_ROWS", 12), ("N_CHUNKS", 1)):
        monkeypatch.setattr(pairs, name, value)
    monkeypatch.setattr(recipes, "N_CHUNKS", 1)
    small = replace(
        COPIES["atlas-learned"], config=copies.CopyConfig(rank=2, n_steps=2, batch_size=2)
    )
    made = small.make(tmp_path / "copy", seed=3, progress=False)
    assert made == card(tmp_path / "copy") and made.seed == 3 and made["kept_answers"] == 1
    recipe = CROSSCODERS["atlas-learned-crosscoder"]
    config = replace(recipe.config, n_steps=2, batch_size=64, sparsity_warmup=0, d_sae=32)
    made = replace(recipe, config=config).make(tmp_path / "cross", seed=3, progress=False)
    assert made == card(tmp_path / "cross") and open_crosscoder(tmp_path / "cross").d_sae == 32
