"""Config, scale, start, the loop: what it does each step, going on after a kill, and what it refuses."""

import json
from dataclasses import asdict, replace

import pytest
import torch

from mi_tutor.lab.dictionaries import (
    Auxiliary,
    BatchTopK,
    JumpRelu,
    Relu,
    Resample,
    SaeConfig,
    TopK,
    ToyActivations,
    autograd_gradients,
    reconstruction_loss,
    sae_loss,
    sae_metrics,
    train_sae,
    unit_decoder,
    written_gradients,
)
from mi_tutor.lab.dictionaries.start import unit_scale
from mi_tutor.lab.dictionaries.state import FILE, load_state
from mi_tutor.lab.ground.device import seeded

TOY = ToyActivations.drawn(n_features=12, d=6, probability=0.1, seed=0)
CONFIG = SaeConfig(
    d_sae=16,
    kind=Relu(),
    sparsity=0.5,
    n_steps=40,
    batch_size=32,
    warmup=3,
    sparsity_warmup=7,
    dead_after=64,
    revive=Resample(every=10, n_rows=64),
)
CONFIGS = {
    "relu": CONFIG,
    "topk": replace(CONFIG, kind=TopK(k=2), sparsity=0.0, revive=Auxiliary(k=2)),
    "batchtopk": replace(CONFIG, kind=BatchTopK(k=2), sparsity=0.0),
    "jumprelu": replace(CONFIG, kind=JumpRelu()),
}


def chunk(i):
    return 5 * TOY.chunk(i, 200) + 1  # six batches, and eight samples that fill none


def pairs(i):
    x = chunk(i)
    return x, torch.relu(x[:, :4]) / 10


def test_nonsense_is_refused_with_what_to_try():
    for change, message in (
        ({"d_sae": 0}, "d_sae should be at least 1, got 0"),
        ({"sparsity": 0.0}, "Relu is as sparse as its penalty makes it"),
        ({"kind": TopK(k=3)}, "TopK has no penalty"),
        ({"kind": TopK(k=17), "sparsity": 0.0}, "k = 17 of 16 latents"),
        ({"learning_rate": float("nan")}, "learning_rate should be above 0"),
        ({"decay": 1.5}, "decay is a share"),
    ):
        with pytest.raises(ValueError, match=message):
            replace(CONFIG, **change)


@pytest.mark.parametrize("kind", [TopK(k=2), BatchTopK(k=2)])
def test_k_falls_while_sparsity_builds_up(kind):
    seen = []

    def spying(weights, x, y, goal):
        seen.append(weights.template.kind.k)
        found = autograd_gradients(weights, x, y, goal)
        assert goal.count is False or found.l0 <= seen[-1]
        return found

    config = replace(CONFIG, kind=kind, sparsity=0.0, sparsity_warmup=13, revive=None)
    trained = train_sae(chunk, config, progress=False, gradients=spying)
    assert seen == [15 - i for i in range(13)] + [2] * 27  # from 8 k = 16 to 2 in 14 equal steps
    assert config.kind_at(0).k == 15 and replace(config, d_sae=9).kind_at(0).k <= 9
    assert getattr(trained.sae.kind, "k", 2) == 2  # and not the k of some step
    assert CONFIG.kind_at(0) == Relu()


def test_the_learning_rate_rises_stays_and_falls():
    config = replace(CONFIG, n_steps=100, warmup=9, decay=0.2, learning_rate=2.0)
    rates = [config.rate_at(step) for step in range(100)]
    assert rates[:10] == pytest.approx([0.2 * (i + 1) for i in range(10)])
    assert set(rates[9:81]) == {2.0}
    assert rates[80:] == pytest.approx([2.0 * (20 - i) / 20 for i in range(20)])
    assert replace(config, warmup=0, decay=0.0).rate_at(99) == 2.0


def test_lambda_rises_and_stays():
    config = replace(CONFIG, sparsity=4.0, sparsity_warmup=3)
    assert [config.sparsity_at(step) for step in range(5)] == [1.0, 2.0, 3.0, 4.0, 4.0]


def test_when_latents_are_resampled():
    config = replace(CONFIG, n_steps=100, revive=Resample(every=15, until=0.5))
    assert [step for step in range(100) if config.resamples_at(step)] == [15, 30, 45]
    assert not replace(config, revive=None).resamples_at(15)


