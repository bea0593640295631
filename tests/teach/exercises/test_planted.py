"""What chapter 02's `ablate-a-latent` plants and trains when a forecast is checked, against what the text says."""

import pytest
import torch

from mi_tutor.lab.ground.device import seeded
from mi_tutor.teach.exercises.dictionaries import planted
from mi_tutor.teach.exercises.dictionaries.ablating import FORECASTS, OURS, read
from mi_tutor.teach.exercises.dictionaries.taking_out import QUESTIONS
from mi_tutor.teach.investigation import Unreadable

# By hand: features and latents on per sample, as the chapter's table has them.
ON = {
    "alone": (0.89, 0.89),
    "without its own": (0.94, 0.89),
    "with its own": (0.94, 0.89),
    "with a rare one": (0.9025, 0.89),
    "with its own, enough for each": (0.94, 0.94),
    "the twin": (1.14, 0.89),
    "in three forms": (1.14, 0.89),
    "five times as many": (0.89, 4.45),
}


@pytest.mark.parametrize("name", planted.SETTINGS)
def test_features_are_planted_as_the_table_says(name):
    setting = planted.SETTINGS[name]
    on = planted.features_on(setting, 60_000, seeded(1))
    a, beside = on[:, planted.A], on[:, planted.C]
    assert not beside[~a].any(), "what is beside A never comes without it"
    assert a.float().mean() == pytest.approx(0.25, abs=0.01)
    found = on.float().sum(1).mean(), setting.more * setting.needs(on).mean()
    assert found == pytest.approx(ON[name], abs=0.03)
    assert (setting.where(on) & ~a).sum() == 0 < setting.where(on).sum()


def test_what_is_left_is_read_along_the_feature():
    """Dictionaries written by hand: A's row and B's; or A's, and A with B in one."""
    setting = planted.SETTINGS["with its own"]
    made = planted.Dictionaries([setting] * 2, [1, 1])
    a, b = made.directions[0, 0], made.directions[0, 1]
    together = (a + b) / 2**0.5
    with torch.no_grad():
        for weight in made.weights:
            weight.zero_()
        for k, second in enumerate((b, together)):
            made.W_dec[k, :2] = torch.stack([a, second])
        made.W_enc[0, :, :2] = torch.stack([a, b], dim=1)
        # The first is silent where B is on; the second is on there alone.
        made.W_enc[1, :, :2] = torch.stack([a - b, b * 2**0.5], dim=1)
    made.n_on = [10.0, 10.0]
    assert planted.what_is_left(made, [setting] * 2, seed=0).tolist() == pytest.approx(
        [0.0, 1.0], abs=1e-5
    )


def test_forecasts_are_read_and_missed():
    said = dict.fromkeys(QUESTIONS, 0.5) | {"sets": [[1]] * 50}
    rows = {name.upper(): "Gone" for name in planted.SETTINGS}
    assert (read(said | {FORECASTS: rows}).forecasts[:, 0] == 1).all()
    assert set(OURS) == set(planted.SETTINGS)
    with pytest.raises(Unreadable, match="'forecasts'"):
        read(said)
