"""The histogram of relative norms has every latent in it once, and refuses what is no share."""

import pytest
import torch

from mi_tutor.show.crosscoders import norm_histogram


def test_every_latent_is_drawn_once():
    shares = {"a": torch.tensor([0.0, 0.5, 0.52, 1.0]), "b": torch.tensor([0.97])}
    figure = norm_histogram(shares, title="T")
    assert [sum(trace.y) for trace in figure.data] == [4, 1]
    assert figure.data[0].y[0] == 1 and figure.data[0].y[-1] == 1
    assert "a: 4 latents, 1 below 0.1, 2 between 0.4 and 0.6, 1 above 0.9" in figure.alt
    assert figure.layout.yaxis.range == figure.layout.yaxis2.range
    table = figure.data_table()
    assert table["latents"].sum() == 5 and set(table["name"]) == {"a", "b"}


@pytest.mark.parametrize("shares", [{}, {"a": [1.2]}])
def test_nonsense_is_refused(shares):
    with pytest.raises(ValueError):
        norm_histogram(shares, title="T")
