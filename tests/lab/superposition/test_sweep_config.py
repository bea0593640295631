import dataclasses

import pytest
import torch

from mi_tutor.lab.superposition import ToySweep

GOOD = {"n_features": 4, "n_hidden": 2, "probabilities": [1.0, 0.1]}


def test_settings_become_tuples_with_one_number_per_feature():
    sweep = ToySweep(**GOOD)
    assert sweep.probabilities == ((1.0,) * 4, (0.1,) * 4)
    assert sweep.importances == ((1.0,) * 4,)
    assert hash(sweep) == hash(ToySweep(**GOOD))


def test_tensors_are_as_good_as_lists():
    from_tensors = ToySweep(
        n_features=2,
        n_hidden=1,
        probabilities=torch.tensor([0.5, 0.25]),
        importances=torch.tensor([[1.0, 2.0], [3.0, 4.0]]),
    )
    assert from_tensors.probabilities == ((0.5, 0.5), (0.25, 0.25))
    assert from_tensors.importances == ((1.0, 2.0), (3.0, 4.0))
    mixed = ToySweep(n_features=2, n_hidden=1, probabilities=[torch.tensor([0.5, 0.25]), 1.0])
    assert mixed.probabilities == ((0.5, 0.25), (1.0, 1.0))


def test_the_seed_runs_fastest_then_importance_then_probability():
    sweep = ToySweep(
        n_features=1, n_hidden=1, probabilities=[1.0, 0.5], importances=[[1.0], [2.0]], n_seeds=3
    )
    assert sweep.shape == (2, 2, 3) and sweep.n_instances == 12
    grid = sweep.on_grid(torch.arange(12))
    assert grid[1, 0].tolist() == [6, 7, 8]
    assert grid[0, 1].tolist() == [3, 4, 5]
    assert sweep.on_grid(torch.zeros(12, 7, 2)).shape == (2, 2, 3, 7, 2)


def test_a_config_is_frozen_and_may_be_varied():
    sweep = ToySweep(**GOOD)
    with pytest.raises(dataclasses.FrozenInstanceError):
        sweep.n_seeds = 2
    assert dataclasses.replace(sweep, n_seeds=2).n_instances == 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_features": 0}, "n_features must be at least 1; saw 0"),
        ({"n_hidden": 0}, "n_hidden must be at least 1"),
        ({"n_seeds": 0}, "n_seeds must be at least 1"),
        ({"n_batch": 0}, "n_batch must be at least 1"),
        ({"n_steps": 0}, "n_steps must be at least 1"),
        ({"learning_rate": 0.0}, "learning_rate must be positive; saw 0.0"),
        ({"learning_rate": float("nan")}, "learning_rate must be positive"),
        ({"init_scale": -1.0}, "init_scale must be positive; saw -1.0"),
        ({"probabilities": []}, "probabilities is empty"),
        ({"probabilities": [0.0]}, r"probabilities must lie in \(0, 1\]"),
        ({"probabilities": [1.2]}, r"probabilities must lie in \(0, 1\]"),
        ({"probabilities": [float("nan")]}, r"probabilities must lie in \(0, 1\]"),
        ({"probabilities": [[0.1, 0.2]]}, "each entry of probabilities needs one number per feat"),
        ({"importances": [[1.0, 2.0]]}, "each entry of importances needs one number per feature"),
        ({"importances": torch.ones(4)}, r"A single setting is written \[\[\.\.\.\]\]"),
        ({"importances": [[1.0, 1.0, 1.0, -1.0]]}, "importances must be finite and at least 0"),
        ({"importances": [[1.0, 1.0, 1.0, float("inf")]]}, "importances must be finite"),
        ({"features": "anti-correlated"}, "sum to at most 1"),
        (
            {"features": "correlated", "probabilities": [[0.1, 0.2, 0.3, 0.3]]},
            "both of a pair need the same probability; saw 0.1 and 0.2",
        ),
        ({"features": "correlated", "n_features": 3}, "pairs need an even n_features; saw 3"),
    ],
)
def test_nonsense_is_refused_with_what_was_seen(change, message):
    with pytest.raises(ValueError, match=message):
        ToySweep(**{**GOOD, **change})


def test_an_unknown_kind_of_features_is_refused():
    with pytest.raises((ValueError, TypeError), match="features"):
        ToySweep(**GOOD, features="correllated")
