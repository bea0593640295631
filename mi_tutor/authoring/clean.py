"""Outputs without what differs from run to run: progress bars, widget ids, addresses, paths."""

from __future__ import annotations

import re
import sys
import sysconfig
from pathlib import Path

from nbformat import NotebookNode

WIDGET = "application/vnd.jupyter.widget-view+json"
WIDGET_FALLBACK = "(An interactive widget: run the notebook to use it.)"
_PROGRESS_BAR = re.compile(r"\d+%\|.*\| *[\d.]+\w*/[\d.]+\w* \[.*\]|\b\d+\w* \[\d\d:\d\d, .*\]")
_WIDGET_REPR = re.compile(r"\w+\(.*\)", re.DOTALL)
_ADDRESS = re.compile(r"\bat 0x[0-9a-fA-F]+")
_CELL_FILE = re.compile(r"[^\s\"']*ipykernel_\d+[/\\]\d+\.py")


def clean_outputs(notebook: NotebookNode, root: Path) -> None:
    """Remove from all outputs, in place, what the next run on this machine would not repeat.

    Args:
        notebook: an executed notebook.
        root: the project's folder; paths in it are shortened to be relative to it.
    """
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            kept = (_cleaned(output, root) for output in cell.outputs)
            cell.outputs = _in_order([output for output in kept if output is not None])


def _in_order(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """stdout before stderr where they are neighbours: which one comes first is a race."""
    result: list[NotebookNode] = []
    for output in outputs:
        before = result[-1] if result else {}
        is_out, was_err = output.get("name") == "stdout", before.get("name") == "stderr"
        result.insert(len(result) - (is_out and was_err), output)
    return result


def _cleaned(output: NotebookNode, root: Path) -> NotebookNode | None:
    """The output, or None where nothing is left of it."""
    if output.output_type == "stream":
        text = output.text
        if output.name == "stderr":
            text = _without_progress(text)
        output.text = _plain(text, root)
        return output if output.text.strip() else None
    if output.output_type == "error":
        output.traceback = [_plain(line, root) for line in output.traceback]
        return output
    data = output.data
    text = data.get("text/plain", "")
    if data.pop(WIDGET, None) is not None:
        if _PROGRESS_BAR.search(text):
            return None
        if set(data) <= {"text/plain"} and (not text or _WIDGET_REPR.fullmatch(text.strip())):
            data["text/plain"] = WIDGET_FALLBACK
    for kind, value in data.items():
        if kind.startswith("text/") and isinstance(value, str):
            data[kind] = _plain(value, root)
    return output


def _without_progress(text: str) -> str:
    lines = text.replace("\r", "\n").split("\n")
    return "\n".join(line for line in lines if not _PROGRESS_BAR.search(line)).strip("\n")


def _plain(text: str, root: Path) -> str:
    text = _CELL_FILE.sub("<cell>", text)
    text = _ADDRESS.sub("at 0x…", text)
    places = (str(root), sysconfig.get_path("purelib"), sys.prefix, str(Path.home()))
    for place in places:
        if len(place) > 1:
            text = text.replace(f"{place}/", "").replace(f"{place}\\", "")
    return text
