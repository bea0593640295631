"""Running sources in a real kernel (a few seconds each)."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import nbformat
import pytest

from mi_tutor.authoring.build import build
from mi_tutor.authoring.clean import WIDGET_FALLBACK
from mi_tutor.authoring.execute import ExecutionFailed, execute
from mi_tutor.authoring.stale import stale
from mi_tutor.files import read_notebook

NOISY = """
# %%
import os
import sys
from pathlib import Path

import ipywidgets
from IPython.display import display
from tqdm import tqdm
from tqdm.auto import tqdm as tqdm_auto

for _ in tqdm(range(3), disable=False):
    pass
for _ in tqdm_auto(range(3)):
    print("line")
print("words", file=sys.stderr)

# %%
ipywidgets.IntSlider(description="p")

# %%
slider = ipywidgets.IntSlider()
display({**slider._repr_mimebundle_(), "text/plain": "A slider (for p)."}, raw=True)

# %%
print(Path.cwd().name, os.environ["MI_TUTOR_HOME"] != "mine", object(), sys.prefix + "/lib")
print("memory" * bool(bytearray(200_000_000)))
"""


def run(course: Any, registry: Any, **options: Any) -> Any:
    return execute(course.source, registry=registry, progress=False, **options)


@pytest.mark.slow
def test_executing_twice_gives_the_same_bytes_without_noise(
    course: Any, registry: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MI_TUTOR_HOME", "mine")
    course.source.write_text(course.source.read_text() + NOISY, encoding="utf-8")
    first = run(course, registry)
    assert (first.path, first.changed) == (course.solution, True)
    assert 0.1 < first.seconds < 600
    assert 200_000_000 < first.peak_bytes < 2_000_000_000
    assert course.files() == ["solutions/07_doubling.ipynb", "solutions/07_doubling.py"]
    before = course.solution.read_bytes()
    assert not run(course, registry).changed

    notebook = read_notebook(course.solution)
    nbformat.validate(notebook)
    assert set(notebook.metadata) == {"kernelspec", "language_info", "mi_tutor"}
    assert "version" not in notebook.metadata.language_info
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert all(
        set(cell.metadata) <= {"tags", "mi_tutor", "nbgrader", "deletable", "editable"}
        for cell in code
    )
    *_, bars, bare, described, facts = [cell.outputs for cell in code]
    assert [(one.name, "".join(one.text)) for one in bars] == [
        ("stdout", "line\nline\nline\n"),
        ("stderr", "words"),
    ]
    assert bare[0].data == {"text/plain": [WIDGET_FALLBACK]}
    assert described[0].data == {"text/plain": ["A slider (for p)."]}
    assert "".join(facts[0].text) == "solutions True <object object at 0x…> lib\nmemory\n"
    for noise in (b"widget-view", b"it/s", b"iopub", b"0x7", str(course.root).encode()):
        assert noise not in before

    build(course.sources, course.chapters, registry=registry)
    assert stale(course.sources, course.chapters, registry=registry) == []
    assert course.solution.read_bytes() == before


@pytest.mark.slow
def test_a_cell_that_fails_is_named_and_the_old_notebook_stays(course: Any, registry: Any) -> None:
    course.solution.write_text("old")
    text = course.source.read_text().replace("print(double([3])", "\nprint(double(None)")
    course.source.write_text(text)
    line = text[: text.index("print(double(None)")].count("\n") + 1
    with pytest.raises(
        ExecutionFailed, match=rf"^07_doubling.py:{line}: cell 'norm-ratio-code-1'"
    ) as caught:
        run(course, registry)
    assert "TypeError: 'NoneType'" in str(caught.value)
    assert "\x1b" not in str(caught.value)
    assert course.solution.read_text() == "old"


@pytest.mark.slow
def test_a_sentence_that_the_outputs_do_not_bear_out_stops_the_chapter(
    course: Any, registry: Any
) -> None:
    claims = """
# %% tags=["claim"]
_six = double([3])
assert _six == [6], "Doubling doubles."
assert _six == [7], "Everything doubles."

# %% tags=["claim"]
for _item in _six:
    assert _item < 6, "Write `double`"
"""
    text = course.source.read_text() + claims
    course.source.write_text(text)
    with pytest.raises(ExecutionFailed, match=r"do not bear out what the prose says") as caught:
        run(course, registry)
    lines = text.split("\n")
    seven = lines.index('assert _six == [7], "Everything doubles."') + 1
    loop = lines.index("for _item in _six:") + 1
    told = [
        f"  07_doubling.py:{seven}: Everything doubles.",
        f"  07_doubling.py:{loop}: Write `double`",
    ]
    assert str(caught.value).split("\n")[1:] == told


@pytest.mark.slow
def test_a_cell_without_end_is_stopped(course: Any, registry: Any) -> None:
    course.source.write_text(
        course.source.read_text().replace("print(double([3])", "while True: pass#")
    )
    with pytest.raises(ExecutionFailed, match=r"stopped after 1 s"):
        run(course, registry, cell_seconds=1)


@pytest.mark.slow
def test_a_kernel_that_dies_is_reported(course: Any, registry: Any) -> None:
    text = course.source.read_text().replace("print(double([3])", "import os; os._exit(1)#")
    course.source.write_text(text)
    with pytest.raises(ExecutionFailed, match=r"the kernel died"):
        run(course, registry)


@pytest.mark.slow
def test_measuring_writes_nothing(course: Any, registry: Any) -> None:
    measured = run(course, registry, write=False)
    assert measured.seconds > 0 and not measured.changed
    assert course.files() == ["solutions/07_doubling.py"]


def test_peak_grows_with_what_was_held_and_is_not_inherited() -> None:
    held = bytearray(2**28)
    held[::4096] = b"x" * len(held[::4096])
    code = (
        "from mi_tutor.peak import peak_bytes\nbefore = peak_bytes()\nheld = bytearray(2**27)\n"
        "held[::4096] = b'x' * len(held[::4096])\nprint(before, peak_bytes())"
    )
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    before, after = map(int, child.stdout.split())
    assert before < 2**27 and 0.9 * 2**27 < after - before < 1.5 * 2**27
