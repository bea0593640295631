"""The trainer: same weights after any interruption, and nothing silently changed."""

import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from mi_tutor.specimens import SpecimenError
from mi_tutor.specimens.training.run import checkpoint_file
from mi_tutor.specimens.training.settings import TrainingSettings, adamw, warmup_cosine
from mi_tutor.specimens.training.state import Moment
from mi_tutor.specimens.training.train import train, training_folder

# The run that is killed: small, without transformers, so that a process is at work quickly. Two optimizers,
# a chunk length that does not divide the number of steps, a state after every step.
SCRIPT = """
import sys
import time
from pathlib import Path

import torch
from torch import nn

from mi_tutor.specimens.training.settings import TrainingSettings, adamw
from mi_tutor.specimens.training.train import train


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second = nn.Linear(40, 64), nn.Linear(64, 40)

    def forward(self, x):
        return self.second(torch.relu(self.first(x)))


def chunk(i):
    return list(torch.randn(10, 32, 40, generator=torch.Generator().manual_seed(i)))


def loss(net, x, step):
    time.sleep(PAUSE)
    return ((net(x) - x.cumsum(-1)) ** 2).mean()


def optimizers(net):
    vectors = [p for p in net.parameters() if p.ndim < 2]
    matrices = [p for p in net.parameters() if p.ndim == 2]
    if not hasattr(torch.optim, "Muon"):
        return [adamw(net, 1e-2)]
    return [torch.optim.Muon(matrices, lr=1e-2), torch.optim.AdamW(vectors, lr=1e-3, fused=True)]


PAUSE = 0.0


def run(work, **changes):
    settings = dict(n_steps=205, steps_per_chunk=10, n_warmup=5, save_every_s=0.0, checkpoints=(0, 3, 200),
                    evaluate_every=50, progress=False)
    return train(Net(), settings=TrainingSettings(work=Path(work), **settings | changes), chunk=chunk,
                 optimizers=optimizers, loss=loss, config={"seed": 0},
                 evaluate=lambda step: {"twice": 2.0 * step})


if __name__ == "__main__":
    import signal
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
    PAUSE = 0.002
    run(sys.argv[1])
"""


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    """The script as a file to start and as a module to call."""
    file = tmp_path_factory.mktemp("script") / "killed_run.py"
    file.write_text(SCRIPT)
    names: dict = {"__name__": "killed_run"}
    exec(compile(SCRIPT, str(file), "exec"), names)
    return file, names["run"], names


def step_reached(work: Path) -> int:
    found = sorted(work.glob("state-*.json"))
    return int(re.findall(r"\d+", found[-1].name)[0]) if found else 0


