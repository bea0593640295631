"""`mi-tutor specimens`: list, train, verify."""

from dataclasses import replace

import pytest

from mi_tutor.specimens import card
from mi_tutor.specimens.primer import recipe as primer_recipe

SMALL = primer_recipe.PrimerConfig(d_model=16, n_heads=2, n_ctx=32, batch_size=2, n_steps=2)


def test_list(mi_tutor):
    code, out, err = mi_tutor("specimens", "list")
    assert (code, err) == (0, "")
    assert "primer  (" in out and card("primer").summary in out


@pytest.mark.slow
def test_verify_prints_a_line_for_each_number(mi_tutor):
    code, out, _ = mi_tutor("specimens", "verify", "primer")
    assert code == 0
    lines = out.splitlines()
    assert sum(line.endswith("  holds") for line in lines) == len(card("primer").measures) + 1


@pytest.mark.slow
def test_train_writes_elsewhere_and_says_what_was_missed(tmp_path, mi_tutor, monkeypatch):
    monkeypatch.setattr(primer_recipe, "PrimerConfig", lambda seed: replace(SMALL, seed=seed))
    out_dir = tmp_path / "mine"
    code, out, _ = mi_tutor(
        "specimens", "train", "primer", "--quiet", "--seed", 3, "--out", out_dir
    )
    assert code == 1
    assert "Goal missed: facts_held_out" in out
    assert (out_dir / "card.md").exists() and card(out_dir).seed == 3


@pytest.mark.parametrize("command", ["train", "verify"])
def test_an_unknown_name(command, mi_tutor):
    code, _, err = mi_tutor("specimens", command, "primr")
    assert code == 2
    assert "Did you mean 'primer'?" in err
