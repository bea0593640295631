"""Drawing a training while it runs: all records arrive, and little time goes into it.

That a notebook keeps the end: tests/show/test_in_a_notebook.py.
"""

import time
import xml.etree.ElementTree as ET

import pytest

from mi_tutor.lab.dictionaries import SaeConfig, TopK, ToyActivations, train_sae
from mi_tutor.lab.dictionaries.run import Record
from mi_tutor.show.dictionaries import live_training, training
from mi_tutor.show.dictionaries.training import training_drawing

CONFIG = SaeConfig(d_sae=8, kind=TopK(k=2), n_steps=30, batch_size=64)
HISTORY = [Record(step, 1.0, 1 / step, 2.0, step / 1000) for step in range(1, 101)]


def test_it_takes_every_record_of_a_training():
    live = live_training(CONFIG)
    toy = ToyActivations.drawn(n_features=8, d=4, probability=0.1, seed=0)
    trained = train_sae(toy.chunk, CONFIG, on_record=live.update, progress=False)
    assert live.history == trained.history
    assert live.words.startswith("Step 30 of 30: FVU ")


def test_outside_of_a_notebook_nothing_is_drawn(capsys):
    live = live_training(CONFIG)
    live.update(Record(30, 1.0, 0.5, 2.0, 0.0))
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


def test_drawing_takes_a_small_share_of_the_time(monkeypatch):
    """A drawing that is slow is made less often; the last step is always drawn."""
    now, drawn = [0.0], []
    monkeypatch.setattr(training.time, "perf_counter", lambda: now[0])
    live = live_training(SaeConfig(d_sae=8, kind=TopK(k=2), n_steps=1000))

    def slow_drawing():
        drawn.append(live.history[-1].step)
        now[0] += 0.1

    monkeypatch.setattr(live, "_show", slow_drawing)
    for step in range(1, 1001):
        now[0] += 0.05  # the training's own time
        live.update(Record(step, 1.0, 0.5, 2.0, 0.0))
    assert drawn[0] == 1 and drawn[-1] == 1000
    assert 0.1 * len(drawn[:-1]) < 0.03 * 50


def test_a_drawing_is_quick():
    took = []
    for _ in range(5):
        start = time.process_time()
        training_drawing(HISTORY, 100, "words")
        took.append(time.process_time() - start)
    assert min(took) < 0.02


def test_the_picture_has_the_three_curves():
    picture = ET.fromstring(training_drawing(HISTORY[:50], 100, "Half of it"))
    assert picture.get("aria-label") == "Half of it"
    lines = [node.get("points").split() for node in picture.iter() if "polyline" in node.tag]
    assert [len(points) for points in lines] == [50, 50, 50]
    x = [float(point.partition(",")[0]) for point in lines[0]]
    width = training._PANEL
    assert x[-1] - training._LEFT == pytest.approx(width / 2, abs=1)  # half of the axis
    y = [float(point.partition(",")[2]) for point in lines[2]]
    assert y == sorted(y, reverse=True)  # more and more dead latents: up