def test_a_config_is_json():
    for config in CONFIGS.values():
        seen = json.loads(config.to_json())
        assert seen["kind"]["name"] == config.kind.name and seen["revive"]["name"]
        assert set(seen) == set(asdict(config))


def test_the_scale_makes_the_loss_a_share_of_the_variance():
    x = 7 * torch.randn(500, 3, generator=seeded(0)) + 100
    scaled = x * unit_scale(x)
    nothing = scaled.mean(dim=0).expand_as(scaled)
    assert reconstruction_loss(scaled, nothing).item() / 3 == pytest.approx(1, rel=1e-4)
    with pytest.raises(ValueError, match="not all the same"):
        unit_scale(torch.ones(4, 2))


def by_hand(config, n_steps):
    """The loop as a learner writes it, for a Relu without resampling."""
    scale = unit_scale(chunk(0))
    W_dec = unit_decoder(torch.randn(config.d_sae, 6, generator=seeded(config.seed)))
    b_dec = (chunk(0) * scale).mean(dim=0)
    weights = [W_dec.T.clone(), torch.zeros(config.d_sae), W_dec, b_dec]
    weights = [w.requires_grad_() for w in weights]
    W_enc, b_enc, W_dec, b_dec = weights
    optimizer = torch.optim.Adam(weights)
    for step in range(n_steps):
        i, j = divmod(step, 6)
        order = torch.randperm(200, generator=seeded(config.seed + i))
        x = (chunk(i) * scale)[order][32 * j : 32 * (j + 1)]
        latents = torch.relu((x - b_dec) @ W_enc + b_enc)
        loss = sae_loss(x, latents @ W_dec + b_dec, latents, W_dec, config.sparsity_at(step))
        optimizer.param_groups[0]["lr"] = config.rate_at(step)
        optimizer.zero_grad()
        loss.backward()
        with torch.no_grad():
            unit = torch.nn.functional.normalize(W_dec, dim=1)
            W_dec.grad -= (W_dec.grad * unit).sum(dim=1, keepdim=True) * unit
            optimizer.step()
            W_dec.copy_(torch.nn.functional.normalize(W_dec, dim=1))
    return [w.detach() for w in weights], scale


