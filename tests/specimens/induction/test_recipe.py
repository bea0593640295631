"""Training the induction specimens: one small run from nothing to a directory that opens."""

import itertools

import pytest
import torch

from mi_tutor.specimens import SpecimenError, card, checkpoint_steps, open_specimen
from mi_tutor.specimens.induction import recipe as induction_recipe
from mi_tutor.specimens.induction.measures import (
    LOSSES,
    SCORES,
    measure_one_layer,
    over_training,
    phase,
    step_of_change,
)
from mi_tutor.specimens.induction.recipe import (
    InductionConfig,
    chunk,
    make,
    new_network,
    steps_to_keep,
)
from mi_tutor.specimens.recipes import recipe_of
from mi_tutor.specimens.training.forward import fast_forward
from mi_tutor.specimens.training.train import training_folder

SMALL = InductionConfig(n_layers=1, d_model=16, n_heads=2, n_steps=12, batch_size=2, n_warmup=2)


def test_make_writes_a_whole_specimen(tmp_path, monkeypatch):
    monkeypatch.setenv("MI_TUTOR_HOME", str(tmp_path / "home"))
    made = make(tmp_path / "small", SMALL, measure_one_layer, progress=False)
    files = {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}
    written = {file.name for file in (tmp_path / "small").iterdir()}
    assert files | {"checkpoints.safetensors", "card.json", "card.md"} <= written
    assert card(tmp_path / "small") == made
    assert made.recipe["n_steps"] == 12
    assert not training_folder("induction-1l-0").exists()  # the states are not needed any more
    assert checkpoint_steps(tmp_path / "small") == [0, 10, 12]
    first, last = (open_specimen(tmp_path / "small", "cpu", step=step) for step in (0, 12))
    whole = open_specimen(tmp_path / "small", "cpu")
    assert torch.equal(last.W_E, whole.W_E) and not torch.equal(first.W_E, last.W_E)
    assert first.cfg.model_name.endswith("small at step 0")
    with pytest.raises(
        SpecimenError, match=r"'small' has no checkpoint at step 5\. It has: 0, 10, 12"
    ):
        open_specimen(tmp_path / "small", "cpu", step=5)


def test_the_mlps_are_zero_and_stay_so():
    network = new_network(InductionConfig())
    frozen = {name for name, p in network.named_parameters() if not p.requires_grad}
    assert frozen == {
        f"transformer.h.{layer}.{part}.{kind}"
        for layer in (0, 1)
        for part in ("ln_2", "mlp.c_fc", "mlp.c_proj")
        for kind in ("weight", "bias")
    }
    assert not any(p.any() for name, p in network.named_parameters() if ".mlp." in name)
    fast_forward(network, chunk(SMALL, 0)[0]).sum().backward()
    assert network.transformer.h[0].mlp.c_fc.weight.grad is None


def test_a_chunk_depends_on_seed_and_number_alone():
    again = chunk(SMALL, 3)
    assert len(again) == 50 and again[0].shape == (2, 64)
    assert torch.equal(torch.cat(again), torch.cat(chunk(SMALL, 3)))
    other = InductionConfig(n_layers=2, batch_size=2)  # both specimens read the same rows
    assert torch.equal(torch.cat(again), torch.cat(chunk(other, 3)))
    assert not torch.equal(torch.cat(again), torch.cat(chunk(SMALL, 4)))


def test_steps_to_keep_lie_evenly_on_a_logarithmic_scale():
    steps = steps_to_keep(4000)
    assert len(steps) == 24 and steps[0] == 0 and steps[-1] == 4000
    ratios = [b / a for a, b in itertools.pairwise(steps[5:])]
    assert max(ratios) / min(ratios) == pytest.approx(1, abs=0.01)
    assert steps_to_keep(12) == (0, 10, 12)


def test_step_of_change():
    """Straight lines over log(step), by hand."""
    steps, values = [0, 1, 10, 100, 1000], [5.0, 5.0, 4.0, 1.0, 0.0]
    assert step_of_change(steps, values, 0.2) == pytest.approx(10)
    assert step_of_change(steps, values, 0.5) == pytest.approx(10 * 10**0.5)
    assert step_of_change(steps, values, 0.1) == pytest.approx(10**0.5)
    assert step_of_change(steps, [0.0, 1.0, 1.0, 1.0, 1.0], 0.5) == 1  # nothing to go between


def test_phase_of_a_made_up_training():
    def width(second: list[float]) -> float:
        steps = (1, 10, 100, 1000)
        losses = over_training("losses", "", [(0, 0, loss) for loss in second], steps, LOSSES)
        scores = over_training("scores", "", [(0, 1 - loss) for loss in second], steps, SCORES)
        found = {m.name: m for m in phase(losses, scores)}
        assert found["phase_change_with_induction"].value == 1
        return found["phase_change_width"].value

    assert width([1.0, 1.0, 0.0, 0.0]) == pytest.approx(10**0.8, rel=1e-3)
    assert width([1.0, 2 / 3, 1 / 3, 0.0]) == pytest.approx(10**2.4, rel=1e-3)


def test_each_specimen_has_its_recipe():
    assert recipe_of("induction-1l").measure is measure_one_layer
    assert recipe_of("induction-2l").make is not recipe_of("induction-1l").make


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"n_layers": 0}, "n_layers should be at least 1, got 0"),
        ({"d_model": 30}, "multiple of n_heads"),
        ({"n_ctx": 8}, "n_ctx should be more than 8"),
        ({"repeats_share": 2.0}, "between 0 and 1, got 2.0"),
    ],
)
def test_a_config_that_cannot_be(settings, sentence):
    with pytest.raises(ValueError, match=sentence):
        InductionConfig(**settings)


def test_an_interrupted_training_goes_on(tmp_path, monkeypatch):
    from mi_tutor.specimens.training import run as training_run

    whole = induction_recipe.train_network(SMALL, tmp_path / "whole", progress=False).network

    def save_and_stop(*args):
        save_state(*args)
        raise KeyboardInterrupt

    save_state = training_run.save_state
    monkeypatch.setattr(training_run, "save_state", save_and_stop)
    monkeypatch.setattr(training_run.time, "monotonic", iter(range(0, 10**6, 13)).__next__)
    with pytest.raises(KeyboardInterrupt):
        induction_recipe.train_network(SMALL, tmp_path / "work", progress=False)
    monkeypatch.undo()
    resumed = induction_recipe.train_network(SMALL, tmp_path / "work", progress=False).network
    for one, other in zip(whole.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(one, other)
