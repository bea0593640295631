"""The figure of most investigations: what was predicted beside what was found."""

import numpy as np
import pytest

from mi_tutor.show import predictions


def test_every_prediction_is_a_row_with_both_values():
    figure = predictions(["a", "b"], [0.1, np.nan], [0.3, 0.5], title="T", value_title="share")
    table = figure.data_table()
    assert table["name"].tolist() == ["a", "b"]
    np.testing.assert_allclose(table["found"], [0.3, 0.5])
    assert "a: predicted 0.1, found 0.3" in figure.alt
    by_name = {trace.name: trace for trace in figure.data if trace.name}
    assert {trace.marker.symbol for trace in by_name.values()} == {"circle-open", "diamond"}
    assert list(by_name["found"].y) == ["a", "b"]
    assert by_name["found"].marker.size < by_name["predicted"].marker.size, (
        "one would hide the other"
    )


def test_lengths_have_to_agree():
    with pytest.raises(ValueError, match="predicted"):
        predictions(["a"], [0.1, 0.2], [0.3], title="T", value_title="share")
