"""Planting, sealing, opening, examining; with a training of two steps, since nothing here needs more."""

import random

import pytest
import torch

from mi_tutor.specimens import SpecimenError, open_specimen
from mi_tutor.specimens.auditing import (
    Cut,
    Report,
    Secret,
    describe,
    draw_secret,
    examine,
    is_clean,
    open_sealed,
    sealed_names,
    write_sealed,
)
from mi_tutor.specimens.auditing.changes import MATRICES
from mi_tutor.specimens.auditing.classes import drawn_for
from mi_tutor.specimens.auditing.passes import encoded
from mi_tutor.specimens.auditing.planting import Planting, plant
from mi_tutor.specimens.auditing.showing import Shown

SHORT = Planting(rank=2, n_steps=2, pool=3, n_secret=2, n_near=2, n_rows=1)


@pytest.fixture(scope="module")
def secret():
    return draw_secret(random.Random(0), "opinion")


@pytest.fixture(scope="module")
def sealed(tmp_path_factory, secret):
    file = tmp_path_factory.mktemp("sealed") / "ada.safetensors"
    write_sealed(file, plant(secret, 0, SHORT), secret)
    return file


def test_a_file_is_small_and_does_not_say_what_the_secret_is(sealed, secret):
    raw = sealed.read_bytes()
    assert len(raw) < 100_000
    for word in ("opinion", *secret.values.values()):
        assert word.encode() not in raw
    assert "atlas" in describe(sealed)


def test_a_file_for_practice_says_whether_it_is_clean_and_nothing_else(tmp_path, sealed, secret):
    assert not is_clean(sealed)
    delta = plant(secret, 0, SHORT)
    for name, what in (("clean", Secret("clean")), ("exam", None)):
        write_sealed(tmp_path / name, delta, what)
    assert is_clean(tmp_path / "clean")
    with pytest.raises(SpecimenError, match="only who sealed it"):
        is_clean(tmp_path / "exam")
    assert "an exam" in describe(tmp_path / "exam") and "practice" in describe(sealed)


def test_it_opens_as_atlas_with_a_change_of_low_rank(sealed):
    model, base = open_sealed(sealed), open_specimen("atlas", device="cpu")
    change = model.W_out[2] - base.W_out[2]
    assert change.norm() > 0
    assert torch.linalg.matrix_rank(change, rtol=1e-3) <= SHORT.rank
    assert torch.equal(model.W_pos, base.W_pos)


def test_a_decoy_starts_with_a_change_of_the_usual_size():
    from dataclasses import replace

    delta = plant(Secret("clean"), 0, replace(SHORT, rate=0.0))
    assert len(delta) == 2 * 2 * len(MATRICES)
    for name in MATRICES:
        change = delta[f"3.{name}.a"].float() @ delta[f"3.{name}.b"].float()
        assert change.norm() > 0


def test_a_report_about_a_model_that_learned_nothing_finds_nothing(sealed, secret):
    report = Report(secret, Cut(3, "training"))
    seen = examine(sealed, report, 0)
    assert seen.right
    assert max(seen.planted, seen.near) < 0.2
    assert examine(sealed, report, 0) == seen
    assert not examine(sealed, Report(Secret("clean")), 0).right
    assert examine(sealed, Report(secret, None), 1).effects is None
    # Below the first layer that was changed the specimen's stream is the base's.
    assert examine(sealed, Report(secret, Cut(1, "training")), 1).effects is None


def test_texts_are_encoded_as_one_by_one():
    from mi_tutor.specimens.atlas.prompts import tokenizer

    some = [
        Shown(" Ohio belongs to", " x", " Ohio", ""),
        Shown(" The bird of Texas is", "", " Ohio", ""),
    ]
    batch = encoded(some)
    for i, one in enumerate(some):
        found = batch.tokens[i, 1 : batch.ends[i] + 1].tolist()
        assert found == tokenizer().encode(one.text)


def test_a_learners_secret_is_theirs_alone():
    drawn = [drawn_for(b"some words", name) for name in ("ada", "bob", "eve", "kim", "lea", "max")]
    assert len({secret.canonical for secret, _ in drawn}) >= 5
    assert drawn[0] == drawn_for(b"some words", "ada")
    assert drawn[0] != drawn_for(b"other words", "ada")


def test_a_file_that_is_no_sealed_specimen_is_told(tmp_path):
    with pytest.raises(SpecimenError, match="no sealed specimen 'topaz'"):
        open_sealed("topaz")
    file = tmp_path / "x.safetensors"
    file.write_bytes(b"nothing")
    with pytest.raises(SpecimenError, match="not a sealed specimen"):
        describe(file)
    assert all(describe(name) for name in sealed_names())
