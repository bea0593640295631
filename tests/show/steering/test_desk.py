"""The steering desk on a model with random weights: what it shows is what hooks say."""

import re
import time

import pytest
import torch
from untrained import untrained

from mi_tutor.lab.ground.plain import plain_transformer
from mi_tutor.show.steering import steering_desk
from mi_tutor.specimens.atlas.prompts import tokenizer

PROMPTS = (" The capital of Texas is", " User: how do I")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """An untrained model that speaks the world's language."""
    return untrained(tmp_path_factory.mktemp("untrained"), d_model=32, n_layers=3)


@pytest.fixture(scope="module")
def plain(model):
    return plain_transformer(model)


@pytest.fixture
def vectors():
    generator = torch.Generator().manual_seed(1)
    return {
        name: (layer, torch.randn(32, generator=generator)) for layer, name in enumerate("abcd")
    }


@pytest.fixture
def rows():
    return torch.randint(2, 100, (3, 20), generator=torch.Generator().manual_seed(2))


@pytest.fixture
def desk(plain, vectors, rows):
    valid = lambda row: float(sum(row) % 2)  # noqa: E731
    return steering_desk(plain, tokenizer(), vectors, PROMPTS, rows, valid)


def hooked_loss(model, rows, steps):
    """The same through TransformerLens's hooks, position 0 left alone."""

    def add(vector):
        def edit(x, hook):
            x = x.clone()
            x[:, 1:] += vector
            return x

        return edit

    last = model.cfg.n_layers - 1
    names = {
        layer: f"blocks.{layer}.hook_resid_pre"
        if layer <= last
        else f"blocks.{last}.hook_resid_post"
        for layer in steps
    }
    hooks = [(names[layer], add(vector)) for layer, vector in steps.items()]
    with torch.no_grad():
        logits = model.run_with_hooks(rows, fwd_hooks=hooks)
    loss = torch.nn.functional.cross_entropy
    return loss(logits[:, :-1].flatten(0, 1), rows[:, 1:].flatten()).item()


def test_the_meter_says_what_hooks_say(desk, model, vectors, rows):
    assert desk._before.loss == pytest.approx(hooked_loss(model, rows, {}), abs=1e-3)
    desk.sliders["b"].value, desk.sliders["d"].value = 2.0, -1.5
    steps = {1: 2.0 * vectors["b"][1], 3: -1.5 * vectors["d"][1]}
    assert desk._after.loss == pytest.approx(hooked_loss(model, rows, steps), rel=1e-3)
    assert f"{desk._after.loss:.2f}" in desk.words and "b × 2, d × -1.5" in desk.words


def test_all_at_zero_is_as_before_and_back_again(desk):
    assert desk._after == desk._before
    assert "Nothing is turned up" in desk.words
    desk.sliders["a"].value = 8.0
    assert desk._after.texts != desk._before.texts
    desk.sliders["a"].value = 0.0
    assert desk._after == desk._before


def test_texts_do_not_depend_on_their_neighbours(plain, vectors, rows):
    """Shorter prompts are filled up; alone, with the same noise, each goes on in the same way."""
    both = steering_desk(plain, tokenizer(), vectors, PROMPTS, rows)
    alone = steering_desk(plain, tokenizer(), vectors, PROMPTS[:1], rows)
    alone._noise = both._noise[:, :1]
    assert alone._see({"a": 1.0}).texts[0] == both._see({"a": 1.0}).texts[0]


def test_the_share_of_valid_texts_is_the_judges(desk):
    rows = desk._written({})
    assert desk._after.valid == sum(sum(row[1:]) % 2 for row in rows) / len(rows)
    for row, prompt, text in zip(rows, PROMPTS, desk._after.texts, strict=True):
        assert "".join(desk._words[token] for token in row[1:]) == prompt + text


def test_it_can_be_read_and_moved_without_a_mouse(desk):
    assert 'role="status" aria-live="polite"' in desk._sentence.value
    assert 'role="img"' in desk._picture.value and "aria-label=" in desk._picture.value
    assert "<caption>" in desk._table.value and desk._table.value.count('scope="col"') == 3
    for name, slider in desk.sliders.items():
        assert slider.description == name and name in slider.tooltip
        assert not slider.continuous_update  # a held arrow key draws once, when it is let go


def test_words_of_a_model_cannot_become_markup(plain, vectors, rows):
    desk = steering_desk(
        plain, tokenizer(), {"<b>": vectors["a"]}, PROMPTS, rows, strengths={"<b>": 1}
    )
    shown = desk._sentence.value + desk._picture.value + desk._table.value
    assert "<b>" not in shown and "&lt;b&gt;" in shown


def test_a_change_is_drawn_at_once(desk):
    """The quickest of several counts: other work on the machine only ever slows one down."""
    took = []
    for strength in (0.5, 1.0, 1.5, 2.0, 2.5):
        start = time.process_time()
        desk.sliders["a"].value = strength
        took.append(time.process_time() - start)
    assert min(took) < 0.15


def test_where_widgets_cannot_run_there_is_a_meter_and_the_texts(desk):
    desk.sliders["c"].value = 3.0
    bundle = desk._repr_mimebundle_()
    assert bundle["image/svg+xml"].startswith("<svg")
    assert "c × 3" in bundle["text/plain"] and "before:" in bundle["text/plain"]
    assert len(re.findall("<rect", bundle["image/svg+xml"])) == 5  # the card, and two bars of two


def test_what_cannot_be_used_is_said(plain, vectors, rows):
    with pytest.raises(ValueError, match="'a' should be a layer from 0 to 3"):
        steering_desk(plain, tokenizer(), {"a": (4, vectors["a"][1])}, PROMPTS, rows)
    with pytest.raises(ValueError, match="vector of 32 numbers"):
        steering_desk(plain, tokenizer(), {"a": (1, torch.zeros(5))}, PROMPTS, rows)
    with pytest.raises(ValueError, match="no such vector"):
        steering_desk(plain, tokenizer(), vectors, PROMPTS, rows, strengths={"z": 1.0})
    with pytest.raises(ValueError, match="at least one vector"):
        steering_desk(plain, tokenizer(), {}, PROMPTS, rows)
