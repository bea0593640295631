"""`python -m mi_tutor.specimens`: list, train, verify."""

import pytest

from mi_tutor.specimens import card, primer_recipe
from mi_tutor.specimens.__main__ import main

SMALL = primer_recipe.PrimerConfig(d_model=16, n_heads=2, n_ctx=32, batch_size=2, n_steps=2)


def test_list(capsys):
    assert main(["list"]) == 0
    assert "primer" in capsys.readouterr().out


def test_verify_prints_a_line_for_each_number(capsys):
    assert main(["verify", "primer"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert sum(line.endswith("holds") for line in lines) == len(card("primer").measures) + 1


def test_train_writes_elsewhere_and_says_what_was_missed(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(primer_recipe, "PrimerConfig", lambda: SMALL)
    assert main(["train", "primer", "--out", str(tmp_path / "mine")]) == 1
    assert "goal missed: facts_held_out" in capsys.readouterr().out
    assert (tmp_path / "mine" / "card.md").exists()


@pytest.mark.parametrize("command", ["train", "verify"])
def test_an_unknown_name(command, capsys):
    assert main([command, "primr"]) == 1
    assert "Did you mean 'primer'?" in capsys.readouterr().err
