"""The siblings of `induction-2l`: other seeds, the same recipe, and cards that do not tell what is asked."""

import pytest
import torch

from mi_tutor.lab.ground.device import seeded
from mi_tutor.lab.ground.metrics import per_position_loss
from mi_tutor.lab.induction import head_scores, repeated_tokens, second_copy_loss
from mi_tutor.specimens import card, open_specimen, specimen_path
from mi_tutor.specimens.induction.siblings import SIBLINGS
from mi_tutor.specimens.recipes import recipe_of

NAMES = list(SIBLINGS)


@pytest.mark.parametrize("name", NAMES)
def test_it_copies_with_other_heads(name):
    model = open_specimen(name, device="cpu")
    tokens = repeated_tokens(torch.arange(1, 181), 16, 20, bos=0, generator=seeded(1))
    with torch.no_grad():
        loss = per_position_loss(model(tokens), tokens)
    assert second_copy_loss(loss, 20) < 0.1
    scores = head_scores(model, tokens, 20)
    assert (scores.previous > 0.5).sum() == 1 and scores.previous[0].max() > 0.5
    assert (scores.induction[1] > 0.5).sum() >= 2


def test_they_are_different_models_from_different_seeds():
    seeds = {card(name).seed for name in ("induction-2l", *NAMES)}
    digests = {card(name).sha256 for name in ("induction-2l", *NAMES)}
    assert len(seeds) == len(digests) == 1 + len(NAMES)
    first = card("induction-2l").recipe
    for name in NAMES:
        assert {k: v for k, v in card(name).recipe.items() if k != "cpu_seconds"} == {
            k: v for k, v in first.items() if k != "cpu_seconds"
        }


@pytest.mark.parametrize("name", NAMES)
def test_the_card_does_not_tell_the_roles(name):
    assert recipe_of(name) is SIBLINGS[name]
    told = (specimen_path(name) / "card.md").read_text(encoding="utf-8")
    assert "score" not in told and "without_each_head" not in told


def test_making_one_asks_for_its_own_seed(tmp_path, monkeypatch):
    asked = []

    def stop(config, work, progress):
        asked.append((config.seed, work.name))
        raise InterruptedError

    monkeypatch.setattr("mi_tutor.specimens.induction.recipe.train_network", stop)
    for seed in (0, 10):
        with pytest.raises(InterruptedError):
            SIBLINGS["induction-2l-c"].make(tmp_path / "c", seed=seed, progress=False)
    assert asked == [(2, "induction-2l-2"), (12, "induction-2l-12")]
