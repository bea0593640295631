"""In a real kernel: figures, widgets and a missing package leave outputs that can be read."""

import xml.etree.ElementTree as ET

import nbformat
import pytest
from nbclient import NotebookClient

CELLS = [
    "from mi_tutor.show import lines, superposition_explorer\n"
    "figure = lines([0, 1], {'a': [1.0, 2.0]}, title='T', x_title='x (m)', y_title='y (s)')\n"
    "figure",
    "from IPython.display import display\ndisplay(figure)\nNone",
    "superposition_explorer({2: ([[[1.0, -1.0], [0.0, 0.0]]], [0.1])})",
    "from mi_tutor.show.drawing.require import require\nrequire('plotli', 'drawing figures')",
    "from mi_tutor.lab.dictionaries import SaeConfig, TopK\n"
    "from mi_tutor.lab.dictionaries.run import Record\n"
    "from mi_tutor.show import live_training\n"
    "live = live_training(SaeConfig(d_sae=8, kind=TopK(k=2), n_steps=50))\n"
    "for step in range(1, 51):\n"
    "    live.update(Record(step, 1.0, 1 / step, 2.0, 0.0))\n",
]


@pytest.fixture(scope="module")
def outputs():
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in CELLS])
    NotebookClient(notebook, timeout=120, allow_errors=True, kernel_name="python3").execute()
    nbformat.validate(notebook)
    return [cell.outputs for cell in notebook.cells]


@pytest.mark.slow
@pytest.mark.parametrize("cell", [0, 1])
def test_a_figure_leaves_itself_its_words_and_a_description(outputs, cell):
    drawn, below = outputs[cell]
    assert "application/vnd.plotly.v1+json" in drawn.data
    assert drawn.data["text/plain"].startswith("T\n\n1 curve of y (s) over x (m)")
    assert "<details" in below.data["text/html"]


@pytest.mark.slow
def test_the_explorer_leaves_a_sentence(outputs):
    (output,) = outputs[2]
    assert "2 represented as an antipodal pair, D ≈ 0.5." in output.data["text/plain"]


@pytest.mark.slow
def test_a_missing_package_is_one_sentence_without_a_traceback(outputs):
    (output,) = outputs[3]
    assert output.ename == "MissingPackage"
    assert output.traceback == [output.evalue] and "pip install plotli" in output.evalue


@pytest.mark.slow
def test_a_training_without_a_front_end_keeps_the_last_picture(outputs):
    (output,) = outputs[4]
    assert output.data["text/plain"].startswith("Step 50 of 50: FVU 0.02")
    ET.fromstring(output.data["image/svg+xml"])