def stop_at(file: Path, work: Path, step: int, how: signal.Signals) -> subprocess.CompletedProcess:
    """Start the script and send it a signal once it has saved this step."""
    process = subprocess.Popen(
        [sys.executable, str(file), str(work)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stderr=subprocess.PIPE,
        text=True,
    )
    give_up = time.monotonic() + 600
    while step_reached(work) < step:
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < give_up
        time.sleep(0.001)
    process.send_signal(how)
    _, text = process.communicate(timeout=300)
    return subprocess.CompletedProcess(process.args, process.returncode, stderr=text)


def same_weights(one: nn.Module, other: nn.Module) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


@pytest.mark.anew
@pytest.mark.slow
def test_a_killed_run_ends_with_the_same_weights_and_checkpoints(script, tmp_path):
    file, run, _ = script
    whole = run(tmp_path / "whole")
    work = tmp_path / "killed"
    for step in (17, 101):  # twice, in the middle of a chunk
        assert stop_at(file, work, step, signal.SIGKILL).returncode == -signal.SIGKILL
    assert 101 <= step_reached(work) < 205  # it was stopped, and not at the start
    resumed = run(work)
    assert same_weights(resumed.network, whole.network)
    assert resumed.history == whole.history
    assert [entry["step"] for entry in whole.history] == [50, 100, 150, 200, 205]
    for step in (0, 3, 200):
        one, other = (
            checkpoint_file(each, step).read_bytes() for each in (work, tmp_path / "whole")
        )
        assert one == other
    assert checkpoint_file(work, 0).read_bytes() != checkpoint_file(work, 3).read_bytes()


@pytest.mark.anew
@pytest.mark.slow
def test_ctrl_c_says_how_to_go_on(script, tmp_path):
    file, run, _ = script
    stopped = stop_at(file, tmp_path / "work", 5, signal.SIGINT)
    assert stopped.returncode != 0
    assert "The same command goes on from the last saved step" in stopped.stderr
    assert "rm -r" in stopped.stderr
    assert same_weights(run(tmp_path / "work").network, run(tmp_path / "whole").network)


def test_a_finished_run_is_only_read(script, tmp_path, monkeypatch):
    _, run, names = script
    whole = run(tmp_path)
    asked, chunk = [], names["chunk"]
    monkeypatch.setitem(names, "chunk", lambda i: asked.append(i) or chunk(i))
    again = run(tmp_path)
    assert asked == [0]  # looked at, to see that the data are the same
    assert same_weights(again.network, whole.network)
    assert again.seconds == whole.seconds and again.cpu_seconds == whole.cpu_seconds > 0


def test_other_settings_are_refused_by_name(script, tmp_path, monkeypatch):
    _, run, names = script
    run(tmp_path, n_steps=20, checkpoints=())
    with pytest.raises(SpecimenError, match=r"n_steps was '20', is '30'.*start afresh.*rm -r"):
        run(tmp_path, n_steps=30, checkpoints=())
    monkeypatch.setitem(names, "chunk", lambda i: [torch.zeros(1, 40)] * 10)
    with pytest.raises(SpecimenError, match="first training data was"):
        run(tmp_path, n_steps=20, checkpoints=())
    monkeypatch.undo()
    monkeypatch.setitem(names, "optimizers", lambda net: [adamw(net, 1e-4)])
    with pytest.raises(SpecimenError, match="optimizers was"):
        run(tmp_path, n_steps=20, checkpoints=())
    monkeypatch.undo()
    monkeypatch.setitem(names, "Net", lambda: nn.Linear(40, 40))
    with pytest.raises(SpecimenError, match="starting weights was"):
        run(tmp_path, n_steps=20, checkpoints=())
    monkeypatch.undo()
    run(tmp_path, n_steps=20, checkpoints=(), progress=False, evaluate_every=7)  # decides nothing


@pytest.mark.parametrize("damage", ["flip", "cut", "no tensors", "no json", "other json"])
def test_a_damaged_state_is_named_and_the_one_before_it_used(script, tmp_path, capsys, damage):
    _, run, _ = script
    whole = run(tmp_path / "whole", n_steps=30, checkpoints=())
    run(tmp_path / "work", n_steps=30, checkpoints=())
    newest = tmp_path / "work" / "state-0000030.safetensors"
    content = bytearray(newest.read_bytes())
    if damage == "flip":
        content[-5] ^= 1
        newest.write_bytes(content)
    elif damage == "cut":
        newest.write_bytes(content[:-100])
    elif damage == "no tensors":
        newest.unlink()
    else:
        newest.with_suffix(".json").write_text("{" if damage == "no json" else "[1]")
    assert same_weights(run(tmp_path / "work", n_steps=30, checkpoints=()).network, whole.network)
    assert "state-0000030" in capsys.readouterr().err


def test_only_damaged_states_are_an_error(script, tmp_path):
    _, run, _ = script
    run(tmp_path, n_steps=3, checkpoints=())
    files = sorted(tmp_path.glob("state-*.safetensors"))
    assert [file.name for file in files] == [
        "state-0000002.safetensors",
        "state-0000003.safetensors",
    ]
    for file in files:
        file.write_bytes(b"")
    with pytest.raises(SpecimenError, match=r"None of the saved states.*rm -r"):
        run(tmp_path, n_steps=3, checkpoints=())


def test_two_trainings_in_one_folder_are_refused(script, tmp_path):
    from filelock import FileLock

    _, run, _ = script
    with (
        FileLock(tmp_path / "lock"),
        pytest.raises(SpecimenError, match="Another process is training"),
    ):
        run(tmp_path, n_steps=3, checkpoints=())


# ---- the steps themselves ----


def line(**changes) -> TrainingSettings:
    usual = {"n_steps": 4, "steps_per_chunk": 2, "n_warmup": 0, "progress": False, "clip": 1e9}
    return TrainingSettings(**usual | changes)


def test_steps_are_those_of_a_loop_written_by_hand(tmp_path):
    """Outside oracle: torch's own AdamW in the simplest loop."""
    settings = line(work=tmp_path, n_warmup=2, clip=0.5)
    data = torch.randn(4, 8, 3, generator=torch.Generator().manual_seed(0))

    def new() -> nn.Linear:
        torch.manual_seed(1)
        return nn.Linear(3, 2)

    def loss(net, x, step=0):
        return (net(x) ** 2).sum() + 10 * net.weight.sum()

    mine = train(
        new(),
        settings=settings,
        chunk=lambda i: list(data[2 * i : 2 * i + 2]),
        optimizers=lambda net: [adamw(net, 0.1)],
        loss=loss,
    ).network
    other = new()
    by_hand = torch.optim.AdamW(
        [
            {"params": [other.weight], "weight_decay": 0.1},
            {"params": [other.bias], "weight_decay": 0},
        ],
        betas=(0.9, 0.98),
    )
    for step, x in enumerate(data):
        for group in by_hand.param_groups:
            group["lr"] = 0.1 * warmup_cosine(step, settings)
        by_hand.zero_grad()
        loss(other, x).backward()
        norm = torch.cat([p.grad.flatten() for p in other.parameters()]).norm()
        for p in other.parameters():
            p.grad *= min(1.0, 0.5 / norm.item())
        by_hand.step()
    for one, two in zip(mine.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(one, two, rtol=1e-4, atol=1e-6)


def test_batches_may_be_tuples_or_dicts_and_the_loss_knows_the_step(tmp_path):
    seen = []

    def loss(net, batch, step):
        seen.append(step)
        return net(batch["x"]).sum() * batch["weight"]

    batch = {"x": torch.ones(1, 2), "weight": torch.tensor(2.0)}
    settings = line(work=tmp_path)
    train(
        nn.Linear(2, 1),
        settings=settings,
        chunk=lambda i: [batch, batch],
        optimizers=lambda net: [adamw(net, 0.1)],
        loss=loss,
    )
    assert seen == [0, 1, 2, 3]


def test_the_rate_rises_then_falls_to_the_final_one(tmp_path):
    settings = line(work=tmp_path, n_steps=100, n_warmup=10, final_rate=0.2)
    rates = [warmup_cosine(step, settings) for step in range(101)]
    assert rates[0] == pytest.approx(1 / 11)
    assert max(rates) == pytest.approx(rates[10], rel=0.03)
    assert rates[100] == pytest.approx(0.2)


def test_the_shown_loss_is_a_running_mean():
    moment = Moment()
    for loss in (4.0, 2.0, 2.0):
        moment.note(loss)
    assert moment.loss == pytest.approx(0.98 * (0.98 * 4 + 0.02 * 2) + 0.02 * 2)
    assert moment.step == 3


def test_threads_and_frozen_weights_are_left_alone(tmp_path):
    net = nn.Linear(2, 2)
    net.weight.requires_grad_(False)
    before = net.weight.clone()
    n_threads = torch.get_num_threads()
    during = []

    def loss(net, x, step):
        during.append(torch.get_num_threads())
        return net(x).sum()

    train(
        net,
        settings=line(work=tmp_path, n_threads=2),
        chunk=lambda i: [torch.ones(1, 2)] * 2,
        optimizers=lambda net: [adamw(net, 0.1)],
        loss=loss,
    )
    assert torch.equal(net.weight, before)
    assert set(during) == {2} and torch.get_num_threads() == n_threads


def test_what_cannot_be_trained_says_so(tmp_path):
    def attempt(net=None, loss=lambda net, x, step: net(x).sum(), n_batches=2):
        train(
            net or nn.Linear(2, 2),
            settings=line(work=tmp_path),
            chunk=lambda i: [torch.ones(1, 2)] * n_batches,
            optimizers=lambda net: [adamw(net, 0.1)],
            loss=loss,
        )

    with pytest.raises(ValueError, match="has dropout"):
        attempt(nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.1)))
    with pytest.raises(
        ValueError, match=r"chunk\(0\) should give steps_per_chunk = 2 batches, gave 3"
    ):
        attempt(n_batches=3)
    with pytest.raises(SpecimenError, match="no longer a number at step 1"):
        attempt(loss=lambda net, x, step: net(x).sum() * float("nan"))
    with pytest.raises(ValueError, match="n_threads should be at least 1, got 0"):
        replace(line(work=tmp_path), n_threads=0)
    with pytest.raises(
        ValueError, match=r"checkpoints should lie between 0 and n_steps = 4, got \[9\]"
    ):
        line(work=tmp_path, checkpoints=(0, 9))


def test_the_folder_follows_the_variable(monkeypatch, tmp_path):
    monkeypatch.setenv("MI_TUTOR_HOME", str(tmp_path))
    assert training_folder("atlas") == tmp_path / "training" / "atlas"
    monkeypatch.delenv("MI_TUTOR_HOME")
    assert training_folder("atlas").parts[-2:] == ("training", "atlas")
