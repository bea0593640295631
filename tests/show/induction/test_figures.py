"""The drawn numbers of the heads' figures, cell by cell, what pointing at them says, and refusals."""

import pytest
import torch

from mi_tutor.show import induction as show


def pattern(n_heads=2, n_pos=5):
    scores = torch.randn(n_heads, n_pos, n_pos, generator=torch.Generator().manual_seed(0))
    future = torch.ones(n_pos, n_pos, dtype=torch.bool).triu(1)
    return scores.masked_fill(future, float("-inf")).softmax(dim=-1)


def test_a_cell_tells_query_key_and_weight():
    weights = pattern()
    figure = show.attention_patterns(weights, ["BOS", " a", " b", " a", " b"])
    maps = [trace for trace in figure.data if trace.type == "heatmap"]
    assert len(maps) == 2
    for head, trace in enumerate(maps):
        torch.testing.assert_close(torch.tensor(trace.z), weights[head], rtol=1e-4, atol=1e-5)
    assert maps[1].customdata[4][1] == "“b” (4) looks at “a” (1)"
    assert "%{customdata}" in maps[1].hovertemplate and "%{z" in maps[1].hovertemplate
    table = figure.data_table()
    row = (table["head"] == "head 1") & (table["query"] == 4) & (table["key"] == 1)
    assert table["weight"][row] == pytest.approx([weights[1, 4, 1].item()])
    assert table["query token"][row] == ["b"] and table["key token"][row] == ["a"]


def test_the_first_query_is_on_top_and_the_words_name_strong_pairs():
    weights = torch.eye(4).roll(1, dims=0).tril()
    weights[0, 0] = 1
    figure = show.attention_patterns(weights, list("wxyz"))
    assert all(axis.autorange == "reversed" for axis in figure.select_yaxes())
    assert "head 0: 3 of 3 queries" in figure.alt and "z (3) at y (2)" in figure.alt


def test_labels_can_be_positions():
    figure = show.attention_patterns(torch.eye(3), list("012"), unit="position")
    assert {axis.title.text for axis in figure.select_xaxes()} == {"key (position)"}
    assert "on 3 positions" in figure.alt and "query position" in figure.data_table()


@pytest.mark.parametrize(
    ("weights", "tokens", "words"),
    [
        (torch.eye(3), list("ab"), "one entry for each of the 3 positions"),
        (torch.ones(2, 3), list("abc"), "should be square"),
        (torch.eye(3) * 2, list("abc"), "between 0 and 1"),
        (torch.eye(50), list("a" * 50), "at most 40 tokens"),
        (torch.eye(3).repeat(9, 1, 1), list("abc"), "at most 8 heads"),
    ],
)
def test_what_cannot_be_a_pattern_is_refused(weights, tokens, words):
    with pytest.raises(ValueError, match=words):
        show.attention_patterns(weights, tokens)


def test_scores_stand_where_their_heads_are():
    scores = torch.arange(8.0).reshape(2, 4) / 10
    figure = show.head_grid({"a": scores, "b": -scores}, value_title="score", title="T")
    for trace, drawn in zip(figure.data, (scores, -scores), strict=True):
        torch.testing.assert_close(torch.tensor(trace.z), drawn)
    table = figure.data_table()
    row = (table["score"] == "a") & (table["layer"] == 1) & (table["head"] == 2)
    assert table["value"][row] == pytest.approx([0.6])
    assert "a: highest for head 1.3 with 0.7" in figure.alt


def test_scores_of_different_models_are_refused():
    with pytest.raises(ValueError, match="one shape"):
        show.head_grid({"a": torch.ones(2, 4), "b": torch.ones(1, 4)}, value_title="v", title="T")
    with pytest.raises(ValueError, match="at least one score"):
        show.head_grid({}, value_title="v", title="T")


def test_curves_leave_step_0_out_and_say_where_they_are_steepest():
    figure = show.phase_curves(
        [0, 10, 100, 1000], {"loss": [9, 5, 1, 0.9]}, {"score": [0, 0.1, 0.8, 0.9]}
    )
    loss, score = figure.data
    assert list(loss.x) == [10, 100, 1000] and list(loss.y) == [5, 1, 0.9]
    assert list(score.y) == [0.1, 0.8, 0.9]
    assert "loss from 5 to 0.9, steepest between steps 10 and 100 (5 to 1)" in figure.alt


def test_curves_of_another_length_and_falling_steps_are_refused():
    with pytest.raises(ValueError, match="one entry for each of the 2 steps"):
        show.phase_curves([1, 2], {"a": [1.0, 2.0, 3.0]}, {"b": [1.0, 2.0]})
    with pytest.raises(ValueError, match="steps should rise"):
        show.phase_curves([2, 1], {"a": [1.0, 2.0]}, {"b": [1.0, 2.0]})
