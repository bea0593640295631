"""The swap explorer on a model with random weights: what it shows is what the model says."""

import time

import pytest
import torch
from untrained import untrained

from mi_tutor.lab.ground.plain import plain_transformer
from mi_tutor.lab.swaps import swap_logits
from mi_tutor.show.swaps import swap_explorer
from mi_tutor.specimens.atlas.prompts import tokenizer


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """An untrained model that speaks the world's language."""
    return untrained(tmp_path_factory.mktemp("untrained"), d_model=32, n_layers=3)


@pytest.fixture
def means():
    return 3 * torch.randn(4, 50, 32, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def explorer(model, means):
    return swap_explorer(plain_transformer(model), tokenizer(), means)


def first_guess(model, prompt, step=None, layer=0, place=0):
    tokens = model.to_tokens(prompt)
    steps = torch.zeros(1, 32) if step is None else step[None]
    with torch.no_grad():
        logits = swap_logits(model, tokens, torch.tensor([place]), steps, layer)
    return model.to_string(logits[0].argmax()).strip()


def test_before_and_after_are_what_hooks_say(explorer, model, means):
    prompt = " The capital of the state of Dallas is"
    place = model.to_tokens(" The capital of the state of Dallas").shape[1] - 1
    states = list(explorer._states)
    before, after = explorer._shown
    assert before[0][0] == first_guess(model, prompt)
    step = means[2][states.index("California")] - means[2][states.index("Texas")]
    assert after[0][0] == first_guess(model, prompt, step, 2, place)
    explorer.layer.value, explorer.strength.value = 1, 2.5
    step = 2.5 * (means[1][states.index("California")] - means[1][states.index("Texas")])
    assert explorer._shown[1][0][0] == first_guess(model, prompt, step, 1, place)


def test_strength_zero_changes_nothing(explorer):
    explorer.strength.value = 0.0
    before, after = explorer._shown
    assert [name for name, _ in before] == [name for name, _ in after]


def test_languages_and_relations_are_asked_in_words(explorer):
    explorer.language.value, explorer.relation.value = "french", "time_zone"
    assert "où se trouve Dallas" in explorer.words
    assert "Heure du Pacifique" in explorer.words or "Pacifique" in explorer.words
    explorer.language.value, explorer.target.value = "english", "Oklahoma"
    assert "this tests nothing" in explorer.words  # Texas is on Central Time, too


def test_a_change_is_drawn_at_once(explorer):
    """The quickest of several counts: other work on the machine only ever slows one down."""
    took = []
    for city in list(explorer._cities)[:8]:
        start = time.process_time()
        explorer.city.value = city
        took.append(time.process_time() - start)
    assert min(took) < 0.15


def test_where_widgets_cannot_run_there_is_a_picture_and_a_sentence(explorer):
    bundle = explorer._repr_mimebundle_()
    assert "Dallas" in bundle["text/plain"]
    assert bundle["image/svg+xml"].startswith("<svg")


def test_means_need_a_row_per_state(model):
    with pytest.raises(ValueError, match="50 states"):
        swap_explorer(plain_transformer(model), tokenizer(), torch.zeros(4, 3, 32))
