"""The explorer: sliders, picture and sentence agree, and it is quick and readable without widgets."""

import math
import re
import time
import xml.etree.ElementTree as ET

import pytest
import torch

from mi_tutor.show.superposition.explorer import superposition_explorer
from mi_tutor.show.superposition.explorer_drawing import model_drawing, model_words

SVG = "{http://www.w3.org/2000/svg}"


def polygon(n):
    angle = 2 * math.pi * torch.arange(n) / n
    return torch.stack([angle.cos(), angle.sin()])


def dense(n):
    W = torch.zeros(2, n)
    W[:, :2] = torch.eye(2)
    return W


@pytest.fixture
def explorer():
    """Sparse models are polygons, dense ones keep two features. Densities are not in order."""
    models = {n: (torch.stack([polygon(n), dense(n)]), torch.tensor([0.05, 1.0])) for n in (5, 3)}
    models[4] = (torch.stack([dense(4), polygon(4), polygon(4)]), [1.0, 0.2, 0.01])
    return superposition_explorer(models)


def test_it_starts_with_the_densest_model_of_the_fewest_features(explorer):
    assert explorer.words.startswith(
        "3 features, sparsity 0: 2 represented as two features at right"
    )
    assert "Not represented: 2." in explorer.words


def test_sliders_choose_the_model(explorer):
    explorer.sparsity.value = 1
    assert explorer.words == "3 features, sparsity 0.95: 3 represented as a triangle, D ≈ 0.67."
    explorer.n_features.value = 5
    assert explorer.words == "5 features, sparsity 0.95: 5 represented as a pentagon, D ≈ 0.4."


def test_sparsity_stays_as_near_as_the_next_sweep_allows(explorer):
    explorer.sparsity.value = 1  # density 0.05
    explorer.n_features.value = 4  # has 1, 0.2, 0.01: 0.2 is nearer in log density
    assert explorer.words.startswith("4 features, sparsity 0.8: ")
    assert [label for label, _ in explorer.sparsity.options] == ["0", "0.8", "0.99"]


def test_picture_and_sentence_follow_each_other(explorer):
    for n in (3, 4, 5):
        explorer.n_features.value = n
        for _, instance in explorer.sparsity.options:
            explorer.sparsity.value = instance
            picture = ET.fromstring(explorer._picture.value)
            assert picture.get("aria-label") == explorer.words
            assert picture.get("role") == "img"
            assert explorer.words in explorer._sentence.value
    assert 'aria-live="polite"' in explorer._sentence.value


def test_sliders_have_names_and_show_their_value(explorer):
    for slider in (explorer.n_features, explorer.sparsity):
        assert slider.description and slider.readout
        assert slider.continuous_update


def test_redraw_is_well_under_150_ms():
    models = {n: (torch.stack([polygon(n), dense(n)]), [1.0, 0.1]) for n in (10, 12)}
    explorer = superposition_explorer(models)
    explorer.n_features.value = 12
    took = []  # the quickest counts: other work on the machine only ever slows one down
    for k in range(20):
        start = time.process_time()
        explorer.sparsity.value = 1 - k % 2
        took.append(time.process_time() - start)
    assert min(took) < 0.075


def test_output_can_be_read_without_widgets(explorer):
    bundle = explorer._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert bundle["text/plain"].endswith(explorer.words)
    ET.fromstring(bundle["image/svg+xml"])


def test_drawing_shows_the_numbers_of_the_model():
    W = polygon(3).double().numpy()
    words = [node.text for node in ET.fromstring(model_drawing(W, 0.1)).iter(f"{SVG}text")]
    assert words.count("0.67") == 3  # dimensionalities
    assert words.count("1.0") == 3 and words.count("−0.50") == 6  # the Gram matrix
    headings = {"Features in the plane", "Overlaps Wᵀ W", "Dimensionality D"}
    assert headings <= set(words)


def test_nothing_is_drawn_outside_the_card():
    for W in (polygon(12) * 3, dense(2) * 0.01, polygon(5) * 1e-9):
        picture = ET.fromstring(model_drawing(W.double().numpy(), 0.5))
        width, height = float(picture.get("width")), float(picture.get("height"))
        for node in picture.iter():
            for x in ("x", "x1", "x2", "cx"):
                assert -0.1 <= float(node.get(x, 0)) <= width
            for y in ("y", "y1", "y2", "cy"):
                assert -0.1 <= float(node.get(y, 0)) <= height


def test_words_for_models_with_nothing_or_unequal_shares():
    assert (
        model_words(torch.zeros(2, 3).numpy(), 0.5)
        == "3 features, sparsity 0.5: none of them represented."
    )
    W = torch.tensor([[1.0, -1.0, 0.0], [0.0, 0.0, 1.0]]).numpy()
    assert (
        "an antipodal pair and one feature at right angles to it, D from 0.5 to 1."
        in model_words(W, 0.5)
    )


@pytest.mark.parametrize(
    ("models", "message"),
    [
        ({}, "needs models"),
        ({3: (torch.zeros(1, 3, 3), [0.1])}, "hidden=2 feature=3; saw shape (1, 3, 3)"),
        ({3: (torch.zeros(1, 2, 4), [0.1])}, "feature=3; saw shape (1, 2, 4)"),
        ({3: (torch.zeros(2, 2, 3), [0.1])}, "probability needs one entry"),
        ({3: (torch.zeros(2, 2, 3), [0.1, 0.1])}, "best_of_seeds"),
        ({3: (torch.zeros(1, 2, 3), [0.0])}, "(0, 1]"),
        ({3: (torch.full((1, 2, 3), float("nan")), [0.1])}, "NaN"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_with_a_sentence(models, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        superposition_explorer(models)