def test_training_is_the_loop_that_a_learner_writes():
    config = replace(CONFIG, revive=None)
    sae = train_sae(chunk, config, progress=False).sae
    (W_enc, b_enc, W_dec, b_dec), scale = by_hand(config, 40)
    x = chunk(99)
    latents = torch.relu((x * scale - b_dec) @ W_enc + b_enc)
    expected = (latents @ W_dec + b_dec) / scale
    torch.testing.assert_close(sae(x), expected, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(sae.encode(x), latents / scale, rtol=1e-4, atol=1e-4)


@pytest.mark.usefixtures("shapes_unchecked")
@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("source", [chunk, pairs])
def test_any_kind_trains_on_raw_activations(name, source):
    config = replace(CONFIGS[name], n_steps=300, learning_rate=5e-3)
    trained = train_sae(source, config, progress=False)
    seen = source(1000)
    x, y = seen if isinstance(seen, tuple) else (seen, None)
    assert trained.sae.centred == (y is None)
    torch.testing.assert_close(trained.sae.W_dec.norm(dim=1), torch.ones(16))
    assert sae_metrics(trained.sae, x, y).fvu < 0.6  # 1 is the mean
    assert trained.history[-1].step == 300 and trained.history[-1].fvu < trained.history[0].fvu
    assert all(value.is_contiguous() for value in trained.sae.tensors().values())


def test_free_norms():
    config = replace(CONFIG, unit_norm=False, revive=None)
    trained = [
        train_sae(chunk, config, progress=False, gradients=g).sae
        for g in (autograd_gradients, written_gradients)
    ]
    assert (trained[0].W_dec.norm(dim=1) - 1).abs().max() > 1e-3
    torch.testing.assert_close(trained[0].W_dec, trained[1].W_dec, rtol=1e-4, atol=1e-5)


class Killed(Exception):
    pass


@pytest.mark.parametrize("kill_at", [0, 2, 5])
@pytest.mark.parametrize("name", CONFIGS)
def test_a_killed_training_ends_with_the_same_weights(name, kill_at, tmp_path, monkeypatch):
    monkeypatch.setattr("mi_tutor.lab.dictionaries.train.SAVE_EVERY_S", -1.0)  # after each step
    config = CONFIGS[name]
    expected = train_sae(chunk, config, progress=False)

    def killing(i):
        if i == kill_at and not done:
            done.append(i)
            raise Killed
        return chunk(i)

    done: list[int] = []
    if kill_at == 0:
        done.append(0)  # the first chunk is needed to begin at all
    else:
        with pytest.raises(Killed):
            train_sae(killing, config, work=tmp_path, progress=False)
        assert load_state(tmp_path, config)["values"]["step"] == kill_at * 6
    seen = train_sae(killing, config, work=tmp_path, progress=False)
    for tensor, value in expected.sae.tensors().items():
        assert getattr(seen.sae, tensor).equal(value), tensor
    assert seen.history == expected.history
    # The training is over: the same call gives the same dictionary again, at once.
    again = train_sae(chunk, config, work=tmp_path, progress=False)
    assert again.sae.W_dec.equal(expected.sae.W_dec) and again.history == expected.history


def test_a_folder_of_another_training_is_refused(tmp_path):
    train_sae(chunk, CONFIG, work=tmp_path, progress=False)
    with pytest.raises(ValueError, match=r"begun with sparsity 0.5 \(now 0.7\)"):
        train_sae(chunk, replace(CONFIG, sparsity=0.7), work=tmp_path, progress=False)


def test_a_damaged_state_is_named(tmp_path):
    train_sae(chunk, CONFIG, work=tmp_path, progress=False)
    file = tmp_path / FILE
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(ValueError, match="not a whole state"):
        train_sae(chunk, CONFIG, work=tmp_path, progress=False)


def test_chunks_must_hold_a_batch():
    with pytest.raises(ValueError, match=r"chunk\(0\) has 10 samples"):
        train_sae(lambda i: TOY.chunk(i, 10), CONFIG, progress=False)


def test_divergence_is_told():
    def broken(i):
        return chunk(i) * (float("nan") if i else 1.0)

    with pytest.raises(FloatingPointError, match="diverged at step"):
        train_sae(broken, CONFIG, progress=False)


def test_resampled_latents_start_with_fresh_moments():
    from mi_tutor.lab.dictionaries.run import Run

    run = Run(chunk, CONFIG, torch.device("cpu"), written_gradients)
    for _, (x, y) in zip(range(9), run.batches(), strict=False):
        run.advance(x, y)
    run.silent[[2, 5]] = 1000
    before = {n: run.optimizer.state[w]["exp_avg"].clone() for n, w in run.weights.moved.items()}
    run.resample()
    for name, axis in (("W_enc", 1), ("b_enc", 0), ("W_dec", 0)):
        moment = run.optimizer.state[run.weights.moved[name]]["exp_avg"].movedim(axis, 0)
        old = before[name].movedim(axis, 0)
        assert moment[[2, 5]].eq(0).all() and old[[2, 5]].abs().sum() > 0
        others = [i for i in range(16) if i not in (2, 5)]
        assert moment[others].equal(old[others])
    assert run.silent[[2, 5]].eq(0).all()


@pytest.mark.usefixtures("shapes_unchecked")
def test_batch_top_k_ends_with_a_threshold():
    config = replace(CONFIGS["batchtopk"], n_steps=400, learning_rate=5e-3)
    trained = train_sae(chunk, config, progress=False)
    assert isinstance(trained.sae.kind, JumpRelu)
    assert trained.sae.threshold.unique().numel() == 1 and trained.sae.threshold[0] > 0
    x = torch.cat([chunk(i) for i in range(1000, 1010)])
    assert sae_metrics(trained.sae, x).l0 == pytest.approx(2, abs=0.5)


def test_autocast_is_close():
    exact = train_sae(chunk, CONFIG, progress=False).sae
    rough = train_sae(chunk, CONFIG, progress=False, autocast=True).sae
    assert rough.W_dec.dtype == torch.float32
    assert torch.cosine_similarity(exact.W_dec, rough.W_dec, dim=1).mean() > 0.95


@pytest.mark.parametrize("name", ["relu", "topk", "jumprelu"])
def test_autocast_goes_by_the_weights_of_the_step(name):
    """Left on from step to step it keeps its copies of the first ones, and next to nothing is learned."""
    config = replace(CONFIGS[name], n_steps=150, learning_rate=5e-3)
    exact, rough = (
        train_sae(chunk, config, progress=False, autocast=half).history[-1].fvu
        for half in (False, True)
    )
    assert rough == pytest.approx(exact, rel=0.05)
