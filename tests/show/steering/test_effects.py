"""The figures of chapter 07: what they draw, what they say, and what they refuse."""

import pytest

from mi_tutor.lab.steering import Effect
from mi_tutor.show import steering

FOUND = [Effect(0.0, 0.9, 0.0), Effect(0.5, 0.8, 0.25), Effect(1.0, 0.1, 2.0)]
PROMPT = Effect(0.75, 0.95, 0.0)


def test_each_way_is_drawn_in_its_order_and_a_prompt_as_one_point():
    figure = steering.effect_against_coherence({"vector": ([0, 1, 4], FOUND)}, {"a prompt": PROMPT})
    line, point = figure.data
    assert (list(line.x), list(line.y)) == ([0.0, 0.5, 1.0], [0.9, 0.8, 0.1])
    assert list(line.text) == ["", "", "4×"]
    assert (list(point.x), list(point.y), point.mode) == ([0.75], [0.95], "markers")
    assert "1 and 0.1 at strength 4" in figure.alt
    assert figure.data_table()["damage"].tolist() == [0.0, 0.25, 2.0, 0.0]


def test_a_name_beside_the_axis_stands_to_its_right():
    stays = [Effect(0.0, 0.9, 0.0), Effect(0.01, 0.8, 0.0)]
    figure = steering.effect_against_coherence(
        {"moves": ([0, 1, 4], FOUND), "stays": ([0, 1], stays)}
    )
    assert [line.textposition for line in figure.data] == ["top left", "middle right"]


def test_three_panels_have_the_three_numbers():
    figure = steering.strength_curves([0, 1, 4], {"vector": FOUND, "latent": FOUND[::-1]})
    assert [list(trace.y) for trace in figure.data[:3]] == [
        list(part) for part in zip(*FOUND, strict=True)
    ]
    assert [trace.showlegend for trace in figure.data] == [True, False, False] * 2
    assert "latent: about 1 to 0, valid 0.1 to 0.9, damage 2 to 0." in figure.alt


@pytest.mark.parametrize(
    "draw", [steering.effect_against_coherence, lambda c: steering.strength_curves([0], c)]
)
def test_nothing_to_draw_is_said(draw):
    with pytest.raises(ValueError, match="at least one curve"):
        draw({})


def test_one_measurement_per_strength():
    with pytest.raises(ValueError, match="vector"):
        steering.effect_against_coherence({"vector": ([0, 1], FOUND)})
    with pytest.raises(ValueError, match="vector"):
        steering.strength_curves([0, 1], {"vector": FOUND})
