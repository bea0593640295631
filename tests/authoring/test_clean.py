"""What is removed from outputs, and what has to stay."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from mi_tutor.authoring.clean import WIDGET, WIDGET_FALLBACK, clean_outputs

ROOT = Path("/somewhere/course")


def cleaned(output: NotebookNode) -> list[NotebookNode]:
    cell = new_code_cell("x", outputs=[output])
    cell.metadata["execution"] = {"iopub.execute_input": "now"}
    notebook = new_notebook(cells=[new_markdown_cell("# T"), cell], metadata={"widgets": {"a": 1}})
    clean_outputs(notebook, ROOT)
    assert "widgets" not in notebook.metadata and "execution" not in cell.metadata
    return list(cell.outputs)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("training: 100%|██████████| 2000/2000 [00:12<00:00, 160.31it/s]\n", None),
        ("\r  0%|          | 0/3 [00:00<?, ?it/s]\r100%|###| 3/3 [00:00<00:00, 9.1it/s]\n", None),
        ("1.2kB [00:00, 5.1MB/s]\n37it [00:00, 812.02it/s]", None),
        ("45%|████▌     | 4.5M/10.0M [00:01<00:01, 4.5MB/s]\r          \r", None),
        ("careful\n 50%|█████     | 1/2 [00:00<00:00,  2.00s/it]\nmore\n", "careful\nmore"),
        ("50% | of the features [are] dead\n", "50% | of the features [are] dead"),
    ],
)
def test_progress_bars_go_and_words_stay(text: str, left: str | None) -> None:
    outputs = cleaned(new_output("stream", name="stderr", text=text))
    assert [one.text for one in outputs] == ([left] if left else [])


def test_standard_output_is_not_searched_for_bars() -> None:
    text = "100%|██████████| 3/3 [00:00<00:00, 9.1it/s]\n"
    assert cleaned(new_output("stream", text=text))[0].text == text


@pytest.mark.parametrize(
    ("plain", "left"),
    [
        ("IntSlider(value=3, description='p')", WIDGET_FALLBACK),
        ("VBox(children=(HTML(value='a'),\n IntSlider()))", WIDGET_FALLBACK),
        ("", WIDGET_FALLBACK),
        ("Quick check. Which one (of two)?", "Quick check. Which one (of two)?"),
        ("  0%|          | 0/3 [00:00<?, ?it/s]", None),
    ],
)
def test_widgets_keep_their_readable_fallback(plain: str, left: str | None) -> None:
    data = {"text/plain": plain, WIDGET: {"model_id": "1f", "version_major": 2}}
    outputs = cleaned(new_output("display_data", data=data))
    assert [one.data for one in outputs] == ([{"text/plain": left}] if left else [])


def test_a_widget_with_an_image_keeps_the_image() -> None:
    data = {"text/plain": "Figure()", "image/png": "aGk=", WIDGET: {"model_id": "1f"}}
    (output,) = cleaned(new_output("display_data", data=data))
    assert output.data == {"text/plain": "Figure()", "image/png": "aGk="}


def test_addresses_and_paths_become_the_same_everywhere() -> None:
    text = (
        f"{ROOT}/mi_tutor/lab/data.py:3: UserWarning <A at 0x7fAb3> {sys.prefix}/bin/python "
        "/tmp/ipykernel_12/345.py:1"
    )
    expected = "mi_tutor/lab/data.py:3: UserWarning <A at 0x…> bin/python <cell>:1"
    assert cleaned(new_output("stream", text=text))[0].text == expected
    data = {"text/html": f"<p>{text}</p>", "application/json": {"at": "at 0x7"}}
    (shown,) = cleaned(new_output("execute_result", data=data))
    assert shown.data["text/html"] == f"<p>{expected}</p>"
    assert shown.data["application/json"] == {"at": "at 0x7"}
    (error,) = cleaned(new_output("error", ename="E", evalue="e", traceback=[text, "b"]))
    assert error.traceback == [expected, "b"]
