"""Training `primer`: the loop runs, learns, repeats itself, and replaces files only at the end."""

from pathlib import Path

import pytest
import torch

from mi_tutor.specimens import card, open_specimen
from mi_tutor.specimens.primer import recipe as primer_recipe
from mi_tutor.specimens.primer.recipe import (
    PrimerConfig,
    learning_rate,
    make_primer,
    train,
    training_rows,
)

SMALL = PrimerConfig(d_model=16, n_heads=2, n_ctx=32, batch_size=4, n_steps=6, n_warmup=2)


def test_the_same_seed_gives_the_same_weights():
    first, second = train(SMALL, progress=False), train(SMALL, progress=False)
    for one, other in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(one, other)


def test_training_leaves_the_global_generator_and_the_threads_alone():
    state, n_threads = torch.get_rng_state(), torch.get_num_threads()
    train(SMALL, progress=False)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == n_threads


def test_the_loss_falls():
    config = PrimerConfig(d_model=32, n_heads=2, batch_size=8, n_steps=60, n_warmup=5)
    tokens = next(training_rows(PrimerConfig(seed=9), primer_recipe.build_tokenizer()))

    def loss(network) -> float:
        with torch.no_grad():
            log_probs = network(tokens).logits[:, :-1].log_softmax(dim=-1)
        return -log_probs.gather(-1, tokens[:, 1:, None]).mean().item()

    assert loss(train(config, progress=False)) < 0.75 * loss(primer_recipe.new_network(config))


def test_make_writes_a_whole_specimen(tmp_path):
    made = make_primer(tmp_path / "small", SMALL, progress=False)
    files = {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}
    written = {file.name for file in (tmp_path / "small").iterdir()}
    assert files | {"card.json", "card.md"} <= written
    assert [path.name for path in tmp_path.iterdir()] == ["small"]  # nothing left over
    assert card(tmp_path / "small") == made
    assert made.recipe["n_steps"] == 6
    assert open_specimen(tmp_path / "small", device="cpu").cfg.d_model == 16
    assert not made.measures[0].meets_goal()  # six steps teach nothing, and the card says so


def test_an_interrupted_run_leaves_the_old_specimen_whole(copied, monkeypatch):
    before = {file.name: file.read_bytes() for file in copied.iterdir()}

    def killed(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(primer_recipe, "measure", killed)
    with pytest.raises(KeyboardInterrupt):
        make_primer(copied, SMALL, progress=False)
    assert {file.name: file.read_bytes() for file in copied.iterdir()} == before
    assert [path.name for path in Path(copied).parent.iterdir()] == ["copied"]


def test_the_learning_rate_rises_then_falls_to_a_tenth():
    config = PrimerConfig(learning_rate=1.0, n_warmup=10, n_steps=100)
    rates = [learning_rate(step, config) for step in range(101)]
    assert rates[0] == pytest.approx(1 / 11)
    assert max(rates) == pytest.approx(rates[10], rel=0.02)
    assert rates[100] == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"n_steps": 0}, "n_steps should be at least 1, got 0"),
        ({"d_model": 30}, "multiple of n_heads"),
    ],
)
def test_a_config_that_cannot_be(settings, sentence):
    with pytest.raises(ValueError, match=sentence):
        PrimerConfig(**settings)
